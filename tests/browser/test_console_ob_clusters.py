# SPDX-License-Identifier: Apache-2.0
"""What people do with clusters in the console: taking over and moving out, parameters, sessions, compactions, password; what they see
when servers go away, and when they may only look."""
import contextlib

import pymysql
import pytest

from lib.py.managed import CLUSTERS, Managed
from lib.py.process import wait_until

VIEWER, PASSWORD = 107, "Only-looking-1"


def search(console, say, text):
    console.fill(say("Search", "搜索"), text)
    console.page.key("Enter")
    console.settle()


def choose(console, say, part, operation):
    """From the menu of a zone or server."""
    console.press(say(f"More: {part}", f"更多：{part}"))
    console.press(operation)


def fill_target(console, say, simulator, password):
    console.fill(say("Address", "地址"), simulator.host)
    console.fill(say("SQL port", "SQL 端口"), str(simulator.port))
    console.fill(say("Password of root@sys", "root@sys 密码"), password)


@pytest.fixture
def lonely(new_obsim):
    """A cluster of this test alone."""
    return new_obsim(cluster="lonely:77", tenants=1)


def test_taking_over_and_moving_out(console, ocp_server, lonely, say):
    api = ocp_server.api()
    console.go("/cluster").press(say("Take over a cluster", "接管集群"))
    console.wait_path("/cluster/takeover")
    console.press(say("Check", "预检查"))
    console.wait_text(say("Address is needed", "请输入地址"))

    fill_target(console, say, lonely, "not this one")
    console.press(say("Check", "预检查"))
    console.wait_text(say("It cannot be taken over", "无法接管"))
    assert lonely.host in console.alert() and console.faults() == []
    console.picture(f"take-over-refused-{console.language}")

    fill_target(console, say, lonely, lonely.password)
    console.page.wait("!document.querySelector('[role=alert]')")          # what was found belongs to what was typed
    console.press(say("Check", "预检查"))
    console.wait_text(say("It can be taken over", "可以接管"))
    console.wait_text("lonely")
    assert console.faults() == []
    console.picture(f"take-over-{console.language}")
    console.press(say("Take over", "接管"))
    console.wait_path("/cluster")
    console.wait_text(say("View task", "查看任务"))
    [made] = [c["id"] for c in api.get(CLUSTERS, {"name": "lonely"}).contents]
    wait_until(lambda: api.get(f"{CLUSTERS}/{made}").data["status"] == "RUNNING", "it is taken over")

    console.expect_complaint("status of 404")                                 # the page may ask once more while it goes
    console.go(f"/cluster/{made}").press(say("Move out", "迁出"))
    console.page.wait("document.querySelector('#confirm-word')")
    assert console.faults() == []
    assert console.page.eval("document.querySelector('.ant-modal .ant-btn-dangerous').disabled"), "not without the word"
    console.type_word("confirm")
    console.wait_path("/cluster")
    wait_until(lambda: api.get(f"{CLUSTERS}/{made}").status == 404, "it is moved out")
    console.wait_text(say("View task", "查看任务"))


def test_parameters_are_changed_by_scope_and_remembered(console, cluster, say):
    console.go(f"/cluster/{cluster.id}/parameter")
    search(console, say, "max_syslog_file_count")
    assert len(console.rows()) == 1
    console.press(say("Edit", "编辑"))
    console.fill(say("Value", "当前值"), "oops")
    console.choose(say("Where", "生效范围"), say("Zones", "Zone"))
    console.choose(say("Which", "对象"), "zone2")
    assert console.faults() == []
    console.picture(f"parameter-edit-{console.language}")
    console.expect_complaint("status of 4")
    console.press(say("Save", "保存"))
    assert console.alert() != "", "what the kernel refuses stays in the drawer"
    console.fill(say("Value", "当前值"), "5")
    console.press(say("Save", "保存"))
    console.wait_text(say("max_syslog_file_count was changed", "max_syslog_file_count 已修改"))
    console.wait_text(say("differs between servers", "各 OBServer 取值不同"))
    values = {p["zone"]: p["value"] for q in cluster.get("/parameters").contents if q["name"] == "max_syslog_file_count"
              for p in q["currentValue"]["obParameters"]}
    assert values["zone2"] == "5" and values["zone1"] != "5"

    console.go(f"/cluster/{cluster.id}/parameter?view=history")
    console.wait_row("max_syslog_file_count", "5", "ZONE", "zone2", "admin")
    cluster.api.put(cluster.path + "/parameters", [{"name": "max_syslog_file_count", "value": values["zone1"]}]).ok()


def test_a_session_is_ended_after_a_word(console, cluster, simulator, say):
    with contextlib.closing(simulator.connect()) as victim:
        with victim.cursor() as cursor:
            cursor.execute("SELECT CONNECTION_ID()")
            [[session]] = cursor.fetchall()
        console.go(f"/cluster/{cluster.id}/session?size=100")
        console.wait_row(str(session))
        console.press_in_row(str(session), say("End", "关闭会话"))
        assert console.page.wait("document.querySelector('#confirm-word') != null") and console.faults() == []
        console.picture(f"session-end-{console.language}")
        console.type_word("kill")
        console.wait_text(say(f"Session {session} was ended", f"会话 {session} 已关闭"))
        console.wait_no_row(str(session))
        with pytest.raises(pymysql.err.MySQLError):
            victim.ping(reconnect=False)


def test_a_compaction_is_started_after_a_word(console, cluster, say):
    console.go(f"/cluster/{cluster.id}/compaction").press(say("Start a compaction", "发起合并"))
    console.type_word("confirm")
    console.wait_text(say("The compaction was started", "合并已发起"))


def test_units_are_filtered_by_tenant_on_the_server(console, cluster, say):
    console.go(f"/cluster/{cluster.id}/unit?u.tenantId={cluster.tenant('tenant2')}")
    rows = console.rows()
    assert len(rows) == 3 and {r[1] for r in rows} == {"tenant2"} and {r[3] for r in rows} == {"zone1", "zone2", "zone3"}


def test_the_password_of_root_is_changed(console, ocp_server, lonely, say):
    with Managed(ocp_server.api(), lonely.host, lonely.port, lonely.password) as managed:
        console.go(f"/cluster/{managed.id}").press(say("Change password", "修改密码"))
        console.fill(say("New password", "新密码"), "Fresh-root-2")
        console.fill(say("New password, again", "确认新密码"), "Fresh-root-3")
        console.press(say("Save", "保存"))
        console.wait_text(say("This is not the same", "两次输入的密码不一致"))
        assert console.faults() == []
        console.fill(say("New password, again", "确认新密码"), "Fresh-root-2")
        console.press(say("Save", "保存"))
        console.wait_text(say("The password was changed", "密码已修改"))
        lonely.connect(password="Fresh-root-2").close()
        console.go("/cluster")                                                # before it is moved out


def test_topology_tells_more_by_keyboard_and_shows_a_server_that_is_away(console, cluster, simulator, say):
    console.go(f"/cluster/{cluster.id}/topology")
    victim = simulator.servers()[5]
    console.page.eval(f"[...document.querySelectorAll('.topology-server')].find((e) => e.innerText.includes('{victim}')).focus()")
    console.wait_text(say("SQL port", "SQL 端口"), ".ant-popover")
    assert console.faults() == []
    console.picture(f"topology-{console.language}")
    simulator.ctl("kill", server=victim)
    try:
        console.page.wait(f"[...document.querySelectorAll('.topology-server')].some((e) => e.innerText.includes('{victim}') "
                          f"&& e.innerText.includes('{say('Unavailable', '不可用')}'))", timeout=60)
        console.go("/")
        console.wait_text(victim)
        assert console.faults() == []
        console.picture(f"attention-{console.language}")
    finally:
        simulator.ctl("start", server=victim)
        wait_until(lambda: all(s["status"] == "RUNNING" for s in cluster.get("/servers").contents), "the server is back")


def test_a_zone_is_stopped_and_started_again(console, cluster, say):
    console.go(f"/cluster/{cluster.id}/topology")
    console.press(say("More", "更多"))
    console.press(say("Delete", "删除"))
    console.wait_text(say("ALL ITS DATA IS DELETED", "删除全部数据"), ".ant-modal")
    assert console.faults() == []
    console.press(say("Cancel", "取消"))
    stop, start = say("Stop zone3", "停止 zone3"), say("Start zone3", "启动 zone3")
    console.press(stop)
    console.type_word("confirm")
    console.page.wait(f"t.button({start!r}) != null", timeout=60)
    console.press(start)
    console.type_word("confirm")
    console.page.wait(f"t.button({stop!r}) != null", timeout=60)


def test_what_changes_zones_and_servers_asks_first_and_says_why_it_is_refused(console, cluster, simulator, say):
    """This cluster was taken over: its processes are not this OCP's."""
    first, second = (f"{ip}:2882" for ip in simulator.servers()[4:])
    console.expect_complaint("status of 4")
    console.go(f"/cluster/{cluster.id}/topology")
    choose(console, say, "zone3", say("Delete", "删除"))
    console.wait_text(say("ALL THEIR DATA IS DELETED", "删除其全部数据"), ".ant-modal")
    assert console.page.eval("document.querySelector('.ant-modal .ant-btn-dangerous').disabled"), "not without the word"
    console.type_word("delete")
    console.wait_alert("OCP", ".ant-modal [role=alert]")
    assert console.faults() == []
    console.press(say("Cancel", "取消"))

    choose(console, say, "zone3", say("Add servers", "添加 OBServer"))
    console.press(say("Add servers", "添加 OBServer"))
    console.wait_text(say("Hosts is needed", "请输入主机"), ".ant-drawer")
    assert console.faults() == []
    console.press(say("Cancel", "取消"))
    choose(console, say, second, say("Replace", "替换"))
    console.press(say("Replace", "替换"))
    console.wait_text(say("Host is needed", "请输入主机"), ".ant-drawer")
    console.press(say("Cancel", "取消"))
    console.press(say("Add a zone", "添加 Zone"))
    console.press(say("Add a zone", "添加 Zone"))
    console.wait_text(say("Name is needed", "请输入名称"), ".ant-drawer")
    assert console.faults() == []
    console.picture(f"zone-add-{console.language}")
    console.press(say("Cancel", "取消"))

    console.go(f"/cluster/{cluster.id}/server")
    choose(console, say, second, say("Restart", "重启"))
    console.type_word("confirm")
    console.wait_alert("OCP", ".ant-modal [role=alert]")
    console.press(say("Cancel", "取消"))
    for server in (first, second):
        box = f"input[aria-label=\"{say('Select', '选择')} {server}\"]"
        console.page.wait(f"document.querySelector({box!r})")
        console.page.eval(f"document.querySelector({box!r}).click()")
    console.press(say("Delete selected", "删除所选"))
    console.wait_text(f"{first}, {second}", ".ant-modal")
    console.type_word("delete")
    console.wait_alert("OCP", ".ant-modal [role=alert]")
    console.press(say("Cancel", "取消"))


def test_a_cluster_that_cannot_be_asked_is_shown_as_old(console, ocp_server, new_obsim, say):
    simulator = new_obsim(cluster="fading:78", tenants=1)
    with Managed(ocp_server.api(), simulator.host, simulator.port, simulator.password) as managed:
        for server in simulator.servers():
            simulator.ctl("kill", server=server)
        wait_until(lambda: managed.get().data["stale"], "it is seen to be away")
        console.expect_complaint("status of 503")                             # what only the cluster itself could tell
        console.go(f"/cluster/{managed.id}")
        console.wait_text(say("It cannot be asked since", "起无法访问"))
        console.wait_text(say("What is shown here is of", "此处显示的是"))
        assert console.title() == "fading" and console.faults() == []
        console.picture(f"cluster-away-{console.language}")
        console.go("/")
        console.wait_text(say("cannot be asked:", "无法访问："))
        console.go("/cluster")
        console.wait_text(say("Old", "数据陈旧"), "tbody")


def test_rows_stay_when_the_server_fails_and_are_marked(console, cluster, say):
    console.go(f"/cluster/{cluster.id}/zone")
    console.wait_row("zone1")
    console.fail("/zones*", 503)
    console.press(say("Refresh", "刷新"))
    console.wait_text(say("newer data cannot be had", "暂时无法刷新"))
    console.wait_row("zone1")
    console.heal()


def test_tabs_go_by_keyboard_and_have_addresses(console, cluster, say):
    console.go(f"/cluster/{cluster.id}")
    console.page.eval("document.querySelector('[role=tab][aria-selected=true]').focus()")
    console.page.key("ArrowRight")
    console.page.key("Enter")
    console.wait_path(f"/cluster/{cluster.id}/topology")
    console.page.wait("document.querySelector('.topology-server')")
    assert console.page.eval("document.activeElement.getAttribute('role')") == "tab", "the focus stays among the tabs"
    console.page.call("Page.navigateToHistoryEntry", entryId=console.page.call("Page.getNavigationHistory")["entries"][-2]["id"])
    console.wait_path(f"/cluster/{cluster.id}")
    console.wait_text(say("Basics", "基本信息"))


@pytest.fixture
def viewer(ocp_server, language):
    """Somebody who may look at clusters and do nothing with them."""
    api, name = ocp_server.api(), f"viewer_{language}"
    made = api.post("/api/v2/iam/users", {"username": name, "password": PASSWORD, "needChangePassword": False, "roles": [VIEWER]}).data
    yield name
    api.delete(f"/api/v2/iam/users/{made['id']}").ok()


def test_who_may_only_look_is_offered_nothing_else(new_console, cluster, say, viewer):
    console = new_console().log_in(viewer, PASSWORD)
    console.go("/cluster")
    console.wait_row("obcluster")
    assert say("Take over a cluster", "接管集群") not in console.page.text("#main")
    console.go(f"/cluster/{cluster.id}")
    assert say("Move out", "迁出") not in console.page.text("#main") and say("Change password", "修改密码") not in console.page.text("#main")
    console.go(f"/cluster/{cluster.id}/parameter")
    assert len(console.rows()) == 20 and say("Edit", "编辑") not in console.page.text("tbody")
    console.page.call("Page.navigate", url=console.url + "/cluster/takeover")
    console.wait_path("/error/403")


def test_a_lost_session_leads_back_to_the_tab(new_console, cluster, say, viewer):
    console = new_console().log_in(viewer, PASSWORD)
    console.go(f"/cluster/{cluster.id}/server")
    console.page.call("Network.clearBrowserCookies")
    console.expect_complaint("status of 401")
    console.press(say("Refresh", "刷新"))
    console.wait_path(f"/login?back=%2Fcluster%2F{cluster.id}%2Fserver")
