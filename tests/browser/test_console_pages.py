# SPDX-License-Identifier: Apache-2.0
"""Every page of the console: it has its title in both languages, axe finds nothing serious, it fits its window, and a failure of the
server is shown with its text, its trace id and another try."""
import json
import re

import pytest

from lib.py.console import CHECKOUT

# path, titles, what it reads: the part of the API whose failure it must survive
PAGES = [
    ("/host", "Hosts", "主机", "/compute/hosts"),
    ("/region", "Regions", "区域", "/compute/regions"),
    ("/idc", "IDCs", "机房", "/compute/idcs"),
    ("/host-type", "Host types", "主机类型", "/compute/hostTypes"),
    ("/task", "Tasks", "任务", "/tasks/instances"),
    ("/user", "Users", "用户", "/iam/users"),
    ("/role", "Roles", "角色", "/iam/roles"),
    ("/login-history", "Login history", "登录历史", "/iam/loginHistories"),
    ("/address-rule", "Address rules", "地址白名单", "/iam/addressRules"),
    ("/audit", "Audit", "操作审计", "/audit/events"),
    ("/property", "System parameters", "系统参数", "/config/properties"),
    ("/profile", "admin", "admin", "/profiles/me"),
    ("/profile/keys", "Access keys", "访问密钥", "/profiles/me/accessKeys"),
    ("/profile/vault", "Password box", "密码箱", "/profiles/me/credentials"),
]
# What they need exists only after a test made it, so tests of their own go there.
ELSEWHERE = {"/", "/login", "/first-password", "/error/403", "/error/404"}


def test_every_declared_page_is_looked_at():
    """A new row of the route table needs a line here, or a test file of its own that names its path."""
    declared = set(re.findall(r"^  \{ path: '(/[^']*)'", (CHECKOUT / "console/src/routes.ts").read_text(), re.M))
    tests = "\n".join(f.read_text() for f in (CHECKOUT / "tests/browser").glob("test_console*.py"))
    named = {p for p in declared if f'"{p.split("/:")[0]}' in tests}
    assert declared - named - ELSEWHERE == set()


@pytest.fixture(scope="module", autouse=True)
def something_to_show(ocp_server):
    api = ocp_server.api()
    region = api.post("/api/v2/compute/regions", {"name": "east", "description": "the old site"}).data
    api.post("/api/v2/compute/idcs", {"name": "room-1", "regionId": region["id"]}).ok()
    api.post("/api/v2/compute/hostTypes", {"name": "48 cores"}).ok()


@pytest.mark.parametrize("path, english, chinese, reads", PAGES, ids=[p[0] for p in PAGES])
def test_a_page_stands_and_falls(console, say, path, english, chinese, reads):
    console.fail(f"/api/v2{reads}*")
    if path == "/profile":                          # what the frame has read is not read again
        console.page.open(console.url + path)
    else:
        console.meet(path)
    said = console.alert()
    assert "The disk of this test is full." in said and "feedfacecafebeef" in said
    assert console.faults() == []
    console.heal()
    console.try_again()
    assert console.title() == say(english, chinese)
    assert console.page.eval("document.documentElement.lang") == console.language
    assert console.faults() == [] and not console.overflow()
    console.picture(f"{path.strip('/').replace('/', '-')}-{console.language}")
    console.resize(1920, 1080)
    assert not console.overflow() and console.page.eval("document.querySelector('#main').getBoundingClientRect().width") > 1500
    console.resize(1280, 800)


def test_rows_survive_a_failure_and_are_marked_old(console, say):
    console.go("/region")
    console.wait_row("east")
    console.fail("/api/v2/compute/regions*", 503)
    console.press(say("Refresh", "刷新"))
    console.wait_text(say("newer data cannot be had", "暂时无法刷新"))
    console.wait_row("east")
    console.heal()
    console.press(say("Refresh", "刷新"))
    console.page.wait("!document.querySelector('.ant-tag-warning')")


def test_lists_page_sort_and_filter_on_the_server(console, ocp_server, say):
    api = ocp_server.api()
    for i in range(25):
        api.post("/api/v2/compute/hostTypes", {"name": f"type {console.language} {i:02}"}).ok()
    total = api.get("/api/v2/compute/hostTypes").data["page"]["totalElements"]
    console.go("/host-type?sort=name,asc")
    assert len(console.rows()) == 20
    console.wait_text(say(f"{total} in all", f"共 {total} 条"))
    names = [r[0] for r in console.rows()]
    assert names == sorted(names)
    console.page.eval("document.querySelector('.ant-pagination-item-2').click()")
    console.page.wait(f"t.rows().length > 0 && !t.rows().some((r) => r[0] === {json.dumps(names[0])})")
    assert console.path() == "/host-type?sort=name%2Casc&page=2"
    second = console.rows()
    console.page.call("Page.reload")
    console.page.wait("t.rows().length > 0")
    assert console.rows() == second, "the address keeps what is shown"
    console.page.eval("[...document.querySelectorAll('th')][0].click()")
    console.page.wait("location.search === '?sort=name%2Cdesc'")
    console.page.wait("t.rows().length === 20 && t.rows().every((r, i, all) => i === 0 || all[i - 1][0] >= r[0])")
