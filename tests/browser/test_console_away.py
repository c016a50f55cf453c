# SPDX-License-Identifier: Apache-2.0
"""What people see when an answer is missing: of one request, as when a node dies behind a load balancer, or of all."""
import pytest

from lib.py.console import Console

LOST = "net::ERR|status of 50"


@pytest.fixture
def region(ocp_server, language):
    """region(text) is a name; count(name) says how many regions have it."""
    return lambda text: f"{text} {language}"


def count(server, name):
    return [r["name"] for r in server.api().get("/api/v2/compute/regions", {"size": 2000}).contents].count(name)


def begin_region(console, say, name):
    console.press(say("New region", "新建区域"))
    console.fill(say("Name", "名称"), name)


BALANCER = (502, "502 Bad Gateway", ())
OURS = (503, {"successful": False, "status": 503, "traceId": "t", "error": {"code": 90741, "message": "Away."}}, [("Retry-After", "1")])


@pytest.mark.parametrize("failure", ["lost connection", "page of the load balancer", "503 of a node"])
def test_reading_goes_on_over_failed_requests(console, failure):
    console.expect_complaint(LOST)
    console.load("/task")
    if failure == "lost connection":
        console.page.lose("*/compute/regions?*", "request", times=2)
    else:
        status, body, headers = BALANCER if failure.startswith("page") else OURS
        console.page.answer("*/compute/regions?*", status, body, times=2, headers=headers)
    console.page.eval("window.alerts = 0, new MutationObserver(() => { alerts += document.querySelectorAll('[role=alert], .notice').length; })"
                      ".observe(document.body, { childList: true, subtree: true }), true")
    console.page.eval("document.querySelector('a[href=\"/region\"]').click(), true")
    console.page.wait("location.pathname === '/region' && document.querySelector('.ant-table') && t.rows().length >= 0"
                      " && !document.querySelector('.ant-spin-spinning')")
    assert console.page.eval("performance.getEntriesByType('resource').filter((e) => e.name.includes('/compute/regions?')).length") >= 3
    assert console.page.eval("alerts") == 0


def test_reading_ends_with_what_the_server_says(console, say):
    console.load("/task")
    status, body, headers = OURS
    console.expect_complaint(LOST)
    console.page.answer("*/compute/regions?*", status, body, headers=headers)
    console.page.eval("document.querySelector('a[href=\"/region\"]').click(), true")
    console.wait_alert("Away.")
    assert not console.page.eval("document.querySelector('.notice')"), "it does answer"
    assert console.faults() == []
    console.heal()
    console.page.wait("!document.querySelector('[role=alert]') && document.querySelector('.ant-table')")     # by itself


def test_a_change_whose_answer_is_lost_is_done_once(console, ocp_server, say, region):
    name = region("once")
    console.load("/region")
    console.expect_complaint(LOST)
    console.page.lose("*/compute/regions", "answer", times=2)
    begin_region(console, say, name)
    console.press(say("Save", "保存"))
    console.wait_row(name)
    console.page.wait("!document.querySelector('.ant-drawer-open')")
    assert count(ocp_server, name) == 1


def test_a_change_of_unknown_outcome_says_so_and_may_be_sent_again(console, ocp_server, say, region):
    name = region("unknown")
    console.load("/region")
    console.expect_complaint(LOST)
    console.page.lose("*/compute/regions", "answer")
    begin_region(console, say, name)
    console.press(say("Save", "保存"))
    console.wait_alert(say("Look before you repeat it", "请先确认结果"))
    assert console.faults() == []
    console.picture(f"outcome-unknown-{console.language}")
    assert console.page.eval(f"t.field('{say('Name', '名称')}').value") == name, "nothing that was typed is lost"
    assert count(ocp_server, name) == 1
    console.heal()
    console.press(say("Save", "保存"))
    console.wait_row(name)
    assert count(ocp_server, name) == 1, "under the key of before it is the same change"


def test_a_secret_whose_answer_is_lost_is_not_made_twice(console, ocp_server, say, region):
    api, remark = ocp_server.api(), region("lost secret")
    console.load("/profile/keys")
    console.expect_complaint(LOST)
    console.page.lose("*/me/accessKeys", "answer", times=1)
    console.press(say("New access key", "新建访问密钥"))
    console.fill(say("What it is for", "用途"), remark)
    console.press(say("Create", "新建"))
    console.wait_alert(say("Look before you repeat it", "请先确认结果"))
    made = [k for k in api.get("/api/v2/profiles/me/accessKeys").contents if k["description"] == remark]
    assert len(made) == 1
    api.delete(f"/api/v2/profiles/me/accessKeys/{made[0]['id']}").ok()


def test_a_page_whose_program_is_lost_comes_all_the_same(new_console):
    console = new_console().log_in()
    console.load("/task")
    console.expect_complaint(LOST)
    console.page.lose("*/assets/hosts-*", "request", times=2)
    console.page.eval("document.querySelector('a[href=\"/host\"]').click(), true")
    console.page.wait("location.pathname === '/host' && document.querySelector('.ant-table')")


def test_a_page_whose_program_does_not_come_says_what_to_do(new_console, say):
    console = new_console().log_in()
    console.load("/task")
    console.expect_complaint(f"{LOST}|status of 404|dynamically imported module|React Router")
    console.page.answer("*/assets/hosts-*", 404, "gone: a newer version has other names")
    console.page.eval("document.querySelector('a[href=\"/host\"]').click(), true")
    console.wait_text(say("This page could not be loaded", "页面加载失败"))
    assert console.faults() == [] and console.page.text("nav") != "", "the way elsewhere is still there"
    console.heal()
    console.press(say("Load again", "重新加载"))
    console.page.wait("location.pathname === '/host' && document.querySelector('.ant-table')")


def test_the_server_goes_and_comes_back(browser, new_mariadb, new_ocp_server, say, language):
    server = new_ocp_server(new_mariadb().create_database("ocp"))
    console = Console(browser, server, language).log_in()
    console.load("/property")
    shown = len(console.rows())
    console.press(say("Edit", "编辑"))
    console.fill(say("Value", "当前值"), "half of a thou")
    server.kill()
    console.expect_complaint(LOST)
    console.page.eval(f"[...document.querySelectorAll('button')].find((b) => t.name(b) === '{say('Refresh', '刷新')}').click(), true")
    console.wait_text(say("The server does not answer", "服务器暂无响应"), ".notice")
    console.wait_text(say("newer data cannot be had", "暂时无法刷新"))
    assert len(console.page.eval("t.rows()")) == shown and console.faults() == [] and not console.overflow()
    box = console.page.eval("(({ top, bottom }) => [top, bottom])(document.querySelector('.notice').getBoundingClientRect())")
    assert 0 <= box[0] < box[1] <= 52, "it is seen wherever one has scrolled to"
    console.picture(f"stale-{language}")
    server.start()
    console.page.wait("!document.querySelector('.notice') && ![...document.querySelectorAll('[role=status]')].some((e) => e.innerText.trim() && t.shown(e))")
    assert console.page.eval(f"t.field('{say('Value', '当前值')}').value") == "half of a thou"
    console.close()
    console.leave()


def test_metadb_goes_and_comes_back(browser, new_mariadb, new_ocp_server, say, language):
    """The server gives from its memory what was read before, and the page says how old that is."""
    database = new_mariadb()
    server = new_ocp_server(database.create_database("ocp"))
    server.api().post("/api/v2/compute/regions", {"name": "kept"}).ok()
    console = Console(browser, server, language).log_in()
    console.load("/region")
    console.wait_row("kept")
    database.kill()
    console.press(say("Refresh", "刷新"))
    console.wait_text(say("newer data cannot be had", "暂时无法刷新"))
    assert console.page.eval("t.rows().length") == 1 and console.faults() == []
    assert not console.page.eval("document.querySelector('[role=alert], .notice')"), "it is not an error of the page's"
    database.start()
    console.page.wait("![...document.querySelectorAll('[role=status]')].some((e) => e.innerText.trim() && t.shown(e))")
    console.close()
    console.leave()
