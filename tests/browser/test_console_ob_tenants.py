# SPDX-License-Identifier: Apache-2.0
"""What people do inside tenants and instances in the console: lock, whitelist, databases, users, roles, privileges, parameters; on a
simulated cluster and on a real kernel."""
import re

import pytest

from lib.py.console import CHECKOUT
from lib.py.process import wait_until


@pytest.fixture
def tenant(cluster):
    """Address of tenant1's page, and its path in the API."""
    number = cluster.tenant("tenant1")
    return f"/cluster/{cluster.id}/tenant/{number}", f"{cluster.path}/tenants/{number}"


@pytest.fixture
def inside(instance):
    """Path of the instance's tenant in the API."""
    [only] = instance.get("/tenants").contents
    return f"{instance.path}/tenants/{only['id']}"


def take(console, text):
    """Of the select that has the focus: types, goes to what is found, takes it, and leaves."""
    console.page.type(text)
    console.page.wait(f"[...document.querySelectorAll('.ant-select-item-option')].filter(t.shown).map((e) => e.innerText.trim())[0] === {text!r}")
    console.page.key("ArrowDown")
    console.page.wait(f"[...document.querySelectorAll('.ant-select-item-option-active')].some((e) => t.shown(e) && e.innerText.trim() === {text!r})")
    console.page.key("Enter")
    console.page.eval("document.activeElement.blur()")
    console.page.wait("!document.querySelector('[role=combobox][aria-expanded=true]')")


def close_drawer(console):
    console._click("[...document.querySelectorAll('.ant-drawer-close')].filter(t.shown).at(-1)")


def pick(console, label, text):
    console.page.wait(f"t.field({label!r})")
    console.page.eval(f"t.field({label!r}).focus()")
    take(console, text)


def test_a_tenant_is_locked_after_a_word_and_unlocked(console, cluster, tenant, say):
    page, path = tenant
    console.go(page).press(say("Lock", "锁定"))
    console.page.wait("document.querySelector('#confirm-word')")
    assert console.faults() == []
    console.type_word("confirm")
    console.wait_text(say("tenant1 is locked", "tenant1 已锁定"))
    console.wait_text(say("Locked", "已锁定"), ".page-head")
    assert cluster.api.get(path).data["locked"] is True
    console.press(say("Unlock", "解锁"))
    console.wait_text(say("tenant1 is unlocked", "tenant1 已解锁"))
    assert cluster.api.get(path).data["locked"] is False


def test_the_whitelist_is_edited_and_what_is_refused_is_said(console, cluster, tenant, say):
    page, path = tenant
    label, edit = say("Whitelist", "白名单"), say("Edit: Whitelist", "编辑: 白名单")
    console.go(page).press(edit)
    console.fill(label, "192.0.2.7")
    console.expect_complaint("status of 4")
    console.press(say("Save", "保存"))
    assert console.alert() != "" and console.faults() == [], "it would lock this OCP out"
    console.fill(label, "127.0.0.0/8,192.0.2.7")
    console.press(say("Save", "保存"))
    console.wait_text(say("The whitelist was changed", "白名单已修改"))
    assert cluster.api.get(path).data["whitelist"] == "127.0.0.0/8,192.0.2.7"
    cluster.api.post(path + "/modifyWhitelist", {"whitelist": "%"}).ok()


def test_a_description_and_a_password(console, cluster, tenant, say):
    page, path = tenant
    console.go(page).press(say("Description", "备注"))
    console.fill(say("Description", "备注"), "orders of the shop")
    console.press(say("Save", "保存"))
    console.wait_text(say("The description was saved", "备注已保存"))
    console.wait_text("orders of the shop")
    console.press(say("Change password", "修改密码"))
    console.fill(say("New password", "新密码"), "Tenant-root-1")
    console.fill(say("New password, again", "确认新密码"), "Tenant-root-1")
    console.press(say("Save", "保存"))
    console.wait_text(say("The password was changed", "密码已修改"))


def test_the_list_of_tenants_filters_on_the_server(console, cluster, say):
    console.go("/tenant?mode=ORACLE")
    assert [r[0] for r in console.rows()] == ["oracle1"]
    console.go("/tenant?name=tenant&sort=name,desc")
    assert [r[0] for r in console.rows()] == ["tenant2", "tenant1"]
    console.press("tenant1")
    console.page.wait("document.querySelector('h1')?.innerText === 'tenant1'")


@pytest.mark.parametrize("tab", ["database", "user", "role"])
def test_oracle_mode_is_refused_in_words(console, cluster, say, tab):
    console.expect_complaint("status of 400")
    console.go(f"/cluster/{cluster.id}/tenant/{cluster.tenant('oracle1')}/{tab}")
    assert "oracle1" in console.alert() and say("Oracle mode", "Oracle 模式") in console.alert().replace("Oracle模式", "Oracle 模式")
    assert console.faults() == []
    for button in (say("New database", "新建数据库"), say("New user", "新建用户"), say("New role", "新建角色")):
        assert button not in console.page.text("#main")


def test_databases_of_a_real_kernel(console, instance, inside, say, language):
    name = f"shop_{language}"
    console.go(f"/cluster/{instance.id}/database").press(say("New database", "新建数据库"))
    console.fill(say("Name", "名称"), name)
    console.fill(say("Collation", "字符序"), "utf8mb4_bin")
    console.press(say("Save", "保存"))
    console.wait_row(name, "utf8mb4_bin")
    console.press_in_row(name, say("Edit", "编辑"))
    console.page.wait(f"t.field({say('Read-only', '只读')!r})")
    console.page.eval(f"t.field({say('Read-only', '只读')!r}).click()")
    console.press(say("Save", "保存"))
    console.wait_text(say(f"{name} was saved", f"{name} 已保存"))
    console.wait_row(name, say("Yes", "是"))
    console.press_in_row("mysql", say("Delete", "删除"))
    console.expect_complaint("status of 4")
    console.type_word("delete")
    console.page.wait("document.querySelector('.ant-modal [role=alert]')?.innerText.includes('mysql')")      # the kernel's own stay: it says why
    console.press(say("Cancel", "取消"))
    console.page.wait("!document.querySelector('.ant-modal-wrap')?.checkVisibility()")
    console.press_in_row(name, say("Delete", "删除"))
    console.type_word("delete")
    console.wait_no_row(name)
    assert name not in [d["dbName"] for d in instance.api.get(inside + "/databases").contents]


def test_users_and_their_privileges_on_a_real_kernel(console, instance, inside, say, language):
    name = f"clerk_{language}"
    console.go(f"/cluster/{instance.id}/user").press(say("New user", "新建用户"))
    console.fill(say("User name", "用户名"), name)
    console.fill(say("Password", "密码"), "Clerk-pass-12")
    pick(console, say("Global privileges", "全局权限"), "PROCESS")
    assert console.faults() == []
    console.press(say("Save", "保存"))
    console.wait_row(name, "PROCESS")

    console.press_in_row(name, say("Privileges", "权限"))
    console.page.wait("document.querySelector('.ant-drawer form')")
    console.settle()
    assert console.faults() == []
    console.picture(f"privileges-{console.language}")
    pick(console, say("Privileges", "权限"), "SELECT")
    console.press(say("Save: Global privileges", "保存: 全局权限"))
    wait_until(lambda: sorted(instance.api.get(f"{inside}/users/{name}").data["globalPrivileges"]) == ["PROCESS", "SELECT"], "it is granted")
    console.press(say("Add a database", "添加数据库"))
    console.choose(say("Database", "数据库"), "test")
    console.page.eval("[...document.querySelectorAll('.form-row input')].at(-1).focus()")
    take(console, "INSERT")
    console.press(say("Save: Privileges on databases", "保存: 数据库权限"))
    wait_until(lambda: instance.api.get(f"{inside}/users/{name}").data["dbPrivileges"] == [{"dbName": "test", "privileges": ["INSERT"]}],
               "the privilege is granted")
    close_drawer(console)

    console.page.wait("![...document.querySelectorAll('.ant-drawer')].some(t.shown)")
    console.press_in_row(name, say("Lock", "锁定"))
    console.type_word("confirm")
    console.wait_row(name, say("Locked", "已锁定"))
    console.press_in_row(name, say("Unlock", "解锁"))
    console.wait_row(name, say("May log in", "正常"))
    console.press_in_row(name, say("Delete", "删除"))
    console.type_word("delete")
    console.wait_no_row(name)


def test_roles_on_a_real_kernel(console, instance, inside, say, language):
    name = f"reader_{language}"
    console.go(f"/cluster/{instance.id}/role").press(say("New role", "新建角色"))
    console.fill(say("Name", "名称"), name)
    pick(console, say("Global privileges", "全局权限"), "SHOW DATABASES")
    console.press(say("Save", "保存"))
    console.wait_row(name, "SHOW DATABASES")
    console.press_in_row(name, say("Privileges", "权限"))
    console.page.wait("document.querySelector('.ant-drawer form')")
    assert console.faults() == []
    close_drawer(console)
    console.page.wait("![...document.querySelectorAll('.ant-drawer')].some(t.shown)")
    console.press_in_row(name, say("Delete", "删除"))
    console.type_word("delete")
    console.wait_no_row(name)


def test_parameters_of_a_real_kernel(console, instance, inside, say):
    console.go(f"/cluster/{instance.id}/parameter?find=ob_query_timeout")
    assert len(console.rows()) == 1
    before = next(p["currentValue"] for p in instance.api.get(inside + "/parameters").contents if p["name"] == "ob_query_timeout")
    wanted = "11000000" if before != "11000000" else "12000000"
    console.press(say("Edit", "编辑"))
    console.fill(say("Value", "当前值"), wanted)
    assert console.faults() == []
    console.press(say("Save", "保存"))
    console.wait_text(say("ob_query_timeout was changed", "ob_query_timeout 已修改"))
    console.page.wait(f"t.rows()[0]?.includes('{wanted}')")
    console.page.wait("![...document.querySelectorAll('.ant-drawer')].some(t.shown)")          # it gives the focus back when it goes
    console.page.eval("document.querySelector('.ant-segmented input:checked').focus()")
    console.page.key("ArrowRight")
    console.page.wait("location.search === '?view=history'")
    console.wait_row("ob_query_timeout", before, wanted, "admin")


def test_an_instance_is_shown_as_one(console, instance, say):
    console.go(f"/cluster/{instance.id}")
    console.wait_text(say("seekdb instance", "seekdb 实例"), ".page-head")
    tabs = console.page.eval("[...document.querySelectorAll('[role=tab]')].map((e) => e.innerText)")
    assert not set(tabs) & {say("Zones", "Zone"), say("Servers", "OBServer"), say("Units", "Unit"), say("Topology", "拓扑图")}
    console.go(f"/cluster/{instance.id}/zone")
    console.wait_path(f"/cluster/{instance.id}")
    [only] = instance.get("/tenants").contents
    console.go(f"/cluster/{instance.id}/tenant/{only['id']}")
    console.wait_path(f"/cluster/{instance.id}")


def test_unit_specifications(console, ocp_server, say, language):
    name = f"seven_{language}"
    console.go("/unit-spec").press(say("New specification", "新建规格"))
    console.fill(say("Name", "名称"), name)
    console.fill(say("Most CPU", "最大 CPU"), "7")
    console.fill(say("Most memory", "最大内存"), "9")
    assert console.faults() == []
    console.press(say("Save", "保存"))
    console.wait_row(name, "7", "9", say("Made here", "自定义"))
    console.press_in_row(name, say("Delete", "删除"))
    console.type_word("delete")
    console.wait_no_row(name)
    assert name not in [s["name"] for s in ocp_server.api().get("/api/v2/ob/unitSpecs", {"size": 2000}).contents]


def test_the_privileges_offered_are_those_of_the_server():
    """The console's table of privileges and the server's."""
    source = (CHECKOUT / "console/src/pages/ob/privileges.ts").read_text()
    rows = re.findall(r'^    \{ "(\w+)", "[A-Z ]+", (G\w*) \},$', (CHECKOUT / "src/tenant/privilege.c").read_text(), re.M)

    def table(name):
        body = re.search(rf"{name} = \[(.*?)\];", source, re.S).group(1)
        return {w for spread in re.findall(r"\.\.\.(\w+)", body) for w in table(spread)} | set(re.findall(r"'(\w+)'", body))

    assert len(rows) > 30 and table("GLOBAL_PRIVILEGES") == {token for token, _ in rows}
    assert table("DATABASE_PRIVILEGES") == {token for token, level in rows if "D" in level}
    tables = table("EVERYWHERE") - {"EXECUTE", "ALTER_ROUTINE"}
    assert tables == {token for token, level in rows if "T" in level}
    assert set(re.findall(r"'(\w+)'", re.search(r"ROUTINE = \[(.*?)\];", source).group(1))) == {token for token, level in rows if "R" in level}
