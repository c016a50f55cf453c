# SPDX-License-Identifier: Apache-2.0
"""What people do in the console about people: users, roles, sessions, access keys, the password box, the audit."""
import pytest

from lib.py.process import wait_until

PASSWORD = "Walk-in-5678"
BOX = "/api/v2/profiles/me/credentials"
WRONG_PASSPHRASE = ("The file cannot be opened with this secret.", "无法使用该口令解密文件。")


@pytest.fixture
def mark(language):
    """Names of this test's language, so that both do not meet."""
    return lambda name: f"{name}_{language}"


def test_a_user_from_first_to_last(console, ocp_server, say, mark):
    name = mark("bob")
    console.go("/user")
    console.press(say("New user", "新建用户"))
    assert console.faults() == []
    console.fill(say("User name", "用户名"), name)
    console.fill(say("First password", "初始密码"), "x")
    console.choose(say("Roles", "角色"), "HOST_VIEWER")
    console.fill(say("Email", "邮箱"), f"{name}@example.com")
    console.expect_complaint("status of 4")
    console.press(say("Save", "保存"))
    console.page.wait("document.querySelector('.ant-drawer [role=alert]')")     # the server's rules for passwords, in its words
    console.picture(f"user-refused-{console.language}")
    console.fill(say("First password", "初始密码"), PASSWORD)
    console.press(say("Save", "保存"))
    console.wait_row(name)
    made = ocp_server.api().get("/api/v2/iam/users", {"keyword": name}).contents[0]
    assert made["needChangePassword"] is True and [r["name"] for r in made["roles"]] == ["HOST_VIEWER"]

    console.press_in_row(name, say("Edit", "编辑"))
    console.fill(say("Department", "部门"), "Databases")
    console.press(say("Save", "保存"))
    console.wait_row(name, "Databases")

    console.press_in_row(name, say("Lock", "锁定"))
    console.wait_row(name, say("Locked", "已锁定"))
    console.press_in_row(name, say("Unlock", "解锁"))
    console.wait_row(name, say("Active", "正常"))

    console.press_in_row(name, say("Reset password", "重置密码"))
    console.fill(say("New password", "新密码"), "Another-8765")
    console.press(say("Save", "保存"))
    console.page.wait("!document.querySelector('.ant-drawer-open')")
    assert ocp_server.api(name, "Another-8765").get("/api/v2/session").ok()

    console.fill(say("Name, email or department", "用户名、邮箱或部门"), name)
    console.page.key("Enter")
    console.page.wait("t.rows().length === 1")
    console.press_in_row(name, name)
    console.page.wait("location.pathname.startsWith('/user/')")
    console.wait_text("HOST_VIEWER")
    assert console.faults() == []
    console.go(f"/user?keyword={name}")
    console.press_in_row(name, say("Delete", "删除"))
    console.type_word("delete"[:3])
    assert console.page.eval("document.querySelector('.ant-modal .ant-btn-dangerous').disabled")
    console.page.type("delete"[3:])
    console.picture(f"confirm-{console.language}")
    assert console.faults() == []
    console.page.key("Enter")
    console.wait_no_row(name)


def test_a_session_of_somebody_is_ended(console, ocp_server, say, mark):
    api = ocp_server.api()
    name = mark("eve")
    user = api.post("/api/v2/iam/users", {"username": name, "password": PASSWORD, "needChangePassword": False, "roles": [100]}).data
    api.anonymous().post("/api/v2/iam/login", {"username": name, "password": PASSWORD}).ok()
    console.go(f"/user/{user['id']}")
    console.wait_row("127.0.0.1")
    console.press(say("End", "结束"))
    console.wait_no_row("127.0.0.1")
    assert api.get(f"/api/v2/iam/users/{user['id']}/sessions").contents == []


def test_a_role_with_permissions_on_one_object(console, ocp_server, say, mark):
    name = mark("keeper")
    console.go("/role")
    console.press(say("New role", "新建角色"))
    console.fill(say("Name", "名称"), name)
    for box in ("HOST:*", "TASK:*"):
        console.page.wait(f"document.querySelector('.ant-drawer input[aria-label=\"{box} {say('Read', '查看')}\"]')")
        console.page.eval(f"document.querySelector('.ant-drawer input[aria-label=\"{box} {say('Read', '查看')}\"]').click()")
    console.choose(say("Kind of object", "对象类型"), "CLUSTER")
    console.fill(say("Its number", "对象 ID"), "7")
    console.press(say("Add a row", "添加"))
    console.page.wait(f"document.querySelector('input[aria-label=\"CLUSTER:7 {say('Change', '修改')}\"]')")
    console.page.eval(f"document.querySelector('input[aria-label=\"CLUSTER:7 {say('Change', '修改')}\"]').click()")
    assert console.faults() == []
    console.picture(f"role-edit-{console.language}")
    console.press(say("Save", "保存"))
    console.wait_row(name)
    made = ocp_server.api().get("/api/v2/iam/roles", {"name": name}).contents[0]
    assert sorted(made["permissions"]) == ["CLUSTER:7:UPDATE", "HOST:*:READ", "TASK:*:READ"]
    console.press_in_row(name, say("Delete", "删除"))
    console.type_word("delete")
    console.wait_no_row(name)
    console.expect_complaint("status of 4")
    console.press(say("New role", "新建角色"))
    console.fill(say("Name", "名称"), "ADMIN")
    console.press(say("Save", "保存"))
    console.wait_alert("ADMIN", ".ant-drawer [role=alert]")


def test_an_access_key_shows_its_secret_once(console, ocp_server, say, mark):
    console.go("/profile/keys")
    console.press(say("New access key", "新建访问密钥"))
    console.fill(say("What it is for", "用途"), mark("backup"))
    console.press(say("Create", "新建"))
    console.page.wait("document.querySelector('.ant-modal .ant-alert')")
    assert console.faults() == []
    key, secret = console.page.eval("[...document.querySelectorAll('.ant-modal p .ant-typography')].map((e) => e.innerText.trim())")
    assert len(secret) >= 16 and secret not in str(ocp_server.api().get("/api/v2/profiles/me/accessKeys").contents)
    console.press(say("Close", "关闭"))
    console.wait_row(key)
    console.page.wait("!document.querySelector('.ant-modal')")
    assert secret not in console.page.eval("document.documentElement.outerHTML")
    console.press_in_row(key, say("Disable", "禁用"))
    console.wait_row(key, say("Disabled", "已禁用"))
    console.press_in_row(key, say("Delete", "删除"))
    console.type_word("delete")
    console.wait_no_row(key)


def test_the_password_box(console, ocp_server, say, mark):
    name = mark("root of the racks")
    console.go("/profile/vault")
    console.press(say("New credential", "新建凭据"))
    console.fill(say("Name", "名称"), name)
    console.fill(say("Login name", "登录用户名"), "root")
    console.fill(say("Password", "密码"), "s3cret-of-hosts")
    assert console.faults() == []
    console.press(say("Save", "保存"))
    console.wait_row(name, "root")
    console.press_in_row(name, say("Edit", "编辑"))
    console.fill(say("Description", "描述"), "all of them")
    console.press(say("Save", "保存"))
    console.wait_row(name, "all of them")
    assert "s3cret-of-hosts" not in console.page.eval("document.documentElement.outerHTML")
    console.press(say("OceanBase tenants", "OceanBase 租户"))
    console.page.wait("location.search === '?kind=OB'")
    console.wait_no_row(name)
    console.go("/profile/vault")
    console.press_in_row(name, say("Delete", "删除"))
    console.type_word("delete")
    console.wait_no_row(name)


@pytest.fixture
def people(ocp_server, new_console, mark):
    """people("ann"): a user who may use the password box, the user's API, and a console where the user is logged in."""
    def make(name):
        ocp_server.api().post("/api/v2/iam/users", {"username": mark(name), "password": PASSWORD, "needChangePassword": False, "roles": [100]}).ok()
        return ocp_server.api(mark(name), PASSWORD), new_console().log_in(mark(name), PASSWORD)
    return make


def host_login(name, username="root"):
    return {"targetType": "HOST", "name": name,
            "sshCredentialProperty": {"type": "PASSWORD", "username": username, "passphrase": "s3cret-of-hosts"}}


def tick(console, say, *names):
    for name in names:
        box = f"input[aria-label=\"{say('Select', '选择')} {name}\"]"
        console.page.wait(f"document.querySelector('{box}')")
        console.page.eval(f"document.querySelector('{box}').click()")


def test_stored_credentials_are_tried(people, simulator, say):
    api, console = people("trier")
    for name, port in (("opens", simulator.port), ("nobody there", 1)):
        api.post(BOX, {"targetType": "OB", "name": name, "obJdbcCredentialProperty": {
            "clusterName": "sim", "tenantName": "sys", "username": "root", "passphrase": simulator.password, "address": simulator.host, "port": port}}).ok()
    console.go("/profile/vault?kind=OB")
    assert console.faults() == []
    tick(console, say, "opens", "nobody there")
    console.press(say("Try selected", "验证所选"))
    console.wait_row("opens", say("Successful", "成功"))
    place = f"{simulator.host}:1"
    row = console.wait_row("nobody there", say("Failed", "失败"))
    assert any(place in cell for cell in row) and row[-1] not in ("", "-"), row
    assert console.faults() == []
    console.picture(f"vault-tried-{console.language}")
    console.page.key("Escape")
    console.page.wait("!document.querySelector('.ant-drawer-open')")
    console.press_in_row("opens", say("Try", "验证"))
    console.wait_text(say("Successful", "成功"), ".ant-drawer-open")
    assert "nobody there" not in console.page.text(".ant-drawer-open")


def test_a_credential_is_shared_and_accepted(people, say, mark):
    api, console = people("giver")
    other, others = people("taker")
    for name in ("racks", "spares"):
        api.post(BOX, host_login(name)).ok()
    console.go("/profile/vault")
    tick(console, say, "racks", "spares")
    console.press(say("Share", "共享"))
    assert console.faults() == []
    console.expect_complaint("status of 4")
    console.fill(say("User names", "用户名"), "nobody_of_that_name")
    console.page.key("Enter")
    console.page.wait("document.querySelector('.ant-drawer .ant-select-selection-item')")
    console._click("[...document.querySelectorAll('.ant-drawer .ant-drawer-footer button')][0]")
    assert "nobody_of_that_name" in console.alert(".ant-drawer [role=alert]")
    console.fill(say("User names", "用户名"), mark("taker"))
    console.page.key("Enter")
    console.page.eval("document.querySelector('.ant-drawer .ant-select-selection-item-remove').click()")
    console._click("[...document.querySelectorAll('.ant-drawer .ant-drawer-footer button')][0]")
    console.page.wait("!document.querySelector('.ant-drawer-open')")

    others.go("/profile/vault")
    others.press(say("Offered to you (2)", "共享给我的（2）"))
    others.wait_row("racks", mark("giver"))
    assert others.faults() == []
    others.press_in_row("racks", say("Accept", "接受"))
    others.fill(say("Name", "名称"), "racks of a friend")
    assert others.faults() == []
    others.page.key("Enter")
    others.wait_no_row("racks")
    others.press_in_row("spares", say("Ignore", "忽略"))
    others.type_word("ignore")
    others.wait_no_row("spares")
    others.press(say("Hosts", "主机"))
    others.wait_row("racks of a friend", "root")
    assert [c["name"] for c in other.get(BOX).contents] == ["racks of a friend"]
    assert other.get("/api/v2/profiles/me/credentialOffers").contents == []


def test_credentials_are_taken_along_in_a_file(people, say, tmp_path):
    api, console = people("packer")
    other, others = people("unpacker")
    for name in ("racks", "spares", "left out"):
        api.post(BOX, host_login(name)).ok()
    other.post(BOX, host_login("spares", "mine")).ok()
    console.page.downloads_to(tmp_path)
    console.go("/profile/vault")
    tick(console, say, "racks", "spares")
    console.press(say("Export", "导出"))
    console.fill(say("Passphrase", "口令"), "open, sesame")
    console.fill(say("Passphrase, again", "确认口令"), "open, sesame")
    assert console.faults() == []
    console.page.key("Enter")
    console.page.wait("!document.querySelector('.ant-drawer-open')")
    file = tmp_path / "credentials.osf"
    wait_until(file.exists, "the exported file")
    assert b"racks" not in file.read_bytes()

    others.go("/profile/vault")
    others.press(say("Import", "导入"))
    others.page.wait(f"t.field({say('File', '文件')!r})")
    others.page.attach(f"t.field({say('File', '文件')!r})", file)
    others.fill(say("Passphrase", "口令"), "shut, sesame")
    assert others.faults() == []
    others.expect_complaint("status of 4")
    others.page.key("Enter")
    assert others.alert(".ant-drawer [role=alert]").startswith(say(*WRONG_PASSPHRASE))
    others.fill(say("Passphrase", "口令"), "open, sesame")
    others.page.key("Enter")
    others.wait_row("racks", say("New", "新增"))
    others.wait_row("spares", say("Exists", "已存在"))
    assert others.faults() == []
    others.picture(f"vault-import-{others.language}")
    others.choose(say("Those whose name exists", "同名凭据"), say("Keep both, under another name", "重命名后导入"))
    others._click("document.querySelector('.ant-drawer .ant-drawer-footer button')")
    others.page.wait("!document.querySelector('.ant-drawer-open')")
    others.wait_row("racks", "root")
    kept = {c["name"]: c["sshCredentialProperty"]["username"] for c in other.get(BOX).contents}
    assert len(kept) == 3 and kept["spares"] == "mine" and kept["racks"] == "root" and "left out" not in kept


def test_one_s_own_profile(console, ocp_server, say, mark):
    console.go("/profile")
    console.press(say("Edit", "编辑"))
    console.fill(say("Phone", "电话"), "555 0100")
    console.press(say("Save", "保存"))
    console.wait_text("555 0100")
    assert ocp_server.api().get("/api/v2/profiles/me").data["phone"] == "555 0100"
    console.expect_complaint("status of 4")
    console.fill(say("Present password", "当前密码"), "not it")
    console.fill(say("New password", "新密码"), "Fresh-one-4711")
    console.fill(say("New password, again", "确认新密码"), "Fresh-one-4711")
    console.press(say("Change password", "修改密码"))
    console.page.wait("document.querySelector('.ant-card .ant-alert')")
    assert ocp_server.api().get("/api/v2/session").ok()


def test_the_audit_says_what_was_done_and_hides_secrets(console, ocp_server, say, mark):
    api = ocp_server.api()
    api.post("/api/v2/iam/users", {"username": mark("carl"), "password": PASSWORD}).ok()
    api.post("/api/v2/compute/regions", {"name": mark("dup")}).ok()
    api.post("/api/v2/compute/regions", {"name": mark("dup")})
    console.go("/audit")
    console.fill(say("Name of the object", "对象名称"), mark("carl"))
    console.page.key("Enter")
    console.page.wait("t.rows().length === 1")
    console.press(say("Details", "详情"))
    console.wait_text(mark("carl"), ".ant-drawer pre")
    assert PASSWORD not in console.page.text(".ant-drawer") and "admin" in console.page.text(".ant-drawer")
    assert console.faults() == []
    console.picture(f"audit-detail-{console.language}")
    console.go("/audit?status=FAILED&sort=startTime,desc")
    assert all(say("Failed", "失败") in row for row in console.rows()) and console.rows()


def test_the_login_history_tells_who_failed(console, ocp_server, say, mark):
    api = ocp_server.api()
    api.anonymous().post("/api/v2/iam/login", {"username": mark("mallory"), "password": "guess"})
    console.go(f"/login-history?username={mark('mallory')}")
    console.wait_row(mark("mallory"), say("Failed", "失败"), say("Console", "控制台"), "127.0.0.1")
    console.go("/login-history?result=SUCCESS")
    assert console.rows() and all(say("Successful", "成功") in row for row in console.rows())


def test_an_address_rule_that_does_not_count_yet(console, ocp_server, say, mark, language):
    network = "192.0.2.0/24" if language == "en" else "198.51.100.0/24"
    console.go("/address-rule")
    console.press(say("New rule", "新建规则"))
    console.fill(say("Network or address", "网段或地址"), "everywhere")
    console.expect_complaint("status of 4")
    console.toggle(say("Counts", "启用"))
    console.press(say("Save", "保存"))
    console.page.wait("document.querySelector('.ant-drawer .ant-alert')")
    assert console.faults() == []
    console.fill(say("Network or address", "网段或地址"), network)
    console.press(say("Save", "保存"))
    console.wait_row(network, say("Does not count", "未启用"))
    console.press_in_row(network, say("Edit", "编辑"))
    console.fill(say("Description", "描述"), mark("branch"))
    console.press(say("Save", "保存"))
    console.wait_row(network, mark("branch"))
    console.press_in_row(network, say("Delete", "删除"))
    console.type_word("delete")
    console.wait_no_row(network)
