# SPDX-License-Identifier: Apache-2.0
"""The nodes of OCP as people see them, and what people see when nodes die behind a load balancer: a real cluster of three."""
import json
import types

import pytest

from lib.py.build import built_program
from lib.py.console import Console
from lib.py.haproxy import HAProxy
from lib.py.ocpcluster import OcpCluster, query
from lib.py.process import wait_until
from lib.py.server import console as built_console

CAUSES = {"STARTED": ("Nobody led before", "此前没有主节点"), "DIED": ("The process of the former leader ended", "前任主节点进程退出"),
          "SILENT": ("The former leader was not heard any more", "前任主节点失去联系"),
          "HANDED_OVER": ("The former leader handed it over", "前任主节点主动移交")}
WATCH = """(window.seen = [], new MutationObserver(() => {
  for (const e of document.querySelectorAll('.ant-alert, .ant-message-error, .notice'))
    if (e.innerText.trim() && !seen.includes(e.innerText)) seen.push(e.innerText);
}).observe(document.body, { childList: true, subtree: true, characterData: true }), true)"""


@pytest.fixture(scope="module")
def nodes(mariadb_server):
    """A cluster of three that is whole between tests."""
    if built_console() is None:
        pytest.skip("this build has no console (Node.js was not there)")
    database = mariadb_server.create_database("console_nodes")
    cluster = OcpCluster(database, settings={"http.trusted_proxies": "127.0.0.0/8"})
    for node in cluster.nodes:
        node.program = built_program("tests/flows/ocp-server")           # the same with flows whose steps wait as long as a test wants
    with cluster:
        yield cluster
    mariadb_server.drop_database(database)


@pytest.fixture(scope="module")
def balanced(nodes):
    """The cluster behind HAProxy, as a server to open a console of."""
    replaced = {"bind :8080": "bind 127.0.0.1:PORT", "option redispatch 1": "option redispatch 1\n    http-response set-header x-served-by %s", **{f"10.0.0.{i}:8080": f"{n.host}:{n.port}" for i, n in enumerate(nodes.nodes, 1)}}
    with HAProxy("ocp-server.cfg", replaced) as proxy:
        for n in range(1, 4):
            proxy.wait_status(f"ocp{n}", "UP")
        yield types.SimpleNamespace(proxy=proxy, host=proxy.host, port=proxy.port, api=lambda: nodes.api(0), password=nodes.api(0) and nodes.nodes[0].password)


@pytest.fixture
def new_page(browser, language, nodes):
    """new_page(server): a console of the administrator there; what its page complained about fails the test."""
    made = []

    def make(server):
        nodes.api(nodes.nodes.index(server) if server in nodes.nodes else 0)
        made.append(Console(browser, server, language).log_in())
        return made[-1]

    yield make
    for one in made:
        one.close()
        one.leave()


def name_of(nodes, node):
    return f"node{nodes.nodes.index(node) + 1}"


def wait_node(console, name, *texts):
    """Until the row of this node says all of it."""
    console.page.wait(f"t.rows().some((r) => r[0].split(' ')[0] === {json.dumps(name)} && {json.dumps(texts)}.every((s) => r.join(' ').includes(s)))")


def press_of(console, name, action):
    """One of the actions in the row of this node."""
    console._click(f"[...([...document.querySelectorAll('tbody tr.ant-table-row')].find((r) => r.innerText.split(/\\s/)[0] === {json.dumps(name)})"
                   f"?.querySelectorAll('button') ?? [])].find((b) => t.name(b) === {json.dumps(action)})")


def test_who_leads_and_how_each_node_does(new_page, nodes, say):
    console = new_page(nodes.nodes[0])
    leader = name_of(nodes, nodes.leader())
    console.go("/ocp-node")
    for i in range(1, 4):
        name = f"node{i}"
        wait_node(console, name, say("Online", "在线"), say("Leader", "主节点") if name == leader else say("Follower", "从节点"))
    wait_node(console, "node1", say("answers you", "当前节点"))
    card = console.page.text(".ant-descriptions")
    last = nodes.api(0).get("/api/v2/ocp/leaderships").contents[0]
    cause = say(*CAUSES[last["cause"]])
    assert leader in card and cause in card and str(last["epoch"]) in card
    console.page.wait(f"/{say('Losses survived', '可容忍的故障节点数')}\\W*1\\b/.test(document.querySelector('.ant-descriptions').innerText)")
    assert nodes.api(0).get("/api/v2/info").json["buildVersion"] in card
    for width, height in ((1920, 1080), (1280, 800)):
        console.resize(width, height)
        assert console.faults() == [] and not console.overflow()
    console.picture(f"ocp-nodes-{console.language}")

    console.press(say("Leaderships", "主节点变更记录"))
    console.wait_path("/ocp-node/leadership")
    console.wait_row(leader, cause, str(last["epoch"]))
    assert console.faults() == []
    console.press(say("Leases", "租约"))
    console.wait_path("/ocp-node/lease")
    console.page.wait(f"t.rows().length === 20 && t.rows().every((r) => r[1] === {json.dumps(say('Held', '持有'))})")
    assert console.faults() == [] and not console.overflow()


def test_the_keyboard_alone(new_page, nodes, say):
    console = new_page(nodes.nodes[0])
    console.go("/ocp-node")
    page = console.page
    page.wait("t.rows().length === 3")
    page.eval("document.querySelector('[role=tab]').focus(), true")
    page.key("ArrowRight")
    page.key("Enter")
    console.wait_path("/ocp-node/leadership")
    page.wait("t.rows().length > 0")


def test_what_the_server_refuses_is_shown_and_goes_by_itself(new_page, nodes, say):
    console = new_page(nodes.nodes[0])
    console.go("/ocp-node")
    console.page.wait("t.rows().length === 3")
    console.fail("/api/v2/ocp/nodes?")
    console.wait_alert("The disk of this test is full.")
    console.wait_text(say("newer data cannot be had", "暂时无法刷新"))
    assert len(console.page.eval("t.rows()")) == 3 and console.faults() == []
    console.heal()
    console.page.wait("!document.querySelector('[role=alert]')")


def test_a_node_is_drained_and_works_again(new_page, nodes, say):
    console = new_page(nodes.nodes[0])
    console.go("/ocp-node")
    leader = name_of(nodes, nodes.leader())
    console.page.wait("t.rows().length === 3")
    press_of(console, leader, say("Drain", "排空"))
    console.page.wait("document.querySelector('#confirm-word')")
    assert console.faults() == []
    console.type_word("confirm")
    wait_node(console, leader, say("Draining", "排空中"), say("Follower", "从节点"))
    console.wait_text(say("The former leader handed it over", "前任主节点主动移交"), ".ant-descriptions")
    press_of(console, leader, say("Resume", "恢复"))
    wait_node(console, leader, say("Online", "在线"), say("Drain", "排空"))


def test_a_certificate_is_renewed(new_page, nodes, say):
    console = new_page(nodes.nodes[0])
    console.go("/ocp-node")
    console.page.wait("t.rows().length === 3")
    follower = nodes.followers()[0]

    def last():
        certificates = query(nodes.database, "SELECT expires_at FROM node_certificate WHERE node_id = %s AND revoked_at IS NULL", nodes.id_of(follower))
        return max(c["expires_at"] for c in certificates)
    before = last()
    wait_node(console, name_of(nodes, follower), str(before.year))
    press_of(console, name_of(nodes, follower), say("Renew certificate", "更新证书"))
    console.wait_text(say("renews its certificate", "即将更新证书"), ".ant-message")
    wait_until(lambda: last() > before, "it has a new one")
    assert console.faults() == []


def test_leadership_is_handed_to_a_node(new_page, nodes, say):
    console = new_page(nodes.nodes[0])
    console.go("/ocp-node")
    console.page.wait("t.rows().length === 3")
    heir = name_of(nodes, nodes.followers()[0])
    press_of(console, heir, say("Make leader", "设为主节点"))
    console.type_word("confirm")
    wait_node(console, heir, say("Leader", "主节点"))
    console.press(say("Leaderships", "主节点变更记录"))
    console.wait_row(heir, say("The former leader handed it over", "前任主节点主动移交"))


def test_a_node_is_added_joins_and_is_removed(new_page, nodes, say, tmp_path):
    console = new_page(nodes.nodes[0])
    console.go("/ocp-node")
    console.page.wait("t.rows().length === 3")
    console.press(say("Add a node", "添加节点"))
    console.press(say("Add a node", "添加节点"))
    console.wait_text(say("Peer address is needed", "请输入节点间地址"))
    console.fill(say("Peer address", "节点间地址"), "nowhere")
    console.expect_complaint("status of 4")
    console.press(say("Add a node", "添加节点"))
    console.page.wait("document.querySelector('.ant-drawer .ant-alert')")
    assert console.faults() == []
    fourth = nodes.new_node()
    try:
        console.fill(say("Peer address", "节点间地址"), nodes.peer_address(fourth))
        console.page.downloads_to(tmp_path)
        console.press(say("Add a node", "添加节点"))
        console.wait_text(say("shown this once", "仅显示一次"), ".ant-modal")
        secret = console.page.eval("document.querySelector('.ant-modal .ant-typography').innerText.trim()")
        assert console.faults() == []
        console.press(say("Download the join bundle", "下载加入包"))
        file = wait_until(lambda: next(iter(tmp_path.glob("*.bundle")), None), "the bundle is downloaded")
        assert file.name in console.page.text(".ant-modal pre")
        bundle = fourth.directory / file.name
        bundle.write_bytes(file.read_bytes())
        bundle.chmod(0o644)
        console.press(say("Close", "关闭"))
        console.page.wait("!document.querySelector('.ant-modal-wrap') || !t.shown(document.querySelector('.ant-modal-wrap'))")
        assert secret not in console.page.eval("document.body.innerHTML"), "shown once"
        fourth.run("--join", bundle, OCP_JOIN_SECRET=secret)
        fourth.start()
        wait_node(console, "node4", say("Online", "在线"), say("Standby", "备用节点"), say("Add one more node or a witness", "请再添加一个节点或见证节点"))
        assert console.faults() == [] and not console.overflow()
        console.picture(f"ocp-node-standby-{console.language}")
        fourth.kill()
        press_of(console, "node4", say("Remove", "移除"))
        assert console.faults() == []
        console.type_word("delete")
        console.page.wait("t.rows().length === 3")
    finally:
        nodes.nodes.remove(fourth)
        fourth.close()


def test_nodes_die_behind_a_load_balancer_and_the_page_goes_on(new_page, nodes, balanced, say):
    """The node that answers is killed, then the leader, while somebody fills a form and somebody else looks on."""
    form, watching = new_page(balanced), new_page(balanced)
    name = f"typed while nodes die {form.language}"
    for console, path in ((form, "/region"), (watching, "/ocp-node")):
        console.expect_complaint("net::ERR|status of 50")
        console.go(path)
        console.page.eval(WATCH)
    watching.page.wait("t.rows().length === 3")
    form.press(say("New region", "新建区域"))
    form.fill(say("Name", "名称"), name[:8])
    watching.press(say("Add a node", "添加节点"))
    watching.fill(say("Peer address", "节点间地址"), "10.0.0.")

    answering = watching.page.wait(f"t.rows().find((r) => r[0].includes({json.dumps(say('answers you', '当前节点'))}))?.[0].split(' ')[0]")
    victim = nodes.nodes[int(answering[-1]) - 1]
    victim.kill()
    form.page.eval(f"t.field({json.dumps(say('Name', '名称'))}).focus(), true")
    form.page.type(name[8:])
    watching.page.wait(f"t.rows().some((r) => r[0] === {json.dumps(answering)} && !r[3].includes({json.dumps(say('Connected', '已连接'))}))")
    victim.start()
    wait_node(watching, answering, say("Connected", "已连接"), say("Online", "在线"))

    epoch, leader = nodes.row()["epoch"], nodes.leader()
    leader.kill()
    form.press(say("Save", "保存"))
    form.wait_row(name)
    successor = name_of(nodes, nodes.leader(above=epoch))
    wait_node(watching, successor, say("Leader", "主节点"))
    watching.wait_text(say("The process of the former leader ended", "前任主节点进程退出"), ".ant-descriptions")
    leader.start()
    wait_node(watching, name_of(nodes, leader), say("Connected", "已连接"), say("Online", "在线"))

    regions = [r["name"] for r in nodes.api(0).get("/api/v2/compute/regions", {"size": 2000}).contents]
    assert regions.count(name) == 1
    assert form.page.eval("seen") == [] and watching.page.eval("seen") == [], "nobody was told of an error"
    assert watching.page.eval(f"t.field({json.dumps(say('Peer address', '节点间地址'))}).value") == "10.0.0.", "a live page keeps what was typed"
    watching.press(say("Cancel", "取消"))
    watching.press(say("Leaderships", "主节点变更记录"))
    watching.wait_row(successor, say("The process of the former leader ended", "前任主节点进程退出"))


@pytest.fixture
def trial(nodes):
    """A task whose two steps, "act (a)" and "act (b)", wait until they are let go: its number, and what lets one go."""
    database = nodes.database
    query(database, "CREATE TABLE trial_control (what VARCHAR(16), target VARCHAR(64), PRIMARY KEY (what, target))")
    query(database, "CREATE TABLE trial_effect (id BIGINT AUTO_INCREMENT PRIMARY KEY, task_id BIGINT, step VARCHAR(64), target VARCHAR(64), "
                    "dispatch BIGINT, node VARCHAR(64), at DATETIME(6), KEY (task_id))")
    query(database, "INSERT INTO trial_control (what, target) VALUES ('hold', 'a'), ('hold', 'b')")
    task = nodes.api(0).post("/api/v2/test/trials", {"targets": ["a", "b"]}).data["id"]
    yield types.SimpleNamespace(id=task, let_go=lambda target: query(database, "DELETE FROM trial_control WHERE target = %s", target))
    query(database, "DROP TABLE trial_control")
    query(database, "DROP TABLE trial_effect")


def follows(console, database, step):
    """A log is shown to its end, which is stayed at unless somebody has scrolled back."""
    log, page = "document.querySelector('.step-log')", console.page

    def write(first, last):
        for i in range(first, last + 1):
            query(database, "INSERT INTO subtask_log (subtask_id, seq, logged_at, text) SELECT subtask_id, MAX(seq) + 1, NOW(6), %s FROM subtask_log "
                            "WHERE subtask_id = %s GROUP BY subtask_id", f"line {i}.", step)
        console.wait_text(f"line {last}.", ".step-log")
        page.eval("t.drawn()")

    at_end = f"{log}.scrollTop > 0 && {log}.scrollTop + {log}.clientHeight > {log}.scrollHeight - 24"
    write(1, 60)
    page.wait(at_end)
    page.eval(f"{log}.scrollTop = 0, t.drawn()")
    write(61, 61)
    assert page.eval(f"{log}.scrollTop") == 0, "who reads is left alone"
    page.eval(f"{log}.scrollTop = {log}.scrollHeight, t.drawn()")
    write(62, 62)
    page.wait(at_end)


STREAMS = """{ const send = fetch; window.streams = []; window.fetch = async (...request) => {
  const reply = await send(...request);
  if (String(request[0]).endsWith('/events')) streams.push(reply.headers.get('x-served-by'));
  return reply; }; }"""


def test_the_log_of_a_step_goes_on_at_another_node(new_page, nodes, balanced, trial, say):
    """The node that tells a page of a task what happens is killed; another one tells the rest."""
    console = new_page(balanced)
    page = console.page
    console.expect_complaint("net::ERR|status of 50")
    page.call("Page.addScriptToEvaluateOnNewDocument", source=STREAMS)
    steps = {s["name"]: s["id"] for s in nodes.api(0).get(f"/api/v2/tasks/instances/{trial.id}").data["subtasks"]}
    console.go(f"/task/{trial.id}?step={steps['act (a)']}")
    console.wait_text("held, dispatch 1", ".ant-drawer .step-log")
    follows(console, nodes.database, steps["act (a)"])
    console.load(f"/task/{trial.id}?step={steps['act (b)']}")
    console.wait_text("held, dispatch 1", ".ant-drawer .step-log")
    page.eval(WATCH)
    teller = page.wait("streams.at(-1)")
    trial.let_go("a")
    page.wait("[...document.querySelectorAll('.task-graph button')].some((b) => b.title === 'act (a)'"
              f" && b.innerText.includes({json.dumps(say('Successful', '成功'))}))")
    victim = nodes.nodes[int(teller[-1]) - 1]
    victim.kill()
    page.wait(f"streams.at(-1) !== null && streams.at(-1) !== {json.dumps(teller)}")
    trial.let_go("b")
    console.wait_text("acted for b", ".ant-drawer .step-log")
    page.wait(f"document.querySelector('.page-head .ant-tag').innerText === {json.dumps(say('Successful', '成功'))}")
    assert page.text(".ant-drawer .step-log").count("acted for b") == 1 and page.eval("seen") == [], "told once, and no error"
    victim.start()


def test_while_nobody_leads_a_notice_says_so(new_page, nodes, say):
    console = new_page(nodes.nodes[0])
    console.expect_complaint("net::ERR|status of 50")
    console.go("/ocp-node")
    console.page.wait("t.rows().length === 3")
    for node in nodes.nodes[1:]:
        node.kill()
    console.wait_text(say("No node leads", "当前没有主节点"), ".notice")
    console.wait_text(say("Nobody leads", "当前没有主节点"), ".ant-descriptions")
    assert console.faults() == []
    console.picture(f"no-leader-{console.language}")
    for node in nodes.nodes[1:]:
        node.launch()
    for node in nodes.nodes[1:]:
        node.wait_ready()
    console.page.wait("!document.querySelector('.notice')")
    wait_node(console, name_of(nodes, nodes.leader()), say("Leader", "主节点"))
