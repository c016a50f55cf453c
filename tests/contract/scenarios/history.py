# SPDX-License-Identifier: Apache-2.0
"""What was recorded while the other scenarios ran: tasks, audit events, the config URL registry."""
from ..walk import named
from . import scenario
from .task import failed_task


@scenario("task-instances-list", "task-instance-get", "ob-cluster-take-over")
def tasks(walk):
    listed = walk.rows("task-instances-list", {"clusterId": walk.cluster(0), "size": 100})
    assert listed, "the take-over was a task"
    number = listed[0]["id"]
    got = walk.do("task-instance-get", taskInstanceId=number)
    assert got["id"] == number and got["status"] == "SUCCESSFUL"
    if walk.has("task-get-alias"):
        assert walk.do("task-get-alias", id=number)["id"] == number
    if walk.has("tasks-list-alias"):
        assert number in [t["id"] for t in walk.rows("tasks-list-alias", {"size": 100})]
    if walk.has("task-instance-subtask-log-get"):
        assert walk.do("task-instance-subtask-log-get", taskInstanceId=number, subtaskInstanceId=got["subtasks"][0]["id"])["log"]
    walk.gone("task-instance-get", taskInstanceId=999999999)


@scenario("task-instances-list", "ob-cluster-take-over", "ob-cluster-get")
def tasks_of_a_tenant(walk):
    cluster = walk.do("ob-cluster-get", id=walk.wide_cluster)
    tenant = named(walk.rows("ob-cluster-tenants-list", {"size": 100}, clusterId=cluster["id"]), "tenant1")
    task, _ = failed_task(walk, 0, cluster=(cluster["id"], cluster["obClusterId"], cluster["name"]), tenant=(tenant["id"], "tenant1"))
    [seen] = walk.rows("task-instances-list", {"tenantId": tenant["id"]})
    assert (seen["id"], seen["tenant"]) == (task, {"id": tenant["id"], "name": "tenant1", "obTenantId": tenant["obTenantId"], "mode": tenant["mode"]})


@scenario("audit-events-list", "region-create")
def audit_events(walk):
    assert walk.region
    events = walk.call("audit-events-list", query={"size": 100})
    assert any(e["operatorName"] == walk.api.user for e in events.contents)
    for secret in (b"Host-1", *(k.password.encode() for k in walk.kernels)):
        assert secret not in events.body, "secrets are masked"


def _root_servers(name, number, stamp, port=2881):
    return {"ObRegion": name, "ObCluster": name, "ObRegionId": number, "ObClusterId": number, "Type": "PRIMARY",
            "timestamp": stamp, "RsList": [{"address": "127.0.0.1:2882", "role": "LEADER", "sql_port": port}],
            "ReadonlyRsList": []}


def _of_a_managed_cluster(walk, nobody):
    """Anybody may report what SQL has shown; its zones have IDCs, its tenants roles."""
    name = walk.do("ob-cluster-get", id=walk.wide_cluster)["name"]
    seen = walk.simulator.sql("SELECT svr_ip, svr_port, sql_port, with_rootserver FROM oceanbase.DBA_OB_SERVERS")
    listed = {ip for ip, in walk.simulator.sql("SELECT svr_ip FROM oceanbase.DBA_OB_UNITS WHERE tenant_id = 1")}
    body = {**_root_servers(name, 1, 3), "RsList": [
        {"address": f"{ip}:{port}", "role": "LEADER" if leads == "YES" else "FOLLOWER", "sql_port": int(sql)}
        for ip, port, sql, leads in seen if ip in listed]}
    walk.call("config-url-rs-info-report", body, {"version": 2}, nobody).ok()
    for operation in ("config-url-idc-region-info-get", "config-url-idc-region-info-post"):
        assert walk.call(operation, query={"ObCluster": name}, api=nobody).json["Data"]["IDCList"]
    told = walk.call("config-url-ldg-instance-info", {"LdgClusters": name}, api=nobody).ok().json["Data"]
    assert told["cluster"][name]["tenantList"]
    assert walk.call("config-url-allocate-cluster-id", query={"ClusterName": name}, api=nobody).ok().json["Data"]["ObClusterId"] == 1


@scenario("config-url-rs-info-report", "config-url-rs-info-get")
def config_url(walk):
    nobody = walk.api.anonymous()
    which = {"ObCluster": "walked", "ObClusterId": 7}

    def get():
        return walk.call("config-url-rs-info-get", query={**which, "version": 2}, api=nobody)
    assert walk.call("config-url-rs-register", query=which, api=nobody).ok().json["Code"] == 200
    again = walk.call("config-url-rs-register", query=which, api=nobody)
    assert again.status == 200 and again.json["Code"] != 200
    assert walk.call("config-url-rs-info-report", _root_servers("walked", 7, 2), {**which, "version": 2}, nobody).status == 200
    assert get().json["Data"]["RsList"][0]["sql_port"] == 2881
    walk.call("config-url-rs-info-report", _root_servers("walked", 7, 1, 9999), {**which, "version": 2}, nobody)
    assert get().json["Data"]["RsList"][0]["sql_port"] == 2881, "an older report changes nothing"
    for operation in ("config-url-obproxy-config-get", "config-url-obproxy-config-post", "config-url-rs-url-template-get",
                      "config-url-rs-url-template-post"):
        data = walk.call(operation, api=nobody).ok().json["Data"]
        only = walk.call(operation, query={"VersionOnly": True}, api=nobody).ok().json["Data"]
        assert only == {"Version": data["Version"]}
    for operation in ("config-url-idc-region-info-get", "config-url-idc-region-info-post"):
        walk.call(operation, query=which, api=nobody).ok()
    _of_a_managed_cluster(walk, nobody)
    assert walk.call("config-url-rs-info-delete", query={**which, "version": 2}, api=nobody).status == 200
    assert get().status == 404
    assert walk.call("config-url-rs-delete-by-name", query={"ClusterName": "walked"}, api=nobody).json["Code"] == 200
