# SPDX-License-Identifier: Apache-2.0
"""Reads the server's OpenAPI document: its routes, their input fields, and wrong and plausible values for them."""
import dataclasses

from .model import Member, Operation

METHODS = ("get", "post", "put", "patch", "delete")
PATH = "/api/v2/openapi.json"
NO_SUCH_ID = 999999999


@dataclasses.dataclass(frozen=True)
class Field:
    """One declared input: `where` is query or body; `trail` are the member names that lead to it."""
    where: str
    trail: tuple
    schema: dict

    @property
    def name(self):
        return self.trail[-1]


@dataclasses.dataclass(frozen=True)
class Route:
    id: str
    origin: str
    method: str
    path: str
    login: bool
    query: tuple
    body: dict
    reply: dict
    path_types: dict
    permission: str = "login"

    @property
    def operation(self):
        """The same as the contract's operations are described, for own routes."""
        kind, members, has_page = _shape(self.reply)
        return Operation(id=self.id, origin="own", method=self.method, path=self.path, kind=kind, login=self.login,
                         envelope="none" if kind in ("text", "raw_object") else "standard", has_page=has_page, members=members,
                         numeric=frozenset(n for n, t in self.path_types.items() if t == "integer"))

    def fields(self):
        """Every declared input field, members of members included."""
        yield from (Field("query", (p["name"],), p["schema"]) for p in self.query)
        if self.body is not None:
            yield from _body_fields(self.body, ())

    def nowhere(self):
        """The path with parameters that lead to nothing."""
        path = self.path
        for name, kind in self.path_types.items():
            path = path.replace("{%s}" % name, str(NO_SUCH_ID) if kind == "integer" else "nothing-has-this-name")
        return path


def _types(schema):
    kind = schema.get("type", ())
    return {kind} if isinstance(kind, str) else set(kind)


def _body_fields(schema, trail):
    if "array" in _types(schema):
        schema = schema.get("items", {})
    for name, inner in schema.get("properties", {}).items():
        if _types(inner) and not inner.get("readOnly"):
            yield Field("body", trail + (name,), inner)
        yield from _body_fields(inner, trail + (name,))


def routes(document):
    """All routes of the document."""
    found = []
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                found.append(_route(document, path, method, methods[method], methods.get("parameters", [])))
    return found


def _route(document, path, method, row, shared):
    parameters = [_resolve(document, p) for p in (*shared, *row.get("parameters", []))]
    content = _resolve(document, row.get("requestBody", {})).get("content", {})
    reply = _resolve(document, row.get("responses", {}).get("200", {})).get("content", {})
    body = content.get("application/json", {}).get("schema")
    return Route(id=row["operationId"], origin=row.get("x-origin", "own"), method=method.upper(), path=path,
                 login=row.get("security", document.get("security", [{}])) != [],
                 query=tuple({**p, "schema": _resolve(document, p["schema"])} for p in parameters if p["in"] == "query"),
                 body=None if body is None else _resolve(document, body),
                 reply={kind: _resolve(document, v.get("schema", {})) for kind, v in reply.items()},
                 permission=row.get("x-permission", "login"),
                 path_types={p["name"]: next(iter(_types(p["schema"])), "string") for p in parameters if p["in"] == "path"})


def _resolve(document, value, inside=()):
    """The value with each $ref replaced by what it points at; a schema inside itself becomes {}."""
    if isinstance(value, list):
        return [_resolve(document, v, inside) for v in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return {} if value["$ref"] in inside else _resolve(document, _at(document, value["$ref"]), (*inside, value["$ref"]))
    resolved = {k: _resolve(document, v, inside) for k, v in value.items()}
    for part in resolved.pop("allOf", ()):
        properties = {**part.get("properties", {}), **resolved.get("properties", {})}
        required = [*part.get("required", ()), *resolved.get("required", ())]
        resolved = {**part, **resolved, "properties": properties, "required": required}
    return resolved


def _at(document, pointer):
    for part in pointer.lstrip("#/").split("/"):
        document = document[part.replace("~1", "/").replace("~0", "~")]
    return document


def _shape(reply):
    """(kind, members, paged) of a reply as the document declares it; one without declared JSON is "text"."""
    if "application/json" not in reply:
        return "text", (), False
    schema = reply["application/json"]
    if "successful" not in schema.get("properties", {}):
        return "raw_object", _members(schema), False
    data = schema["properties"].get("data")
    if data is None:
        return "none", (), False
    contents = data.get("properties", {}).get("contents")
    if contents is None:
        return "object", _members(data), False
    paged = "page" in data["properties"]
    return ("paged" if paged else "list"), _members(contents.get("items", {})), paged


def _members(schema, expected=True):
    """Required members are expected, as long as what they stand in is."""
    wanted = schema.get("required", ()) if expected else ()
    return tuple(_member(name, inner, name in wanted) for name, inner in schema.get("properties", {}).items())


def _member(name, schema, expected):
    kinds = _types(schema)
    kind = next(iter(sorted(kinds - {"null"})), "any")
    items = schema.get("items", {})
    return Member(name=name, type=kind, expected=expected, nullable="null" in kinds,
                  item=next(iter(_types(items)), None) if kind == "array" else None,
                  members=_members(items if kind == "array" else schema, expected))


# -- values ---------------------------------------------------------------------------------------------------

def wrong_value(field):
    """A value that the field's schema cannot accept, or None when it accepts anything one can send there."""
    kinds = _types(field.schema) - {"null"}
    if field.where == "query":
        return _wrong_text(field.schema, kinds)
    if "string" not in kinds and not kinds & {"array", "object"}:
        return "no such thing"
    if "object" not in kinds:
        return {"no": "such thing"}
    return "no such thing" if kinds == {"object"} else None


def takes_text(field):
    """Whether any text may stand there, as far as the schema says."""
    return "string" in _types(field.schema) and "enum" not in field.schema and field.schema.get("format") != "date-time"


def _wrong_text(schema, kinds):
    if "array" in kinds:
        items = schema.get("items", {})
        return _wrong_text(items, _types(items))
    wordless = kinds <= {"integer", "number", "boolean"} and kinds
    return "no-such-thing" if wordless or "enum" in schema or schema.get("format") == "date-time" else None


def plausible(schema):
    """A value that the schema accepts, as far as the schema tells."""
    for key in ("example", "default", "const"):
        if key in schema:
            return schema[key]
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("enum"):
        return schema["enum"][0]
    kinds = _types(schema)
    if "object" in kinds:
        return _required_members(schema)
    if "array" in kinds:
        return [plausible(schema.get("items", {}))]
    if kinds & {"integer", "number"}:
        return schema.get("minimum", 1)
    if "boolean" in kinds:
        return False
    if schema.get("format") == "date-time":
        return "2026-01-01T00:00:00.000Z"
    return "x" * max(schema.get("minLength", 1), 1)


def body_with(schema, trail, value):
    """A plausible body in which the field at `trail` has the given value."""
    if "array" in _types(schema):
        return [body_with(schema.get("items", {}), trail, value)]
    body = _required_members(schema)
    name, rest = trail[0], trail[1:]
    body[name] = value if not rest else body_with(schema["properties"][name], rest, value)
    return body


def _required_members(schema):
    wanted = schema.get("required", ())
    return {n: plausible(s) for n, s in schema.get("properties", {}).items() if n in wanted}
