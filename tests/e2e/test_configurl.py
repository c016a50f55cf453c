# SPDX-License-Identifier: Apache-2.0
"""The config URL as observers, proxies and deployers use it: without a login, in its own form, on any node, and who may change what."""
import http.client
import json
import urllib.parse

import pytest

from lib.py.obsim import Obsim
from lib.py.process import wait_until

CLUSTERS = "/api/v2/ob/clusters"


def call(server, method, action, body=None, source=None, host=None, **query):
    """(HTTP status, reply) of one request, from the address `source`, as nobody."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30, source_address=(source, 0) if source else None)
    headers = {"Host": host} if host else {}
    target = "/services?" + urllib.parse.urlencode({"User_ID": "alibaba", "UID": "nobody", "Action": action, **query})
    try:
        connection.request(method, target, None if body is None else json.dumps(body), headers)
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()


def good(answer):
    status, reply = answer
    assert status == 200 and reply["Code"] == 200 and reply["Message"] == "successful" and reply["Success"] is True, answer
    return reply["Data"]


def refused(answer, status):
    code, reply = answer
    assert code == status and reply["Code"] == status and reply["Success"] is False and "Data" not in reply, answer
    assert "successful" not in reply["Message"]
    return reply["Message"]


def report(name, number, *servers, stamp=1, kind="PRIMARY", port=2881):
    """`servers`: "ip:port", the first leads."""
    return {"ObRegion": name, "ObCluster": name, "ObRegionId": number, "ObClusterId": number, "Type": kind, "timestamp": stamp,
            "RsList": [{"address": s, "role": "FOLLOWER" if i else "LEADER", "sql_port": port} for i, s in enumerate(servers)],
            "ReadonlyRsList": []}


def servers_of(data):
    return [s["address"] for s in data["RsList"]]


def get(server, name, **query):
    return call(server, "GET", "ObRootServiceInfo", ObCluster=name, **query)


def put(server, body, **more):
    return call(server, "POST", "ObRootServiceInfo", body, version=2, ObClusterId=body["ObClusterId"], **more)


def test_an_observer_reports_and_a_proxy_reads(ocp_server):
    good(put(ocp_server, report("seen", 1, "10.0.0.1:2882", "10.0.0.2:2882", stamp=5)))
    assert servers_of(good(get(ocp_server, "seen"))) == ["10.0.0.1:2882", "10.0.0.2:2882"]
    assert servers_of(good(call(ocp_server, "GET", "ObRootServiceInfo", ObRegion="seen", ObCluster="other"))) == ["10.0.0.1:2882", "10.0.0.2:2882"]
    good(put(ocp_server, report("seen", 1, "10.0.0.9:2882", stamp=4)))
    assert len(good(get(ocp_server, "seen"))["RsList"]) == 2, "an older report changes nothing"
    good(put(ocp_server, report("seen", 2, "10.0.1.1:2882", kind="STANDBY", stamp=9)))
    assert good(get(ocp_server, "seen"))["ObClusterId"] == 1, "the primary comes first"
    assert good(get(ocp_server, "seen", ObClusterId=2))["Type"] == "STANDBY"
    assert [c["ObClusterId"] for c in good(get(ocp_server, "seen", version=2))] == [1, 2]
    good(call(ocp_server, "DELETE", "ObRootServiceInfo", ObCluster="seen", ObClusterId=2, version=2))
    refused(get(ocp_server, "seen", ObClusterId=2), 404)


def test_what_is_wrong_is_said_in_its_own_form(ocp_server):
    assert "nobody-knows" in refused(get(ocp_server, "nobody-knows"), 404)
    refused(get(ocp_server, "nobody-knows", version=2), 404)
    refused(call(ocp_server, "GET", "ObIDCRegionInfo", ObCluster="nobody-knows"), 404)
    refused(call(ocp_server, "GET", "Unknown"), 400)
    refused(call(ocp_server, "GET", "ObRootServiceRegister", ObCluster="x"), 400)
    refused(get(ocp_server, "x", ObClusterId="many"), 400)
    refused(get(ocp_server, "successful"), 404)
    refused(put(ocp_server, {**report("x", 1, "10.0.0.1:2882"), "Type": None}), 400)
    refused(put(ocp_server, report("x", 1, "nowhere")), 400)
    refused(call(ocp_server, "DELETE", "ObRootServiceInfo", ObCluster="x", ObClusterId=1), 400)
    refused(call(ocp_server, "DELETE", "ObRootServiceInfo", ObCluster="x", version=2), 400)


def test_a_deployer_registers_deletes_and_registers_again(ocp_server):
    for _ in range(2):
        good(call(ocp_server, "POST", "ObRootServiceRegister", ObCluster="deployed", ObClusterId=1))
        status, again = call(ocp_server, "POST", "ObRootServiceRegister", ObCluster="deployed", ObClusterId=1)
        assert status == 200 and again["Code"] == 409 and again["Success"] is False
        assert good(get(ocp_server, "deployed"))["RsList"] == []
        for _ in range(2):
            good(call(ocp_server, "POST", "DeleteObRootServiceInfoByClusterName", ClusterName="deployed"))
        refused(get(ocp_server, "deployed"), 404)
    events = ocp_server.api().get("/api/v2/audit/events", {"size": 100}).contents
    assert {"CONFIG_URL_REGISTER", "CONFIG_URL_DELETE"} <= {e["operationEvent"] for e in events if e["resourceName"] == "deployed"}


def test_proxies_learn_of_every_cluster(ocp_server):
    def config(**query):
        return good(call(ocp_server, "GET", "GetObProxyConfig", **query))
    former = config()
    assert config(VersionOnly="true") == {"Version": former["Version"]}
    good(put(ocp_server, report("listed", 1, "10.0.0.1:2882")))
    later = config()
    assert later["Version"] != former["Version"]
    [url] = [c["ObRootServiceInfoUrl"] for c in later["ObRootServiceInfoUrlList"] if c["ObRegion"] == "listed"]
    assert url == f"http://{ocp_server.host}:{ocp_server.port}/services?Action=ObRootServiceInfo&ObCluster=listed"
    good(put(ocp_server, report("listed", 1, "10.0.0.2:2882", stamp=7)))
    assert config()["Version"] == later["Version"], "which clusters there are has not changed"
    assert [c["ObRegion"] for c in config(ObRegionGroup="listed")["ObRootServiceInfoUrlList"]] == ["listed"]
    template = good(call(ocp_server, "POST", "GetObRootServiceInfoUrlTemplate", host="ocp.example.com"))
    assert "listed" in template["ObClusterList"]
    assert template["ObRootServiceInfoUrlTemplate"] == "http://ocp.example.com/services?Action=ObRootServiceInfo&ObRegion=${ObRegion}"
    assert all(template["ObProxyDatabaseInfo"].values()) and template["ObProxyBinUrl"]


def test_numbers_are_allocated(ocp_server):
    good(put(ocp_server, report("numbered", 41, "10.0.0.1:2882")))
    first = good(call(ocp_server, "GET", "AllocateClusterIdByNameAndIdx", ClusterName="numbered", ClusterIdx=0))
    assert first == {"ObClusterId": 41}
    assert good(call(ocp_server, "GET", "AllocateClusterIdByNameAndIdx", ClusterName="numbered", ClusterIdx=1))["ObClusterId"] > 41


@pytest.fixture(scope="module")
def managed(ocp_server):
    """A simulated cluster of three servers that ocp_server manages."""
    with Obsim(cluster="managed:3", tenants=1, name="obsim-configurl") as sim:
        task = ocp_server.api().post(f"{CLUSTERS}/takeOver", {"rootSysPassword": sim.password, "address": sim.host, "port": sim.port}).data
        wait_until(lambda: ocp_server.api().get(f"/api/v2/tasks/{task['id']}").data["status"] == "SUCCESSFUL", "the cluster is taken over")
        yield sim
        task = ocp_server.api().post(f"{CLUSTERS}/{task['clusterId']}/moveOut", {}).data
        wait_until(lambda: ocp_server.api().get(f"/api/v2/tasks/{task['id']}").data["status"] == "SUCCESSFUL", "the cluster is moved out")


def test_a_managed_cluster_is_changed_by_its_own_servers_alone(ocp_server, managed):
    ours = [f"{ip}:2882" for ip in managed.servers()]
    wrong = report("managed", 3, "10.66.66.66:2882", stamp=10**18, port=managed.port)
    assert "managed" in refused(put(ocp_server, wrong), 403)
    refused(call(ocp_server, "POST", "ObRootServiceRegister", ObCluster="managed", ObClusterId=4), 403)
    good(put(ocp_server, report("managed", 3, ours[0], stamp=1, port=managed.port), source=managed.servers()[1]))
    refused(call(ocp_server, "POST", "DeleteObRootServiceInfoByClusterName", ClusterName="managed"), 403)
    rows = managed.sql("SELECT svr_ip, svr_port, with_rootserver FROM oceanbase.DBA_OB_SERVERS")
    leader = next(f"{ip}:{port}" for ip, port, rs in rows if rs == "YES")
    seen = [leader, *(f"{ip}:{port}" for ip, port, rs in rows if rs != "YES")]
    good(put(ocp_server, report("managed", 3, *seen, stamp=2, port=managed.port)))
    assert servers_of(good(get(ocp_server, "managed"))) == seen, "anybody may say what SQL has shown"
    assert good(call(ocp_server, "GET", "ObIDCRegionInfo", ObCluster="managed"))["ObRegion"] == "managed"
    told = good(call(ocp_server, "GET", "LdgInstanceInfoBatchQuery", {"LdgClusters": "managed, none"}))
    assert set(told["cluster"]) == {"managed", "none"} and told["Version"]


def test_service_names_lead_to_tenants(ocp_server, managed):
    """A proxy follows GetTenantInfoUrl; what is made, stopped and deleted in the cluster is told there after the next look."""
    url = good(call(ocp_server, "GET", "GetObRootServiceInfoUrlTemplate"))["GetTenantInfoUrl"]
    assert url.endswith("/services?Action=GetTenantInfo")
    [(tenant,)] = managed.sql("SELECT tenant_id FROM oceanbase.DBA_OB_TENANTS WHERE tenant_name = 'tenant1'")

    def told(*names):
        return {s["serviceName"]: s for s in good(call(ocp_server, "GET", "GetTenantInfo", ServiceNames=",".join(names)))["serviceNameData"]}

    assert told("s1", "nobody") == {}
    managed.sql("ALTER SYSTEM CREATE SERVICE s1 TENANT = tenant1")
    seen = wait_until(lambda: told("nobody", "s1"), "the service is seen")
    assert list(seen["s1"]) == ["md5", "serviceName", "tenantInfoList"]
    assert seen["s1"]["tenantInfoList"] == [{"clusterName": "managed", "tenantName": "tenant1", "tenantId": int(tenant), "role": "PRIMARY"}]
    managed.sql("ALTER SYSTEM STOP SERVICE s1 TENANT = tenant1")
    wait_until(lambda: told("s1") == {}, "it is stopped")
    managed.sql("ALTER SYSTEM START SERVICE s1 TENANT = tenant1")
    assert wait_until(lambda: told("s1"), "it is started") == seen
    managed.fault("CDB_OB_SERVICES", "error", number=1146, text="Table doesn't exist", times=1000000)   # as versions answer that know no services
    wait_until(lambda: told("s1") == {}, "nothing is told of them")
    refused(call(ocp_server, "GET", "GetTenantInfo"), 400)
    refused(call(ocp_server, "GET", "GetTenantInfo", ServiceNames="s" * 65), 400)


def test_networks_say_who_may_register(new_ocp_server, metadb):
    server = new_ocp_server(metadb, settings={"configurl.networks": "127.0.0.2"})
    refused(put(server, report("c1", 1, "10.0.0.1:2882")), 403)
    good(put(server, report("c1", 1, "10.0.0.1:2882"), source="127.0.0.2"))
    assert servers_of(good(get(server, "c1"))) == ["10.0.0.1:2882"]


def test_answers_go_on_without_metadb(new_ocp_server, new_mariadb):
    database = new_mariadb()
    server = new_ocp_server(database.create_database("configurl"))
    good(put(server, report("c1", 1, "10.0.0.1:2882")))
    former = good(call(server, "GET", "GetObProxyConfig"))
    database.kill()
    assert servers_of(good(get(server, "c1"))) == ["10.0.0.1:2882"]
    assert good(call(server, "GET", "GetObProxyConfig")) == former
    refused(put(server, report("c1", 1, "10.0.0.2:2882", stamp=2)), 503)
