# SPDX-License-Identifier: Apache-2.0
from ..walk import named
from . import scenario


@scenario("hosts-list", "host-get", "host-batch-create", "idc-create", "host-type-create", "profile-credential-create")
def hosts(walk):
    """A host that lets us in: checked, added with its agent, used, and deleted; and one that nobody reaches."""
    address, port, user, key, prefix = walk.machine
    login = walk.do("profile-credential-create", {"targetType": "HOST", "name": "machine", "description": "for the walk", "sshCredentialProperty": {
        "type": "PRIVATE_KEY", "username": user, "passphrase": key, "hostIdList": []}})
    if prefix:
        walk.do("config-property-update", {"value": prefix}, key="ocp.agent.home.path.prefix")
    body = {"hostBasicDataList": [{"innerIpAddress": address, "serialNumber": "sn-1"}], "sshPort": port, "kind": "DEDICATED_PHYSICAL_MACHINE",
            "idcId": walk.idc["id"], "typeId": walk.host_type["id"], "credentialId": login["id"], "publishPorts": [2881, 2882], "alias": "walked",
            "description": "for the walk"}
    checked = walk.do("host-batch-precheck", {**body, "hostBasicDataList": [{"innerIpAddress": "127.0.1.2"}]})
    assert not checked["valid"] and checked["checkResults"][0]["reason"] == checked["messages"][0]
    checked = walk.do("host-batch-precheck", body)
    assert checked["valid"], checked["messages"]
    made = walk.do("host-batch-create", body)
    number, = made["hostIds"]
    walk.finish(made["id"])
    walk.effect("host-batch-create")
    first = named(walk.rows("hosts-list", {"size": 100}), address, "innerIpAddress")
    seen = walk.do("host-get", hostId=first["id"])
    assert (seen["idcName"], seen["status"], seen["services"][0]["type"]) == (walk.idc["name"], "AVAILABLE", "OCP_AGENT")
    assert walk.do("host-update", {"alias": "walked twice"}, hostId=number)["alias"] == "walked twice"
    shown = walk.do("host-ssh-key-get", hostId=number)
    walk.do("host-ssh-key-accept", {"fingerprint": shown["shown"]}, hostId=number)
    assert walk.do("host-ssh-key-get", hostId=number)["same"]
    walk.effect("host-ssh-key-accept")
    agents(walk, number)
    if walk.has("host-delete"):
        walk.do("host-delete", hostId=number)
        walk.goes("host-get", hostId=number)
        walk.effect("host-delete")
    others = walk.do("host-batch-create", {**body, "hostBasicDataList": [{"innerIpAddress": "127.0.1.2"}, {"innerIpAddress": "127.0.1.3"}]})
    walk.end(others["id"])
    if walk.has("host-batch-delete"):
        walk.do("host-batch-delete", {"hostIdList": others["hostIds"]})
        walk.goes("host-get", hostId=others["hostIds"][0])
        walk.effect("host-batch-delete")


def agents(walk, number):
    """The agent of a host and its processes."""
    agent = walk.do("host-agent-get", hostId=number)
    assert agent["status"] == "STARTED" and named(agent["processes"], "pos_proxy", "alias")["status"] == "STARTED"
    [target] = [t for t in walk.call("monitor-prometheus-sd").ok().json if t["labels"]["host_id"] == str(number)]
    assert target["targets"][0].endswith(":62889") and target["labels"]["__metrics_path__"] == "/metrics/node/host"
    exporter = named(walk.rows("host-agent-processes-list", {"size": 100}, hostId=number), "ocp_exporter", "alias")
    stopped = walk.do("host-agent-process-stop", hostId=number, agentProcessId=exporter["id"])
    assert stopped["status"] == "STOPPED"
    walk.effect("host-agent-process-stop")
    assert walk.do("host-agent-process-restart", hostId=number, agentProcessId=exporter["id"])["status"] == "STARTED"
    walk.effect("host-agent-process-restart")
    for stop, start, body in (("host-agent-stop", "host-agent-restart", None), ("host-batch-stop-agents", "host-batch-restart-agents", {"hostIds": [number]})):
        path = {} if body else {"hostId": number}
        walk.finish(walk.do(stop, body, **path))
        assert walk.do("host-agent-get", hostId=number)["status"] == "STOPPED"
        walk.effect(stop)
        walk.finish(walk.do(start, body, **path))
        assert walk.do("host-agent-get", hostId=number)["status"] == "STARTED"
        walk.effect(start)
    walk.finish(walk.do("host-agent-reinstall", hostId=number))
    assert walk.do("host-agent-get", hostId=number)["status"] == "STARTED"
    walk.effect("host-agent-reinstall")
