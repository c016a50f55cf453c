# SPDX-License-Identifier: Apache-2.0
"""Inside the tenant of a real OceanBase kernel: databases, users, roles, privileges, parameters, and connections that die in the middle.

What lies inside a tenant is tried in one of a simulated OceanBase 4.x cluster as well (BOTH)."""
import contextlib
import threading

import pymysql
import pytest

from lib.py.obsim import Obsim
from lib.py.obtenant import SimulatedTenant
from lib.py.process import wait_until

CLUSTERS = "/api/v2/ob/clusters"
TENANT_VIEWER = 119


def finish(api, task):
    wait_until(lambda: api.get(f"/api/v2/tasks/{task['id']}").data["status"] == "SUCCESSFUL", f"task {task['id']} succeeds")


def take_over(api, kernel, **more):
    """Id of the cluster after its take-over."""
    started = api.post(f"{CLUSTERS}/takeOver", {"rootSysPassword": kernel.password, "address": kernel.host, "port": kernel.port, **more}).data
    finish(api, started)
    return started["clusterId"]


class Tenant:
    """The tenant of a cluster that is managed here; `api` may be another user's."""

    def __init__(self, api, cluster, kernel, name="sys"):
        [tenant] = [t for t in api.get(f"{CLUSTERS}/{cluster}/tenants", {"size": 100}).contents if t["name"] == name]
        self.api, self.kernel, self.cluster, self.id, self.name = api, kernel, cluster, tenant["id"], name
        self.path = f"{CLUSTERS}/{cluster}/tenants/{self.id}"

    def get(self, path="", **more):
        return self.api.get(self.path + path, **more)

    def post(self, path, body=None):
        return self.api.post(self.path + path, body)

    def put(self, path, body):
        return self.api.put(self.path + path, body)

    def delete(self, path):
        return self.api.delete(self.path + path)

    def make_user(self, name, password="User-1234", **more):
        return self.post("/users", {"username": name, "password": password, **more}).data

    def databases(self):
        return [d["dbName"] for d in self.get("/databases").contents]

    def parameter(self, name):
        [found] = [p for p in self.get("/parameters").contents if p["name"] == name]
        return found


@pytest.fixture(scope="module")
def managed_cluster(ocp_server, seekdb_pair):
    """Id of a cluster while the tests of this file run."""
    cluster = take_over(ocp_server.api(), seekdb_pair[1])
    yield cluster
    api = ocp_server.api()
    finish(api, api.post(f"{CLUSTERS}/{cluster}/moveOut", {}).data)


def is_simulated(tenant):
    """Then what accounts may do with data cannot be tried: there is none."""
    return isinstance(tenant.kernel, SimulatedTenant)


@pytest.fixture(scope="module")
def simulated(ocp_server):
    """Id of a managed cluster, and its tenant, while the tests of this file run."""
    with Obsim(zones=3, tenants=1) as sim:
        cluster = take_over(ocp_server.api(), sim)
        yield cluster, SimulatedTenant(sim, "tenant1")
        api = ocp_server.api()
        finish(api, api.post(f"{CLUSTERS}/{cluster}/moveOut", {}).data)


BOTH = pytest.mark.parametrize("tenant", ["seekdb", "obsim"], indirect=True)


@pytest.fixture
def tenant(request, ocp_server):
    if getattr(request, "param", "seekdb") == "obsim":
        cluster, kernel = request.getfixturevalue("simulated")
        return Tenant(ocp_server.api(), cluster, kernel, kernel.name)
    return Tenant(ocp_server.api(), request.getfixturevalue("managed_cluster"), request.getfixturevalue("seekdb_pair")[1])


@pytest.fixture
def user(tenant):
    """Makes users that are gone after the test."""
    made = []

    def make(name, **more):
        made.append(name)
        return tenant.make_user(name, **more)
    yield make
    for name in made:
        tenant.delete(f"/users/{name}")


@pytest.fixture
def role(tenant):
    made = []

    def make(name, **more):
        made.append(name)
        return tenant.post("/roles", {"roleName": name, **more}).data
    yield make
    for name in made:
        tenant.delete(f"/roles/{name}")


@pytest.fixture
def database(tenant):
    made = []

    def make(name, **more):
        made.append(name)
        return tenant.post("/databases", {"dbName": name, "readonly": False, **more}).data
    yield make
    for name in made:
        tenant.delete(f"/databases/{name}")


def login(kernel, name, password="User-1234", **more):
    return contextlib.closing(kernel.connect(user=name, password=password, **more))


def can(kernel, name, statement, password="User-1234"):
    """Whether the user may run the statement."""
    try:
        with login(kernel, name, password) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return True
    except pymysql.err.OperationalError as error:
        assert error.args[0] in (1044, 1045, 1142, 1227, 1370, 3118), error    # no privilege, wrong password, locked
        return False


# -- tenants ------------------------------------------------------------------------------------------------------

def test_tenant_as_the_kernel_names_it(tenant):
    one = tenant.get().data
    assert (one["name"], one["mode"], one["status"], one["engine"]) == ("sys", "MYSQL", "NORMAL", "SEEKDB")
    assert one["zoneList"] == one["primaryZone"] == one["zones"][0]["name"] and one["locality"] == f"FULL{{1}}@{one['zoneList']}"
    assert one["locked"] is False and one["readonly"] is False and one["sqlAuditEnabled"] is False
    assert one["whitelist"] and one["charset"] == "utf8mb4" and one["obTenantId"] == 1
    assert one["connectionStrings"] == [{"type": "DIRECT", "connectionString":
                                         f"obclient -h{tenant.kernel.host} -P{tenant.kernel.port} -uroot@sys -p"}]
    [unit] = tenant.get("/units").contents
    assert one["zones"][0]["units"] == [unit] and unit["serverIp"] == tenant.kernel.host
    assert tenant.get("/units", query={"zoneName": "elsewhere"}).contents == []


def test_lists_of_tenants(tenant):
    api = tenant.api
    assert [t["id"] for t in api.get("/api/v2/ob/tenants", {"name": "sy", "mode": "MYSQL", "status": "NORMAL", "locked": False}).contents
            if t["clusterId"] == tenant.cluster] == [tenant.id]
    assert api.get("/api/v2/ob/tenants", {"mode": "ORACLE"}).contents == []
    assert api.get("/api/v2/ob/tenants", {"readonly": True}).contents == []
    api.get("/api/v2/ob/tenants", {"mode": "SYBASE"}).refused(400, 1001, "mode")
    api.get(f"{CLUSTERS}/{tenant.cluster}/tenants", {"status": "ASLEEP"}).refused(400, 1001, "status")
    api.get(f"{CLUSTERS}/999999/tenants").refused(404, 11001)
    api.get(f"{CLUSTERS}/{tenant.cluster}/tenants/999999").refused(404, 15023)


def test_the_only_tenant_is_never_locked(tenant):
    for verb in ("lock", "unlock"):
        tenant.post(f"/{verb}").refused(409, 15025, "sys")
    assert tenant.get().data["locked"] is False


# -- databases ----------------------------------------------------------------------------------------------------

@BOTH
def test_database_lives(tenant, database, user):
    made = database("life_db", collation="utf8mb4_bin")
    assert (made["charset"], made["collation"], made["readonly"]) == ("utf8mb4", "utf8mb4_bin", False)
    assert made["id"] > 0 and made["createTime"] and made["primaryZone"]
    urls = [url["connectionString"] for url in made["connectionUrls"]]
    assert f"jdbc:oceanbase://{tenant.kernel.host}:{tenant.kernel.port}/life_db" in urls and {u["type"] for u in made["connectionUrls"]} == {"DIRECT"}
    changed = tenant.put("/databases/life_db", {"collation": "utf8mb4_general_ci", "readonly": True}).data
    assert (changed["collation"], changed["readonly"]) == ("utf8mb4_general_ci", True)
    user("life_db_owner", dbPrivileges=[{"dbName": "life_db", "privileges": ["CREATE"]}])
    if not is_simulated(tenant):
        with login(tenant.kernel, "life_db_owner") as connection, pytest.raises(pymysql.err.MySQLError, match="read only"):
            connection.query("CREATE TABLE life_db.t (a INT)")
    assert tenant.put("/databases/life_db", {"readonly": False}).data["readonly"] is False
    assert can(tenant.kernel, "life_db_owner", "CREATE TABLE life_db.t (a INT)")
    tenant.delete("/databases/life_db").ok()
    tenant.delete("/databases/life_db").refused(404, 15202, "life_db")
    assert "life_db" not in tenant.databases()


@BOTH
def test_database_refusals(tenant, database):
    database("Taken_Db")
    assert "taken_db" in tenant.databases(), "this kernel keeps names in lower case"
    new = {"readonly": False}
    tenant.post("/databases", {"dbName": "taken_db", **new}).refused(409, 15201, "taken_db")
    for name in ("x", "1abc", "a-b", "a`b", "n" * 129):
        tenant.post("/databases", {"dbName": name, **new}).refused(400, 15200)
    tenant.post("/databases", {"dbName": "gone_db", "collation": "klingon_ci", **new}).refused(400, 15205, "klingon_ci")
    tenant.post("/databases", {"dbName": "gone_db", "primaryZone": "mars", **new}).refused(400, 15032, "mars")
    assert "gone_db" not in tenant.databases()
    tenant.put("/databases/taken_db", {}).refused(400, 15203)
    tenant.put("/databases/no_such_db", {"readonly": True}).refused(404, 15202)
    for system in ("oceanbase", "information_schema", "mysql"):
        tenant.put(f"/databases/{system}", {"readonly": True}).refused(400, 15204, system)
        tenant.delete(f"/databases/{system}").refused(400, 15204, system)
    assert not [name for name in tenant.databases() if name.startswith("__")]


@BOTH
def test_database_with_an_odd_name_from_elsewhere(tenant):
    tenant.kernel.sql("CREATE DATABASE `odd name``?`")
    assert "odd name`?" in tenant.databases()
    tenant.delete("/databases/odd%20name%60%3F").ok()
    assert "odd name`?" not in tenant.databases()


# -- users --------------------------------------------------------------------------------------------------------

@BOTH
def test_user_lives(tenant, user):
    made = user("life_user", globalPrivileges=["SELECT", "create_view"], dbPrivileges=[{"dbName": "test", "privileges": ["INSERT"]}])
    assert made["globalPrivileges"] == ["CREATE_VIEW", "SELECT"] and made["isLocked"] is False
    assert "createTime" in made or is_simulated(tenant), "only inner tables know it, which not every kernel shows"
    assert made["dbPrivileges"] == [{"dbName": "test", "privileges": ["INSERT"]}]
    assert "test" in made["accessibleDatabases"] and "mysql" in made["accessibleDatabases"]
    assert made["connectionStrings"][0]["connectionString"].endswith(f"-ulife_user@{tenant.name} -p")
    assert can(tenant.kernel, "life_user", "SELECT 1")
    tenant.post("/users/life_user/lock").ok()
    assert not can(tenant.kernel, "life_user", "SELECT 1")
    tenant.post("/users/life_user/lock").ok()
    tenant.post("/users/life_user/unlock").ok()
    tenant.post("/users/life_user/changePassword", {"newPassword": "Other-5678"}).ok()
    assert not can(tenant.kernel, "life_user", "SELECT 1") and can(tenant.kernel, "life_user", "SELECT 1", "Other-5678")
    tenant.post("/users", {"username": "life_user", "password": "User-1234"}).refused(409, 15251, "life_user")
    assert can(tenant.kernel, "life_user", "SELECT 1", "Other-5678"), "a refused creation changes nothing"
    tenant.delete("/users/life_user").ok()
    tenant.delete("/users/life_user").refused(404, 15252)
    tenant.get("/users/life_user").refused(404, 15252)


@BOTH
def test_user_refusals(tenant):
    good = {"username": "refused", "password": "User-1234"}
    tenant.post("/users", {**good, "username": "9lives"}).refused(400, 15250)
    tenant.post("/users", {**good, "username": "u" * 100}).refused(400, 15250)
    tenant.post("/users", {**good, "password": "short"}).refused(400, 15034)
    tenant.post("/users", {**good, "globalPrivileges": ["FLY"]}).refused(400, 15255, "FLY")
    tenant.post("/users", {**good, "globalPrivileges": ["SELECT ON *.* TO root; --"]}).refused(400, 15255)
    tenant.post("/users", {**good, "dbPrivileges": [{"dbName": "test", "privileges": ["SUPER"]}]}).refused(400, 15255, "SUPER")
    tenant.post("/users", {**good, "dbPrivileges": [{"dbName": "nowhere", "privileges": ["SELECT"]}]}).refused(404, 15202, "nowhere")
    tenant.post("/users", {**good, "roles": ["nobody"]}).refused(404, 15302, "nobody")
    tenant.get("/users/refused").refused(404, 15252)       # all or nothing
    for path in ("/lock", "/unlock", "/changePassword", "/grantGlobalPrivilege", "/modifyRole"):
        body = {"newPassword": "User-1234", "globalPrivileges": ["SELECT"], "roles": []}
        tenant.post(f"/users/nobody{path}", body).refused(404, 15252, "nobody")
    assert tenant.kernel.sql("SELECT COUNT(*) AS n FROM mysql.user WHERE user IN ('nobody', 'refused')") == [{"n": 0}]


@BOTH
def test_root_is_protected(tenant):
    assert "root" in [u["username"] for u in tenant.get("/users").contents]
    tenant.delete("/users/root").refused(403, 15253, "root")
    tenant.post("/users/root/lock").refused(403, 15253)
    tenant.post("/users/root/modifyGlobalPrivilege", {"globalPrivileges": []}).refused(403, 15253)
    tenant.post("/users", {"username": "root", "password": "User-1234"}).refused(409, 15251)
    assert tenant.kernel.sql("SELECT 1 AS one") == [{"one": 1}]


@BOTH
def test_users_and_roles_are_not_mixed_up(tenant, user, role):
    user("is_user")
    role("is_role")
    tenant.delete("/roles/is_user").refused(404, 15302)
    tenant.delete("/users/is_role").refused(404, 15252)
    tenant.post("/users/is_role/lock").refused(404, 15252)
    tenant.post("/roles", {"roleName": "is_user"}).refused(409, 15301)
    tenant.post("/users", {"username": "is_role", "password": "User-1234"}).refused(409, 15251)
    assert "is_role" not in [u["username"] for u in tenant.get("/users").contents]
    assert [r["name"] for r in tenant.get("/roles").contents] == ["is_role"]


@BOTH
def test_only_accounts_of_any_host_are_shown(tenant, user):
    user("two_hosts")
    tenant.kernel.sql("CREATE USER 'two_hosts'@'10.%' IDENTIFIED BY 'x'")
    tenant.kernel.sql("GRANT FILE ON *.* TO 'two_hosts'@'10.%'")
    try:
        assert tenant.get("/users/two_hosts").data["globalPrivileges"] == []
        assert [u["username"] for u in tenant.get("/users").contents].count("two_hosts") == 1
    finally:
        tenant.kernel.sql("DROP USER 'two_hosts'@'10.%'")


@BOTH
def test_saved_passwords(tenant, user):
    user("saved_user", saveToCredential=True)
    found = [c for c in tenant.api.get("/api/v2/profiles/me/credentials", {"targetType": "OB"}).contents if c["name"].endswith(f":{tenant.name}:saved_user")]
    assert len(found) == 1 and "User-1234" not in str(found)
    tenant.api.delete(f"/api/v2/profiles/me/credentials/{found[0]['id']}").ok()


# -- privileges ---------------------------------------------------------------------------------------------------

def privileges_in(tenant, name, database):
    return {p for d in tenant.get(f"/users/{name}").data["dbPrivileges"] if d["dbName"] == database for p in d["privileges"]}


def test_an_underscore_opens_no_other_database(tenant, user, database):
    for name in ("a_b", "axb"):
        database(name)
        tenant.kernel.sql(f"CREATE TABLE {name}.t (a INT)")
    user("underscored", dbPrivileges=[{"dbName": "a_b", "privileges": ["SELECT"]}])
    assert can(tenant.kernel, "underscored", "SELECT * FROM a_b.t")
    assert not can(tenant.kernel, "underscored", "SELECT * FROM axb.t")
    assert privileges_in(tenant, "underscored", "a_b") == {"SELECT"}
    assert tenant.get("/users/underscored").data["accessibleDatabases"] == ["a_b"]


@BOTH
def test_patterns_granted_by_others(tenant, user, database):
    database("p_q")
    tenant.kernel.sql("CREATE TABLE p_q.t (a INT)")
    user("patterned")
    tenant.kernel.sql("GRANT SELECT, INSERT ON `p_q`.* TO patterned")
    assert privileges_in(tenant, "patterned", "p_q") == {"SELECT", "INSERT"}
    one = {"dbPrivileges": [{"dbName": "p_q", "privileges": ["DELETE"]}]}
    tenant.post("/users/patterned/grantDbPrivilege", one).ok()
    assert privileges_in(tenant, "patterned", "p_q") == {"SELECT", "INSERT", "DELETE"}
    for statement in () if is_simulated(tenant) else ("SELECT * FROM p_q.t", "INSERT INTO p_q.t VALUES (1)", "DELETE FROM p_q.t"):
        assert can(tenant.kernel, "patterned", statement), "the exact entry must not hide what the pattern gives"
    tenant.post("/users/patterned/modifyDbPrivilege", {"dbPrivileges": []}).ok()
    assert tenant.get("/users/patterned").data["dbPrivileges"] == []
    assert is_simulated(tenant) or not can(tenant.kernel, "patterned", "SELECT * FROM p_q.t")


@BOTH
def test_modify_takes_away_other_databases(tenant, user, database):
    database("first_db"), database("second_db")
    user("modified", dbPrivileges=[{"dbName": n, "privileges": ["SELECT", "INDEX"]} for n in ("first_db", "second_db")])
    tenant.post("/users/modified/modifyDbPrivilege", {"dbPrivileges": [{"dbName": "FIRST_DB", "privileges": ["INDEX", "UPDATE"]}]}).ok()
    assert tenant.get("/users/modified").data["dbPrivileges"] == [{"dbName": "first_db", "privileges": ["INDEX", "UPDATE"]}]
    tenant.post("/users/modified/modifyDbPrivilege", {}).refused(400, 1001, "dbPrivileges")
    assert privileges_in(tenant, "modified", "first_db") == {"INDEX", "UPDATE"}, "a missing list is no empty one"
    tenant.post("/users/modified/grantDbPrivilege", {"dbPrivileges": [{"dbName": "nowhere", "privileges": ["SELECT"]}]}).refused(404, 15202)


@BOTH
def test_grant_option(tenant, user):
    user("grantor", globalPrivileges=["SELECT"])
    tenant.post("/users/grantor/grantGlobalPrivilege", {"globalPrivileges": ["GRANT_OPTION"]}).ok()
    assert tenant.get("/users/grantor").data["globalPrivileges"] == ["GRANT_OPTION", "SELECT"]
    tenant.post("/users/grantor/modifyGlobalPrivilege", {"globalPrivileges": ["GRANT_OPTION"]}).ok()
    assert tenant.get("/users/grantor").data["globalPrivileges"] == ["GRANT_OPTION"]
    tenant.post("/users/grantor/revokeGlobalPrivilege", {"globalPrivileges": ["GRANT_OPTION", "SELECT"]}).ok()
    assert tenant.get("/users/grantor").data["globalPrivileges"] == []


@BOTH
def test_privileges_on_objects(tenant, user, database):
    database("obj_db")
    for statement in ("CREATE TABLE obj_db.t (a INT)", "CREATE VIEW obj_db.v AS SELECT 1 AS a", "CREATE PROCEDURE obj_db.p() BEGIN SELECT 1; END"):
        tenant.kernel.sql(statement)
    listed = [o for o in tenant.get("/objects").contents if o["schemaName"] == "obj_db"]
    assert listed == [{"objectType": kind, "objectName": name, "schemaName": "obj_db", "fullName": f"obj_db.{name}"}
                      for name, kind in (("p", "STORED_PROCEDURE"), ("t", "TABLE"), ("v", "VIEW"))]
    user("objective")

    def change(verb, *items):
        body = [{"privileges": p, "object": {"objectType": kind, "objectName": name, "schemaName": "obj_db"}} for kind, name, p in items]
        return tenant.post(f"/users/objective/{verb}ObjectPrivilege", {"objectPrivileges": body})

    def have():
        return {o["dbObject"]["objectName"]: (o["dbObject"]["objectType"], o["privileges"])
                for o in tenant.get("/users/objective").data["objectPrivileges"]}
    change("grant", ("TABLE", "t", ["SELECT", "UPDATE"]), ("VIEW", "v", ["SELECT"]), ("STORED_PROCEDURE", "p", ["EXECUTE"])).ok()
    assert have() == {"t": ("TABLE", ["SELECT", "UPDATE"]), "v": ("VIEW", ["SELECT"]), "p": ("STORED_PROCEDURE", ["EXECUTE"])}
    if not is_simulated(tenant):
        assert can(tenant.kernel, "objective", "CALL obj_db.p()") and can(tenant.kernel, "objective", "SELECT * FROM obj_db.v")
    change("modify", ("TABLE", "t", ["DELETE"]), ("STORED_PROCEDURE", "p", [])).ok()
    assert have() == {"t": ("TABLE", ["DELETE"]), "v": ("VIEW", ["SELECT"])}
    change("revoke", ("TABLE", "t", ["DELETE", "INSERT"])).ok()
    assert set(have()) == {"v"}
    change("grant", ("TABLE", "t", ["EXECUTE"])).refused(400, 15258, "EXECUTE")
    change("grant", ("TABLE", "nothing", ["SELECT"])).refused(404, 90603, "obj_db.nothing")
    change("grant", ("TABEL", "t", ["SELECT"])).refused(400, 1001, "objectType")


# -- roles --------------------------------------------------------------------------------------------------------

def test_roles_are_in_force_at_the_next_login(tenant, user, role):
    role("reader", globalPrivileges=["SELECT"])
    user("reading", roles=["reader"])
    assert tenant.get("/users/reading").data["grantedRoles"] == ["reader"]
    assert can(tenant.kernel, "reading", "SELECT * FROM mysql.user")
    tenant.post("/users/reading/revokeRole", {"roles": ["reader"]}).ok()
    assert not can(tenant.kernel, "reading", "SELECT * FROM mysql.user")


@BOTH
def test_roles_of_roles(tenant, user, role):
    role("outer_role"), role("inner_role"), role("third_role")
    user("role_user")
    tenant.post("/roles/outer_role/grantRole", {"roles": ["inner_role"]}).ok()
    tenant.post("/users/role_user/grantRole", {"roles": ["inner_role", "inner_role"]}).ok()
    inner = tenant.get("/roles/inner_role").data
    assert (inner["userGrantees"], inner["roleGrantees"], inner["grantedRoles"]) == (["role_user"], ["outer_role"], [])
    assert {"createTime", "updateTime"} <= set(inner) or is_simulated(tenant)
    if not is_simulated(tenant):
        tenant.post("/roles/inner_role/grantRole", {"roles": ["outer_role"]}).refused(400, 11080)   # a circle
    tenant.post("/roles/outer_role/modifyRole", {"roles": ["third_role"]}).ok()
    assert tenant.get("/roles/outer_role").data["grantedRoles"] == ["third_role"]
    tenant.post("/roles/outer_role/grantRole", {"roles": ["no_such_role"]}).refused(404, 15302, "no_such_role")
    tenant.post("/roles", {"roleName": "r" * 31}).refused(400, 15300)


# -- parameters ---------------------------------------------------------------------------------------------------

def test_parameters(tenant):
    one = tenant.parameter("ob_query_timeout")
    assert one["valueRange"]["type"] == "INT" and one["compatibleType"] == "MYSQL" and one["parameterType"] == "OB_SYSTEM_VARIABLE"
    assert tenant.parameter("autocommit")["valueRange"] == {"type": "BOOL", "allowedValues": "ON,OFF"}
    assert tenant.parameter("collation_server")["currentValue"].startswith("utf8mb4_")
    assert tenant.parameter("version")["readonly"] is True and one["readonly"] is False
    tenant.put("/parameters", [{"name": "recyclebin", "value": "ON"}, {"name": "ob_trx_timeout", "value": 87654321}]).ok()
    assert (tenant.parameter("recyclebin")["currentValue"], tenant.parameter("ob_trx_timeout")["currentValue"]) == ("ON", "87654321")
    tenant.put("/parameters", [{"name": n, "value": tenant.parameter(n)["defaultValue"]} for n in ("recyclebin", "ob_trx_timeout")]).ok()
    assert tenant.parameter("recyclebin")["currentValue"] == "OFF"
    done = tenant.get("/parameterHistories", query={"name": "recyclebin"}).contents
    assert [(d["oldValue"], d["newValue"], d["outcome"], d["username"]) for d in done] == [
        ("ON", "OFF", "SUCCESSFUL", tenant.api.user), ("OFF", "ON", "SUCCESSFUL", tenant.api.user)]


def test_parameter_refusals(tenant):
    tenant.put("/parameters", [{"name": "ob_trx_timeout", "value": 1234567}, {"name": "no_such_thing", "value": 1}]).refused(404, 15060)
    assert tenant.parameter("ob_trx_timeout")["currentValue"] != "1234567", "all names are checked first"
    tenant.put("/parameters", [{"name": "version", "value": "9"}]).refused(400, 15061, "version")
    tenant.put("/parameters", [{"name": "ob_trx_timeout", "value": "soon"}]).refused(400, 90406, "ob_trx_timeout")


def test_whitelist_that_would_shut_ocp_out(tenant):
    for whitelist in ("10.0.0.0/8", "192.168.%"):
        tenant.post("/modifyWhitelist", {"whitelist": whitelist}).refused(400, 90602, "127.0.0.1")
        tenant.put("/parameters", [{"name": "ob_tcp_invited_nodes", "value": whitelist}]).refused(400, 90602)
    tenant.post("/modifyWhitelist", {"whitelist": "localhost"}).refused(400, 90601, "localhost")
    tenant.post("/modifyWhitelist", {"whitelist": "127.0.0.1," + "%" * 65535}).refused(400, 15033)
    assert tenant.get().data["whitelist"] == "127.0.0.1"


def test_password_of_the_administrator(tenant):
    old = tenant.kernel.password
    tenant.post("/changePassword", {"newPassword": "weak"}).refused(400, 15034)
    tenant.post("/changePassword", {"newPassword": "Root-changed-1"}).ok()
    tenant.kernel.password = "Root-changed-1"
    assert tenant.kernel.sql("SELECT 1 AS one") == [{"one": 1}]
    assert tenant.databases(), "OCP logs in with the new one"
    assert [c for c in tenant.api.get("/api/v2/profiles/me/credentials", {"targetType": "OB"}).contents if c["name"].endswith(":sys:root")]
    tenant.post("/users/root/changePassword", {"newPassword": "Root-changed-2", "saveToCredential": False}).ok()
    tenant.kernel.password = "Root-changed-2"
    assert tenant.databases()
    if old != tenant.kernel.password:
        assert not can(tenant.kernel, "root", "SELECT 1", old)


# -- who may ------------------------------------------------------------------------------------------------------

def test_viewers_change_nothing(tenant):
    name = "tenant.viewer"
    tenant.api.post("/api/v2/iam/users", {"username": name, "password": "First-1234x", "roles": [TENANT_VIEWER, 101]}).ok()
    viewer = tenant.api.as_user(name, "First-1234x")
    viewer.post("/api/v2/profiles/me/changePassword", {"currentPassword": "First-1234x", "newPassword": "Second-1234"}).ok()
    viewer = viewer.as_user(name, "Second-1234")
    seen = Tenant(viewer, tenant.cluster, tenant.kernel)
    for path in ("", "/databases", "/users", "/users/root", "/roles", "/objects", "/parameters", "/units"):
        seen.get(path).ok()
    for path, body in (("/databases", {"dbName": "viewed", "readonly": False}), ("/users", {"username": "viewed", "password": "User-1234"}),
                       ("/modifyWhitelist", {"whitelist": "%"}), ("/users/root/lock", None), ("/changePassword", {"newPassword": "Root-viewed-1"})):
        seen.post(path, body).refused(403)
    assert "viewed" not in tenant.databases()


# -- the kernel goes away -----------------------------------------------------------------------------------------

@pytest.fixture
def proxied(new_ocp_server, metadb, seekdb, new_proxy):
    """A tenant reached through a proxy that understands its commands."""
    proxy = new_proxy((seekdb.host, seekdb.port), mysql=True)
    api = new_ocp_server(metadb).api()
    tenant = Tenant(api, take_over(api, seekdb, port=proxy.port), seekdb)
    tenant.proxy = proxy
    return tenant


@pytest.mark.parametrize("when", ["request", "sent", "answer"])
def test_changes_lost_in_the_middle(proxied, when):
    """Whatever becomes of the connection, the reply is right: the change is made, once."""
    tenant, kernel, number = proxied, proxied.kernel, ("request", "sent", "answer").index(when)
    name = f"lost_{number}"
    steps = [
        (r"CREATE DATABASE", lambda: tenant.post("/databases", {"dbName": name, "readonly": False})),
        (r"ALTER DATABASE", lambda: tenant.put(f"/databases/{name}", {"collation": "utf8mb4_bin"})),
        (r"CREATE USER", lambda: tenant.post("/users", {"username": name, "password": "User-1234", "globalPrivileges": ["SELECT"]})),
        (r"GRANT INSERT", lambda: tenant.post(f"/users/{name}/grantDbPrivilege", {"dbPrivileges": [{"dbName": name, "privileges": ["INSERT"]}]})),
        (r"ACCOUNT LOCK", lambda: tenant.post(f"/users/{name}/lock")),
        (r"REVOKE SELECT", lambda: tenant.post(f"/users/{name}/modifyGlobalPrivilege", {"globalPrivileges": []})),
        (r"SET GLOBAL", lambda: tenant.put("/parameters", [{"name": "ob_trx_timeout", "value": 90000000 + number}])),
    ]
    for match, call in steps:
        trap = tenant.proxy.cut_at(match, when=when)
        call().ok()
        assert trap.fired, match
    assert kernel.sql("SHOW DATABASES LIKE %s", (name,))
    got = tenant.get(f"/users/{name}").data
    assert got["isLocked"] is True and got["globalPrivileges"] == [] and got["dbPrivileges"] == [{"dbName": name, "privileges": ["INSERT"]}]
    assert tenant.parameter("ob_trx_timeout")["currentValue"] == str(90000000 + number)
    for match, path in ((r"DROP USER", f"/users/{name}"), (r"DROP DATABASE", f"/databases/{name}")):
        trap = tenant.proxy.cut_at(match, when=when)
        tenant.delete(path).ok()
        assert trap.fired, match
    assert not kernel.sql("SHOW DATABASES LIKE %s", (name,))
    assert kernel.sql("SELECT COUNT(*) AS n FROM mysql.user WHERE user = %s", (name,)) == [{"n": 0}]


def test_outcome_that_stays_unknown(proxied):
    """Nobody can be asked what became of the change: the reply says that it is not known."""
    tenant, replies, ready, go = proxied, [], threading.Event(), threading.Event()

    def call():
        assert tenant.databases()                          # on this connection, so on this loop, a session is open
        ready.set()
        go.wait()
        replies.append(tenant.post("/databases", {"dbName": "unknown_db", "readonly": False}))
    caller = threading.Thread(target=call)
    caller.start()
    ready.wait()
    trap = tenant.proxy.cut_at("CREATE DATABASE", when="answer")
    tenant.proxy.delay(2000)                               # nobody logs in before the door is shut
    go.set()
    trap.wait()
    tenant.proxy.refuse()
    tenant.proxy.cut()
    caller.join()
    assert "look before repeating" in replies[0].refused(504, 90501)
    tenant.proxy.delay(0)
    tenant.proxy.accept()
    wait_until(lambda: tenant.get("/databases").status == 200, "the kernel is reached again")
    assert "unknown_db" in tenant.databases()
    tenant.delete("/databases/unknown_db").ok()


def test_known_things_stay_visible_while_the_kernel_is_away(new_ocp_server, metadb, new_seekdb):
    api, kernel = new_ocp_server(metadb).api(), new_seekdb(password="Away-1234")
    tenant = Tenant(api, take_over(api, kernel), kernel)
    assert tenant.get().data["whitelist"]
    kernel.kill()
    assert wait_until(lambda: "sqlAuditEnabled" not in tenant.get().data, "the kernel is missed")
    assert tenant.get().data["charset"] == "utf8mb4"
    for path in ("/databases", "/users", "/parameters"):
        tenant.get(path).refused(503, 11101)
    tenant.post("/databases", {"dbName": "away_db", "readonly": False}).refused(503, 11101)
    kernel.start()
    wait_until(lambda: tenant.get("/databases").status == 200, "the kernel is back")
    assert "away_db" not in tenant.databases()


@pytest.mark.parametrize("when", ["request", "answer"])
def test_connection_lost_between_a_user_and_its_privileges(proxied, when):
    """The user is made, its privileges are not: the rest is done on other sessions, also when those are lost."""
    tenant = proxied
    traps = [tenant.proxy.cut_at("GRANT SELECT", when=when) for _ in range(3)]
    made = tenant.make_user("survivor", globalPrivileges=["SELECT"])
    assert made["globalPrivileges"] == ["SELECT"] and traps[0].fired and (when == "answer" or all(t.fired for t in traps))
    assert can(tenant.kernel, "survivor", "SELECT * FROM mysql.user")
    for trap in traps:
        trap.disarm()
    tenant.delete("/users/survivor").ok()
