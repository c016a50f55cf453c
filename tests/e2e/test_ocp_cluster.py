# SPDX-License-Identifier: Apache-2.0
"""The life of a cluster of nodes: founded, joined, grown, shrunk, lost and founded anew, on real processes."""
import os
import shutil

import pytest

from lib.py.ocpcluster import OcpCluster, query
from lib.py.process import new_dir, wait_until
from lib.py.server import OcpServer

REGIONS = "/api/v2/compute/regions"


@pytest.fixture
def cluster(metadb):
    """Three nodes that run."""
    with OcpCluster(metadb) as running:
        yield running


@pytest.fixture
def machines(metadb):
    """Three machines with settings, none of which is a node yet."""
    them = OcpCluster(metadb)
    yield them
    them.close()


def wipe(node):
    """Its Raft disk is lost."""
    shutil.rmtree(node.data / "raft")


# -- founding ----------------------------------------------------------------------------------------------------------


def test_three_nodes_elect_one_and_then_another(cluster):
    leader = cluster.leader()
    epoch = cluster.row()["epoch"]
    region = cluster.api(0).post(REGIONS, {"name": "shared"}).data
    for i in range(3):
        assert cluster.api(i).get(f"{REGIONS}/{region['id']}").data["name"] == "shared"
    leader.kill()
    other = cluster.leader(above=epoch)
    assert other is not leader and cluster.row()["generation"] == 1
    leader.start()
    assert len(query(cluster.database, "SELECT * FROM node")) == 3, "it is the node that it was"


def test_secrets_of_a_founding_are_in_no_file_but_sealed(machines):
    output = machines.found()
    for address, (path, secret) in machines.bundles(output).items():
        text = open(path, encoding="utf-8").read()
        assert "PRIVATE KEY" not in text and secret not in text and '"founding": true' in text
        assert os.stat(path).st_mode & 0o777 == 0o600
        key = (machines.nodes[0].data / "master.key").read_text().strip()
        assert key not in text
    assert all("PRIVATE" not in str(row) for row in query(machines.database, "SELECT * FROM ocp_cluster"))
    for node in machines.nodes:
        for file in ("peer/node.pem", "peer/authority.crt", "raft/log", "master.key"):
            assert os.stat(node.data / file).st_mode & 0o777 == 0o600, file


def test_what_cannot_be_founded(machines):
    admin = machines.nodes[0]
    addresses = [machines.peer_address(n) for n in machines.nodes]
    assert "survive the loss of neither" in admin.run("--found", "--nodes", ",".join(addresses[:2]), "--out", "out", status=1)
    assert "more than 9" in admin.run("--found", "--nodes", ",".join(f"127.0.0.1:{p}" for p in range(1, 11)), "--out", "out", status=1)
    assert "master.key cannot be used" in admin.run("--recover", "--i-have-stopped-all-others", status=1)
    out = new_dir("bundles", admin.account)
    first = machines.bundles(admin.run("--found", "--nodes", ",".join(addresses), "--out", out))
    assert "cannot be made: File exists" in admin.run("--found", "--nodes", ",".join(addresses), "--out", out, status=1)
    again = machines.bundles(admin.run("--found", "--nodes", ",".join(addresses), "--out", new_dir("bundles", admin.account)))
    assert first.keys() == again.keys() and first != again
    assert "belongs to a cluster of nodes already" in admin.run("--found", "--nodes", addresses[0], "--out", new_dir("b", admin.account), status=1)
    machines.join(machines.nodes, {**first, addresses[2]: again[addresses[2]]})   # bundles of both times are of one cluster
    machines.start()
    machines.leader()
    assert "belongs to a cluster of nodes already" in admin.run("--found", "--nodes", ",".join(addresses), "--out", new_dir("b", admin.account),
                                                                  status=1)
    assert "Stop ocp-server on all nodes" in admin.run("--recover", "--nodes", addresses[0], "--out", new_dir("b", admin.account),
                                                      "--i-have-stopped-all-others", status=1)
    machines.stop()


def test_what_cannot_join(machines):
    bundles = machines.bundles(machines.nodes[0].run("--found", "--nodes", ",".join(map(machines.peer_address, machines.nodes)), "--out",
                                                     new_dir("bundles", machines.nodes[0].account)))
    a, b, c = machines.nodes
    path, secret = bundles[machines.peer_address(a)]
    assert "does not open this bundle" in a.run("--join", path, status=1, OCP_JOIN_SECRET=bundles[machines.peer_address(b)][1])
    assert "no join bundle" in a.run("--join", "/etc/passwd", status=1, OCP_JOIN_SECRET=secret)
    assert "remove standalone" in OcpServer(None).run("--join", path, status=1, OCP_JOIN_SECRET=secret)
    assert not (a.data / "raft").exists()
    machines.join(machines.nodes, bundles)
    a.run("--join", path, OCP_JOIN_SECRET=secret)   # again: nothing more
    assert "is a member of a cluster already" in b.run("--join", path, status=1, OCP_JOIN_SECRET=secret)
    machines.start()
    assert "in use by another ocp-server" in a.run("--join", path, status=1, OCP_JOIN_SECRET=secret)
    machines.stop()


def test_a_stranger_is_sent_away(cluster):
    stranger = cluster.new_node()
    stranger.launch()
    assert stranger.process.wait() == 1
    assert "is no member of" in stranger.tail() and "ocpctl cluster add" in stranger.tail()
    stranger._expected_death = True


# -- disasters ---------------------------------------------------------------------------------------------------------


def lead_with(cluster, nodes, generation):
    """These nodes run and one of them leads in this generation."""
    epoch = cluster.row()["epoch"]
    cluster.start(nodes)
    leader = cluster.leader(above=epoch)
    assert leader in nodes and cluster.row()["generation"] == generation
    return leader


def kill_all_and_wait(cluster):
    for node in cluster.nodes:
        node.kill()
    wait_until(lambda: not query(cluster.database, "SELECT id FROM node WHERE seen_at > NOW(6) - INTERVAL 11 SECOND"), "nobody was seen lately")


def test_two_of_three_are_lost(cluster):
    cluster.api(0).post(REGIONS, {"name": "kept"}).ok()
    survivor, *lost = cluster.nodes
    kill_all_and_wait(cluster)
    for node in lost:
        wipe(node)
    assert "generation 2" in survivor.run("--recover", "--i-have-stopped-all-others")
    lead_with(cluster, [survivor], 2)
    assert [r["name"] for r in cluster.api(0).get(REGIONS).contents] == ["kept"]
    assert len(query(cluster.database, "SELECT * FROM node")) == 1


def test_all_raft_disks_are_lost_and_an_old_node_comes_back(cluster):
    cluster.leader()
    kill_all_and_wait(cluster)
    revenant = cluster.nodes[2]
    for node in cluster.nodes[:2]:
        wipe(node)
    spare = cluster.new_node()
    shutil.copy(cluster.nodes[0].data / "master.key", spare.data / "master.key")
    os.chown(spare.data / "master.key", os.stat(spare.data).st_uid, os.stat(spare.data).st_gid)
    nodes = [cluster.nodes[0], cluster.nodes[1], spare]
    cluster.recover(nodes)
    lead_with(cluster, nodes, 2)
    epoch = cluster.row()["epoch"]
    revenant.launch()                                    # of generation 1, and of no list any more
    assert revenant.process.wait() != 0
    revenant._expected_death = True
    assert "removed" in revenant.tail()
    assert cluster.row()["epoch"] == epoch and cluster.row()["generation"] == 2


def test_metadb_comes_from_a_backup(cluster):
    cluster.leader()
    kill_all_and_wait(cluster)
    before = query(cluster.database, "SELECT epoch, lineage FROM leader_epoch, ocp_cluster")[0]
    cluster.recover(cluster.nodes, "--restored")
    after = query(cluster.database, "SELECT epoch, lineage FROM leader_epoch, ocp_cluster")[0]
    assert after["epoch"] == before["epoch"] + 1000 and after["lineage"] != before["lineage"]
    lead_with(cluster, cluster.nodes, 2)


def test_a_node_alone_loses_its_raft_directory(new_ocp_server):
    server = new_ocp_server(None)
    server.api().post(REGIONS, {"name": "kept"}).ok()
    server.kill()
    wipe(server)
    server.launch()
    assert server.process.wait() == 1 and "--recover" in server.tail()
    server._expected_death = True

    def recovered():
        output = server.run("--recover", "--i-have-stopped-all-others", status=None)
        return "Start ocp-server now" in output
    wait_until(recovered, "the node has not been seen for long enough")
    server.start()
    assert [r["name"] for r in server.api().get(REGIONS).contents] == ["kept"]
