# SPDX-License-Identifier: Apache-2.0
"""Bare hosts on a network of their own, as namespaces of this machine; root only.

    with hosts.Lan() as lan, lan.host(authorized=[public_key]) as one, lan.host(...) as two:
        one.address, one.fingerprint     # root logs in at port 22 with the key
        one.run("ls", "/home")           # as if at its console
        one.crash(); one.start()         # all its processes end; what is on its disk stays
        one.firewall("tcp dport 62888 drop")
    lan.address                          # of this machine there

A host has its own network, processes, name, /home, /root, /run and sudoers; /tmp, programs and accounts are this machine's. sshd is its first process.
"""
import base64
import contextlib
import dataclasses
import functools
import getpass
import hashlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys

import pytest

from . import sshd
from .server import built
from .process import TIMEOUT, Child, new_dir, run_dir, wait_until

NAMESPACES = ("--net", "--uts", "--ipc", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private")

INIT = """set -e
d=$1
mount --bind "$d/home" /home
mount --bind "$d/root" /root
mount -t tmpfs -o mode=755,size=16m tmpfs /run
mkdir /run/sshd
[ ! -d /etc/sudoers.d ] || mount --bind "$d/sudoers.d" /etc/sudoers.d
hostname "$2"
ip link set lo up
read -r go <"$d/go"
exec "$3" -D -e -f "$d/sshd_config"
"""


def sh(*words, text=None):
    done = subprocess.run([str(w) for w in words], input=text, capture_output=True, text=True, timeout=TIMEOUT)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def why_not():
    """Why there can be no hosts here; None when there can be."""
    if os.geteuid() != 0:
        return "hosts are namespaces, which root alone can make"
    for program in ("unshare", "nsenter", "ip", "nft", "sudo"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    if not sshd.is_there():
        return "openssh-server is not installed"
    if subprocess.run(["unshare", *NAMESPACES, "true"], capture_output=True, check=False).returncode != 0:
        return "this machine (a container?) may not make namespaces"
    return None


@functools.lru_cache(maxsize=None)
def programs():
    """A directory with the agent's program, which a server reads that runs as somebody else."""
    target = run_dir() / "programs"
    target.mkdir(mode=0o755, exist_ok=True)
    shutil.copyfile(os.environ.get("OCP_AGENT") or built().parent / "ocp-agent", target / "ocp-agent")
    (target / "ocp-agent").chmod(0o755)
    return target


class Lan:
    """A network of this machine and its hosts: 198.18.N.0/24, as RFC 2544 sets aside for tests."""

    def __init__(self):
        self.number, self._lock = self._take_number()
        self.bridge = f"ocplan{self.number}"
        self.address = f"198.18.{self.number}.254"
        self.hosts = 0

    @staticmethod
    def _take_number():
        start = os.getpid()
        for i in range(250):
            number = (start + i) % 250
            lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                lock.bind(f"\0ocp-test-lan-{number}")
                return number, lock
            except OSError:
                lock.close()
        raise RuntimeError("no free network below 198.18.0.0/16")

    def host(self, **more):
        self.hosts += 1
        return Host(self, self.hosts, **more)

    def __enter__(self):
        subprocess.run(["ip", "link", "del", self.bridge], capture_output=True, check=False)   # of a test run that was killed
        sh("ip", "link", "add", self.bridge, "type", "bridge")
        sh("ip", "addr", "add", f"{self.address}/24", "dev", self.bridge)
        sh("ip", "link", "set", self.bridge, "up")
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "link", "del", self.bridge], capture_output=True, check=False)
        self._lock.close()


class Host:
    """`authorized`: public keys that let root in (and everybody else); `sudoers`: lines of a sudoers file; `settings`: further lines of
    sshd_config; `name`: of the machine."""

    port = 22

    def __init__(self, lan, number, authorized=(), sudoers="", settings=(), name=None):
        self.lan, self.number = lan, number
        self.address = f"198.18.{lan.number}.{number}"
        self.name = name or f"host{number}"
        self.directory = new_dir(f"host{number}", None, 0o711)
        for part in ("home", "root", "sudoers.d", "bin"):
            (self.directory / part).mkdir()
            (self.directory / part).chmod(0o755)
        (self.directory / "sudoers.d" / "test").write_text(sudoers)
        (self.directory / "sudoers.d" / "test").chmod(0o440)
        keys = self.directory / "authorized_keys"
        keys.write_text("".join(authorized), encoding="ascii")
        keys.chmod(0o644)
        self.settings = [f"HostKey {self.directory / 'host_key'}", f"AuthorizedKeysFile {keys}", "StrictModes no", "PidFile none", "UsePAM yes",
                         "PermitRootLogin yes", "PrintMotd no", "PrintLastLog no", "LogLevel VERBOSE", "MaxStartups 100",
                         f"SetEnv PATH={self.directory / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin", *settings]
        self.child = self.pid = self.fingerprint = None
        self.new_key()

    def new_key(self):
        """Another key of its SSH server; in force from the next start."""
        for old in self.directory.glob("host_key*"):
            old.unlink()
        _, public = sshd.make_key(self.directory, "host_key", "ed25519")
        digest = hashlib.sha256(base64.b64decode(public.split()[1])).digest()
        self.fingerprint = "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    def program(self, name, text):
        """A program that stands first on the path of those who log in."""
        path = self.directory / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    @property
    def log(self):
        return self.directory / "sshd.log"

    def home(self, *parts):
        """The path here of a path below the host's /home."""
        return self.directory.joinpath("home", *parts)

    def start(self):
        (self.directory / "sshd_config").write_text("\n".join(["Port 22", *self.settings]) + "\n", encoding="ascii")
        go = self.directory / "go"
        if not go.exists():
            os.mkfifo(go)
        self.child = Child(["unshare", *NAMESPACES, "sh", "-c", INIT, "init", self.directory, self.name, sshd.SSHD], self.log, name=self.name)
        self.pid = wait_until(self._first_process, f"{self.name} has a process", alive=self.child.check_alive)
        self._wire()
        to = wait_until(lambda: self._open(go), f"{self.name} waits for its network", alive=self.child.check_alive)
        os.write(to, b"go\n")
        os.close(to)
        wait_until(lambda: "Server listening" in self.child.output(), f"sshd of {self.name} listens", alive=self.child.check_alive)
        return self

    @staticmethod
    def _open(fifo):
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:                    # nobody reads yet
            return None

    def _first_process(self):
        """As this machine numbers it: the child of unshare, once it is in its own namespaces."""
        children = pathlib.Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children").read_text().split()
        if not children or pathlib.Path(f"/proc/{children[0]}/comm").read_text().strip() != "sh":
            return None
        return int(children[0])

    def _wire(self):
        outer = f"ocpv{self.lan.number}x{self.number}"
        subprocess.run(["ip", "link", "del", outer], capture_output=True, check=False)
        mac = f"02:0c:0b:00:{self.lan.number:02x}:{self.number:02x}"                # the same after a crash, as a machine's is
        sh("ip", "link", "add", outer, "type", "veth", "peer", "name", "eth0", "address", mac, "netns", str(self.pid))
        sh("ip", "link", "set", outer, "master", self.lan.bridge, "up")
        sh("nsenter", "-t", self.pid, "-n", "ip", "addr", "add", f"{self.address}/24", "dev", "eth0")
        sh("nsenter", "-t", self.pid, "-n", "ip", "link", "set", "eth0", "up")

    def crash(self):
        """The power goes."""
        self.child.kill()
        wait_until(lambda: not pathlib.Path(f"/proc/{self.pid}").exists(), f"{self.name} is gone")

    def is_up(self):
        return self.child is not None and self.child.is_alive()

    def run(self, *words, text=None):
        """What a command prints that root runs there; RuntimeError when it fails."""
        return sh("nsenter", "-t", self.pid, "-n", "-u", "-i", "-m", "-p", "--", *words, text=text)

    def listen(self, port):
        """Something listens on a port there, until it is killed or the host ends."""
        code = f"import socket, time; s = socket.create_server(('0.0.0.0', {port})); print('listening', flush=True); time.sleep(3600)"
        child = Child(["nsenter", "-t", str(self.pid), "-n", "-m", "-p", "--", sys.executable, "-c", code], self.directory / f"listen{port}.log")
        wait_until(lambda: "listening" in child.output(), f"port {port} is taken", alive=child.check_alive)
        return child

    def processes(self, part):
        """[(pid there, command line)] of those whose command line has this part."""
        lines = (line.split(None, 1) for line in self.run("ps", "-ww", "-eo", "pid=,args=").splitlines())
        return [(int(pid), args) for pid, args in lines if part in args and not args.startswith(("ps ", "[", "nsenter "))]

    def firewall(self, *rules):
        """Only these rules on what comes in: "tcp dport 62888 drop". None: everything passes."""
        table = "".join(f"  {rule}\n" for rule in rules)
        self.run("nft", "-f", "-", text="table inet test\ndelete table inet test\n" + (
            f"table inet test {{\n chain in {{\n  type filter hook input priority 0; policy accept;\n{table} }}\n}}\n" if rules else ""))

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.is_up():
            self.crash()


@dataclasses.dataclass(frozen=True)
class Machines:
    """Bare hosts with one login. `prefix`: of the directory of their agents; None: the default. `here`: an address of this machine that they reach."""

    addresses: list
    port: int
    user: str
    key: str
    prefix: str = None
    here: str = None


@contextlib.contextmanager
def machines(wanted):
    """As root `wanted` hosts of their own; else this machine, at one loopback address, whose user needs no more rights than he has."""
    directory = new_dir("machine", None, 0o755)
    private, public = sshd.make_key(directory, "key", "ed25519")
    if why_not() is None:
        with contextlib.ExitStack() as stack:
            lan = stack.enter_context(Lan())
            several = [stack.enter_context(lan.host(authorized=[public])) for _ in range(wanted)]
            yield Machines([one.address for one in several], 22, "root", private, here=lan.address)
        return
    if os.geteuid() == 0:
        pytest.skip(f"no host of its own: {why_not()}")
    address = f"127.0.{100 + os.getpid() % 100}.1"
    with sshd.Sshd([public], addresses=(address,), sudo="run") as one:
        try:
            yield Machines([address], one.port, getpass.getuser(), private, str(directory / "home"))
        finally:
            ctl = directory / "home" / "ocp_agent" / "bin" / "ocp_agent_ctl"
            if ctl.exists():
                subprocess.run([ctl, "uninstall"], capture_output=True, check=False, timeout=TIMEOUT)
