# SPDX-License-Identifier: Apache-2.0
"""Listens to every reply, holds it against the contract, and knows which operations count.

A member of the wrong type breaks the contract even where it is optional.

An operation counts when one reply brought non-empty data in which every expected member occurred with its
type; one that has no reply data counts when it answered success and a scenario declared, after a read that
showed it, the effect (Recorder.effect).
"""
import dataclasses

from . import envelope
from .model import Router


def observe(members, value, prefix=""):
    """(names of members that occur with their type, {name: what is wrong with it}) of one JSON object."""
    seen, wrong = set(), {}
    declared = {m.name for m in members}
    for member in members:
        name = prefix + member.name
        values = _values(member, value, declared)
        for inner in values:
            if inner is None and member.nullable or envelope.is_type(inner, member.type):
                seen.add(name)
                _descend(member, inner, name, seen, wrong)
            else:
                wrong[name] = f"is {_type_name(inner)} instead of {member.type}"
    return seen, wrong


def undeclared(members, value, prefix=""):
    """Names of members that nobody declared, as far as `members` describe objects at all."""
    names = {m.name: m for m in members}
    for name, inner in value.items():
        if name not in names:
            yield prefix + name
        elif names[name].members:
            for item in inner if isinstance(inner, list) else [inner]:
                if isinstance(item, dict):
                    yield from undeclared(names[name].members, item, f"{prefix}{name}.")


def _values(member, value, declared):
    """What stands under a member's name; for a dynamic one, what stands under the names nobody declared."""
    if member.dynamic:
        return [v for k, v in value.items() if k not in declared]
    return [value[member.name]] if member.name in value else []


def _descend(member, value, name, seen, wrong):
    if isinstance(value, list):
        for inner in value:
            if member.item is not None and not envelope.is_type(inner, member.item):
                wrong[name + "[]"] = f"is {_type_name(inner)} instead of {member.item}"
        objects, prefix = [v for v in value if isinstance(v, dict)], name + "[]."
    else:
        objects, prefix = [value] if isinstance(value, dict) else [], name + "."
    for inner in objects:
        more_seen, more_wrong = observe(member.members, inner, prefix)
        seen |= more_seen
        wrong.update(more_wrong)


def _type_name(value):
    return {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object", list: "array",
            type(None): "null"}[type(value)]


@dataclasses.dataclass
class Record:
    """What is known of one operation. `missing` is that of the best reply, None before any data came."""
    operation: object
    n_success: int = 0
    n_error: int = 0
    has_effect: bool = False
    has_data: bool = False
    missing: list = None
    wrong: dict = dataclasses.field(default_factory=dict)

    @property
    def counts(self):
        if self.n_success == 0 or self.wrong:
            return False
        if self.operation.kind == "none":
            return self.has_effect
        if self.operation.kind is None and not self.has_data:
            return self.has_effect
        return self.has_data and not self.missing

    @property
    def n_expected(self):
        return len(self.operation.expected())

    @property
    def n_seen(self):
        return 0 if self.missing is None else self.n_expected - len(self.missing)


class Recorder:
    """note() is the on_reply of an Api; `violations` collects broken wire rules, each with its request."""

    def __init__(self, operations):
        self.records = {o.id: Record(o) for o in operations}
        self.violations = []
        self._router = Router(operations)

    def note(self, reply):
        operation = self._router.find(reply.method, reply.path, reply.query)
        record = self.records[operation.id] if operation else None
        success = reply.status == (operation.status if operation else 200)
        for text in self._wire_rules(reply, operation, success):
            self.violations.append(f"{reply.method} {reply.target} ({reply.status}): {text}")
        if record is None:
            return
        if not success or not _says_success(reply, operation):
            record.n_error += 1
            return
        record.n_success += 1
        self._members(record, reply)

    def effect(self, operation_id):
        """Declares that a read has just shown what the operation did."""
        record = self.records[operation_id]
        assert record.n_success > 0, f"{operation_id} never answered success: nothing can show its effect"
        record.has_effect = True

    def take_violations(self):
        """The violations since the last call."""
        taken, self.violations = self.violations, []
        return taken

    def _wire_rules(self, reply, operation, success):
        if operation is not None and operation.envelope == "config-url":
            return envelope.of_config_url(reply)
        if not reply.path.startswith("/api/") or reply.method == "HEAD":
            return []
        if not success:
            wrong = [] if reply.status >= 400 else [f"status {reply.status}: a success is 200, nothing else"]
            return wrong + envelope.of_error(reply)
        if operation is None or operation.envelope == "standard":
            return envelope.of_success(reply, operation) if _is_json(reply) else _unenveloped(operation)
        return []

    def _members(self, record, reply):
        operation = record.operation
        data = _data_of(reply, operation)
        objects = data if isinstance(data, list) else [data]
        objects = [o for o in objects if o not in (None, {}, "", b"")]
        if not objects:
            return
        record.has_data = True
        seen, wrong = set(), {}
        for item in objects:
            if isinstance(item, dict):
                item_seen, item_wrong = observe(operation.members, item)
                seen |= item_seen
                wrong.update(item_wrong)
                if operation.origin == "own" and operation.members:
                    wrong.update((name, "is not declared") for name in undeclared(operation.members, item))
        record.wrong.update(wrong)
        self.violations += [f"{reply.method} {reply.target}: {name} {text}" for name, text in sorted(wrong.items())]
        missing = [name for name in operation.expected() if name not in seen]
        if record.missing is None or len(missing) < len(record.missing):
            record.missing = missing


def _is_json(reply):
    return reply.headers.get("content-type", "").lower().startswith("application/json")


def _unenveloped(operation):
    return [] if operation is None or operation.kind is None else ["the reply is not JSON in the envelope"]


def _says_success(reply, operation):
    if operation.envelope == "config-url":
        try:
            return reply.json.get("Success") is True
        except (ValueError, AttributeError):
            return False
    return True


def _data_of(reply, operation):
    """The reply's object, or list of objects, that the contract's members describe."""
    if operation.kind in ("text", "html", "binary") and operation.envelope != "config-url":
        return reply.body
    try:
        body = reply.json
    except ValueError:
        return reply.body if operation.kind is None else None
    if operation.kind in ("raw_object", "raw_list"):
        return body
    if not isinstance(body, dict):
        return None
    if operation.envelope == "config-url":
        return body.get("Data")
    data = body.get("data")
    if operation.kind in ("list", "paged"):
        return data.get("contents") if isinstance(data, dict) else None
    return data
