# SPDX-License-Identifier: Apache-2.0
"""Tasks that have failed and what people do to them. They are of a flow that this version does not know, as after a downgrade: their steps run on
none of the nodes, until somebody cancels them."""
import itertools
import json

from lib.py.ocpcluster import query
from lib.py.process import wait_until

from . import scenario

SKIPPABLE, UNDOABLE = 1, 2
_ids = itertools.count(700)


def failed_task(walk, *flags, prohibit=0, locks="", status=4, cluster=(-1, -1, ""), tenant=(-1, "")):
    """The id of a failed task with a step for each of `flags`, the first of which is in `status`, and the ids of its steps. `cluster`: (id, number,
    name); `tenant`: (id, name)."""
    task, steps = next(_ids), [next(_ids) for _ in flags]
    query(walk.metadb, "INSERT INTO task (id, flow, name, definition_id, cluster_id, ob_cluster_id, tenant_id, cluster_name, tenant_name, creator_id, "
          "creator_name, status, prohibit_rollback, executor, context, arguments, locks, created_at, started_at, finished_at) VALUES "
          "(%s, 'of_a_later_version', 'Walk', 9, %s, %s, %s, %s, %s, 100, 'admin', 2, %s, 'walk', '', '{}', %s, NOW(6), NOW(6), NOW(6))",
          task, *cluster[:2], tenant[0], cluster[2], tenant[1], prohibit, locks)
    for i, (step, flag) in enumerate(zip(steps, flags)):
        query(walk.metadb, "INSERT INTO subtask (id, task_id, series, stage, up_first, up_last, dispatch, name, description, timeout_s, status, worker, "
              "error, flags, created_at, started_at, finished_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, '', 60, %s, '', %s, %s, NOW(6), "
              "IF(%s, NULL, NOW(6)), IF(%s, NULL, NOW(6)))",
              step, task, i + 1, i + 1, i, i, 1 - i, f"step {i + 1}", 0 if i else status, "" if i else "No such luck.", flag, i, i)
        query(walk.metadb, "INSERT INTO subtask_log (subtask_id, seq, logged_at, text) VALUES (%s, 1000, NOW(6), 'tried')", step)
    return task, steps


def settled(walk, task):
    def ended():
        now = walk.do("task-instance-get", taskInstanceId=task)
        return now if now["status"] != "RUNNING" else None
    return wait_until(ended, f"task {task} ends")


def ran_and_stopped(walk, task, step):
    """The task, after somebody was asked to run the step and it was cancelled."""
    before = next(s["runTime"] for s in walk.do("task-instance-get", taskInstanceId=task)["subtasks"] if s["id"] == step)

    def ran():
        return any(s["id"] == step and s["runTime"] > before for s in walk.do("task-instance-get", taskInstanceId=task)["subtasks"])
    wait_until(ran, f"step {step} is dispatched")
    walk.do("task-instance-subtask-cancel", taskInstanceId=task, subtaskInstanceId=step)
    return settled(walk, task)


def states(task):
    return [s["state"] for s in task["subtasks"]]


@scenario("task-instance-retry", "task-instance-rollback", "task-instance-subtask-retry", "task-instance-subtask-skip", "task-instance-subtask-cancel")
def tasks_that_fail(walk):
    task, (first, second) = failed_task(walk, SKIPPABLE | UNDOABLE, 0)
    before = walk.do("task-instance-get", taskInstanceId=task)
    assert before["status"] == "FAILED" and states(before) == ["FAILED", "PENDING"] and before["subtasks"][0]["description"] == "No such luck."
    assert before["subtasks"][0]["downstreams"] == [second] and before["subtasks"][1]["upstreams"] == [first]

    again = walk.do("task-instance-retry", taskInstanceId=task)
    assert (again["status"], again["operation"], again["finishTime"]) == ("RUNNING", "RETRY", before["finishTime"]), "and when it had ended before"
    assert "finishTime" not in walk.do("task-instance-get", taskInstanceId=task)
    assert states(ran_and_stopped(walk, task, first)) == ["FAILED", "PENDING"]
    walk.effect("task-instance-retry")
    walk.effect("task-instance-subtask-cancel")
    assert walk.do("task-instance-subtask-retry", taskInstanceId=task, subtaskInstanceId=first)["id"] == first
    assert ran_and_stopped(walk, task, first)["subtasks"][0]["operation"] == "CANCEL"
    walk.effect("task-instance-subtask-retry")

    walk.call("task-instance-subtask-retry", taskInstanceId=task, subtaskInstanceId=second).refused(409, 4007)
    walk.call("task-instance-subtask-retry", taskInstanceId=task, subtaskInstanceId=1).refused(404)
    walk.do("task-instance-subtask-skip", taskInstanceId=task, subtaskInstanceId=first)
    skipped = ran_and_stopped(walk, task, second)
    assert states(skipped) == ["SKIPPED", "FAILED"] and skipped["subtasks"][0]["status"] == "SUCCESSFUL"
    walk.effect("task-instance-subtask-skip")
    walk.call("task-instance-subtask-skip", taskInstanceId=task, subtaskInstanceId=second).refused(409, 4010)
    walk.do("task-instance-subtask-cancel", taskInstanceId=task, subtaskInstanceId=second)
    assert states(settled(walk, task)) == ["SKIPPED", "CANCELLED"]
    walk.call("task-instance-retry", taskInstanceId=task).refused(409, 4007)

    assert walk.do("task-instance-rollback", taskInstanceId=task)["operation"] == "ROLLBACK"
    back = ran_and_stopped(walk, task, first)
    assert states(back) == ["FAILED", "ROLLED_BACK"] and back["subtasks"][0]["operation"] == "ROLLBACK"
    walk.effect("task-instance-rollback")
    nothing_to_undo, _ = failed_task(walk, 0)
    at_once = walk.do("task-instance-rollback", taskInstanceId=nothing_to_undo)
    assert (at_once["status"], states(at_once)) == ("SUCCESSFUL", ["ROLLED_BACK"]) and at_once["finishTime"]
    stuck, _ = failed_task(walk, 0, prohibit=1)
    walk.call("task-instance-rollback", taskInstanceId=stuck).refused(409, 4009)
    walk.call("task-instance-retry", taskInstanceId=1).refused(404)


@scenario("task-locks-list")
def locks_of_tasks(walk):
    task, (step,) = failed_task(walk, 0, locks="host 77", status=6)             # nobody knows whether it acted: it keeps its locks
    query(walk.metadb, "INSERT INTO task_lock (kind, object_id, task_id, locked_at) VALUES ('host', 77, %s, NOW(6))", task)
    [lock] = walk.rows("task-locks-list", {"size": 100})
    assert (lock["kind"], lock["id"], lock["taskId"], lock["taskName"]) == ("host", 77, task, "Walk")
    other, _ = failed_task(walk, 0, locks="host 77")
    refused = walk.call("task-instance-retry", taskInstanceId=other).refused(409)
    assert str(task) in refused and "host 77" in refused
    walk.do("task-instance-subtask-cancel", taskInstanceId=task, subtaskInstanceId=step)
    assert walk.rows("task-locks-list") == []


@scenario("task-events", "task-instances-list")
def events_of_a_task(walk):
    task, (step,) = failed_task(walk, 0)
    reply = walk.call("task-events", taskInstanceId=task)
    assert reply.status == 200 and reply.headers["content-type"].startswith("text/event-stream")
    events = [dict(line.split(": ", 1) for line in block.splitlines()) for block in reply.body.decode().strip().split("\n\n")]
    assert [e["event"] for e in events] == ["task", "log", "end"]
    shown, line, end = (json.loads(e["data"]) for e in events)
    assert shown["id"] == task and (line["subtaskId"], line["text"]) == (step, "tried") and end == {"status": "FAILED"}
    walk.gone("task-events", taskInstanceId=1)


@scenario("task-schedules-list", "task-schedule-run")
def schedules(walk):
    rows = {s["name"]: s for s in walk.do("task-schedules-list")["contents"]}
    assert rows["sync-clusters"]["continuous"] and not rows["clean-task-logs"]["continuous"]
    assert rows["clean-task-logs"]["cron"] == "0 0 1 * * *"
    before = rows["clean-task-logs"]["runs"]
    walk.do("task-schedule-run", name="clean-task-logs")

    def ran():
        now = next(s for s in walk.do("task-schedules-list")["contents"] if s["name"] == "clean-task-logs")
        return now if now["runs"] > before and now["status"] == "SUCCESSFUL" else None
    assert wait_until(ran, "the work was done")["nextTime"]
    walk.effect("task-schedule-run")
    walk.call("task-schedule-run", name="nothing").refused(404, 4008)
    walk.call("task-schedule-run", name="sync-clusters").refused(400)
