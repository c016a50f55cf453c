# SPDX-License-Identifier: Apache-2.0
"""The machines of a run: nodes of ocp-server, MetaDB, a load balancer and clients, each on a host of its own (net.py)."""
import collections
import contextlib
import dataclasses
import math
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pymysql

from lib.py.build import CHECKOUT
from lib.py.galera import PATIENT, Galera, advised
from lib.py.managed import Managed
from lib.py.mariadb import MariaDB
from lib.py.obsim import Obsim
from lib.py.process import Child, Port, new_dir, wait_until
from lib.py.ocpcluster import OcpCluster
from lib.py.proxy import Proxy
from lib.py.server import OcpServer, binary
from lib.py.session import Session

from . import binlog, client
from .history import Evidence, History, Leadership, Task
from .net import Net, run
from .watch import Watch

ELECTION = 1.0                     # seconds, the product's default
HERE = pathlib.Path(__file__).resolve().parent


class Metadb(MariaDB):
    """A MariaDB on a host, with a binary log of rows, whose clock jump() sets when `clock` says so."""

    client_hosts = ("%", "localhost")

    def __init__(self, host, clock=False):
        self.host, self.before = host.address, host.words
        self.jumps = [(0.0, 0)] if clock else []                # since when (wall clock) it is off by how much
        super().__init__(name="metadb", options=["--bind-address=0.0.0.0", "--log-bin=binlog", "--binlog-format=ROW", "--server-id=1",
                                                 "--sync-binlog=0"])

    def connect(self, over="tcp", **options):
        return super().connect(over, **{"connect_timeout": 5, "read_timeout": 30, **options})

    def binlogs(self):
        return sorted(p for p in self.data.glob("binlog.0*"))

    def _argv(self):
        if not self.jumps:
            return super()._argv()
        order(self.directory / "faketime", "+0")
        return ["env", f"LD_PRELOAD={faketime()}", f"FAKETIME_TIMESTAMP_FILE={self.directory / 'faketime'}",
                *(f"{name}={value}" for name, value in FAKETIME.items()), *super()._argv()]

    def jump(self, seconds):
        """Its wall clock is off by that much from now on."""
        order(self.directory / "faketime", f"{seconds:+d}")
        self.jumps.append((time.time(), seconds))

    def wall(self, said):
        """When it was by the other clocks, if that was its time."""
        for (begin, off), (end, _) in zip(self.jumps, [*self.jumps[1:], (math.inf, 0)]):
            if begin <= said - off < end:
                return said - off
        return said


FAKETIME = {"FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"}


def faketime():
    """The library that makes clocks jump."""
    for library in pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"):
        return library
    raise RuntimeError("there is no libfaketime: packaging/install-deps chaos")


def preload(name):
    """A library of this folder, compiled once a run, that the unprivileged account may read."""
    made = new_dir("preload", mode=0o755) / f"{name}.so"
    subprocess.run(["cc", "-std=c11", "-O1", "-shared", "-fPIC", "-o", made, HERE / f"{name}.c", "-ldl"], check=True, timeout=60)
    made.chmod(0o755)
    return made


def order(path, text):
    """Writes a control file at once and whole."""
    new = path.with_suffix(".new")
    new.write_text(text + "\n")
    new.chmod(0o644)
    new.rename(path)


class World:
    """n nodes on MetaDB behind a load balancer, with an observer of each. `history` fills by itself; evidence() is for the end."""

    LEADER_ROWS = "subtask"        # what a leader's transaction locks after its fence row

    def __init__(self, n=3, needs=(), seed=1, settings=None, net=None):
        self.net, self.history, self.seed = net or Net(), History(), seed
        self.has = frozenset(needs) | (frozenset({"net"}) if self.net.real else frozenset())
        self.stack, self.clients, self.watches = contextlib.ExitStack(), [], []
        hosts = [self.net.host(f"n{i}") for i in range(1, n + 1)]
        self.db_host, self.lb_host, self.target_host = (self.net.host(name) for name in ("db", "lb", "target"))
        self.metadb = self.stack.enter_context(self._metadb(needs))
        self.database = self.metadb.create_database("chaos")
        self.proxy = self._proxy() if "proxy" in needs else None
        self.cluster = self.stack.enter_context(Cluster(self.database, hosts, self.lb_host.address, settings, *self._preloads("disks" in needs, "clocks" in needs),
                                                        "small" in needs))
        self.nodes = [Node(number, host, server) for number, (host, server) in enumerate(zip(hosts, self.cluster.nodes), 1)]
        self.balancer = self.stack.enter_context(Balancer(self.lb_host, [(n.host.name, n.server.host, n.server.port) for n in self.nodes]))
        self.login = ("admin", self.cluster.api().password)
        self.ids = {}                        # of nodes that there are or were: id in MetaDB, number here
        self.target, self.managed = self._target(), None
        self.deaths = []                     # of nodes that nobody has killed
        self.healed = time.monotonic()

    def _metadb(self, needs):
        if "galera" in needs:
            return Galera(host=self.net.observer, times=PATIENT if "patient" in needs else advised())
        return Metadb(self.db_host, "dbclock" in needs)

    def _target(self):
        """Two simulated OceanBase clusters: one is managed all the time, the other comes and goes."""
        target = Obsim(zones=1, clusters=2)
        target.before = self.target_host.words
        self.net.loopback_at(self.target_host, ["127.1.0.0/16", "127.2.0.0/16"])
        self.stack.enter_context(target)
        return target

    def work(self):
        """What the leader and the nodes do to the target, all the time: tasks and changes."""
        sim, api = self.target, self.cluster.api()
        self.managed = Managed(api, sim.servers("obcluster")[0], sim.port, sim.password).__enter__().id
        tasks = client.Tasks("obcluster2", sim.servers("obcluster2")[0], sim.port, sim.password)
        self.client("list-tasks", tasks, False, rate=10)
        for number, balanced in enumerate((False, True), 1):
            self.client("balanced-changes" if balanced else "list-changes", client.Changes(self.managed, number * 100000), balanced, rate=5)

    def effects(self):
        """How often the target did each change."""
        done = re.compile(rf"(?i)alter system set {client.Changes.PARAMETER}\s*=\s*'(\d+ms)'")
        return collections.Counter(m[1] for s in self.target.audit() if s["errno"] == 0 and (m := done.search(s["text"])))

    def observe(self, pause=0.02):
        """From now on every node is asked whether it leads."""
        self.watches += [Watch(node.server, node.number, self.history, self.net.observer, pause) for node in self.nodes]

    def _proxy(self):
        """Between all nodes and MetaDB."""
        proxy = self.stack.enter_context(Proxy((self.metadb.host, self.metadb.port), mysql=True, host=self.net.observer))
        self.database = dataclasses.replace(self.database, host=proxy.host, port=proxy.port)
        return proxy

    @staticmethod
    def _preloads(disks, clocks):
        """Libraries between the nodes and their kernel, for disks that fail and clocks that jump, and what they want in the environment."""
        libraries, more = [], {}
        if disks:
            libraries.append(preload("faultdisk"))
        if clocks:
            libraries.append(faketime())
            more.update(FAKETIME)
        return libraries, more

    # -- who leads ----------------------------------------------------------------------------------------------------------------------

    def leader(self, but=None, timeout=30):
        """The node that says that it leads, as soon as there is one."""
        return wait_until(lambda: next((n for n in self.nodes if n is not but and self.says(n)), None), "a leader", timeout)

    def says(self, node):
        return node.server.is_alive() and bool(self.watches[node.number - 1].leads)

    def followers(self):
        leader = self.leader()
        return [n for n in self.nodes if n is not leader]

    def new_leader(self, but, timeout=60, begin=None):
        """(the node that leads instead, seconds since `begin`, else since this call); the time is when its answer came."""
        begin = time.monotonic() if begin is None else begin
        node = self.leader(but, timeout)
        return node, self.watches[node.number - 1].since - begin

    def leaderships(self):
        """MetaDB's history, oldest first."""
        for row in self.metadb.sql(f"SELECT id, name FROM `{self.database.name}`.node"):
            self.ids[row["id"]] = int(row["name"].removeprefix("node"))
        try:
            rows = self.metadb.sql("SELECT epoch, generation, term, node_id, UNIX_TIMESTAMP(claimed_at) claimed "
                                   f"FROM `{self.database.name}`.leadership ORDER BY epoch")
        except pymysql.err.ProgrammingError:
            return []
        wall = self.metadb.wall if isinstance(self.metadb, Metadb) else float
        return [Leadership(r["epoch"], r["generation"], r["term"], self.ids.get(r["node_id"], 0), wall(float(r["claimed"]))) for r in rows]

    # -- inside MetaDB ------------------------------------------------------------------------------------------------------------------

    def fence_holders(self, node):
        """Transactions that have changed rows, of sessions from that node, as InnoDB knows them."""
        try:
            return self.metadb.sql("SELECT t.trx_id, t.trx_state, p.id FROM information_schema.innodb_trx t JOIN information_schema.processlist p "
                                   "ON p.id = t.trx_mysql_thread_id WHERE t.trx_rows_modified > 0 AND SUBSTRING_INDEX(p.host, ':', 1) = %s",
                                   (node.host.address,))
        except pymysql.err.MySQLError:
            return []

    def ready(self):
        """Every node is ready."""
        for node in self.nodes:
            node.server.wait_ready()

    # -- members ------------------------------------------------------------------------------------------------------------------------

    def api(self):
        """The administrator's client at the node that leads."""
        return self.cluster.api(self.leader().number - 1)

    def id_of(self, peer_address):
        """Of the member with that address; None: there is none."""
        rows = self.metadb.sql(f"SELECT id FROM `{self.database.name}`.node WHERE peer_address = %s", (peer_address,))
        return rows[0]["id"] if rows else None

    def remove(self, peer_address):
        """It is no member any more, as soon as the others can say so."""
        def gone():
            number = self.id_of(peer_address)
            return number is None or self.api().delete(f"/api/v2/ocp/nodes/{number}").status == 200
        wait_until(gone, f"{peer_address} is removed", 60)

    def add(self, node):
        """Its machine, emptied, becomes a member again, with another id."""
        address = self.cluster.peer_address(node.server)
        node.wipe()
        made = self.api().post("/api/v2/ocp/nodes", {"peerAddress": address, "name": f"node{node.number}"}).data
        bundle = new_dir("bundle", node.server.account) / "bundle"
        bundle.write_text(made["bundle"])
        bundle.chmod(0o644)
        node.server.run("--join", bundle, OCP_JOIN_SECRET=made["secret"])
        node.start()
        wait_until(lambda: sum(m["role"] == "VOTER" for m in self.api().get("/api/v2/ocp/cluster").data["members"]) == len(self.nodes),
                   "all members vote", 60)

    # -- clients ------------------------------------------------------------------------------------------------------------------------

    def client(self, name, plan, balanced, rate=50.0):
        """A client that calls from now on, through the load balancer or with the list of nodes."""
        endpoints = [(self.balancer.host, self.balancer.port)] if balanced else [(n.server.host, n.server.port) for n in self.nodes]
        made = client.Client(name, self.history, endpoints, self.login, plan, self.net.client if self.net.real else None, rate)
        self.clients.append(made)
        made.start()
        return made

    def session(self):
        """A person's at the console, through the load balancer."""
        made = Session(self.balancer.host, self.balancer.port)
        made.log_in(*self.login)
        return made

    # -- the end of a fault -------------------------------------------------------------------------------------------------------------

    def recover(self):
        """What an operator does when most nodes are lost for good: all are stopped, the cluster is founded anew, each joins and is started."""
        for node in self.nodes:
            if node.server.is_alive():
                node.server.stop()
            node.wipe()
        servers = [self.nodes[-1].server, *(n.server for n in self.nodes[:-1])]
        wait_until(lambda: self._founded(servers), "MetaDB has not heard the nodes for long enough", 120)
        for node in self.nodes:
            node.start()

    def _founded(self, servers):
        try:
            return self.cluster.recover(servers)
        except AssertionError as e:
            if "Stop ocp-server on all nodes" not in str(e):
                raise
            return None                      # MetaDB has heard of one not long ago

    def heal(self):
        """Everything that was done is undone: all run, all hear each other."""
        self.net.heal()
        if not self.metadb.is_alive():
            self.metadb.start()
        if isinstance(self.metadb, Metadb):
            self.metadb.resume()
            if self.metadb.jumps and self.metadb.jumps[-1][1] != 0:
                self.metadb.jump(0)
        if not self.balancer.process.is_alive():
            self.balancer.start()
        self.deaths += [death for node in self.nodes if (death := node.death())]
        for node in self.nodes:
            node.heal()
        self.healed = time.monotonic()

    def settle(self, timeout=30):
        """Seconds from the end of the fault to one leader, and only one."""
        try:
            wait_until(lambda: sum(self.says(n) for n in self.nodes) == 1 and all(w.leads is not None for w in self.watches), "one leader", timeout)
        except TimeoutError as e:
            raise TimeoutError(f"{e}; they say {[w.leads for w in self.watches]}") from None
        since = max(w.since for w in self.watches if w.leads)
        return max(0.0, since - self.healed)

    def evidence(self, settled):
        """Ends the clients and the watches and asks MetaDB what there is."""
        for each in self.clients:
            each.finish()
        for watch in self.watches:
            watch.finish()
        name, h = self.database.name, self.history
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: not self.metadb.sql(f"SELECT id FROM `{name}`.task WHERE status = 0"), "the last tasks end", 60)
        e = Evidence(h.calls, h.looks, h.spans, self.leaderships(), settled=settled, election=ELECTION)
        for row in self.metadb.sql(f"SELECT name, id FROM `{name}`.region"):
            e.rows[row["name"]] = e.rows.get(row["name"], 0) + 1
            e.ids.setdefault(row["name"], set()).add(row["id"])
        e.tasks = {r["id"]: Task(r["id"], ("RUNNING", "SUCCESSFUL", "FAILED")[r["status"]], r["status"] != 0)
                   for r in self.metadb.sql(f"SELECT id, status FROM `{name}`.task")}
        e.effects = self.effects()
        e.stopped_by_fence = sum(n.server.log.read_text(errors="replace").count('msg="a newer leader has taken over"') for n in self.nodes)
        e.fence = [r["epoch"] for r in self.metadb.sql(f"SELECT epoch FROM `{name}`.leader_fence")]
        if isinstance(self.metadb, Metadb):
            self.metadb.sql("FLUSH BINARY LOGS")
            e.commits = binlog.read(self.metadb.binlogs(), name)
        return e

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self.clients:
            each.finish()
        for watch in self.watches:
            watch.finish()
        self.stack.close()


class Cluster(OcpCluster):
    """Each node on its host, with `libraries` preloaded and `environment` for all of them."""

    def __init__(self, database, hosts, balancer, settings, libraries=(), environment=None, small=False):
        self.small = small                   # each data_dir is a small file system
        self.hosts, self.libraries, self.environment = hosts, libraries, environment or {}
        super().__init__(database, len(hosts), {"drain.lb_wait": "2s", "http.trusted_proxies": balancer, **(settings or {})})

    def new_node(self):
        host = self.hosts[len(self.nodes)]
        node = OcpServer(self.database, name=host.name, host=host.address, environment=dict(self.environment),
                         settings={"node.name": f"node{len(self.nodes) + 1}", "http.allow_cleartext": "true", **self.settings})
        node.before = host.words
        if self.small:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m,mode=700", "tmpfs", node.data], check=True, timeout=60)
            os.chown(node.data, node.account.pw_uid, node.account.pw_gid)
        if self.libraries:                   # into the server alone: what changes accounts before it has other rights
            node.program = node.directory / "ocp-server"
            first = re.findall(r"=> (\S*lib[at]san\S*)", subprocess.run(["ldd", binary()], capture_output=True, text=True).stdout)
            node.program.write_text(f'#!/bin/sh\nLD_PRELOAD={":".join(map(str, [*first, *self.libraries]))} exec {binary()} "$@"\n')
            node.program.chmod(0o755)
        node.environment.update(FAULTDISK_FILE=str(node.directory / "faultdisk"), FAULTDISK_DIR=str(node.data),
                                FAKETIME_TIMESTAMP_FILE=str(node.directory / "faketime"))
        order(node.directory / "faultdisk", "")
        order(node.directory / "faketime", "+0")
        self.nodes.append(node)
        return node

    def __exit__(self, *_):
        self.close()
        for node in self.nodes if self.small else ():
            subprocess.run(["umount", "--lazy", node.data], check=True, timeout=60)


class Node:
    """A node of ocp-server on its host, with what can be done to it."""

    def __init__(self, number, host, server):
        self.number, self.host, self.server = number, host, server
        self.is_disk_broken = False          # so that it may end with status 70, now or when another fault meets this one

    def __repr__(self):
        return f"node {self.number}"

    def kill(self):
        self.server.kill()

    def pause(self):
        self.server.pause()

    def resume(self):
        self.server.resume()

    def start(self):
        self.server.launch()

    def restart(self):
        """As a person would: SIGTERM, wait, start, wait."""
        self.server.stop()
        self.server.start()

    def terminate(self):
        self.server.signal(signal.SIGTERM)

    def disk(self, what):
        """slow MS, hang, fail or nothing."""
        order(self.server.directory / "faultdisk", what)
        self.is_disk_broken = what in ("hang", "fail") or self.is_disk_broken and what != ""

    def jump(self, seconds):
        """Its wall clock is off by that much from now on."""
        order(self.server.directory / "faketime", f"{seconds:+d}")

    def death(self):
        """What is to be said when it has ended without a reason that is known here, or a sanitizer has reported."""
        reports = self.server.sanitizer_reports()
        if reports:
            return f"{self}: {reports[-2000:]}"
        if self.server.is_alive() or self.server._expected_death or self.is_disk_broken and self.server.process.returncode == 70:
            return None
        return f"{self} ended with status {self.server.process.returncode}: {self.server.tail(5)}"

    def wipe(self):
        """Its disk is lost, but for the master key, of which there are copies."""
        for name in ("raft", "peer"):
            shutil.rmtree(self.server.data / name, ignore_errors=True)

    def exchange(self, aside, other):
        """What it has on its disk of its cluster goes `aside`, and what is in the folder `other` takes its place."""
        for name in ("raft", "peer"):
            shutil.move(self.server.data / name, aside / name)
            shutil.move(other / name, self.server.data / name)
        if self.server.account is not None:
            run("chown", "-R", f"{self.server.account.pw_uid}:{self.server.account.pw_gid}", self.server.data)

    def refused(self):
        """What it says when it does not start."""
        self.server.launch()
        self.server.process.wait(30)
        self.server._expected_death = True
        return self.server.process.output()

    def fill(self):
        """Not a byte is free on its disk."""
        with open(self.server.data / "ballast", "wb") as f:
            with contextlib.suppress(OSError):
                while True:
                    f.write(b"\0" * 65536)
                    f.flush()

    def empty(self):
        (self.server.data / "ballast").unlink(missing_ok=True)

    def heal(self):
        self.empty()
        self.disk("")
        self.jump(0)
        if self.server.is_alive():
            self.server.resume()
        else:
            self.server.launch()


class Balancer:
    """HAProxy in front of nodes, (name, address, port) each, as packaging/haproxy has it unless `nodes` is another section."""

    def __init__(self, host, servers, nodes=None):
        self.host, self._port = host.address, Port()
        self.before, self.directory = host.words, new_dir("haproxy", mode=0o755)
        text = nodes or (CHECKOUT / "packaging" / "haproxy" / "ocp-server.cfg").read_text(encoding="utf-8")
        text = re.sub(r"(?m)^    server ocp\d .*\n", "", text).replace("bind :8080", f"bind {self.host}:{self.port}")
        lines = "".join(f"    server {name} {address}:{port}\n" for name, address, port in servers)
        (self.directory / "haproxy.cfg").write_text(f"global\n    log stdout format raw local0\n{text.rstrip()}\n{lines}")
        self.start()

    def start(self):
        self.process = Child(["haproxy", "-db", "-f", self.directory / "haproxy.cfg"], self.directory / "log", before=self.before)

    def kill(self):
        self.process.kill()

    @property
    def port(self):
        return int(self._port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self._port.release()
