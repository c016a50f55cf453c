# SPDX-License-Identifier: Apache-2.0
"""Coming in, getting about and getting out of the console: login, first password, lost session, language, keyboard, permissions."""
import json

import pytest

PASSWORD = "Walk-in-5678"


@pytest.fixture
def person(ocp_server, language):
    """A user of his own whose password is not the first one; no role at all. Gives name and password."""
    api = ocp_server.api()
    name = f"ann_{language}"
    for user in api.get("/api/v2/iam/users", {"size": 2000}).contents:
        if user["username"] == name:
            api.delete(f"/api/v2/iam/users/{user['id']}").ok()
    api.post("/api/v2/iam/users", {"username": name, "password": PASSWORD, "needChangePassword": False, "roles": [112]}).ok()
    return name, PASSWORD


def come_in(console, say, name, password):
    console.fill(say("User name", "用户名"), name)
    console.fill(say("Password", "密码"), password)
    console.page.key("Enter")


def test_login_leads_back_to_where_one_was(new_console, ocp_server, say):
    ocp_server.api()
    console = new_console()
    console.expect_complaint("status of 401")
    console.page.call("Page.navigate", url=console.url + "/region?sort=name,asc")
    console.wait_path("/login?back=%2Fregion%3Fsort%3Dname%2Casc")
    console.page.wait("document.querySelector('h1')")
    assert console.faults() == [] and console.page.eval("document.activeElement.id") != ""
    console.picture(f"login-{console.language}")
    come_in(console, say, "admin", "not this one")
    console.page.wait("document.querySelector('[role=alert]')")
    assert console.faults() == []
    console.picture(f"login-refused-{console.language}")
    come_in(console, say, "admin", ocp_server.password)
    console.wait_path("/region?sort=name,asc")
    console.page.wait("document.querySelector('h1')")
    assert console.title() == say("Regions", "区域")


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_login_leads_nowhere_else(new_console, ocp_server, say, back):
    ocp_server.api()
    console = new_console()
    console.go(f"/login?back={back}")
    come_in(console, say, "admin", ocp_server.password)
    console.page.wait("location.pathname !== '/login'")
    assert console.page.eval("location.origin") == console.url


def test_the_first_password_is_changed_before_anything_else(new_console, ocp_server, say, language):
    api = ocp_server.api()
    name, fresh = f"newcomer_{language}", "Chosen-by-me-90"
    api.post("/api/v2/iam/users", {"username": name, "password": PASSWORD, "needChangePassword": True}).ok()
    console = new_console()
    console.expect_complaint("status of 40")
    console.go("/login?back=%2Fprofile")
    come_in(console, say, name, PASSWORD)
    console.wait_path("/first-password?back=%2Fprofile")
    console.page.wait("document.querySelector('h1')")
    assert console.faults() == []
    console.picture(f"first-password-{language}")
    console.fill(say("Present password", "当前密码"), "wrong")
    console.fill(say("New password", "新密码"), fresh)
    console.fill(say("New password, again", "确认新密码"), fresh + "x")
    console.press(say("Change password", "修改密码"))
    console.wait_text(say("This is not the same", "两次输入的密码不一致"))
    console.fill(say("New password, again", "确认新密码"), fresh)
    console.press(say("Change password", "修改密码"))
    console.page.wait("document.querySelector('[role=alert] .ant-alert-title, .ant-alert[role=alert]')")
    console.fill(say("Present password", "当前密码"), PASSWORD)
    console.press(say("Change password", "修改密码"))
    console.wait_path("/profile")
    assert ocp_server.api(name, fresh).get("/api/v2/profiles/me").data["needChangePassword"] is False


def test_a_lost_session_leads_to_login_and_back(new_console, ocp_server, say, person):
    console = new_console().log_in(*person)
    console.go("/profile?s.page=1")
    console.expect_complaint("status of 401")
    mine = ocp_server.api(*person)
    for session in mine.get("/api/v2/profiles/me/sessions").contents:
        mine.delete(f"/api/v2/profiles/me/sessions/{session['id']}").ok()
    console.press(say("Refresh", "刷新"))
    console.page.wait("location.pathname === '/login'")
    come_in(console, say, *person)
    console.wait_path("/profile?s.page=1")


def test_log_out(new_console, say, person):
    console = new_console().log_in(*person)
    console.go("/profile")
    console.press(say("Account: ", "账号: ") + person[0])
    console.press(say("Log out", "退出登录"))
    console.page.wait("location.pathname === '/login'")
    console.expect_complaint("status of 401")
    console.page.call("Page.navigate", url=console.url + "/profile")
    console.page.wait("location.pathname === '/login'")


def test_the_language_is_switched_and_kept(new_console, ocp_server, say, person):
    console = new_console().log_in(*person)
    console.go("/profile")
    console.press(say("中文", "English"))
    console.wait_text(say("修改密码", "Change password"))
    assert console.page.eval("document.documentElement.lang") == say("zh", "en")
    console.go("/error/404")
    assert console.title() == say("页面不存在", "There is no such page")
    message = console.page.eval("fetch('/api/v2/iam/users', { headers: { 'Accept-Language': document.documentElement.lang } })"
                                ".then((r) => r.json()).then((r) => r.error.message)")
    console.expect_complaint("status of 403")
    assert any("\u4e00" <= c <= "\u9fff" for c in message) == (console.language == "en")


def test_what_one_may_not_do_is_not_shown(new_console, say, person):
    console = new_console().log_in(*person)
    console.go("/profile")
    menu = console.page.text("nav")
    assert say("Users", "用户") not in menu and say("System parameters", "系统参数") not in menu
    console.go("/user")
    console.wait_path("/error/403")
    assert console.title() == say("You may not see this page", "您没有权限访问此页面") and console.faults() == []
    console.picture(f"error-403-{console.language}")


def test_unknown_addresses(console, say):
    console.go("/error/404")
    assert console.title() == say("There is no such page", "页面不存在") and console.faults() == []
    console.expect_complaint("status of 404")
    console.go("/host/999999")
    assert console.title() == say("It does not exist", "对象不存在")


def test_the_keyboard_alone(new_console, ocp_server, say):
    """From the login page to a created and deleted region without the mouse."""
    ocp_server.api()
    console = new_console()
    page = console.go("/login").page
    page.wait("document.activeElement.tagName === 'INPUT'")
    page.type("admin")
    page.key("Tab")
    page.type(ocp_server.password)
    page.key("Enter")
    page.wait("location.pathname !== '/login'")
    console.load("/region")
    page.key("Tab")
    assert page.eval("document.activeElement.className") == "skip"
    tab_to(page, say("New region", "新建区域"))
    page.key("Enter")
    page.wait("document.activeElement.tagName === 'INPUT' && document.activeElement.closest('.ant-drawer')")
    page.type(f"by keyboard {console.language}")
    page.key("Enter")
    console.wait_row(f"by keyboard {console.language}")
    page.wait("!document.querySelector('.ant-drawer-open')")
    tab_to(page, say("Delete", "删除"))
    page.key("Enter")
    page.wait("document.activeElement.id === 'confirm-word'")
    page.type("delete")
    page.key("Enter")
    console.wait_no_row(f"by keyboard {console.language}")


def tab_to(page, name):
    for _ in range(60):
        page.key("Tab")
        if page.eval(f"t.name(document.activeElement) === {json.dumps(name)}"):
            return
    raise AssertionError(f"{name} is not reached by Tab")
