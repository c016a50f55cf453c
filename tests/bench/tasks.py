# SPDX-License-Identifier: Apache-2.0
"""What the task engine costs: three nodes and a MariaDB on this machine, with the flows of tests/flows."""
import contextlib
import statistics
import sys
import tempfile
import threading
import time

from lib.py import hosts, sshd
from lib.py.build import built_program
from lib.py.mariadb import MariaDB
from lib.py.ocpcluster import OcpCluster, query
from lib.py.process import Port, wait_until

TABLES = (
    "CREATE TABLE trial_control (what VARCHAR(16), target VARCHAR(64), PRIMARY KEY (what, target))",
    "CREATE TABLE trial_effect (id BIGINT AUTO_INCREMENT PRIMARY KEY, task_id BIGINT, step VARCHAR(64), target VARCHAR(64), dispatch BIGINT, "
    "node VARCHAR(64), at DATETIME(6), KEY (task_id))",
)
STEPS = 20
WAITING = 1000
GUARDED = 300


def percentile(values, p):
    return sorted(values)[min(len(values) - 1, int(len(values) * p / 100))]


class Bench:
    def __init__(self, server, cluster, report, cpu):
        self.server, self.cluster, self.report, self.cpu = server, cluster, report, cpu
        self.db = cluster.database

    def sql(self, statement, *values):
        return query(self.db, statement, *values)

    def start(self, node, targets, **more):
        return self.cluster.api(node).post("/api/v2/test/trials", {"targets": targets, **more}).data["id"]

    def until_done(self, seconds=600):
        wait_until(lambda: not self.sql("SELECT 1 FROM task WHERE status = 0 LIMIT 1"), "all tasks are over", seconds)
        assert not self.sql("SELECT 1 FROM task WHERE status = 2 LIMIT 1"), "a task failed"

    def latency(self):
        """Milliseconds from the acceptance of a task by any node to the first effect of its second step, which any node has made."""
        ids = []
        for i in range(60):
            ids.append(self.start(i % 3, ["a"]))
            self.until_done()
        rows = self.sql("SELECT TIMESTAMPDIFF(MICROSECOND, t.created_at, MIN(e.at)) AS us FROM task t JOIN trial_effect e ON e.task_id = t.id "
                        f"WHERE t.id IN ({','.join(map(str, ids))}) GROUP BY t.id, t.created_at")
        ms = [r["us"] / 1000 for r in rows]
        self.report("task_first_effect_p50", "ms", statistics.median(ms), 30, "the goal")
        self.report("task_first_effect_p95", "ms", percentile(ms, 95), 30, "the goal of p50")

    def latency_at_agent(self, host):
        """Milliseconds from the acceptance of a task by any node to the first effect on a host: the script that its agent runs notes the time."""
        number = self.add_host(host)
        script, trace = "/home/admin/note.sh", "/home/admin/note.trace"
        host.run("sh", "-c", f"cat > {script}; chmod 755 {script}", text=f"#!/bin/sh\ndate +%s%N >> {trace}\n")
        ids = []
        for i in range(60):
            ids.append(self.cluster.api(i % 3).post("/api/v2/test/errands", {"targets": [str(number)], "text": script}).data["id"])
            self.until_done()
        rows = self.sql("SELECT id, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', created_at) AS us FROM task "
                        f"WHERE id IN ({','.join(map(str, ids))}) ORDER BY id")
        began = {r["id"]: r["us"] for r in rows}
        seen = [int(line) / 1000 for line in host.run("cat", trace).split()]
        assert len(seen) == len(ids), "a script ran twice, or not at all"
        ms = [(at - began[id_]) / 1000 for at, id_ in zip(seen, ids)]
        self.report("task_first_effect_at_agent_p50", "ms", statistics.median(ms), 30, "the goal")
        self.report("task_first_effect_at_agent_p95", "ms", percentile(ms, 95), 30, "the goal of p50")

    def add_host(self, host):
        api = self.cluster.api(0)
        region = api.post("/api/v2/compute/regions", {"name": "bench"}).data["id"]
        kind = api.post("/api/v2/compute/hostTypes", {"name": "bench"}).data["id"]
        credential = api.post("/api/v2/profiles/me/credentials", {"targetType": "HOST", "name": "bench", "sshCredentialProperty": {
            "type": "PRIVATE_KEY", "username": "root", "passphrase": host.private_key, "hostIdList": []}}).data["id"]
        added = api.post("/api/v2/compute/hosts/batchCreate", {
            "hostBasicDataList": [{"innerIpAddress": host.address}], "sshPort": 22, "kind": "DEDICATED_PHYSICAL_MACHINE", "typeId": kind,
            "idcId": api.post("/api/v2/compute/idcs", {"name": "bench", "regionId": region}).data["id"], "credentialId": credential}).data
        self.until_done()
        return added["hostIds"][0]

    def rate(self):
        """Steps a second, dispatched and finished, of many tasks at once."""
        tasks = 100
        begin = time.monotonic()
        self.start(0, ["a"], length=STEPS - 3, count=tasks)
        self.until_done()
        seconds = time.monotonic() - begin
        self.report("task_steps", "steps per second", tasks * STEPS / seconds, 1, "one")

    def api_latency(self, seconds=6):
        api, ms = self.cluster.api(1), []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            begin = time.monotonic()
            api.get("/api/v2/compute/regions").ok()
            ms.append((time.monotonic() - begin) * 1000)
        return statistics.median(ms), percentile(ms, 99)

    def cpu_share(self, seconds=5):
        """Seconds of CPU a second of all nodes together."""
        before = sum(self.cpu(n.pid) for n in self.cluster.nodes)
        time.sleep(seconds)
        return (sum(self.cpu(n.pid) for n in self.cluster.nodes) - before) / seconds

    def waiting(self):
        """What a thousand tasks of twenty steps cost while each waits in one of them, and the API beside them."""
        idle = self.cpu_share()
        quiet = self.api_latency()
        self.sql("INSERT INTO trial_control (what, target) VALUES ('hold', 'wait')")
        self.start(0, ["wait"], length=STEPS - 3, count=WAITING)
        wait_until(lambda: self.sql("SELECT COUNT(*) AS n FROM subtask WHERE name = 'act' AND status = 2")[0]["n"] == WAITING, "all of them wait", 300)
        busy = self.cpu_share()
        loaded = self.api_latency()
        self.report("task_waiting_cpu", "% of a core for 1000 tasks", (busy - idle) * 100, idle * 100, "the same nodes idle")
        self.report("task_waiting_api_p50", "ms", loaded[0], quiet[0], "without tasks")
        self.report("task_waiting_api_p99", "ms", loaded[1], quiet[1], "without tasks")
        self.sql("DELETE FROM trial_control")
        begin, found = time.monotonic(), []
        beside = threading.Thread(target=lambda: found.append(self.api_latency(8)))
        beside.start()
        self.until_done()
        seconds = time.monotonic() - begin
        beside.join()
        self.report("task_running_api_p50", "ms", found[0][0], quiet[0], "without tasks")
        self.report("task_running_api_p99", "ms", found[0][1], quiet[1], "without tasks")
        self.report("task_steps_of_many", "steps per second", WAITING * (STEPS - 1) / seconds, 1, "one")

    def take_over(self):
        """Milliseconds from the death of the node that leads and runs a step until that step is dispatched anew under the next leader."""
        ms = []
        for _ in range(5):
            leader = self.cluster.leader()
            self.sql("INSERT INTO trial_control (what, target) VALUES ('hold', 'a')")
            others = [i for i, n in enumerate(self.cluster.nodes) if n is not leader]
            self.start(others[0], ["a"] * 3)
            wait_until(lambda: self.sql("SELECT COUNT(*) AS n FROM subtask WHERE name = 'act' AND status = 2")[0]["n"] == 3, "all of them wait", 60)
            [began] = self.sql("SELECT NOW(6) AS at")
            leader.kill()
            row = wait_until(lambda: self.sql("SELECT TIMESTAMPDIFF(MICROSECOND, %s, MIN(started_at)) AS us FROM subtask WHERE name = 'act' AND status = 2 "
                                              "AND dispatch > 1 HAVING us IS NOT NULL", began["at"]), "the step is dispatched anew", 60)
            ms.append(row[0]["us"] / 1000)
            self.sql("DELETE FROM trial_control")
            self.until_done()
            leader.start()
            wait_until(lambda: self.sql("SELECT COUNT(*) AS n FROM task_worker WHERE expires_at > NOW(6)")[0]["n"] == 3, "it works again", 60)
        self.report("task_taken_over", "ms", statistics.median(ms), 1000, "a second", worst=max(ms))

    def guard(self):
        """Milliseconds of a transaction in which a step writes one row of context: with its guard, which writes the step's row; with one that only locks
        it; and without any. In turn, over one connection."""
        self.sql("INSERT INTO trial_control (what, target) VALUES ('hold', 'wait')")
        self.start(0, ["wait"])
        [step] = wait_until(lambda: self.sql("SELECT id, task_id, dispatch, worker_id, incarnation FROM subtask WHERE name = 'act' AND status = 2"), "it waits", 60)
        where = "WHERE id = %(id)s AND dispatch = %(dispatch)s AND worker_id = %(worker_id)s AND incarnation = %(incarnation)s AND status = 2"
        guards = {"written": f"UPDATE subtask SET not_before = not_before + INTERVAL 1 MICROSECOND {where}", "locked": f"SELECT 1 FROM subtask {where} FOR UPDATE",
                  "without": None}
        ms = {name: [] for name in guards}
        with contextlib.closing(self.server.connect(database=self.db.name)) as connection, connection.cursor() as cursor:
            for _ in range(GUARDED):
                for name, statement in guards.items():
                    begin = time.monotonic()
                    cursor.execute("START TRANSACTION")
                    if statement is not None:
                        assert cursor.execute(statement, step) == 1, "the step is not where it was"
                    cursor.execute("INSERT INTO task_context (task_id, name, value) VALUES (%s, 'bench', NOW(6)) ON DUPLICATE KEY UPDATE value = VALUES(value)",
                                   (step["task_id"],))
                    cursor.execute("COMMIT")
                    ms[name].append((time.monotonic() - begin) * 1000)
        self.sql("DELETE FROM trial_control")
        self.until_done()
        median = {name: statistics.median(all_) for name, all_ in ms.items()}
        self.report("task_guarded_write_p50", "ms", median["written"], median["without"], "without a guard", locked_only=median["locked"],
                    p95=percentile(ms["written"], 95), p95_without=percentile(ms["without"], 95))

    def old(self):
        """Milliseconds for a page of a long list of old tasks."""
        self.sql("INSERT INTO task (id, flow, name, definition_id, cluster_id, ob_cluster_id, tenant_id, cluster_name, tenant_name, creator_id, creator_name, "
                 "status, prohibit_rollback, executor, context, created_at) SELECT 10000000 + seq, 'old', 'Old', 1, -1, -1, -1, '', '', 100, 'admin', 1, 1, "
                 "'n', '{}', NOW(6) FROM seq_1_to_1000000")
        api = self.cluster.api(0)
        one, two, last = {"status": "SUCCESSFUL"}, {"status": "SUCCESSFUL,FAILED"}, 10000  # the page that the total ends at; a page of 90 000 is beyond it
        for name, query_ in (("first", {"page": 1, **one}), ("last", {"page": last, **one}), ("last_of_all_states", {"page": last}),
                             ("last_of_two_states", {"page": last, **two}), ("deep", {"page": 90000, **one}), ("deep_of_all_states", {"page": 90000})):
            ms = []
            for _ in range(9):
                begin = time.monotonic()
                assert len(api.get("/api/v2/tasks/instances", {"size": 10, **query_}).contents) == 10
                ms.append((time.monotonic() - begin) * 1000)
            self.report(f"task_list_of_a_million_{name}_page", "ms", statistics.median(ms), 100, "a tenth of a second")


@contextlib.contextmanager
def a_host():
    """A host that can be added, with `private_key`; None where there can be none."""
    why = hosts.why_not()
    if why is not None:
        print(f"tasks: nothing is measured at an agent: {why}", file=sys.stderr)
        yield None
        return
    with contextlib.ExitStack() as stack:
        private, public = sshd.make_key(stack.enter_context(tempfile.TemporaryDirectory()), "bench", "ed25519")
        host = stack.enter_context(stack.enter_context(hosts.Lan()).host(authorized=[public]))
        host.private_key = private
        yield host


def reachable(cluster, host):
    """The first node listens where the host reaches it, too."""
    first, port = cluster.nodes[0], Port()
    first.extra["http.listen"] = f"{first.host}:{first.port}, {host.lan.address}:{int(port)}"
    return f"http://{host.lan.address}:{int(port)}"


def measure(report, cpu):
    with a_host() as host, MariaDB(name="mariadb-bench") as server:
        cluster = OcpCluster(server.create_database("tasks"), settings={"agent.program_dir": hosts.programs()} if host else None)
        for node in cluster.nodes:
            node.program = built_program("tests/flows/ocp-server")
        url = reachable(cluster, host) if host else None
        with cluster:
            cluster.leader()
            for table in TABLES:
                query(cluster.database, table)
            bench = Bench(server, cluster, report, cpu)
            bench.latency()
            if host:
                cluster.api(0).patch("/api/v2/config/properties/ocp.site.url", {"value": url}).ok()
                bench.latency_at_agent(host)
            bench.rate()
            bench.waiting()
            bench.guard()
            bench.take_over()
            bench.old()
