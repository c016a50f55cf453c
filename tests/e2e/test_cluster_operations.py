# SPDX-License-Identifier: Apache-2.0
"""Zones and servers of a simulated cluster are stopped and started by tasks; what would lose a majority is refused."""
import pytest

from lib.py.obsim import Obsim
from lib.py.process import wait_until

CLUSTERS = "/api/v2/ob/clusters"


def finish(api, started, status="SUCCESSFUL"):
    return wait_until(lambda: _ended(api, started["id"], status), f"task {started['id']} is {status}")


def _ended(api, number, status):
    task = api.get(f"/api/v2/tasks/{number}").data
    assert task["status"] in ("RUNNING", status), task
    return task if task["status"] == status else None


@pytest.fixture(scope="module")
def world(ocp_server):
    """(api, path of the cluster, simulator): three zones with two servers each, one tenant."""
    api = ocp_server.api()
    with Obsim(cluster="changed:8", servers=2, tenants=1, name="obsim-operations") as sim:
        started = api.post(f"{CLUSTERS}/takeOver", {"rootSysPassword": sim.password, "address": sim.host, "port": sim.port}).data
        finish(api, started)
        yield api, f"{CLUSTERS}/{started['clusterId']}", sim
        finish(api, api.post(f"{CLUSTERS}/{started['clusterId']}/moveOut", {}).data)


def zones(sim):
    return dict(sim.sql("SELECT zone, status FROM oceanbase.DBA_OB_ZONES"))


def stopped(sim):
    return [ip for ip, at in sim.sql("SELECT svr_ip, stop_time FROM oceanbase.DBA_OB_SERVERS") if at]


def servers(api, path, zone=None):
    return [s for s in api.get(f"{path}/servers").contents if zone in (None, s["zoneName"])]


def names(api, path):
    return sorted({s["zoneName"] for s in servers(api, path)})


def test_a_zone_is_stopped_and_started(world):
    api, path, sim = world
    first, second = names(api, path)[:2]
    finish(api, api.post(f"{path}/zones/{first}/stop").data)
    assert zones(sim)[first] == "INACTIVE"
    [shown] = [z for z in api.get(f"{path}/zones").contents if z["name"] == first]
    assert shown["status"] == "STOPPED", "the task has looked"
    api.post(f"{path}/zones/{second}/stop").refused(409, 12004, first)
    finish(api, api.post(f"{path}/zones/{first}/stop").data)
    finish(api, api.post(f"{path}/zones/{first}/start").data)
    assert zones(sim)[first] == "ACTIVE"
    finish(api, api.post(f"{path}/zones/{first}/start").data)
    api.post(f"{path}/zones/nowhere/stop").refused(404, 12002, "nowhere")


def test_a_server_is_stopped_and_started(world):
    api, path, sim = world
    zone = names(api, path)[2]
    one = servers(api, path, zone)[0]
    finish(api, api.post(f"{path}/servers/{one['id']}/stop", {"force": False}).data)
    assert stopped(sim) == [one["ip"]]
    finish(api, api.post(f"{path}/servers/{one['id']}/start").data)
    assert stopped(sim) == []
    api.post(f"{path}/servers/999999/stop").refused(404, 13001)


def test_a_majority_stays_unless_it_is_forced(world):
    api, path, sim = world
    one, other = (servers(api, path, zone)[0] for zone in names(api, path)[:2])
    finish(api, api.post(f"{path}/servers/{one['id']}/stop").data)
    api.post(f"{path}/servers/{other['id']}/stop").refused(409, 12004, one["ip"])
    assert stopped(sim) == [one["ip"]]
    finish(api, api.post(f"{path}/servers/{one['id']}/start").data)


def test_every_statement_came_over_a_known_session(world):
    """What changed the cluster ran over sessions of the tasks alone, each for its own run."""
    api, path, sim = world
    sim.ctl("clear")
    before = len(sim.audit())
    zone = names(api, path)[0]
    finish(api, api.post(f"{path}/zones/{zone}/stop").data)
    finish(api, api.post(f"{path}/zones/{zone}/start").data)
    changes = [row for row in sim.audit()[before:] if row["text"].upper().startswith("ALTER SYSTEM")]
    assert [row["text"].split()[2] for row in changes] == ["STOP", "START"]
    assert len({row["session"] for row in changes}) == 2


def test_a_refusal_of_the_cluster_is_told_and_may_be_repeated(world):
    api, path, sim = world
    zone = names(api, path)[1]
    fault = sim.fault("STOP ZONE", "error", number=4179, text="log not sync, stop zone not allowed")
    started = api.post(f"{path}/zones/{zone}/stop").data
    finish(api, started, "FAILED")
    assert zones(sim)[zone] == "ACTIVE" and fault
    api.post(f"/api/v2/tasks/instances/{started['id']}/retry").ok()
    finish(api, started)
    assert zones(sim)[zone] == "INACTIVE"
    finish(api, api.post(f"{path}/zones/{zone}/start").data)


def test_what_has_changed_since_the_check_is_seen_by_the_step(world):
    """Somebody stops a server of another zone while the task waits to be run again: the zone is not stopped then, nor is the cluster asked to."""
    api, path, sim = world
    zone, other = names(api, path)[:2]
    away = servers(api, path, other)[0]
    sim.fault("STOP ZONE", "error", number=4179, text="log not sync, stop zone not allowed")
    started = api.post(f"{path}/zones/{zone}/stop").data
    finish(api, started, "FAILED")
    sim.sql(f"ALTER SYSTEM STOP SERVER '{away['ip']}:{away['port']}'")
    before = len(sim.audit())
    api.post(f"/api/v2/tasks/instances/{started['id']}/retry").ok()
    task = wait_until(lambda: refused_again(api, started["id"]), "the step has refused")
    assert away["ip"] in task["description"] and "STOP ZONE" not in " ".join(row["text"] for row in sim.audit()[before:])
    assert zones(sim)[zone] == "ACTIVE"
    sim.sql(f"ALTER SYSTEM START SERVER '{away['ip']}:{away['port']}'")
    api.post(f"/api/v2/tasks/instances/{started['id']}/retry").ok()
    finish(api, started)
    finish(api, api.post(f"{path}/zones/{zone}/start").data)


def refused_again(api, number):
    """The step that has failed a second time."""
    task = api.get(f"/api/v2/tasks/instances/{number}").data
    failed = [step for step in task["subtasks"] if step["status"] == "FAILED"]
    return failed[0] if task["status"] == "FAILED" and failed and "not sync" not in failed[0]["description"] else None
