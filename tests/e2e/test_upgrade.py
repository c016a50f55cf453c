# SPDX-License-Identifier: Apache-2.0
"""This version and the next one side by side: a cluster is upgraded node by node while clients call, and cannot go back by accident."""
import pytest

from chaos import client
from chaos.history import OK, History
from lib.py.nextversion import next_version
from lib.py.ocpcluster import OcpCluster, query
from lib.py.process import wait_until


@pytest.fixture(scope="module")
def program():
    return next_version()


def versions(cluster):
    """What each node says that it is."""
    return [cluster.api(i).get("/health").json["version"] for i in range(len(cluster.nodes))]


class Callers:
    """Clients with a list of the nodes, until the `with` ends."""

    def __init__(self, cluster):
        self.history = History()
        ends, login = [(n.host, n.port) for n in cluster.nodes], ("admin", cluster.api().password)
        self.clients = [client.Client(name, self.history, ends, login, plan, rate=30)
                        for name, plan in (("writer", client.creating), ("reader", client.reading))]

    def __enter__(self):
        for c in self.clients:
            c.start()
        return self.history

    def __exit__(self, *_):
        for c in self.clients:
            c.finish()


def upgrade(cluster, node, program):
    node.stop()
    node.program = program
    node.start()
    wait_until(lambda: cluster.leader().probe("/leader") == 200, "somebody leads")


def run_a_step_that_only_one_knows(cluster, new, sim):
    """The nodes of the former version get it first, since the new one is drained, and leave it alone until somebody knows it."""
    api, number = cluster.api(cluster.nodes.index(new)), cluster.id_of(new)
    api.post(f"/api/v2/ocp/nodes/{number}/drain").ok()
    wait_until(lambda: new.probe("/readyz") == 503, "the new node takes no steps")
    task = api.post("/api/v2/ob/clusters/takeOver", {"rootSysPassword": sim.password, "address": sim.host, "port": sim.port}).data["id"]

    def step():
        return query(cluster.database, "SELECT * FROM subtask WHERE task_id = %s AND name = 'Say what comes next'", task)[0]
    wait_until(lambda: step()["dispatch"] >= 3, "a node that does not know the step gives it back, and another one, too")
    assert api.get(f"/api/v2/tasks/{task}").data["status"] == "RUNNING"
    api.post(f"/api/v2/ocp/nodes/{number}/resume").ok()
    wait_until(lambda: api.get(f"/api/v2/tasks/{task}").data["status"] != "RUNNING", "the task ends")
    assert api.get(f"/api/v2/tasks/{task}").data["status"] == "SUCCESSFUL"
    assert (step()["worker_id"], step()["attempts"]) == (number, 0)


def test_cluster_is_upgraded_node_by_node_and_not_taken_back(metadb, program, obsim):
    with OcpCluster(metadb, settings={"ha.election_timeout": "5s"}) as cluster:
        last = cluster.leader()
        before, [old] = cluster.row()["epoch"], set(versions(cluster))
        followers = [n for n in cluster.nodes if n is not last]
        with Callers(cluster) as history:
            upgrade(cluster, followers[0], program)
            run_a_step_that_only_one_knows(cluster, followers[0], obsim)
            upgrade(cluster, followers[1], program)
            assert sorted(versions(cluster)) == sorted([old, f"{old}+next", f"{old}+next"])
            assert cluster.row()["epoch"] == before, "followers come and go without a change of leadership"
            upgrade(cluster, last, program)
        assert set(versions(cluster)) == {f"{old}+next"}
        assert cluster.row()["epoch"] == before + 1, "one change of leadership"
        failed = [c for c in history.calls if c.outcome != OK or len(c.tries) > 2]
        assert not failed, failed[:3]
        made = {r["name"] for r in query(metadb, "SELECT name FROM region")}
        assert {c.name for c in history.calls if c.op == "create"} == made and made

        last.stop()
        last.program = None
        refused = start_refused(last)
        assert "newer" in refused and "MetaDB" in refused, refused
        last.program = program
        last.start()


def start_refused(node):
    """The end of the log of a node that does not start."""
    node.launch()
    assert node.process.wait() == 1
    node._expected_death = True
    return node.process.output()
