# SPDX-License-Identifier: Apache-2.0
"""The wire rules that hold for every reply (data/contract, additional operations, section 1). Each function
returns what is wrong as a list of sentences, empty when all is well."""
import re

from .model import flat

KEYS = {"successful": bool, "timestamp": str, "duration": int, "status": int, "traceId": str, "server": str}
CONFIG_URL_KEYS = {"Code": int, "Message": str, "Success": bool, "Trace": str, "Server": str, "Cost": int}
PAGE = ("number", "size", "totalElements", "totalPages")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{2,3}([+-]\d\d:\d\d|Z)")
TRACE_ID = re.compile(r"[0-9a-f]{16}")
CONTENT_TYPE = re.compile(r"application/json(; ?charset=utf-8)?", re.IGNORECASE)
STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


def is_type(value, wanted):
    """Whether a JSON value is of a contract type: string integer number boolean object map array any."""
    if wanted == "any":
        return value is not None
    if isinstance(value, bool):
        return wanted == "boolean"
    kinds = {"string": str, "integer": int, "number": (int, float), "object": dict, "map": dict, "array": list}
    return wanted in kinds and isinstance(value, kinds[wanted])


def _object_with(body, keys, optional):
    if not isinstance(body, dict):
        return ["the body is not a JSON object"]
    wrong = [f"{key} is missing" for key in keys if key not in body]
    wrong += [f"{key} is not of type {kind.__name__}" for key, kind in keys.items()
              if key in body and type(body[key]) is not kind]
    return wrong + [f"{key} does not belong into the envelope" for key in body if key not in keys and key not in optional]


def _form(reply):
    """One line of compact JSON in UTF-8, declared as such."""
    wrong = []
    if not CONTENT_TYPE.fullmatch(reply.headers.get("content-type", "")):
        wrong.append(f"Content-Type is {reply.headers.get('content-type')!r}")
    if re.search(rb"\s", STRING.sub(b'""', reply.body)):
        wrong.append("the JSON is not compact")
    return wrong


def _decode(reply):
    try:
        return reply.json, []
    except ValueError:
        return None, ["the body is not JSON"]


def of_error(reply):
    """Any reply under /api that is not a success."""
    body, wrong = _decode(reply)
    if wrong:
        return wrong
    wrong = _form(reply) + _object_with(body, KEYS, {"error"})
    if not isinstance(body, dict):
        return wrong
    error = body.get("error")
    if not isinstance(error, dict) or type(error.get("code")) is not int or not isinstance(error.get("message"), str):
        wrong.append("error is not {code: integer, message: string}")
    elif not error["message"]:
        wrong.append("error.message is empty")
    if body.get("successful") is not False:
        wrong.append("successful is not false")
    return wrong + _common(reply, body)


def _common(reply, body):
    wrong = []
    if body.get("status") != reply.status:
        wrong.append(f"status is {body.get('status')!r}, HTTP says {reply.status}")
    if isinstance(body.get("timestamp"), str) and not TIMESTAMP.fullmatch(body["timestamp"]):
        wrong.append(f"timestamp {body['timestamp']!r} is not ISO-8601 with milliseconds and offset")
    if isinstance(body.get("traceId"), str) and not TRACE_ID.fullmatch(body["traceId"]):
        wrong.append(f"traceId {body['traceId']!r} is not 16 hex digits")
    return wrong


def of_success(reply, operation=None):
    """A success in the standard envelope; `operation` tells whether it is a list and paged."""
    body, wrong = _decode(reply)
    if wrong:
        return wrong
    wrong = _form(reply) + _object_with(body, KEYS, {"data"})
    if not isinstance(body, dict):
        return wrong
    if body.get("successful") is not True:
        wrong.append("successful is not true")
    wrong += _common(reply, body)
    if "data" in body:
        wrong += _of_data(body["data"], operation)
    elif operation is not None and operation.kind in ("object", "list", "paged"):
        wrong.append("data is missing")
    return wrong


def _of_data(data, operation):
    if data is None:
        return ["data is null instead of absent"]
    members = [m for _, m in flat(operation.members)] if operation else []
    nullable = {m.name for m in members if m.nullable}
    wrong = list(_odd_values(data, "data", nullable, {m.name for m in members if m.type == "string"}))
    is_list = operation is not None and operation.kind in ("list", "paged")
    if isinstance(data, dict) and (is_list or "contents" in data) and not isinstance(data.get("contents"), list):
        wrong.append("data.contents is not an array")
    if is_list and not isinstance(data, dict):
        wrong.append("data is not an object with contents")
    if isinstance(data, dict) and (operation is not None and operation.has_page or "page" in data):
        page = data.get("page")
        if not isinstance(page, dict) or any(type(page.get(name)) is not int for name in PAGE):
            wrong.append("data.page is not {number, size, totalElements, totalPages} with integers")
    return wrong


def _odd_values(value, where, nullable, string_ids):
    """null where the member should be absent, and ids written as strings."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if inner is None and name not in nullable:
                yield f"{where}.{name} is null instead of absent"
            if (name == "id" or name.endswith("Id")) and name != "traceId" and name not in string_ids \
                    and isinstance(inner, str) and inner.isdigit():
                yield f"{where}.{name} is an id written as a string"
            yield from _odd_values(inner, f"{where}.{name}", nullable, string_ids)
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from _odd_values(inner, f"{where}[{n}]", nullable, string_ids)


def of_config_url(reply):
    """A reply of /services."""
    body, wrong = _decode(reply)
    if wrong:
        return wrong
    wrong = _form(reply) + _object_with(body, CONFIG_URL_KEYS, {"Data"})
    if not isinstance(body, dict):
        return wrong
    message = str(body.get("Message"))
    if body.get("Success") is True and "Data" not in body:
        wrong.append("Data is missing")
    if body.get("Success") is True and message != "successful":
        wrong.append("Message is not exactly 'successful'")
    if body.get("Success") is False and ("Data" in body or "successful" in message):
        wrong.append("a failure carries Data or the word successful")
    return wrong
