# SPDX-License-Identifier: Apache-2.0
"""Child processes that always end, waits with a deadline, free ports, and the folder of this test run.

Every child gets SIGKILL from the kernel when the thread that started it ends (so start children from the
main thread), is killed with its process group at exit of the test run, and is waited for.
"""
import atexit
import errno
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TIMEOUT = float(os.environ.get("OCP_TEST_TIMEOUT", "60"))   # seconds that a wait may take unless it says otherwise


def wait_until(condition, what, timeout=None, alive=None):
    """Calls condition() until it is true and returns what it gave.

    TimeoutError names `what` when `timeout` seconds are over. `alive` is called between the tries and raises
    when waiting has become pointless, for instance because the process ended.
    """
    timeout = TIMEOUT if timeout is None else timeout
    end = time.monotonic() + timeout
    pause = 0.005
    while True:
        got = condition()
        if got:
            return got
        if alive is not None:
            alive()
        if time.monotonic() >= end:
            raise TimeoutError(f"{what}: not within {timeout:g} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def wait_promised(condition, what, seconds):
    """As wait_until, for what the product promises within `seconds`. Only the pauses between the looks count: on a machine that is busy
    with other things the looks take longer, as does all that the product does meanwhile."""
    paused, pause = 0, 0.05
    while not (got := condition()):
        if paused > seconds:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(pause)
        paused += pause
    return got


def unprivileged():
    """The account for servers that refuse to run as root, or None when this process is not root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def armed_as(account):
    """Words before a command: run it as `account` (None: as it is), and kill it when the calling thread ends."""
    drop = [] if account is None else [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    return ["setpriv", "--pdeathsig", "KILL", *drop, "--"]


_run_dir = None


def run_dir():
    """The folder of this test run: short (unix sockets live in it), passable for `nobody`, removed at the end.

    OCP_TEST_KEEP=1 keeps it.
    """
    global _run_dir
    if _run_dir is None:
        _run_dir = pathlib.Path(tempfile.mkdtemp(prefix="ocpt-", dir=os.environ.get("OCP_TEST_TMP", "/tmp")))
        _run_dir.chmod(0o711)
        atexit.register(_remove_run_dir, _run_dir, os.getpid())
    return _run_dir


def _remove_run_dir(path, owner):
    if os.getpid() != owner:                       # a forked child must not clean up for its parent
        return
    Child.kill_all()
    if os.environ.get("OCP_TEST_KEEP"):
        print(f"kept {path}")
    else:
        shutil.rmtree(path, ignore_errors=True)


def new_dir(name, account=None, mode=0o700):
    """A new empty folder below run_dir() whose name starts with `name`; owned by `account` when one is given."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=name + "-", dir=run_dir()))
    path.chmod(mode)
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid)
    return path


class Port:
    """A free TCP port, kept for this process by an abstract unix socket until release() or the end.

    Ports lie below the ephemeral range, so no outgoing connection of anybody can take one.
    """

    def __init__(self):
        for _ in range(2000):
            self.number = random.SystemRandom().randrange(15000, 32000)
            self._lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self._lock.bind(f"\0ocp-test-port-{self.number}")
                if self._is_free():
                    return
            except OSError as e:
                if e.errno != errno.EADDRINUSE:
                    raise
            self._lock.close()
        raise RuntimeError("no free port between 15000 and 32000")

    def _is_free(self):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("0.0.0.0", self.number))
            except OSError:
                return False
        return True

    def __int__(self):
        return self.number

    def release(self):
        self._lock.close()


def is_listening(host, port):
    """Whether something accepts a TCP connection there now."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


class Child:
    """A process started by the tests, in a session of its own, with stdout and stderr in one log file. `before` are words in front of the
    whole command that become it by exec, as root: nsenter, say."""

    _living = set()

    def __init__(self, argv, log, name=None, env=None, cwd=None, account=None, pass_fds=(), before=()):
        self.argv = [os.fspath(a) for a in argv]
        self.name = name or os.path.basename(self.argv[0])
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as out:
            self._log_start = out.tell()
            self._popen = subprocess.Popen([*before, *armed_as(account), *self.argv],
                                           stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, cwd=cwd,
                                           start_new_session=True, pass_fds=pass_fds)
        self.pid = self._popen.pid
        Child._living.add(self)
        # until setpriv has made way for the program, a death of this process would leave it behind
        wait_until(lambda: self._program() not in ("setpriv", *map(os.path.basename, before[:1])) or not self.is_alive(), f"{self.name} is executed")

    def is_alive(self):
        return self._popen.poll() is None

    @property
    def returncode(self):
        """Exit status, -N for signal N, None while it runs."""
        return self._popen.poll()

    def output(self):
        """What this process has written so far."""
        with open(self.log, "rb") as f:
            f.seek(self._log_start)
            return f.read().decode(errors="replace")

    def check_alive(self):
        """RuntimeError with the end of the log when the process has ended."""
        if not self.is_alive():
            raise RuntimeError(f"{self.name} ended with status {self.returncode}; last lines of {self.log}:\n"
                               + "\n".join(self.output().splitlines()[-20:]))

    def signal(self, number):
        """Sends a signal to the process alone; nothing happens when it has ended."""
        self._popen.send_signal(number)

    def pause(self):
        """SIGSTOP, and waits until the process has really stopped."""
        self.signal(signal.SIGSTOP)
        wait_until(lambda: self._state() in "TtZX", f"{self.name} stops running", alive=self.check_alive)

    def resume(self):
        self.signal(signal.SIGCONT)

    def _program(self):
        try:
            return os.path.basename(os.readlink(f"/proc/{self.pid}/exe"))
        except FileNotFoundError:
            return ""

    def _state(self):
        try:
            stat = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        except FileNotFoundError:
            return "X"
        return stat.rpartition(")")[2].split()[0]

    def wait(self, timeout=None):
        """Exit status; TimeoutError after `timeout` seconds."""
        timeout = TIMEOUT if timeout is None else timeout
        try:
            status = self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.name}: did not end within {timeout:g} s") from None
        Child._living.discard(self)
        return status

    def kill(self):
        """SIGKILL to the whole process group, then waits."""
        try:
            os.killpg(self.pid, signal.SIGKILL)    # the group outlives its leader when it left children behind
        except ProcessLookupError:
            pass
        return self.wait()

    def terminate(self, timeout=None):
        """SIGTERM, then waits for the exit status; a process that does not end is killed and TimeoutError raised."""
        self.resume()
        self.signal(signal.SIGTERM)
        try:
            return self.wait(timeout)
        except BaseException:
            self.kill()
            raise

    @classmethod
    def kill_all(cls):
        for child in list(cls._living):
            child.kill()


atexit.register(Child.kill_all)
