# SPDX-License-Identifier: Apache-2.0
"""Any node answers any call: what only the leader can do is forwarded to it in one hop, as the client sent it, or refused at once."""
import concurrent.futures
import contextlib
import json
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest

from lib.py import rpm
from lib.py.ocpcluster import OcpCluster, query
from lib.py.process import wait_until
from lib.py.session import Session
from lib.py.upload import PACKAGES, upload

from e2e.test_accesskey import program_of

CLUSTER = "/api/v2/ocp/cluster"                # of the leader, where there is one
TRANSFER = "/api/v2/ocp/leader/transfer"       # of the leader alone
NOBODY = {"nodeId": 77}                        # only a leader can tell that there is none such; nothing is changed by that


@pytest.fixture
def cluster(metadb):
    """Three nodes, one of which leads."""
    with OcpCluster(metadb, settings={"http.trusted_proxies": "127.0.0.0/8"}) as running:
        leads(running)
        yield running


CLIENT = {"X-Forwarded-For": "198.51.100.7"}   # as a load balancer says, which the nodes trust


def at(cluster, node):
    return cluster.api(cluster.nodes.index(node))


def leads(cluster, but=None):
    """The node that says that it leads, once one does and the others know it."""
    def said():
        leaders = [n for n in cluster.nodes if n.is_alive() and n is not but and n.probe("/leader") == 200]
        if len(leaders) != 1:
            return None
        known = {health(n).get("leader") for n in cluster.nodes if n.is_alive() and n is not but}
        return leaders[0] if known == {health(leaders[0])["id"]} else None
    return wait_until(said, "one node leads, and the others know it")


def health(node):
    connection = node.api("nobody", "x").anonymous()
    return connection.get("/health").json


def test_what_is_uploaded_to_one_is_there_for_all(cluster):
    leader = leads(cluster)
    first, second = [n for n in cluster.nodes if n is not leader]
    data = rpm.build("oceanbase-ce", "4.2.1.0", "1.el7", payload=b"not much " * 300000)
    made = upload(at(cluster, first), data, "oceanbase.rpm").data
    for node in cluster.nodes:
        assert at(cluster, node).get(made["downloadUrl"]).body == data
        upload(at(cluster, node), data, "again.rpm").refused(409, 7512)
    at(cluster, second).delete(f"{PACKAGES}/{made['id']}").ok()
    assert at(cluster, leader).get(PACKAGES).contents == []


def test_every_node_answers_for_the_leader(cluster):
    leader = leads(cluster)
    number = health(leader)["id"]
    for node in cluster.nodes:
        answer = at(cluster, node).get(CLUSTER).ok()
        assert answer.data["leaderId"] == number and answer.data["active"] is True and answer.data["lastIndex"] > 0
        followers = [m for m in answer.data["members"] if m["id"] != number]
        assert sorted(m["id"] for m in followers) == sorted(health(n)["id"] for n in cluster.nodes if n is not leader)
        assert all(m["connected"] and m["seenTime"] and m["match"] > 0 for m in followers), "as the leader sees them"
        assert answer.json["server"] == leader.extra["node.name"], "the answer is the leader's, as it came"
    follower = cluster.followers()[0]
    forwarded = re.findall(r"^ocp_http_forwarded_total\{.*\} (\d+)", at(cluster, follower).get("/metrics").body.decode(), re.M)
    assert sum(map(int, forwarded)) >= 1
    roles = sorted(n.probe("/leader") for n in cluster.nodes), sorted(n.probe("/replica") for n in cluster.nodes)
    assert roles == ([200, 503, 503], [200, 200, 503])
    members = at(cluster, cluster.followers()[0]).get("/members").contents
    assert len(members) == 3 and [m["id"] for m in members if m["leader"]] == [number]


def test_errors_and_credentials_go_the_same_way(cluster):
    follower = cluster.followers()[0]
    api = at(cluster, follower)
    api.anonymous().get(CLUSTER).refused(401)
    api.as_user("admin", "Wrong-1234").get(CLUSTER, headers=CLIENT).refused(401)
    tries = query(cluster.database, "SELECT client_ip FROM login_history WHERE succeeded = 0")
    assert [t["client_ip"] for t in tries] == ["198.51.100.7"], "a wrong password is counted once, for the true client"
    refused = api.post(TRANSFER, {"nodeId": 77})
    assert 400 <= refused.status < 500 and "77" in refused.json["error"]["message"]
    chinese = api.post(TRANSFER, {"nodeId": 77}, headers={"Accept-Language": "zh-CN"})
    assert chinese.json["error"]["message"] != refused.json["error"]["message"], "the language goes along"
    assert "nodeId" in api.post(TRANSFER, {"nodeId": "seventy"}).json["error"]["message"]


def test_audit_and_log_tell_the_true_user_and_client(cluster):
    follower = cluster.followers()[0]
    leader = leads(cluster)
    heir = next(n for n in cluster.nodes if n not in (leader, follower))
    answer = at(cluster, follower).post(TRANSFER, {"nodeId": health(heir)["id"]}, headers=CLIENT).ok()
    assert leads(cluster) is heir and answer.data == {"fromNodeId": health(leader)["id"], "toNodeId": health(heir)["id"]}
    rows = wait_until(lambda: query(cluster.database, "SELECT * FROM audit_event WHERE operation = 'ocp-leader-transfer'"), "it is audited")
    assert len(rows) == 1, "by the leader alone"
    assert rows[0]["username"] == "admin" and rows[0]["client_ip"] == "198.51.100.7" and rows[0]["trace"] == answer.json["traceId"]
    forged = at(cluster, follower).post(TRANSFER, {"nodeId": health(leader)["id"]},
                                        headers={"X-Forwarded-Node": "node9", "X-Forwarded-Trace": "f" * 16}).ok()
    rows = query(cluster.database, "SELECT client_ip, trace FROM audit_event WHERE operation = 'ocp-leader-transfer' ORDER BY started_at DESC LIMIT 1")
    assert rows[0]["client_ip"] == "127.0.0.1" and rows[0]["trace"] == forged.json["traceId"] != "f" * 16, "only a node's word counts"


def test_one_key_acts_once_on_whatever_node(cluster):
    leader = leads(cluster)
    heir = next(n for n in cluster.nodes if n is not leader)
    key = {"Idempotency-Key": "transfer-once-123"}
    body = {"nodeId": health(heir)["id"]}
    first = at(cluster, cluster.followers()[-1]).post(TRANSFER, body, headers=key).ok()
    leads(cluster, but=leader)
    for node in cluster.nodes:
        assert at(cluster, node).post(TRANSFER, body, headers=key).ok().data == first.data
    assert leads(cluster) is heir


REGIONS = "/api/v2/compute/regions"


def test_a_key_of_a_node_that_was_killed_in_the_middle(cluster, mariadb_server):
    """Nothing was changed yet: whoever gets the repetition does it, at once, once. Something was changed: the repetition is told so."""
    database = cluster.database.name
    victim, other = cluster.followers()
    key, body = {"Idempotency-Key": "killed-in-the-middle"}, {"name": "once-more"}
    in_the_way = mariadb_server.connect(autocommit=False, database=database)
    with in_the_way.cursor() as cursor:
        cursor.execute("INSERT INTO region VALUES (-1, 'once-more', '', NOW(6), NOW(6))")
        hasty = at(cluster, victim).as_user("admin", cluster.api(0).password)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            lost = pool.submit(hasty.post, REGIONS, body, headers=key)
            wait_until(lambda: query(cluster.database, "SELECT 1 FROM idempotency WHERE request_key = 'killed-in-the-middle'"), "the key is claimed")
            at(cluster, other).post(REGIONS, body, headers=key).refused(409, 90103)
            victim.kill()
            with pytest.raises(OSError):
                lost.result()
    in_the_way.rollback()
    in_the_way.close()

    def again(name):
        reply = at(cluster, other).post(REGIONS, {"name": name}, headers=key)
        return None if reply.status == 409 and reply.json["error"]["code"] == 90103 else reply
    made = wait_until(lambda: again("once-more"), "the dead node's key is taken over").ok().data
    assert at(cluster, other).post(REGIONS, body, headers=key).ok().data == made
    assert [r["id"] for r in query(cluster.database, "SELECT id FROM region WHERE name = 'once-more'")] == [made["id"]]
    query(cluster.database, "UPDATE idempotency SET done = 0, node_id = 0, node = 'gone', node_started_at = NOW(6) "
                            "WHERE request_key = 'killed-in-the-middle'")
    told = at(cluster, other).post(REGIONS, body, headers=key)
    told.refused(409, 90108, naming="gone")


def test_a_signed_request_verifies_at_the_leader(cluster):
    """The signature covers method, target with its query, Host, Date, Content-Type and body: all of them arrive as they were sent."""
    leader = leads(cluster)
    follower = cluster.followers()[0]
    program = program_of(follower, at(cluster, follower))
    status, data = program.call("GET", CLUSTER)
    assert status == 200 and data["leaderId"] == health(leader)["id"]
    assert program.call("GET", f"{CLUSTER}?b=%20two&a=%E4%B8%AD&c=")[0] == 200
    heir = next(n for n in cluster.nodes if n not in (leader, follower))
    body = json.dumps({"nodeId": health(heir)["id"]}).encode()
    status, data = program.call("POST", TRANSFER, body, {"Content-Type": "application/json", "x-ocp-purpose": "a  test"})
    assert status == 200 and data["toNodeId"] == health(heir)["id"]
    program.key = {**program.key, "secretKey": "x" * 32}
    assert program.call("GET", CLUSTER) == (401, 90312)


def test_a_console_session_works_on_every_node(cluster):
    one, two = cluster.followers()
    session = Session(one.host, one.port)
    session.log_in("admin", cluster.api(0).password).ok()
    session.host, session.port = two.host, two.port      # the load balancer sends it elsewhere
    assert session.get(CLUSTER).ok().data["active"] is True
    session.post(TRANSFER, {}, csrf="wrong").refused(403)
    session.post(TRANSFER, {}).ok()


def test_a_leader_that_is_stopped_in_order_costs_no_call(cluster):
    """It hands leadership over while it still answers, however long its own clients take."""
    leader = leads(cluster)
    follower = cluster.followers()[0]
    api = at(cluster, follower)
    number = api.get(CLUSTER).data["leaderId"]
    with socket.create_connection((leader.host, leader.port)) as slow:
        slow.sendall(b"POST /api/v2/iam/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{")   # a client that does not finish
        leader.signal(signal.SIGTERM)
        answers = []

        def moved():
            answers.append(api.post(TRANSFER, NOBODY))
            return answers[-1].status == 404 and api.get(CLUSTER).data.get("leaderId") not in (number, None)
        wait_until(moved, "another node answers")
        assert leader.is_alive(), "it still waits for its client"
        failed = [a for a in answers if a.status != 404]
        assert all(a.headers["retry-after"] == "1" for a in failed)
    wait_until(lambda: not leader.is_alive(), "it ends")


def test_no_leader_is_said_at_once(cluster):
    survivor, *others = cluster.followers() + [leads(cluster)]
    api = at(cluster, survivor)
    api.post(TRANSFER, NOBODY).refused(404)
    for node in others:
        node.kill()

    def refused():
        began = time.monotonic()
        answer = api.post(TRANSFER, NOBODY)
        assert time.monotonic() - began < 20, "within the request's deadline"
        assert answer.status == 503 and answer.headers["retry-after"] == "1" and answer.json["successful"] is False
        return "No node leads" in answer.json["error"]["message"]
    wait_until(refused, "the node knows that nobody leads")
    api.get("/api/v2/compute/regions").ok()
    assert survivor.probe("/readyz") == 200 and survivor.probe("/leader") == 503 and survivor.probe("/replica") == 503
    for node in others:
        node.start()
    leads(cluster)
    wait_until(lambda: api.post(TRANSFER, NOBODY).status == 404, "and finds the next")


def test_a_leader_that_is_stopped_holds_nobody_up(cluster):
    leader = leads(cluster)
    follower = cluster.followers()[0]
    api = at(cluster, follower)
    api.get(CLUSTER).ok()           # there is a connection to it
    leader.pause()
    try:
        began = time.monotonic()
        answer = api.post(TRANSFER, NOBODY)
        assert answer.status == 503 and answer.headers["retry-after"] == "1"
        assert time.monotonic() - began < 15, "not until the deadline of 30 s"
        successor = leads(cluster, but=leader)
        wait_until(lambda: api.post(TRANSFER, NOBODY).status == 404, "the next one answers")
        assert api.get(CLUSTER).data["leaderId"] == health(successor)["id"]
    finally:
        leader.resume()
    leads(cluster)


# -- who may call a node ---------------------------------------------------------------------------------------------------


def peer_request(cluster, node, certificate, target, headers=(), method="GET"):
    """One HTTP/1.1 request to a node's peer port with a certificate; the status line and body, None when it is refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(node.data / "peer" / "authority.crt")
    if certificate is not None:
        context.load_cert_chain(certificate)
    try:
        with socket.create_connection((node.host, node.peer_port), timeout=30) as raw, context.wrap_socket(raw) as tls:
            lines = [f"{method} {target} HTTP/1.1", "Host: x", "Connection: close", *headers, "", ""]
            tls.sendall("\r\n".join(lines).encode())
            answer = b"".join(iter(lambda: tls.recv(65536), b""))
    except (OSError, ssl.SSLError):
        return None
    head, _, body = answer.partition(b"\r\n\r\n")
    return (int(head.split()[1]), body) if head else None


def test_the_peer_port_answers_members_alone(cluster):
    one, two, _ = cluster.nodes
    own = two.data / "peer" / "node.pem"
    status, body = peer_request(cluster, one, own, "/peer/state")
    said = json.loads(body)
    assert status == 200 and said.pop("ago") >= 0 and said == {"node": health(one)["id"], "metadb": True}
    assert peer_request(cluster, one, own, "/api/v2/compute/regions")[0] == 401, "a node is no user"
    assert peer_request(cluster, one, None, "/peer/state") is None
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=x", "-addext",
                    "subjectAltName=URI:ocp-node:00000000000000000000000000000000:1", "-keyout", one.directory / "k.pem", "-out", one.directory / "c.pem"],
                   check=True, capture_output=True)
    stranger = one.directory / "both.pem"
    stranger.write_text((one.directory / "c.pem").read_text() + (one.directory / "k.pem").read_text())
    assert peer_request(cluster, one, stranger, "/peer/state") is None
    assert at(cluster, one).get("/peer/state").status == 404, "on the port of the API there is no such thing"


def test_a_forwarded_call_is_not_forwarded_again(cluster):
    follower, other = cluster.followers()
    status, body = peer_request(cluster, follower, other.data / "peer" / "node.pem", TRANSFER, ["X-Forwarded-Node: other", "Content-Length: 0"], "POST")
    assert status == 503 and "No node leads" in json.loads(body)["error"]["message"]


# -- MetaDB away -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def apart(new_mariadb, new_proxy):
    """Three nodes, each of which reaches MetaDB through a proxy of its own."""
    server = new_mariadb()
    database = server.create_database("metadb")
    proxies = [new_proxy(("127.0.0.1", server.port)) for _ in range(3)]
    with contextlib.ExitStack() as stack:
        machines = OcpCluster(database)
        stack.callback(machines.close)
        for node, proxy in zip(machines.nodes, proxies):
            node.extra["db.endpoints"] = f"127.0.0.1:{proxy.port}"
        machines.found()
        machines.start()
        leads(machines)
        yield machines, server, proxies
        machines.stop()


def test_a_node_that_alone_lost_metadb_leaves_the_pool(apart):
    cluster, _, proxies = apart
    lonely = cluster.followers()[0]
    proxies[cluster.nodes.index(lonely)].refuse()
    proxies[cluster.nodes.index(lonely)].cut()
    wait_until(lambda: lonely.probe("/readyz") == 503, "it leaves the pool")
    assert "but node" in health(lonely)["reason"]
    assert all(n.probe("/readyz") == 200 for n in cluster.nodes if n is not lonely)
    proxies[cluster.nodes.index(lonely)].accept()
    wait_until(lambda: lonely.probe("/readyz") == 200, "it comes back")


def test_metadb_away_for_all_empties_no_pool(apart):
    cluster, server, _ = apart
    apis = [cluster.api(i) for i in range(3)]
    for api in apis:
        api.get("/api/v2/compute/regions").ok()
    server.kill()
    empty = []

    def all_see_it():
        empty.append(all(n.probe("/readyz") != 200 for n in cluster.nodes))
        return all(health(n)["metadb"] == "down" for n in cluster.nodes)
    wait_until(all_see_it, "all nodes see that it is away")
    wait_until(lambda: all_see_it() and all(n.probe("/readyz") == 200 for n in cluster.nodes), "all have heard that it is away for all")
    assert apis[0].get("/api/v2/compute/regions").ok().json["stale"] is True
    server.start()
    wait_until(lambda: [all_see_it(), all(health(n)["metadb"] == "up" for n in cluster.nodes)][1], "all nodes see that it is back")
    assert not any(empty), "there was no moment without a node in the pool"


def test_a_node_without_metadb_and_without_peers_leaves_the_pool(apart):
    cluster, server, _ = apart
    survivor, *others = cluster.nodes
    for node in others:
        node.signal(signal.SIGSTOP)
    server.kill()
    try:
        wait_until(lambda: survivor.probe("/readyz") == 503, "it leaves the pool")
        assert "reaches neither" in health(survivor)["reason"]
    finally:
        for node in others:
            node.signal(signal.SIGCONT)
        server.start()
    wait_until(lambda: all(n.probe("/readyz") == 200 for n in cluster.nodes), "all come back")
