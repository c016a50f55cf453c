# SPDX-License-Identifier: Apache-2.0
"""What only the leader does: tasks are accepted by any node and run by one, through every change of leaders."""
import re

import pytest

from lib.py.ocpcluster import OcpCluster, query
from lib.py.process import wait_until

CLUSTERS = "/api/v2/ob/clusters"
LEADERSHIPS = "/api/v2/ocp/leaderships"


@pytest.fixture
def cluster(metadb):
    with OcpCluster(metadb) as running:
        running.leader()
        yield running


def index_of(cluster, node):
    return cluster.nodes.index(node)


def take_over(api, sim):
    return api.post(f"{CLUSTERS}/takeOver", {"address": sim.host, "port": sim.port, "rootSysPassword": sim.password}).data


def finished(api, task):
    def ended():
        now = api.get(f"/api/v2/tasks/{task['id']}").data
        return now if now["status"] != "RUNNING" else None
    return wait_until(ended, f"task {task['id']} ends")


def workers(cluster, task):
    return query(cluster.database, "SELECT series, worker, dispatch, status, error FROM subtask WHERE task_id = %s ORDER BY series", task["id"])


def test_a_task_of_any_node_is_run_by_all(cluster, obsim):
    api = cluster.api(index_of(cluster, cluster.followers()[0]))
    names = {f"node{i + 1}" for i in range(3)}
    leader = cluster.api(index_of(cluster, cluster.leader()))
    wait_until(lambda: re.search(r"^ocp_task_workers 3$", leader.get("/metrics").body.decode(), re.M), "the leader knows that every node takes steps")
    assert finished(api, take_over(api, obsim))["status"] == "SUCCESSFUL"
    [task] = query(cluster.database, "SELECT id FROM task")
    steps = workers(cluster, task)
    assert {s["dispatch"] for s in steps} == {1} and {s["worker"] for s in steps} <= names and len({s["worker"] for s in steps}) > 1
    assert not query(cluster.database, "SELECT * FROM task_lock")


@pytest.mark.parametrize("end", ["kill", "pause", "stop"])
def test_a_task_goes_on_without_the_node_that_ran_it(cluster, new_obsim, end):
    sim = new_obsim(servers=1, tenants=1)
    leader = cluster.leader()
    sim.fault("DBA_OB_UNITS", "silent")                       # the first step waits for an answer
    task = take_over(cluster.api(0), sim)
    wait_until(lambda: any("DBA_OB_UNITS" in s["text"] for s in sim.audit()), "the first step has asked")
    name = workers(cluster, task)[0]["worker"]
    victim = cluster.nodes[int(name.removeprefix("node")) - 1]
    api = cluster.api(next(i for i, n in enumerate(cluster.nodes) if n is not victim))
    epoch = cluster.row()["epoch"]
    getattr(victim, end)()
    if victim is leader:
        assert cluster.leader(above=epoch) is not victim
    assert finished(api, task)["status"] == "SUCCESSFUL", workers(cluster, task)
    first, *_ = workers(cluster, task)
    assert first["worker"] != name and first["dispatch"] >= 2
    if end == "pause":
        before = workers(cluster, task)
        victim.resume()
        wait_until(lambda: victim.probe("/replica") == 200, "the former worker follows")
        assert workers(cluster, task) == before, "it has finished nothing"
    else:
        victim.start()
    if victim is leader:
        newest, *_ = api.get(LEADERSHIPS).contents
        assert newest["cause"] == {"kill": "DIED", "pause": "SILENT", "stop": "HANDED_OVER"}[end]


def test_a_follower_that_ends_changes_nothing(cluster):
    before, follower = cluster.row(), cluster.followers()[0]
    follower.kill()
    follower.start()
    follower.pause()
    follower.resume()
    follower.restart()
    assert cluster.row() == before
