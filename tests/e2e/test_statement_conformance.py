# SPDX-License-Identifier: Apache-2.0
"""Every statement that ocp-server sends to a simulated cluster of several servers is one that a real kernel's grammar has.

The simulator reads SQL on its own, but both it and the product were written from the same descriptions; so what it was sent is sent to a
real kernel, too. That has one server and one tenant: views of several are tables there, with the columns of OceanBase's reference, and
clauses that name a tenant are left away. Statements about servers, zones, units, pools and tenants are not in its grammar at all: for
these the syntax of OceanBase's manual is written down in lib/py/obmanual.py.
"""
import json
import pathlib
import re
import subprocess

import pymysql
import pytest

from lib.py import obmanual
from lib.py.obsim import Obsim
from lib.py.process import wait_until
from lib.py.server import CHECKOUT, OcpServer, binary

CLUSTERS = "/api/v2/ob/clusters"
DATA = pathlib.Path(__file__).resolve().parents[1] / "obsim"
SYNTAX_ERROR, UNKNOWN_COLUMN, UNKNOWN_TABLE = 1064, 1054, 1146
PASSWORD, CLERKS = "Tenant-root-1", ("Clerk-1234", "Clerk-5678")
# these need agents on hosts: test_create_cluster calls them, and compares what servers were sent with the manual
ON_HOSTS = {"ob-cluster-create", "ob-cluster-create-pre-check", "ob-cluster-delete", "ob-cluster-restart", "ob-cluster-server-batch-delete",
            "ob-cluster-server-create", "ob-cluster-server-replace", "ob-cluster-server-restart", "ob-cluster-start", "ob-cluster-stop",
            "ob-cluster-zone-create", "ob-cluster-zone-delete", "ob-cluster-zone-restart"}
NO_STATEMENTS = {"ob-unit-specs-list", "ob-unit-spec-create", "ob-unit-spec-delete"}            # these are of OCP alone
OF_ONE_SERVER = {"V$OB_SERVER_STAT", "V$OB_PROCESSLIST", "DBA_OB_MAJOR_COMPACTION", "DBA_OB_SYS_VARIABLES", "__ALL_USER"}    # read of seekdb only
AT_CREATION = {"__ALL_CORE_TABLE", "__ALL_SYS_STAT", "__ALL_TENANT_"}      # a cluster that is taken over has been made already

NAME, TEXT = r"(`[^`]+`|[A-Za-z_]\w*)", r"'([^'\\]|\\.)*'"
# what the real kernel at hand does not know is compared with the manual
NOT_IN_KERNEL = re.compile(r"(ALTER|CREATE|DROP) (TENANT|RESOURCE)\b|ALTER SYSTEM (BOOTSTRAP|CHANGE TENANT|(CANCEL )?MIGRATE UNIT|((FORCE )?STOP|START"
                           r"|(CANCEL )?DELETE|ADD|ISOLATE|MODIFY) (SERVER|ZONE))\b|ALTER USER SYS\b|SHOW TENANT\b", re.I)
# clauses that the kernel of one tenant and one server does not know; the statement without them it does
CLAUSES = [rf"^((?:ALTER SYSTEM|SHOW PARAMETERS)\b.*?)\s+TENANT(?:\s*=\s*|\s+){NAME}$",
           rf"^(ALTER SYSTEM\b.*?)\s+(?:SERVER|ZONE)\s*=\s*{TEXT}$"]
# these would change the kernel under the test's own feet
HARMFUL = re.compile(r"\bSWITCHOVER\b|\bACTIVATE\b|^KILL\b|^ALTER USER '?root|ob_tcp_invited_nodes", re.I)


def tables():
    """Columns of OceanBase's views and inner tables by their lower-case name."""
    views = json.loads((DATA / "views.json").read_text())["v4"]
    found = {name.lower(): [(c[0], c[1]) for c in view["columns"]] for name, view in views.items()}
    for schema, content in json.loads((DATA / "tables.json").read_text()).items():
        if schema != "oceanbase" or not isinstance(content, dict):
            continue
        for name, table in content.items():
            columns = table["columns"] if isinstance(table, dict) else table
            found.setdefault(name.lower(), [(c[0], c[1]) if isinstance(c, list) else (c, None) for c in columns])
    return found


def column_type(declared):
    declared = (declared or "").lower()
    if declared.startswith(("bigint", "int", "tinyint", "number", "decimal")):
        return "DECIMAL(38)" if "unsigned" in declared else "BIGINT"
    if declared.startswith(("timestamp", "datetime")):
        return "DATETIME(6)"
    return "DOUBLE" if declared.startswith(("double", "float")) else "VARCHAR(128)"


class Kernel:
    """A real kernel on which views of several servers exist as empty tables, made when a statement asks for one."""

    def __init__(self, server):
        self.connection = server.connect(autocommit=True)
        self.known = tables()
        self.made = set()

    def run(self, text):
        """The errno, 0 for success."""
        with self.connection.cursor() as cursor:
            try:
                cursor.execute(text)
                cursor.fetchall()
                return 0, ""
            except pymysql.err.MySQLError as error:
                return error.args[0], error.args[1]

    def make_views(self, text):
        """True when one was missing and is there now."""
        before = len(self.made)
        for name in re.findall(r"oceanbase\.`?([\w$]+)", text, re.I):
            columns = self.known.get(name.lower())
            if name.lower() in self.made or columns is None or self.run(f"SELECT 1 FROM oceanbase.`{name}` LIMIT 0")[0] != UNKNOWN_TABLE:
                continue
            listed = ", ".join(f"`{c}` {column_type(t)}" for c, t in columns)
            assert self.run(f"CREATE TABLE oceanbase.`{name}` ({listed})") == (0, ""), name
            self.made.add(name.lower())
        return len(self.made) > before

    def judge(self, text):
        number, why = self.run(text)
        if number == UNKNOWN_TABLE and self.make_views(text):
            number, why = self.run(text)
        return number, why


def finish(api, task):
    def ended():
        status = api.get(f"/api/v2/tasks/{task['id']}").data["status"]
        assert status != "FAILED", task
        return status == "SUCCESSFUL"
    wait_until(ended, f"task {task['id']} succeeds")


class Calls:
    """What was called, and answered with success, of the routes below /api/v2/ob."""

    def __init__(self):
        rows = json.loads(subprocess.run([binary(), "--dump", "routes"], capture_output=True, check=True, timeout=60).stdout)
        self.routes = {row["id"]: (row["method"], re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(row["path"]))))
                       for row in rows if row["path"].startswith("/api/v2/ob/")}
        self.succeeded, self.refused, self.bodies = set(), [], []

    def note(self, reply):
        self.bodies.append(reply.body.decode(errors="replace"))
        if reply.status != 200:
            self.refused.append(str(reply))
            return
        self.succeeded |= {name for name, (method, path) in self.routes.items() if method == reply.method and path.fullmatch(reply.path)}

    def missing(self):
        return sorted(set(self.routes) - self.succeeded - NO_STATEMENTS - ON_HOSTS)


def work(api, simulator):
    """A take-over, every page of the cluster and its tenants, and every change an operator makes there."""
    target = {"rootSysPassword": simulator.password, "address": simulator.host, "port": simulator.port}
    api.post(f"{CLUSTERS}/takeOverPreCheck", target)
    started = api.post(f"{CLUSTERS}/takeOver", target).data
    finish(api, started)
    cluster = f"{CLUSTERS}/{started['clusterId']}"
    tenants = wait_until(lambda: [t for t in api.get(f"{cluster}/tenants").contents if t["name"] == "tenant1"], "tenants are known")
    tenant = f"{cluster}/tenants/{tenants[0]['id']}"
    change_cluster(api, simulator, cluster)
    change_topology(api, cluster)
    change_tenant(api, simulator, tenant)
    change_accounts(api, tenant)
    finish(api, api.post(f"{cluster}/moveOut", {}).data)


def kill_session(api, simulator, path, user, password, tenant):
    """Ends a session that somebody else has."""
    there = simulator.server_of(tenant)
    victim = simulator.connect(server=there, user=user, password=password, database="oceanbase")
    rows = [s for s in api.get(path + "/sessions", {"size": 1000}).contents if s.get("dbName") == "oceanbase"]
    api.post(f"{path}/sessions/{rows[0]['id']}/kill", {"svrIp": rows[0].get("svrIp", there)})
    victim.close()


def change_cluster(api, simulator, cluster):
    for page in ("", "/zones", "/servers", "/zones/zone1/servers", "/units", "/events", "/stats", "/serverStats", "/parameters", "/sessions",
                 "/compactions", "/tenants"):
        api.get(cluster + page)
    for page in ("/stats", "/parameterInfo", ""):
        api.get(CLUSTERS + page)
    api.get("/api/v2/ob/tenants")
    api.get(f"{cluster}/units/{api.get(cluster + '/units').contents[0]['obUnitId']}")
    for scope in ({}, {"zones": ["zone2"]}, {"servers": [simulator.servers()[0] + ":2882"]}):
        api.put(f"{cluster}/parameters", [{"name": "trace_log_slow_query_watermark", "value": "2s", **scope}])
    api.get(cluster + "/parameterHistories")
    api.post(f"{cluster}/compactions")
    simulator.settle()                 # the next compaction is the tenant's
    kill_session(api, simulator, cluster, "root@sys", None, "sys")
    api.post(f"{cluster}/changePassword", {"newPassword": PASSWORD})
    simulator.password = PASSWORD


def change_topology(api, cluster):
    """Zones and servers, each stopped and started."""
    zone = api.get(f"{cluster}/zones").contents[0]["name"]
    server = api.get(f"{cluster}/servers").contents[-1]["id"]
    for path in (f"/zones/{zone}/stop", f"/zones/{zone}/start", f"/servers/{server}/stop", f"/servers/{server}/start"):
        finish(api, api.post(cluster + path).data)


def change_tenant(api, simulator, tenant):
    for path, body in [
        ("/changePassword", {"newPassword": PASSWORD}), ("/modifyWhitelist", {"whitelist": "127.0.0.1,10.0.0.0/8"}), ("/lock", None), ("/unlock", None),
        ("/databases", {"dbName": "shop", "collation": "utf8mb4_general_ci", "readonly": False}), ("/compactions", None),
    ]:
        api.post(tenant + path, body)
    api.patch(tenant, {"description": "has a shop"})
    api.put(f"{tenant}/databases/shop", {"readonly": True})
    api.put(f"{tenant}/databases/shop", {"readonly": False})
    api.put(f"{tenant}/parameters", [{"name": "recyclebin", "value": "ON"}, {"name": "open_cursors", "value": "60"}])
    kill_session(api, simulator, tenant, "root@tenant1", PASSWORD, "tenant1")
    simulator.sql("CREATE TABLE shop.goods (id INT PRIMARY KEY)", server=simulator.server_of("tenant1"), tenant="tenant1")
    for page in ("", "/units", "/parameters", "/parameterHistories", "/databases", "/objects", "/sessions", "/compactions"):
        api.get(tenant + page)


def change_accounts(api, tenant):
    """Users and roles, and the three verbs on all that they may be given."""
    user, role = tenant + "/users/clerk", tenant + "/roles/reader"
    api.post(tenant + "/roles", {"roleName": "reader", "globalPrivileges": ["SELECT"]})
    api.post(tenant + "/roles", {"roleName": "writer"})
    api.post(tenant + "/users", {"username": "clerk", "password": CLERKS[0], "globalPrivileges": ["PROCESS"],
                                 "dbPrivileges": [{"dbName": "shop", "privileges": ["SELECT", "CREATE_VIEW"]}], "roles": ["reader"]})
    for path, body in (("/lock", None), ("/unlock", None), ("/changePassword", {"newPassword": CLERKS[1]})):
        api.post(user + path, body)
    goods = {"object": {"objectType": "TABLE", "objectName": "goods", "schemaName": "shop"}, "privileges": ["SELECT", "UPDATE"]}
    for verb in ("grant", "revoke", "modify"):
        for account in (user, role):
            api.post(f"{account}/{verb}GlobalPrivilege", {"globalPrivileges": ["SHOW_DATABASES"]})
            api.post(f"{account}/{verb}ObjectPrivilege", {"objectPrivileges": [goods]})
            api.post(f"{account}/{verb}Role", {"roles": ["writer" if account == role else "reader"]})
        api.post(f"{user}/{verb}DbPrivilege", {"dbPrivileges": [{"dbName": "shop", "privileges": ["INSERT"]}]})
    for page in ("/users", "/users/clerk", "/roles", "/roles/reader"):
        api.get(tenant + page)
    for path in ("/users/clerk", "/roles/reader", "/roles/writer", "/databases/shop"):
        api.delete(tenant + path)


def rows_of(mariadb_server, database):
    """Every table's content as text."""
    tables = [name for row in mariadb_server.sql("SHOW TABLES", database=database.name) for name in row.values()]
    return {name: "\n".join(v.decode("latin-1") if isinstance(v, bytes) else str(v) for row in mariadb_server.sql(f"SELECT * FROM `{name}`",
            database=database.name) for v in row.values()) for name in tables}


@pytest.fixture(scope="module")
def calls():
    return Calls()


@pytest.fixture(scope="module")
def statements(mariadb_server, calls):
    """What ocp-server sent, each text once, in the order of its first time."""
    database = mariadb_server.create_database("conformance")
    with Obsim(servers=2, tenants=1, name="obsim-conformance") as simulator, OcpServer(database) as server:
        api = server.api()
        api.on_reply = calls.note
        former = simulator.password
        work(api, simulator)
        audit = simulator.audit()
        calls.secrets = [former, PASSWORD, *CLERKS]
        calls.kept = {"the log": server.log.read_text(errors="replace"), "replies": "".join(calls.bodies), **rows_of(mariadb_server, database)}
    mariadb_server.drop_database(database)
    return {line["text"].strip(): line for line in reversed(audit)}


def is_in_manual(text):
    return bool(NOT_IN_KERNEL.match(text)) and obmanual.has_syntax(text)


def test_every_operation_was_called(statements, calls):
    """Of the route table: an operation that nobody calls here could send what no kernel knows."""
    assert len(calls.routes) > 70 and statements
    assert not calls.missing(), "\n".join([f"never answered with success: {calls.missing()}", *calls.refused])


def test_passwords_go_to_the_kernel_and_nowhere_else(statements, calls):
    for secret in (PASSWORD, *CLERKS):
        assert any(secret in text for text in statements), "it was not even sent"
    assert len(calls.kept) > 20 and calls.kept["audit_event"]
    leaks = [f"{secret} in {where}" for secret in calls.secrets for where, text in calls.kept.items() if secret in text]
    assert not leaks


def views_of_the_product():
    """The views that string literals of the product name."""
    found = set()
    for folder in ("oceanbase", "obcluster", "tenant"):
        for source in (pathlib.Path(CHECKOUT) / "src" / folder).glob("*.c"):
            for literal in re.findall(r'"(?:[^"\\\n]|\\.)*"', source.read_text()):
                found |= {name.upper() for name in re.findall(r"oceanbase\.(\w*\$?\w+)", literal)}
    return found


def test_every_view_was_read(statements):
    """A flow that stops early must not pass for one without errors."""
    expected = views_of_the_product() - OF_ONE_SERVER - AT_CREATION
    assert len(expected) > 15
    read = {name.upper() for text in statements for name in re.findall(r"oceanbase\.`?(\w*\$?\w+)", text, re.I)}
    assert not expected - read
    for pattern in (r"ALTER SYSTEM SET .*TENANT", r"ALTER TENANT .* LOCK", r"CREATE USER", r"GRANT ", r"REVOKE ", r"CREATE ROLE", r"CREATE DATABASE",
                    r"ALTER DATABASE", r"DROP USER", r"MAJOR FREEZE", r"ALTER TENANT .*SET VARIABLES", r"^KILL "):
        assert any(re.search(pattern, text, re.I | re.S) for text in statements), f"nothing like {pattern} was sent"


def test_the_simulator_knows_what_it_was_sent(statements):
    wrong = [(line["errno"], text) for text, line in statements.items() if line["errno"] in (SYNTAX_ERROR, UNKNOWN_COLUMN)]
    assert not wrong, wrong


def test_a_real_kernel_knows_them_too(statements, new_seekdb):
    kernel = Kernel(new_seekdb(password="Kernel-conformance"))
    wrong, tried = [], 0
    for text in reversed(statements):
        if is_in_manual(text) or HARMFUL.search(text):
            continue
        plain = text
        for clause in CLAUSES:
            plain = re.sub(clause, r"\1", plain, flags=re.I)
        number, why = kernel.judge(plain)
        tried += 1
        if number in (SYNTAX_ERROR, UNKNOWN_COLUMN):
            wrong.append(f"{number} {why}: {plain}")
    assert tried > 30
    assert not wrong, "\n".join(wrong)
