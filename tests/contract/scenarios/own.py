# SPDX-License-Identifier: Apache-2.0
"""Operations of ours that no document of OCP names."""
from lib.py.process import wait_until

from . import scenario


@scenario("iam-user-get", "iam-user-update", "iam-user-delete", "iam-user-create")
def life_of_a_user(walk):
    user = walk.do("iam-user-create", {"username": "passing.user", "password": "Walker-1234", "roles": [101]})
    walk.do("iam-user-update", {"email": "passing@example.com", "description": "goes again", "roles": [101, 109]}, id=user["id"])
    got = walk.do("iam-user-get", id=user["id"])
    assert got["email"] == "passing@example.com" and [r["id"] for r in got["roles"]] == [101, 109]
    passing = walk.api.as_user("passing.user", "Walker-1234")
    assert walk.call("profile-me-update", {"description": "still here"}, api=passing).data["description"] == "still here"
    walk.call("profile-me-change-password", {"currentPassword": "Walker-1234", "newPassword": "Walker-5678"}, api=passing).ok()
    passing = walk.api.as_user("passing.user", "Walker-5678")
    assert walk.call("profile-me-get", api=passing).data["id"] == user["id"]
    walk.effect("profile-me-change-password")
    walk.do("iam-user-unlock", id=user["id"])
    walk.effect("iam-user-unlock")
    walk.do("iam-user-reset-password", {"password": "Walker-9012"}, id=user["id"])
    passing = walk.api.as_user("passing.user", "Walker-9012")
    assert walk.call("profile-me-get", api=passing).data["needChangePassword"] is True
    walk.effect("iam-user-reset-password")
    walk.do("iam-user-delete", id=user["id"])
    walk.gone("iam-user-get", id=user["id"])
    walk.effect("iam-user-delete")


@scenario("iam-roles-list", "iam-role-get", "iam-permissions-list")
def roles_and_permissions(walk):
    admin = next(r for r in walk.rows("iam-roles-list") if r["name"] == "ADMIN")
    assert walk.do("iam-role-get", id=admin["id"]) == admin
    assert {"CREATE", "READ", "UPDATE", "DELETE"} <= set(walk.rows("iam-permissions-list")[0]["actions"])


@scenario("iam-role-create", "iam-role-update", "iam-role-copy", "iam-role-delete", "iam-user-lock")
def roles_that_people_make(walk):
    role = walk.do("iam-role-create", {"name": "walkers", "description": "who walks", "permissions": ["CLUSTER:12:READ", "HOST:*:READ"]})
    assert role in walk.rows("iam-roles-list")
    changed = walk.do("iam-role-update", {"permissions": ["CLUSTER:12:TENANT:1003:UPDATE"]}, id=role["id"])
    assert changed["permissions"] == ["CLUSTER:12:TENANT:1003:UPDATE"]
    copy = walk.do("iam-role-copy", {"name": "walkers_too"}, id=role["id"])
    assert copy["permissions"] == changed["permissions"]
    user = walk.do("iam-user-create", {"username": "walking.user", "password": "Walker-1234", "roles": [role["id"], 101]})
    assert [r["name"] for r in user["roles"]] == ["walkers", "PROFILE"]
    assert walk.do("iam-user-lock", id=user["id"])["locked"] is True
    assert walk.do("iam-user-unlock", id=user["id"])["locked"] is False
    walk.effect("iam-user-lock")
    walk.do("iam-user-delete", id=user["id"])
    for gone in (role, copy):
        walk.do("iam-role-delete", id=gone["id"])
        walk.gone("iam-role-get", id=gone["id"])
    walk.effect("iam-role-delete")


@scenario("config-properties-list", "config-property-get", "config-property-update", "config-property-reset", "config-property-histories")
def system_parameters(walk):
    key = "ocp.alarm.send.batch-max"
    assert key in [p["key"] for p in walk.rows("config-properties-list")]
    assert walk.do("config-property-update", {"value": "25"}, key=key)["value"] == "25"
    assert walk.do("config-property-get", key=key)["operatorName"] == walk.api.user
    [change] = walk.rows("config-property-histories", key=key)
    assert change["newValue"] == "25" and "oldValue" not in change
    assert walk.do("config-property-reset", key=key)["changed"] is False
    assert len(walk.rows("config-property-histories", key=key)) == 2


@scenario("audit-event-get", "audit-operations-list", "audit-events-list")
def audit_details(walk):
    [event] = walk.call("audit-events-list", query={"size": 1}).contents
    assert walk.do("audit-event-get", id=event["id"]) == event
    assert event["operation"] in [o["operation"] for o in walk.rows("audit-operations-list")]


@scenario("ocp-leases-list", "ocp-leaderships-list")
def leases(walk):
    [node] = walk.rows("ocp-nodes-list")
    [led] = walk.rows("ocp-leaderships-list")
    assert (led["nodeId"], led["cause"]) == (node["id"], "STARTED")

    def rows():
        return walk.rows("ocp-leases-list", {"size": 256, "sort": "shard,asc"})

    wait_until(lambda: all(r["status"] == "HELD" for r in rows()), "the leader gives the standing work out")
    assert [r["shard"] for r in rows()] == list(range(256))
    assert {(r["nodeId"], r["nodeName"], r["nextNodeId"]) for r in rows()} == {(node["id"], node["name"], 0)}
    assert rows()[0]["view"] > 0 and rows()[0]["expireTime"] and sum(r["clusters"] for r in rows()) == 0


@scenario("ocp-leader-transfer", "leader", "replica")
def leadership_moves(walk):
    with walk.two_nodes() as nodes:
        apis = [n.api() for n in nodes]
        for api in apis:
            api.on_reply = walk.recorder.note

        def roles():
            return [[walk.call(operation, api=api.anonymous()).status for operation in ("leader", "replica")] for api in apis]

        wait_until(lambda: sorted(roles()) == [[200, 503], [503, 200]], "one leads, and the other follows it")
        first = roles().index([200, 503])
        here, there = (walk.call("health", api=api.anonymous()).json["id"] for api in (apis[first], apis[1 - first]))
        moved = walk.call("ocp-leader-transfer", {"nodeId": there}, api=apis[1 - first]).data
        assert moved == {"fromNodeId": here, "toNodeId": there}
        wait_until(lambda: roles()[first] == [503, 200] and roles()[1 - first] == [200, 503], "they have changed roles")
        walk.effect("ocp-leader-transfer")


@scenario("ocp-nodes-list", "ocp-node-get")
def nodes(walk):
    [node] = walk.rows("ocp-nodes-list")
    assert node["self"] is True and node["status"] == "ONLINE"
    assert walk.do("ocp-node-get", id=node["id"])["version"] == node["version"]


@scenario("ocp-cluster-get", "ocp-node-add", "ocp-node-remove", "ocp-node-drain", "ocp-node-resume", "ocp-node-renew-certificate")
def cluster_of_nodes(walk):
    [own] = walk.do("ocp-cluster-get")["members"]
    assert own["role"] == "VOTER" and own["self"] and own["leader"] and own["alive"] and own["certificateExpireTime"]
    assert walk.do("ocp-cluster-get")["leaderId"] == own["id"]
    added = walk.do("ocp-node-add", {"peerAddress": "127.0.0.123:8081", "name": "contract-node"})
    assert '"founding": false' in added["bundle"] and len(added["secret"]) == 39 and added["secret"] not in added["bundle"]

    def member():
        return next(m for m in walk.do("ocp-cluster-get")["members"] if m["id"] == added["id"])

    wait_until(lambda: member()["role"] == "STANDBY", "the leader makes it a standby")
    assert member()["name"] == "contract-node" and member()["status"] == "JOINING" and member()["waitReason"] == "SILENT"
    walk.effect("ocp-node-add")
    walk.do("ocp-node-drain", id=added["id"])
    assert member()["drainWanted"] is True
    walk.effect("ocp-node-drain")
    walk.do("ocp-node-resume", id=added["id"])
    assert member()["drainWanted"] is False
    walk.effect("ocp-node-resume")
    walk.do("ocp-node-renew-certificate", id=added["id"])
    walk.effect("ocp-node-renew-certificate")
    walk.call("ocp-leader-transfer", {"nodeId": added["id"]}).refused(409)
    walk.do("ocp-node-remove", id=added["id"])
    assert [m["id"] for m in walk.do("ocp-cluster-get")["members"]] == [own["id"]]
    walk.effect("ocp-node-remove")
    walk.gone("ocp-node-get", id=added["id"])
