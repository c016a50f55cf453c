# SPDX-License-Identifier: Apache-2.0
"""The life of a cluster of nodes: founded, joined, grown, shrunk, lost and founded anew, on real processes."""
import os
import shutil
import subprocess

import pytest

from lib.py.ocpcluster import OcpCluster, query
from lib.py.process import new_dir, wait_until
from lib.py.server import OcpServer, built

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
    assert revenant.process.wait() == 72, "systemd does not start it again"
    revenant._expected_death = True
    assert "founded anew without this node" in revenant.tail()
    assert cluster.row()["epoch"] == epoch and cluster.row()["generation"] == 2


def test_metadb_comes_from_a_backup(cluster):
    cluster.leader()
    kill_all_and_wait(cluster)
    before = query(cluster.database, "SELECT epoch, lineage FROM leader_epoch, ocp_cluster")[0]
    cluster.recover(cluster.nodes, "--restored")
    after = query(cluster.database, "SELECT epoch, lineage FROM leader_epoch, ocp_cluster")[0]
    assert after["epoch"] >= before["epoch"] + 1000 and after["lineage"] != before["lineage"]
    generation = cluster.row()["generation"]
    assert generation > 1
    lead_with(cluster, cluster.nodes, generation)


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


# -- growing and shrinking ---------------------------------------------------------------------------------------------

CLUSTER = "/api/v2/ocp/cluster"
NODES = "/api/v2/ocp/nodes"
TRANSFER = "/api/v2/ocp/leader/transfer"


def members(cluster, i=0):
    """{name: member} as the leader, or the node i, sees them."""
    return {m["name"]: m for m in cluster.api(i).get(CLUSTER).data["members"]}


def as_leader(cluster):
    """The same, of the leader, who alone knows how far the others are."""
    return members(cluster, cluster.nodes.index(cluster.leader()))


def wait_roles(cluster, **roles):
    def fits():
        return {name: m["role"] for name, m in as_leader(cluster).items()} == roles
    wait_until(fits, f"the members are {roles}", alive=lambda: None)


def repeated(call):
    """The reply to call(), which is repeated while it is 503: nobody leads for a moment."""
    return wait_until(lambda: next((r for r in [call()] if r.status != 503), None), "somebody leads")


def add(cluster, via=0, **more):
    """One more node: added over the API of node `via`, joined, started."""
    node = cluster.new_node()
    wanted = {"peerAddress": cluster.peer_address(node), "name": f"node{len(cluster.nodes)}", **more}
    added = repeated(lambda: cluster.api(via).post(NODES, wanted)).data
    path = node.directory / "bundle"
    path.write_text(added["bundle"])
    path.chmod(0o644)
    node.run("--join", path, OCP_JOIN_SECRET=added["secret"])
    node.start()
    return node


@pytest.fixture
def grown(metadb):
    """A cluster of one that has founded itself."""
    cluster = OcpCluster(metadb, 1)
    try:
        cluster.start()
        yield cluster
        cluster.stop()
    finally:
        cluster.close()


def test_one_grows_to_three_and_shrinks(grown):
    wait_roles(grown, node1="VOTER")
    add(grown)
    wait_roles(grown, node1="VOTER", node2="STANDBY")
    wait_until(lambda: members(grown, 1)["node2"].get("waitReason") == "EVEN", "the second stays standby, and whoever is asked says why")
    assert members(grown, 1)["node1"]["self"] is True, "the leader has answered"
    assert grown.api(0).get(CLUSTER).data["tolerates"] == 0
    add(grown, via=1)                                  # a node that does not lead takes the call as well
    wait_roles(grown, node1="VOTER", node2="VOTER", node3="VOTER")
    assert grown.api(2).get(CLUSTER).data["tolerates"] == 1
    epoch = grown.row()["epoch"]
    grown.nodes[0].kill()
    assert grown.leader(above=epoch) is not grown.nodes[0]
    dead = grown.id_of(grown.nodes[0])
    api = grown.api(1)
    living = next(m["id"] for m in members(grown, 1).values() if m["id"] != dead and not m["leader"])
    wait_until(lambda: members(grown, 1)["node1"]["alive"] is False, "it is known to be dead")
    api.delete(f"{NODES}/{living}").refused(409, naming="no majority")
    api.post(NODES, {"peerAddress": "127.0.0.99:1"}).refused(409, naming="does not answer")
    wait_until(lambda: api.delete(f"{NODES}/{dead}").status == 200, "the dead one is removed")
    wait_until(lambda: sorted(m["role"] for m in as_leader(grown).values()) == ["STANDBY", "VOTER"], "of two, one votes")
    api.get(f"{NODES}/{dead}").refused(404)
    api.delete(f"{NODES}/{dead}").refused(404)
    last = next(m["id"] for m in as_leader(grown).values() if m["role"] == "VOTER")
    api.delete(f"{NODES}/{last}").refused(409, naming="the only one that votes")
    former = grown.nodes[0]                            # it comes back, and can do no harm
    row = grown.row()
    former.launch()
    assert former.process.wait() == 72 and "was removed from its cluster" in former.tail()
    former._expected_death = True
    assert grown.row()["term"] == row["term"]
    assert "node1" not in as_leader(grown)


def test_three_grow_to_five_with_a_witness(cluster):
    add(cluster)
    wait_roles(cluster, node1="VOTER", node2="VOTER", node3="VOTER", node4="STANDBY")
    witness = cluster.new_node()
    added = cluster.api(0).post(NODES, {"peerAddress": cluster.peer_address(witness), "name": "node5", "witness": True}).data
    again = cluster.api(1).post(NODES, {"peerAddress": cluster.peer_address(witness), "name": "node5", "witness": True}).data
    assert again["id"] == added["id"] and again["secret"] != added["secret"], "a lost answer is asked for again"
    path = witness.directory / "bundle"
    path.write_text(again["bundle"])
    path.chmod(0o644)
    witness.run("--join", path, OCP_JOIN_SECRET=again["secret"])
    witness.launch()
    wait_roles(cluster, **{f"node{i}": "VOTER" for i in range(1, 6)})
    wait_until(lambda: witness.probe("/readyz") == 503, "a witness serves nobody")
    asked = cluster.api(0).as_user("admin", cluster.nodes[0].password)
    asked.host, asked.port = witness.host, witness.port
    wait_until(lambda: asked.anonymous().get("/health").json.get("witness"), "it knows what it is")
    for path in (REGIONS, NODES, "/login", "/"):
        asked.get(path).refused(503, 90769, naming="witness")
    asked.post(REGIONS, {"name": "by-a-witness"}).refused(503, 90769)
    assert asked.get("/livez").status == 200 and asked.get("/members").status in (200, 401)
    assert witness.probe("/replica") == 200
    cluster.api(0).post(TRANSFER, {"nodeId": added['id']}).refused(409, naming="witness")
    assert cluster.api(0).get(CLUSTER).data["tolerates"] == 2
    for _ in range(2):                                 # two of five are lost
        leader, epoch = cluster.leader(), cluster.row()["epoch"]
        leader.kill()
        assert cluster.leader(above=epoch) is not witness


def test_leadership_is_handed_on_and_its_holder_removed(cluster):
    wait_until(lambda: all(m["alive"] for m in as_leader(cluster).values()), "all are heard")
    leader, epoch = cluster.leader(), cluster.row()["epoch"]
    heir = next(n for n in cluster.nodes if n is not leader)
    api = cluster.api(cluster.nodes.index(heir))
    api.post(TRANSFER, {"nodeId": cluster.id_of(heir)}).ok()
    assert cluster.leader(above=epoch) is heir
    epoch = cluster.row()["epoch"]
    gone = cluster.id_of(heir)
    first = api.delete(f"{NODES}/{gone}")
    first.refused(503, naming="Repeat the call")
    assert cluster.leader(above=epoch) is not heir
    other = cluster.api(cluster.nodes.index(leader))
    wait_until(lambda: other.delete(f"{NODES}/{gone}").status == 200, "the next leader removes it")
    assert heir.process.wait() == 72, "it ends by itself"
    assert "was removed" in heir.tail()
    heir._expected_death = True
    serials = query(cluster.database, "SELECT serial FROM node_certificate WHERE node_id = %s AND revoked_at IS NOT NULL", gone)
    assert len(serials) == 1
    for node in cluster.nodes:
        if node is not heir:
            wait_until(lambda n=node: (n.data / "peer" / "revoked").exists() and
                       serials[0]["serial"] in (n.data / "peer" / "revoked").read_text(), "every node has it on its disk")


def test_a_removed_node_is_refused_without_metadb(new_mariadb):
    server = new_mariadb()
    with OcpCluster(server.create_database("metadb")) as cluster:
        wait_until(lambda: all(m["alive"] for m in as_leader(cluster).values()), "all are heard")
        leader, (gone, _) = cluster.leader(), cluster.followers()
        api = cluster.api(cluster.nodes.index(leader))
        node, term = cluster.id_of(gone), cluster.row()["term"]
        gone.pause()
        wait_until(lambda: api.delete(f"{NODES}/{node}").status == 200, "it is removed, whether it answers or not")
        server.kill()
        gone.resume()                                  # it believes that it votes, and MetaDB tells nobody otherwise
        wait_until(lambda: "its node is no member" in leader.log.read_text() or "is no node of this cluster" in leader.log.read_text(),
                   "the others refuse it from what they know themselves")
        gone.kill()
        gone.launch()                                  # also as a new process
        wait_until(lambda: gone.log.read_text().count("cannot connect to member") >= 2 or
                   leader.log.read_text().count("is no member") >= 2, "it is refused again")
        health = api.anonymous().get("/health").json
        assert health["term"] == term and health["role"] == "leader"
        gone.kill()
        server.start()


def test_without_a_leader_any_node_says_what_it_knows(cluster):
    survivor = cluster.nodes[0]
    api = cluster.api(0)
    for node in cluster.nodes[1:]:
        node.kill()

    def view():
        reply = api.get(CLUSTER)
        return reply.data if reply.status == 200 and "leaderId" not in reply.data else None

    alone = wait_until(view, "it knows that nobody leads")
    assert [m["name"] for m in alone["members"] if m["alive"]] == ["node1"] and alone["tolerates"] == 0
    assert survivor.probe("/leader") == 503


def test_drain_and_resume(cluster):
    leader, epoch = cluster.leader(), cluster.row()["epoch"]
    node = cluster.id_of(leader)
    other = cluster.api(next(i for i, n in enumerate(cluster.nodes) if n is not leader))
    other.post(f"{NODES}/{node}/drain").ok()
    assert cluster.leader(above=epoch) is not leader
    wait_until(lambda: leader.probe("/readyz") == 503, "it is not ready")
    wait_until(lambda: other.get(f"{NODES}/{node}").data["status"] == "DRAINING", "it says so")
    other.post(TRANSFER, {"nodeId": node}).refused(409, naming="drained")
    leader.stop()
    leader.launch()                                    # it stays drained
    wait_until(lambda: leader.probe("/livez") == 200, "it lives")
    wait_until(lambda: "drained: not ready" in leader.tail(15), "it knows")
    other.post(f"{NODES}/{node}/resume").ok()
    leader.wait_ready()
    epoch = cluster.row()["epoch"]
    wait_until(lambda: other.post(TRANSFER, {"nodeId": node}).status == 200, "it is heard again, and leads")
    assert cluster.leader(above=epoch) is leader


def test_certificates_are_renewed_while_all_run(cluster):
    cluster.leader()
    term = cluster.row()["term"]
    before = {node: (node.data / "peer" / "node.pem").read_bytes() for node in cluster.nodes}
    api = cluster.api(0)
    for node in cluster.nodes:
        api.post(f"{NODES}/{cluster.id_of(node)}/renewCertificate").ok()
    for node in cluster.nodes:
        wait_until(lambda n=node: (n.data / "peer" / "node.pem").read_bytes() != before[n], "it has a new one")
        wait_until(lambda n=node: "certificate renewed" in n.tail(), "and uses it")
    assert len(query(cluster.database, "SELECT serial FROM node_certificate WHERE revoked_at IS NULL")) == 6
    follower = cluster.followers()[0]
    follower.restart()                                 # new connections in both directions, with the new ones
    wait_until(lambda: as_leader(cluster)[f"node{cluster.nodes.index(follower) + 1}"]["alive"], "they believe each other")
    assert cluster.row()["term"] == term


def test_what_cannot_be_added(cluster):
    api = cluster.api(0)
    wait_until(lambda: all(m["alive"] for m in as_leader(cluster).values()), "all are heard")
    for address in ("node4:8081", "127.0.0.4", "127.0.0.4:0", ""):
        assert api.post(NODES, {"peerAddress": address}).status == 400, address
    api.post(NODES, {"peerAddress": cluster.peer_address(cluster.nodes[1])}).refused(400, naming="another node")
    api.post(NODES, {"peerAddress": "127.0.0.4:8081", "name": "node1"}).refused(409)
    assert api.anonymous().post(NODES, {"peerAddress": "127.0.0.4:8081"}).status == 401
    assert len(query(cluster.database, "SELECT id FROM node")) == 3


def test_ocpctl_shows_and_changes_the_cluster(cluster):
    def ctl(*words, status=0):
        done = subprocess.run([built().parent / "ocpctl", *map(str, words)], capture_output=True, text=True, timeout=60, check=False,
                              cwd=cluster.nodes[0].directory, stdin=subprocess.DEVNULL, env={
                                  "PATH": "/usr/bin:/bin", "OCP_PASSWORD": cluster.nodes[0].password,
                                  "OCP_SERVER": ",".join(f"http://{n.host}:{n.port}" for n in cluster.nodes)})
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    cluster.api(0)
    wait_until(lambda: all(m["alive"] for m in as_leader(cluster).values()), "all are heard")
    text = ctl("cluster", "status")
    assert "losses survived" in text and text.count("VOTER") == 3
    heir = cluster.followers()[0]
    name, epoch = f"node{cluster.nodes.index(heir) + 1}", cluster.row()["epoch"]
    ctl("cluster", "transfer", name)
    assert cluster.leader(above=epoch) is heir
    assert "Join secret" in ctl("cluster", "add", "127.0.0.77:8081")
    bundle = cluster.nodes[0].directory / "127.0.0.77_8081.bundle"
    assert bundle.stat().st_mode & 0o777 == 0o600 and "PRIVATE" not in bundle.read_text()
    wait_until(lambda: "STANDBY" in ctl("cluster", "status"), "it waits for its log")
    assert "removed" in ctl("cluster", "remove", "127.0.0.77:8081")
    assert "removed" in ctl("cluster", "remove", name), "the leader hands over, and the call is repeated there"
    assert heir.process.wait() == 72
    heir._expected_death = True
    survivor = next(n for n in cluster.nodes if n is not heir)
    ctl("node", "drain", f"node{cluster.nodes.index(survivor) + 1}")
    ctl("node", "resume", f"node{cluster.nodes.index(survivor) + 1}")
    assert "node" in ctl("nodes")
