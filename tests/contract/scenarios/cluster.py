# SPDX-License-Identifier: Apache-2.0
"""Managed clusters: two real OceanBase kernels, taken over by direct connection."""
import contextlib

from lib.py.process import wait_until

from ..walk import named
from . import scenario

TUNABLE, OLD, NEW = "open_cursors", 2000, 2001      # a parameter that nothing else depends on


@scenario("ob-cluster-take-over-pre-check")
def take_over_check(walk):
    body = walk.target(0)
    good = walk.do("ob-cluster-take-over-pre-check", body)["result"]
    assert good == {"valid": True, "messages": []}
    bad = walk.do("ob-cluster-take-over-pre-check", {**body, "rootSysPassword": "wrong"})["result"]
    assert bad["valid"] is False and bad["messages"]
    walk.call("ob-cluster-take-over-pre-check", {**body, "connectionMode": "by-pigeon"}).refused(400)


@scenario("ob-cluster-take-over", "ob-cluster-get")
def take_over(walk):
    for number in (0, 1):
        cluster = walk.do("ob-cluster-get", id=walk.cluster(number))
        assert cluster["id"] == walk.cluster(number) and cluster["status"] == "RUNNING"
    walk.call("ob-cluster-take-over", walk.target(0)).refused(409)


@scenario("ob-clusters-list", "ob-cluster-take-over")
def clusters_list(walk):
    listed = walk.rows("ob-clusters-list", {"size": 100})
    assert {walk.cluster(0), walk.cluster(1)} <= {c["id"] for c in listed}
    first = named(listed, walk.cluster(0), "id")
    assert first["tenants"][0]["name"] == "sys" and first["fullVersion"]


@scenario("ob-cluster-take-over")
def cluster_numbers(walk):
    cluster = walk.cluster(0)
    if walk.has("ob-cluster-stats-get"):
        stats = walk.do("ob-cluster-stats-get", id=cluster)
        assert stats["clusterId"] == cluster and stats["memoryTotalByte"] > 0
    if walk.has("ob-cluster-server-stats-list"):
        [server] = walk.rows("ob-cluster-server-stats-list", id=cluster)
        assert server["ip"] == walk.kernels[0].host
    if walk.has("ob-clusters-stats-list"):
        assert walk.do("ob-clusters-stats-list")


@scenario("ob-cluster-zones-list", "ob-cluster-servers-list", "ob-cluster-zone-servers-list", "ob-cluster-take-over")
def zones_and_servers(walk):
    cluster = walk.cluster(0)
    [zone] = walk.rows("ob-cluster-zones-list", id=cluster)
    [server] = walk.rows("ob-cluster-servers-list", clusterId=cluster)
    assert server["sqlPort"] == walk.kernels[0].port and server["zoneName"] == zone["name"]
    [same] = walk.rows("ob-cluster-zone-servers-list", clusterId=cluster, zoneName=zone["name"])
    assert same["id"] == server["id"]
    walk.gone("ob-cluster-zone-servers-list", clusterId=cluster, zoneName="no-such-zone")


@scenario("ob-cluster-units-list", "ob-cluster-take-over")
def units(walk):
    [unit] = walk.rows("ob-cluster-units-list", id=walk.cluster(0))
    if walk.has("ob-cluster-unit-get"):
        assert walk.do("ob-cluster-unit-get", id=walk.cluster(0), obUnitId=unit["obUnitId"])


@scenario("ob-cluster-parameter-info-list")
def parameter_info(walk):
    assert TUNABLE in [p["name"] for p in walk.rows("ob-cluster-parameter-info-list")]


@scenario("ob-cluster-parameters-list", "ob-cluster-parameters-update", "ob-cluster-take-over")
def cluster_parameters(walk):
    cluster, kernel = walk.cluster(0), walk.kernels[0]

    def shown():
        return named(walk.rows("ob-cluster-parameters-list", id=cluster), TUNABLE)["currentValue"]["values"]

    def real():
        return int(kernel.sql(f"SHOW PARAMETERS LIKE '{TUNABLE}'")[0]["value"])
    for value, form in ((NEW, NEW), (OLD, str(OLD))):
        walk.do("ob-cluster-parameters-update", [{"name": TUNABLE, "value": form}], id=cluster)
        assert real() == value
        assert [int(v) for v in shown()] == [value]
    walk.effect("ob-cluster-parameters-update")
    walk.call("ob-cluster-parameters-update", [{"name": "no_such_parameter", "value": 1}], id=cluster).refused(400)
    if walk.has("ob-cluster-parameter-histories-list"):
        changes = walk.rows("ob-cluster-parameter-histories-list", {"name": TUNABLE}, id=cluster)
        assert [(c["newValue"], c["outcome"]) for c in changes[:2]] == [(str(OLD), "SUCCESSFUL"), (str(NEW), "SUCCESSFUL")]


def each_scope(walk, operation):
    """(operation id, path parameters) of the cluster and of its tenant."""
    yield f"ob-cluster-{operation}", {"id": walk.cluster(0)}
    tenant = walk.do("ob-cluster-get", id=walk.cluster(0))["tenants"][0]["id"]
    yield f"ob-cluster-tenant-{operation}", {"id": walk.cluster(0), "tenantId": tenant}


@scenario("ob-cluster-sessions-list", "ob-cluster-session-kill", "ob-cluster-take-over", "ob-cluster-get")
def cluster_sessions(walk):
    for (listing, scope), (kill, _) in zip(each_scope(walk, "sessions-list"), each_scope(walk, "session-kill")):
        victim = walk.kernels[0].connect(database="oceanbase")
        [session] = [s for s in walk.rows(listing, {"size": 1000}, **scope) if s.get("dbName") == "oceanbase"]
        walk.do(kill, **scope, sessionId=session["id"])
        assert session["id"] not in [s["id"] for s in walk.rows(listing, {"size": 1000}, **scope)]
        walk.effect(kill)
        with contextlib.suppress(Exception):
            victim.close()


COMPACTION_SECONDS = 300      # a kernel does it by a clock of its own, on a busy machine when it comes to it


def compact(walk, which):
    """Starts the compaction of one of each_scope(); its end is for compacted()."""
    (listing, scope), (start, _) = list(zip(each_scope(walk, "compactions-list"), each_scope(walk, "compaction-start")))[which]
    [before] = walk.rows(listing, **scope)
    walk.do(start, **scope)
    walk.compacting = (start, lambda: walk.rows(listing, **scope)[0], before["lastScn"])


def compacted(walk):
    start, shown, before = walk.compacting
    wait_until(lambda: shown()["lastScn"] > before, "the major compaction ends", COMPACTION_SECONDS)
    wait_until(lambda: shown()["status"] == "IDLE", "the major compaction has ended", COMPACTION_SECONDS)
    walk.effect(start)


COMPACTION = ("ob-cluster-compactions-list", "ob-cluster-compaction-start", "ob-cluster-take-over", "ob-cluster-get")


@scenario(*COMPACTION)
def cluster_compaction(walk):
    """It takes a while: the walk goes on meanwhile."""
    compact(walk, 0)


@scenario(*COMPACTION)
def tenant_compaction(walk):
    compacted(walk)
    compact(walk, 1)


@scenario(*COMPACTION)
def end_of_compaction(walk):
    compacted(walk)


@scenario("ob-cluster-change-password", "ob-cluster-take-over", "ob-cluster-get")
def cluster_password(walk):
    cluster, kernel = walk.cluster(1), walk.kernels[1]
    walk.do("ob-cluster-change-password", {"newPassword": "Kernel-changed-2"}, id=cluster)
    kernel.password = "Kernel-changed-2"
    assert kernel.sql("SELECT 1 AS one") == [{"one": 1}]
    walk.effect("ob-cluster-change-password")


@scenario("ob-cluster-move-out", "ob-cluster-take-over", "ob-cluster-get")
def move_out(walk):
    cluster, kernel = walk.cluster(1), walk.kernels[1]
    walk.finish(walk.do("ob-cluster-move-out", {}, id=cluster))
    walk.gone("ob-cluster-get", id=cluster)
    assert kernel.sql("SELECT 1 AS one") == [{"one": 1}], "the database itself keeps running"
