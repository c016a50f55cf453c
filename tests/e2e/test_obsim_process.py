# SPDX-License-Identifier: Apache-2.0
"""The simulated observer as a program: its command line, what it leaves on its host, and the cluster that several of them are."""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess

import pymysql
import pytest

from lib.py import obrpm
from lib.py.build import CHECKOUT
from lib.py.configserver import BAD_CODE, GOOD, NO_JSON, NOT_FOUND, ConfigServer
from lib.py.observers import Observer, Observers, ObState, waiting
from lib.py.obsim import PASSWORD, Refused
from lib.py.obtrace import DELETIONS, assert_units_empty_before_delete
from lib.py.process import Port, new_dir, wait_until

STATUS = "SELECT svr_ip, status FROM oceanbase.DBA_OB_SERVERS"


def number(connection, statement):
    """The errno of the statement; 0: it succeeded."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    except pymysql.err.MySQLError as e:
        return e.args[0]
    return 0


def rows(connection, statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


@pytest.fixture
def lonely():
    """A server of no cluster yet, its package in its home."""
    directory = new_dir("observer")
    ports = [Port(), Port()]
    obrpm.unpack(directory / "home", directory / "state")
    o = Observer(ObState(directory / "state", "lonely", 7).prepare(), directory / "home", "127.62.1.1", "zone1", *map(int, ports))
    yield o
    o.kill()
    for port in ports:
        port.release()


# --- the program ----------------------------------------------------------------------------------------------------------------------


def test_version(lonely):
    done = subprocess.run([lonely.home / "bin" / "observer", "-V"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "observer (OceanBase_CE 4.2.1.0)"
    assert done.stdout == done.stderr
    assert f"\nREVISION: {obrpm.RELEASE.build}-{obrpm.RELEASE.hash}\n" in done.stdout


def test_home_of_a_process(lonely):
    lonely.start(rs_list=f"{lonely.address}:{lonely.sql_port}")
    home, pid = lonely.home, lonely.pid
    assert pathlib.Path(f"/proc/{pid}/comm").read_text() == "observer\n"
    assert os.readlink(f"/proc/{pid}/cwd") == os.fspath(home)
    assert os.getsid(pid) == pid
    assert (home / "store" / "sstable" / "block_file").stat().st_size == 20 << 30
    assert (home / "store" / "clog" / "tenant_1").is_dir() and not list((home / "store" / "clog" / "tenant_1").iterdir())
    kept = dict(line.split("=", 1) for line in (home / "etc" / "observer.config.bin").read_text().splitlines())
    assert kept["zone"] == "zone1" and kept["memory_limit"] == "8G" and kept["cluster"] == "lonely"
    assert (home / "etc2" / "observer.conf.bin").exists() and (home / "etc3" / "observer.conf.bin").exists()
    socket.create_connection((lonely.ip, lonely.rpc_port), timeout=10).close()


def test_refused_command_lines(lonely):
    whole = lonely.options(rs_list=f"{lonely.address}:{lonely.sql_port}")
    for missing in ("-z", "-n", "-c", "-d", "-I"):
        at = whole.index(missing)
        status, said = lonely.run(*whole[:at], *whole[at + 2:])
        assert status == 1 and "has to be given at the first start" in said, (missing, said)
    for words, why in ((["-o", "nonsense=1"], "no such parameter"), (["-o", "memory_limit=much"], "no value"), (["stray"], "is no option"),
                       (["-o", "obconfig_url=http://127.0.0.1/services"], "not both")):
        status, said = lonely.run(*whole, *words)
        assert status == 1 and why in said, (words, said)
    assert not (lonely.home / "etc" / "observer.config.bin").exists()


def test_second_process_in_one_home(lonely):
    lonely.start(rs_list=f"{lonely.address}:{lonely.sql_port}")
    status, said = lonely.run("-p", lonely.sql_port)
    assert status == 1 and "runs already" in said


@pytest.mark.parametrize("part", ["clog", "sstable", "slog"])
def test_first_start_wants_empty_data(lonely, part):
    (lonely.home / "store" / part).mkdir(parents=True)
    (lonely.home / "store" / part / "old").touch()
    status, _ = lonely.run(*lonely.options(rs_list="x"))
    assert status == 0                             # it is a daemon by then
    wait_until(lambda: "not empty" in lonely.log(), "it says why")
    wait_until(lambda: lonely.pid is None, "it ends")


@pytest.mark.parametrize("port", ["sql_port", "rpc_port"])
def test_port_is_taken(lonely, port):
    with socket.create_server((lonely.ip, getattr(lonely, port))):
        lonely.run(*lonely.options(rs_list="x"))
        wait_until(lambda: "Address already in use" in lonely.log(), "it says why")
        wait_until(lambda: lonely.pid is None, "it ends")
    lonely.start(rs_list="x")                      # what was kept is no obstacle


def test_start_refused_by_a_test(lonely):
    lonely.state.refuse_start(lonely.address, times=1)
    lonely.run(*lonely.options(rs_list="x"))
    wait_until(lambda: "refused by a test" in lonely.log(), "it says so")
    wait_until(lambda: lonely.pid is None, "it ends")
    lonely.start(rs_list="x")


def test_trouble_waits_for_clusters_that_are_not_there_yet(lonely):
    lonely.state = ObState(lonely.state.path.parent, "new", 8)
    with waiting(lonely.state.path.parent, {"op": "refuse_start", "server": lonely.address}, {"op": "fault", "pattern": "SELECT 1", "kind": "error"}):
        lonely.launch(rs_list="x")
        wait_until(lambda: "refused by a test" in lonely.log(), "it ends")
        wait_until(lambda: lonely.pid is None, "it ends")
        lonely.start(rs_list="x")                  # this time it may
    with contextlib.closing(lonely.connect()) as c:
        assert [number(c, "SELECT 1") for _ in range(2)] == [4016, 0]


def test_term_and_restart_with_the_port_alone(lonely):
    lonely.start(rs_list=f"{lonely.address}:{lonely.sql_port}").stop()
    assert "SIGTERM" in lonely.log()
    assert lonely.start().pid is not None


def test_before_bootstrap(lonely):
    lonely.start()                                 # neither root servers nor a URL: it can only be added to a cluster
    with contextlib.closing(lonely.connect()) as c:
        assert rows(c, "SELECT 1") == ((1,),)
        assert rows(c, "SHOW PARAMETERS LIKE 'cluster'")[0][6] == "lonely"
        assert number(c, STATUS) == 8001
        assert number(c, "SELECT column_value FROM oceanbase.__all_core_table") == 1146
        assert number(c, "ALTER SYSTEM ADD ZONE z") == 8001
        assert number(c, f"ALTER SYSTEM BOOTSTRAP ZONE 'zone1' SERVER '{lonely.address}'") == 4012
    with pytest.raises(pymysql.err.OperationalError, match="1045"):
        lonely.connect(password="any")


def test_process_ends_with_its_cluster(lonely):
    lonely.start(rs_list="x")
    (lonely.state.path / "journal.jsonl").unlink()
    wait_until(lambda: lonely.pid is None, "it ends")


# --- the cluster ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster():
    """Three zones with two servers each, at rest after each test."""
    with Observers(servers=2).start() as c:
        c.bootstrap()
        yield c


@pytest.fixture
def root(cluster):
    with contextlib.closing(cluster.founders[0].connect(password=PASSWORD)) as c:
        yield c


def test_bootstrapped_once(cluster, root):
    assert set(cluster.status().values()) == {("ACTIVE", True, False)} and len(cluster.status()) == 6
    assert number(root, f"ALTER SYSTEM BOOTSTRAP ZONE 'zone1' SERVER '{cluster.founders[0].address}'") == 4015
    assert rows(root, "SELECT COUNT(*) FROM oceanbase.__all_core_table WHERE column_name = 'baseline_schema_version' AND column_value > 0") == ((1,),)
    assert rows(root, "SELECT unit_id, zone FROM oceanbase.DBA_OB_UNITS ORDER BY 1") == ((1, "zone1"), (2, "zone2"), (3, "zone3"))
    assert rows(root, "SELECT cpu_capacity, mem_capacity DIV 1024 DIV 1024 DIV 1024 FROM oceanbase.GV$OB_SERVERS")[0] == (8, 6)
    cluster.state.trace().assert_once("^ALTER SYSTEM BOOTSTRAP")
    assert all(list((o.home / "store" / "clog" / "tenant_1").iterdir()) for o in cluster.servers)


def test_what_one_server_was_told_all_know(cluster, root):
    assert number(root, "CREATE USER shared IDENTIFIED BY 'Shared-1'") == 0
    for o in cluster.servers:
        with contextlib.closing(o.connect(user="shared", password="Shared-1")) as c:
            assert number(c, "ALTER SYSTEM ADD ZONE z") == 1227
    with contextlib.closing(cluster.servers[4].connect(password=PASSWORD)) as c:
        assert number(c, "DROP USER shared") == 0
    with pytest.raises(pymysql.err.OperationalError, match="1045"):
        cluster.servers[5].connect(user="shared", password="Shared-1")


def test_tenant_over_three_processes(cluster, root):
    for statement in ("CREATE RESOURCE UNIT u MAX_CPU 1, MEMORY_SIZE '2G'",
                      "CREATE RESOURCE POOL p UNIT = 'u', UNIT_NUM = 1, ZONE_LIST = ('zone1', 'zone2', 'zone3')",
                      "CREATE TENANT t RESOURCE_POOL_LIST = ('p'), ZONE_LIST = ('zone1', 'zone2', 'zone3') SET ob_tcp_invited_nodes = '%'"):
        assert number(root, statement) == 0
    cluster.settle()
    everywhere = {o.ip: o.sql("SELECT tenant_name, status, locality FROM oceanbase.DBA_OB_TENANTS ORDER BY tenant_id") for o in cluster.servers}
    assert everywhere[cluster.servers[0].ip][-1][:2] == ["t", "NORMAL"]
    assert all(v == everywhere[cluster.servers[0].ip] for v in everywhere.values())
    assert number(root, "DROP TENANT t FORCE") == 0
    cluster.settle()
    assert number(root, "DROP RESOURCE POOL p") == 0 and number(root, "DROP RESOURCE UNIT u") == 0


def test_death_and_return(cluster, root):
    victim = cluster.servers[1]
    victim.kill()
    wait_until(lambda: cluster.status()[victim.ip] == ("INACTIVE", False, False), "its death is noticed")
    assert len(rows(root, "SELECT * FROM oceanbase.GV$OB_SERVERS")) == 5
    victim.start()
    wait_until(lambda: cluster.status()[victim.ip] == ("ACTIVE", True, False), "its return is noticed")
    assert [e["event"] for e in cluster.state.trace().events() if e["server"] == victim.ip] == ["up", "down", "up"]


def test_root_service_moves(cluster, root):
    def leader():
        return rows(root, "SELECT svr_ip FROM oceanbase.DBA_OB_SERVERS WHERE with_rootserver = 'YES'")
    before = leader()
    victim = next(o for o in cluster.servers if (o.ip,) in before)
    other = next(o for o in cluster.founders if o is not victim)
    with contextlib.closing(other.connect(password=PASSWORD)) as c:
        assert number(c, f"ALTER SYSTEM STOP SERVER '{victim.address}'") == 0
        third = next(o for o in cluster.founders if o.zone != victim.zone)
        assert number(c, f"ALTER SYSTEM STOP SERVER '{third.address}'") == 4660
        cluster.settle()
        assert leader() not in (before, ())
        assert number(c, f"ALTER SYSTEM START SERVER '{victim.address}'") == 0
    cluster.settle()
    cluster.state.trace().assert_one_zone_at_a_time({o.address: o.zone for o in cluster.servers})


def test_server_that_hangs_and_one_that_is_cut_off(cluster, root):
    victim = cluster.servers[2]
    for op in ("hang", "partition"):
        victim.tell(op, on=True)
        wait_until(lambda: cluster.status()[victim.ip][0] == "INACTIVE", f"{op} is noticed")
        victim.tell(op, on=False)
        wait_until(lambda: cluster.status()[victim.ip] == ("ACTIVE", True, False), f"the end of {op} is noticed")


def test_faults_are_counted_over_all_servers(cluster):
    cluster.state.fault("FROM oceanbase.nowhere_at_all", "error", number=4638, times=2)
    got = []
    for o in cluster.servers[:4]:
        with contextlib.closing(o.connect(password=PASSWORD)) as c:
            got.append(number(c, "SELECT 1 FROM oceanbase.nowhere_at_all"))
    assert got == [4638, 4638, 1146, 1146]


def test_lost_answer_after_effect(cluster, root):
    cluster.state.fault("^ALTER SYSTEM ADD ZONE lost", "lost")
    assert number(root, "ALTER SYSTEM ADD ZONE lost") == 2013
    with contextlib.closing(cluster.servers[1].connect(password=PASSWORD)) as c:
        assert number(c, "ALTER SYSTEM DELETE ZONE lost") == 0


def test_server_is_added_and_deleted(cluster, root):
    extra = cluster.server("127.61.1.9", "zone1")
    try:
        extra.start(rs_list=cluster.rs_list)
        cluster.state.hold("server_online")
        assert number(root, f"ALTER SYSTEM ADD SERVER '{extra.address}' ZONE 'zone2'") == 4631
        assert number(root, f"ALTER SYSTEM ADD SERVER '{extra.address}' ZONE 'zone1'") == 0
        assert cluster.status()[extra.ip] == ("ACTIVE", False, False)
        cluster.state.hold("server_online", on=False)
        wait_until(lambda: cluster.status()[extra.ip] == ("ACTIVE", True, False), "it is in service")
        unit, owner = rows(root, "SELECT unit_id, svr_ip FROM oceanbase.DBA_OB_UNITS WHERE zone = 'zone1'")[0]
        assert number(root, f"ALTER SYSTEM MIGRATE UNIT {unit} DESTINATION '{extra.address}'") == 0
        cluster.settle()
        home = next(o for o in cluster.servers if o.ip == owner)
        assert number(root, f"ALTER SYSTEM MIGRATE UNIT {unit} DESTINATION '{home.address}'") == 0
        cluster.settle()
        assert number(root, f"ALTER SYSTEM DELETE SERVER '{extra.address}'") == 0
        wait_until(lambda: extra.ip not in cluster.status(), "it is deleted")
        assert_units_empty_before_delete(cluster.sql(DELETIONS), extra.address)
        with contextlib.closing(extra.connect()) as c:
            assert number(c, STATUS) == 8001
        assert number(root, f"ALTER SYSTEM ADD SERVER '{extra.address}' ZONE 'zone1'") == 4179   # it is not empty
    finally:
        extra.kill()


def test_server_that_lost_its_data_is_not_taken_back(cluster):
    victim = cluster.servers[4]
    before = victim.home.rename(victim.home.with_name("kept"))
    try:
        victim.home = before
        victim.kill()
        victim.home = cluster.directory / f"host-{victim.ip}"
        obrpm.unpack(victim.home, cluster.directory / "state")
        victim.start(rs_list=cluster.rs_list)
        wait_until(lambda: "does not take this server" in victim.log(), "it says so")
        wait_until(lambda: cluster.status()[victim.ip][0] == "INACTIVE", "its death is noticed")
        victim.kill()
    finally:
        victim.home.rename(victim.home.with_name("emptied"))
        before.rename(victim.home)
    victim.start()
    wait_until(lambda: cluster.status()[victim.ip] == ("ACTIVE", True, False), "with its data it is taken")


def test_two_kills_in_a_row_are_one_new_start(cluster, root):
    victim = cluster.servers[3]
    started = rows(root, f"SELECT start_service_time FROM oceanbase.DBA_OB_SERVERS WHERE svr_ip = '{victim.ip}'")
    for _ in range(2):
        victim.kill().start()
    cluster.settle()
    assert rows(root, f"SELECT start_service_time FROM oceanbase.DBA_OB_SERVERS WHERE svr_ip = '{victim.ip}'") > started


def test_trace(cluster):
    trace = cluster.state.trace()
    trace.assert_order("^ALTER SYSTEM BOOTSTRAP", "^ALTER SYSTEM ADD SERVER", "^ALTER USER root")
    with pytest.raises(AssertionError, match="2 statements"):
        trace.assert_once(r"^ALTER SYSTEM ADD SERVER '127\.61\.[12]\.2")
    own = (cluster.founders[0].home / "log" / "obsim_audit.jsonl").read_text().splitlines()
    assert any("BOOTSTRAP" in json.loads(line).get("text", "") for line in own)


def test_freeze_signal_is_noticed_by_its_lease():
    """A process that is stopped holds its lock, but its stamp grows old."""
    with Observers(name="frozen", zones=1, servers=2, net=63) as c:
        c.state.path.joinpath("journal.jsonl").unlink()
        c.state.prepare(lease_ms=1500)
        c.start().bootstrap()
        victim = c.servers[1]
        victim.freeze()
        try:
            wait_until(lambda: c.status()[victim.ip][0] == "INACTIVE", "it is noticed")
        finally:
            victim.thaw()
        wait_until(lambda: c.status()[victim.ip] == ("ACTIVE", True, False), "its return is noticed")


def leader_of(post):
    leaders = [r["address"] for r in post[1]["RsList"] if r["role"] == "LEADER"]
    assert len(leaders) == 1
    return leaders[0]


def test_reports_to_the_config_url():
    """The one with the root service posts, at once and when it changes; what is not acknowledged is said again."""
    with ConfigServer() as config, Observers(name="obcluster", zones=3, net=64) as c:
        c.start(config_url=config.url)
        assert not config.posts                    # it is none yet
        config.answer = BAD_CODE
        c.bootstrap()
        for answer in (BAD_CODE, NOT_FOUND, NO_JSON, GOOD):
            config.answer, seen = answer, len(config.posts)
            wait_until(lambda seen=seen: len(config.posts) > seen + 1 or config.answer is GOOD and len(config.posts) > seen, "it is said again")
        query, body = config.posts[-1]
        assert query == {"Action": "ObRootServiceInfo", "ObCluster": "obcluster", "version": "2", "ObClusterId": "1"}
        assert (body["ObCluster"], body["ObRegion"], body["ObClusterId"], body["ObRegionId"], body["Type"]) == ("obcluster",) * 2 + (1, 1, "PRIMARY")
        assert {(r["address"], r["sql_port"]) for r in body["RsList"]} == {(o.address, o.sql_port) for o in c.servers}
        before = leader_of(config.posts[-1])
        victim = next(o for o in c.servers if o.address == before)
        assert "report root server list" in victim.log() and "ret=-4216" in victim.log()
        victim.kill()
        wait_until(lambda: leader_of(config.posts[-1]) != before, "the new one posts")
        times = [body["timestamp"] for _, body in config.posts]
        assert times == sorted(times)


def test_cluster_that_was_destroyed_is_founded_anew():
    with Observers(zones=2, net=64) as c:
        c.start().bootstrap()
        for o in c.servers:
            o.kill()
        c.servers[0].start()                       # it remembers, alone
        assert c.status()[c.servers[0].ip][0] == "ACTIVE"
        c.servers[0].kill()
        for o in c.servers:
            for part in ("store", "etc", "etc2", "etc3", "run"):
                shutil.rmtree(o.home / part)
            obrpm.unpack(o.home, c.directory / "state")
        c.start().bootstrap(password="Another-1")
        assert set(c.status().values()) == {("ACTIVE", True, False)}
        assert len(c.state.trace().statements("^ALTER SYSTEM BOOTSTRAP", succeeded=True)) == 2
        c.servers[1].connect(password="Another-1").close()


def test_bootstrap_that_does_not_end():
    with Observers(zones=1, net=64) as c:
        c.state.hold("bootstrap")
        c.start()
        with contextlib.closing(c.servers[0].connect()) as sql:
            assert number(sql, "SET SESSION ob_query_timeout = 1000000") == 0
            assert number(sql, f"ALTER SYSTEM BOOTSTRAP ZONE 'zone1' SERVER '{c.servers[0].address}'") == 4012
            assert number(sql, STATUS) == 8001
            c.state.hold("bootstrap", on=False)
            wait_until(lambda: number(sql, STATUS) == 0, "it ends all the same")


SHARED = ("DBA_OB_SERVERS", "DBA_OB_ZONES", "DBA_OB_UNITS", "DBA_OB_UNIT_CONFIGS", "DBA_OB_RESOURCE_POOLS", "DBA_OB_UNIT_JOBS", "DBA_OB_SERVER_JOBS",
          "DBA_OB_TENANTS", "CDB_OB_LS_LOCATIONS", "CDB_OB_SYS_VARIABLES", "GV$OB_PARAMETERS", "DBA_OB_ROOTSERVICE_EVENT_HISTORY", "__all_zone")
STORM = ("CREATE USER u{0} IDENTIFIED BY 'Pw-{0}'", "ALTER SYSTEM ADD ZONE z{0} REGION 'r{0}'", "CREATE RESOURCE UNIT un{0} MAX_CPU 1, MEMORY_SIZE '1G'",
         "ALTER SYSTEM SET cpu_count = {0}", "GRANT SELECT ON *.* TO u{0}", "ALTER SYSTEM MINOR FREEZE", "ALTER SYSTEM STOP ZONE zone2",
         "ALTER SYSTEM START ZONE zone2", "ALTER SYSTEM DELETE ZONE z{0}", "DROP RESOURCE UNIT un{0}", "SET GLOBAL recyclebin = {0}", "DROP USER u{0}")


def test_replicas_agree(cluster):
    """Whatever was told to whom at the same time, while one of them died and came back: all servers have the same rows."""
    def storm(i):
        with contextlib.closing(cluster.servers[i].connect(password=PASSWORD)) as sql:
            return sum(number(sql, STORM[k % len(STORM)].format(10 * i + k // len(STORM))) == 0 for k in range(4 * len(STORM)))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = [pool.submit(storm, i) for i in range(5)]
        cluster.servers[5].kill().start()
        assert all(r.result() > 10 for r in running)
    with contextlib.suppress(Refused):             # it may be started already
        cluster.sql("ALTER SYSTEM START ZONE zone2")
    wait_until(lambda: cluster.status()[cluster.servers[5].ip] == ("ACTIVE", True, False), "it is back")
    cluster.settle()
    for name in SHARED:
        all_ = [o.sql(f"SELECT * FROM oceanbase.{name}") for o in cluster.servers]
        for found in all_[1:]:
            assert found == all_[0], [(name, a, b) for a, b in zip(found, all_[0]) if a != b][:3]


def test_control_refuses_what_a_process_does_itself(cluster):
    for op in ("kill", "start"):
        with pytest.raises(Refused, match="process of its own"):
            cluster.servers[0].tell(op)
