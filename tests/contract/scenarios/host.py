# SPDX-License-Identifier: Apache-2.0
from ..walk import named
from . import scenario


@scenario("host-batch-precheck", "host-batch-create", "idc-create", "host-type-create", "profile-credential-create")
def new_hosts(walk):
    """One that nobody reaches; others that let us in and are added while the walk goes on."""
    body = walk.new_hosts["body"]
    checked = walk.do("host-batch-precheck", {**body, "hostBasicDataList": [{"innerIpAddress": "127.0.1.2"}]})
    assert not checked["valid"] and checked["checkResults"][0]["reason"] == checked["messages"][0]


@scenario("hosts-list", "host-get", "host-batch-create", "host-update", "host-ssh-key-get", "host-ssh-key-accept")
def hosts(walk):
    walk.finish(walk.new_hosts["id"])
    walk.effect("host-batch-create")
    number, address = walk.new_hosts["hostIds"][-1], walk.machines().addresses[-1]
    assert named(walk.rows("hosts-list", {"size": 100}), address, "innerIpAddress")["id"] == number
    seen = walk.do("host-get", hostId=number)
    assert (seen["idcName"], seen["status"], seen["services"][0]["type"]) == (walk.idc["name"], "AVAILABLE", "OCP_AGENT")
    assert walk.do("host-update", {"alias": "walked twice"}, hostId=number)["alias"] == "walked twice"
    shown = walk.do("host-ssh-key-get", hostId=number)
    walk.do("host-ssh-key-accept", {"fingerprint": shown["shown"]}, hostId=number)
    assert walk.do("host-ssh-key-get", hostId=number)["same"]
    walk.effect("host-ssh-key-accept")


@scenario("host-agent-get", "host-agent-processes-list", "host-agent-process-stop", "host-agent-process-restart", "host-agent-stop", "host-agent-restart",
          "host-batch-stop-agents", "host-batch-restart-agents", "host-agent-reinstall", "host-agent-upgrade", "host-batch-upgrade-agents",
          "monitor-prometheus-sd")
def agents(walk):
    """The agent of a host and its processes."""
    number = walk.new_hosts["hostIds"][-1]
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
        started = walk.do(stop, body, **path)
        assert started["context"] == {"stringMap": {}, "listMap": {"hostIds": [str(number)]}, "parallel": False, "parallelIdx": -1}
        assert started["subtasks"][0]["className"].count(".") == 1
        walk.finish(started)
        assert walk.do("host-agent-get", hostId=number)["status"] == "STOPPED"
        walk.effect(stop)
        walk.finish(walk.do(start, body, **path))
        assert walk.do("host-agent-get", hostId=number)["status"] == "STARTED"
        walk.effect(start)
    walk.finish(walk.do("host-agent-reinstall", hostId=number))
    assert walk.do("host-agent-get", hostId=number)["status"] == "STARTED"
    walk.effect("host-agent-reinstall")
    for upgrade, path, body in (("host-agent-upgrade", {"hostId": number}, None), ("host-batch-upgrade-agents", {}, {"hostIds": [number]})):
        before = walk.do("host-agent-get", hostId=number)
        walk.finish(walk.do(upgrade, body, **path))
        after = walk.do("host-agent-get", hostId=number)
        assert after["status"] == "STARTED" and named(after["processes"], "pos_proxy", "alias")["pid"] != named(before["processes"], "pos_proxy", "alias")["pid"]
        walk.effect(upgrade)


@scenario("host-delete", "host-batch-delete", "host-batch-create")
def hosts_that_go(walk):
    *several, last = walk.new_hosts["hostIds"]
    lost = walk.do("host-batch-create", {**walk.new_hosts["body"], "hostBasicDataList": [{"innerIpAddress": "127.0.1.2"}, {"innerIpAddress": "127.0.1.3"}]})
    walk.do("host-delete", hostId=last)
    walk.end(lost["id"])
    walk.do("host-batch-delete", {"hostIdList": several + lost["hostIds"]})
    walk.goes("host-get", hostId=last)
    walk.effect("host-delete")
    for number in several + lost["hostIds"]:
        walk.goes("host-get", hostId=number)
    walk.effect("host-batch-delete")
