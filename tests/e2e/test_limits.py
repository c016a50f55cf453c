# SPDX-License-Identifier: Apache-2.0
"""Who may come in by address, and how often, on two nodes."""
from lib.py.process import wait_promised, wait_until

from e2e.test_iam import from_client, new_user, two_nodes  # noqa: F401 (a fixture)

RULES = "/api/v2/iam/addressRules"


def test_addresses(two_nodes):  # noqa: F811
    a, b = two_nodes
    api = a.api()
    inside, outside = from_client("10.1.2.3"), from_client("10.9.9.9")
    api.get("/api/v2/info", headers=outside).ok()
    rule = api.post(RULES, {"network": "10.1.0.0/16", "description": "office"}, headers=inside).data
    assert rule["enabled"] is True and rule["creator"] == "admin"
    for node in (a, b):
        wait_promised(lambda n=node: n.api().get("/api/v2/info", headers=outside).status == 403, "the rule counts", seconds=2)
        node.api().get("/api/v2/info", headers=outside).refused(403, 90316, "10.9.9.9")
        node.api().anonymous().get("/api/v2/info", headers=outside).refused(403, 90316)      # before anybody is asked who he is
        node.api().anonymous().get("/api/v2/no/such/thing", headers=outside).refused(403, 90316)
        node.api().anonymous().get("/api/v2/time", headers=outside).refused(403, 90316)
        node.api().anonymous().post("/api/v2/iam/login", {"username": "admin", "password": "x"}, headers=outside).refused(403, 90316)
        assert node.api().anonymous().get("/readyz", headers=outside).status == 200
        node.api().get("/api/v2/info", headers=inside).ok()
        node.api().get("/api/v2/info").ok()                                                    # loopback
    [listed] = api.get(RULES).contents
    assert listed["id"] == rule["id"]
    api.delete(f"{RULES}/{rule['id']}").ok()
    for node in (a, b):
        wait_promised(lambda n=node: n.api().get("/api/v2/info", headers=outside).status == 200, "the rule is gone", seconds=2)


def test_nobody_shuts_himself_out(two_nodes):  # noqa: F811
    a, _ = two_nodes
    api = a.api()
    me = from_client("10.1.2.3")
    api.post(RULES, {"network": "192.168.0.0/16"}, headers=me).refused(400, 90317, "10.1.2.3")
    mine = api.post(RULES, {"network": "10.1.2.3"}, headers=me).data
    other = api.post(RULES, {"network": "2001:db8::/32"}, headers=me).data
    api.patch(f"{RULES}/{mine['id']}", {"enabled": False}, headers=me).refused(400, 90317)
    api.patch(f"{RULES}/{mine['id']}", {"network": "10.1.2.4"}, headers=me).refused(400, 90317)
    api.delete(f"{RULES}/{mine['id']}", headers=me).refused(400, 90317)
    api.post(RULES, {"network": "10.1.2.3"}, headers=me).refused(409)
    api.post(RULES, {"network": "10.1.2.256"}, headers=me).refused(400, 1001, "network")
    api.get(f"{RULES}/{mine['id'] + 1000}", headers=me).refused(404)
    api.patch(f"{RULES}/{other['id']}", {"enabled": False}, headers=me).ok()
    api.delete(f"{RULES}/{mine['id']}", headers=me).ok()                                       # no enabled rule is left
    api.get("/api/v2/info", headers=from_client("10.9.9.9")).ok()


def test_rate_limit(two_nodes):  # noqa: F811
    a, b = two_nodes
    api = a.api()
    user, anna = new_user(api, "anna")
    path = f"/api/v2/iam/users/{user['id']}/rateLimit"
    assert api.get(path).data == {}
    assert "ratelimit-limit" not in anna.get("/api/v2/profiles/me").headers
    assert api.patch(path, {"perMinute": 1000, "perDay": 5}).data == {"perMinute": 1000, "perDay": 5}
    replies = [anna.get("/api/v2/profiles/me") for _ in range(6)]
    assert [r.status for r in replies] == [200] * 5 + [429]
    assert [r.headers["ratelimit-remaining"] for r in replies] == ["4", "3", "2", "1", "0", "0"]
    last = replies[-1]
    last.refused(429, 90319, "5 calls in 86400 seconds")
    assert last.headers["ratelimit-limit"] == "5" and 1 <= int(last.headers["ratelimit-reset"]) <= 86400
    assert last.headers["retry-after"] == last.headers["ratelimit-reset"]
    api.get("/api/v2/info").ok()
    assert api.patch(path, {"perDay": 0}).data == {"perMinute": 1000}
    assert anna.get("/api/v2/profiles/me").ok().headers["ratelimit-limit"] == "1000"
    api.patch(path, {"perHour": 8}).ok()
    on_b = b.api().as_user("anna", "First-pass1")
    wait_until(lambda: on_b.get("/api/v2/profiles/me").status == 429, "calls of both nodes count")
    assert anna.get("/api/v2/profiles/me").headers["ratelimit-limit"] == "8"
    api.patch("/api/v2/config/properties/ocp.iam.rate-limit.on-user.enabled", {"value": "false"}).ok()
    wait_until(lambda: anna.get("/api/v2/profiles/me").status == 200, "limits are switched off")
    api.get("/api/v2/iam/users/999999/rateLimit").refused(404)
    anna.get(path).refused(403)
