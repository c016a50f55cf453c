# SPDX-License-Identifier: Apache-2.0
"""Console sessions on running servers: login and logout, what they outlive and what ends them, on one node and on the other."""
import base64
import subprocess

import pytest

from lib.py.process import wait_promised, wait_until
from lib.py.server import ADMIN, OcpServer
from lib.py.session import Session

from e2e.test_iam import PROFILE, USER_MANAGER, from_client, new_user, two_nodes  # noqa: F401 (a fixture)

PASSWORD = "First-pass1"


def logged_in(server, user, password=PASSWORD, **more):
    session = Session(server.host, server.port)
    session.log_in(user, password, **more).ok()
    return session


@pytest.mark.parametrize("form", [False, True])
def test_login_and_logout(ocp_server, form):
    name = f"anna.{form}".lower()
    user, _ = new_user(ocp_server.api(), name)
    session = Session(ocp_server.host, ocp_server.port)
    assert session.log_in(name, PASSWORD, form=form).data == {"location": "/", "needChangePassword": False}
    first, second = session.set_cookies
    assert first.startswith("JSESSIONID=") and first.endswith("; Path=/; HttpOnly; SameSite=Strict")
    assert second.startswith("XSRF-TOKEN=") and second.endswith("; Path=/; SameSite=Strict")
    now = session.get("/api/v2/session").data
    assert now["userId"] == user["id"] and now["username"] == name and now["loginType"] == "SESSION"
    assert now["permissions"] == ["PROFILE:*:*"] and now["idleTimeoutSeconds"] == 1800 and now["createTime"] < now["expireTime"]
    held = dict(session.cookies)
    assert session.post("/api/v2/iam/logout").data == {"location": "/login"}
    assert not session.cookies
    again = Session(ocp_server.host, ocp_server.port, held)
    reply = again.get("/api/v2/session")
    reply.refused(401, 3000)
    assert "www-authenticate" not in reply.headers


def test_wrong_logins(ocp_server):
    new_user(ocp_server.api(), "berta")
    session = Session(ocp_server.host, ocp_server.port)
    known = session.log_in("berta", "wrong")
    assert "www-authenticate" not in known.headers and not session.set_cookies
    unknown = session.log_in("nobody.at.all", "wrong")
    assert known.refused(401, 3004).split(";")[0] == unknown.refused(401, 3004).split(";")[0]
    session.call("POST", "/api/v2/iam/login", {"username": "berta"}).refused(400, 1001, "password")
    session.call("POST", "/api/v2/iam/login", {"username": "x" * 129, "password": "x"}).refused(400, 1001, "username")


def test_the_first_password_is_changed_in_a_session(metadb):
    with OcpServer(metadb) as server:
        session = Session(server.host, server.port)
        assert session.log_in(ADMIN, server.first_password()).data["needChangePassword"] is True
        session.get("/api/v2/session").ok()
        session.get("/api/v2/iam/users").refused(403, 3020)
        other = logged_in(server, ADMIN, server.first_password())
        before = dict(session.cookies)
        session.post("/api/v2/profiles/me/changePassword", {"currentPassword": server.first_password(), "newPassword": PASSWORD}).ok()
        assert session.cookies["JSESSIONID"] != before["JSESSIONID"] and session.cookies["XSRF-TOKEN"] != before["XSRF-TOKEN"]
        assert session.get("/api/v2/session").data["needChangePassword"] is False
        session.get("/api/v2/iam/users").ok()
        other.get("/api/v2/session").refused(401, 3000)
        Session(server.host, server.port, before).get("/api/v2/session").refused(401, 3000)


def test_a_session_counts_on_every_node_and_outlives_a_restart(two_nodes):  # noqa: F811
    a, b = two_nodes
    new_user(a.api(), "anna")
    session = logged_in(a, "anna")
    on_b = Session(b.host, b.port, session.cookies)
    on_b.get("/api/v2/session").ok()
    on_b.post("/api/v2/iam/logout", csrf=False).refused(403, 90311)
    a.restart()
    session.host, session.port = a.host, a.port
    session.get("/api/v2/session").ok()
    on_b.post("/api/v2/iam/logout").ok()
    wait_until(lambda: session.get("/api/v2/session").status == 401, "the session has ended on the other node")


def test_sessions_are_listed_and_ended(two_nodes):  # noqa: F811
    a, b = two_nodes
    api = a.api()
    user, _ = new_user(api, "anna")
    first = logged_in(a, "anna", headers={"User-Agent": "Browser/1", **from_client("10.1.0.9")})
    second = logged_in(b, "anna")
    mine = second.get("/api/v2/profiles/me/sessions").contents
    assert [s["current"] for s in mine] == [True, False] and mine[1]["clientIp"] == "10.1.0.9" and mine[1]["userAgent"] == "Browser/1"
    second.delete(f"/api/v2/profiles/me/sessions/{mine[1]['id']}").ok()
    wait_until(lambda: first.get("/api/v2/session").status == 401, "the first session has ended")
    second.get(f"/api/v2/iam/users/{user['id']}/sessions").refused(403)
    ours = f"/api/v2/iam/users/{user['id']}/sessions"
    [left] = api.get(ours).contents
    assert left["id"] == mine[0]["id"] and left["current"] is False
    api.delete(f"{ours}/{left['id'] + 1}").refused(404)
    api.delete(f"/api/v2/iam/users/100/sessions/{left['id']}").refused(404)
    api.delete(f"{ours}/{left['id']}").ok()
    wait_until(lambda: second.get("/api/v2/session").status == 401, "the second session has ended")
    assert api.get(ours).contents == []


def test_what_ends_all_sessions_of_a_user(two_nodes):  # noqa: F811
    a, b = two_nodes
    api = a.api()
    user, _ = new_user(api, "anna")
    path = f"/api/v2/iam/users/{user['id']}"

    def ended(session, by):
        wait_promised(lambda: session.get("/api/v2/session").status == 401, f"the session has ended by {by}", seconds=2)

    session = logged_in(b, "anna")
    api.patch(path, {"roles": [PROFILE, USER_MANAGER]}).ok()
    wait_promised(lambda: "USER:*:*" in session.get("/api/v2/session").data["permissions"], "the role counts", seconds=2)
    api.patch(path, {"enabled": False}).ok()
    ended(session, "disabling")
    api.patch(path, {"enabled": True}).ok()
    session.get("/api/v2/session").refused(401, 3000)
    session = logged_in(b, "anna")
    api.post(f"{path}/resetPassword", {"password": "Other-pass1"}).ok()
    ended(session, "another password")
    session = logged_in(b, "anna", "Other-pass1")
    api.delete(path).ok()
    ended(session, "deletion")


# -- encrypted passwords --------------------------------------------------------------------------------------------

def encrypted(public_key, text, folder):
    """RSA, PKCS#1 v1.5, base64, as browsers and installers do it."""
    pem = folder / "login.pem"
    pem.write_text("-----BEGIN PUBLIC KEY-----\n" + "\n".join(public_key[i:i + 64] for i in range(0, len(public_key), 64)) +
                   "\n-----END PUBLIC KEY-----\n")
    done = subprocess.run(["openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey", str(pem)], input=text.encode(), capture_output=True, check=True,
                          timeout=60)
    return base64.b64encode(done.stdout).decode()


def test_encrypted_passwords(two_nodes, tmp_path):  # noqa: F811
    a, b = two_nodes
    key = a.api().anonymous().get("/api/v2/loginKey").data["publicKey"]
    assert key == b.api().anonymous().get("/api/v2/loginKey").data["publicKey"] and len(key) == 392
    a.api().post("/api/v2/iam/users", {"username": "anna", "password": encrypted(key, PASSWORD, tmp_path), "roles": [PROFILE]}).ok()
    for node in (a, b):
        for form in (False, True):
            session = Session(node.host, node.port)
            session.log_in("anna", encrypted(key, PASSWORD, tmp_path), form=form).ok()
        session.log_in("anna", encrypted(key, "wrong", tmp_path)).refused(401, 3004)
        session.log_in("anna", base64.b64encode(bytes(range(256))).decode()).refused(401, 3004)     # no ciphertext of this key
    change = {"currentPassword": encrypted(key, PASSWORD, tmp_path), "newPassword": encrypted(key, "Second-pass1", tmp_path)}
    session = logged_in(b, "anna")
    session.post("/api/v2/profiles/me/changePassword", change).ok()
    logged_in(a, "anna", "Second-pass1")


@pytest.mark.parametrize("bits, size", [("1024", 216), ("off", 0)])
def test_the_size_of_the_login_key_is_a_setting(metadb, tmp_path, bits, size):
    with OcpServer(metadb, settings={"iam.login_key": bits}) as server:
        key = server.api().anonymous().get("/api/v2/loginKey").data["publicKey"]
        assert len(key) == size
        password = encrypted(key, server.password, tmp_path) if key else server.password
        Session(server.host, server.port).log_in(ADMIN, password).ok()


# -- failed logins and the history ----------------------------------------------------------------------------------

def test_failures_count_on_all_nodes_together(two_nodes):  # noqa: F811
    a, b = two_nodes
    api = a.api()
    user, _ = new_user(api, "anna")
    address = from_client("10.1.0.66")
    replies = [Session(n.host, n.port).log_in("anna", "wrong", headers=address) for n in (a, b) * 10]
    assert [r.status for r in replies] == [401] * 19 + [429]
    assert "1 tries" in replies[18].json["error"]["message"] and replies[19].json["error"]["code"] == 3014
    for node in (a, b):
        node.api().as_user("anna", PASSWORD).get("/api/v2/info", headers=address).refused(429, 3014)
        Session(node.host, node.port).log_in("anna", PASSWORD, headers=from_client("10.1.0.67")).refused(401, 3007)
    a.restart()
    Session(a.host, a.port).log_in("anna", PASSWORD, headers=from_client("10.1.0.67")).refused(401, 3007)
    a.api().post(f"/api/v2/iam/users/{user['id']}/unlock").ok()
    wait_promised(lambda: Session(b.host, b.port).log_in("anna", PASSWORD, headers=from_client("10.1.0.67")).status == 200,
               "the unlocked name counts on the other node", seconds=2)


def test_the_limits_are_system_parameters(two_nodes):  # noqa: F811
    a, b = two_nodes
    api = a.api()
    new_user(api, "anna")
    for key, value in (("ocp.iam.login.max-attempts", 3), ("ocp.iam.login.lockout-minutes", 7)):
        api.patch(f"/api/v2/config/properties/{key}", {"value": str(value)}).ok()
    wait_until(lambda: b.api().get("/api/v2/config/properties/ocp.iam.login.lockout-minutes").data["value"] == "7", "the parameter is known")
    node = a.api().as_user("anna", "wrong")
    assert "2 tries" in node.get("/api/v2/info").refused(401, 3004)
    node.get("/api/v2/info").refused(401, 3004)
    assert "7 minutes" in node.get("/api/v2/info").refused(401, 3007)


def test_history_of_logins(ocp_server):
    api = ocp_server.api()
    user, anna = new_user(api, "history.anna")
    session = Session(ocp_server.host, ocp_server.port)
    agent = {"User-Agent": "Browser/2"}
    session.log_in("history.anna", "wrong", headers=agent).refused(401, 3004)
    session.log_in("history.nobody", "wrong", headers=agent).refused(401, 3004)
    session.log_in("history.anna", PASSWORD, headers=agent).ok()
    anna.get("/api/v2/info").ok()
    anna.get("/api/v2/info").ok()
    mine = session.get("/api/v2/profiles/me/loginHistories").contents
    assert [(r["method"], r["result"]) for r in mine] in ([("BASIC", "SUCCESS"), ("CONSOLE", "SUCCESS"), ("CONSOLE", "FAILED")],
                                                          [("CONSOLE", "SUCCESS"), ("CONSOLE", "FAILED")])
    failed = mine[-1]
    assert failed["errorCode"] == 3004 and failed["reason"] == "wrong password" and failed["userAgent"] == "Browser/2"
    assert failed["clientIp"] == "127.0.0.1" and failed["userId"] == user["id"] and failed["node"]
    [unknown] = api.get("/api/v2/iam/loginHistories", {"username": "history.nobody"}).contents
    assert unknown["errorCode"] == 3006 and "userId" not in unknown
    assert unknown["reason"] == "no such user"
    some = {"userId": user["id"], "result": "failed", "method": "console", "startTime": failed["loginTime"]}
    assert [r["id"] for r in api.get("/api/v2/iam/loginHistories", some).contents] == [failed["id"]]
    session.get("/api/v2/iam/loginHistories").refused(403)
    assert api.get(f"/api/v2/iam/users/{user['id']}").data["lastLoginTime"] >= failed["loginTime"]
    assert api.get("/api/v2/iam/loginHistories", {"size": 1, "sort": "loginTime,asc"}).data["page"]["totalElements"] >= 4
