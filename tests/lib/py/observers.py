# SPDX-License-Identifier: Apache-2.0
"""Simulated observers, each a process of its own (tests/obsim, packages of obrpm.py), and the cluster that they are.

`ObState` is the cluster as seen from outside, whoever starts its servers: its trace, its faults, its statements. `Observer` is a server
that a test starts by hand in a folder, `Observers` a whole cluster of them."""
import contextlib
import errno
import fcntl
import json
import os
import pathlib
import re
import signal
import socket
import time

import pymysql

from . import obrpm
from .obsim import PASSWORD, Refused
from .obtrace import Trace
from .process import Child, Port, new_dir, wait_until

FAULTS = ("error", "timeout", "lost", "cut", "silent", "slow")


class ObState:
    """The cluster `name`:`id` below the folder `root` (`state` of its packages). It may be there before any of its processes."""

    def __init__(self, root, name, id=1):
        self.name, self.id = name, id
        self.path = pathlib.Path(root) / f"{name}-{id}"

    def prepare(self, release=obrpm.RELEASE, speed=10, seed=1, lease_ms=10000):
        """Makes it, so that faults can wait for the first process."""
        for folder in (self.path.parent, self.path):        # hosts of a test may run their servers as different users
            folder.mkdir(exist_ok=True)
            folder.chmod(0o777)
        now = time.time_ns() // 1000
        head = {"k": "cluster", "name": self.name, "id": self.id, "version": release.version,
                "build": release.build_version.split("_", 1)[1], "enterprise": release.name == "oceanbase", "seed": seed,
                "min_delay_us": int(200000 / speed) + 1, "max_delay_us": int(1000000 / speed) + 1, "speed": float(speed),
                "lease_us": lease_ms * 1000, "now_us": now, "offset_us": now - time.monotonic_ns() // 1000}
        with contextlib.suppress(FileExistsError), open(self.path / "journal.jsonl", "x", encoding="utf-8") as f:
            f.write(json.dumps(head) + "\n")
            os.fchmod(f.fileno(), 0o666)
        return self

    def ctl(self, op, **members):
        """A command for the cluster (tests/obsim/README.md): its processes obey when they look next, also those that start later."""
        with open(self.path / "journal.jsonl", "r+b") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            head = json.loads(f.readline())
            record = {"k": "ctl", "command": {"op": op, **members}, "t": time.monotonic_ns() // 1000 + head["offset_us"]}
            f.seek(0, os.SEEK_END)
            f.write(json.dumps(record).encode() + b"\n")
            f.flush()

    def fault(self, pattern, kind, **members):
        """Makes statements that match go wrong on all servers (or that with the address `server`), once unless `times` says otherwise."""
        assert kind in FAULTS, kind
        self.ctl("fault", pattern=pattern, kind=kind, **members)

    def hold(self, step, on=True):
        """What takes time does not come to its end: "bootstrap", "server_online", "server_delete", "unit_migrate", "tenant_created", ..."""
        self.ctl("hold", step=step, on=on)

    def refuse_start(self, server, times=1):
        """The next starts of the process ip:rpc_port end at once, with an error in its log."""
        self.ctl("refuse_start", server=server, times=times)

    @contextlib.contextmanager
    def _control(self, ip, rpc_port):
        folder = os.open(self.path, os.O_PATH)     # paths of sockets are short
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(60)
                s.connect(f"/proc/self/fd/{folder}/ctl-{ip}-{rpc_port}")
                yield s.makefile("rw")
        finally:
            os.close(folder)

    def tell(self, address, op, **members):
        """A command for the process of the server ip:rpc_port (hang, drop, slow_login, starting, lie, skew, sql, ...); its answer."""
        ip, port = address.rsplit(":", 1)
        with self._control(ip, port) as lines:
            lines.write(json.dumps({"op": op, "server": address, **members}) + "\n")
            lines.flush()
            answer = json.loads(lines.readline())
        if not answer["ok"]:
            raise Refused(answer)
        return answer

    def sql(self, address, statement, tenant=None):
        """What somebody else does as root of the tenant, past logins and faults of connections: its rows."""
        return self.tell(address, "sql", sql=statement, **({"tenant": tenant} if tenant else {}))["rows"]

    def trace(self):
        """What all servers were told so far, and what became of them."""
        return Trace.of(self.path / "trace.jsonl")


@contextlib.contextmanager
def waiting(root, *commands):
    """Commands as for ObState.ctl, {"op": ..., ...}, that each cluster below the folder `root` begins with which is made meanwhile."""
    folder = pathlib.Path(root)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o777)
    (folder / "waiting.jsonl").write_text("".join(json.dumps(c) + "\n" for c in commands), encoding="utf-8")
    try:
        yield
    finally:
        (folder / "waiting.jsonl").unlink()


class Observer:
    """One server in the folder `home`, as an installer leaves it; not started yet."""

    def __init__(self, state, home, ip, zone, sql_port=2881, rpc_port=2882):
        self.state, self.home, self.ip, self.zone, self.sql_port, self.rpc_port = state, pathlib.Path(home), ip, zone, sql_port, rpc_port

    @property
    def address(self):
        return f"{self.ip}:{self.rpc_port}"

    def run(self, *words, env=None):
        """Starts the program with these words; its exit status and what it has said, once it has become a daemon or has given up."""
        child = Child([self.home / "bin" / "observer", *map(str, words)], self.home / "start.log", name="observer", cwd=self.home, env=env)
        return child.wait(), child.output()

    def options(self, rs_list=None, config_url=None, data=None, **parameters):
        """Words of a first start."""
        values = {"memory_limit": "8G", "system_memory": "2G", "datafile_size": "20G", "log_disk_size": "24G", "cpu_count": 8, **parameters}
        if config_url:
            values["obconfig_url"] = config_url
        words = ["-p", self.sql_port, "-P", self.rpc_port, "-z", self.zone, "-n", self.state.name, "-c", self.state.id,
                 "-d", data or self.home / "store", "-I", self.ip, "-o", ",".join(f"{k}={v}" for k, v in values.items())]
        return words + (["-r", rs_list] if rs_list else [])

    def launch(self, **options):
        """A first start with `options` (see above), or another one without any; returns when it is a daemon."""
        is_first = not (self.home / "etc" / "observer.config.bin").exists()
        status, said = self.run(*(self.options(**options) if is_first else ["-p", self.sql_port]))
        assert status == 0, said
        return self

    def start(self, **options):
        """The same; returns when it answers."""
        return self.launch(**options).wait()

    def wait(self):
        """Waits until it answers."""
        wait_until(self._answers, f"observer {self.address} answers", alive=self._check)
        return self

    def _answers(self):
        try:
            self.connect().close()
        except pymysql.err.OperationalError as e:
            return e.args[0] not in (2003, 8001)   # it may well refuse this login
        return True

    def _check(self):
        if not self._is_locked():
            raise RuntimeError(f"observer {self.address} has ended:\n{self.log()[-2000:]}")

    def _is_locked(self):
        """A process holds its pid file, from before it is a daemon until the kernel has closed its files."""
        try:
            with open(self.home / "run" / "observer.pid", encoding="ascii") as f:
                fcntl.flock(f, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            pass
        return False

    @property
    def pid(self):
        """Its number, None: it does not run."""
        try:
            number = int((self.home / "run" / "observer.pid").read_text())
            return number if os.readlink(f"/proc/{number}/exe") == os.path.realpath(self.home / "bin" / "observer") else None
        except (FileNotFoundError, ValueError, ProcessLookupError):
            return None

    def _end(self, number):
        pid = self.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        wait_until(lambda: self.pid is None and not self._is_locked(), f"observer {self.address} ends")
        return self

    def kill(self):
        return self._end(signal.SIGKILL)

    def stop(self):
        return self._end(signal.SIGTERM)

    def freeze(self):
        """SIGSTOP, but never while it holds the lock that all processes of the cluster take in turn."""
        with open(self.state.path / "journal.jsonl", "rb") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            os.kill(self.pid, signal.SIGSTOP)
            wait_until(self._is_stopped, f"observer {self.address} stops running")

    def thaw(self):
        os.kill(self.pid, signal.SIGCONT)

    def _is_stopped(self):
        states = [path.read_text().rpartition(")")[2].split()[0] for path in pathlib.Path(f"/proc/{self.pid}/task").glob("*/stat")]
        return all(state in "tT" for state in states)

    def log(self):
        try:
            return (self.home / "log" / "observer.log").read_text(errors="replace")
        except OSError as e:
            return "" if e.errno == errno.ENOENT else str(e)

    def connect(self, user="root", password="", **options):
        return pymysql.connect(host=self.ip, port=self.sql_port, user=user, password=password,
                               **{"connect_timeout": 10, "read_timeout": 60, "autocommit": True, **options})

    def tell(self, op, **members):
        return self.state.tell(self.address, op, **members)

    def sql(self, statement, tenant=None):
        return self.state.sql(self.address, statement, tenant)


class Observers:
    """A cluster of `zones` zones with `servers` servers each on 127.NET.zone.server, started and bootstrapped by hand."""

    def __init__(self, name="obcluster", id=1, zones=3, servers=1, net=61, release=obrpm.RELEASE, speed=10):
        self.directory = new_dir("observers")
        self.release, self.speed = release, speed
        self._reserved = [Port(), Port()]
        self.state = ObState(self.directory / "state", name, id).prepare(release, speed)
        self.servers = [self.server(f"127.{net}.{z}.{s}", f"zone{z}") for s in range(1, servers + 1) for z in range(1, zones + 1)]
        self.founders = self.servers[:zones]

    def server(self, ip, zone, release=None):
        """One more, with its package, not started."""
        home = self.directory / f"host-{ip}"
        obrpm.unpack(home, self.directory / "state", release or self.release)
        return Observer(self.state, home, ip, zone, *map(int, self._reserved))

    @property
    def rs_list(self):
        return ";".join(f"{o.address}:{o.sql_port}" for o in self.founders)

    def start(self, **options):
        """Starts all processes; none is a cluster yet."""
        for o in self.servers:
            o.launch(**({"rs_list": self.rs_list} if "config_url" not in options else {}), **options)
        for o in self.servers:
            o.wait()
        return self

    def bootstrap(self, password=PASSWORD):
        """Makes a cluster of the first server of each zone, adds the others, and gives root@sys its password."""
        first = self.founders[0]
        with contextlib.closing(first.connect()) as c, c.cursor() as cursor:
            cursor.execute("SET SESSION ob_query_timeout = 1000000000")
            cursor.execute("ALTER SYSTEM BOOTSTRAP " + ", ".join(f"ZONE '{o.zone}' SERVER '{o.address}'" for o in self.founders))
            for o in self.servers[len(self.founders):]:
                cursor.execute(f"ALTER SYSTEM ADD SERVER '{o.address}' ZONE '{o.zone}'")
            cursor.execute(f"ALTER USER root IDENTIFIED BY '{password}'")
        self.settle()
        return self

    def sql(self, statement, tenant=None):
        """On any server that runs."""
        return next(o for o in self.servers if o.pid is not None).sql(statement, tenant)

    def settle(self):
        """Waits until nothing is under way in the cluster."""
        for o in (o for o in self.servers if o.pid is not None):
            wait_until(lambda o=o: o.tell("cluster")["settled"], "the cluster settles")

    def status(self):
        """{ip: (STATUS, in service, stopped)} of DBA_OB_SERVERS."""
        rows = self.sql("SELECT svr_ip, status, start_service_time IS NOT NULL, stop_time IS NOT NULL FROM oceanbase.DBA_OB_SERVERS")
        return {ip: (status, started == "1", stopped == "1") for ip, status, started, stopped in rows}

    def stop(self):
        """Ends them by SIGTERM; what sanitizers have to say is in their logs."""
        running = [o for o in self.servers if o.pid is not None]
        for o in running:
            os.kill(o.pid, signal.SIGTERM)
        try:
            for o in running:
                wait_until(lambda o=o: o.pid is None, f"observer {o.address} ends")
        finally:
            for o in self.servers:
                o.kill()
            for port in self._reserved:
                port.release()
        for o in self.servers:
            assert not re.search(r"Sanitizer|runtime error:", o.log()), o.log()[-8000:]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
