# SPDX-License-Identifier: Apache-2.0
"""What people do in the console about places of machines, system parameters and the nodes of OCP."""
import pytest


@pytest.fixture
def mark(language):
    return lambda name: f"{name} {language}"


def test_a_region_with_a_room(console, ocp_server, say, mark):
    region, room = mark("south"), mark("basement")
    console.go("/region")
    console.press(say("New region", "新建区域"))
    console.press(say("Save", "保存"))
    console.wait_text(say("Name is needed", "请输入名称"))
    console.fill(say("Name", "名称"), region)
    console.press(say("Save", "保存"))
    console.wait_row(region)
    console.expect_complaint("status of 4")
    console.press(say("New region", "新建区域"))
    console.fill(say("Name", "名称"), region)
    console.press(say("Save", "保存"))
    assert region in console.alert(".ant-drawer .ant-alert"), "the server's text says which name is taken"
    console.press(say("Cancel", "取消"))

    console.go("/idc")
    console.press(say("New IDC", "新建机房"))
    console.fill(say("Name", "名称"), room)
    console.choose(say("Region", "区域"), region)
    assert console.faults() == []
    console.press(say("Save", "保存"))
    console.wait_row(room, region)

    console.go("/region")
    console.press_in_row(region, say("Delete", "删除"))
    console.type_word("delete")
    console.page.wait("document.querySelector('.ant-modal .ant-alert')")      # it still has a room
    console.press(say("Cancel", "取消"))
    console.go("/idc")
    console.press_in_row(room, say("Delete", "删除"))
    console.type_word("delete")
    console.wait_no_row(room)


def test_a_system_parameter_is_changed_and_put_back(console, ocp_server, say):
    known = {p["key"]: p for p in ocp_server.api().get("/api/v2/config/properties").contents}
    key = next(k for k, p in known.items() if p["editable"] and not p["needRestart"] and p["value"].isdigit() and not p["changed"])
    value, other = known[key]["value"], str(int(known[key]["value"]) + 1)
    console.go(f"/property?keyword={key}")
    console.press(say("Edit", "编辑"))
    console.fill(say("Value", "当前值"), "many")
    console.expect_complaint("status of 4")
    console.press(say("Save", "保存"))
    console.page.wait("document.querySelector('.ant-drawer .ant-alert')")
    console.fill(say("Value", "当前值"), other)
    console.press(say("Save", "保存"))
    console.page.wait(f"t.rows()[0]?.[1].startsWith('{other}')")
    console.press(say("History", "修改历史"))
    console.page.wait(f"[...document.querySelectorAll('.ant-drawer td')].some((c) => c.innerText.trim() === '{other}')")
    assert console.faults() == []
    console.picture(f"property-history-{console.language}")
    console.go(f"/property?keyword={key}")
    console.press(say("Back to default", "恢复默认"))
    console.type_word("confirm")
    console.page.wait(f"t.rows()[0]?.[1].startsWith('{value}')")
