# SPDX-License-Identifier: Apache-2.0
"""The simulated OceanBase clusters themselves: protocol, logins, views, faults. With PyMySQL and with ocp-server's own SQL client."""
import contextlib
import json
import pathlib
import socket
import ssl
import threading
import time

import pymysql
import pytest

from lib.py.obsim import PASSWORD, Refused
from lib.py.process import wait_until
from lib.py.sqlprobe import OCEANBASE, SqlProbe

DATA = pathlib.Path(__file__).resolve().parents[1] / "obsim"


def rows(connection, statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall()


def number(call, *words, **options):
    """The errno that it fails with."""
    with pytest.raises(pymysql.err.MySQLError) as caught:
        result = call(*words, **options)
        if hasattr(result, "close"):
            result.close()
    return caught.value.args[0]


@pytest.fixture
def root(obsim):
    with contextlib.closing(obsim.connect()) as connection:
        yield connection


# --- logins ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["root", "root@sys", "root@sys#obcluster", "root@sys#obcluster:1", "root@sys#OBCLUSTER"])
def test_logins(obsim, user):
    with contextlib.closing(obsim.connect(user=user, password=PASSWORD)) as connection:
        assert rows(connection, "SELECT 1, USER(), CURRENT_USER()") == ((1, "root@127.0.0.1", "root@%"),)


@pytest.mark.parametrize("user, expected", [("root@sys#other", 4666), ("root@sys#obcluster:2", 4666), ("root@nobody", 5160), ("nobody@sys", 1045)])
def test_refused_logins(obsim, user, expected):
    assert number(obsim.connect, user=user, password=PASSWORD) == expected


def test_wrong_passwords_and_unknown_databases(obsim):
    assert number(obsim.connect, password="wrong") == 1045
    assert number(obsim.connect, server=obsim.server_of("tenant1"), user="root@tenant1", password="wrong") == 1045
    assert number(obsim.connect, password="") == 1045
    assert number(obsim.connect, database="nowhere") == 1049
    with contextlib.closing(obsim.connect(database="oceanbase")) as connection:
        assert rows(connection, "SELECT DATABASE()") == (("oceanbase",),)
        assert len(rows(connection, "SELECT * FROM DBA_OB_ZONES")) == 3


def test_tenants_are_on_servers_with_their_units(obsim):
    with contextlib.closing(obsim.connect()) as connection:
        at = {ip for ip, in rows(connection, "SELECT svr_ip FROM oceanbase.CDB_OB_ACCESS_POINT WHERE tenant_name = 'tenant1'")}
    assert len(at) == 3
    for server in obsim.servers():
        if server in at:
            obsim.connect(server=server, user="root@tenant1").close()
        else:
            assert number(obsim.connect, server=server, user="root@tenant1") == 5150


def test_locks_and_whitelists(new_obsim):
    sim = new_obsim(zones=1, tenants=1)
    sim.sql("CREATE USER other IDENTIFIED BY 'Secret'", tenant="tenant1")
    sim.connect(user="other@tenant1", password="Secret").close()
    sim.sql("ALTER USER other ACCOUNT LOCK", tenant="tenant1")
    assert number(sim.connect, user="other@tenant1", password="Secret") == 3118
    sim.sql("ALTER TENANT tenant1 LOCK")
    assert number(sim.connect, user="root@tenant1") == 5260
    sim.sql("ALTER TENANT tenant1 UNLOCK")
    sim.sql("SET GLOBAL ob_tcp_invited_nodes = '10.0.0.0/8'", tenant="tenant1")
    assert number(sim.connect, user="root@tenant1") == 1227


def test_root_password_changed_by_somebody_else(new_obsim):
    sim = new_obsim(zones=1)
    with contextlib.closing(sim.connect()) as connection:
        sim.sql("ALTER USER root IDENTIFIED BY 'Another'")
        assert rows(connection, "SELECT 1") == ((1,),)
    assert number(sim.connect) == 1045
    sim.connect(password="Another").close()


# --- protocol --------------------------------------------------------------------------------------------------------------------------


def test_identity(obsim, root):
    assert root.get_server_info() == "5.7.25-OceanBase_CE-v4.2.1.0"
    (version, comment, ob_version, ip, packet), = rows(
        root, "SELECT version(), @@version_comment, ob_version(), host_ip(), @@max_allowed_packet")
    assert (version, ob_version, ip) == ("5.7.25-OceanBase_CE-v4.2.1.0", "4.2.1.0", obsim.host)
    assert comment.startswith("OceanBase_CE 4.2.1.0 (r1") and "(Built " in comment and packet >= 1 << 20


def test_commands(obsim, root):
    root.ping()
    root.select_db("oceanbase")
    assert number(root.select_db, "nowhere") == 1049
    assert rows(root, "SELECT DATABASE()") == (("oceanbase",),)
    assert rows(root, "SELECT CONNECTION_ID()") == rows(root, "SELECT ID FROM V$OB_PROCESSLIST WHERE info LIKE 'SELECT ID FROM%'")


def test_session_variables(root):
    with root.cursor() as cursor:
        cursor.execute("SET ob_query_timeout = 5000000, time_zone = '+00:00', autocommit = 1")
    assert rows(root, "SELECT @@ob_query_timeout, @@time_zone, @@global.ob_query_timeout") == ((5000000, "+00:00", 10000000),)
    (seconds,), = rows(root, "SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), NOW(6))")
    assert seconds == 0
    assert number(rows, root, "SELECT @@nothing") == 1193
    assert number(rows, root, "SET nothing = 1") == 1193


def test_long_statements(root):
    length = 1 << 20
    assert rows(root, "SELECT LENGTH(%s)", "x" * length) == ((length,),)
    (limit,), = rows(root, "SELECT @@max_allowed_packet")
    assert number(rows, root, "SELECT '" + "x" * limit + "'") == 1153
    assert rows(root, "SELECT 2") == ((2,),)


def test_long_results(new_obsim):
    """An answer of more than 16 MiB takes several packets."""
    sim = new_obsim(zones=1)
    sim.sql("SET GLOBAL max_allowed_packet = 67108864")
    with contextlib.closing(sim.connect(max_allowed_packet=1 << 26)) as connection:
        (text,), = rows(connection, "SELECT %s", "y" * (17 << 20))
        assert len(text) == 17 << 20


def test_tls(new_obsim):
    sim = new_obsim(zones=1, tls=True)
    context = ssl.create_default_context(cafile=sim.ca_file)
    context.check_hostname = False
    with contextlib.closing(sim.connect(ssl=context)) as connection:
        assert isinstance(connection._sock, ssl.SSLSocket)
        assert rows(connection, "SELECT 1") == ((1,),)
    sim.connect().close()
    with SqlProbe(sim.host, sim.port, "root@sys", sim.password, tls="tls") as probe:
        assert probe.connect().error is None
        assert probe.run("SELECT 1").rows == [["1"]]


# --- SELECT ----------------------------------------------------------------------------------------------------------------------------


def columns_of(file, *path):
    spec = json.loads((DATA / file).read_text())
    for name in path:
        spec = spec[name]
    return spec.items()


def test_every_view_has_its_columns(root):
    for name, view in columns_of("views.json", "v4"):
        rows(root, f"SELECT {', '.join(f'`{column[0]}`' for column in view['columns'])} FROM oceanbase.{name}")
    for database in ("oceanbase", "mysql", "information_schema"):
        for name, table in columns_of("tables.json", database):
            rows(root, f"SELECT {', '.join(f'`{column[0]}`' for column in table['columns'])} FROM {database}.{name}")


def test_newer_columns_come_with_newer_versions(new_obsim, root):
    assert number(rows, root, "SELECT DATA_DISK_SIZE FROM oceanbase.DBA_OB_UNIT_CONFIGS") == 1054
    sim = new_obsim(zones=1, version="4.3.3.0")
    with contextlib.closing(sim.connect()) as connection:
        rows(connection, "SELECT DATA_DISK_SIZE FROM oceanbase.DBA_OB_UNIT_CONFIGS")
        assert rows(connection, "SELECT ob_version()") == (("4.3.3.0",),)


@pytest.mark.parametrize("statement, expected", [
    ("SELECT 1 FROM oceanbase.NO_SUCH_VIEW", 1146),
    ("SELECT 1 FROM nowhere.DBA_OB_ZONES", 1049),
    ("SELECT NO_SUCH_COLUMN FROM oceanbase.DBA_OB_ZONES", 1054),
    ("SELECT `zone`, \"zone\", z.nothing FROM oceanbase.DBA_OB_ZONES z", 1054),
    ("SELECT * FROM DBA_OB_ZONES", 1046),
    ("SELECT 1 FROM", 1064),
    ("SELECT 1 1 1", 1064),
    ("NONSENSE", 1064),
    ("SELECT NO_SUCH_FUNCTION(1)", 1305),
    ("SELECT LEFT('a')", 1582),
    ("SELECT zone FROM oceanbase.DBA_OB_ZONES a JOIN oceanbase.DBA_OB_ZONES b ON a.zone = b.zone", 1052),
    ("SELECT 1; SELECT 2", 1149),
    ("SELECT 1 UNION SELECT 1, 2", 1222),
    ("SELECT * FROM oceanbase.sqlite_master", 1146),
    ("WITH x AS (DELETE FROM oceanbase.DBA_OB_ZONES) SELECT 1", 1064),
])
def test_errors(root, statement, expected):
    assert number(rows, root, statement) == expected


@pytest.mark.parametrize("expression, expected", [
    ("CONCAT('a', 1, 'b'), CONCAT('a', NULL), CONCAT_WS(',', 'a', NULL, 'b')", ("a1b", None, "a,b")),
    ("LEFT('déjà', 2), RIGHT('déjà', 2), SUBSTRING('abcd', 2, 2), SUBSTRING('abcd', -2)", ("dé", "jà", "bc", "cd")),
    ("SUBSTRING_INDEX('a.b.c', '.', 2), SUBSTRING_INDEX('a.b.c', '.', -2), LOCATE('c', 'abc'), REVERSE('abc')", ("a.b", "b.c", 3, "cba")),
    ("TRIM('  x '), TRIM(BOTH 'x' FROM 'xxyxx'), TRIM(LEADING 'x' FROM 'xxyxx'), REPLACE('aXb', 'X', '--')", ("x", "y", "yxx", "a--b")),
    ("IF(1 > 2, 'yes', 'no'), IFNULL(NULL, 3), NULLIF(1, 1), COALESCE(NULL, 'x')", ("no", 3, None, "x")),
    ("7 / 2, 7 DIV 2, 7 % 2, '5' + 1, NULL <=> NULL, 1 && 0, 0 || 1", (3.5, 3, 1, 6, 1, 0, 1)),
    ("'abc' LIKE 'A%', 'a_c' LIKE 'a\\_c', 'abc' LIKE 'a\\_c', 'abc' REGEXP '^A.c$'", (1, 1, 0, 1)),
    ("UNIX_TIMESTAMP('2026-01-02 08:00:00'), TIME_TO_USEC('2026-01-02 08:00:00.5'), USEC_TO_TIME(1767312000500000)",
     (1767312000, 1767312000500000, "2026-01-02 08:00:00.500000")),
    ("'2026-01-31 00:00:00' + INTERVAL 1 DAY, DATE_SUB('2026-03-01', INTERVAL 1 MINUTE), DATE_FORMAT('2026-01-02 03:04:05', '%Y%m%d %H:%i')",
     ("2026-02-01 00:00:00", "2026-02-28 23:59:00", "20260102 03:04")),
    ("GREATEST(1, 3, 2), LEAST('b', 'a'), CAST('12' AS UNSIGNED), ROUND(2.5), FIND_IN_SET('b', 'a,b')", (3, "a", 12, 3, 2)),
])
def test_functions(root, expression, expected):
    assert rows(root, f"SELECT {expression}") == (expected,)


def test_scope_of_views(obsim, root):
    """CDB_ and GV$ show sys everything, and a tenant what is its own; views of the cluster are sys's alone."""
    tenants = {name: number for number, name in rows(root, "SELECT tenant_id, tenant_name FROM oceanbase.DBA_OB_TENANTS")}
    assert {"sys", "tenant1", "tenant2"} < set(tenants)
    (server, mine), = rows(root, "SELECT svr_ip, COUNT(*) FROM oceanbase.V$OB_SERVERS GROUP BY svr_ip")
    assert (server, mine) == (obsim.host, 1)
    assert rows(root, "SELECT COUNT(*) FROM oceanbase.GV$OB_SERVERS") == ((6,),)
    with contextlib.closing(obsim.connect(server=obsim.server_of("tenant1"), user="root@tenant1")) as connection:
        assert number(rows, connection, "SELECT * FROM oceanbase.DBA_OB_SERVERS") == 1146
        assert number(rows, connection, "SELECT * FROM oceanbase.CDB_OB_SYS_VARIABLES") == 1146
        assert rows(connection, "SELECT tenant_name FROM oceanbase.DBA_OB_TENANTS") == (("tenant1",),)
        assert {t for t, in rows(connection, "SELECT tenant_id FROM oceanbase.GV$OB_LOG_STAT")} == {tenants["tenant1"]}
        assert {name for name, in rows(connection, "SELECT user_name FROM oceanbase.DBA_OB_USERS")} >= {"root"}


def test_rows_follow_the_state(new_obsim):
    sim = new_obsim(zones=1)
    with contextlib.closing(sim.connect()) as connection:
        assert rows(connection, "SELECT COUNT(*) FROM oceanbase.DBA_OB_UNIT_CONFIGS WHERE name = 'u9'") == ((0,),)
        rows(connection, "CREATE RESOURCE UNIT u9 MAX_CPU 1, MEMORY_SIZE '2G'")
        assert rows(connection, "SELECT max_cpu, memory_size FROM oceanbase.DBA_OB_UNIT_CONFIGS WHERE name = 'U9'") == ((1.0, 2 << 30),)


# --- ocp-server's own client ---------------------------------------------------------------------------------------------------------


def test_own_client(obsim):
    with SqlProbe(obsim.host, obsim.port, "root@sys", obsim.password) as probe:
        said = probe.connect()
        assert (said.error, said.engine, said.version) == (None, OCEANBASE, "5.7.25-OceanBase_CE-v4.2.1.0")
        assert probe.run("SELECT zone, status FROM oceanbase.DBA_OB_ZONES ORDER BY zone").rows[0] == ["zone1", "ACTIVE"]
        prepared = probe.run("SELECT svr_ip, stop_time FROM oceanbase.DBA_OB_SERVERS ORDER BY svr_ip", flags="p")
        assert (prepared.error, prepared.n_rows, prepared.rows[0]) == (None, 6, [obsim.host, None])
        failed = probe.run("SELECT 1 FROM oceanbase.NOTHING", flags="p")
        assert (failed.error, failed.number) == ("ERR_SQL_FAILED", 1146)
        assert probe.run("SELECT 1").rows == [["1"]]


def test_own_client_is_refused(obsim):
    for user, expected in (("root@sys", 1045), ("root@sys#other", 4666), ("root@nobody", 5160)):
        with SqlProbe(obsim.host, obsim.port, user, "wrong") as probe:
            assert probe.connect().number == expected


# --- faults ----------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def sim(new_obsim):
    return new_obsim(servers=1)


def status(sim, server):
    """How the other servers see it."""
    with contextlib.closing(sim.connect(server=next(s for s in sim.servers() if s != server))) as connection:
        return rows(connection, "SELECT status FROM oceanbase.DBA_OB_SERVERS WHERE svr_ip = %s", server)[0][0]


def test_a_server_dies_and_returns(sim):
    first, victim = sim.servers()[:2]
    connection = sim.connect(server=victim)
    sim.ctl("kill", server=victim)
    assert number(rows, connection, "SELECT 1") in (2006, 2013)
    assert number(sim.connect, server=victim) == 2003
    wait_until(lambda: status(sim, victim) == "INACTIVE", "the cluster notices")
    with contextlib.closing(sim.connect()) as other:
        alive = {ip for ip, in rows(other, "SELECT svr_ip FROM oceanbase.GV$OB_SERVERS")}
        assert first in alive and victim not in alive
        sim.ctl("start", server=victim, build="4.2.1.2_102000042023120514-0123456789abcdef(Dec  5 2023 14:33:41)")
        wait_until(lambda: status(sim, victim) == "ACTIVE", "the server is back")
        (build,), = rows(other, "SELECT build_version FROM oceanbase.DBA_OB_SERVERS WHERE svr_ip = %s", victim)
        assert build.startswith("4.2.1.2_")
    sim.connect(server=victim).close()


def test_a_server_hangs(sim):
    """TCP is accepted, nothing is answered; idle connections go on afterwards as if nothing had been."""
    victim = sim.servers()[1]
    connection = sim.connect(server=victim)
    sim.ctl("hang", server=victim)
    socket.create_connection((victim, sim.port), timeout=5).close()
    with SqlProbe(victim, sim.port, "root@sys", sim.password) as probe:
        assert probe.connect(timeout_ms=300).error == "ERR_SQL_LOST"
    answers = []
    asking = threading.Thread(target=lambda: answers.append(rows(connection, "SELECT 1")))
    asking.start()
    wait_until(lambda: status(sim, victim) == "INACTIVE", "the cluster notices")
    assert not answers
    sim.ctl("hang", server=victim, on=False)
    asking.join()
    assert answers == [((1,),)]
    wait_until(lambda: status(sim, victim) == "ACTIVE", "the server is back")


def test_views_of_all_servers_wait_for_one_that_hangs(sim):
    victim = sim.servers()[1]
    sim.ctl("hang", server=victim, leased=True)
    with contextlib.closing(sim.connect()) as connection:
        assert len(rows(connection, "SELECT * FROM oceanbase.GV$OB_SERVERS")) == 2
        sim.ctl("gv_waits")
        rows(connection, "SET ob_query_timeout = 1000000")
        assert number(rows, connection, "SELECT * FROM oceanbase.GV$OB_SERVERS") == 4012
        assert len(rows(connection, "SELECT * FROM oceanbase.DBA_OB_SERVERS")) == 3


def test_partition_hiding_and_root_service(sim):
    first, second, third = sim.servers()
    sim.ctl("partition", server=third)
    wait_until(lambda: status(sim, third) == "INACTIVE", "the cluster notices")
    sim.connect(server=third).close()
    sim.ctl("partition", server=third, on=False)
    wait_until(lambda: status(sim, third) == "ACTIVE", "the server is back")
    with contextlib.closing(sim.connect()) as connection:
        sim.ctl("hide", server=third)
        assert len(rows(connection, "SELECT * FROM oceanbase.DBA_OB_SERVERS")) == 2
        sim.ctl("hide", server=third, on=False)
        sim.ctl("rootserver", server=second)
        assert rows(connection, "SELECT svr_ip FROM oceanbase.DBA_OB_SERVERS WHERE with_rootserver = 'YES'") == ((second,),)
        assert rows(connection, "SELECT svr_ip FROM oceanbase.CDB_OB_LS_LOCATIONS WHERE tenant_id = 1 AND ls_id = 1 AND role = 'LEADER'") == (
            (second,),)


def test_lies_clocks_and_slow_starts(sim):
    first, second, third = sim.servers()
    sim.ctl("lie", server=first, version="10.11.6-MariaDB", comment="mariadb.org binary distribution")
    with contextlib.closing(sim.connect()) as connection:
        assert connection.get_server_info() == "10.11.6-MariaDB"
        assert rows(connection, "SELECT version(), @@version_comment") == (("10.11.6-MariaDB", "mariadb.org binary distribution"),)
    sim.ctl("skew", server=second, ms=-3600000)
    with contextlib.closing(sim.connect(server=second)) as connection:
        (seconds,), = rows(connection, "SELECT UNIX_TIMESTAMP()")
        assert abs(time.time() - 3600 - seconds) < 60
    sim.ctl("starting", server=third)
    assert number(sim.connect, server=third) == 8001
    sim.ctl("starting", server=third, on=False)
    sim.ctl("slow_login", server=third, ms=200)
    began = time.monotonic()
    sim.connect(server=third).close()
    assert time.monotonic() - began >= 0.2


def test_statements_go_wrong(sim):
    with contextlib.closing(sim.connect()) as connection:
        sim.fault("DBA_OB_ZONES", "error", number=4038, text="not master", skip=1, times=2)
        assert len(rows(connection, "SELECT * FROM oceanbase.dba_ob_zones")) == 3
        assert [number(rows, connection, "SELECT * FROM oceanbase.DBA_OB_ZONES") for _ in range(2)] == [4038, 4038]
        assert len(rows(connection, "SELECT * FROM oceanbase.DBA_OB_ZONES")) == 3
        fault = sim.fault("^SELECT 2", "error", times=-1, server=sim.servers()[1])
        assert rows(connection, "SELECT 2") == ((2,),)
        sim.ctl("clear", id=fault)
        sim.fault("SELECT 3", "slow", ms=2000)
        began = time.monotonic()
        assert rows(connection, "SELECT 3") == ((3,),)
        assert time.monotonic() - began >= 0.2, "2 s, ten times as fast"
    with pytest.raises(Refused):
        sim.fault("(", "error")


@pytest.mark.parametrize("kind, error, created", [("lost", 2013, True), ("cut", 2013, True), ("timeout", 4012, False)])
def test_unknown_outcomes(sim, kind, error, created):
    connection = sim.connect()
    rows(connection, "SET ob_query_timeout = 1000000")
    sim.fault("CREATE RESOURCE UNIT", kind)
    assert number(rows, connection, "CREATE RESOURCE UNIT u9 MAX_CPU 1, MEMORY_SIZE '2G'") == error
    assert sim.sql("SELECT COUNT(*) FROM oceanbase.DBA_OB_UNIT_CONFIGS WHERE name = 'u9'") == [[str(int(created))]]


def test_a_timeout_that_succeeds_in_the_background(sim):
    with contextlib.closing(sim.connect()) as connection:
        rows(connection, "SET ob_query_timeout = 1000000")
        sim.fault("CREATE RESOURCE UNIT", "timeout", done=True)
        assert number(rows, connection, "CREATE RESOURCE UNIT u9 MAX_CPU 1, MEMORY_SIZE '2G'") == 4012
        assert rows(connection, "SELECT COUNT(*) FROM oceanbase.DBA_OB_UNIT_CONFIGS WHERE name = 'u9'") == ((1,),)


def test_own_client_sees_unknown_outcomes(sim):
    with SqlProbe(sim.host, sim.port, "root@sys", sim.password) as probe:
        for kind in ("lost", "cut"):
            assert probe.connect().error is None
            sim.fault("CREATE RESOURCE UNIT", kind)
            said = probe.run(f"CREATE RESOURCE UNIT {kind} MAX_CPU 1, MEMORY_SIZE '2G'", flags="c")
            assert (said.error, said.dead) == ("ERR_SQL_UNKNOWN", True)
            probe.close_session()
    assert sim.sql("SELECT COUNT(*) FROM oceanbase.DBA_OB_UNIT_CONFIGS WHERE name IN ('lost', 'cut')") == [["2"]]


def test_query_timeout_and_sleep(sim):
    with contextlib.closing(sim.connect()) as connection:
        rows(connection, "SET ob_query_timeout = 1000000")
        assert rows(connection, "SELECT SLEEP(0.5)") == ((0,),)
        assert number(rows, connection, "SELECT SLEEP(2)") == 4012
        assert rows(connection, "SELECT 1") == ((1,),)


def test_kill(new_obsim):
    sim = new_obsim(zones=1, speed=1)
    with contextlib.closing(sim.connect()) as connection:
        (own,), = rows(connection, "SELECT CONNECTION_ID()")
        said = []
        for word, expected in (("KILL QUERY", 1317), ("KILL", 2013)):
            asking = threading.Thread(target=lambda: said.append(number(rows, connection, "SELECT SLEEP(9)")))
            asking.start()
            wait_until(lambda: sim.sql(f"SELECT 1 FROM oceanbase.GV$OB_PROCESSLIST WHERE id = {own} AND info LIKE '%SLEEP(9)'"), "it runs")
            sim.sql(f"{word} {own}")
            asking.join()
            assert said.pop() == expected
    with pytest.raises(Refused) as caught:
        sim.sql("KILL 123")
    assert caught.value.number == 1094


def test_trace(sim):
    with contextlib.closing(sim.connect()) as connection:
        rows(connection, "SELECT 'traced'")
        assert number(rows, connection, "SELECT nothing") == 1054
    seen = [line for line in sim.audit() if line["text"].startswith("SELECT")]
    assert [(line["text"], line["errno"], line["user"], line["tenant"], line["server"]) for line in seen] == [
        ("SELECT 'traced'", 0, "root", "sys", sim.host), ("SELECT nothing", 1054, "root", "sys", sim.host)]


# --- size ------------------------------------------------------------------------------------------------------------------------------


def test_many_clusters(new_obsim):
    """A hundred clusters of nine servers each, every one with an address of its own."""
    sim = new_obsim(servers=3, clusters=100)
    assert sim.servers("obcluster100")[8] == "127.100.3.3"
    for cluster, user in (("obcluster", "root@sys#obcluster:1"), ("obcluster100", "root@sys#obcluster100:100")):
        with contextlib.closing(sim.connect(server=sim.servers(cluster)[8], user=user, password=PASSWORD)) as connection:
            assert rows(connection, "SELECT COUNT(*) FROM oceanbase.DBA_OB_SERVERS") == ((9,),)


def test_many_tenants(new_obsim):
    sim = new_obsim(servers=3, tenants=150, oracle_tenants=50)
    with contextlib.closing(sim.connect()) as connection:
        assert rows(connection, "SELECT compatibility_mode, COUNT(*) FROM oceanbase.DBA_OB_TENANTS WHERE tenant_type = 'USER' "
                                "GROUP BY compatibility_mode ORDER BY 1") == (("MYSQL", 150), ("ORACLE", 50))
        assert rows(connection, "SELECT COUNT(*) FROM oceanbase.DBA_OB_UNITS") == ((3 * 201,),)
        assert len(rows(connection, "SELECT name, value FROM oceanbase.GV$OB_PARAMETERS WHERE tenant_id IS NOT NULL")) > 600
