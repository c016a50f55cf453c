# SPDX-License-Identifier: Apache-2.0
"""Tenants of simulated OceanBase 4.x clusters: several in several zones, passwords that others change, Oracle mode, servers that die."""
import contextlib
import threading

import pymysql
import pytest

from lib.py.obsim import Obsim
from lib.py.process import wait_until

CLUSTERS = "/api/v2/ob/clusters"
PASSWORD = "Tenant-1234"


def finish(api, task):
    wait_until(lambda: api.get(f"/api/v2/tasks/{task['id']}").data["status"] == "SUCCESSFUL", f"task {task['id']} succeeds")


def take_over(api, sim, **more):
    started = api.post(f"{CLUSTERS}/takeOver", {"rootSysPassword": sim.password, "address": sim.host, "port": sim.port, **more}).data
    finish(api, started)
    return started["clusterId"]


class Tenant:
    """A tenant that is managed here; `api` may be another user's."""

    def __init__(self, api, sim, cluster, row):
        self.api, self.sim, self.cluster, self.id, self.name = api, sim, cluster, row["id"], row["name"]
        self.path = f"{CLUSTERS}/{cluster}/tenants/{self.id}"

    def get(self, path="", query=None):
        return self.api.get(self.path + path, query)

    def post(self, path, body=None):
        return self.api.post(self.path + path, body)

    def put(self, path, body):
        return self.api.put(self.path + path, body)

    def patch(self, body):
        return self.api.patch(self.path, body)

    def delete(self, path):
        return self.api.delete(self.path + path)

    def databases(self):
        return [d["dbName"] for d in self.get("/databases").contents]

    def change_password(self, new, save=False, **more):
        return self.post("/changePassword", {"newPassword": new, "saveToCredential": save, **more})

    def parameter(self, name):
        [found] = [p for p in self.get("/parameters").contents if p["name"] == name]
        return found

    def as_user(self, api):
        return Tenant(api, self.sim, self.cluster, {"id": self.id, "name": self.name})

    def login(self, password="", user="root"):
        """A client of the tenant, in a server that lives and has a unit of it."""
        for unit in self.get("/units").contents:
            try:
                return contextlib.closing(pymysql.connect(host=unit["serverIp"], port=self.sim.port, user=f"{user}@{self.name}", password=password))
            except pymysql.err.OperationalError as error:
                if error.args[0] != 2003:                  # it is dead
                    raise
        raise AssertionError(f"no server of {self.name} answers")

    def can_login(self, password="", user="root"):
        try:
            with self.login(password, user):
                return True
        except pymysql.err.OperationalError:
            return False


def tenants_of(api, cluster, **query):
    return api.get(f"{CLUSTERS}/{cluster}/tenants", {"size": 2000, "sort": "name,asc", **query}).contents


def metric(api, name):
    return sum(float(line.rsplit(" ", 1)[1]) for line in api.get("/metrics").body.decode().splitlines() if line.startswith(name))


def find(api, sim, cluster, name):
    [row] = [t for t in tenants_of(api, cluster) if t["name"] == name]
    return Tenant(api, sim, cluster, row)


def wait_gone(tenant):
    wait_until(lambda: tenant.get().status == 404, f"{tenant.name} is no longer shown")


class Sim(Obsim):
    """A simulated cluster, and what others do to it."""

    def drop_sessions(self):
        for server in self.servers():
            self.ctl("drop", server=server, reset=True)

    def kill(self, server):
        self.ctl("kill", server=server)

    def statements(self, tenant):
        """What clients have asked of a tenant so far."""
        return [s for s in self.audit() if s["tenant"] == tenant]


@pytest.fixture(scope="module")
def sim():
    """A cluster of three zones that nobody harms."""
    with Sim(zones=3, servers=2, tenants=3, oracle_tenants=1, enterprise=True) as running:
        yield running


@pytest.fixture
def new_sim():
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(Sim(**options))


@pytest.fixture(scope="module")
def managed(ocp_server, sim):
    """Id of that cluster while the tests of this file run."""
    cluster = take_over(ocp_server.api(), sim)
    yield cluster
    api = ocp_server.api()
    finish(api, api.post(f"{CLUSTERS}/{cluster}/moveOut", {}).data)


@pytest.fixture
def api(ocp_server):
    return ocp_server.api()


@pytest.fixture
def tenant(api, sim, managed):
    """One whose administrator's password nobody has set yet."""
    return find(api, sim, managed, "tenant1")


@pytest.fixture
def oracle(api, sim, managed):
    return find(api, sim, managed, "oracle1")


# -- what is shown ------------------------------------------------------------------------------------------------

def test_tenants_of_three_zones(api, sim, managed, tenant):
    rows = tenants_of(api, managed)
    assert [t["name"] for t in rows] == ["oracle1", "sys", "tenant1", "tenant2", "tenant3"], "META tenants are the kernel's own"
    assert {t["name"]: t["mode"] for t in rows} == {"oracle1": "ORACLE", "sys": "MYSQL", "tenant1": "MYSQL", "tenant2": "MYSQL", "tenant3": "MYSQL"}
    assert {t["status"] for t in rows} == {"NORMAL"} and {t["engine"] for t in rows} == {"OCEANBASE"}
    one = tenant.get().data
    assert one["zoneList"] == "zone1;zone2;zone3" and one["tenantRole"] == "PRIMARY"
    assert one["locality"].startswith("FULL{1}@zone1") and one["primaryZone"]
    assert [(z["name"], z["replicaType"]) for z in one["zones"]] == [(f"zone{n}", "FULL") for n in (1, 2, 3)]
    assert one["charset"] == "utf8mb4" and one["collation"].startswith("utf8mb4_") and one["sqlAuditEnabled"] is True
    assert one["whitelist"] and one["obTenantId"] > 1000 and one["obClusterId"] == api.get(f"{CLUSTERS}/{managed}").data["obClusterId"]
    for zone in one["zones"]:
        pool = zone["resourcePool"]
        assert pool["unitCount"] == len(zone["units"]) == one["unitNum"]
        assert pool["unitConfig"]["maxCpuCoreCount"] >= pool["unitConfig"]["minCpuCoreCount"] > 0 and pool["unitConfig"]["maxMemorySize"] > 0
        assert {u["zoneName"] for u in zone["units"]} == {zone["name"]} and {u["resourcePoolId"] for u in zone["units"]} == {pool["id"]}
    strings = one["connectionStrings"]
    assert [s["obZone"] for s in strings] == ["zone1", "zone2", "zone3"]
    for zone, text in zip(one["zones"], strings):
        assert text["connectionString"] == f"obclient -h{zone['units'][0]['serverIp']} -P{sim.port} -uroot@tenant1 -p"


def test_units(api, managed, tenant):
    units = tenant.get("/units").contents
    servers = {s["id"]: s["ip"] for s in api.get(f"{CLUSTERS}/{managed}/servers").contents}
    assert {servers[u["serverId"]] for u in units} == {u["serverIp"] for u in units} and len(units) == 3
    [unit] = tenant.get("/units", {"zoneName": "zone2"}).contents
    assert unit in units and tenant.get("/units", {"zoneName": "zone9"}).contents == []


def test_lists_are_filtered(api, managed):
    assert [t["name"] for t in tenants_of(api, managed, mode="ORACLE")] == ["oracle1"]
    assert [t["name"] for t in tenants_of(api, managed, name="tenant")] == ["tenant1", "tenant2", "tenant3"]
    assert tenants_of(api, managed, status="DELETING") == tenants_of(api, managed, locked=True) == []
    page = api.get(f"{CLUSTERS}/{managed}/tenants", {"size": 2, "page": 2, "sort": "name,desc"}).data
    assert [t["name"] for t in page["contents"]] == ["tenant1", "sys"] and page["page"]["totalElements"] == 5


def test_description(tenant):
    tenant.patch({"description": "orders of the shop"}).ok()
    assert tenant.get().data["description"] == "orders of the shop"
    [row] = [t for t in tenants_of(tenant.api, tenant.cluster) if t["id"] == tenant.id]
    assert row["description"] == "orders of the shop"
    tenant.patch({"description": ""}).ok()
    assert "description" not in tenant.get().data
    tenant.patch({"description": "x" * 1025}).refused(400)


# -- lock ---------------------------------------------------------------------------------------------------------

def test_lock_and_unlock(api, sim, managed):
    tenant = find(api, sim, managed, "tenant2")
    assert tenant.can_login()
    for _ in range(2):                                     # twice is no error
        tenant.post("/lock").ok()
    assert tenant.get().data["locked"] is True and not tenant.can_login()
    wait_until(lambda: [t["name"] for t in tenants_of(api, managed, locked=True)] == ["tenant2"], "the list shows the lock")
    tenant.post("/unlock").ok()
    assert tenant.get().data["locked"] is False and tenant.can_login()
    wait_until(lambda: tenants_of(api, managed, locked=True) == [], "the list shows that it is unlocked")
    find(api, sim, managed, "sys").post("/lock").refused(409, 15025)


# -- passwords ----------------------------------------------------------------------------------------------------

def test_empty_password_of_a_new_tenant(tenant):
    assert "mysql" in tenant.databases()


@pytest.fixture
def own(new_sim, new_ocp_server, metadb):
    """A cluster and an ocp-server of this test alone: tenants tenant1 and tenant2."""
    sim = new_sim(zones=3, servers=1, tenants=2, oracle_tenants=1, enterprise=True)
    server = new_ocp_server(metadb)
    cluster = take_over(server.api(), sim)
    return server, sim, cluster


def test_password_is_changed_and_kept(own):
    server, sim, cluster = own
    tenant = find(server.api(), sim, cluster, "tenant1")
    tenant.change_password("short").refused(400, 15034)
    tenant.change_password(PASSWORD).ok()
    assert tenant.can_login(PASSWORD) and not tenant.can_login("")
    assert "mysql" in tenant.databases(), "it is kept"
    server.restart()
    tenant = find(server.api(), sim, cluster, "tenant1")
    assert "mysql" in tenant.databases()
    tenant.post("/users/root/changePassword", {"newPassword": "Tenant-5678"}).ok()
    assert tenant.can_login("Tenant-5678") and "mysql" in tenant.databases()


def test_password_changed_from_outside(own):
    server, sim, cluster = own
    tenant = find(server.api(), sim, cluster, "tenant1")
    tenant.change_password(PASSWORD).ok()
    sim.sql("ALTER USER root IDENTIFIED BY 'x'", tenant="tenant1")
    sim.drop_sessions()
    refused = tenant.get("/databases")
    refused.refused(409, 15100)
    assert f"/tenants/{tenant.id}/changePassword" in refused.json["error"]["message"]
    assert tenant.get().data["whitelist"] and tenant.get("/parameters").contents, "these need no login to it"
    tenant.change_password("Tenant-9999", oldPassword="wrong").refused(400, 11011)
    tenant.change_password("Tenant-9999").refused(409, 15100)
    assert tenant.can_login("x"), "nothing was changed"
    tenant.change_password("x").ok()                       # the present one, whatever rules it breaks
    assert tenant.can_login("x") and "mysql" in tenant.databases()
    sim.sql("ALTER USER root IDENTIFIED BY 'y'", tenant="tenant1")
    sim.drop_sessions()
    tenant.change_password("Tenant-9999", oldPassword="y").ok()
    assert tenant.can_login("Tenant-9999") and "mysql" in tenant.databases()


def test_password_of_the_password_box_is_its_owner_s(own):
    server, sim, cluster = own
    admin = server.api()
    tenant = find(admin, sim, cluster, "tenant1")
    sim.sql(f"ALTER USER root IDENTIFIED BY '{PASSWORD}'", tenant="tenant1")
    tenant.get("/databases").refused(409, 15100)
    name = admin.get(f"{CLUSTERS}/{cluster}").data["name"]
    admin.post("/api/v2/profiles/me/credentials", {
        "targetType": "OB", "name": "of tenant1", "validate": False,
        "obJdbcCredentialProperty": {"type": "PASSWORD", "clusterName": name, "tenantName": "tenant1", "username": "root", "passphrase": PASSWORD}}).ok()
    assert "mysql" in tenant.databases()
    [role] = [r["id"] for r in admin.get("/api/v2/iam/roles", {"size": 100}).contents if r["name"] == "ADMIN"]
    admin.post("/api/v2/iam/users", {"username": "other", "password": "First-pass1", "roles": [role]}).ok()
    first = admin.as_user("other", "First-pass1")
    first.post("/api/v2/profiles/me/changePassword", {"currentPassword": "First-pass1", "newPassword": "Second-pass2"}).ok()
    other = tenant.as_user(admin.as_user("other", "Second-pass2"))
    other.get("/databases").refused(409, 15100)
    assert "mysql" in tenant.databases()
    tenant.change_password("Tenant-5678").ok()             # with the box's; from now on it is kept for all
    assert "mysql" in other.databases()


def test_password_of_sys_is_the_cluster_s(own):
    server, sim, cluster = own
    tenant = find(server.api(), sim, cluster, "sys")
    tenant.change_password("Cluster-1234").ok()
    sim.password = "Cluster-1234"
    assert "oceanbase" in tenant.databases()


@pytest.mark.parametrize("done, becomes", [(True, "new"), (False, "old")])
def test_lost_answer_to_a_password_change(own, done, becomes):
    server, sim, cluster = own
    tenant = find(server.api(), sim, cluster, "tenant1")
    tenant.change_password(PASSWORD).ok()
    sim.fault("^ALTER USER", "lost", done=done)
    reply = tenant.change_password("Tenant-5678")
    assert reply.status == (200 if becomes == "new" else 503), reply
    assert tenant.can_login("Tenant-5678" if becomes == "new" else PASSWORD) and "mysql" in tenant.databases()


# -- whitelist, parameters ----------------------------------------------------------------------------------------

def test_whitelist(own):
    server, sim, cluster = own
    tenant = find(server.api(), sim, cluster, "tenant1")
    refused = tenant.post("/modifyWhitelist", {"whitelist": "10.0.0.0/8"})
    refused.refused(400, 90602)
    tenant.post("/modifyWhitelist", {"whitelist": "10.0.0.0/8,127.0.0.0/8"}).ok()
    assert tenant.get().data["whitelist"] == "10.0.0.0/8,127.0.0.0/8" and "mysql" in tenant.databases()
    sim.sql("SET GLOBAL ob_tcp_invited_nodes = '10.0.0.0/8'", tenant="tenant1")
    sim.drop_sessions()
    tenant.get("/databases").refused(409, 15025)
    tenant.post("/modifyWhitelist", {"whitelist": "%"}).ok()
    assert "mysql" in tenant.databases()


def test_parameters_of_both_kinds(tenant):
    kinds = {p["parameterType"] for p in tenant.get("/parameters").contents}
    assert kinds == {"OB_SYSTEM_VARIABLE", "OB_TENANT_PARAMETER"}
    variable, parameter = tenant.parameter("ob_trx_timeout"), tenant.parameter("cpu_quota_concurrency")
    assert (variable["parameterType"], parameter["parameterType"]) == ("OB_SYSTEM_VARIABLE", "OB_TENANT_PARAMETER")
    tenant.put("/parameters", [{"name": "ob_trx_timeout", "value": 5000000}, {"name": "cpu_quota_concurrency", "value": "3"}]).ok()
    assert tenant.parameter("ob_trx_timeout")["currentValue"] == "5000000"
    assert tenant.parameter("cpu_quota_concurrency")["currentValue"] == "3"
    history = tenant.get("/parameterHistories", {"name": "cpu_quota_concurrency"}).contents
    assert [(h["oldValue"], h["newValue"], h["outcome"]) for h in history] == [(parameter["currentValue"], "3", "SUCCESSFUL")]
    tenant.put("/parameters", [{"name": "no_such", "value": "1"}]).refused(404, 15060)
    tenant.put("/parameters", [{"name": "cpu_quota_concurrency", "value": "often"}]).refused(400, 11056)
    [failed, *_] = tenant.get("/parameterHistories", {"name": "cpu_quota_concurrency"}).contents
    assert failed["outcome"] == "FAILED" and failed["newValue"] == "often"


def test_parameters_are_each_tenant_s_own(api, sim, managed, tenant):
    other = find(api, sim, managed, "tenant3")
    before = other.parameter("ob_query_timeout")["currentValue"]
    tenant.put("/parameters", [{"name": "ob_query_timeout", "value": "12000000"}]).ok()
    assert tenant.parameter("ob_query_timeout")["currentValue"] == "12000000" and other.parameter("ob_query_timeout")["currentValue"] == before


# -- inside -------------------------------------------------------------------------------------------------------

def test_databases_users_roles(tenant):
    made = tenant.post("/databases", {"dbName": "shop", "collation": "utf8mb4_bin"}).data
    assert made["collation"] == "utf8mb4_bin" and [u["obZone"] for u in made["connectionUrls"]] == ["zone1", "zone2", "zone3"]
    assert made["connectionUrls"][0]["connectionString"].startswith("jdbc:oceanbase://127.")
    tenant.post("/roles", {"roleName": "reader", "globalPrivileges": ["SELECT"]}).ok()
    user = tenant.post("/users", {"username": "clerk", "password": PASSWORD, "globalPrivileges": ["PROCESS"], "roles": ["reader"],
                                  "dbPrivileges": [{"dbName": "shop", "privileges": ["SELECT", "INSERT"]}]}).data
    assert user["grantedRoles"] == ["reader"] and user["globalPrivileges"] == ["PROCESS"]
    assert user["dbPrivileges"] == [{"dbName": "shop", "privileges": ["INSERT", "SELECT"]}]
    assert "-uclerk@tenant1" in user["connectionStrings"][0]["connectionString"]
    assert tenant.can_login(PASSWORD, "clerk")
    tenant.post("/users/clerk/lock").ok()
    assert not tenant.can_login(PASSWORD, "clerk") and tenant.get("/users/clerk").data["isLocked"] is True
    tenant.post("/users/clerk/unlock").ok()
    tenant.post("/users/clerk/modifyDbPrivilege", {"dbPrivileges": [{"dbName": "shop", "privileges": ["UPDATE"]}]}).ok()
    assert tenant.get("/users/clerk").data["dbPrivileges"] == [{"dbName": "shop", "privileges": ["UPDATE"]}]
    tenant.post("/users/root/lock").refused(403, 15253)
    tenant.delete("/users/clerk").ok()
    tenant.delete("/roles/reader").ok()
    tenant.put("/databases/shop", {"readonly": True}).ok()
    tenant.delete("/databases/shop").ok()
    assert "shop" not in tenant.databases()


def test_sessions_are_killed_where_they_are(tenant):
    with tenant.login() as client:
        with client.cursor() as cursor:
            cursor.execute("SELECT CONNECTION_ID()")
            [number] = cursor.fetchone()
        [session] = [s for s in tenant.get("/sessions", {"size": 100}).contents if s["id"] == number]
        assert session["tenant"] == "tenant1"
        tenant.post(f"/sessions/{session['id']}/kill").ok()
        with pytest.raises(pymysql.err.OperationalError):
            client.cursor().execute("SELECT 1")


def test_compaction_of_one_tenant(api, sim, managed, tenant):
    other = find(api, sim, managed, "tenant3")
    [before], [others] = tenant.get("/compactions").contents, other.get("/compactions").contents
    tenant.post("/compactions").ok()
    wait_until(lambda: tenant.get("/compactions").contents[0]["lastScn"] > before["lastScn"], "the tenant is compacted")
    assert other.get("/compactions").contents[0]["lastScn"] == others["lastScn"]


# -- Oracle mode --------------------------------------------------------------------------------------------------

INSIDE = [("GET", "/databases", None, 15206), ("POST", "/databases", {"dbName": "shop"}, 15206),
          ("PUT", "/databases/shop", {"readonly": True}, 15206), ("DELETE", "/databases/shop", None, 15206),
          ("GET", "/users", None, 15254), ("GET", "/users/SYS", None, 15254), ("DELETE", "/users/u1", None, 15254),
          ("POST", "/users", {"username": "u1", "password": PASSWORD}, 15254), ("GET", "/roles", None, 15254),
          ("POST", "/roles", {"roleName": "r1"}, 15254), ("GET", "/objects", None, 15254), ("POST", "/users/u1/lock", None, 15254),
          ("POST", "/users/u1/changePassword", {"newPassword": PASSWORD}, 15254),
          ("POST", "/users/u1/grantRole", {"roles": ["r1"]}, 15254),
          ("POST", "/roles/r1/modifyGlobalPrivilege", {"globalPrivileges": ["SELECT"]}, 15254)]


def test_oracle_tenant_is_shown_and_left_alone(oracle, sim):
    one = oracle.get().data
    assert one["mode"] == "ORACLE" and one["zones"] and one["whitelist"]
    assert "-uSYS@oracle1" in one["connectionStrings"][0]["connectionString"]
    before = len(sim.statements(tenant="oracle1"))
    for method, path, body, code in INSIDE:
        oracle.api.call(method, oracle.path + path, body).refused(400, code)
    assert len(sim.statements(tenant="oracle1")) == before, "nothing was asked of it"
    oracle.put("/parameters", [{"name": "ob_trx_timeout", "value": "7000000"}]).ok()
    assert oracle.parameter("ob_trx_timeout")["currentValue"] == "7000000"
    oracle.post("/lock").ok()
    oracle.post("/unlock").ok()


def test_password_of_sys_in_oracle_mode(own):
    server, sim, cluster = own
    oracle = find(server.api(), sim, cluster, "oracle1")
    oracle.change_password(PASSWORD).ok()
    assert oracle.can_login(PASSWORD, "SYS") and not oracle.can_login("", "SYS")
    oracle.change_password("Tenant-5678").ok()
    assert oracle.can_login("Tenant-5678", "SYS")


# -- tenants that come and go -------------------------------------------------------------------------------------

def test_tenant_dropped_in_the_middle(own, metadb, mariadb_server):
    server, sim, cluster = own
    api = server.api()
    tenant = find(api, sim, cluster, "tenant1")
    tenant.change_password(PASSWORD).ok()
    tenant.patch({"description": "soon gone"}).ok()
    sim.sql("DROP TENANT tenant1 FORCE")
    sim.settle()
    seen = {reply.json["error"]["code"] for reply in (tenant.post("/lock"), tenant.get("/databases"))}
    assert seen <= {15024, 15023, 15025}, seen             # dropped; no longer shown; shown as DELETING
    wait_gone(tenant)
    tenant.get("/databases").refused(404, 15023)
    assert mariadb_server.sql(f"SELECT COUNT(*) AS n FROM {metadb.name}.obtenant_kept") == [{"n": 0}], "its password and description are gone too"


def test_name_of_a_dropped_tenant(own):
    """Another tenant that got the name is not touched."""
    server, sim, cluster = own
    tenant = find(server.api(), sim, cluster, "tenant1")
    tenant.change_password(PASSWORD).ok()
    sim.sql("ALTER TENANT tenant1 RENAME GLOBAL_NAME TO former")
    sim.sql("ALTER TENANT tenant2 RENAME GLOBAL_NAME TO tenant1")
    tenant.post("/lock").ok()                              # before the next look, or after it
    wait_until(lambda: {t["name"]: t["locked"] for t in tenants_of(server.api(), cluster)}.get("former") is True, "the lock is seen")
    assert {t["name"]: t["locked"] for t in tenants_of(server.api(), cluster)}["tenant1"] is False


def test_two_hundred_tenants_in_one_page(new_sim, new_ocp_server, metadb):
    sim = new_sim(zones=3, servers=3, tenants=200)
    server = new_ocp_server(metadb)
    api = server.api()
    cluster = take_over(api, sim)

    def statements(size):
        before = metric(api, "ocp_sql_statements_total")
        assert len(tenants_of(api, cluster, size=size)) == min(size, 201)
        return metric(api, "ocp_sql_statements_total") - before
    wait_until(lambda: len(tenants_of(api, cluster)) == 201, "all are shown")
    few, many = min(statements(5) for _ in range(3)), min(statements(2000) for _ in range(3))
    assert many <= few, f"{many} statements for 201 tenants, {few} for 5"


# -- servers that die ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("done", [True, False])
def test_answer_to_a_change_is_lost(own, done):
    server, sim, cluster = own
    tenant = find(server.api(), sim, cluster, "tenant1")
    sim.fault("^CREATE DATABASE", "lost", done=done)
    tenant.post("/databases", {"dbName": "shop"}).ok()
    assert "shop" in tenant.databases()
    sim.fault("^ALTER TENANT .* LOCK", "lost", done=done)
    tenant.post("/lock").ok()
    assert tenant.get().data["locked"] is True


def test_server_dies_during_a_change(own):
    """The change goes on in another server with a unit of the tenant, and is made once."""
    server, sim, cluster = own
    tenant = find(server.api(), sim, cluster, "tenant1")
    assert "mysql" in tenant.databases()
    [at] = {s["server"] for s in sim.statements(tenant="tenant1") if "schemata" in s["text"].lower()}
    sim.fault("^CREATE USER", "silent", done=True)
    replies = []
    creating = threading.Thread(target=lambda: replies.append(tenant.post("/users", {"username": "clerk", "password": PASSWORD})))
    creating.start()
    wait_until(lambda: any(s["text"].startswith("CREATE USER") for s in sim.statements(tenant="tenant1")), "the change is under way")
    sim.kill(at)
    creating.join()
    replies[0].ok()
    assert [u["username"] for u in tenant.get("/users").contents].count("clerk") == 1
    assert tenant.can_login(PASSWORD, "clerk")
