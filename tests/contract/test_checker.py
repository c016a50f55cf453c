# SPDX-License-Identifier: Apache-2.0
"""The checker itself, on made-up replies: what must count counts, what must not does not."""
import collections
import re

import pytest

from lib.py.api import Reply

from . import envelope, openapi, report, test_walk
from .fake import compact, failure, serving, success
from .model import Member, Operation, Router, contract_operations, flat
from .recorder import Recorder, observe
from .scenarios import ENABLED, registered
from .walk import Walk

JSON = {"content-type": "application/json;charset=UTF-8"}
PAGE = {"number": 1, "size": 10, "totalElements": 1, "totalPages": 1}


def reply(body, status=200, path="/api/v2/things/7", method="GET", headers=None):
    return Reply(method, path, status, headers or JSON, body if isinstance(body, bytes) else compact(body))


def operation(kind, members=(), **more):
    return Operation(id="thing", origin="documented", method="GET", path="/api/v2/things/{id}", kind=kind,
                     members=tuple(members), **more)


ID = Member("id", "integer", expected=True)
NAME = Member("name", "string", expected=True)
NOTE = Member("note", "string")


# -- the contract as data -------------------------------------------------------------------------------------

def test_all_operations_of_the_contract_are_loaded():
    operations = contract_operations()
    assert collections.Counter(o.origin for o in operations) == {"documented": 165, "additional": 84}
    assert len({o.id for o in operations}) == 249
    assert sum(len(o.expected()) for o in operations) > 1000
    types = {m.type for o in operations for _, m in flat(o.members)}
    assert types == {"string", "integer", "number", "boolean", "object", "array", "map"}


@pytest.mark.parametrize("method, target, found", [
    ("GET", "/api/v2/ob/clusters/7", "ob-cluster-get"),
    ("GET", "/api/v2/ob/clusters/stats", "ob-clusters-stats-list"),
    ("GET", "/api/v2/ob/clusters/seven", None),
    ("POST", "/api/v2/ob/clusters/takeOver", "ob-cluster-take-over"),
    ("GET", "/api/v2/tasks/instances", "task-instances-list"),
    ("GET", "/api/v2/tasks/12", "task-get-alias"),
    ("GET", "/api/v2/ob/clusters/1/tenants/2/users/a.b%20c", "ob-cluster-tenant-user-get"),
    ("GET", "/services?Action=GetObProxyConfig&VersionOnly=true", "config-url-obproxy-config-get"),
    ("POST", "/services?Action=ObRootServiceInfo&version=2", "config-url-rs-info-report"),
    ("GET", "/services?Action=SomethingElse", None),
    ("GET", "/services?ServiceNames=a,b", "config-url-tenant-info"),
    ("PATCH", "/api/v2/info", None),
])
def test_requests_find_their_operation(method, target, found):
    request = reply(b"", method=method, path=target)
    got = Router(contract_operations()).find(method, request.path, request.query)
    assert (got and got.id) == found


# -- wire rules -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("body, status", [
    (success(), 200), (success({"id": 1}), 200), (success({"contents": []}), 200),
    (success({"contents": [], "page": PAGE}), 200), (success(timestamp="2026-01-02T03:04:05.67Z"), 200)])
def test_faultless_successes_pass(body, status):
    assert envelope.of_success(reply(body, status)) == []


LIST = operation("paged", [ID], has_page=True)


@pytest.mark.parametrize("body, complaint", [
    (success(traceId=...), "traceId is missing"),
    (success(server=7), "server is not of type str"),
    (success(successful=1), "successful is not of type bool"),
    (success(successful="true"), "successful is not of type bool"),
    (success(status="200"), "status is not of type int"),
    (success(status=201), "status is 201, HTTP says 200"),
    (success(duration=1.5), "duration is not of type int"),
    (success(duration=True), "duration is not of type int"),
    (success(timestamp="2026-01-02 03:04:05"), "timestamp"),
    (success(timestamp="2026-01-02T03:04:05+00:00"), "timestamp"),
    (success(traceId="xyz"), "traceId"),
    (success(message="fine"), "message does not belong"),
    (success(data=None, error={"code": 1, "message": "x"}), "error does not belong"),
    ({**success(), "data": None}, "data is null"),
    (success({"id": None}), "data.id is null"),
    (success({"contents": [{"id": "7"}]}), "data.contents[0].id is an id written as a string"),
    (success({"contents": {}}), "data.contents is not an array"),
    (success({"contents": [], "page": {"number": 1}}), "data.page"),
    ([success()], "not a JSON object"),
    (b"okay", "not JSON"),
    (b'{"a": 1}', "not compact"),
    (compact(success()) + b"\n", "not compact"),
])
def test_faulty_successes_are_caught(body, complaint):
    assert any(complaint in text for text in envelope.of_success(reply(body)))


@pytest.mark.parametrize("body, complaint", [
    (success({"contents": []}), "data.page"), (success([]), "contents"), (success({}), "contents"),
    (success(), "data is missing")])
def test_paged_lists_have_contents_and_page(body, complaint):
    assert any(complaint in text for text in envelope.of_success(reply(body), LIST))


def test_spaces_inside_strings_are_no_fault():
    assert envelope.of_success(reply(success({"text": 'a : b , "c" \\'}))) == []


def test_string_ids_that_the_contract_declares_are_no_fault():
    declared = operation("object", [Member("sqlId", "string"), Member("serial", "string", nullable=True)])
    body = success({"sqlId": "123", "serial": None})
    assert envelope.of_success(reply(body), declared) == []
    assert len(envelope.of_success(reply(body))) == 2


def test_wrong_content_type_is_caught():
    assert envelope.of_success(reply(success(), headers={"content-type": "text/html"})) != []


def test_faultless_error_passes():
    assert envelope.of_error(reply(failure(), 404)) == []


@pytest.mark.parametrize("body, complaint", [
    (failure(error=...), "error is not"), (failure(error={"code": "11001", "message": "x"}), "error is not"),
    (failure(error={"code": 1, "message": ""}), "error.message is empty"), (failure(successful=True), "not false"),
    (failure(data={}), "data does not belong"), (failure(status=500), "HTTP says 404"), (b"Not Found", "not JSON"),
    (["error"], "not a JSON object")])
def test_faulty_errors_are_caught(body, complaint):
    assert any(complaint in text for text in envelope.of_error(reply(body, 404)))


def config_url(**changes):
    return {"Code": 200, "Message": "successful", "Success": True, "Data": {"Version": "1"}, "Trace": "t", "Server": "s",
            "Cost": 1, **changes}


def test_config_url_replies():
    assert envelope.of_config_url(reply(config_url())) == []
    for changes, complaint in (({"Message": "ok"}, "Message"), ({"Cost": "1"}, "Cost"), ({"code": 1}, "code does not belong"),
                               ({"Success": False}, "carries Data")):
        assert any(complaint in text for text in envelope.of_config_url(reply(config_url(**changes))))


# -- members --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("value, kind, fits", [
    (1, "integer", True), (True, "integer", False), (1.5, "integer", False), (1, "number", True), (1.5, "number", True),
    ("1", "integer", False), (False, "boolean", True), ("false", "boolean", False), ({}, "map", True), ({}, "object", True),
    ([], "array", True), ({}, "array", False), (None, "string", False)])
def test_types(value, kind, fits):
    assert envelope.is_type(value, kind) is fits


def test_nested_members_are_seen_by_their_full_names():
    members = (ID, Member("zones", "array", True, item="object", members=(
        NAME, Member("root", "object", True, members=(Member("port", "integer", True),)))),
        Member("tags", "array", item="string"))
    seen, wrong = observe(members, {"id": 1, "zones": [{"name": "z"}, {"root": {"port": 1}}], "tags": ["a", 1]})
    assert seen == {"id", "zones", "zones[].name", "zones[].root", "zones[].root.port", "tags"}
    assert wrong == {"tags[]": "is integer instead of string"}


def test_dynamic_members_are_those_nobody_declared():
    members = (Member("timestamp", "integer", True), Member("{metric}", "number", True, dynamic=True))
    assert observe(members, {"timestamp": 1})[0] == {"timestamp"}
    assert observe(members, {"timestamp": 1, "cpu": 1.5})[0] == {"timestamp", "{metric}"}
    assert observe(members, {"timestamp": 1, "cpu": "1.5"})[1] == {"{metric}": "is string instead of number"}


# -- what counts ----------------------------------------------------------------------------------------------

def counted(declared, *replies, effect=False):
    recorder = Recorder([declared])
    for one in replies:
        recorder.note(one)
    if effect:
        recorder.effect(declared.id)
    return recorder.records[declared.id].counts


def test_object_counts_with_every_expected_member():
    thing = operation("object", [ID, NAME, NOTE])
    assert counted(thing, reply(success({"id": 1, "name": "a"})))
    assert not counted(thing, reply(success({"id": 1})))
    assert not counted(thing, reply(success({"id": 1}), 200), reply(success({"name": "a"}))), "one reply must have them all"
    assert not counted(thing, reply(success({})))
    assert not counted(thing, reply(success()))
    assert not counted(thing, reply(failure(), 404))
    assert not counted(thing)


def test_wrong_type_anywhere_stops_counting():
    thing = operation("object", [ID, NOTE])
    good = reply(success({"id": 1}))
    assert counted(thing, good)
    assert not counted(thing, good, reply(success({"id": 1, "note": 7})))


def test_list_counts_when_it_is_not_empty():
    things = operation("list", [ID, NAME])
    assert counted(things, reply(success({"contents": [{"id": 1}, {"name": "a"}]})))
    assert not counted(things, reply(success({"contents": []})))


def test_nullable_member_may_be_null():
    assert counted(operation("object", [ID, Member("alias", "string", True, nullable=True)]),
                   reply(success({"id": 1, "alias": None})))


@pytest.mark.parametrize("kind", ["none", None])
def test_operation_without_data_counts_by_its_effect(kind):
    thing = operation(kind)
    assert not counted(thing, reply(success()))
    assert counted(thing, reply(success()), effect=True)


def test_effect_of_an_operation_that_never_succeeded_cannot_be_declared():
    with pytest.raises(AssertionError, match="never answered success"):
        counted(operation("none"), reply(failure(), 404), effect=True)


def test_replies_outside_the_envelope():
    assert counted(operation("text"), reply(b"okay", headers={"content-type": "text/plain"}))
    assert not counted(operation("text"), reply(b""))
    assert counted(operation("raw_object", [NAME]), reply({"name": "a"}))
    assert not counted(operation("raw_object", [NAME]), reply(b"[]"))
    assert counted(operation("raw_list"), reply([{"targets": []}]))
    assert not counted(operation("raw_list"), reply([]))


def test_success_may_only_be_200():
    recorder = Recorder([operation("object", [ID])])
    recorder.note(reply(success({"id": 1}, status=201), 201))
    assert not recorder.records["thing"].counts
    assert any("a success is 200" in v for v in recorder.take_violations())
    assert recorder.take_violations() == []


def test_broken_rules_name_their_request():
    recorder = Recorder([operation("object", [ID])])
    recorder.note(reply(success({"id": "x"})))
    assert recorder.take_violations() == ["GET /api/v2/things/7: id is string instead of integer"]


# -- the report and the committed list ------------------------------------------------------------------------

def rows_of(*replies):
    good = operation("object", [ID, NAME])
    other = Operation("other", "documented", "GET", "/api/v2/other", "object", members=(ID,))
    recorder = Recorder([good, other])
    for one in replies:
        recorder.note(one)
    return report.summary(recorder, {good.route})


def test_report_gives_totals_and_names_what_is_missing():
    text = report.render(rows_of(reply(success({"id": 1}))))
    assert "thing  GET /api/v2/things/{id}: members missing (1/2 members)\n    missing name" in text
    assert "documented: 0 / 2 operations count, 1 have a route, members seen / expected 1 / 3" in text


def test_committed_list_may_only_grow():
    good = rows_of(reply(success({"id": 1, "name": "a"})))
    assert report.compare(good, ["thing"]) == []
    assert "add them" in report.compare(good, [])[0]
    bad = rows_of(reply(success({"id": 1})))
    assert report.compare(bad, ["thing"]) == ["thing no longer counts: members missing (name)"]
    assert report.compare(bad, ["other"]) == ["other no longer counts: no such route yet"]
    assert "no such operation" in report.compare(bad, ["gone"])[0]
    assert "not sorted" in report.compare(good, ["thing", "thing"])[0]
    assert report.compare(rows_of(), []) == []


def test_committed_list_is_sorted_and_known():
    names = report.committed()
    assert names == sorted(set(names))


def test_enabled_scenarios_exist():
    assert len(set(ENABLED)) == len(ENABLED)
    assert set(ENABLED) <= set(registered())


# -- the OpenAPI document -------------------------------------------------------------------------------------

ENVELOPE = {"type": "object", "properties": {"successful": {"type": "boolean"}}}


def enveloped(data):
    return {"200": {"content": {"application/json": {"schema": {"allOf": [
        {"$ref": "#/components/schemas/Envelope"}, {"type": "object", "properties": {"data": data}}]}}}}}


THING = {"$ref": "#/components/schemas/Thing"}
DOCUMENT = {
    "openapi": "3.1.0", "security": [{"basic": []}],
    "components": {"schemas": {
        "Envelope": ENVELOPE,
        "Thing": {"type": "object", "required": ["id"], "properties": {
            "id": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}}, "parent": THING, "raw": {},
            "box": {"type": "object", "properties": {"lid": {"type": "boolean"}}}}},
        "ThingIn": {"type": "object", "required": ["name", "size"], "properties": {
            "name": {"type": "string", "minLength": 3}, "size": {"type": "integer", "minimum": 2},
            "value": {"type": ["string", "integer"]}, "live": {"type": "boolean"}, "free": {},
            "box": {"type": "object", "required": ["lid"], "properties": {"lid": {"type": "boolean"}}},
            "parts": {"type": "array", "items": {"type": "object", "properties": {"weight": {"type": "number"}}}}}}}},
    "paths": {
        "/api/v2/things": {
            "get": {"operationId": "things-list", "x-origin": "own", "x-permission": "THING:READ", "parameters": [
                {"in": "query", "name": "size", "schema": {"type": "integer"}},
                {"in": "query", "name": "state", "schema": {"type": "array", "items": {"type": "string", "enum": ["A", "B"]}}},
                {"in": "query", "name": "text", "schema": {"type": "string"}}],
                "responses": enveloped({"type": "object", "properties": {
                    "page": {"type": "object"}, "contents": {"type": "array", "items": THING}}})},
            "post": {"operationId": "thing-create", "x-origin": "own", "responses": enveloped(THING),
                     "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ThingIn"}}}}}},
        "/api/v2/things/{id}": {"delete": {
            "operationId": "thing-delete", "x-origin": "own",
            "parameters": [{"in": "path", "name": "id", "schema": {"type": "integer"}}],
            "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Envelope"}}}}}}},
        "/api/v2/bare": {"get": {"operationId": "bare", "x-origin": "own", "responses": {
            "200": {"content": {"application/json": {"schema": THING}}}}}},
        "/api/v2/time": {"get": {"operationId": "time-get", "x-origin": "documented", "security": [],
                                 "responses": {"200": {"description": "text"}}}}}}


def by_id():
    return {r.id: r for r in openapi.routes(DOCUMENT)}


def test_own_operations_come_from_the_document():
    listing = by_id()["things-list"].operation
    assert (listing.kind, listing.has_page, listing.expected()) == ("paged", True, ["id"])
    assert by_id()["thing-create"].operation.kind == "object"
    assert by_id()["thing-delete"].operation.kind == "none"
    assert (by_id()["bare"].operation.kind, by_id()["bare"].operation.envelope) == ("raw_object", "none")
    assert (by_id()["things-list"].permission, by_id()["bare"].permission) == ("THING:READ", "login")
    assert by_id()["time-get"].operation.kind == "text" and not by_id()["time-get"].login


def test_paths_to_nothing():
    assert by_id()["thing-delete"].nowhere() == f"/api/v2/things/{openapi.NO_SUCH_ID}"


def test_each_field_gets_a_value_it_cannot_accept():
    create = by_id()["thing-create"]
    wrong = {".".join(f.trail): openapi.wrong_value(f) for f in create.fields()}
    assert wrong == {"name": {"no": "such thing"}, "size": "no such thing", "value": {"no": "such thing"},
                     "live": "no such thing", "box": "no such thing", "box.lid": "no such thing",
                     "parts": {"no": "such thing"}, "parts.weight": "no such thing"}
    listing = {f.name: openapi.wrong_value(f) for f in by_id()["things-list"].fields()}
    assert listing == {"size": "no-such-thing", "state": "no-such-thing", "text": None}


def test_body_around_a_wrong_field_is_plausible():
    schema = by_id()["thing-create"].body
    assert openapi.body_with(schema, ("box", "lid"), 7) == {"name": "xxx", "size": 2, "box": {"lid": 7}}
    assert openapi.body_with(schema, ("parts", "weight"), 7) == {"name": "xxx", "size": 2, "parts": [{"weight": 7}]}


def test_members_that_an_own_operation_does_not_declare_are_caught():
    own = by_id()["thing-create"].operation
    recorder = Recorder([own])
    good = {"id": 1, "raw": [1], "box": {"lid": True}}
    recorder.note(reply(success(good), path="/api/v2/things", method="POST"))
    assert recorder.records[own.id].counts and recorder.take_violations() == []
    recorder.note(reply(success({**good, "box": {"x": 1}, "y": 1}), path="/api/v2/things", method="POST"))
    assert [v.rsplit(": ", 1)[1] for v in recorder.take_violations()] == ["box.x is not declared", "y is not declared"]


# -- a whole walk over a fake server --------------------------------------------------------------------------

class Regions:
    """A region table behind the documented routes; `forgetful` keeps what is deleted."""

    def __init__(self, forgetful=False):
        self.rows, self.forgetful = {}, forgetful

    def replies(self):
        path = "/api/v2/compute/regions"
        document = {"paths": {
            p: {m: {"operationId": i, "x-origin": "documented"} for m, i in row.items()} for p, row in {
                path: {"get": "regions-list", "post": "region-create"},
                path + "/{regionId}": {"get": "region-get", "delete": "region-delete"}}.items()}}
        return {("GET", openapi.PATH): (200, document), ("GET", path): self.list, ("POST", path): self.create,
                ("GET", path + "/*"): self.get, ("DELETE", path + "/*"): self.delete}

    def create(self, _, sent):
        row = {"id": len(self.rows) + 1, "createTime": "2026-01-02T03:04:05.678Z", "updateTime": "2026-01-02T03:04:05.678Z", **sent}
        self.rows[row["id"]] = row
        return 200, success(row)

    def list(self, *_):
        return 200, success({"contents": list(self.rows.values()), "page": PAGE})

    def get(self, request, _):
        row = self.rows.get(int(request.path.rsplit("/", 1)[1]))
        return (200, success(row)) if row else (404, failure())

    def delete(self, request, _):
        number = int(request.path.rsplit("/", 1)[1])
        if not self.forgetful:
            self.rows.pop(number, None)
        return 200, success()


def test_scenario_walks_and_its_operations_count():
    with serving(Regions().replies()) as api:
        walk = Walk(api)
        registered()["regions"].run(walk)
        rows = report.summary(walk.recorder, walk.routed)
        assert [r["id"] for r in rows if r["counts"]] == ["regions-list", "region-get", "region-create", "region-delete"]
        assert walk.recorder.take_violations() == []
        assert "documented: 4 / 165 operations count, 4 have a route" in report.render(rows)
        assert not walk.has("idcs-list")


def test_scenario_notices_a_server_that_does_not_delete():
    with serving(Regions(forgetful=True).replies()) as api:
        walk = Walk(api)
        with pytest.raises(AssertionError, match=re.escape("GET /api/v2/compute/regions/1 -> 200")):
            registered()["regions"].run(walk)
        assert "region-delete" not in [r["id"] for r in report.summary(walk.recorder) if r["counts"]]


# -- the checks that are made from the document ---------------------------------------------------------------

class Guarded:
    """A server of DOCUMENT that asks for a login and names wrong fields; what is in `lax` it lets pass."""

    def __init__(self, *lax):
        self.lax = lax

    def replies(self):
        routed = {(r.method, r.path.replace("{id}", "*")): r for r in openapi.routes(DOCUMENT)}
        return {("GET", openapi.PATH): (200, DOCUMENT),
                **{key: (lambda request, sent, route=route: self.answer(request, sent, route)) for key, route in routed.items()}}

    def answer(self, request, sent, route):
        if route.login and route.id not in self.lax and "Authorization" not in request.headers:
            return 401, failure(401)
        wrong = [f.name for f in route.fields() if f.name not in self.lax and self.has(request, sent, f)]
        if wrong:
            return 400, failure(400, error={"code": 1001, "message": f"Illegal argument: {wrong[0]}"})
        return 200, success({"id": 1})

    @staticmethod
    def has(request, sent, field):
        if field.where == "query":
            return f"{field.name}=no-such-thing" in request.path
        for name in field.trail:
            sent = sent[0] if isinstance(sent, list) else sent
            sent = sent.get(name) if isinstance(sent, dict) else None
        return sent is not None and sent == openapi.wrong_value(field)


@pytest.mark.parametrize("check, lax, complaint", [
    (test_walk.test_login_is_required, (), None),
    (test_walk.test_login_is_required, ("things-list",), "GET /api/v2/things -> 200"),
    (test_walk.test_every_wrong_field_is_named, (), None),
    (test_walk.test_every_wrong_field_is_named, ("weight",), "parts.weight: POST /api/v2/things"),
    (test_walk.test_every_wrong_field_is_named, ("state",), "state: GET /api/v2/things?state=no-such-thing"),
])
def test_generated_checks(check, lax, complaint):
    with serving(Guarded(*lax).replies()) as api:
        walk = Walk(api)
        walk.recorder.take_violations()
        if complaint is None:
            check(walk)
        else:
            with pytest.raises(AssertionError, match=re.escape(complaint)):
                check(walk)
