# SPDX-License-Identifier: Apache-2.0
"""A cluster that this OCP has created on hosts of its own: stopped, started, grown, shrunk, and deleted with its files."""
import json

from ..walk import named
from . import scenario


@scenario("ob-cluster-create", "ob-cluster-create-pre-check")
def new_cluster(walk):
    """It is being created while the walk goes on."""
    walk.machines(4)
    body = walk.new_cluster["body"]
    assert walk.new_cluster["clusterId"] and json.loads(walk.new_cluster["context"])["parallel"]
    refused = walk.do("ob-cluster-create-pre-check", {**body, "name": "1st", "type": "STANDBY"})
    assert not refused["valid"] and len(refused["messages"]) > 1, refused


@scenario("ob-cluster-create", "ob-cluster-stop", "ob-cluster-start", "ob-cluster-restart", "hosts-list", "host-get")
def created_cluster(walk):
    walk.machines(4)
    walk.finish(walk.new_cluster)
    cluster = walk.new_cluster["clusterId"]

    def status():
        return walk.do("ob-cluster-get", id=cluster)["status"]
    for operation, after in (("stop", "STOPPED"), ("start", "RUNNING"), ("restart", "RUNNING")):
        walk.finish(walk.do(f"ob-cluster-{operation}", id=cluster))
        assert status() == after
    package = named(walk.rows("software-packages-list", {"size": 100}), walk.new_cluster["body"]["rpmName"], "fileName")
    host = named(walk.rows("hosts-list", {"size": 100}), walk.new_hosts["hostIds"][0], "id")
    service = named(host["services"], "created")
    assert (service["type"], service["softwarePackageId"]) == ("OB_CLUSTER", package["id"]) and service["version"].startswith(package["version"]), service
    assert walk.do("host-get", hostId=host["id"])["services"] == host["services"]


def servers(walk, cluster):
    """{address: id}"""
    return {s["ip"]: s["id"] for s in walk.rows("ob-cluster-servers-list", clusterId=cluster)}


@scenario("ob-cluster-zone-create", "ob-cluster-zone-restart", "ob-cluster-zone-delete", "ob-cluster-server-create", "ob-cluster-server-restart",
          "ob-cluster-server-batch-delete", "ob-cluster-server-replace")
def created_cluster_grows(walk):
    """And shrinks again: by a zone, by a server, and one server is replaced."""
    walk.machines(4)
    cluster, spare, address = walk.new_cluster["clusterId"], walk.new_hosts["hostIds"][3], walk.machines().addresses[3]
    walk.finish(walk.do("ob-cluster-zone-create", {"name": "zone4", "idcName": walk.idc["name"], "servers": [spare]}, id=cluster))
    assert named(walk.rows("ob-cluster-zones-list", id=cluster), "zone4")["idcName"] == walk.idc["name"]
    walk.finish(walk.do("ob-cluster-zone-restart", id=cluster, zoneName="zone4"))
    walk.finish(walk.do("ob-cluster-zone-delete", id=cluster, zoneName="zone4"))
    walk.finish(walk.do("ob-cluster-server-create", {"zoneName": "zone1", "servers": [spare]}, id=cluster))
    walk.finish(walk.do("ob-cluster-server-restart", {"force": False}, id=cluster, serverId=servers(walk, cluster)[address]))
    walk.finish(walk.do("ob-cluster-server-batch-delete", {"servers": [servers(walk, cluster)[address]]}, id=cluster))
    former = walk.machines().addresses[2]
    assert set(servers(walk, cluster)) == set(walk.machines().addresses[:3])
    walk.finish(walk.do("ob-cluster-server-replace", {"hostId": spare}, id=cluster, serverId=servers(walk, cluster)[former]))
    assert former not in servers(walk, cluster) and address in servers(walk, cluster)


@scenario("ob-cluster-delete")
def created_cluster_goes(walk):
    walk.machines(4)
    cluster = walk.new_cluster["clusterId"]
    walk.finish(walk.do("ob-cluster-delete", id=cluster))
    walk.gone("ob-cluster-get", id=cluster)
