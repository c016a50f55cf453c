# SPDX-License-Identifier: Apache-2.0
"""A cluster of three zones on the simulator: what seekdb, one server with one tenant, has not."""
from lib.py.process import wait_until

from ..walk import named
from . import scenario


@scenario("ob-clusters-list", "ob-cluster-zones-list", "ob-cluster-servers-list", "ob-cluster-zone-servers-list", "ob-cluster-take-over",
          "host-batch-create")
def wide_cluster(walk):
    cluster, simulator = walk.wide_cluster, walk.simulator
    servers, stopped = simulator.servers(), simulator.servers()[1]
    simulator.sql(f"ALTER SYSTEM STOP SERVER '{stopped}:2882'")

    def shown():
        return named(walk.rows("ob-cluster-servers-list", clusterId=cluster), stopped, "ip")
    wait_until(lambda: shown()["status"] == "STOPPED", "the server is shown as stopped")
    assert shown()["stopTime"] and shown()["startTime"] and shown()["hostTypeName"] == "walk-type"
    zones = walk.rows("ob-cluster-zones-list", id=cluster)
    assert [(z["name"], z["serverCount"], z["regionName"]) for z in zones] == [(f"zone{i}", 2, "region1") for i in (1, 2, 3)]
    assert {s["ip"] for s in walk.rows("ob-cluster-zone-servers-list", clusterId=cluster, zoneName="zone1")} == set(servers[:2])
    assert {s["ip"] for s in walk.rows("ob-cluster-servers-list", {"idcName": "idc2"}, clusterId=cluster)} == set(servers[2:4])
    listed = named(walk.rows("ob-clusters-list", {"size": 100, "sort": "name,asc"}), cluster, "id")
    assert (listed["serverCount"], listed["tenantCount"], len(listed["rootServers"])) == (6, 3, 3)
    named(walk.rows("ob-clusters-list", {"name": listed["name"], "status": "RUNNING"}), cluster, "id")
    assert len(walk.rows("ob-cluster-tenants-list", {"size": 100}, clusterId=cluster)) == 3
    simulator.sql(f"ALTER SYSTEM START SERVER '{stopped}:2882'")
    wait_until(lambda: shown()["status"] == "RUNNING", "the server serves again")


@scenario("ob-cluster-units-list", "ob-cluster-unit-get", "ob-cluster-server-stats-list", "ob-cluster-stats-get", "ob-cluster-take-over")
def wide_cluster_units(walk):
    cluster = walk.wide_cluster
    units = walk.rows("ob-cluster-units-list", id=cluster)
    one = walk.do("ob-cluster-unit-get", id=cluster, obUnitId=units[-1]["obUnitId"])
    assert (one["serverIp"], one["zone"]) == (units[-1]["svrIp"], units[-1]["zone"])
    walk.gone("ob-cluster-unit-get", id=cluster, obUnitId=999999)
    stats = walk.rows("ob-cluster-server-stats-list", id=cluster)
    assert sum(s["unitCount"] for s in stats) == len(units)
    assert sum(s["memoryTotalByte"] for s in stats) == walk.do("ob-cluster-stats-get", id=cluster)["memoryTotalByte"]


@scenario("ob-cluster-parameters-list", "ob-cluster-parameters-update", "ob-cluster-parameter-histories-list", "ob-cluster-take-over")
def wide_cluster_parameters(walk):
    cluster, name = walk.wide_cluster, "syslog_level"
    walk.do("ob-cluster-parameters-update", [{"name": name, "value": "WARN", "zones": ["zone2"]}], id=cluster)
    found = named(walk.rows("ob-cluster-parameters-list", id=cluster), name)["currentValue"]
    assert {p["zone"] for p in found["obParameters"] if p["value"] == "WARN"} == {"zone2"} and not found["singleValueInCluster"]
    [change] = walk.rows("ob-cluster-parameter-histories-list", {"name": name}, id=cluster)
    assert (change["scope"], change["target"], change["newValue"]) == ("ZONE", "zone2", "WARN")
    walk.call("ob-cluster-parameters-update", [{"name": name, "value": "INFO", "zones": ["zone9"]}], id=cluster).refused(404)


@scenario("ob-cluster-sessions-list", "ob-cluster-session-kill", "ob-cluster-take-over")
def wide_cluster_sessions(walk):
    cluster, simulator = walk.wide_cluster, walk.simulator
    there = simulator.servers()[5]
    victim = simulator.connect(server=there, database="oceanbase")
    [session] = [s for s in walk.rows("ob-cluster-sessions-list", {"size": 1000}, id=cluster)
                 if s["svrIp"] == there and s.get("dbName") == "oceanbase"]
    walk.do("ob-cluster-session-kill", {"svrIp": there}, id=cluster, sessionId=session["id"])
    wait_until(lambda: (there, session["id"]) not in [(s["svrIp"], s["id"]) for s in walk.rows("ob-cluster-sessions-list", {"size": 1000}, id=cluster)],
               "the server has ended it")
    victim.close()


@scenario("ob-cluster-events-list", "ob-cluster-take-over")
def wide_cluster_events(walk):
    events = walk.rows("ob-cluster-events-list", {"module": "server", "size": 100}, id=walk.wide_cluster)
    assert {"stop_server", "start_server"} <= {e["event"] for e in events}
    assert [e["time"] for e in events] == sorted((e["time"] for e in events), reverse=True)


@scenario("ob-cluster-zone-stop", "ob-cluster-zone-start", "ob-cluster-server-stop", "ob-cluster-server-start")
def wide_cluster_service(walk):
    cluster = walk.wide_cluster
    server = walk.rows("ob-cluster-servers-list", clusterId=cluster)[0]
    zone = {"id": cluster, "zoneName": server["zoneName"]}
    one = {"id": cluster, "serverId": server["id"]}
    walk.finish(walk.do("ob-cluster-zone-stop", **zone))
    assert [z["status"] for z in walk.rows("ob-cluster-zones-list", id=cluster) if z["name"] == server["zoneName"]] == ["STOPPED"]
    walk.finish(walk.do("ob-cluster-zone-start", **zone))
    walk.finish(walk.do("ob-cluster-server-stop", {"force": False}, **one))
    walk.finish(walk.do("ob-cluster-server-start", **one))
