# SPDX-License-Identifier: Apache-2.0
"""Secrets go in and never come out: a marker in every secret member of every route, then a search of everything that is kept or told."""
import json
import re
import subprocess

import pytest

from contract import openapi
from lib.py.server import OcpServer, binary

MARKER = "Qx7Zm4Wk"
PASSWORD = f"Aa1-{MARKER}"
MINE = 900000001


@pytest.fixture(scope="module")
def server(mariadb_server):
    database = mariadb_server.create_database("secrets")
    with OcpServer(database, settings={"log.level": "debug"}) as running:
        yield running
    mariadb_server.drop_database(database)


def secret_fields(route):
    """Trails of the members that are only written, as the OpenAPI document says."""
    return [f.trail for f in route.fields() if f.where == "body" and f.schema.get("writeOnly")]


def test_what_sounds_like_a_secret_is_only_written(server):
    """Or the next test would not look for it."""
    fields = [(route.id, field) for route in openapi.routes(server.api().get(openapi.PATH).json) for field in route.fields()]
    told = [f"{name}: {'.'.join(map(str, field.trail))}" for name, field in fields
            if re.search(r"pass|secret|token|private", field.name, re.I) and field.schema.get("type") != "boolean"
            and not (field.where == "body" and field.schema.get("writeOnly"))]
    assert len(fields) > 200 and not told


def test_the_marker_appears_nowhere(server, mariadb_server):
    api = server.api()
    rows = {r["id"]: r for r in json.loads(subprocess.run([binary(), "--dump", "routes"], capture_output=True, check=True, timeout=60).stdout)}
    replies, tried = [], 0
    # what works: users, passwords, credentials, system parameters
    user = api.post("/api/v2/iam/users", {"username": "marked", "password": PASSWORD})
    replies += [user, api.post(f"/api/v2/iam/users/{user.data['id']}/resetPassword", {"password": PASSWORD + "2"})]
    marked = api.as_user("marked", PASSWORD + "2")
    replies.append(marked.post("/api/v2/profiles/me/changePassword", {"currentPassword": PASSWORD + "2", "newPassword": PASSWORD + "3"}))
    for target, member in (("HOST", "sshCredentialProperty"), ("OB", "obJdbcCredentialProperty"), ("OBPROXY", "obProxyCredentialProperty")):
        replies.append(api.post("/api/v2/profiles/me/credentials", {"targetType": target, "name": f"marked_{target}", member: {
            "username": "u", "passphrase": PASSWORD, "clusterName": "c", "address": "127.0.0.1", "port": 9}}))
    box = "/api/v2/profiles/me/credentials"
    replies.append(api.post(box + "/share", {"credentialIds": [r.data["id"] for r in replies[-3:]], "usernames": ["marked"]}))
    replies += [api.post(box + "/validate"), api.get(box), api.post(box + "/export", {"secret": PASSWORD})]
    assert all(r.status == 200 for r in replies), "\n".join(map(str, replies))
    # what does not: every secret member of every route, of a plausible and of an impossible length
    for route in openapi.routes(api.get(openapi.PATH).json):
        if route.body is None or route.id not in rows:
            continue
        for trail in secret_fields(route):
            path = route.path
            for name, kind in route.path_types.items():
                path = path.replace("{%s}" % name, str(MINE) if kind == "integer" else "nothing-has-this-name")
            for value in (PASSWORD, MARKER * 40, MARKER + "\x07", [PASSWORD]):
                replies.append(api.call(route.method, path, openapi.body_with(route.body, trail, value)))
                tried += 1
    assert tried > 20
    leaks = [str(r)[:300] for r in replies if MARKER.encode() in r.body]
    assert not leaks, "in replies:\n" + "\n".join(leaks)
    assert MARKER not in server.log.read_text(errors="replace"), "in the log"
    events, page = [], 1
    while True:
        got = api.get("/api/v2/audit/events", {"page": page, "size": 100})
        events += got.contents
        if len(events) >= got.data["page"]["totalElements"] or not got.contents:
            break
        page += 1
    assert len(events) > tried / 2 and not [e for e in events if MARKER in json.dumps(e)], "in the audit"
    assert any("******" in e["eventInfo"] for e in events)
    assert MARKER not in json.dumps(api.get("/api/v2/tasks/instances", {"size": 100}).json), "in tasks"
    found = []
    for table in mariadb_server.sql("SHOW TABLES", database=server.database.name):
        name, = table.values()
        for row in mariadb_server.sql(f"SELECT * FROM `{name}`", database=server.database.name):
            found += [f"{name}.{column}" for column, value in row.items()
                      if MARKER in (value.decode("latin-1") if isinstance(value, bytes) else str(value))]
    assert not found, f"in MetaDB: {sorted(set(found))}"


# -- the audit ---------------------------------------------------------------------------------------------------------

EVENTS = "/api/v2/audit/events"


def test_every_change_is_recorded_and_found(server):
    api = server.api()
    api.post("/api/v2/iam/users", {"username": "auditor", "password": "Audited-1", "roles": [104]}).ok()
    auditor = api.as_user("auditor", "Audited-1")
    made = api.post("/api/v2/iam/roles", {"name": "audited", "permissions": ["HOST:7:READ"]})
    api.patch(f"/api/v2/iam/roles/{made.data['id']}", {"permissions": ["HOST:8:READ"]}).ok()
    api.delete(f"/api/v2/iam/roles/{made.data['id']}").ok()
    auditor.delete("/api/v2/iam/users/100").refused(403)
    role = {"resourceType": "OCP_ROLE", "resourceId": made.data["id"]}
    events = auditor.get(EVENTS, role).contents
    assert [e["operationEvent"] for e in events] == ["DELETE_ROLE", "UPDATE_ROLE", "CREATE_ROLE"]
    assert {e["resourceName"] for e in events} == {"audited"} and "HOST:8:READ" in events[1]["eventInfo"]
    assert [e["id"] for e in auditor.get(EVENTS, {"traceId": made.json["traceId"]}).contents] == [events[2]["id"]]
    refused, = auditor.get(EVENTS, {"operatorName": "audit", "status": "FAILED"}).contents
    assert (refused["operatorName"], refused["errorCode"], refused["operation"]) == ("auditor", 3100, "iam-user-delete")
    assert len(auditor.get(EVENTS, {"keyword": "host:8:read"}).contents) == 1
    assert auditor.get(EVENTS, {**role, "operation": "iam-role-update,iam-role-delete"}).data["page"]["totalElements"] == 2
    first = auditor.get(EVENTS, {**role, "size": 2}).data
    assert first["page"]["totalElements"] == 3 and len(first["contents"]) == 2
    assert [e["id"] for e in auditor.get(EVENTS, {**role, "size": 2, "page": 2}).contents] == [events[2]["id"]]
    late = auditor.get(EVENTS, {**role, "startTime": events[0]["endTime"], "endTime": "2100-01-01T00:00:00Z"}).contents
    assert len(late) <= 1
    assert auditor.get(EVENTS, {**role, "endTime": "2001-01-01T00:00:00Z"}).contents == []
    assert auditor.get(EVENTS, {"clientIp": "203.0.113.9"}).contents == []


def test_tasks_stand_in_the_record(server):
    api = server.api()
    region = api.post("/api/v2/compute/regions", {"name": "audited"}).data["id"]
    idc = api.post("/api/v2/compute/idcs", {"name": "audited", "regionId": region}).data["id"]
    kind = api.post("/api/v2/compute/hostTypes", {"name": "audited"}).data["id"]
    login = api.post("/api/v2/profiles/me/credentials", {"targetType": "HOST", "name": "audited", "sshCredentialProperty": {
        "type": "PASSWORD", "username": "admin", "passphrase": "secret"}}).data["id"]
    task = api.post("/api/v2/compute/hosts/batchCreate", {"idcId": idc, "typeId": kind, "kind": "DEDICATED_PHYSICAL_MACHINE", "sshPort": 22,
                                                          "credentialId": login, "hostBasicDataList": [{"innerIpAddress": "10.8.0.1"}]}).data["id"]
    event, = api.get(EVENTS, {"taskId": task}).contents
    assert (event["operationEvent"], event["taskId"], event["executionType"]) == ("ADD_HOSTS", task, "NEW")
