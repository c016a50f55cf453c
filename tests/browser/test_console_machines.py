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


@pytest.fixture
def place(ocp_server, language):
    """Names of a room, a host type and a credential for hosts."""
    api = ocp_server.api()
    region = api.post("/api/v2/compute/regions", {"name": f"m {language}"}).data
    api.post("/api/v2/compute/idcs", {"name": f"room {language}", "regionId": region["id"]}).ok()
    api.post("/api/v2/compute/hostTypes", {"name": f"type {language}"}).ok()
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


def test_what_a_new_cluster_needs(console, say):
    console.go("/cluster")
    console.press(say("Create a cluster", "新建集群"))
    console.wait_path("/cluster/new")
    console.press(say("Check", "检查"))
    console.wait_text(say("Name is needed", "请输入名称"))
    console.wait_text(say("Hosts of zone 3 is needed", "请输入Zone 3 主机"))
    assert console.faults() == [] and not console.overflow()
    console.picture(f"cluster-new-{console.language}")
