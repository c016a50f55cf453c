# SPDX-License-Identifier: Apache-2.0
"""The browsable API page in Chromium, on a real server."""
import base64
import json
import pathlib
import os

import pytest

PAGE = "/api/v2/docs"


@pytest.fixture
def url(ocp_server):
    return f"http://{ocp_server.host}:{ocp_server.port}{PAGE}"


@pytest.fixture
def new_tab(browser):
    """Tabs that live as long as the test."""
    made = []

    def make(width=1280, height=800):
        made.append(browser.page(width, height))
        return made[-1]

    yield make
    for tab in made:
        tab.close()


@pytest.fixture
def page(new_tab, url):
    """The page, loaded; a test that ends with complaints of the browser has failed."""
    tab = new_tab()
    tab.open(url)
    tab.wait("document.querySelectorAll('#list a').length > 10")
    yield tab
    assert tab.complaints == []


def sign_in(page, server, password=None):
    server.api()                                    # sets the administrator's own password when that has not been done
    page.fill("#user", "admin")
    page.fill("#password", password or server.password)
    page.key("Enter")
    page.wait("document.querySelector('#who.ok, #who.bad')")


def open_operation(page, operation):
    page.eval(f"location.hash = '#/{operation}'")
    page.wait(f"document.querySelector('#call') && document.querySelector('#list a[aria-current]')?.hash === '#/{operation}'")


def send(page):
    page.click("#call button.main")
    page.wait("document.querySelector('#answer')?.getAttribute('aria-busy') === 'false' && document.querySelector('#answer-status')")
    return json.loads(page.text("#answer-body"))


def test_every_operation_of_the_document_is_listed(page, ocp_server):
    document = ocp_server.api().anonymous().get("/api/v2/openapi.json").json
    wanted = {o["operationId"] for methods in document["paths"].values() for o in methods.values()}
    listed = page.eval("[...document.querySelectorAll('#list a')].map((a) => decodeURIComponent(a.hash.slice(2)))")
    assert set(listed) == wanted and len(listed) == len(wanted)
    assert page.text("#version") == document["info"]["version"]


def test_search_narrows_and_says_when_nothing_is_left(page):
    page.fill("#search", "get regions")
    page.wait("document.querySelectorAll('#list a').length < 8")
    assert "/api/v2/compute/regions" in page.text("#list")
    page.fill("#search", "no such thing")
    page.wait("document.querySelector('#list button')")
    assert "no such thing" in page.text("#list") and page.eval("document.querySelectorAll('#list a').length") == 0
    page.click("#list button")
    page.wait("document.querySelectorAll('#list a').length > 10")


def test_every_operation_opens(page):
    for operation in page.eval("[...document.querySelectorAll('#list a')].map((a) => decodeURIComponent(a.hash.slice(2)))"):
        open_operation(page, operation)
        assert page.text("main .path").startswith("/"), operation


def test_a_call_with_login_shows_status_headers_and_body(page, ocp_server):
    sign_in(page, ocp_server)
    assert "admin" in page.text("#who")
    open_operation(page, "regions-list")
    answer = send(page)
    assert answer["successful"] is True and isinstance(answer["data"]["contents"], list)
    assert page.text("#answer-status").startswith("200")
    assert "application/json" in page.eval("document.querySelector('#answer details').textContent")


def test_a_change_through_the_form_is_done(page, ocp_server):
    sign_in(page, ocp_server)
    open_operation(page, "region-create")
    assert set(json.loads(page.value("#body"))) >= {"name"}
    page.fill("#body", json.dumps({"name": "made-in-browser", "description": "北"}))
    made = send(page)["data"]["id"]
    open_operation(page, "region-get")
    page.fill("#call [data-in=path]", str(made))
    assert send(page)["data"]["name"] == "made-in-browser"
    open_operation(page, "region-delete")
    page.fill("#call [data-in=path]", str(made))
    assert send(page)["successful"] is True
    assert "made-in-browser" not in [r["name"] for r in ocp_server.api().get("/api/v2/compute/regions").contents]


def test_query_parameters_are_sent(page, ocp_server):
    sign_in(page, ocp_server)
    open_operation(page, "task-instances-list")
    page.fill("#call input[name=size]", "7")
    assert send(page)["data"]["page"]["size"] == 7


def test_mistakes_are_shown_before_anything_is_sent(page):
    open_operation(page, "region-get")
    page.click("#call button.main")
    page.wait("document.querySelector('#note .error')")
    assert page.eval("document.activeElement.dataset.in") == "path"
    open_operation(page, "region-create")
    page.fill("#body", "{oops")
    page.click("#call button.main")
    page.wait("document.querySelector('#note .error')")
    assert "JSON" in page.text("#note") and page.eval("document.activeElement.id") == "body"


def test_no_login_and_wrong_password_are_said_without_a_browser_dialog(new_tab, url, ocp_server):
    page = new_tab()
    page.open(url + "#/regions-list")
    page.wait("document.querySelector('#call')")
    assert send(page)["error"]["code"] == 3000 and page.text("#answer-status").startswith("401")
    page.fill("#user", "nobody-here")
    page.fill("#password", "Wrong-password-1")
    page.key("Enter")
    page.wait("document.querySelector('#who.bad')")
    assert all("401" in c for c in page.complaints), page.complaints       # Chromium itself notes the status


def test_credentials_stay_in_memory(page, ocp_server):
    sign_in(page, ocp_server)
    kept = page.eval("JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])")
    assert ocp_server.password not in kept and base64.b64encode(ocp_server.password.encode()).decode() not in kept
    page.call("Page.reload")
    page.wait("document.querySelectorAll('#list a').length > 10")
    assert page.value("#password") == "" and page.text("#who") == ""


def test_by_keyboard_alone(page, ocp_server):
    page.key("/")
    assert page.eval("document.activeElement.id") == "search"
    page.type("readyz")
    page.wait("document.querySelectorAll('#list a').length === 1")
    page.key("ArrowDown")
    page.key("Enter")
    page.wait("document.querySelector('main .path')?.textContent === '/readyz'")
    page.eval("document.querySelector('#call button.main').focus()")
    page.key("Enter", ctrl=True)
    page.wait("document.querySelector('#answer-status')?.textContent.startsWith('200')")
    assert page.text("#answer-body").strip() == "ok"


def test_both_languages(page):
    english = page.eval("document.documentElement.lang")
    page.click("#language")
    page.wait("document.documentElement.lang === 'zh-CN'")
    open_operation(page, "region-create")
    assert "发送" in page.text("#call") and "请求体" in page.text("#call")
    page.click("#language")
    page.wait("document.documentElement.lang === 'en'")
    assert english == "en" and "Send" in page.text("#call")


def test_a_document_that_does_not_come_can_be_tried_again(new_tab, url):
    page = new_tab()
    page.call("Network.setBlockedURLs", urls=["*openapi.json"])
    page.open(url)
    page.wait("document.querySelector('main .notice.bad')")
    page.call("Network.setBlockedURLs", urls=[])
    page.click("main button")
    page.wait("document.querySelectorAll('#list a').length > 10")


def test_an_unknown_operation_is_named(page):
    page.eval("location.hash = '#/no-such-operation'")
    page.wait("document.querySelector('main .notice.bad')")
    assert "no-such-operation" in page.text("main")


def test_lost_server_ends_the_call_with_a_sentence(new_tab, new_ocp_server, metadb):
    server = new_ocp_server(metadb)
    page = new_tab()
    page.open(f"http://{server.host}:{server.port}{PAGE}#/livez")
    page.wait("document.querySelector('#call')")
    server.kill()
    page.click("#call button.main")
    page.wait("document.querySelector('#answer-error')")


def test_files_are_cached_by_etag_and_locked_down(ocp_server):
    nobody = ocp_server.api().anonymous()
    first = nobody.get(PAGE)
    assert first.status == 200 and first.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in first.headers["content-security-policy"]
    again = nobody.get(PAGE + "/", headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert again.status == 304 and again.body == b"" and again.headers["etag"] == first.headers["etag"]
    assert nobody.get(PAGE + "/page.js", headers={"If-None-Match": first.headers["etag"]}).status == 200
    nobody.get(PAGE + "/no-such-file.js").refused(404)
    nobody.get(PAGE + "/..%2fpage.js").refused(404)


@pytest.mark.parametrize("width, height", [(1280, 800), (1920, 1080)])
def test_nothing_is_wider_than_the_window(new_tab, url, width, height):
    page = new_tab(width, height)
    page.open(url)
    page.wait("document.querySelectorAll('#list a').length > 10")
    for operation in ("", "region-create", "hosts-list", "task-instances-list"):
        page.eval(f"location.hash = '#/{operation}'")
        page.wait("document.querySelector('main h1')")
        assert page.eval("document.documentElement.scrollWidth") <= width
        assert page.eval("document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth")
        if os.environ.get("OCP_TEST_SHOTS"):
            page.screenshot(pathlib.Path(os.environ["OCP_TEST_SHOTS"]) / f"{operation or 'welcome'}-{width}.png")
