# SPDX-License-Identifier: Apache-2.0
"""Tasks as people see them: which there are, what they hold, how their steps hang together, and what is done when one has failed."""
import json
import types

import pytest

TASK = ("INSERT INTO task (id, flow, name, definition_id, cluster_id, ob_cluster_id, tenant_id, cluster_name, tenant_name, creator_id, creator_name, "
        "status, prohibit_rollback, executor, context, created_at, started_at, locks) VALUES (%s, 'none', %s, 1, -1, -1, -1, 'trade', '', 100, 'admin', "
        "%s, 0, 'node1', '{}', NOW(6), NOW(6), %s)")
STEP = ("INSERT INTO subtask (id, task_id, series, dispatch, name, description, timeout_s, status, worker, error, created_at, started_at, finished_at, "
        "label, target, flags, stage, up_first, up_last) VALUES (%s, %s, %s, %s, %s, 'It says what it does.', 60, %s, 'node1', %s, NOW(6), NOW(6), "
        "NOW(6), %s, %s, 1, 1, %s, %s)")
PENDING, FAILED, SUCCESSFUL = 0, 4, 5
REASON = "127.0.0.3: the port 2882 is taken by process 4711. Stop it, then run the step again."


@pytest.fixture(scope="module")
def failed(ocp_server, mariadb_server):
    """failed(language): a task whose sixth step has failed; and one of sixty steps."""
    database = ocp_server.database.name

    def insert(task, name, status, steps, locks=""):
        mariadb_server.sql(TASK, (task, name, status, locks), database=database)
        for series, (step, label, state, first, last) in enumerate(steps, 1):
            mariadb_server.sql(STEP, (task * 100 + series, task, series, state != PENDING, step, state, REASON if state == FAILED else "", label, label,
                                      first, last), database=database)

    def make(language):
        hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
        steps = [("check the hosts", "", SUCCESSFUL, 0, 0), *(("extract the package", h, SUCCESSFUL, 1, 1) for h in hosts)]
        steps += [("start the observer", h, FAILED if i == 3 else SUCCESSFUL, i + 1, i + 1) for i, h in enumerate(hosts, 1)]
        steps += [("bootstrap", "", PENDING, 5, 7)]
        number = 7001 if language == "en" else 7002
        name = f"create the cluster trade {language}"
        insert(number, name, 2, steps, f"obcluster {number}")
        mariadb_server.sql("INSERT INTO task_lock (kind, object_id, task_id, locked_at) VALUES ('obcluster', %s, %s, NOW(6))", (number, number),
                           database=database)
        many = [("prepare", "", SUCCESSFUL, 0, 0), *(("check the host", f"127.0.1.{i}", SUCCESSFUL, 1, 1) for i in range(1, 21))]
        for step, state in (("extract", SUCCESSFUL), ("start", SUCCESSFUL), ("join", PENDING)):
            before = len(many) - 12
            many += [(step, f"127.0.1.{i}", FAILED if (step, i) == ("start", 9) else state, *((2, 21) if step == "extract" else (before + i, before + i)))
                     for i in range(1, 13)]
        many += [("see that they serve", "", PENDING, len(many) - 11, len(many)), ("tell the proxies", "", PENDING, len(many) + 1, len(many) + 1)]
        insert(number + 10, f"twelve servers {language}", 2, many)
        return types.SimpleNamespace(id=number, name=name, many=number + 10, n_many=len(many))
    return make


def states(console):
    """Of the steps in the graph, by their names."""
    return dict(console.page.eval("[...document.querySelectorAll('.task-graph button')].map((b) => [b.title, b.querySelector('.step-state').innerText])"))


def wait_state(console, step, text):
    console.page.wait(f"[...document.querySelectorAll('.task-graph button')].some((b) => b.title === {json.dumps(step)} && b.innerText.includes({json.dumps(text)}))")


BOOTSTRAP = "[...document.querySelectorAll('.task-graph button')].find((b) => b.title === 'bootstrap')"


def stop(console, say):
    """Its last step, which runs again; only of one that runs there is the button."""
    console.press(say("Stop", "终止"))
    console.type_word("confirm")
    wait_state(console, "bootstrap", say("Failed", "失败"))


def test_a_task_that_failed_is_understood_and_ended(console, failed, say):
    task = failed(console.language)
    broken = "start the observer (127.0.0.3)"
    console.go(f"/task?status=FAILED&name={console.language}")
    console.wait_row(task.name, say("Failed", "失败"), "6 / 8")
    console.press(say("Locks", "对象锁"))
    console.wait_path("/task/lock")
    console.wait_row(say(f"Cluster {task.id}", f"集群 {task.id}"), task.name)
    console.press_in_row(task.name, task.name)
    console.wait_path(f"/task/{task.id}")
    console.wait_text(REASON, ".reasons")
    wait_state(console, broken, say("Failed", "失败"))
    assert len(states(console)) == 8 and console.faults() == [] and not console.overflow()
    console.picture(f"task-detail-{console.language}")

    page = console.page
    assert page.eval("document.querySelector('.task-graph button[tabindex=\"0\"]').title") == broken, "what has failed is found first"
    page.eval("document.querySelector('.task-graph button[tabindex=\"0\"]').focus(), true")
    page.key("ArrowUp")
    page.wait("document.activeElement.title === 'extract the package (127.0.0.3)'")
    page.key("ArrowDown")
    page.key("Enter")
    console.wait_alert(REASON, ".ant-drawer .ant-alert")
    console.wait_text(say("This step has written nothing yet.", "该子任务暂无日志。"), ".ant-drawer")
    assert console.faults() == []
    console.picture(f"task-step-{console.language}")
    console.press(say("Skip", "跳过"))
    console.type_word("confirm")
    wait_state(console, broken, say("Skipped", "已跳过"))
    console.press(say("Close", "关闭"))

    # nobody knows this flow, so its last step is offered to one node after the other until somebody stops it
    console._click(BOOTSTRAP)
    console.wait_text("the flow none", ".ant-drawer .step-log")
    page.wait("document.querySelector('.ant-drawer .step-log').innerText.split('the flow none').length > 2")       # each attempt is told of
    stop(console, say)
    console.press(say("Run it again", "重试子任务"))
    stop(console, say)
    console.press(say("Close", "关闭"))
    console.press(say("Retry", "重试"))
    console._click(BOOTSTRAP)
    stop(console, say)
    console.press(say("Give up", "放弃"))
    console.type_word("confirm")
    wait_state(console, "bootstrap", say("Given up", "已放弃"))
    console.press(say("Close", "关闭"))
    console.press(say("Roll back", "回滚"))
    assert console.faults() == []
    console.type_word("confirm")
    console.page.wait(f"document.querySelector('.page-head .ant-tag').innerText === {json.dumps(say('Rolled back', '已回滚'))}")
    console.go("/task/lock")
    console.page.wait(f"!document.body.innerText.includes({json.dumps(task.name)})")

    console.go(f"/task/{task.many}")
    page.wait(f"document.querySelectorAll('.task-graph button').length === {task.n_many}")
    page.eval("document.querySelector('.task-graph').scrollIntoView({ block: 'end' }), true")
    page.wait("t.hit([...document.querySelectorAll('.task-graph button')].find((b) => b.title === 'start (127.0.1.9)')) !== null")
    assert console.faults() == [] and not console.overflow()
    console.picture(f"task-graph-{console.language}")
    console.resize(1920, 1080)
    assert not console.overflow()
    console.resize(1280, 800)
    console.fail(f"/api/v2/tasks/instances/{task.many}")
    console.page.call("Page.reload")
    console.wait_alert("The disk of this test is full.")
    console.heal()
    console.try_again()
    page.wait(f"document.querySelectorAll('.task-graph button').length === {task.n_many}")

    console.go("/task/schedule")
    console.page.wait("t.rows().length > 0")
    assert console.faults() == [] and not console.overflow()
    console.picture(f"task-schedule-{console.language}")
