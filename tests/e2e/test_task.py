# SPDX-License-Identifier: Apache-2.0
"""Tasks on three nodes: every effect is counted where it happens, whoever dies, is paused, or comes back too late."""
import base64
import contextlib
import http.client
import json
import socket
import threading

import pytest

from lib.py.api2 import Api2
from lib.py.build import built_program
from lib.py.mariadb import MariaDB
from lib.py.ocpcluster import OcpCluster, query
from lib.py.process import wait_until

TABLES = (
    "CREATE TABLE guest_book (task_id BIGINT PRIMARY KEY)",
    "CREATE TABLE greeting (task_id BIGINT, name VARCHAR(64), text TEXT, PRIMARY KEY (task_id, name))",
    "CREATE TABLE trial_control (what VARCHAR(16), target VARCHAR(64), PRIMARY KEY (what, target))",
    "CREATE TABLE trial_effect (id BIGINT AUTO_INCREMENT PRIMARY KEY, task_id BIGINT, step VARCHAR(64), target VARCHAR(64), dispatch BIGINT, "
    "node VARCHAR(64), at DATETIME(6), KEY (task_id))",
)


@pytest.fixture(scope="module")
def metadb_server():
    with MariaDB(name="mariadb-tasks") as server:
        yield server


@pytest.fixture(scope="module")
def cluster(metadb_server):
    """Three nodes with the flows of tests/flows, on a MetaDB of their own."""
    database = metadb_server.create_database("tasks")
    running = OcpCluster(database)
    for node in running.nodes:
        node.program = built_program("tests/flows/ocp-server")
    with running:
        running.leader()
        for table in TABLES:
            query(database, table)
        yield running


@pytest.fixture
def world(cluster):
    """The cluster with all nodes at work and no wishes left from the test before."""
    query(cluster.database, "DELETE FROM trial_control")
    names = {f"node{i + 1}" for i in range(3)}
    wait_until(lambda: {w["name"] for w in query(cluster.database, "SELECT name FROM task_worker WHERE expires_at > NOW(6)")} == names, "all nodes take steps")
    return World(cluster)


class World:
    def __init__(self, cluster):
        self.cluster, self.database = cluster, cluster.database

    def sql(self, statement, *values):
        return query(self.database, statement, *values)

    def api(self, without=None):
        """The administrator's client at a node that is not `without`."""
        return self.cluster.api(next(i for i, n in enumerate(self.cluster.nodes) if n is not without))

    def want(self, what, *targets):
        for target in targets:
            self.sql("INSERT INTO trial_control (what, target) VALUES (%s, %s)", what, target)

    def release(self, what, *targets):
        for target in targets:
            self.sql("DELETE FROM trial_control WHERE what = %s AND target = %s", what, target)

    def trial(self, *targets, **more):
        return self.api().post("/api/v2/test/trials", {"targets": list(targets), **more}).data["id"]

    def task(self, number, without=None):
        return self.api(without).get(f"/api/v2/tasks/{number}").data

    def step(self, number, name, without=None):
        """The step with this name, "act (a)"."""
        return next(s for s in self.task(number, without)["subtasks"] if s["name"] == name)

    def until(self, number, status, without=None):
        def ended():
            now = self.task(number, without)
            return now if now["status"] == status else None
        return wait_until(ended, f"task {number} is {status}")

    def log(self, number, step, without=None):
        return self.api(without).get(f"/api/v2/tasks/instances/{number}/subtasks/{step['id']}/log").data["log"]

    def until_held(self, number, target, dispatch=1, without=None):
        """The step "act" for the target once its run of at least that dispatch waits, having checked that nothing was done."""
        def held():
            step = self.step(number, f"act ({target})", without)
            return step if step["runTime"] >= dispatch and f"held, dispatch {step['runTime']}" in self.log(number, step, without) else None
        return wait_until(held, f"the step for {target} waits")

    def node(self, name):
        return self.cluster.nodes[int(name.removeprefix("node")) - 1]

    def effects(self, number):
        """{(step, target): (dispatch, node)}; a second effect of the same step is an error."""
        rows = self.sql("SELECT step, target, dispatch, node FROM trial_effect WHERE task_id = %s", number)
        found = {(r["step"], r["target"]): (r["dispatch"], r["node"]) for r in rows}
        assert len(found) == len(rows), rows
        return found


# ---- the example of the documentation -------------------------------------------------------------------------------------------------


def greet(world, *people, **more):
    return world.api().post("/api/v2/test/greetings", {"targets": list(people), **more})


def test_the_example_greets_each_once(world):
    number = greet(world, "Ada", "Grace", "Edsger", text="Good morning").data["id"]
    done = world.until(number, "SUCCESSFUL")
    assert sorted((r["name"], r["text"]) for r in world.sql("SELECT name, text FROM greeting WHERE task_id = %s", number)) == [
        (name, "Good morning") for name in ("Ada", "Edsger", "Grace")]
    first, *greets, last = done["subtasks"]
    assert [s["name"] for s in greets] == ["greet (Ada)", "greet (Grace)", "greet (Edsger)"] and [s["parallelIdx"] for s in greets] == [0, 1, 2]
    assert first["downstreams"] == [s["id"] for s in greets] == last["upstreams"]
    assert "3 people were greeted" in world.log(number, last)
    assert world.sql("SELECT name, value FROM task_context WHERE task_id = %s", number) == [{"name": "greeted", "value": "3"}]


def test_the_example_is_repaired_by_skipping(world):
    number = greet(world, "Ada", "Nobody").data["id"]
    failed = world.until(number, "FAILED")
    bad = failed["subtasks"][2]
    assert bad["state"] == "FAILED" and bad["skippable"] and "Nobody cannot be greeted" in bad["description"]
    world.api().post(f"/api/v2/tasks/instances/{number}/subtasks/{bad['id']}/skip").ok()
    done = world.until(number, "SUCCESSFUL")
    assert done["subtasks"][2]["operation"] == "SKIP"


def test_the_example_is_rolled_back_and_its_lock_is_free_again(world):
    number = greet(world, "Ada", "Nobody", lock=7).data["id"]
    world.until(number, "FAILED")
    world.api().post(f"/api/v2/tasks/instances/{number}/rollback").ok()
    back = world.until(number, "SUCCESSFUL")
    assert back["operation"] == "ROLLBACK" and [s["state"] for s in back["subtasks"]] == ["ROLLED_BACK"] * 3 + ["PENDING"]
    assert not world.sql("SELECT * FROM greeting WHERE task_id = %s", number) and not world.sql("SELECT * FROM guest_book WHERE task_id = %s", number)
    assert not world.sql("SELECT * FROM task_lock")


def test_who_wants_a_locked_object_is_told_who_has_it(world):
    world.want("hold", "a")
    number = world.trial("a", lock=5)
    [lock] = world.api().get("/api/v2/tasks/locks").contents
    assert (lock["kind"], lock["id"], lock["taskId"]) == ("trial", 5, number)
    message = world.api().post("/api/v2/test/trials", {"targets": ["a"], "lock": 5}).refused(409)
    assert f"trial 5 is being changed by task {number}" in message
    world.release("hold", "a")
    world.until(number, "SUCCESSFUL")
    world.until(world.trial("b", lock=5), "SUCCESSFUL")


# ---- side by side -----------------------------------------------------------------------------------------------------------------------


def test_steps_run_side_by_side_up_to_the_width(world):
    targets = [f"t{i}" for i in range(6)]
    world.want("hold", *targets)
    number = world.trial(*targets, width=3)
    for target in targets[:3]:
        world.until_held(number, target)
    steps = world.task(number)["subtasks"]
    assert [s["state"] for s in steps[1:7]] == ["RUNNING"] * 3 + ["PENDING"] * 3
    world.release("hold", *targets)
    world.until(number, "SUCCESSFUL")
    assert len(world.effects(number)) == 6


def test_a_target_goes_on_while_another_waits(world):
    world.want("hold", "slow")
    number = world.trial("slow", "fast", chain=True)
    wait_until(lambda: ("act again", "fast") in world.effects(number), "the fast one is through")
    assert ("act", "slow") not in world.effects(number)
    world.release("hold", "slow")
    world.until(number, "SUCCESSFUL")
    assert len(world.effects(number)) == 4


# ---- failures ----------------------------------------------------------------------------------------------------------------------------


def test_what_may_pass_is_tried_again_by_itself(world):
    world.want("pass", "a")
    number = world.trial("a")
    wait_until(lambda: world.step(number, "act (a)")["operation"] == "RETRY", "it is tried again")
    world.release("pass", "a")
    world.until(number, "SUCCESSFUL")
    assert len(world.effects(number)) == 1


def test_nobody_knows_whether_it_acted(world):
    world.want("unknown", "a")
    number = world.trial("a", lock=9)
    failed = world.until(number, "FAILED")
    step = failed["subtasks"][1]
    assert step["state"] == "UNKNOWN" and step["status"] == "FAILED"
    assert [lock["taskId"] for lock in world.api().get("/api/v2/tasks/locks").contents] == [number], "something may still act"
    world.release("unknown", "a")
    world.api().post(f"/api/v2/tasks/instances/{number}/subtasks/{step['id']}/retry").ok()
    world.until(number, "SUCCESSFUL")
    assert not world.sql("SELECT * FROM task_lock") and len(world.effects(number)) == 1


def test_a_running_step_is_cancelled_and_retried(world):
    world.want("hold", "a")
    number = world.trial("a")
    step = world.until_held(number, "a")
    world.api().post(f"/api/v2/tasks/instances/{number}/subtasks/{step['id']}/cancel").ok()
    failed = world.until(number, "FAILED")["subtasks"][1]
    assert failed["state"] == "FAILED" and failed["operation"] == "CANCEL" and "cancelled" in world.log(number, failed)
    world.release("hold", "a")
    assert not world.effects(number)
    world.api().post(f"/api/v2/tasks/instances/{number}/retry").ok()
    world.until(number, "SUCCESSFUL")
    assert len(world.effects(number)) == 1


def test_a_step_has_its_time(world):
    world.want("hold", "a")
    number = world.trial("a", brief=True)
    failed = world.until(number, "FAILED")["subtasks"][1]
    assert "did not end within 1 s" in failed["description"] and not world.effects(number)
    world.release("hold", "a")
    world.api().post(f"/api/v2/tasks/instances/{number}/retry").ok()
    world.until(number, "SUCCESSFUL")


# ---- logs ---------------------------------------------------------------------------------------------------------------------------------


def test_a_long_log_keeps_its_beginning_and_its_end(world):
    world.want("talk", "a")
    number = world.trial("a")
    done = world.until(number, "SUCCESSFUL")["subtasks"][1]
    lines = [line.split(" ", 1)[1] for line in world.log(number, done).splitlines()]
    assert len(lines) == 1000 and lines[:949] == [f"line {i}" for i in range(1, 950)]
    assert "a long log" in lines[949] and lines[950:] == [f"line {i}" for i in range(1452, 1501)] + ["acted for a"]
    streamed = [data["text"] for kind, data in events_of(world.api().get(f"/api/v2/tasks/instances/{number}/events").body.decode()) if kind == "log"]
    assert streamed == lines


def test_what_is_not_text_is_told_all_the_same(world):
    world.want("garble", "a")
    number = world.trial("a")
    failed = world.until(number, "FAILED")["subtasks"][1]
    assert "caf? ??" in failed["description"] and "it said caf? ?[31m" in world.log(number, failed)
    world.release("garble", "a")
    world.api().post(f"/api/v2/tasks/instances/{number}/retry").ok()
    world.until(number, "SUCCESSFUL")


# ---- nodes that die, are paused, or stop ----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def running_again(node):
    """Whatever the test does to the node, it runs and works afterwards."""
    try:
        yield
    finally:
        if node.is_alive():
            node.resume()
        else:
            node.start()
        wait_until(lambda: node.probe("/readyz") == 200, "the node is back")


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_another_node_goes_on_with_the_steps_of_one_that_ends(world, end):
    world.want("hold", "a", "b", "c")
    number = world.trial("a", "b", "c")
    steps = {t: world.until_held(number, t) for t in "abc"}
    victim = world.node(steps["a"]["executor"])
    with running_again(victim):
        getattr(victim, end)()
        again = world.until_held(number, "a", dispatch=2, without=victim)
        assert again["executor"] != steps["a"]["executor"]
        world.release("hold", "a", "b", "c")
        world.until(number, "SUCCESSFUL", without=victim)
        effects = world.effects(number)
        assert len(effects) == 3 and effects["act", "a"][0] >= 2
        assert all(effects["act", t][0] == 1 for t in "bc" if steps[t]["executor"] != steps["a"]["executor"]), "others were left alone"


def test_a_worker_that_was_paused_between_check_and_act_changes_nothing(world):
    world.want("hold", "a")
    number = world.trial("a")
    first = world.until_held(number, "a")
    zombie = world.node(first["executor"])
    with running_again(zombie):
        zombie.pause()
        second = world.until_held(number, "a", dispatch=2, without=zombie)
        assert second["executor"] != first["executor"]
        zombie.resume()                                              # it has checked, and wakes while the other run has not acted yet
        world.release("hold", "a")
        world.until(number, "SUCCESSFUL", without=zombie)
    [(dispatch, node)] = world.effects(number).values()
    assert dispatch >= 2 and node != first["executor"]
    wait_until(lambda: zombie.probe("/readyz") == 200, "the zombie is a node like others again")
    world.until(world.trial("x", "y", "z"), "SUCCESSFUL")
    assert len(world.effects(number)) == 1


def test_a_new_leader_leaves_running_steps_where_they_are(world):
    targets = [f"t{i}" for i in range(3)]
    world.want("hold", *targets)
    number = world.trial(*targets)
    steps = {t: world.until_held(number, t) for t in targets}
    leader, epoch = world.cluster.leader(), world.cluster.row()["epoch"]
    name = f"node{world.cluster.nodes.index(leader) + 1}"
    with running_again(leader):
        leader.kill()
        world.cluster.leader(above=epoch)
        moved = [t for t in targets if steps[t]["executor"] == name]
        for t in moved:
            world.until_held(number, t, dispatch=2, without=leader)
        world.release("hold", *targets)
        world.until(number, "SUCCESSFUL", without=leader)
        effects = world.effects(number)
        assert len(effects) == 3
        assert all((dispatch == 1) == (t not in moved) for (_, t), (dispatch, _) in effects.items()), "who still worked was let be"


def is_without_metadb(node):
    connection = http.client.HTTPConnection(node.host, node.port, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", "/health")
        return json.loads(connection.getresponse().read())["metadb"] != "up"


def test_metadb_away_is_waited_for(world, metadb_server):
    world.want("hold", "a")
    number = world.trial("a", length=2)
    before = world.until_held(number, "a")
    metadb_server.kill()
    try:
        wait_until(lambda: all(is_without_metadb(n) for n in world.cluster.nodes), "the nodes notice")
    finally:
        metadb_server.start()
    world.release("hold", "a")
    done = world.until(number, "SUCCESSFUL")
    assert len(world.effects(number)) == 1 and done["subtasks"][1]["runTime"] >= before["runTime"]


# ---- events ---------------------------------------------------------------------------------------------------------------------------------


def events_of(text):
    blocks = [b for b in text.split("\n\n") if b and not b.startswith(":")]
    return [(e["event"], json.loads(e["data"])) for e in (dict(line.split(": ", 1) for line in b.splitlines()) for b in blocks)]


def authorization(api):
    return "Authorization: Basic " + base64.b64encode(f"{api.user}:{api.password}".encode()).decode()


class Listener:
    """Reads a stream of events over HTTP/1.1 in a thread until it ends."""

    def __init__(self, api, number):
        self.connection = http.client.HTTPConnection(api.host, api.port, timeout=60)
        self.connection.request("GET", f"/api/v2/tasks/instances/{number}/events", headers=dict([authorization(api).split(": ")]))
        self.reply = self.connection.getresponse()
        self.text = ""
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while chunk := self.reply.read1(65536):
            self.text += chunk.decode()

    def events(self):
        return events_of(self.text[:self.text.rfind("\n\n") + 2])


def test_events_are_seen_while_they_happen_and_the_stream_ends(world):
    """At a node that does not run the step."""
    world.want("hold", "a")
    number = world.trial("a")
    elsewhere = world.api(without=world.node(world.until_held(number, "a")["executor"]))
    listener = Listener(elsewhere, number)
    wait_until(lambda: any(kind == "log" and "held" in data["text"] for kind, data in listener.events()), "the line is seen")
    assert not any(kind == "end" for kind, _ in listener.events())
    world.release("hold", "a")
    wait_until(lambda: not listener.thread.is_alive(), "the stream ends by itself")
    kinds = [kind for kind, _ in listener.events()]
    assert kinds[0] == "task" and kinds[-1] == "end" and kinds.count("end") == 1
    lines = [data["text"] for kind, data in listener.events() if kind == "log"]
    assert lines == ["held, dispatch 1", "acted for a"]
    shown = [data for kind, data in listener.events() if kind == "task"]
    assert shown[0]["status"] == "RUNNING" and shown[-1]["status"] == "SUCCESSFUL"
    api = world.api()
    again = Api2(api.host, api.port, api.user, api.password).get(f"/api/v2/tasks/instances/{number}/events")
    assert [kind for kind, _ in events_of(again.body.decode())] == ["task", "log", "log", "end"]


def test_a_client_of_events_may_leave(world):
    world.want("hold", "a")
    number = world.trial("a")
    world.until_held(number, "a")
    api = world.api()
    for _ in range(120):                                             # more than may listen at once
        with socket.create_connection((api.host, api.port), timeout=20) as sock:
            sock.sendall(f"GET /api/v2/tasks/instances/{number}/events HTTP/1.1\r\nHost: t\r\n{authorization(api)}\r\n\r\n".encode())
            assert sock.recv(12) == b"HTTP/1.1 200"
    world.release("hold", "a")
    world.until(number, "SUCCESSFUL")
    assert events_of(api.get(f"/api/v2/tasks/instances/{number}/events").body.decode())[-1][0] == "end"


# ---- many -----------------------------------------------------------------------------------------------------------------------------------


def test_pages_of_many_old_tasks(world):
    world.trial("a", count=5)
    wait_until(lambda: not world.sql("SELECT 1 FROM task WHERE status = 0 LIMIT 1"), "all of them are over")
    first = world.api().get("/api/v2/tasks/instances", {"size": 2, "status": "SUCCESSFUL,FAILED", "sort": "id,desc"})
    second = world.api().get("/api/v2/tasks", {"size": 2, "page": 2, "status": "SUCCESSFUL,FAILED", "sort": "id,desc"})
    ids = [t["id"] for t in first.contents + second.contents]
    assert ids == sorted(ids, reverse=True) and len(set(ids)) == 4 and all(t["subtasks"] for t in first.contents)
