# SPDX-License-Identifier: Apache-2.0
"""What the task engine costs: three nodes and a MariaDB on this machine, with the flows of tests/flows."""
import contextlib
import statistics
import threading
import time

from lib.py.build import built_program
from lib.py.mariadb import MariaDB
from lib.py.ocpcluster import OcpCluster, query
from lib.py.process import wait_until

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
        for name, query_ in (("first", {"page": 1}), ("deep", {"page": 90000})):
            ms = []
            for _ in range(9):
                begin = time.monotonic()
                assert len(api.get("/api/v2/tasks/instances", {"size": 10, "status": "SUCCESSFUL", **query_}).contents) == 10
                ms.append((time.monotonic() - begin) * 1000)
            self.report(f"task_list_of_a_million_{name}_page", "ms", statistics.median(ms), 100, "a tenth of a second")


def measure(report, cpu):
    with MariaDB(name="mariadb-bench") as server:
        cluster = OcpCluster(server.create_database("tasks"))
        for node in cluster.nodes:
            node.program = built_program("tests/flows/ocp-server")
        with cluster:
            cluster.leader()
            for table in TABLES:
                query(cluster.database, table)
            bench = Bench(server, cluster, report, cpu)
            bench.latency()
            bench.rate()
            bench.waiting()
            bench.guard()
            bench.take_over()
            bench.old()
