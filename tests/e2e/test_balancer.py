# SPDX-License-Identifier: Apache-2.0
"""Three nodes behind the HAProxy and the nginx of packaging/: a node that dies or is stopped costs no call that is sent twice at most."""
import contextlib
import itertools
import socket

import pytest

from lib.py.api import Api
from lib.py.api2 import Api2
from lib.py.callers import Callers
from lib.py.haproxy import HAProxy
from lib.py.nginx import Nginx
from lib.py.ocpcluster import OcpCluster
from lib.py.process import new_dir, unprivileged, wait_until
from lib.py.server import ADMIN
from lib.py.tls import CertificateAuthority

REGIONS = "/api/v2/compute/regions"
SETTINGS = {"http.trusted_proxies": "127.0.0.0/8", "drain.lb_wait": "2s"}


class Behind:
    """A cluster and what stands before it."""

    def __init__(self, cluster, proxy, ca_file=None):
        self.cluster, self.proxy, self.ca_file = cluster, proxy, ca_file

    def api(self, kind=Api):
        direct = self.cluster.api(0)
        return kind(self.proxy.host, self.proxy.port, ADMIN, direct.password, self.ca_file)

    def addresses(self):
        return [f"{n.host}:{n.port}" for n in self.cluster.nodes]

    def name(self, node):
        return f"ocp{self.cluster.nodes.index(node) + 1}"


def nodes_of(cluster):
    return {f"10.0.0.{n}:8080": f"{node.host}:{node.port}" for n, node in enumerate(cluster.nodes, 1)}


@pytest.fixture(scope="module")
def cluster(mariadb_server):
    database = mariadb_server.create_database("balanced")
    with OcpCluster(database, settings=SETTINGS) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def haproxy(cluster):
    with HAProxy("ocp-server.cfg", {"bind :8080": "bind 127.0.0.1:PORT", **nodes_of(cluster)}) as proxy:
        yield Behind(cluster, proxy)


@pytest.fixture(scope="module")
def nginx(cluster):
    with Nginx(nodes_of(cluster)) as proxy:
        yield Behind(cluster, proxy)


@pytest.fixture(scope="module")
def haproxy_tls(mariadb_server):
    """Nodes with TLS behind an HAProxy with TLS."""
    folder = new_dir("balancer-tls", unprivileged(), 0o755)
    authority = CertificateAuthority(folder, account=unprivileged())
    cert, key = authority.issue("ocp", ("ocp", *(f"127.0.0.{n}" for n in (1, 2, 3))))
    both = folder / "both.pem"
    both.write_text(cert.read_text() + key.read_text())
    both.chmod(0o644)
    tls = {"http.tls.certificate": cert, "http.tls.key": key, "http.allow_cleartext": None}
    database = mariadb_server.create_database("balanced_tls")
    with OcpCluster(database, settings={**SETTINGS, **tls}, ca_file=authority.ca) as nodes, HAProxy("ocp-server-tls.cfg", {
            "bind :443": "bind 127.0.0.1:PORT", "/etc/haproxy/ocp.pem": both, "/etc/haproxy/ocp-ca.pem": authority.ca, **nodes_of(nodes)}) as proxy:
        yield Behind(nodes, proxy, authority.ca)


@pytest.fixture(params=["haproxy", "haproxy_tls"])
def balanced(request):
    return request.getfixturevalue(request.param)


def whole(behind):
    """All nodes take part again."""
    for node in behind.cluster.nodes:
        if not node.is_alive():
            node.start()
        behind.proxy.wait_status(behind.name(node), "UP")


numbers = itertools.count(1)


@pytest.fixture
def callers(balanced):
    """Clients of both protocols that may send a call twice; what failed in the end fails the test."""
    whole(balanced)
    number = next(numbers)
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(Callers(lambda k=kind: balanced.api(k), threads=3, attempts=2, prefix=f"{name}-{number}"))
                   for name, kind in (("one", Api), ("two", Api2))]
        yield running
    for group in running:
        print(group.check(balanced.api()))
        assert group.failed == []


def go_on(callers, n=40):
    for group in callers:
        group.wait_calls(n)


def test_both_protocols_reach_all_nodes(balanced):
    whole(balanced)
    before = {name: int(row["stot"]) for name, row in balanced.proxy.servers().items()}
    for kind in (Api, Api2):
        api = balanced.api(kind)
        for _ in range(12):
            api.get(REGIONS).ok()
        api.close()
    assert all(int(row["stot"]) > before[name] for name, row in balanced.proxy.servers().items())


def test_the_nodes_know_the_true_client(haproxy):
    with socket.create_connection((haproxy.proxy.host, haproxy.proxy.port), source_address=("127.0.0.77", 0)) as s:
        api = haproxy.api()
        api._local.connection = api._connect()     # pylint: disable=protected-access
        api._local.connection.sock = s             # pylint: disable=protected-access
        api.post("/api/v2/iam/login", {"username": ADMIN, "password": api.password}).ok()
    addresses = [r["clientIp"] for r in haproxy.api().get("/api/v2/iam/loginHistories", {"size": 20}).contents]
    assert "127.0.0.77" in addresses, addresses


def test_a_node_is_killed(balanced, callers):
    for victim in (balanced.cluster.leader(), balanced.cluster.followers()[0]):
        go_on(callers)
        victim.kill()
        balanced.proxy.wait_status(balanced.name(victim), "DOWN")
        go_on(callers)
        whole(balanced)


def test_a_node_hangs(balanced, callers):
    victim = balanced.cluster.followers()[0]
    go_on(callers)
    victim.pause()
    balanced.proxy.wait_status(balanced.name(victim), "DOWN")
    go_on(callers)
    victim.resume()
    balanced.proxy.wait_status(balanced.name(victim), "UP")
    go_on(callers)


def test_each_node_is_restarted_in_turn(balanced, callers):
    for node in balanced.cluster.nodes:
        go_on(callers)
        node.restart()
        balanced.proxy.wait_status(balanced.name(node), "UP")
    go_on(callers)
    assert [c for group in callers for c in group.repeated] == [], "a planned restart needs no second try"


def test_what_runs_on_a_node_that_is_stopped_may_finish(haproxy):
    """The balancer gives it nothing new, and does not cut it off either."""
    whole(haproxy)
    node = haproxy.cluster.followers()[0]
    others = [haproxy.name(n) for n in haproxy.cluster.nodes if n is not node]
    for other in others:
        haproxy.proxy.command(f"set server ocp_nodes/{other} state drain")
    api = haproxy.api()
    body = b'{"name": "begun before the stop"}'
    with socket.create_connection((haproxy.proxy.host, haproxy.proxy.port), timeout=30) as s:
        head = api._payload({})[1]                 # pylint: disable=protected-access
        s.sendall((f"POST {REGIONS} HTTP/1.1\r\nHost: ocp\r\nAuthorization: {head['Authorization']}\r\nContent-Type: application/json\r\n"
                   f"Content-Length: {len(body)}\r\n\r\n").encode() + body[:10])
        wait_until(lambda: int(haproxy.proxy.servers()[haproxy.name(node)]["scur"]) > 0, "the node has the call")
        for other in others:
            haproxy.proxy.command(f"set server ocp_nodes/{other} state ready")
        node.signal(15)
        haproxy.proxy.wait_status(haproxy.name(node), "NOLB")
        s.sendall(body[10:])
        assert s.recv(100).startswith(b"HTTP/1.1 200 ")
    node.stop()
    whole(haproxy)


def test_nginx(nginx):
    """It learns from failures alone, and still no call is lost that is sent again once; with a key it is nginx that sends it again."""
    for node in nginx.cluster.nodes:
        if not node.is_alive():
            node.start()
    with Callers(lambda: nginx.api(Api), threads=4, attempts=2, prefix="nginx") as callers:
        for victim in (nginx.cluster.leader(), nginx.cluster.followers()[0]):
            callers.wait_calls(40)
            victim.kill()
            callers.wait_calls(40)
            victim.start()
        for node in nginx.cluster.nodes:
            callers.wait_calls(40)
            node.restart()
        callers.wait_calls(40)
    print(callers.check(nginx.api()))
    assert callers.failed == []
