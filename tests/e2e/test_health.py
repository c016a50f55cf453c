# SPDX-License-Identifier: Apache-2.0
"""Health of one node, as load balancers and service managers ask for it: it answers from memory, whatever MetaDB does."""
import http.client
import time

import pytest

from lib.py.process import wait_until

PROBES = {"/livez": 200, "/readyz": 200, "/leader": 200, "/replica": 503, "/health": 200, "/api/status": 200}


def ask(server, method, path):
    """Status, body, headers; over a connection of its own, as load balancers do."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), {k.lower(): v for k, v in answer.getheaders()}
    finally:
        connection.close()


@pytest.fixture
def node(ocp_server):
    wait_until(lambda: ask(ocp_server, "GET", "/leader")[0] == 200, "the node leads its cluster of one")
    return ocp_server


@pytest.mark.parametrize("path", PROBES)
def test_get_head_and_options_say_the_same(node, path):
    status, body, _ = ask(node, "GET", path)
    assert status == PROBES[path] and body
    assert ask(node, "HEAD", path)[:2] == (status, "")
    assert ask(node, "OPTIONS", path)[0] == status
    status, _, headers = ask(node, "DELETE", path)
    assert status == 405 and headers["allow"] == "GET, HEAD, OPTIONS"


def test_other_paths_do_not_answer_options(node):
    status, _, headers = ask(node, "OPTIONS", "/api/v2/info")
    assert status == 405 and "OPTIONS" not in headers["allow"]


def test_health_tells_the_place_in_the_cluster(node):
    said = node.api().anonymous().get("/health").ok().json
    assert said["role"] == "leader" and said["leader"] == said["id"] > 0
    assert min(said["term"], said["epoch"], said["generation"], said["applied"]) >= 1
    assert said["peers"] == [] and said["metadb"] == "up" and said["draining"] is False
    assert "do" in ask(node, "GET", "/replica")[1], "the reason is given"


def test_leadership_goes_nowhere_when_nobody_else_is_there(node):
    node.api().post("/api/v2/ocp/leader/transfer", {}).refused(409)
    said = node.api().get("/api/v2/ocp/cluster").data
    assert said["active"] is True and [m["leader"] for m in said["members"]] == [True] and node.probe("/leader") == 200


def test_members_need_a_login_or_an_allowed_address(node, metadb, new_ocp_server):
    node.api().anonymous().get("/members").refused(401)
    own = node.api().get("/members").contents
    said = node.api().get("/health").json
    assert [(m["id"], m["role"], m["self"], m["leader"]) for m in own] == [(said["id"], "VOTER", True, True)]
    assert own[0]["peerAddress"].endswith(f":{node.peer_port}") and own[0]["seenTime"]
    wait_until(lambda: node.api().get("/members").contents[0].get("version") == said["version"], "what nodes say of themselves is read")
    monitored = new_ocp_server(metadb)
    assert monitored.probe("/members") == 200, "this machine is on the allow-list by default"


def test_what_is_for_nodes_is_for_nobody_else(node):
    node.api().get("/peer/state").refused(404)
    assert "/peer/state" not in node.api().get("/api/v2/openapi.json").json["paths"]
    forged = {"X-Forwarded-Node": "another", "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Trace": "0" * 16}
    answer = node.api().get("/peer/state", headers=forged)
    assert answer.status == 404 and answer.json["traceId"] != "0" * 16


def test_no_answer_waits_for_metadb(new_mariadb, new_ocp_server):
    database = new_mariadb()
    server = new_ocp_server(database.create_database("metadb"))
    wait_until(lambda: ask(server, "GET", "/leader")[0] == 200, "the node leads")
    nobody = server.api().anonymous()
    database.pause()
    try:
        wait_until(lambda: nobody.get("/health").json["metadb"] == "down", "it is seen that MetaDB hangs")
        for path, status in PROBES.items():
            began = time.monotonic()
            assert ask(server, "GET", path)[0] == status, "a cluster of one stays ready, and leads"
            assert time.monotonic() - began < 2, f"{path} waits for MetaDB, which it would for seconds"
        assert ask(server, "GET", "/api/status")[1] == "bad metadb"
    finally:
        database.resume()
    wait_until(lambda: nobody.get("/health").json["metadb"] == "up", "MetaDB is back")
