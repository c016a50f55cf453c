# SPDX-License-Identifier: Apache-2.0
"""How long it takes until somebody else leads, and what clients feel of it: ocp-server beside etcd under the same driver.

Three nodes each, on hosts of their own (tests/chaos/net.py), HAProxy in front. Both have an election timeout of 1000 ms and heartbeats every
100 ms. Two clients write all the time, one through HAProxy and one with a list of the nodes. A new leader of ocp-server is one that says 200 to
/leader, which it does once it may write; one of etcd is one that names itself in its status.
"""
import datetime
import http.client
import json
import pathlib
import re
import statistics
import time

from lib.py.process import Child, Port, new_dir, wait_until

from chaos import client
from chaos.history import History, longest_gap
from chaos.watch import Watch
from chaos.world import Balancer, World

TICK = 100                          # clock ticks a second, in /proc/PID/stat
REST = 1.2                          # seconds between two rounds
LOOK = 0.002                        # seconds between two looks at each node
RATE = 100                          # calls a second of each client
ETCD_SECTIONS = """
defaults
    mode http
    timeout connect 2s
    timeout check 2s
    timeout client 75s
    timeout server 75s
frontend etcd
    bind :8080
    default_backend members
backend members
    balance leastconn
    option httpchk GET /health
    http-check expect status 200
    retries 2
    option redispatch 1
    default-server check inter 1s fastinter 200ms downinter 1s fall 2 rise 2 on-marked-down shutdown-sessions
"""


class Ours:
    """Three nodes of ocp-server."""

    name = "ocp-server"
    goals = {"kill": 300, "planned restart": 60}

    def __init__(self):
        self.world = World(3, settings={"drain.lb_wait": "1s"})
        self.nodes, self.watches, self.history, self.net = self.world.nodes, self.world.watches, self.world.history, self.world.net
        self.leader, self.heal = self.world.leader, self.world.heal
        self.clients = []

    def begin(self):
        self.world.observe(LOOK)
        self.clients = [self.world.client(kind, client.creating, kind == "balanced", RATE) for kind in ("balanced", "list")]

    def restart(self, node):
        node.terminate()

    @staticmethod
    def between(former, new):
        """Seconds from the former leader's last moment to the new one's first, by their logs."""
        return logged(new, r'msg="leads" part=leadership') - logged(former, r'msg="leads no more"')

    def settle(self):
        self.world.settle()
        self.world.ready()

    def pid(self, node):
        return node.server.pid

    def lives(self, node):
        return node.server.is_alive()

    def close(self):
        self.world.__exit__()


def logged(node, what):
    """When the node said so last: seconds since the epoch."""
    found = re.findall(rf"(?m)^time=(\S+)Z level=info {what}", node.server.log.read_text(encoding="utf-8", errors="replace"))
    return datetime.datetime.fromisoformat(found[-1]).timestamp()


class EtcdWatch(Watch):
    """etcd's leader names itself."""

    def ask(self):
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=1, source_address=(self.source, 0))
            self._connection.request("POST", "/v3/maintenance/status", b"{}")
            said = json.loads(self._connection.getresponse().read())
            return 200 if said.get("leader") == said["header"]["member_id"] else 503
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            return None


class EtcdNode:
    """One member; `server` is itself, as the clients and the load balancer want it."""

    def __init__(self, number, host):
        self.number, self.host_of, self.port, self.peer = number, host, int(Port()), int(Port())
        self.folder, self.server, self.child = new_dir("etcd"), self, None

    @property
    def host(self):
        return self.host_of.address

    def url(self, port):
        return f"http://{self.host}:{port}"

    def start(self, members):
        self.child = Child(["etcd", "--name", f"n{self.number}", "--data-dir", self.folder / "data", "--listen-client-urls", self.url(self.port),
                            "--advertise-client-urls", self.url(self.port), "--listen-peer-urls", self.url(self.peer),
                            "--initial-advertise-peer-urls", self.url(self.peer), "--initial-cluster", members, "--heartbeat-interval", "100",
                            "--election-timeout", "1000", "--log-level", "error"], self.folder / "log", before=self.host_of.words)
        return self

    def is_alive(self):
        return self.child is not None and self.child.is_alive()

    def kill(self):
        self.child.kill()

    def pause(self):
        self.child.pause()

    def resume(self):
        self.child.resume()


class Etcd:
    """Three members of etcd."""

    name = "etcd"
    goals = {}

    def __init__(self, net):
        self.net, self.history = net, History()
        self.nodes = [EtcdNode(i, net.host(f"e{i}")) for i in (1, 2, 3)]
        self.members = ",".join(f"n{n.number}={n.url(n.peer)}" for n in self.nodes)
        for node in self.nodes:
            node.start(self.members)
        self.watches, self.clients = [], []
        self.balancer = Balancer(net.host("elb"), [(f"e{n.number}", n.host, n.port) for n in self.nodes], ETCD_SECTIONS)

    def begin(self):
        self.watches = [EtcdWatch(n, n.number, self.history, self.net.observer, LOOK) for n in self.nodes]
        source = self.net.client if self.net.real else None
        lists = {"balanced": [(self.balancer.host, self.balancer.port)], "list": [(n.host, n.port) for n in self.nodes]}
        self.clients = [client.Client(kind, self.history, ends, None, self.putting, source, RATE) for kind, ends in lists.items()]
        for c in self.clients:
            c.start()

    @staticmethod
    def putting(c):
        c.number += 1
        return "create", f"{c.name}-{c.number}", "POST", "/v3/kv/put", {"key": "YmVuY2g=", "value": "dmFsdWU="}

    def leader(self, but=None, timeout=60):
        return wait_until(lambda: next((n for n in self.nodes if n is not but and n.is_alive() and self.watches[n.number - 1].leads), None), "a leader", timeout)

    def heal(self):
        self.net.heal()
        for node in self.nodes:
            if node.is_alive():
                node.resume()
            else:
                node.start(self.members)

    def settle(self):
        wait_until(lambda: all(w.leads is not None for w in self.watches) and sum(w.leads for w in self.watches) == 1, "one leader of etcd", 60)

    def restart(self, node):
        node.child.signal(15)

    def between(self, former, new):
        last = max(look.end for look in list(self.history.looks) if look.node == former.number and look.leads)
        return max(0.0, self.watches[new.number - 1].since - last)

    def pid(self, node):
        return node.child.pid

    def lives(self, node):
        return node.is_alive()

    def close(self):
        for c in self.clients:
            c.finish()
        for w in self.watches:
            w.finish()
        for node in self.nodes:
            node.child.kill()
        self.balancer.kill()


def pause_of(cluster, former, begin):
    """Seconds from `begin` to when another one than `former` says that it leads."""
    new = cluster.leader(former)
    return cluster.watches[new.number - 1].since - begin


def kill(cluster, leader):
    begin = time.monotonic()
    leader.kill()
    return pause_of(cluster, leader, begin)


def pause(cluster, leader):
    begin = time.monotonic()
    leader.pause()
    took = pause_of(cluster, leader, begin)
    leader.resume()
    return took


def planned_restart(cluster, leader):
    """SIGTERM; counted is the time in which nobody leads. A node that is stopped serves no more calls while it still leads, so ocp-server's own
    log tells, and etcd's status."""
    cluster.restart(leader)
    new = cluster.leader(leader)
    wait_until(lambda: not cluster.lives(leader), "the former leader has ended", 60)
    return cluster.between(leader, new)


def cut_off(cluster, leader):
    begin = time.monotonic()
    cluster.net.isolate(leader.host_of if isinstance(leader, EtcdNode) else leader.host)
    return pause_of(cluster, leader, begin)


ROUNDS = {"kill": kill, "pause": pause, "planned restart": planned_restart, "network cut-off": cut_off}


def one(cluster, kind):
    """(seconds to the new leader, per client: calls failed, tries failed, longest gap)."""
    leader = cluster.leader()
    begin = time.monotonic()
    took = ROUNDS[kind](cluster, leader)
    time.sleep(0.5)                  # clients come to their next calls
    cluster.heal()
    cluster.settle()
    time.sleep(REST)
    end = time.monotonic()
    felt = {}
    for c in cluster.clients:
        calls = [x for x in list(cluster.history.calls) if x.client == c.name and begin <= x.end <= end]
        felt[c.name] = (sum(x.outcome != "ok" for x in calls), sum(len(x.tries) - 1 for x in calls), longest_gap(calls, begin, end))
    del cluster.history.looks[:-2000]
    return took, felt


def spread(values):
    values = sorted(values)
    return {"min": values[0], "median": statistics.median(values), "p95": values[min(len(values) - 1, int(len(values) * 0.95))], "max": values[-1]}


def rounds(cluster, kind, n):
    took, felt = [], []
    for _ in range(n):
        seconds, by = one(cluster, kind)
        took.append(seconds * 1000)
        felt.append(by)
    row = {k: round(v, 1) for k, v in spread(took).items()}
    for name in ("balanced", "list"):
        row[f"{name}_calls_failed"] = sum(f[name][0] for f in felt)
        row[f"{name}_tries_repeated"] = sum(f[name][1] for f in felt)
        row[f"{name}_longest_gap_ms"] = round(max(f[name][2] for f in felt) * 1000, 1)
    return row


def pss_kb(pid):
    return int(re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M).group(1))


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def idle(cluster, window):
    """Memory and processor of each node while nobody calls and nobody looks."""
    time.sleep(5)
    before = [cpu_seconds(cluster.pid(n)) for n in cluster.nodes]
    time.sleep(window)
    used = [(cpu_seconds(cluster.pid(n)) - b) / window * 100 for n, b in zip(cluster.nodes, before)]
    return {"pss_mb": [round(pss_kb(cluster.pid(n)) / 1024, 1) for n in cluster.nodes], "cpu_percent": [round(u, 2) for u in used]}


def measure(counts, window, report):
    """`counts`: rounds of each kind; `report` gets a dict for each line. ocp-server first, etcd on further hosts of the same network."""
    net = None
    for make in (Ours, lambda: Etcd(net)):
        cluster = make()
        net = cluster.net
        try:
            report({"name": "failover_idle", "of": cluster.name, "goal_pss_mb": 20, "goal_cpu_percent": 0.5, **idle(cluster, window)})
            cluster.begin()
            cluster.settle()
            for kind, n in counts.items():
                if n > 0:
                    report({"name": f"failover_{kind.replace(' ', '_')}", "unit": "ms", "of": cluster.name, "rounds": n,
                            "goal_median": cluster.goals.get(kind), **rounds(cluster, kind, n)})
        finally:
            cluster.close()
