# SPDX-License-Identifier: Apache-2.0
"""Logins, users, the password box, system parameters and the audit, on running servers."""
import base64
import subprocess
import time

import pytest

from lib.py.api import Api
from lib.py.ocpcluster import two_of_three
from lib.py.process import wait_promised, wait_until
from lib.py.server import ADMIN, OcpServer, binary

PROFILE = 101
HOST_VIEWER = 109
USER_MANAGER = 120


@pytest.fixture
def two_nodes(metadb):
    """Two nodes of one cluster (its third is down), behind a trusted proxy."""
    with two_of_three(metadb, {"http.trusted_proxies": "127.0.0.0/8"}) as pair:
        yield pair


def new_user(api, name, roles=(PROFILE,), password="First-pass1"):
    user = api.post("/api/v2/iam/users", {"username": name, "password": password, "roles": list(roles)}).data
    return user, api.as_user(name, password)


def from_client(address):
    return {"X-Forwarded-For": address}


# -- the first administrator --------------------------------------------------------------------------------------

def test_first_password_opens_nothing_but_its_own_change(metadb):
    with OcpServer(metadb) as server:
        first = server.first_password()
        assert server.log.read_text().count(first) == 1
        api = Api(server.host, server.port, ADMIN, first)
        me = api.get("/api/v2/profiles/me").data
        assert me["username"] == "admin" and me["needChangePassword"] is True
        assert [r["name"] for r in me["roles"]] == ["ADMIN", "PROFILE"]
        api.get("/api/v2/iam/users").refused(403, 3020, "changePassword")
        api.post("/api/v2/compute/regions", {"name": "r1"}).refused(403, 3020)
        change = "/api/v2/profiles/me/changePassword"
        api.post(change, {"currentPassword": "wrong", "newPassword": "Second-pass1"}).refused(400, 3011)
        api.post(change, {"currentPassword": first, "newPassword": first}).refused(400, 3021)
        api.post(change, {"currentPassword": first, "newPassword": "short"}).refused(400, 3009, "shorter")
        api.post(change, {"currentPassword": first}).refused(400, 1001, "newPassword")
        reply = api.post(change, {"currentPassword": first, "newPassword": "Second-pass1"})
        assert reply.data is None
        api.get("/api/v2/profiles/me").refused(401, 3004)
        api = api.as_user(ADMIN, "Second-pass1")
        assert api.get("/api/v2/profiles/me").data["needChangePassword"] is False
        assert [u["username"] for u in api.get("/api/v2/iam/users").contents] == ["admin"]
        server.restart()
        api.get("/api/v2/iam/users").ok()
        assert server.log.read_text().count("First administrator") == 1


def test_reset_password_from_the_command_line(metadb):
    with OcpServer(metadb) as server:
        api = server.api()
        done = subprocess.run([binary(), "--config", server.settings_file, "--reset-password", ADMIN], capture_output=True, text=True,
                              user=server.account.pw_uid if server.account else None, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        fresh = done.stdout.split(": ", 1)[1].split(" ")[0]
        wait_until(lambda: api.get("/api/v2/iam/users").status == 401, "the old password counts no more")
        api = api.as_user(ADMIN, fresh)
        api.get("/api/v2/iam/users").refused(403, 3020)
        assert api.get("/api/v2/profiles/me").data["needChangePassword"] is True
        unknown = subprocess.run([binary(), "--config", server.settings_file, "--reset-password", "nobody"], capture_output=True, text=True,
                                 user=server.account.pw_uid if server.account else None, timeout=60, check=False)
        assert unknown.returncode != 0 and "nobody" in unknown.stderr


# -- who gets in ---------------------------------------------------------------------------------------------------

def test_wrong_logins_look_alike(ocp_server):
    api = ocp_server.api()
    reply = api.anonymous().get("/api/v2/info")
    reply.refused(401, 3000)
    assert reply.headers["www-authenticate"].startswith("Basic")
    assert "www-authenticate" not in api.anonymous().get("/api/v2/info", headers={"X-Requested-With": "XMLHttpRequest"}).headers
    wrong = api.as_user(ADMIN, "wrong").get("/api/v2/info").refused(401, 3004)
    unknown = api.as_user("nobody.at.all", "wrong").get("/api/v2/info").refused(401, 3004)
    assert wrong.rstrip("0123456789. triesalf") and unknown.startswith(wrong.split(";")[0])
    api.get("/api/v2/info", headers={"Accept-Language": "zh-CN"}).ok()
    chinese = api.as_user(ADMIN, "wrong").get("/api/v2/info", headers={"Accept-Language": "zh-CN"}).refused(401, 3004)
    assert "用户名或密码错误" in chinese
    for header in ("Basic", "Basic !!!", "Basic YWRtaW4=", "Bearer x", "Negotiate"):
        api.anonymous().get("/api/v2/info", headers={"Authorization": header}).refused(401, 3000)


def test_passwords_with_colons_and_in_url_safe_base64(ocp_server):
    password = "Aa1:???~~~"
    new_user(ocp_server.api(), "user.colon", password=password)
    plain = f"user.colon:{password}".encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for token in (encode(plain).decode(), encode(plain).decode().rstrip("=")):
            ocp_server.api().anonymous().get("/api/v2/info", headers={"Authorization": f"Basic {token}"}).ok()
    assert base64.b64encode(plain) != base64.urlsafe_b64encode(plain)


def test_failures_block_the_client_and_the_name_but_not_who_works_on(two_nodes):
    a, _ = two_nodes
    api = a.api()
    user, good = new_user(api, "anna")
    good.get("/api/v2/info", headers=from_client("10.1.0.9")).ok()
    bad = good.as_user("anna", "wrong")
    left = [bad.get("/api/v2/info", headers=from_client("10.1.0.66")) for _ in range(20)]
    assert [r.status for r in left] == [401] * 19 + [429]
    assert "19 tries" in left[0].json["error"]["message"] and "1 tries" in left[18].json["error"]["message"]
    assert left[19].json["error"]["code"] == 3014 and left[19].headers["retry-after"]
    good.get("/api/v2/info", headers=from_client("10.1.0.66")).refused(429, 3014)
    good.get("/api/v2/info", headers=from_client("10.1.0.67")).refused(401, 3007)
    good.get("/api/v2/info", headers=from_client("10.1.0.9")).ok()
    api.get("/api/v2/info", headers=from_client("10.1.0.67")).ok()
    api.post(f"/api/v2/iam/users/{user['id']}/unlock").ok()
    good.get("/api/v2/info", headers=from_client("10.1.0.67")).ok()


def test_metadb_away_leaves_reads_to_those_seen_before(new_mariadb):
    with new_mariadb() as database_server, OcpServer(database_server.create_database("metadb")) as server:
        api = server.api()
        _, other = new_user(api, "anna")
        api.get("/api/v2/info").ok()
        database_server.pause()
        try:
            time.sleep(3)            # the last confirmation grows old
            api.get("/api/v2/info").ok()
            api.post("/api/v2/compute/regions", {"name": "r1"}).refused(503)
            other.get("/api/v2/info").refused(503)
        finally:
            database_server.resume()
        wait_until(lambda: api.post("/api/v2/compute/regions", {"name": "r1"}).status == 200, "MetaDB is back")
        other.get("/api/v2/info").ok()


# -- users ---------------------------------------------------------------------------------------------------------

def test_users_are_made_changed_and_deleted(ocp_server):
    api = ocp_server.api()
    user, ben = new_user(api, "ben.stokes", [PROFILE, HOST_VIEWER])
    assert user["username"] == "ben.stokes" and "password" not in user
    path = f"/api/v2/iam/users/{user['id']}"
    assert api.get("/api/v2/iam/users", {"username": "stokes"}).contents[0]["id"] == user["id"]
    ben.get("/api/v2/compute/hosts").ok()
    ben.get("/api/v2/iam/users").refused(403, 3100, "USER")
    ben.post("/api/v2/compute/regions", {"name": "r9"}).refused(403, 3100)
    assert api.patch(path, {"email": "ben@example.com"}).data["email"] == "ben@example.com"
    changed = api.patch(path, {"roles": [PROFILE]}).data
    assert [r["id"] for r in changed["roles"]] == [PROFILE] and changed["email"] == "ben@example.com"
    ben.get("/api/v2/compute/hosts").refused(403, 3100)
    api.post(f"{path}/resetPassword", {"password": "Other-pass1"}).ok()
    ben.get("/api/v2/profiles/me").refused(401)
    ben.as_user("ben.stokes", "Other-pass1").get("/api/v2/compute/hosts").refused(403, 3020)
    api.patch(path, {"enabled": False}).ok()
    ben.as_user("ben.stokes", "Other-pass1").get("/api/v2/profiles/me").refused(401, 3001)
    assert api.delete(path).data is None
    api.get(path).refused(404, 1002)
    api.delete(path).refused(404)


@pytest.mark.parametrize("body, status, code", [
    ({"username": "admin", "password": "First-pass1"}, 400, 3105),
    ({"username": "Anna", "password": "First-pass1"}, 400, 3008),
    ({"username": "anna.b", "password": "simple"}, 400, 3009),
    ({"username": "anna.b", "password": "First-pass1", "roles": [5]}, 400, 1001),
    ({"username": "anna.b", "password": "First-pass1", "roles": "x"}, 400, 1001),
    ({"username": "anna.b"}, 400, 1001),
    ({"password": "First-pass1"}, 400, 1001),
])
def test_wrong_users_are_refused(ocp_server, body, status, code):
    ocp_server.api().post("/api/v2/iam/users", body).refused(status, code)


def test_the_administrator_stays(ocp_server):
    api = ocp_server.api()
    me = api.get("/api/v2/profiles/me").data["id"]
    api.delete(f"/api/v2/iam/users/{me}").refused(403, 3108)
    api.patch(f"/api/v2/iam/users/{me}", {"enabled": False}).refused(403, 3107)
    api.patch(f"/api/v2/iam/users/{me}", {"roles": [PROFILE]}).refused(403, 3106)
    _, manager = new_user(api, "manager", [PROFILE, USER_MANAGER])
    manager.delete(f"/api/v2/iam/users/{me}").refused(403, 3104)
    manager.post(f"/api/v2/iam/users/{me}/resetPassword", {"password": "Other-pass1"}).refused(403, 3017)
    manager.post("/api/v2/iam/users", {"username": "another", "password": "First-pass1", "roles": [100]}).refused(403, 3017)


def test_roles_and_permissions_are_listed(ocp_server):
    api = ocp_server.api()
    roles = api.get("/api/v2/iam/roles").contents
    assert len(roles) == 21 and {"ADMIN", "PROFILE"} < {r["name"] for r in roles}
    assert api.get(f"/api/v2/iam/roles/{PROFILE}").data["permissions"] == ["PROFILE:*:*"]
    api.get("/api/v2/iam/roles/5").refused(404)
    assert "TENANT" in {p["domain"] for p in api.get("/api/v2/iam/permissions").contents}


def test_changes_of_users_count_on_the_other_node_within_two_seconds(two_nodes):
    a, b = two_nodes
    user, on_a = new_user(a.api(), "anna", [PROFILE, HOST_VIEWER])
    on_b = Api(b.host, b.port, "anna", "First-pass1")
    on_b.get("/api/v2/compute/hosts").ok()

    a.api().patch(f"/api/v2/iam/users/{user['id']}", {"roles": [PROFILE]}).ok()
    wait_promised(lambda: on_b.get("/api/v2/compute/hosts").status == 403, "the role has gone on the other node", seconds=2)
    a.api().patch(f"/api/v2/iam/users/{user['id']}", {"enabled": False}).ok()
    wait_promised(lambda: on_b.get("/api/v2/compute/hosts").status == 401, "the user is disabled on the other node", seconds=2)
    assert on_a.get("/api/v2/compute/hosts").status == 401


# -- password box --------------------------------------------------------------------------------------------------

BOX = "/api/v2/profiles/me/credentials"


def host_credential(name, **more):
    return {"targetType": "HOST", "name": name,
            "sshCredentialProperty": {"type": "PASSWORD", "username": "admin", "passphrase": "Secret-word-1"}, **more}


def test_credentials_as_deployment_tools_send_them(ocp_server):
    _, api = new_user(ocp_server.api(), "box.owner")
    assert api.get(BOX).contents == []
    made = api.post(BOX, host_credential("3f2a90c1d7e4"), {"targetType": "HOST"}).data
    other = api.post(BOX, host_credential("antman", description="", validate=True, obJdbcCredentialProperty={})).data
    assert [c["id"] for c in api.get(BOX).contents] == [other["id"], made["id"]]
    assert [c["id"] for c in api.get(BOX, {"targetType": "OB"}).contents] == []
    shown = api.get(f"{BOX}/{made['id']}").data
    assert shown["sshCredentialProperty"] == {"type": "PASSWORD", "username": "admin", "hostIdList": []}
    assert "obJdbcCredentialProperty" not in shown and shown["createTime"]
    assert "Secret-word-1" not in api.get(BOX).body.decode()
    api.post(BOX, host_credential("antman")).refused(409, 8002, "antman")
    api.put(f"{BOX}/{made['id']}", host_credential("renamed", description="d")).ok()
    api.patch(f"{BOX}/{made['id']}", {"description": "e"}).ok()
    changed = api.get(f"{BOX}/{made['id']}").data
    assert changed["name"] == "renamed" and changed["description"] == "e"
    ob = {"targetType": "OB", "name": "ob", "sshCredentialProperty": {},
          "obJdbcCredentialProperty": {"clusterName": "c1", "tenantName": "t1", "username": "root", "passphrase": "Secret-word-1"}}
    assert api.post(BOX, ob).data["obJdbcCredentialProperty"] == {"clusterName": "c1", "tenantName": "t1", "username": "root"}
    api.post(BOX, {**ob, "name": "ob2", "validate": True}).refused(400, 8100, "not managed")
    listed = host_credential("with.hosts", validate=True)
    listed["sshCredentialProperty"]["hostIdList"] = [1]
    api.post(BOX, listed).refused(400, 8100, "no host 1")
    assert api.delete(f"{BOX}/{made['id']}").data is None
    api.get(f"{BOX}/{made['id']}").refused(404)


def test_credentials_of_others_stay_theirs(ocp_server):
    admin = ocp_server.api()
    _, one = new_user(admin, "box.one")
    made = one.post(BOX, host_credential("mine")).data
    admin.get(f"{BOX}/{made['id']}").refused(403, 8102)
    admin.put(f"{BOX}/{made['id']}", host_credential("yours")).refused(403, 8102)
    admin.delete(f"{BOX}/{made['id']}").refused(403, 8001)
    admin.get(f"{BOX}/999999999").refused(404)
    assert "mine" not in {c["name"] for c in admin.get(BOX).contents}


@pytest.mark.parametrize("body, naming", [
    ({"name": "x", "sshCredentialProperty": {}}, "targetType"),
    ({"targetType": "FTP", "name": "x"}, "targetType"),
    ({"targetType": "HOST"}, "name"),
    ({"targetType": "HOST", "name": "x"}, "passphrase"),
    ({"targetType": "HOST", "name": "x", "sshCredentialProperty": {"passphrase": "p"}}, "username"),
    ({"targetType": "HOST", "name": "x", "sshCredentialProperty": {"type": "KEY", "username": "u", "passphrase": "p"}}, "type"),
])
def test_wrong_credentials_are_refused(ocp_server, body, naming):
    ocp_server.api().post(BOX, body).refused(400, 1001, naming)


# -- system parameters ---------------------------------------------------------------------------------------------

PARAMETERS = "/api/v2/config/properties"
ATTEMPTS = "ocp.iam.login.max-attempts"


def test_parameters_are_listed_changed_and_reset(ocp_server):
    api = ocp_server.api()
    listed = api.get(PARAMETERS).contents
    assert len(listed) > 170 and [p["key"] for p in api.get(PARAMETERS, {"keyword": ATTEMPTS}).contents] == [ATTEMPTS]
    path = f"{PARAMETERS}/ocp.perf.sql.query-timeout"
    assert api.patch(path, {"value": 20000000}).data["value"] == "20000000"
    api.patch(path, {"value": "soon"}).refused(400, 1001)
    api.patch(path, {}).refused(400, 1001, "value")
    api.patch(f"{PARAMETERS}/no.such", {"value": "1"}).refused(404, 1012)
    api.get(f"{PARAMETERS}/no.such/histories").refused(404, 1012)
    api.patch(f"{PARAMETERS}/ocp.version", {"value": "9"}).refused(403)
    reset = api.delete(path).data
    assert reset["changed"] is False and reset["value"] == reset["defaultValue"]
    history = api.get(f"{path}/histories").data
    assert [(h.get("oldValue"), h.get("newValue")) for h in history["contents"]] == [("20000000", None), (None, "20000000")]
    assert history["page"]["totalElements"] == 2 and history["contents"][0]["operatorName"] == "admin"


def test_secret_parameters_never_come_out(ocp_server):
    api = ocp_server.api()
    path = f"{PARAMETERS}/ocp.analyze.es.client.password"
    replies = [api.patch(path, {"value": "Secret-word-2"}), api.get(path), api.get(PARAMETERS), api.get(f"{path}/histories"),
               api.get("/api/v2/audit/events", {"size": 200})]
    assert replies[0].data["value"] == "******"
    assert not any("Secret-word-2" in r.body.decode() for r in replies)
    assert "Secret-word-2" not in ocp_server.log.read_text()


def test_a_parameter_is_in_force_on_the_other_node_within_ten_seconds(two_nodes):
    a, b = two_nodes
    a.api().patch(f"{PARAMETERS}/{ATTEMPTS}", {"value": "7"}).ok()

    def tries_left(server, name):
        client = Api(server.host, server.port, name, "wrong")
        message = client.get("/api/v2/info", headers=from_client(f"10.2.0.{len(name)}")).refused(401, 3004)
        return int("".join(ch for ch in message if ch.isdigit()))

    assert tries_left(a, "nobody") == 6
    names = iter(f"nobody{'x' * n}" for n in range(1, 200))
    wait_until(lambda: tries_left(b, next(names)) == 6, "the parameter is in force on the other node")


# -- audit ---------------------------------------------------------------------------------------------------------

EVENTS = "/api/v2/audit/events"


def test_changes_are_recorded_with_secrets_masked(ocp_server):
    api = ocp_server.api()
    user, carl = new_user(api, "carl.audit")
    carl.post(BOX, host_credential("audited")).ok()
    reply = carl.post(BOX, host_credential("audited"))
    reply.refused(409)
    mine = api.get(EVENTS, {"operatorId": user["id"]}).contents
    assert [(e["operation"], e["status"]) for e in mine] == [("profile-credential-create", "FAILED"), ("profile-credential-create", "SUCCESS")]
    failed = mine[0]
    assert failed["traceId"] == reply.json["traceId"] and failed["errorCode"] == 8002 and failed["clientIp"] == "127.0.0.1"
    assert failed["operatorName"] == "carl.audit" and failed["resourceName"] == "audited"
    assert '"passphrase":"******"' in failed["eventInfo"] and "Secret-word-1" not in failed["eventInfo"]
    [made] = api.get(EVENTS, {"operationEvent": "CREATE_USER", "resourceName": "carl.audit"}).contents
    assert made["eventType"] == "OCP_USER_MANAGEMENT" and made["resourceType"] == "OCP_USER" and made["resourceId"] == user["id"]
    assert "First-pass1" not in made["eventInfo"]
    assert api.get(f"{EVENTS}/{made['id']}").data == made
    api.get(f"{EVENTS}/999999999999").refused(404)
    assert api.get(EVENTS, {"operatorId": user["id"], "status": "FAILED"}).data["page"]["totalElements"] == 1
    assert api.get(EVENTS, {"operatorId": user["id"], "startTime": failed["startTime"], "order": "startTime,asc"}).contents[-1] == failed
    assert api.get(EVENTS, {"operatorId": user["id"], "endTime": "2020-01-01T00:00:00Z"}).contents == []
    api.get(EVENTS, {"order": "eventInfo,asc"}).refused(400, 1011)
    carl.get(EVENTS).refused(403, 3100)


def test_reads_are_not_recorded_and_operations_are_named(ocp_server):
    api = ocp_server.api()
    before = api.get(EVENTS, {"size": 1}).data["page"]["totalElements"]
    api.get("/api/v2/iam/users").ok()
    api.anonymous().post("/api/v2/compute/regions", {"name": "r7"}).refused(401)
    assert api.get(EVENTS, {"size": 1}).data["page"]["totalElements"] == before
    operations = {o["operation"]: o for o in api.get("/api/v2/audit/operations").contents}
    assert operations["iam-user-create"]["operationEvent"] == "CREATE_USER"
    assert operations["config-property-update"]["operationEvent"] == "CONFIG_PROPERTY_UPDATE"
    assert "iam-users-list" not in operations
