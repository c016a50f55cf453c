# SPDX-License-Identifier: Apache-2.0
"""A running ocp-server: the binary under test with a settings file of its own.

OCP_SERVER names the binary; without it build/ocp-server of the checkout is taken.
"""
import functools
import http.client
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import threading

from .api import Api
from .process import TIMEOUT, Child, Port, armed_as, new_dir, run_dir, unprivileged, wait_until

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
ADMIN = "admin"
FIRST_PASSWORD = re.compile(r"password[\"':=\s]+([^\s\"',]{8,})", re.IGNORECASE)
SANITIZER = re.compile(r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|MemorySanitizer|runtime error:)")


def settings_for(database, host, port, peer_port, data, extra):
    """The few settings that tests use, in one place; `extra` overrides them, None removes one."""
    settings = {"data_dir": data, "http.console_dir": console(), "http.listen": f"{host}:{port}", "peer.listen": f"{host}:{peer_port}",
                "refresh.interval": "1s", "drain.lb_wait": "0"}
    if database is None:
        settings["standalone"] = "true"
    else:
        settings.update({"db.endpoints": f"{database.host}:{database.port}", "db.user": database.user,
                         "db.password": database.password, "db.database": database.name,
                         "monitordb.database": database.monitor})
    settings.update(extra)
    return "".join(f"{key} = {value}\n" for key, value in settings.items() if value is not None)


def built():
    """Where the build puts the binary."""
    return pathlib.Path(os.environ.get("OCP_SERVER") or CHECKOUT / "build" / "ocp-server").resolve()


@functools.lru_cache(maxsize=None)
def binary():
    """The binary at a place where the unprivileged account may run it."""
    source = built()
    if not source.exists():
        raise RuntimeError(f"there is no {source}: build it, or name another in OCP_SERVER")
    target = run_dir() / "ocp-server"
    agent = source.parent / "ocp-agent"
    for one, to in ((source, target), (agent, run_dir() / "ocp-agent")):      # the agent for hosts is looked for beside it
        if one.exists():
            shutil.copyfile(one, to)
            to.chmod(0o755)
    return target


@functools.lru_cache(maxsize=None)
def console():
    """The built web console at a place where the unprivileged account may read it; None when the build has none."""
    for source in (built().parent / "console" / "dist", CHECKOUT / "console" / "dist"):
        if (source / "console.json").exists():
            return shutil.copytree(source, run_dir() / "console")
    return None


@functools.lru_cache(maxsize=None)
def tsan_suppressions():
    """What ThreadSanitizer is not to report, at a place where the unprivileged account may read it."""
    target = run_dir() / "tsan.supp"
    shutil.copyfile(CHECKOUT / "tests" / "lib" / "tsan.supp", target)
    target.chmod(0o644)
    return target


class OcpServer:
    """database   a Database for MetaDB and MonitorDB, or None for the embedded one (standalone)
    settings   further lines of the settings file, by key; a value None removes a default of settings_for()
    arguments  further words of the command line
    host       loopback address that it listens on

    Leaving the `with` stops it and fails the test when it did not end with 0 or a sanitizer reported.
    """

    before = ()                    # as in Child: where it runs
    program = None                 # another binary than the one under test

    def __init__(self, database=None, settings=None, arguments=(), environment=None, name="ocp-server", host="127.0.0.1", ca_file=None):
        self.database = database
        self.host = host
        self.ca_file = ca_file                     # it serves with TLS, under this authority
        self.account = unprivileged()
        self.directory = new_dir(name, self.account, 0o711)
        self.data = self.directory / "data"
        self.data.mkdir(mode=0o700)
        if self.account is not None:
            os.chown(self.data, self.account.pw_uid, self.account.pw_gid)
        self.log = self.directory / "ocp-server.log"
        self.settings_file = self.directory / "ocp-server.conf"
        self.extra = dict(settings or {})
        self.arguments = list(arguments)
        self.environment = dict(environment or {})
        self.process = None
        self.password = None
        self._first_call = threading.Lock()
        self._reserved = Port()
        self._reserved_peer = Port()
        self._expected_death = False

    @property
    def port(self):
        return int(self._reserved)

    @property
    def peer_port(self):
        return int(self._reserved_peer)

    @property
    def pid(self):
        return self.process.pid

    def write_settings(self):
        """Writes the settings file anew from `extra`; a running server reads it on SIGHUP."""
        self.settings_file.write_text(settings_for(self.database, self.host, self.port, self.peer_port, self.data, self.extra))
        self.settings_file.chmod(0o644)

    def run(self, *arguments, status=0, **environment):
        """Another command of the binary with this server's settings and account; what it printed, after asserting its exit status (None:
        any)."""
        self.write_settings()
        done = subprocess.run([*armed_as(self.account), binary(), "--config", self.settings_file, *map(str, arguments)], cwd=self.directory,
                              env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT)
        assert status in (None, done.returncode), f"{arguments}: status {done.returncode}\n{done.stdout}{done.stderr}"
        assert not SANITIZER.search(done.stderr), done.stderr
        return done.stdout + done.stderr

    def launch(self):
        """Starts the process and does not wait."""
        self.write_settings()
        env = {**os.environ, "ASAN_OPTIONS": self._sanitizer("asan"), "UBSAN_OPTIONS": self._sanitizer("ubsan"),
               "LSAN_OPTIONS": "exitcode=99", "TSAN_OPTIONS": f"{self._sanitizer('tsan')}:suppressions={tsan_suppressions()}",
               "HOME": str(self.directory),
               **self.environment}
        self._expected_death = False
        self.process = Child([self.program or binary(), "--config", self.settings_file, *self.arguments], self.log, name="ocp-server",
                             env=env, cwd=self.directory, account=self.account, before=self.before)

    def _sanitizer(self, kind):
        return f"log_path={self.directory}/{kind}:exitcode=99:print_stacktrace=1:detect_leaks=1"

    def wait_ready(self, timeout=None):
        """Returns once /readyz answers 200."""
        wait_until(lambda: self.probe("/readyz") == 200, "ocp-server is ready", timeout, self.process.check_alive)
        return self

    def start(self, timeout=None):
        self.launch()
        return self.wait_ready(timeout)

    def probe(self, path):
        """HTTP status of a GET without login, None when nobody answers within 5 s."""
        if self.ca_file is None:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=5)
        else:
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=5, context=ssl.create_default_context(cafile=str(self.ca_file)))
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def first_password(self):
        """The administrator's password as the first start printed it."""
        found = wait_until(lambda: FIRST_PASSWORD.search(self.log.read_text(errors="replace")),
                           "the first password is printed", alive=self.process.check_alive)
        return found.group(1)

    def api(self, user=ADMIN, password=None):
        """A client; for the administrator with a password of his own, set at the first call."""
        if password is None:
            password = self._own_password()
        return Api(self.host, self.port, user, password, self.ca_file)

    def _own_password(self):
        with self._first_call:                     # of several threads, one sets it
            if self.password is None:
                first, wanted = self.first_password(), "Admin-1234-test"
                Api(self.host, self.port, ADMIN, first, self.ca_file).post(
                    "/api/v2/profiles/me/changePassword", {"currentPassword": first, "newPassword": wanted}).ok()
                self.password = wanted
        return self.password

    def kill(self):
        """kill -9, the process group included."""
        self._expected_death = True
        self.process.kill()

    def pause(self):
        self.process.pause()

    def resume(self):
        self.process.resume()

    def signal(self, number):
        self.process.signal(number)

    def stop(self, timeout=None):
        """SIGTERM; AssertionError when it does not end with 0, or a sanitizer reported."""
        if self.process is not None and not self._expected_death:
            Api.close_all(self.port)
            status = self.process.terminate(timeout) if self.process.is_alive() else self.process.wait()
            self._expected_death = True
            assert not self.sanitizer_reports(), self.sanitizer_reports()
            assert status == 0, f"ocp-server ended with status {status}; last lines:\n{self.tail()}"

    def restart(self):
        self.stop()
        self.start()

    def is_alive(self):
        return self.process is not None and self.process.is_alive()

    def tail(self, n=40):
        """The last lines of the log of all starts."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-n:]) if self.log.exists() else ""

    def sanitizer_reports(self):
        """What sanitizers wrote, to their files or to the log; empty when nothing."""
        files = sorted(self.directory.glob("[aut]*san.*"))
        text = "\n".join(f.read_text(errors="replace") for f in files)
        if SANITIZER.search(self.log.read_text(errors="replace")):
            text += self.tail(80)
        return text

    def close(self):
        """Ends it without judging."""
        if self.process is not None:
            self.process.kill()
        self._reserved.release()
        self._reserved_peer.release()

    def __enter__(self):
        try:
            return self if self.is_alive() else self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, kind, *_):
        try:
            self.stop()
        finally:
            self.close()
