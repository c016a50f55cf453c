# SPDX-License-Identifier: Apache-2.0
"""What people do in the console about what clusters are made of: packages that they upload, hosts that they add, and a cluster from both."""
import os
import socket

import pytest

from lib.py import rpm
from lib.py.upload import PACKAGES

RELEASE = "100000102023092807.el7"


def write_package(folder, version):
    path = folder / rpm.file_name("oceanbase-ce", version, RELEASE, "x86_64")
    path.write_bytes(rpm.build("oceanbase-ce", version, RELEASE, payload=os.urandom(200000)))
    return path


def attach(console, say, *files):
    console.page.wait(f"t.field({say('RPM files', 'RPM 文件')!r})")
    for file in files:
        console.page.attach(f"t.field({say('RPM files', 'RPM 文件')!r})", file)


def test_packages_are_uploaded_fetched_and_deleted(console, ocp_server, say, tmp_path):
    version = "4.2.1.1" if console.language == "en" else "4.2.1.2"
    file = write_package(tmp_path, version)
    broken = tmp_path / "broken.el7.x86_64.rpm"
    broken.write_bytes(b"\xed\xab\xee\xdb" + bytes(500))
    console.go("/package")
    console.press(say("Upload packages", "上传软件包"))
    console.expect_complaint("status of 4")
    attach(console, say, broken, file)
    console.page.wait("document.querySelector('.ant-drawer .ant-alert')")
    console.wait_text(say("Uploaded", "上传成功"), ".ant-drawer")
    assert console.faults() == []
    console.picture(f"package-upload-{console.language}")
    console.press(say("Close", "关闭"))
    console.wait_row(file.name, version)
    assert console.faults() == [] and not console.overflow()
    console.picture(f"package-{console.language}")
    console.page.downloads_to(tmp_path / "fetched")
    console.press_in_row(version, say("Download", "下载"))

    console.press_in_row(version, file.name)
    console.page.wait(f"document.querySelector('h1').innerText === {file.name!r}")
    made = next(p for p in ocp_server.api().get(PACKAGES, {"size": 100}).contents if p["fileName"] == file.name)
    console.wait_text(made["sha256"])
    assert console.faults() == []
    console.press(say("Delete", "删除"))
    console.type_word("delete")
    console.wait_path("/package")
    console.wait_no_row(version)


def make_place(api, name):
    """A room and a host type of this name, in a region of their own: their ids."""
    region = api.post("/api/v2/compute/regions", {"name": f"m {name}"}).data
    room = api.post("/api/v2/compute/idcs", {"name": f"room {name}", "regionId": region["id"]}).data
    return room["id"], api.post("/api/v2/compute/hostTypes", {"name": f"type {name}"}).data["id"]


@pytest.fixture
def place(ocp_server, language):
    """Names of a room, a host type and a credential for hosts."""
    api = ocp_server.api()
    make_place(api, language)
    api.post("/api/v2/profiles/me/credentials", {"targetType": "HOST", "name": f"login {language}", "sshCredentialProperty":
             {"type": "PASSWORD", "username": "root", "passphrase": "not used"}}).ok()
    return {"idc": f"room {language}", "type": f"type {language}", "credential": f"login {language}"}


@pytest.fixture
def closed_port():
    """A port at which nobody listens while the test runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield str(taken.getsockname()[1])


def test_a_host_that_cannot_be_reached(console, ocp_server, say, place, closed_port):
    address = "127.0.0.77" if console.language == "en" else "127.0.0.78"
    console.go("/host")
    console.press(say("Add hosts", "添加主机"))
    console.fill(say("Addresses, one a line", "IP 地址，每行一个"), address)
    console.fill(say("SSH port", "SSH 端口"), closed_port)
    console.choose(say("IDC", "机房"), place["idc"])
    console.choose(say("Host type", "主机类型"), place["type"])
    console.choose(say("Credential", "登录凭据"), place["credential"])
    console.press(say("Check", "检查"))
    console.page.wait("document.querySelector('.ant-drawer .findings .breaks')")
    assert address in console.page.text(".ant-drawer .findings"), "the reason names the host"
    assert console.faults() == []
    console.picture(f"host-add-{console.language}")
    console.press(say("Add anyway", "仍然添加"))
    console.wait_row(address, place["idc"])
    console.press_in_row(address, address)
    console.page.wait(f"document.querySelector('h1').innerText === {address!r}")
    console.page.wait(f"t.rows().some((r) => r.includes({say('Failed', '失败')!r}))", 60)
    assert console.faults() == [] and not console.overflow()
    console.picture(f"host-{console.language}")
    console.press(say("Edit", "编辑"))
    console.fill(say("Alias", "别名"), f"shelf {console.language}")
    console.press(say("Save", "保存"))
    console.wait_text(f"shelf {console.language}", ".ant-descriptions")


@pytest.fixture
def gone_hosts(ocp_server, mariadb_server, language):
    """Addresses of three hosts that were added and are gone for good."""
    first = 7700 if language == "en" else 7800
    room, kind = make_place(ocp_server.api(), f"gone {language}")
    addresses = [f"127.0.{first // 100}.{i}" for i in range(1, 4)]
    for i, address in enumerate(addresses):
        mariadb_server.sql("INSERT INTO host (id, name, alias, description, operating_system, operating_system_release, architecture, serial_number, ip, "
                           "ssh_port, kind, publish_ports, status, idc_id, type_id, credential_id, created_at, updated_at) VALUES (%s, %s, '', '', '', '', "
                           "'', '', %s, 22, 'DEDICATED_PHYSICAL_MACHINE', '', 'NEW', %s, %s, 0, NOW(6), NOW(6))",
                           (first + i, address, address, room, kind), database=ocp_server.database.name)
    return addresses


def test_several_hosts_at_once(console, ocp_server, say, gone_hosts):
    stays, *go = gone_hosts
    console.go(f"/host?keyword={stays.rsplit('.', 1)[0]}.")
    for address in gone_hosts:
        console.tick(address)
    console.expect_complaint("status of 4")
    console.press(say("Stop agents", "停止 Agent"))
    console.wait_text(", ".join(sorted(gone_hosts)), ".ant-modal .chosen")
    console.type_word("confirm")
    console.wait_alert(say("Error ", "错误码 "), ".ant-modal [role=alert]")               # they have none
    assert console.faults() == []
    console.press(say("Cancel", "取消"))
    console.tick(stays)
    console.press(say("Delete selected", "删除所选"))
    console.wait_text(say("Delete 2 hosts?", "删除 2 台主机？"), ".ant-modal")
    assert stays not in console.page.text(".ant-modal .chosen")
    console.picture(f"host-delete-{console.language}")
    console.toggle(say("They are gone for good: nothing is removed there", "主机已永久下线：不在主机上执行清理"))
    console.type_word("delete")
    for address in go:
        console.wait_no_row(address)
    console.wait_row(stays)
    assert console.page.eval(f"t.button({say('Delete selected', '删除所选')!r}) === undefined"), "nothing is chosen any more"


def test_what_a_new_cluster_needs(console, say):
    console.go("/cluster")
    console.press(say("Create a cluster", "新建集群"))
    console.wait_path("/cluster/new")
    console.press(say("Check", "检查"))
    console.wait_text(say("Name is needed", "请输入名称"))
    console.wait_text(say("Hosts of zone 3 is needed", "请输入Zone 3 主机"))
    assert console.faults() == [] and not console.overflow()
    console.picture(f"cluster-new-{console.language}")
