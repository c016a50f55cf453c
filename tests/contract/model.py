# SPDX-License-Identifier: Apache-2.0
"""The contract as a model: operations with their paths and the members that their replies must have.

Documented and additional operations come from data/contract/, own ones from the server's OpenAPI document.
"""
import dataclasses
import json
import pathlib
import re
import urllib.parse

DATA = pathlib.Path(__file__).resolve().parents[2] / "data" / "contract"
ORIGINS = ("documented", "additional", "own")


@dataclasses.dataclass(frozen=True)
class Member:
    """One member of a reply; `expected` ones must occur before the operation counts.

    `dynamic` stands for members whose names come from the request. `item` is the type of an array's elements,
    and `members` those of an object or of an array's objects.
    """
    name: str
    type: str
    expected: bool = False
    nullable: bool = False
    dynamic: bool = False
    item: str = None
    members: tuple = ()


@dataclasses.dataclass(frozen=True)
class Operation:
    """kind: object list paged none text raw_object raw_list html binary, or None when nobody knows the reply.

    envelope: standard, config-url, or none. `selector` are query parameters that select the operation, as
    (name, value), with value None where it must only be there.
    """
    id: str
    origin: str
    method: str
    path: str
    kind: str
    envelope: str = "standard"
    status: int = 200
    login: bool = True
    has_page: bool = False
    members: tuple = ()
    numeric: frozenset = frozenset()
    selector: tuple = ()

    @property
    def route(self):
        """Method and path with nameless parameters: equal for the same route whatever its parameters are called."""
        return self.method, re.sub(r"\{[^}]*\}", "{}", self.path)

    def target(self, params):
        """The path with its parameters filled in, percent-encoded."""
        def fill(match):
            return urllib.parse.quote(str(params[match.group(1)]), safe=",")
        return re.sub(r"\{([^}]*)\}", fill, self.path)

    def expected(self):
        """The dotted names of the members that must occur."""
        return [name for name, member in flat(self.members) if member.expected]


def flat(members, prefix=""):
    """(dotted name, member) of all members, nested ones included; an array's elements are written name[]."""
    for member in members:
        name = prefix + member.name
        yield name, member
        yield from flat(member.members, name + ("[]." if member.type == "array" else "."))


def _member(node):
    origin = str(node.get("from", ""))
    return Member(name=node["name"], type=node["type"],
                  expected=bool(node.get("in_sample") or node.get("required") or origin.startswith("example")),
                  nullable=node.get("nullable") is True, dynamic="dynamic" in node or node["name"][0] in "{<",
                  item=(node.get("items") or {}).get("type"),
                  members=tuple(_member(n) for n in node.get("fields") or ()))


def _selector(row):
    wanted = row.get("discriminator")
    return ((wanted["name"], wanted.get("value")),) if wanted else ()


def _operation(row, origin):
    response = row["response"]
    numeric = frozenset(p["name"] for p in row["path_params"] if p.get("type") == "integer")
    return Operation(id=row["id"], origin=origin, method=row["method"], path=row["path"], kind=response.get("kind"),
                     envelope=response.get("envelope") or "standard", status=row["success_status"],
                     login=row["auth"] != "none",
                     has_page=response.get("kind") == "paged" and response.get("page_in_sample") is not False,
                     members=tuple(_member(n) for n in response.get("fields") or ()), numeric=numeric,
                     selector=_selector(row))


def contract_operations():
    """The 165 documented operations, then the additional ones."""
    found = []
    for file, origin in (("endpoints.json", "documented"), ("additional.json", "additional")):
        rows = json.loads((DATA / file).read_text(encoding="utf-8"))
        found += [_operation(row, origin) for row in rows]
    return found


class Router:
    """Finds the operation of a request: literal segments win over parameters, numeric parameters match digits only."""

    def __init__(self, operations):
        self._by_shape = {}
        for operation in operations:
            key = operation.method, operation.path.count("/")
            self._by_shape.setdefault(key, []).append((_pattern(operation), _rank(operation), operation))

    def find(self, method, path, query):
        """An Operation or None."""
        fitting = [(rank, operation) for pattern, rank, operation in self._by_shape.get((method, path.count("/")), ())
                   if pattern.fullmatch(path) and _selects(operation.selector, query)]
        return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def _selects(selector, query):
    return all(name in query and value in (None, query[name]) for name, value in selector)


def _pattern(operation):
    parts = []
    for literal, name in re.findall(r"([^{]+)|\{([^}]*)\}", operation.path):
        parts.append(re.escape(literal) if literal else r"\d+" if name in operation.numeric else "[^/]+")
    return re.compile("".join(parts))


def _rank(operation):
    return [not segment.startswith("{") for segment in operation.path.split("/")], len(operation.selector)
