# SPDX-License-Identifier: Apache-2.0
"""What only the leader does: tasks are accepted by any node and run by one, through every change of leaders."""
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


def test_a_task_of_any_node_is_run_by_the_leader(cluster, obsim):
    leader = cluster.leader()
    follower = cluster.followers()[0]
    api = cluster.api(index_of(cluster, follower))
    assert finished(api, take_over(api, obsim))["status"] == "SUCCESSFUL"
    [task] = query(cluster.database, "SELECT id FROM task")
    assert {w["worker"] for w in workers(cluster, task)} == {f"node{index_of(cluster, leader) + 1}"}


@pytest.mark.parametrize("end", ["kill", "pause", "stop"])
def test_the_next_leader_goes_on_with_a_task(cluster, new_obsim, end):
    sim = new_obsim(servers=1, tenants=1)
    leader = cluster.leader()
    others = cluster.followers()
    api = cluster.api(index_of(cluster, others[0]))
    sim.fault("DBA_OB_UNITS", "silent")                       # the first step waits for an answer
    task = take_over(api, sim)
    wait_until(lambda: any("DBA_OB_UNITS" in s["text"] for s in sim.audit()), "the first step has asked")
    epoch = cluster.row()["epoch"]
    getattr(leader, end)()
    successor = cluster.leader(above=epoch)
    assert successor in others
    assert finished(api, task)["status"] == "SUCCESSFUL", workers(cluster, task)
    first, *_ = workers(cluster, task)
    assert first["worker"] == f"node{index_of(cluster, successor) + 1}" and first["dispatch"] >= 2
    if end == "pause":
        leader.resume()
        wait_until(lambda: leader.probe("/replica") == 200, "the former leader follows")
        assert cluster.leader() is successor
        assert [w for w in workers(cluster, task) if w["worker"] == f"node{index_of(cluster, leader) + 1}"] == [], "it has finished nothing"
    newest, *_ = api.get(LEADERSHIPS).contents
    assert newest["cause"] == {"kill": "DIED", "pause": "SILENT", "stop": "HANDED_OVER"}[end]
    assert newest["nodeName"] == f"node{index_of(cluster, successor) + 1}"
    if end != "pause":
        leader.start()


def test_a_follower_that_ends_changes_nothing(cluster):
    before, follower = cluster.row(), cluster.followers()[0]
    follower.kill()
    follower.start()
    follower.pause()
    follower.resume()
    follower.restart()
    assert cluster.row() == before
