# SPDX-License-Identifier: Apache-2.0
"""From bare hosts to a cluster and back, clicked by somebody who has nothing but the console. The steps of the way take turns between the
two languages; each begins where the one before has ended."""
import pathlib

import pytest

from lib.py import hosts, installing
from lib.py.console import Console
from lib.py.server import console as built_console

NOT_HERE = hosts.why_not() or (None if built_console() else "this build has no console (Node.js was not there)")
pytestmark = pytest.mark.skipif(NOT_HERE is not None, reason=NOT_HERE or "")

PASSWORD = "Root-pass-1"
TASK_SECONDS = 300


@pytest.fixture(scope="module")
def site(mariadb_server):
    """Three hosts for a cluster and one more, a room, a host type and a credential for them."""
    with installing.site(mariadb_server, "story") as there:
        api = there.server.api()
        region = api.post("/api/v2/compute/regions", {"name": "north"}).data["id"]
        api.post("/api/v2/compute/idcs", {"name": "n1", "regionId": region}).ok()
        api.post("/api/v2/compute/hostTypes", {"name": "any"}).ok()
        api.post("/api/v2/profiles/me/credentials", {"targetType": "HOST", "name": "root_key", "sshCredentialProperty": {
            "type": "PRIVATE_KEY", "username": "root", "passphrase": there.key, "hostIdList": []}}).ok()
        yield there


@pytest.fixture(scope="module")
def pages(browser, site):
    """The administrator's console in each language."""
    made = {language: Console(browser, site.server, language).log_in() for language in ("en", "zh")}
    yield made
    for one in made.values():
        one.leave()


@pytest.fixture
def english(pages):
    yield pages["en"]
    pages["en"].close()


@pytest.fixture
def chinese(pages):
    yield pages["zh"]
    pages["zh"].close()


def see_through(console, view, ends, failed, again):
    """Goes to the task that has begun and waits for its good end. On a busy machine a step may take longer than it is given."""
    console.expect_complaint("status of 503")                                # the page before may ask servers that go already
    console.press(view)
    console.page.wait("location.pathname.startsWith('/task/')")
    for _ in range(4):
        tag = "document.querySelector('.page-head .ant-tag')?.innerText"
        if console.page.wait(f"[{ends!r}, {failed!r}].find((s) => s === {tag})", TASK_SECONDS) == ends:
            return
        console.press(again)
        console.page.wait(f"{tag} !== {failed!r}")
    raise AssertionError(console.page.text())


def in_english(console):
    see_through(console, "View task", "Successful", "Failed", "Retry")


def in_chinese(console):
    see_through(console, "查看任务", "成功", "失败", "重试")


def cluster_of(site):
    [cluster] = site.server.api().get("/api/v2/ob/clusters").contents
    return f"/cluster/{cluster['id']}"


def test_hosts_are_added_once_nothing_speaks_against_them(chinese, site):
    addresses = [m.address for m in site.machines]
    taken = site.machines[3].listen(62888)
    chinese.go("/host").press("添加主机")
    chinese.fill("IP 地址，每行一个", "\n".join(addresses))
    chinese.choose("机房", "n1")
    chinese.choose("主机类型", "any")
    chinese.choose("登录凭据", "root_key")
    chinese.press("检查")
    chinese.page.wait("document.querySelector('.ant-drawer .findings .breaks')", TASK_SECONDS)
    cards = chinese.page.eval("[...document.querySelectorAll('.ant-drawer .ant-card')].map((c) => c.innerText)")
    assert addresses[3] in cards[0] and "62888" in cards[0], "what is wrong comes first"
    assert sum("未通过" in c for c in cards) == 1 and all(any(a in c for c in cards) for a in addresses)
    assert chinese.faults() == []
    chinese.picture("host-check-zh")
    taken.kill()
    chinese.press("重新检查")
    chinese.page.wait("document.querySelector('.ant-drawer')?.innerText.includes('检查通过，可以添加这些主机。')", TASK_SECONDS)
    chinese.press("添加主机")
    in_chinese(chinese)
    chinese.go("/host")
    for address in addresses:
        chinese.page.wait(f"t.rows().some((r) => r.includes({address!r}) && r.includes('空闲'))", TASK_SECONDS)
    assert chinese.faults() == [] and not chinese.overflow()


def test_a_process_of_an_agent_is_restarted(english, site):
    address = site.machines[0].address
    english.go("/host").press_in_row(address, address)
    [adding] = site.server.api().get("/api/v2/tasks/instances", {"type": "MANUAL"}).contents
    english.page.wait(f"document.querySelector('td a[href=\"/task/{adding['id']}\"]')")
    row = english.page.wait("t.rows().find((r) => r[0] === 'ocp_exporter' && r[1] === 'Running')", TASK_SECONDS)
    english.press_in_row("ocp_exporter", "Restart")
    english.type_word("confirm")
    english.page.wait(f"t.rows().some((r) => r[0] === 'ocp_exporter' && r[1] === 'Running' && r[2] !== {row[2]!r})", TASK_SECONDS)
    assert row[2] not in [str(pid) for pid, _ in site.machines[0].processes("ocp_exporter")]
    assert english.faults() == [] and not english.overflow()
    english.picture("host-agent-en")


def test_the_agents_of_several_hosts_are_restarted(chinese, site):
    addresses = [m.address for m in site.machines[:2]]
    former = [m.processes("pos_proxy")[0] for m in site.machines[:2]]
    chinese.go("/host")
    for address in addresses:
        chinese.tick(address)
    chinese.press("重启 Agent")
    chinese.wait_text(", ".join(addresses), ".ant-modal .chosen")
    assert chinese.faults() == []
    chinese.type_word("confirm")
    in_chinese(chinese)
    for machine, old in zip(site.machines, former):
        [now] = machine.processes("pos_proxy")
        assert now != old


def test_packages_are_uploaded(chinese, site):
    chinese.go("/package").press("上传软件包")
    chinese.page.wait("t.field('RPM 文件')")
    for path in site.packages:
        chinese.page.attach("t.field('RPM 文件')", path)
    chinese.page.wait(f"document.querySelector('.ant-drawer').innerText.split('上传成功').length > {len(site.packages)}", TASK_SECONDS)
    chinese.press("关闭")
    for path in site.packages:
        chinese.wait_row(pathlib.Path(path).name)


def test_a_cluster_is_created_on_three_hosts(english, site):
    english.go("/cluster").press("Create a cluster")
    english.page.wait("document.querySelector('h1')?.innerText === 'Create a cluster'")
    english.fill("Name", "made")
    english.choose("Package", pathlib.Path(site.packages[0]).name)
    english.fill("Password of root", PASSWORD)
    english.fill("Password of root, again", PASSWORD)
    for i, machine in enumerate(site.machines[:3], 1):
        english.choose(f"IDC of zone {i}", "n1")
        english.choose(f"Hosts of zone {i}", machine.address)
    english._click("document.querySelector('.ant-collapse-header')")
    for label, name in (("Directory of programs", "InstallPath"), ("Directory of data files", "DataDiskPath"),
                        ("Directory of the redo log", "LogDiskPath"), ("User of the processes", "OperatingSystemUser")):
        english.page.wait(f"t.field({label!r}) && t.shown(t.field({label!r}))")
        english.fill(label, installing.PATHS[name])
    for i, (name, value) in enumerate(installing.PARAMETERS.items(), 1):
        english.press("Add a parameter")
        english.fill(f"Parameter {i}", name)
        english.fill(f"Value of parameter {i}", value)
    english.press("Check")
    english.wait_text("Nothing speaks against it so far")
    assert english.faults() == [] and not english.overflow()
    english.page.eval("scrollTo(0, 0)")
    english.picture("cluster-create-en")
    english.press("Create")
    in_english(english)
    english.go(cluster_of(site) + "/topology")
    for machine in site.machines[:3]:
        wait_server(english, machine, "Running")
    assert all(machine.processes("bin/observer") for machine in site.machines[:3])


def wait_server(console, machine, status):
    console.page.wait(f"[...document.querySelectorAll('.topology-server')].some((e) => e.innerText.includes({machine.address + ':'!r})"
                      f" && e.innerText.includes({status!r}))", TASK_SECONDS)


def wait_no_server(console, machine):
    console.page.wait("document.querySelector('.topology-server') && ![...document.querySelectorAll('.topology-server')]"
                      f".some((e) => e.innerText.includes({machine.address + ':'!r}))", TASK_SECONDS)


def test_a_zone_is_restarted(chinese, site):
    [(former, _)] = site.machines[1].processes("bin/observer")
    chinese.go(cluster_of(site) + "/topology").press("更多：zone2").press("重启")
    chinese.type_word("confirm")
    in_chinese(chinese)
    [(now, _)] = site.machines[1].processes("bin/observer")
    assert now != former
    chinese.go(cluster_of(site) + "/topology")
    wait_server(chinese, site.machines[1], "运行中")


def test_a_server_is_replaced_by_one_on_another_host(english, site):
    old, new = site.machines[2], site.machines[3]
    english.go(cluster_of(site) + "/topology").press(f"More: {old.address}:2882").press("Replace")
    english.choose("Host", new.address)
    assert english.faults() == []
    english.press("Replace")
    english.type_word("delete")
    in_english(english)
    english.go(cluster_of(site) + "/topology")
    wait_server(english, new, "Running")
    wait_no_server(english, old)
    assert new.processes("bin/observer") and not old.processes("bin/observer")


def test_servers_are_added_to_a_zone_and_deleted(chinese, site):
    spare = site.machines[2]
    chinese.go(cluster_of(site) + "/topology").press("更多：zone1").press("添加 OBServer")
    chinese.choose("主机", spare.address)
    chinese.press("添加 OBServer")
    in_chinese(chinese)
    chinese.go(cluster_of(site) + "/topology")
    wait_server(chinese, spare, "运行中")
    chinese.press(f"更多：{spare.address}:2882").press("删除")
    chinese.type_word("delete")
    in_chinese(chinese)
    chinese.go(cluster_of(site) + "/topology")
    wait_no_server(chinese, spare)
    assert not spare.processes("bin/observer") and not spare.home("admin/oceanbase/made").exists()


def test_the_cluster_is_deleted_with_its_files(english, site):
    english.expect_complaint("status of 404")                                # the page may ask once more while it goes
    english.go(cluster_of(site)).press("More").press("Delete")
    english.type_word("delete")
    in_english(english)
    english.go("/cluster")
    english.wait_no_row("made")
    for machine in site.machines:
        assert not machine.processes("bin/observer") and not machine.home("admin/oceanbase/made").exists()
    assert site.server.api().get("/api/v2/ob/clusters").contents == []
