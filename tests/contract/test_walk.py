# SPDX-License-Identifier: Apache-2.0
"""Walks every operation against a running ocp-server, two real OceanBase kernels and a real MetaDB.

The order of the tests is the order of this file: the scenarios, then what follows from all of them.
"""
import pytest

from . import openapi, report
from .scenarios import ENABLED, registered

_finished, _skipped = [], []


@pytest.mark.parametrize("name", ENABLED)
def test_scenario(walk, name):
    scenario = registered()[name]
    if walk.has(*scenario.needs):
        walk.recorder.take_violations()
        try:
            scenario.run(walk)
        except pytest.skip.Exception:
            _skipped.append(name)
            raise
        broken = walk.recorder.take_violations()
        assert not broken, "wire rules broken:\n" + "\n".join(broken)
    _finished.append(name)


def test_scenarios_need_operations_that_exist(walk):
    """In the contract, or of our own: a misspelt one would leave its scenario out."""
    known = {r.operation.id for r in walk.recorder.records.values()} | {r.id for r in walk.routes}
    for scenario in registered().values():
        assert set(scenario.needs) <= known, scenario.name


def test_login_is_required(walk):
    """Every route that does not declare itself open refuses a caller without credentials, with the error body."""
    nobody, wrong = walk.api.anonymous(), []
    for route in walk.routes:
        if route.login:
            reply = nobody.call(route.method, route.nowhere())
            if reply.status != 401:
                wrong.append(str(reply))
    wrong += walk.recorder.take_violations()
    assert not wrong, "\n".join(wrong)


def test_permission_is_required(walk):
    """Who has only his own profile is refused by every route that needs more, before anything else is looked at, and by no other."""
    wrong = []
    profile = next(role["id"] for role in walk.rows("iam-roles-list") if role["name"] == "PROFILE")
    walk.do("iam-user-create", {"username": "only.profile", "password": "Walker-1234", "roles": [profile]})
    somebody = walk.api.as_user("only.profile", "Walker-1234")
    for route in walk.routes:
        reply = somebody.call(route.method, route.nowhere())
        needs_more = route.permission not in ("public", "login") and not route.permission.startswith("PROFILE:")
        if (reply.status == 403) is not needs_more:
            wrong.append(f"{route.permission}: {reply}")
    wrong += walk.recorder.take_violations()
    assert not wrong, f"{len(wrong)} routes:\n" + "\n".join(wrong)


def test_every_wrong_field_is_named(walk):
    """A value of the wrong type in any declared input field gives 400 with the field's name in the message."""
    wrong = []
    for route in walk.routes:
        for field in route.fields():
            value = openapi.wrong_value(field)
            if value is not None:
                reply = _send(walk.api, route, field, value)
                if reply.status != 400 or field.name not in reply.json["error"]["message"]:
                    wrong.append(f"{'.'.join(field.trail)}: {reply}")
    wrong += walk.recorder.take_violations()
    assert not wrong, f"{len(wrong)} fields:\n" + "\n".join(wrong)


def _send(api, route, field, value):
    query = {p["name"]: openapi.plausible(p["schema"]) for p in route.query if p.get("required")}
    if field.where == "query":
        body = None if route.body is None else openapi.plausible(route.body)
        return api.call(route.method, route.nowhere(), body, {**query, field.name: value})
    return api.call(route.method, route.nowhere(), openapi.body_with(route.body, field.trail, value), query)


def test_no_contract_operation_is_declared_under_another_name(walk):
    """The server's operation ids for documented and additional routes are those of the contract."""
    ids = {r.operation.id: r for r in walk.recorder.records.values()}
    wrong = [f"{r.method} {r.path} is called {r.id}" for r in walk.routes if r.origin != "own" and r.path != "/services"
             and (r.id not in ids or ids[r.id].operation.route != r.operation.route)]
    assert not wrong, "\n".join(wrong)


def test_counted_operations(walk, request):
    """Every operation in counted.txt counts, and no other does: the list may only grow. Where there are no hosts, nobody can tell of what needs them."""
    rows = report.summary(walk.recorder, walk.routed)
    request.config.contract_rows = rows
    unfinished = [name for name in ENABLED if name not in _finished + _skipped]
    if not unfinished:
        unknown = {operation for name in _skipped for operation in registered()[name].needs}
        wrong = report.compare([r for r in rows if r["id"] not in unknown], [name for name in report.committed() if name not in unknown])
        assert not wrong, "\n".join(wrong)
    else:
        pytest.fail(f"the list cannot be judged, these did not finish: {' '.join(unfinished)}")


HOSTILE = ("../../../etc/passwd", "a\x1b[31m\x07\u202e", "x" * 10000, "'; DROP TABLE task; --", "{0} %s %n")
LONGEST_QUERY = 4000        # what is longer is refused before anybody reads it: 414


def _reason(reply):
    return reply.json["error"]["message"] if "error" in reply.json else reply.json.get("Message")


@pytest.mark.bad_input("hostile names")
def test_hostile_values_break_nothing(walk):
    """Path traversal, control characters, 10 000 characters and what other languages would take for commands, in every text of every request:
    never an error of the server, and what is refused says which member. The last of all: some of them are taken, as the texts that they are."""
    wrong = []
    for route in walk.routes:
        for field in (f for f in route.fields() if openapi.takes_text(f)):
            for value in HOSTILE:
                reply = _send(walk.api, route, field, value[:LONGEST_QUERY] if field.where == "query" else value)
                raw = b"\x1b" in reply.body and "json" in reply.headers.get("content-type", "")
                if reply.status >= 500 or raw or reply.status == 400 and not _reason(reply):
                    wrong.append(f"{'.'.join(field.trail)} {value[:20]!r}: {reply}")
    wrong += walk.recorder.take_violations()
    assert not wrong, f"{len(wrong)} values:\n" + "\n".join(wrong)
