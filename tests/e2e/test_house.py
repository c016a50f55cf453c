# SPDX-License-Identifier: Apache-2.0
"""The test house itself: what the fixtures promise is what they do."""
import signal
import subprocess
import sys
import textwrap
import time

import pymysql
import pytest

from lib.py.process import Child, Port, wait_until


def count(server, database):
    return server.sql(f"SELECT COUNT(*) n FROM `{database.name}`.t")[0]["n"]


# -- processes ------------------------------------------------------------------------------------------------

def test_wait_until_gives_up_at_its_deadline_and_says_what_it_waited_for():
    with pytest.raises(TimeoutError, match="the moon: not within 0.05 s"):
        wait_until(lambda: False, "the moon", timeout=0.05)


def test_ports_are_free_and_never_given_out_twice():
    ports = [Port() for _ in range(50)]
    assert len({int(p) for p in ports}) == 50
    for port in ports:
        port.release()


def test_child_reports_status_output_and_early_end(tmp_path):
    child = Child(["sh", "-c", "echo hello; exit 3"], tmp_path / "log")
    assert child.wait() == 3
    assert child.output() == "hello\n"
    with pytest.raises(RuntimeError, match="status 3(.|\n)*hello"):
        child.check_alive()


def test_paused_child_still_ends_on_terminate(tmp_path):
    child = Child(["sleep", "600"], tmp_path / "log")
    child.pause()
    assert child.terminate() == -signal.SIGTERM


def test_kill_takes_the_whole_process_group(tmp_path):
    child = Child(["sh", "-c", "sleep 600 & echo $!; wait"], tmp_path / "log")
    grandchild = int(wait_until(child.output, "the shell prints the pid"))
    child.kill()
    wait_until(lambda: not is_running(grandchild), "the grandchild is gone")


def test_children_die_with_a_test_run_that_is_killed(tmp_path):
    script = textwrap.dedent("""
        import os, sys
        sys.path.insert(0, sys.argv[1])
        from lib.py.process import Child
        print(Child(["sleep", "600"], sys.argv[2] + "/log").pid, flush=True)
        os.kill(os.getpid(), 9)
        """)
    tests = __file__.rsplit("/", 2)[0]
    done = subprocess.run([sys.executable, "-c", script, tests, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == -9
    wait_until(lambda: not is_running(int(done.stdout)), "the child of the killed run is gone")


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


# -- databases ------------------------------------------------------------------------------------------------

def test_mariadb_speaks_tls_verified_against_its_own_authority(mariadb_server):
    tls = {"ca": str(mariadb_server.ca_file)}
    assert mariadb_server.sql("SHOW STATUS LIKE 'Ssl_version'", ssl=tls)[0]["Value"].startswith("TLSv1")
    assert mariadb_server.sql("SHOW STATUS LIKE 'Ssl_version'")[0]["Value"] == ""


def test_database_of_a_test_belongs_to_its_own_user_only(mariadb_server, metadb):
    rows = mariadb_server.sql("SHOW DATABASES", user=metadb.user, password=metadb.password)
    assert {r["Database"] for r in rows} == {"information_schema", metadb.name, metadb.monitor, metadb.package}


def test_mariadb_keeps_acknowledged_rows_over_kill(new_mariadb):
    server = new_mariadb()
    database = server.create_database()
    server.sql(f"CREATE TABLE `{database.name}`.t (a INT PRIMARY KEY)")
    for n in range(20):
        server.sql(f"INSERT INTO `{database.name}`.t VALUES ({n})")
    server.kill()
    with pytest.raises(pymysql.err.OperationalError):
        server.connect()
    server.start()
    assert count(server, database) == 20


def test_paused_mariadb_hangs_and_resumed_one_answers(new_mariadb):
    server = new_mariadb()
    connection = server.connect(read_timeout=0.5)
    server.pause()
    with pytest.raises(pymysql.err.OperationalError):
        connection.cursor().execute("SELECT 1")
    server.resume()
    assert server.sql("SELECT 1 AS one") == [{"one": 1}]


def test_two_kernels_run_at_once_and_know_their_passwords(seekdb_pair):
    first, second = seekdb_pair
    assert first.port != second.port
    for kernel in seekdb_pair:
        assert "seekdb" in kernel.sql("SELECT VERSION() v")[0]["v"]
    with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
        first.connect(password=second.password)


def test_kernel_answers_this_machine_only(seekdb):
    assert seekdb.sql("SELECT @@GLOBAL.ob_tcp_invited_nodes n")[0]["n"] == "127.0.0.1"


def test_kernel_keeps_password_and_rows_over_kill_and_stop(new_seekdb):
    kernel = new_seekdb(password="Kernel-3")
    database = kernel.create_database()
    kernel.sql(f"CREATE TABLE `{database.name}`.t (a INT PRIMARY KEY)")
    kernel.sql(f"INSERT INTO `{database.name}`.t VALUES (1)")
    kernel.kill()
    kernel.start()
    assert count(kernel, database) == 1
    kernel.restart()
    assert count(kernel, database) == 1


def test_kernel_speaks_tls(new_seekdb):
    kernel = new_seekdb(tls=True)
    connection = kernel.connect(ssl={"ca": str(kernel.ca_file)})
    assert connection._sock.version() == "TLSv1.3"
    connection.close()


def test_kernel_holds_databases_of_tests(seekdb_metadb, metadb_on_kernel):
    login = {"user": metadb_on_kernel.user, "password": metadb_on_kernel.password}
    connection = seekdb_metadb.connect(database=metadb_on_kernel.name, **login)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (a INT PRIMARY KEY)")
        cursor.execute("INSERT INTO t VALUES (1)")
    connection.close()
    assert count(seekdb_metadb, metadb_on_kernel) == 1
    rows = seekdb_metadb.sql("SHOW DATABASES", **login)
    assert {metadb_on_kernel.name, metadb_on_kernel.monitor} <= {r["Database"] for r in rows}


def test_embedded_kernel_serves_its_socket_only(seekdb_embedded):
    assert seekdb_embedded.sql("SELECT 1 AS one") == [{"one": 1}]
    listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    assert f"pid={seekdb_embedded.pid}," not in listening


# -- proxy ----------------------------------------------------------------------------------------------------

@pytest.fixture
def behind_proxy(mariadb_server, metadb, new_proxy):
    """(proxy in front of mariadb_server, function that connects through it); table t is there."""
    mariadb_server.sql(f"CREATE TABLE `{metadb.name}`.t (a INT PRIMARY KEY)")
    proxy = new_proxy((mariadb_server.host, mariadb_server.port), mysql=True)

    def connect(**options):
        return mariadb_server.connect(host=proxy.host, port=proxy.port, database=metadb.name, **options)
    return proxy, connect


def test_proxy_delays_each_answer(behind_proxy):
    proxy, connect = behind_proxy
    connection = connect()
    proxy.delay(200)
    begin = time.monotonic()
    for _ in range(3):
        connection.cursor().execute("SELECT 1")
    assert 0.6 <= time.monotonic() - begin < 20


def test_proxy_delay_keeps_the_throughput_of_a_long_answer(behind_proxy):
    proxy, connect = behind_proxy
    connection = connect()
    proxy.delay(200)
    begin = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT REPEAT('x', 8000000) t")
        assert len(cursor.fetchone()["t"]) == 8000000
    assert 0.2 <= time.monotonic() - begin < 10


@pytest.mark.parametrize("tls", [False, True])
def test_proxy_stalls_in_the_middle_of_an_answer(behind_proxy, mariadb_server, tls):
    proxy, connect = behind_proxy
    connection = connect(read_timeout=0.5, **({"ssl": {"ca": str(mariadb_server.ca_file)}} if tls else {}))
    trap = proxy.stall_after(1000)
    before = proxy.n_bytes["down"]
    with pytest.raises(pymysql.err.OperationalError, match="timed out"):
        connection.cursor().execute("SELECT REPEAT('x', 100000)")
    trap.wait()
    assert proxy.n_bytes["down"] - before == 1000
    assert connect().open, "only one connection is stalled"


@pytest.mark.parametrize("n_bytes", [0, 1, 1000])
def test_proxy_cuts_at_the_chosen_byte(behind_proxy, n_bytes):
    proxy, connect = behind_proxy
    connection = connect()
    trap = proxy.cut_after(n_bytes)
    before = proxy.n_bytes["down"]
    with pytest.raises(pymysql.err.OperationalError, match="2013"):
        connection.cursor().execute("SELECT REPEAT('x', 100000)")
    trap.wait()
    assert proxy.n_bytes["down"] - before == n_bytes
    wait_until(lambda: proxy.n_open == 0, "the connection is closed on both sides")


@pytest.mark.parametrize("when, arrives", [("request", False), ("answer", True)])
def test_commit_without_an_answer_is_lost_or_done(behind_proxy, mariadb_server, metadb, when, arrives):
    proxy, connect = behind_proxy
    connection = connect(autocommit=False)
    connection.cursor().execute("INSERT INTO t VALUES (1)")
    trap = proxy.cut_at("^COMMIT", when=when)
    with pytest.raises(pymysql.err.OperationalError, match="2013"):
        connection.commit()
    assert trap.fired
    assert count(mariadb_server, metadb) == (1 if arrives else 0)


def test_connection_cut_right_after_a_statement_was_sent(behind_proxy):
    proxy, connect = behind_proxy
    connection = connect()
    trap = proxy.cut_at("^INSERT", when="sent", nth=3)
    cursor = connection.cursor()
    cursor.execute("INSERT INTO t VALUES (1)")
    cursor.execute("INSERT INTO t VALUES (2)")
    with pytest.raises(pymysql.err.OperationalError, match="2013"):
        cursor.execute("INSERT INTO t VALUES (3)")
    assert trap.connection == 1


def test_trap_that_is_disarmed_does_nothing(behind_proxy):
    proxy, connect = behind_proxy
    trap = proxy.cut_at("INSERT")
    assert not trap.disarm()
    connect().cursor().execute("INSERT INTO t VALUES (1)")
    with pytest.raises(TimeoutError):
        trap.wait(0)


def test_encrypted_connection_passes_unread_and_is_counted(behind_proxy, mariadb_server):
    proxy, connect = behind_proxy
    trap = proxy.cut_at("SELECT")
    connection = connect(ssl={"ca": str(mariadb_server.ca_file)})
    connection.cursor().execute("SELECT 1")
    assert proxy.n_opaque == 1 and not trap.fired


def test_paused_proxy_keeps_and_blackhole_loses_what_is_sent(behind_proxy, mariadb_server, metadb):
    proxy, connect = behind_proxy
    connection = connect(read_timeout=0.3)
    proxy.pause()
    with pytest.raises(pymysql.err.OperationalError, match="timed out"):
        connection.cursor().execute("INSERT INTO t VALUES (1)")
    proxy.resume()
    wait_until(lambda: count(mariadb_server, metadb) == 1, "the kept statement arrives")
    connection = connect(read_timeout=0.3)
    proxy.blackhole()
    with pytest.raises(pymysql.err.OperationalError, match="timed out"):
        connection.cursor().execute("INSERT INTO t VALUES (2)")
    proxy.resume()
    connect().cursor().execute("INSERT INTO t VALUES (3)")
    assert count(mariadb_server, metadb) == 2


def test_proxy_refuses_and_accepts_again_on_the_same_port(behind_proxy):
    proxy, connect = behind_proxy
    connection = connect()
    proxy.refuse()
    with pytest.raises(pymysql.err.OperationalError, match="2003"):
        connect()
    connection.cursor().execute("SELECT 1")
    proxy.accept()
    another = connect()
    assert connection.open and another.open
    assert proxy.cut() == 2


def test_proxy_reads_the_text_of_prepared_statements():
    from lib.py.mysqlwire import COM_STMT_EXECUTE, COM_STMT_PREPARE, CommandReader

    def packet(number, payload):
        return len(payload).to_bytes(3, "little") + bytes([number]) + payload

    reader = CommandReader()
    reader.feed(packet(1, (0x8200).to_bytes(4, "little") + b"x" * 40))
    prepare = packet(0, bytes([COM_STMT_PREPARE]) + b"INSERT INTO t VALUES (?)")
    assert [c for _, c in reader.feed(prepare[:7])] == []
    [(raw, command)] = reader.feed(prepare[7:])
    assert raw == prepare and command.code == COM_STMT_PREPARE
    reader.answer(packet(1, b"\0" + (7).to_bytes(4, "little") + b"\0" * 7))
    [(_, command)] = reader.feed(packet(0, bytes([COM_STMT_EXECUTE]) + (7).to_bytes(4, "little") + b"\0" * 5))
    assert command.text == b"INSERT INTO t VALUES (?)"
