# SPDX-License-Identifier: Apache-2.0
"""What the agent's processes do by themselves on a host: ocp_exporter and ob_cleaner, each started alone in a folder of the test."""
import contextlib
import http.client
import http.server
import os
import shutil
import subprocess
import threading
import time

import pytest

from lib.py.process import Child, new_dir, wait_until
from lib.py.server import built

ADDRESS = f"127.61.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 1}"      # of this run alone: the ports are fixed
DAY = 86400
NODE = """# TYPE node_load1 gauge
node_load1 0.25
node_cpu_seconds_total{cpu="0",mode="idle"} 10
node_cpu_seconds_total{cpu="1",mode="idle"} 20
node_memory_MemTotal_bytes 1e+09
node_vmstat_pgfault 3
"""


class Host:
    """A folder with the agent in it, and one directory that it may touch."""

    def __init__(self):
        self.home = new_dir("agent")
        self.root = self.home / "admin"
        for name in ("bin", "conf", "run", "log", "data", "admin"):
            (self.home / name).mkdir()
        shutil.copy(built().parent / "ocp-agent", self.home / "bin" / "ocp-agent")
        (self.home / "conf" / "agent.conf").write_text(
            f"ocp_id = {'ab' * 16}\nhost_id = 1\nlisten = {ADDRESS}\nroots = {self.root}\n")

    @contextlib.contextmanager
    def run(self, name):
        process = Child([self.home / "bin" / "ocp-agent", name], self.home / f"{name}.out", name=name)
        try:
            yield process
        finally:
            assert process.terminate() == 0

    def note(self, name):
        path = self.home / "run" / f"{name}.note"
        return path.read_text() if path.exists() else ""

    def log(self, name):
        path = self.home / "log" / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def server_calls(self):
        (self.home / "run" / "server-seen").write_text("seen\n")


@pytest.fixture
def host():
    return Host()


def scrape(path, port=62889, method="GET"):
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=30)
    try:
        connection.request(method, path)
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    except ConnectionRefusedError:
        return None, ""
    finally:
        connection.close()


def samples(text):
    """{name with labels: value}; every line must be a sample or a comment."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}


@contextlib.contextmanager
def node_exporter():
    """A stand-in that says a few lines."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = NODE.encode() if self.path == "/metrics" else b""
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer((ADDRESS, 63000), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_metrics_are_served_once_the_server_has_called(host):
    with host.run("ocp_exporter") as process:
        wait_until(lambda: "waits" in host.note("ocp_exporter"), "it waits for the server", alive=process.check_alive)
        assert scrape("/metrics/stat")[0] is None
        host.server_calls()
        wait_until(lambda: scrape("/metrics/stat")[0] == 200, "it serves", alive=process.check_alive)
        own = samples(scrape("/metrics/stat")[1])
        assert own["process_resident_memory_bytes"] > 100000 and own["process_open_fds"] > 3 and own["ocp_exporter_scrapes_total"] >= 2
        assert abs(own["process_start_time_seconds"] - time.time()) < 300
        assert own['host_agent_process_status{process="ocp_exporter"}'] == 1 and own['process_exists{name="pos_proxy"}'] == 0

        alone = samples(scrape("/metrics/node/host")[1])
        assert alone["node_exporter_up"] == 0 and 'process_exists{name="chronyd"}' in alone
        with node_exporter():
            wait_until(lambda: samples(scrape("/metrics/node/host")[1])["node_exporter_up"] == 1, "node_exporter is asked")
            both = samples(scrape("/metrics/node/host")[1])
            assert both["node_load1"] == 0.25 and both["cpu_count"] == 2 and both['node_cpu_seconds_total{mode="idle"}'] == 30
            assert both['node_cpu_seconds_total_native{cpu="1",mode="idle"}'] == 20 and "node_vmstat_pgfault" not in both
        assert samples(scrape("/metrics/node/host")[1])["node_exporter_up"] == 0
        for path in ("/metrics/node/ob", "/metrics/ob/basic", "/metrics/ob/extra", "/metrics/node/obproxy", "/metrics/obproxy",
                     "/metrics/ob/perSecond", "/metrics/ob/perMinute"):
            status, text = scrape(path)
            assert status == 200 and samples(text) == {f'ocp_exporter_collects{{path="{path}"}}': 0}
        assert scrape("/metrics")[0] == 404 and scrape("/metrics/stat", method="POST")[0] == 405
        assert "nothing is collected" in host.note("ocp_exporter")


def real_node_exporter():
    return next((p for p in (shutil.which("prometheus-node-exporter"), shutil.which("node_exporter")) if p), None)


@pytest.mark.skipif(real_node_exporter() is None, reason="prometheus-node-exporter is not installed")
def test_the_real_node_exporter_is_understood(host):
    host.server_calls()
    real = subprocess.Popen([real_node_exporter(), f"--web.listen-address={ADDRESS}:63000"], stderr=subprocess.DEVNULL)
    try:
        with host.run("ocp_exporter") as process:
            wait_until(lambda: samples(scrape("/metrics/node/host")[1]).get("node_exporter_up") == 1, "both serve", alive=process.check_alive)
            got = samples(scrape("/metrics/node/host")[1])
            assert got["cpu_count"] == os.cpu_count() and got["node_memory_MemTotal_bytes"] > 1e6 and got["node_load15"] >= 0
            assert any(n.startswith("node_filesystem_size_bytes{") for n in got) and 'node_cpu_seconds_total{mode="user"}' in got
            assert any(n.startswith("node_network_receive_bytes_total{") for n in got)
    finally:
        real.kill()
        real.wait()


def put(path, days):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(8192))
    then = time.time() - days * DAY
    os.utime(path, (then, then))
    return path


def rules(host, **rule):
    text = '{"intervalSeconds":1,"rules":[{"directory":"%s/*/log","pattern":"*",%s}]}' % (
        host.root, ",".join(f'"{k}":{v}' for k, v in rule.items()))
    (host.home / "conf" / "ob_cleaner.json").write_text(text)


def test_old_logs_go_and_nothing_else(host):
    log = host.root / "oceanbase" / "log"
    old = [put(log / f"observer.log.2026010{i}120000", 20 + i) for i in range(5)]
    young = put(log / "observer.log.20260110120000", 2)
    active = [put(log / n, 100) for n in ("observer.log", "observer.log.wf", "alert.txt", "observer.conf.bin")]
    rules(host, maxAgeDays=10)
    with open(old[3], "rb"), host.run("ob_cleaner") as process:
        wait_until(lambda: not old[0].exists() and not old[4].exists(), "the old ones are gone", alive=process.check_alive)
        wait_until(lambda: "4 files" in host.note("ob_cleaner"), "it says so")
        assert [p.exists() for p in old] == [False, False, False, True, False] and young.exists() and all(p.exists() for p in active)
        assert "observer.log.20260100120000" in host.log("ob_cleaner") and "because=age" in host.log("ob_cleaner")
        rules(host, maxBytes=0)                              # rules are read anew
        wait_until(lambda: not young.exists(), "the last one that is not open goes", alive=process.check_alive)
        assert old[3].exists() and all(p.exists() for p in active)
        (host.home / "conf" / "ob_cleaner.json").write_text("{")
        wait_until(lambda: "ob_cleaner.json" in host.note("ob_cleaner"), "what is wrong with the rules is said", alive=process.check_alive)
        (host.home / "conf" / "ob_cleaner.json").write_text('{"enabled":false,"intervalSeconds":1}')
        wait_until(lambda: "switched off" in host.note("ob_cleaner"), "it is off", alive=process.check_alive)


@pytest.mark.skipif(os.getuid() != 0, reason="a file system of its own: root only")
def test_a_full_disk_gets_room(host):
    log = host.root / "oceanbase" / "log"
    log.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(log)], capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr}")
    try:
        files = []
        for i in range(18):
            path = log / f"observer.log.202601{i + 10}120000"
            path.write_bytes(os.urandom(100 * 1024))
            os.utime(path, (time.time() - (30 - i) * DAY,) * 2)
            files.append(path)
        rules(host, diskPercent=70, retentionDays=25, keepPercent=10)
        with host.run("ob_cleaner") as process:
            wait_until(lambda: "files" in host.note("ob_cleaner") and " 0 files" not in host.note("ob_cleaner"), "some are removed",
                       alive=process.check_alive)
            left = [p.exists() for p in files]
        assert left == sorted(left) and 12 <= sum(left) <= 14, left         # the oldest are gone, as many as it took
        assert "full disk, age" in host.log("ob_cleaner")
    finally:
        subprocess.run(["umount", str(log)], check=True)


def test_a_second_one_does_not_start(host):
    host.server_calls()
    with host.run("ob_cleaner") as process:
        wait_until(lambda: host.note("ob_cleaner"), "it works", alive=process.check_alive)
        second = subprocess.run([host.home / "bin" / "ocp-agent", "ob_cleaner"], capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode == 1 and "ob_cleaner" in second.stderr


@pytest.mark.parametrize("name", ["obstat2", "ob_logtailer"])
def test_those_that_collect_nothing_yet_say_so(host, name):
    with host.run(name) as process:
        wait_until(lambda: "waits" in host.note(name), "it waits for the server", alive=process.check_alive)
        host.server_calls()
        wait_until(lambda: "nothing is collected" in host.note(name), "it says so", alive=process.check_alive)
        assert process.is_alive()


def test_prometheus_is_told_where_agents_are(ocp_server, mariadb_server):
    """Rows of two hosts as the flow that adds hosts writes them, one of them with an agent."""
    name = ocp_server.database.name
    for number, ip in ((301, "2001:db8::5"), (302, "192.0.2.6")):
        mariadb_server.sql("INSERT INTO host (id, name, alias, description, operating_system, operating_system_release, architecture, serial_number, "
                           "ip, ssh_port, kind, publish_ports, status, idc_id, type_id, credential_id, created_at, updated_at) VALUES "
                           "(%s, %s, '', '', '', '', '', '', %s, 22, 'DEDICATED_PHYSICAL_MACHINE', '', 'AVAILABLE', 0, 0, 0, NOW(6), NOW(6))",
                           (number, f"h{number}", ip), database=name)
    mariadb_server.sql("INSERT INTO host_agent (id, host_id, version, install_home, listen, manager_port, monitor_port, status, incarnation, "
                       "program_sha256, certificate_serial, problem, created_at, updated_at) VALUES "
                       "(401, 301, '', '/a', '::', 62888, 62889, 'OFFLINE', '', '', '', '', NOW(6), NOW(6))", database=name)
    try:
        reply = ocp_server.api().get("/api/v2/monitor/prometheus_sd")
        assert reply.status == 200 and [t for t in reply.json if t["labels"]["host_id"] in ("301", "302")] == [
            {"targets": ["[2001:db8::5]:62889"],
             "labels": {"svr_ip": "2001:db8::5", "host_id": "301", "__metrics_path__": "/metrics/node/host"}}]
    finally:
        mariadb_server.sql("DELETE FROM host_agent WHERE id = 401", database=name)
        mariadb_server.sql("DELETE FROM host WHERE id IN (301, 302)", database=name)
