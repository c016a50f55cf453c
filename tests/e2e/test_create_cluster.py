# SPDX-License-Identifier: Apache-2.0
"""A cluster of three zones is created on hosts that have nothing but an agent, is stopped, started, restarted, grows,
shrinks, and is deleted."""
import contextlib
import dataclasses
import hashlib
import os
import pathlib
import re

import pymysql
import pytest

from lib.py import hosts, installing, obmanual, obrpm
from lib.py.installing import PARAMETERS, PATHS, STARTUP
from lib.py.observers import ObState, waiting
from lib.py.obtrace import DELETIONS, Trace, assert_units_empty_before_delete
from lib.py.process import wait_until
from lib.py.upload import upload

NOT_HERE = hosts.why_not()
pytestmark = pytest.mark.skipif(NOT_HERE is not None, reason=NOT_HERE or "")

CLUSTERS = "/api/v2/ob/clusters"
TASKS = "/api/v2/tasks/instances"
PASSWORD = "Root-pass-1"
TASK_SECONDS = 300
RELEASES = (obrpm.RELEASE, obrpm.Release(version="4.3.5.2", build="102000092025042715"))


class World:
    """Four hosts with agents, a package, and what a person does with them."""

    def __init__(self, server, machines, key, packages):
        self.api, self.machines = server.api(), machines
        region = self.api.post("/api/v2/compute/regions", {"name": "north"}).data["id"]
        self.idc = self.api.post("/api/v2/compute/idcs", {"name": "n1", "regionId": region}).data["id"]
        kind = self.api.post("/api/v2/compute/hostTypes", {"name": "any"}).data["id"]
        root = self.api.post("/api/v2/profiles/me/credentials", {"targetType": "HOST", "name": "root_key", "sshCredentialProperty": {
            "type": "PRIVATE_KEY", "username": "root", "passphrase": key, "hostIdList": []}}).data["id"]
        for path in packages:
            upload(self.api, pathlib.Path(path).read_bytes(), pathlib.Path(path).name).ok()
        self.package_file, self.package, self.newer = packages[0], pathlib.Path(packages[0]).name, pathlib.Path(packages[2]).name
        added = self.api.post("/api/v2/compute/hosts/batchCreate", {
            "hostBasicDataList": [{"innerIpAddress": m.address} for m in machines], "sshPort": 22, "kind": "DEDICATED_PHYSICAL_MACHINE",
            "idcId": self.idc, "typeId": kind, "credentialId": root}).data
        for _ in range(3):                         # on a busy machine an agent may take longer than its step
            if self.end(added["id"])["status"] == "FAILED":
                self.api.post(f"{TASKS}/{added['id']}/retry").ok()
        self.works(added["id"])
        self.hosts = added["hostIds"]

    def end(self, task):
        def over():
            seen = self.api.get(f"{TASKS}/{task}").data
            return seen if seen["status"] != "RUNNING" else None
        return wait_until(over, f"task {task} ends", TASK_SECONDS)

    def works(self, task):
        ended = self.end(task)
        assert ended["status"] == "SUCCESSFUL", self.story(ended)
        return ended

    def story(self, task):
        parts = []
        for step in task["subtasks"]:
            log = self.api.get(f"{TASKS}/{task['id']}/subtasks/{step['id']}/log").data["log"]
            parts.append(f"{step['name']} {step['status']}\n{log}")
        return "\n".join(parts)

    def wish(self, name, **more):
        return {"name": name, "rpmName": self.package, "type": "PRIMARY", "password": PASSWORD, "proxyroPassword": "Proxy-ro-1",
                "zones": [{"name": f"zone{i + 1}", "idcName": "n1", "servers": [number]} for i, number in enumerate(self.hosts[:3])],
                "attributes": PATHS, "startupParameters": list(STARTUP), **more}

    def observers(self, host):
        return [line for _, line in host.processes("bin/observer")]

    def sql(self, statement, host=None, user="root", password=PASSWORD):
        with contextlib.closing(pymysql.connect(host=(host or self.machines[0]).address, port=2881, user=user, password=password,
                                                connect_timeout=10, read_timeout=30)) as c, c.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()


@pytest.fixture(scope="module")
def world(mariadb_server):
    with installing.site(mariadb_server, "create", releases=RELEASES) as site:
        there = World(site.server, site.machines, site.key, site.packages)
        there.state, there.server = site.state, site.server
        yield there


def end_agent_before_it_looks(machine, path):
    """As an agent leaves it that was killed after the last byte of a package: all is there, and nobody has seen that it is."""
    content = pathlib.Path(path).read_bytes()
    blob = machine.home("admin/ocp_agent/data/blobs", hashlib.sha256(content).hexdigest())
    blob.unlink(missing_ok=True)
    blob.with_name(f"{blob.name}.part").write_bytes(content)


@pytest.fixture(scope="module")
def cluster(world):
    """The created cluster: (id, its task)."""
    end_agent_before_it_looks(world.machines[0], world.package_file)
    wish = world.wish("made", primaryZone="zone2;zone1,zone3", sysUnitConfig={"memorySize": "2G"})
    wish["startupParameters"] += [{"name": "syslog_level", "value": "INFO,SQL.ENG:WARN"}, {"name": "__min_full_resource_pool_memory", "value": "5G"}]
    checked = world.api.post(f"{CLUSTERS}/createPreCheck", wish).data
    assert checked == {"valid": True, "messages": []}
    started = world.api.post(CLUSTERS, wish).data
    assert started["clusterId"] and started["subtasks"]
    return started["clusterId"], world.works(started["id"])


def fails(world, started, *words):
    """The task fails and says so."""
    ended = world.end(started["id"])
    story = world.story(ended)
    assert ended["status"] == "FAILED" and all(word in story for word in words), story
    return story


def roll_back(world, started):
    """Nothing of the cluster is left, neither here nor on the hosts."""
    world.api.post(f"{TASKS}/{started['id']}/rollback").ok()
    wait_until(lambda: world.api.get(f"{CLUSTERS}/{started['clusterId']}").status == 404, "the cluster is forgotten", TASK_SECONDS)
    for machine in world.machines:
        assert not world.observers(machine) and not machine.home("admin/oceanbase/broken").exists() and not machine.home("data/1/broken").exists()


@pytest.mark.bad_input("port busy")
def test_a_port_that_is_taken_is_found_before_anything_is_changed(world):
    busy = world.machines[1].listen(2882)
    huge = [{"name": name, "value": "900T"} for name in ("memory_limit", "datafile_size")]
    started = world.api.post(CLUSTERS, world.wish("broken", startupParameters=huge)).data
    fails(world, started, world.machines[1].address, "2882")
    said = {s["name"]: s["description"] for s in world.end(started["id"])["subtasks"] if s["status"] == "FAILED"}
    one = next(text for name, text in said.items() if world.machines[1].address in name)
    assert len(said) == 3 and all(word in one for word in ("memory_limit", "too little room", "port 2882")), said
    assert not any(m.home("admin/oceanbase/broken").exists() for m in world.machines)
    roll_back(world, started)
    busy.kill()


def test_what_was_made_is_removed_when_it_is_rolled_back(world):
    """An observer that gives up: the others run already, and all directories are there."""
    ours = world.machines[2].home("admin/oceanbase")
    started = world.api.post(CLUSTERS, world.wish("broken", startupParameters=[{"name": "no_such_parameter", "value": "1"}])).data
    fails(world, started, "Start observer")
    assert ours.joinpath("broken").exists()
    roll_back(world, started)


def spare(world, name, **more):
    """A cluster of one zone on the host that the others do without."""
    return world.wish(name, zones=[{"name": "zone1", "idcName": "n1", "servers": [world.hosts[3]]}], **more)


def keeps_package(world, *words):
    """Nobody may delete the package now; it is told who needs it."""
    [package] = [p for p in world.api.get("/api/v2/software-packages").contents if p["fileName"] == world.package]
    assert package["deletable"] is False
    said = world.api.call("DELETE", f"/api/v2/software-packages/{package['id']}").refused(409, 7507)
    assert world.package in said and any(str(word) in said for word in words), said


@pytest.mark.bad_input("full disk", "package deleted while used")
def test_a_disk_that_becomes_full_is_told_and_left_clean(world):
    """The step says on which host and why, leaves nothing half-made, and succeeds once there is room; its package stays as long as it may be needed."""
    one, there = world.machines[3], "/home/admin/oceanbase"
    one.run("mkdir", "-p", there)
    one.run("mount", "-t", "tmpfs", "-o", "size=200m,nr_inodes=12", "tmpfs", there)       # bytes are left, files cannot be made any more
    started = world.api.post(CLUSTERS, spare(world, "crowded")).data
    keeps_package(world, f"task {started['id']}", "crowded")
    fails(world, started, one.address, "No space left on device", "retry")
    keeps_package(world, "crowded")
    [step] = [s for s in world.end(started["id"])["subtasks"] if s["status"] == "FAILED"]
    assert one.address in step["name"] and "No space left on device" in step["description"], step
    assert not one.run("find", there, "-name", "*.part")
    one.run("mount", "-o", "remount,nr_inodes=10000", there)
    world.api.post(f"{TASKS}/{started['id']}/retry").ok()
    world.works(started["id"])
    world.works(world.api.call("DELETE", f"{CLUSTERS}/{started['clusterId']}").data["id"])
    assert [p["deletable"] for p in world.api.get("/api/v2/software-packages").contents if p["fileName"] == world.package] == [True]
    one.run("umount", there)


@pytest.mark.bad_input("directory not empty")
def test_a_directory_that_is_not_empty_is_left_alone(world):
    one = world.machines[3]
    diary = one.home("data", "1", "settled", "diary")
    diary.parent.mkdir(parents=True)
    diary.write_text("mine")
    started = world.api.post(CLUSTERS, spare(world, "settled")).data
    fails(world, started, one.address, "/home/data/1/settled", "not empty")
    world.api.post(f"{TASKS}/{started['id']}/rollback").ok()
    wait_until(lambda: world.api.get(f"{CLUSTERS}/{started['clusterId']}").status == 404, "the cluster is forgotten", TASK_SECONDS)
    assert diary.read_text() == "mine" and not one.home("admin", "oceanbase", "settled").exists()
    diary.unlink()
    diary.parent.rmdir()


@pytest.mark.bad_input("wrong architecture")
def test_a_package_for_another_machine_is_refused(world, tmp_path):
    other = "aarch64" if os.uname().machine != "aarch64" else "x86_64"
    path, _ = obrpm.write(tmp_path, world.state, dataclasses.replace(obrpm.RELEASE, arch=other))
    upload(world.api, path.read_bytes(), path.name).ok()
    checked = world.api.post(f"{CLUSTERS}/createPreCheck", spare(world, "strange", rpmName=path.name)).data
    [reason] = checked["messages"]
    assert not checked["valid"] and all(word in reason for word in (world.machines[3].address, other, path.name, "Choose")), checked
    world.api.post(CLUSTERS, spare(world, "strange", rpmName=path.name)).refused(400, 11023, world.machines[3].address)


@pytest.mark.bad_input("hostile names")
@pytest.mark.parametrize("evil", ["../../etc", "a\x1b[31m\x07b", "x;reboot", "a" * 10000], ids=["traversal", "control", "shell", "long"])
def test_hostile_names_are_refused(world, evil):
    """Wherever a name or a path is given: the reason names it, and nothing of it reaches the reply raw, or a host at all."""
    good = spare(world, "hostile")
    zone = good["zones"][0]
    for change in ({"name": evil}, {"zones": [{**zone, "name": evil}]}, {"zones": [{**zone, "idcName": evil}]}, {"rpmName": evil}, {"primaryZone": evil},
                   {"attributes": {**PATHS, "InstallPath": f"/home/{evil}"}}, {"attributes": {**PATHS, "DataDiskPath": evil}},
                   {"attributes": {**PATHS, "OperatingSystemUser": evil}}, {"startupParameters": [{"name": evil, "value": "1"}]}):
        reply = world.api.post(f"{CLUSTERS}/createPreCheck", {**good, **change})
        assert reply.status == 400 or not reply.data["valid"], change
        assert len(reply.body) < 5000 and b"\x1b" not in reply.body and b"\\u001b" not in reply.body and b"\\u0007" not in reply.body, reply.body
        assert world.api.post(CLUSTERS, {**good, **change}).status == 400, change


@pytest.mark.bad_input("host rebooted in the middle")
def test_a_host_that_is_rebooted_while_its_cluster_is_founded(world):
    """Its observer is gone with it, just started: either a later try starts it again, or the task fails, names the host, and is rolled back."""
    one = world.machines[3]
    started = world.api.post(CLUSTERS, spare(world, "shaken")).data
    path = f"{CLUSTERS}/{started['clusterId']}"
    wait_until(lambda: world.observers(one), "the observer runs", TASK_SECONDS)
    one.crash()
    one.start()
    one.run("/home/admin/ocp_agent/bin/ocp_agent_ctl", "start")
    ended = world.end(started["id"])
    if ended["status"] == "SUCCESSFUL":
        assert world.api.get(path).data["status"] == "RUNNING" and len(world.observers(one)) == 1
        world.works(world.api.call("DELETE", path).data["id"])
    else:
        assert one.address in world.story(ended), world.story(ended)
        world.api.post(f"{TASKS}/{started['id']}/rollback").ok()
        wait_until(lambda: world.api.get(path).status == 404, "the cluster is forgotten", TASK_SECONDS)
    assert not world.observers(one) and not one.home("admin", "oceanbase", "shaken").exists() and not one.home("data", "1", "shaken").exists()


def test_every_reason_comes_at_once(world):
    wrong = world.wish("1made", type="STANDBY", rpmName="none.rpm", attributes={**PATHS, "DataDiskPath": "/etc"})
    wrong["zones"][0]["servers"] = [999999]
    checked = world.api.post(f"{CLUSTERS}/createPreCheck", wrong).data
    assert not checked["valid"] and len(checked["messages"]) == 5, checked
    said = world.api.post(CLUSTERS, wrong).refused(400, 11043)
    assert "STANDBY" in said
    world.api.post(CLUSTERS, world.wish("1made")).refused(400, 11038)


def test_the_cluster_is_there(world, cluster):
    number, task = cluster
    shown = world.api.get(f"{CLUSTERS}/{number}").data
    assert (shown["status"], shown["name"], len(shown["zones"])) == ("RUNNING", "made", 3)
    assert {z["name"]: z["idcName"] for z in world.api.get(f"{CLUSTERS}/{number}/zones").contents} == {f"zone{i}": "n1" for i in (1, 2, 3)}
    rows = world.sql("SELECT svr_ip, status, start_service_time IS NOT NULL FROM oceanbase.DBA_OB_SERVERS ORDER BY 1")
    assert [(ip, status) for ip, status, _ in rows] == [(m.address, "ACTIVE") for m in world.machines[:3]]
    for machine in world.machines[:3]:
        assert len(world.observers(machine)) == 1
        assert machine.home("admin/oceanbase/made/store/clog").is_symlink()
    assert world.sql("SELECT 1", user="proxyro", password="Proxy-ro-1")
    assert world.sql("SELECT primary_zone FROM oceanbase.DBA_OB_TENANTS WHERE tenant_name = 'sys'") == (("zone2;zone1,zone3",),)
    assert world.sql("SELECT memory_size FROM oceanbase.DBA_OB_UNIT_CONFIGS WHERE name = 'sys_unit_config'") == ((2 << 30,),)
    assert set(world.sql("SELECT value FROM oceanbase.GV$OB_PARAMETERS WHERE name = '__min_full_resource_pool_memory'")) == {("5G",)}
    assert world.sql("SELECT COUNT(*) FROM oceanbase.__all_tenant_time_zone_transition_type") == ((2,),)
    assert world.sql("SELECT COUNT(*) FROM oceanbase.__all_sys_stat WHERE name = 'current_timezone_version'") == ((1,),)
    for name, value in (*PARAMETERS.items(), ("syslog_level", "INFO,SQL.ENG:WARN")):
        assert {v for v, in world.sql(f"SELECT value FROM oceanbase.GV$OB_PARAMETERS WHERE name = '{name}'")} == {value}, name
    assert "Root-pass-1" not in world.story(task) and "Proxy-ro-1" not in world.story(task)


def test_proxies_find_it(world, cluster):
    del cluster
    reply = world.api.anonymous().get("/services", {"Action": "ObRootServiceInfo", "ObCluster": "made"}).ok().json
    assert {s["address"] for s in reply["Data"]["RsList"]} <= {f"{m.address}:2882" for m in world.machines[:3]}
    assert sum(s["role"] == "LEADER" for s in reply["Data"]["RsList"]) == 1
    [(url,)] = set(world.sql("SELECT DISTINCT value FROM oceanbase.GV$OB_PARAMETERS WHERE name = 'obconfig_url'"))
    assert re.search(r"/services\?Action=ObRootServiceInfo&User_ID=ocp&UID=[0-9a-f]{32}&ObCluster=made$", url), url


def test_bootstrap_was_told_once(world, cluster):
    """What was done is counted at the servers: one statement that founded the cluster."""
    number, _ = cluster
    ob = world.api.get(f"{CLUSTERS}/{number}").data["obClusterId"]
    trace = ObState(world.state, "made", ob).trace()
    trace.assert_once("^ALTER SYSTEM BOOTSTRAP")
    trace.assert_order("^ALTER SYSTEM BOOTSTRAP", "^ALTER USER", "MODIFY ZONE", "^CREATE USER", "obconfig_url")


def test_the_hosts_are_taken(world, cluster):
    del cluster
    world.api.post(CLUSTERS, world.wish("other")).refused(400, 11043, world.machines[0].address)


@pytest.mark.bad_input("package deleted while used")
def test_its_package_stays(world, cluster):
    """What it was installed from is needed for servers that are added to it."""
    del cluster
    keeps_package(world, "made")


def test_it_is_stopped_and_started(world, cluster):
    path = f"{CLUSTERS}/{cluster[0]}"
    world.works(world.api.post(f"{path}/stop").data["id"])
    assert world.api.get(path).data["status"] == "STOPPED"
    assert not any(world.observers(m) for m in world.machines)
    world.api.post(f"{path}/stop").refused(409, 11007)
    world.works(world.api.post(f"{path}/start").data["id"])
    assert world.api.get(path).data["status"] == "RUNNING"
    assert all(len(world.observers(m)) == 1 for m in world.machines[:3])


def test_it_is_restarted_zone_by_zone(world, cluster):
    """A process is not ended while it leads anything, and never while another zone is stopped."""
    path, kept = f"{CLUSTERS}/{cluster[0]}", kernel(world, cluster)
    former = [m.processes("bin/observer")[0][0] for m in world.machines[:3]]
    frozen = len(kept.trace().statements("MINOR FREEZE", succeeded=True))
    kept.hold("leaders")
    started = world.api.post(f"{path}/restart").data
    wait_until(lambda: stays_leader(world, started["id"]), "the zone that leads is stopped, and leads still", TASK_SECONDS)
    assert pid(world.machines[1]) == former[1]
    kept.hold("leaders", False)
    world.works(started["id"])
    kept.trace().assert_one_zone_at_a_time({f"{m.address}:2882": f"zone{i + 1}" for i, m in enumerate(world.machines[:3])})
    assert len(kept.trace().statements("MINOR FREEZE", succeeded=True)) == frozen + 3
    assert world.api.get(path).data["status"] == "RUNNING"
    assert all(now != then for now, then in zip([m.processes("bin/observer")[0][0] for m in world.machines[:3]], former))
    assert {status for status, in world.sql("SELECT status FROM oceanbase.DBA_OB_ZONES")} == {"ACTIVE"}


def stays_leader(world, task):
    """Zone 2 leads (the primary zone): its step waits."""
    return any(step["status"] == "RUNNING" and "leads nothing" in step["name"] and "zone2" in step["name"]
               for step in world.api.get(f"{TASKS}/{task}").data["subtasks"])


def kernel(world, cluster):
    return ObState(world.state, "made", world.api.get(f"{CLUSTERS}/{cluster[0]}").data["obClusterId"])


def pid(machine):
    """Number of the observer there; None: none runs."""
    found = machine.processes("bin/observer")
    return found[0][0] if found else None


def servers(world, path):
    """{address: id} of the cluster's servers, as OCP shows them."""
    return {s["ip"]: s["id"] for s in world.api.get(f"{path}/servers").contents}


def members(world):
    return dict(world.sql("SELECT svr_ip, zone FROM oceanbase.DBA_OB_SERVERS"))


def leaves_only_what_serves(world, cluster, one):
    """The other server of the zone is stopped when the step is run again: nothing could take units, so the cluster is not told to delete."""
    kept, old = kernel(world, cluster), world.machines[0].address
    kept.fault("DELETE SERVER", "error", number=4012, text="Timeout")
    started = world.api.post(f"{CLUSTERS}/{cluster[0]}/servers/batchDelete", {"servers": [one]}).data
    fails(world, started, "Timeout")
    world.sql(f"ALTER SYSTEM STOP SERVER '{old}:2882'", host=world.machines[1])
    told = len(kept.trace().statements("^ALTER SYSTEM DELETE SERVER"))
    world.api.post(f"{TASKS}/{started['id']}/retry").ok()
    wait_until(lambda: "last server of the zone" in world.story(world.end(started["id"])), "the step refuses", TASK_SECONDS)
    assert len(kept.trace().statements("^ALTER SYSTEM DELETE SERVER")) == told
    world.sql(f"ALTER SYSTEM START SERVER '{old}:2882'", host=world.machines[1])
    world.api.post(f"{TASKS}/{started['id']}/retry").ok()
    world.works(started["id"])


def test_a_server_is_added_restarted_and_deleted(world, cluster):
    path = f"{CLUSTERS}/{cluster[0]}"
    new, host = world.machines[3], world.hosts[3]
    world.works(world.api.post(f"{path}/servers", {"zoneName": "zone1", "servers": [host]}).data["id"])
    assert members(world)[new.address] == "zone1" and world.observers(new)
    world.api.post(f"{path}/servers", {"zoneName": "zone1", "servers": [host]}).refused(409, 11021)
    world.api.post(f"{path}/servers", {"zoneName": "zone9", "servers": [host]}).refused(404, 12002)
    one, former = servers(world, path)[new.address], pid(new)
    world.works(world.api.post(f"{path}/servers/{one}/restart", {"force": False}).data["id"])
    assert pid(new) not in (None, former)
    leaves_only_what_serves(world, cluster, one)
    assert new.address not in members(world) and pid(new) is None and not new.home("admin/oceanbase/made").exists()
    last = servers(world, path)[world.machines[0].address]
    world.api.post(f"{path}/servers/batchDelete", {"servers": [last]}).refused(409, 13011)


def test_a_zone_is_added_restarted_and_deleted(world, cluster):
    path = f"{CLUSTERS}/{cluster[0]}"
    new, host = world.machines[3], world.hosts[3]
    wish = {"name": "zone4", "idcName": "n1", "servers": [host]}
    world.works(world.api.post(f"{path}/zones", wish).data["id"])
    assert dict(world.sql("SELECT zone, status FROM oceanbase.DBA_OB_ZONES"))["zone4"] == "ACTIVE" and members(world)[new.address] == "zone4"
    world.api.post(f"{path}/zones", wish).refused(409, 12003)
    former = pid(new)
    world.works(world.api.post(f"{path}/zones/zone4/restart").data["id"])
    assert pid(new) not in (None, former)
    world.works(world.api.call("DELETE", f"{path}/zones/zone4").data["id"])
    assert "zone4" not in dict(world.sql("SELECT zone, status FROM oceanbase.DBA_OB_ZONES")) and pid(new) is None
    world.api.call("DELETE", f"{path}/zones/zone3").refused(409, 12007)


def test_a_server_is_replaced(world, cluster):
    path = f"{CLUSTERS}/{cluster[0]}"
    old, new = world.machines[2], world.machines[3]
    units = set(world.sql(f"SELECT unit_id FROM oceanbase.DBA_OB_UNITS WHERE svr_ip = '{old.address}'"))
    world.works(world.api.post(f"{path}/servers/{servers(world, path)[old.address]}/replace", {"hostId": world.hosts[3]}).data["id"])
    assert units and units == set(world.sql(f"SELECT unit_id FROM oceanbase.DBA_OB_UNITS WHERE svr_ip = '{new.address}'"))
    assert old.address not in members(world) and pid(old) is None and pid(new)
    assert_units_empty_before_delete(world.sql(DELETIONS), f"{old.address}:2882")


def test_it_is_deleted_with_its_files(world, cluster):
    path = f"{CLUSTERS}/{cluster[0]}"
    world.works(world.api.call("DELETE", path).data["id"])
    world.api.get(path).refused(404)
    for machine in world.machines:
        assert not world.observers(machine)
        assert not machine.home("admin/oceanbase/made").exists() and not machine.home("data/1/made").exists()
    assert world.api.anonymous().get("/services", {"Action": "ObRootServiceInfo", "ObCluster": "made"}).status == 404


def test_what_was_sent_has_the_syntax_of_the_manual(world, cluster):
    """All that was done to the cluster so far, as its servers heard it."""
    del cluster
    [folder] = world.state.glob("made-*")
    sent = {line["text"] for line in Trace.of(folder / "trace.jsonl").statements()}
    assert not obmanual.strangers(sent)
    zones = {f"{m.address}:2882": f"zone{i + 1}" for i, m in enumerate(world.machines[:3])}
    Trace.of(folder / "trace.jsonl").assert_one_zone_at_a_time({**zones, f"{world.machines[3].address}:2882": "zone4"})
    for words in ("BOOTSTRAP", "ADD SERVER", "DELETE SERVER", "MIGRATE UNIT", "ADD ZONE", "STOP ZONE", "START ZONE", "DELETE ZONE"):
        assert any(text.startswith(f"ALTER SYSTEM {words}") for text in sent), f"{words} was not sent"


# --- in spite of everything ---------------------------------------------------------------------------------------------------------------


def pursue(world, task):
    """Runs failed steps again, as a person would, until the task has succeeded."""
    for _ in range(5):
        ended = world.end(task)
        if ended["status"] == "SUCCESSFUL":
            return
        world.api.post(f"{TASKS}/{task}/retry").ok()
    raise AssertionError(world.story(ended))


def test_it_is_created_in_spite_of_trouble(world):
    """A process does not start at first, the answer to BOOTSTRAP is lost, the root service moves meanwhile, what was done is called late."""
    trouble = [{"op": "refuse_start", "server": f"{world.machines[1].address}:2882"},
               {"op": "fault", "pattern": "^ALTER SYSTEM BOOTSTRAP", "kind": "lost"},
               {"op": "fault", "pattern": "MODIFY ZONE", "kind": "error", "number": 4638, "text": "not the master root service"},
               {"op": "fault", "pattern": "obconfig_url", "kind": "error", "number": 4012, "text": "Timeout", "done": True}]
    with waiting(world.state, *trouble):
        started = world.api.post(CLUSTERS, world.wish("troubled", rpmName=world.newer)).data
        pursue(world, started["id"])
    path = f"{CLUSTERS}/{started['clusterId']}"
    trace = ObState(world.state, "troubled", world.api.get(path).data["obClusterId"]).trace()
    trace.assert_once("^ALTER SYSTEM BOOTSTRAP")
    trace.assert_once("^ALTER SYSTEM LOAD MODULE DATA")       # this version has a statement for it
    assert not obmanual.strangers(line["text"] for line in trace.statements())
    trace.assert_no_secret(PASSWORD, "Proxy-ro-1")
    assert world.sql("SELECT user FROM mysql.user WHERE user = 'proxyro'") == (("proxyro",),)
    assert "refused by a test" in world.machines[1].run("cat", "/home/admin/oceanbase/troubled/log/observer.log")
    world.works(world.api.call("DELETE", path).data["id"])


def test_what_cannot_be_created_is_rolled_back(world):
    """A process that never starts: the task fails, says why, and takes everything back; then the hosts can be used again."""
    with waiting(world.state, {"op": "refuse_start", "server": f"{world.machines[2].address}:2882", "times": 100}):
        started = world.api.post(CLUSTERS, world.wish("hopeless")).data
        ended = world.end(started["id"])
    assert ended["status"] == "FAILED"
    [step] = [s for s in ended["subtasks"] if s["status"] == "FAILED"]
    said = world.api.get(f"{TASKS}/{started['id']}/subtasks/{step['id']}/log").data["log"]
    assert world.machines[2].address in said and "log/observer.log" in said
    world.api.post(f"{TASKS}/{started['id']}/rollback").ok()
    wait_until(lambda: world.api.get(f"{CLUSTERS}/{started['clusterId']}").status == 404, "the cluster is forgotten")
    for machine in world.machines[:3]:
        assert not world.observers(machine)
        assert not machine.home("admin/oceanbase/hopeless").exists() and not machine.home("data/1/hopeless").exists()
    assert world.api.post(f"{CLUSTERS}/createPreCheck", world.wish("hopeless")).data == {"valid": True, "messages": []}
