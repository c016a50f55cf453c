# SPDX-License-Identifier: Apache-2.0
"""Who may do what, generated from the route table: every row without a login, without the permission, with the permission for
another object, and with exactly the permission; then paths, bodies and values that try to get around it."""
import base64
import itertools
import json
import random
import re
import shutil
import socket
import subprocess

import pytest

from contract import openapi
from lib.py.httpwire import Closed, Http1
from lib.py.ocpcluster import two_of_three
from lib.py.process import wait_promised
from lib.py.server import CHECKOUT, OcpServer, binary

PASSWORD = "Matrix-pass1"
PROFILE, ADMIN_ROLE = 101, 100
MINE, OTHER = 900000001, 900000002
# What a test that walks all routes must not do to the server it walks.
NOT_TO_CALL = {"ocp-node-drain", "ocp-node-resume", "iam-logout"}


class World:
    """A running server, its routes, and users made on demand who hold just one set of expressions."""

    def __init__(self, server):
        self.server = server
        self.api = server.api()
        self.rows = json.loads(subprocess.run([binary(), "--dump", "routes"], capture_output=True, check=True, timeout=60).stdout)
        document = self.api.get(openapi.PATH).json
        self.documented = {r.id: r for r in openapi.routes(document)}
        self.users = {}
        self.number = itertools.count(1)

    def holding(self, *expressions):
        """An Api of a user who holds these expressions and nothing else."""
        if expressions not in self.users:
            n = next(self.number)
            role = self.api.post("/api/v2/iam/roles", {"name": f"only_{n}", "permissions": list(expressions)}).data["id"] if expressions else PROFILE
            self.api.post("/api/v2/iam/users", {"username": f"only.{n}", "password": PASSWORD, "roles": [role]}).ok()
            self.users[expressions] = self.api.as_user(f"only.{n}", PASSWORD)
        return self.users[expressions]


@pytest.fixture(scope="module")
def world(mariadb_server):
    database = mariadb_server.create_database("matrix")
    with OcpServer(database, settings={"http.monitoring_allow": "192.0.2.1"}) as server:
        yield World(server)
    mariadb_server.drop_database(database)


def path_of(row, number=MINE):
    def fill(match):
        name, _, kind = match.group(1).partition(":")
        return str(number) if kind != "text" and (name == "id" or name.endswith("Id")) else "nothing-has-this-name"
    return re.sub(r"\{([^}]*)\}", fill, row["path"])


def ways(row):
    return row["permission"].split("|")


def with_ids(expression, number):
    """The expression as somebody would hold it for the object `number`."""
    return re.sub(r"\{[^}]*\}|\?", str(number), expression)


def is_open(row):
    return row["permission"] in ("public", "login")


def is_for_admin(row):
    """For the role ADMIN alone: no other role can have this expression."""
    return row["permission"] == "**"


def names_objects(expression):
    return "{" in expression or "?" in expression


def call(api, row, number=MINE, world=None):
    return api.call(row["method"], path_of(row, number), {} if row["method"] != "GET" else None)


# -- the matrix ------------------------------------------------------------------------------------------------------

def test_every_route_has_a_permission(world):
    assert len(world.rows) > 100
    for row in world.rows:
        assert is_open(row) or is_for_admin(row) or all(re.fullmatch(r"[A-Z]+(:(\*|\?|\{\w+\}|[A-Z]+))*:[A-Z]+", way) for way in ways(row)), row
        for way in ways(row):
            for name in re.findall(r"\{(\w+)\}", way):
                assert "{%s}" % name in row["path"], f"{row['id']}: the path has no {name}"


def test_nobody_gets_in_without_a_login(world):
    nobody, wrong = world.api.anonymous(), []
    for row in world.rows:
        reply = call(nobody, row)
        if (reply.status == 401) is (row["permission"] == "public"):
            wrong.append(str(reply))
    assert not wrong, "\n".join(wrong)


def test_too_little_is_refused(world):
    """A user with the profile only; and one who may do everything but what the route asks for."""
    only_profile, wrong = world.holding(), []
    for row in world.rows:
        if row["permission"] == "public" or row["id"] in NOT_TO_CALL:
            continue
        needs_more = row["permission"] != "login" and not row["permission"].startswith("PROFILE:")
        reply = call(only_profile, row)
        if (reply.status == 403) is not needs_more:
            wrong.append(f"{row['permission']}: {reply}")
        if needs_more and reply.status == 403:
            reply.refused(403, 3100, with_ids(ways(row)[0], MINE).split(":")[0])
    assert not wrong, "\n".join(wrong)


def everything_but(actions_of):
    """Every expression of the domains with the actions that `actions_of` does not name."""
    return tuple(f"{domain}:{action}" for domain in ("CLUSTER:*", "CLUSTER:*:TENANT:*", "HOST:*", "TASK:*", "USER:*", "ROLE:*", "PROPERTY:*", "AUDIT:*")
                 for action in ("CREATE", "READ", "UPDATE", "DELETE") if f"{domain}:{action}" not in actions_of)


def test_one_action_is_not_another(world):
    """Who may do everything to everything except the one thing is refused that one thing."""
    wrong = []
    for row in world.rows:
        if is_open(row) or row["permission"].startswith("PROFILE:") or row["id"] in NOT_TO_CALL:
            continue
        lacking = tuple(sorted({re.sub(r"\{[^}]*\}|\?", "*", way) for way in ways(row)}))
        reply = call(world.holding(*everything_but(lacking)), row)
        if reply.status != 403:
            wrong.append(f"{row['permission']}: {reply}")
    assert not wrong, "\n".join(wrong)


def test_exactly_enough_is_enough(world):
    wrong = []
    for row in world.rows:
        if is_open(row) or is_for_admin(row) or row["id"] in NOT_TO_CALL:
            continue
        for way in ways(row):
            reply = call(world.holding(with_ids(way, MINE)), row)
            if reply.status in (401, 403):
                wrong.append(f"{way}: {reply}")
    assert not wrong, "\n".join(wrong)


def test_another_object_is_none_of_theirs(world):
    """With the permission for another object: 403 where the path names one, an empty list where it does not."""
    wrong, lists = [], 0
    for row in world.rows:
        if is_open(row) or not names_objects(row["permission"]) or row["id"] in NOT_TO_CALL:
            continue
        for way in ways(row):
            if not names_objects(way):
                continue
            reply = call(world.holding(with_ids(way, OTHER)), row)
            if "{" in way and reply.status != 403:
                wrong.append(f"{way}: {reply}")
            elif "{" not in way and reply.status == 200 and row["reply"] in ("list", "paged"):
                lists += 1
                if reply.contents and row["id"] not in SHARED:
                    wrong.append(f"{way} shows what belongs to others: {reply}")
    assert not wrong, "\n".join(wrong)
    assert lists > 8


# Lists of what is nobody's own: places and kinds of hosts, what parameters there are, and what permissions can be about.
SHARED = {"regions-list", "idcs-list", "host-types-list", "ob-cluster-parameter-info-list", "iam-permissions-list"}


# -- lists on real rows ----------------------------------------------------------------------------------------------

CLUSTER = ("INSERT INTO obcluster (id, name, ob_cluster_id, engine, type, status, address, port, connection_mode, username, password, "
           "password_version, proxyro_password, instance, version, full_version, architecture, creator_id, creator_name, created_at, "
           "updated_at, failure) VALUES ({0}, 'c{0}', {0}, 'OCEANBASE', 'PRIMARY', 0, '127.0.0.{1}', 9, 'direct', 'root@sys', '', 1, '', "
           "'instance-{0}', '4.3.5.3', '4.3.5.3', '', 100, 'admin', NOW(6), NOW(6), '')")
TENANT = ("INSERT INTO obtenant (id, cluster_id, ob_tenant_id, name, mode, status, charset, collation, time_zone, primary_zone, locality, "
          "readonly, locked, created_at, updated_at) VALUES ({1}, {0}, {1}, 't{1}', 'MYSQL', 'NORMAL', '', '', '', '', '', 0, 0, NOW(6), NOW(6))")
TASK = ("INSERT INTO task (id, flow, name, definition_id, cluster_id, ob_cluster_id, tenant_id, cluster_name, tenant_name, creator_id, "
        "creator_name, status, prohibit_rollback, executor, context, created_at) VALUES ({0}, 'none', 'task {0}', 1, {1}, {1}, {2}, 'c', 't', "
        "100, 'admin', 1, 0, '', '{{}}', NOW(6))")


@pytest.fixture(scope="module")
def inventory(world, mariadb_server):
    """Three clusters with tenants, tasks about them, and three hosts, as rows of MetaDB."""
    database = world.server.database
    for number in (12, 13, 14):
        mariadb_server.sql(CLUSTER.format(number, number), database=database.name)
        for tenant in (number * 100 + 3, number * 100 + 4):
            mariadb_server.sql(TENANT.format(number, tenant), database=database.name)
    for task, cluster, tenant in ((501, 12, -1), (502, 13, -1), (503, 13, 1303), (504, -1, -1)):
        mariadb_server.sql(TASK.format(task, cluster, tenant), database=database.name)
    api = world.api
    region = api.post("/api/v2/compute/regions", {"name": "north"}).data["id"]
    idc = api.post("/api/v2/compute/idcs", {"name": "n1", "regionId": region}).data["id"]
    kind = api.post("/api/v2/compute/hostTypes", {"name": "big"}).data["id"]
    login = api.post("/api/v2/profiles/me/credentials", {"targetType": "HOST", "name": "hosts", "sshCredentialProperty": {
        "type": "PASSWORD", "username": "admin", "passphrase": "secret"}}).data["id"]
    hosts = api.post("/api/v2/compute/hosts/batchCreate", {
        "idcId": idc, "typeId": kind, "kind": "DEDICATED_PHYSICAL_MACHINE", "sshPort": 22, "credentialId": login,
        "hostBasicDataList": [{"innerIpAddress": f"10.9.0.{n}"} for n in (1, 2, 3)]})
    return {"hosts": hosts.data["hostIds"]}


def ids(reply):
    assert reply.data["page"]["totalElements"] == len(reply.contents) if "page" in reply.data else True
    return sorted(row.get("id", row.get("clusterId")) for row in reply.contents)


CLUSTERS, TENANTS, TASKS = "/api/v2/ob/clusters", "/api/v2/ob/tenants", "/api/v2/tasks/instances"


@pytest.mark.parametrize("path,expressions,seen", [
    (CLUSTERS, ["CLUSTER:12:READ"], [12]),
    (CLUSTERS, ["CLUSTER:12:READ", "CLUSTER:14:*", "CLUSTER:13:UPDATE"], [12, 14]),
    (CLUSTERS, ["CLUSTER:*:READ"], [12, 13, 14]),
    (CLUSTERS, ["*"], [12, 13, 14]),
    (CLUSTERS + "/stats", ["CLUSTER:13:READ"], [13]),
    (TENANTS, ["CLUSTER:12:READ"], [1203, 1204]),
    (TENANTS, ["CLUSTER:12:TENANT:1204:READ", "TENANT:1303:READ"], [1204, 1303]),
    (TENANTS, ["CLUSTER:13:TENANT:1204:READ"], []),
    (TENANTS, ["CLUSTER:14:TENANT:*:*", "CLUSTER:12:TENANT:1203:UPDATE"], [1403, 1404]),
    (TENANTS, ["TENANT:*:READ"], [1203, 1204, 1303, 1304, 1403, 1404]),
    (CLUSTERS + "/12/tenants", ["TENANT:1204:READ"], [1204]),
    (CLUSTERS + "/12/tenants", ["CLUSTER:12:READ"], [1203, 1204]),
    (TASKS, ["CLUSTER:12:READ"], [501]),
    (TASKS, ["CLUSTER:13:READ"], [502, 503]),
    (TASKS, ["CLUSTER:13:TENANT:1303:READ"], [503]),
    (TASKS, ["TASK:504:READ", "CLUSTER:12:READ"], [501, 504]),
    (TASKS, ["CLUSTER:*:READ"], [501, 502, 503]),
    (TASKS, ["TENANT:*:READ"], [503]),
])
def test_lists_show_exactly_what_may_be_read(world, inventory, path, expressions, seen):
    api = world.holding(*expressions)
    found = ids(api.get(path, {"size": 100}) if path != CLUSTERS + "/stats" else api.get(path))
    assert [n for n in found if n < 10000] == seen
    if "stats" not in path and seen:
        first = api.get(path, {"size": 1})
        assert len(first.contents) == 1 and first.data["page"]["totalElements"] == len(seen)


def test_hosts_users_and_roles_by_object(world, inventory):
    first, second, third = inventory["hosts"]
    api = world.holding(f"HOST:{first}:*", f"HOST:{third}:READ")
    assert ids(api.get("/api/v2/compute/hosts")) == [first, third]
    api.get(f"/api/v2/compute/hosts/{third}").ok()
    api.get(f"/api/v2/compute/hosts/{second}").refused(403, 3100, f"HOST:{second}:READ")
    api.post("/api/v2/compute/hosts/batchDelete", {"hostIdList": [first, third]}).refused(403, 3100, f"HOST:{third}:DELETE")
    assert ids(world.api.get("/api/v2/compute/hosts")) == sorted(inventory["hosts"])
    users = world.api.get("/api/v2/iam/users", {"size": 2}).contents
    assert [u["id"] for u in world.holding(f"USER:{users[0]['id']}:READ").get("/api/v2/iam/users").contents] == [users[0]["id"]]
    assert [r["name"] for r in world.holding("ROLE:101:READ").get("/api/v2/iam/roles").contents] == ["PROFILE"]


def test_tasks_go_with_their_object(world, inventory):
    reader = world.holding("CLUSTER:13:READ")
    assert reader.get(f"{TASKS}/502").data["id"] == 502
    reader.get(f"{TASKS}/501").refused(403, 3100, "TASK:501:READ")
    reader.post(f"{TASKS}/502/retry").refused(403, 3100)
    world.holding("CLUSTER:13:UPDATE").post(f"{TASKS}/502/retry").refused(409, 4007)
    world.holding("TENANT:1303:READ").get(f"{TASKS}/503").ok()
    world.holding("TENANT:1303:READ").get(f"{TASKS}/502").refused(403)


def test_the_step_of_another_task_is_not_shown(world, inventory):
    """The log of a step is asked for through its task: another task's step is not there."""
    hosts_task = next(t for t in world.api.get(TASKS, {"size": 100}).contents if t["subtasks"])
    step = hosts_task["subtasks"][0]["id"]
    world.api.get(f"{TASKS}/{hosts_task['id']}/subtasks/{step}/log").ok()
    world.holding("TASK:501:READ").get(f"{TASKS}/501/subtasks/{step}/log").refused(404)


# -- roles that change ------------------------------------------------------------------------------------------------

def test_a_changed_role_counts_on_every_node_within_two_seconds(metadb):
    with two_of_three(metadb) as (a, b):
        api = a.api()
        role = api.post("/api/v2/iam/roles", {"name": "hosts_only", "permissions": ["HOST:*:READ"]}).data
        api.post("/api/v2/iam/users", {"username": "anna", "password": PASSWORD, "roles": [PROFILE, role["id"]]}).ok()
        one, two = a.api("anna", PASSWORD), b.api("anna", PASSWORD)
        for node in (one, two):
            node.get("/api/v2/compute/hosts").ok()
            node.get("/api/v2/ob/clusters").refused(403, 3100)
        api.patch(f"/api/v2/iam/roles/{role['id']}", {"permissions": ["CLUSTER:*:READ"]}).ok()
        for node in (one, two):
            wait_promised(lambda node=node: node.get("/api/v2/compute/hosts").status == 403, "the permission is gone", seconds=2)
            node.get("/api/v2/ob/clusters").ok()
        api.delete(f"/api/v2/iam/roles/{role['id']}").refused(409, 90205, "anna")
        api.patch(f"/api/v2/iam/users/{two.get('/api/v2/profiles/me').data['id']}", {"roles": [PROFILE]}).ok()
        wait_promised(lambda: two.get("/api/v2/ob/clusters").status == 403, "the role is gone", seconds=2)
        api.delete(f"/api/v2/iam/roles/{role['id']}").ok()


def test_roles_over_the_api(world):
    api = world.api
    api.post("/api/v2/iam/roles", {"name": "bad", "permissions": ["CLUSTER:1:WRITE"]}).refused(400, 3102, "CLUSTER:1:WRITE")
    api.post("/api/v2/iam/roles", {"name": "bad", "permissions": [""]}).refused(400, 3101)
    api.post("/api/v2/iam/roles", {"name": "bad", "permissions": []}).refused(400, 3101)
    api.post("/api/v2/iam/roles", {"name": "_bad", "permissions": ["HOST:READ"]}).refused(400, 3016)
    api.post("/api/v2/iam/roles", {"name": "Admin", "permissions": ["HOST:READ"]}).refused(409)
    api.patch(f"/api/v2/iam/roles/{PROFILE}", {"permissions": ["HOST:READ"]}).refused(403, 3103, "PROFILE")
    api.delete(f"/api/v2/iam/roles/{PROFILE}").refused(403, 3103, "PROFILE")
    copy = api.post("/api/v2/iam/roles/107/copy", {"name": "viewer_too"}).data
    assert copy["permissions"] == api.get("/api/v2/iam/roles/107").data["permissions"] and copy["builtin"] is False
    api.post(f"/api/v2/iam/roles/{ADMIN_ROLE}/copy", {"name": "second_admin"}).refused(400, 3102, "**")
    assert [r["name"] for r in api.get("/api/v2/iam/roles", {"name": "VIEWER_TOO"}).contents] == ["viewer_too"]
    assert all(r["builtin"] for r in api.get("/api/v2/iam/roles", {"builtin": True}).contents)
    user = api.post("/api/v2/iam/users", {"username": "viewing", "password": PASSWORD, "roles": [copy["id"], copy["id"], PROFILE]}).data
    assert [r["name"] for r in user["roles"]] == ["viewer_too", "PROFILE"]
    assert [u["username"] for u in api.get("/api/v2/iam/users", {"roleId": copy["id"]}).contents] == ["viewing"]
    api.patch(f"/api/v2/iam/users/{user['id']}", {"roles": [copy["id"], 987654321]}).refused(400, naming="roles")


def test_nobody_widens_what_they_may_do(world):
    api = world.api
    own = api.post("/api/v2/iam/roles", {"name": "keeper", "permissions": ["USER:*:*", "ROLE:*:*"]}).data
    user = api.post("/api/v2/iam/users", {"username": "keeper", "password": PASSWORD, "roles": [own["id"]]}).data
    keeper = api.as_user("keeper", PASSWORD)
    keeper.patch(f"/api/v2/iam/roles/{own['id']}", {"permissions": ["HOST:*:*"]}).refused(403, 3017)
    keeper.patch(f"/api/v2/iam/users/{user['id']}", {"roles": [106]}).refused(403, 3017)
    keeper.post("/api/v2/iam/users", {"username": "helper", "password": PASSWORD, "roles": [ADMIN_ROLE]}).refused(403, 3017)
    keeper.post("/api/v2/iam/roles", {"name": "all_of_it", "permissions": ["*"]}).refused(403, 3017)
    keeper.post("/api/v2/iam/users/100/resetPassword", {"password": PASSWORD}).refused(403, 3017)
    keeper.post(f"/api/v2/iam/users/{user['id']}/lock").refused(403)
    keeper.delete(f"/api/v2/iam/users/{user['id']}").refused(403, 3108)


def test_users_are_complete(world):
    api = world.api
    user = api.post("/api/v2/iam/users", {"username": "whole", "password": PASSWORD, "email": "w@example.com", "phone": "+49 (30) 1-2",
                                          "department": "DBA", "needChangePassword": True}).data
    assert (user["phone"], user["department"], user["needChangePassword"], user["locked"]) == ("+49 (30) 1-2", "DBA", True, False)
    path = f"/api/v2/iam/users/{user['id']}"
    api.patch(path, {"email": "no address"}).refused(400, naming="email")
    api.patch(path, {"phone": "ring me"}).refused(400, naming="phone")
    assert [u["username"] for u in api.get("/api/v2/iam/users", {"keyword": "dba"}).contents] == ["whole"]
    assert api.post(path + "/lock").data["locked"] is True
    api.as_user("whole", PASSWORD).get("/api/v2/profiles/me").refused(401, 3003)
    assert [u["username"] for u in api.get("/api/v2/iam/users", {"locked": True}).contents] == ["whole"]
    assert api.post(path + "/unlock").data["locked"] is False
    api.as_user("whole", PASSWORD).get("/api/v2/profiles/me").ok()
    api.post("/api/v2/iam/users/100/lock").refused(403, 3107)
    api.delete("/api/v2/iam/users/100").refused(403)
    api.delete(path).ok()


# -- ways around -----------------------------------------------------------------------------------------------------

def raw_status(world, target, method="GET"):
    """The status of a request whose target is sent as it is; None when the server ends the connection instead."""
    token = base64.b64encode(f"{world.holding().user}:{PASSWORD}".encode()).decode()
    with Http1(socket.create_connection((world.server.host, world.server.port))) as wire:
        try:
            return wire.get(target, method, f"Authorization: Basic {token}\r\nConnection: close\r\n").status
        except Closed:
            return None


def tricks(path):
    head, _, tail = path.rpartition("/")
    yield path.replace("/", "//", 1)
    yield path.replace("/", "%2f")
    yield head + "%2F" + tail
    yield head + "/./" + tail
    yield head + "/x/../" + tail
    yield head + "/%2e/" + tail
    yield head + "/x/%2e%2e/" + tail
    yield path.upper()
    yield path + "."
    yield path + "/"
    yield path + ";a=b"
    yield path + "%00"
    yield path + "%20"
    yield "/api/v2/time/../.." + path
    yield path.replace(str(MINE), "+" + str(MINE))
    yield path.replace(str(MINE), "-1")
    yield path.replace(str(MINE), "0" * 30 + str(MINE))
    yield path.replace(str(MINE), "9223372036854775808")
    yield path.replace(str(MINE), "99999999999999999999999999")
    yield path.replace(str(MINE), str(MINE) + ".0")
    yield path.replace(str(MINE), "0x1")


def test_no_spelling_of_a_path_gets_around(world):
    """A user with the profile only never gets 200 or 500 from another spelling of a path that needs more."""
    wrong = []
    for row in world.rows:
        if is_open(row) or row["permission"].startswith("PROFILE:") or row["id"] in NOT_TO_CALL:
            continue
        for target in tricks(path_of(row)):
            status = raw_status(world, target, row["method"])
            if status is not None and status not in (400, 403, 404, 405):
                wrong.append(f"{row['method']} {target} -> {status}")
    assert not wrong, "\n".join(wrong)


READ_ONLY = {"id": 1, "createTime": "2001-01-01T00:00:00Z", "credentialVersion": 0, "passwordHash": "x", "isAdmin": True, "builtin": True,
             "user_id": 100, "userId": 100, "roles_": [100], "enabled_": False, "__proto__": {"admin": True}, "locked": True}


def test_members_that_nobody_may_set_are_passed_over(world):
    """Unknown and read-only members of any body change nothing: the reply is the same as without them, and no server error."""
    wrong = []
    for row in world.rows:
        route = world.documented.get(row["id"])
        if route is None or route.body is None or row["id"] in NOT_TO_CALL:
            continue
        body = openapi.plausible(route.body)
        if not isinstance(body, dict):
            continue
        known = route.body.get("properties", {})
        more = {**{k: v for k, v in READ_ONLY.items() if k not in known}, **body}
        plain, laden = (world.api.call(row["method"], path_of(row), b) for b in (body, more))
        if laden.status >= 500 and plain.status < 500:
            wrong.append(str(laden))
    user = world.api.post("/api/v2/iam/users", {"username": "laden", "password": PASSWORD, "id": 7, "builtin": True, "locked": True,
                                                "credentialVersion": 99, "createTime": "2001-01-01T00:00:00Z"}).data
    assert user["id"] > 1000 and user["locked"] is False and user["createTime"] > "2002" and [r["id"] for r in user["roles"]] == [PROFILE]
    me = world.api.as_user("laden", PASSWORD)
    after = me.patch("/api/v2/profiles/me", {"description": "x", "roles": [ADMIN_ROLE], "enabled": True, "username": "admin"}).data
    assert after["username"] == "laden" and [r["id"] for r in after["roles"]] == [PROFILE]
    assert not wrong, "\n".join(wrong)


HOSTILE = ["x" * 10000, "a\x00b", "\x01\x02\x1b[31m", "' OR 1=1 -- ", "\"; DROP TABLE user; --", "${jndi:ldap://x}", "../../etc/passwd", "<script>",
           "𝕏" * 200, "\u202e", "%s%n%s", "-1", "9" * 40]


def test_hostile_values_are_answered(world):
    """Long, controlling and quoting values in every text member and parameter end in an answer below 500, and the server lives on."""
    chosen, wrong = random.Random(7), []
    for row in world.rows:
        route = world.documented.get(row["id"])
        if route is None or row["id"] in NOT_TO_CALL or row["permission"] == "public":
            continue
        for field in route.fields():
            for value in chosen.sample(HOSTILE, 3):
                if field.where == "query":
                    reply = world.api.call(row["method"], path_of(row), query={field.name: value})
                elif not isinstance(route.body, dict) or "string" not in str(field.schema.get("type")):
                    continue
                else:
                    reply = world.api.call(row["method"], path_of(row), openapi.body_with(route.body, field.trail, value))
                if reply.status >= 500:
                    wrong.append(f"{field.name}={value[:30]!r}: {str(reply)[:400]}")
    assert not wrong, "\n".join(wrong)


def test_bytes_that_are_no_text_are_refused(world):
    for body in (b'{"name":"\xff\xfe"}', b'{"name":"a\x00b"}', b'{"name":"\xed\xa0\x80"}', b"\x00", b'{"name":"\\u0000x"}', b'{"name":"\\ud800"}'):
        reply = world.api.call("POST", "/api/v2/compute/regions", body, headers={"Content-Type": "application/json"})
        assert reply.status == 400, str(reply)


# -- what does not compile -------------------------------------------------------------------------------------------

ROW = """#include "api/route.h"
static int handle(struct call *c, struct err *e)
{
    (void)c;
    return e == NULL;
}
extern const struct route rows[];
const struct route rows[] = { ROUTE("id", "GET", "/api/v2/things", %s handle, REPLY_NONE, ROUTE_OWN, %s), ROUTE_END };
"""


@pytest.mark.parametrize("permission,doc,compiles", [
    ('"HOST:*:READ",', '"Sentence."', True), ("", '"Sentence."', False), ("NULL,", '"Sentence."', False), ('"",', '"Sentence."', False),
    ('(const char *)0,', '"Sentence."', False), ('"HOST:*:READ",', '""', False),
])
def test_a_route_without_a_permission_does_not_compile(tmp_path, permission, doc, compiles):
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler")
    source = tmp_path / "row.c"
    source.write_text(ROW % (permission, doc), encoding="utf-8")
    done = subprocess.run([compiler, "-std=gnu11", "-D_GNU_SOURCE", "-fsyntax-only", "-iquote", CHECKOUT, source], capture_output=True, text=True,
                          timeout=60, check=False)
    assert (done.returncode == 0) is compiles, done.stderr
