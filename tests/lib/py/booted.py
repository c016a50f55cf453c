# SPDX-License-Identifier: Apache-2.0
"""A machine of its own in a directory that holds an installation of Debian: namespaces for processes, mounts, network, host name and control groups,
and the systemd of that installation as process 1. As root."""
import contextlib
import os
import pathlib
import signal
import subprocess
import time

_START = r"""
set -e
cd "$1"
mount --make-rprivate /
mount --bind . .
cd "$1"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
for n in "null 3" "zero 5" "full 7" "random 8" "urandom 9"; do mknod -m 666 dev/${n% *} c 1 ${n#* }; done
mknod -m 666 dev/tty c 5 0
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
hostname booted
pivot_root . .
umount -l .
cd /
exec setpriv --bounding-set -sys_module,-sys_rawio,-sys_time,-syslog,-audit_control,-audit_read,-audit_write \
    /usr/bin/env -i container=booted PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd
"""


def _cgroup2():
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return pathlib.Path(where)
    raise RuntimeError("no cgroup2 is mounted here")


class Booted:
    """`root`: the installation; it stays as it is changed. `name`: of its control group."""

    def __init__(self, root, name):
        self.root, self.group, self.process = pathlib.Path(root), _cgroup2() / name, None

    def _enter_group(self):
        (self.group / "cgroup.procs").write_text(str(os.getpid()))

    def boot(self, seconds=120):
        """Returns when all that it starts by itself is started."""
        self._remove_group()
        self.group.mkdir()
        with open(f"{self.root}.console", "wb") as console:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child", "/bin/sh", "-c", _START, "boot", self.root],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, preexec_fn=self._enter_group, start_new_session=True)
        until = time.monotonic() + seconds
        while True:
            state = self.run("systemctl", "is-system-running", check=False) if self._leader() else None
            if state is not None and state.stdout.strip() in ("running", "degraded"):
                return
            said = pathlib.Path(f"{self.root}.console").read_text(errors="replace")[-2000:]
            assert self.process.poll() is None and time.monotonic() < until, f"it does not boot: {state} {said}"
            time.sleep(0.1)

    def _leader(self):
        """Its process 1, as seen from here; None as long as that is not systemd."""
        path = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        with contextlib.suppress(OSError, IndexError):
            pid = int(path.read_text().split()[0])
            return pid if pathlib.Path(f"/proc/{pid}/comm").read_text() == "systemd\n" else None
        return None

    def inside(self, *argv):
        """The words that run `argv` in it."""
        return ["nsenter", "-t", str(self._leader()), "-m", "-p", "-n", "-u", "-i", "-C", "--", *map(str, argv)]

    def in_network(self, *argv):
        """... that run a program of this machine, which is in that one's network only."""
        return ["nsenter", "-t", str(self._leader()), "-n", "--", *map(str, argv)]

    def run(self, *argv, check=True):
        return subprocess.run(self.inside(*argv), check=check, capture_output=True, text=True, timeout=120)

    @property
    def proc(self):
        """Its /proc: its processes under its numbers."""
        return pathlib.Path(f"/proc/{self._leader()}/root/proc")

    def halt(self):
        """As its administrator does it."""
        self.run("systemctl", "poweroff", check=False)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()
        self._remove_group()

    def _remove_group(self):
        """What was in it is ended with its process 1; the kernel may need a moment for that."""
        until = time.monotonic() + 30
        while self.group.exists():
            for folder, _, _ in os.walk(self.group, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(folder)
            assert time.monotonic() < until, f"{self.group} does not become empty"
            time.sleep(0.02)
