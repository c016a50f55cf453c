# SPDX-License-Identifier: Apache-2.0
"""A small client of ocp-server's HTTP API: HTTP Basic, keep-alive, the envelope; standard library only.

    api = Api("127.0.0.1", 8080, "admin", password)
    region = api.post("/api/v2/compute/regions", {"name": "r1"}).data
    api.get("/api/v2/compute/regions/99").refused(404)

Every reply is also given to `on_reply`, which is how the contract test listens.
"""
import base64
import dataclasses
import functools
import http.client
import json
import ssl
import threading
import urllib.parse
import weakref

from .process import TIMEOUT

SAFE_TO_REPEAT = ("GET", "HEAD", "OPTIONS")


@dataclasses.dataclass(frozen=True)
class Reply:
    """One answer with the request it belongs to; header names in lower case."""
    method: str
    target: str
    status: int
    headers: dict
    body: bytes
    sent: object = None

    @functools.cached_property
    def json(self):
        """The body as JSON; ValueError when it is none."""
        return json.loads(self.body)

    @property
    def path(self):
        return urllib.parse.urlsplit(self.target).path

    @property
    def query(self):
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.target).query, keep_blank_values=True))

    def __str__(self):
        sent = "" if self.sent is None else f" {self.sent}"
        return f"{self.method} {self.target}{sent} -> {self.status} {self.body[:2000].decode(errors='replace')}"

    def ok(self):
        """This reply, after asserting that it is a success."""
        assert self.status == 200, str(self)
        return self

    @property
    def data(self):
        """`data` of a successful reply, None when there is none."""
        return self.ok().json.get("data")

    @property
    def contents(self):
        """`data.contents` of a successful list."""
        return self.data["contents"]

    def refused(self, status, code=None, naming=None):
        """The error message, after asserting the HTTP status, the OCP error code, and a text in the message."""
        assert self.status == status, str(self)
        error = self.json["error"]
        assert code is None or error["code"] == code, str(self)
        assert naming is None or naming in error["message"], str(self)
        return error["message"]


class Api:
    """One user's calls to one server. Each thread has a connection of its own. `ca_file` turns to HTTPS."""

    _all = weakref.WeakSet()

    def __init__(self, host, port, user=None, password=None, ca_file=None, on_reply=None, timeout=None):
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.on_reply = on_reply
        self.timeout = TIMEOUT if timeout is None else timeout
        self._tls = None if ca_file is None else ssl.create_default_context(cafile=str(ca_file))
        self._local = threading.local()
        self._all.add(self)

    def as_user(self, user, password):
        """The same server for another user; user None sends no credentials."""
        other = Api(self.host, self.port, user, password, on_reply=self.on_reply, timeout=self.timeout)
        other._tls = self._tls
        return other

    def anonymous(self):
        return self.as_user(None, None)

    def get(self, path, query=None, **more):
        return self.call("GET", path, query=query, **more)

    def post(self, path, body=None, query=None, **more):
        return self.call("POST", path, body, query, **more)

    def put(self, path, body=None, query=None, **more):
        return self.call("PUT", path, body, query, **more)

    def patch(self, path, body=None, query=None, **more):
        return self.call("PATCH", path, body, query, **more)

    def delete(self, path, query=None, **more):
        return self.call("DELETE", path, query=query, **more)

    def call(self, method, path, body=None, query=None, headers=None):
        """One request. `body` is sent as JSON, bytes as they are; None members of `query` are left out."""
        target = urllib.parse.quote(path, safe="/%:@,")
        if query:
            target += "?" + urllib.parse.urlencode([(k, _as_text(v)) for k, v in query.items() if v is not None])
        payload, fields = self._payload(body)
        fields.update(headers or {})
        status, got, data = self._exchange(method, target, payload, fields)
        reply = Reply(method, target, status, got, data, body)
        if self.on_reply is not None:
            self.on_reply(reply)
        return reply

    def _payload(self, body):
        headers = {}
        if self.user is not None:
            token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            headers["Authorization"] = f"Basic {token}"
        if body is None or isinstance(body, bytes):
            return body, headers
        headers["Content-Type"] = "application/json"
        return json.dumps(body).encode(), headers

    def _exchange(self, method, target, payload, headers):
        fresh = getattr(self._local, "connection", None) is None
        try:
            return self._exchange_once(method, target, payload, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            if fresh or method not in SAFE_TO_REPEAT:
                raise
            return self._exchange_once(method, target, payload, headers)

    def _exchange_once(self, method, target, payload, headers):
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
        try:
            connection.request(method, target, payload, headers)
            response = connection.getresponse()
            data = response.read()
        except BaseException:
            self.close()
            raise
        if response.will_close:
            self.close()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, data

    def _connect(self):
        if self._tls is None:
            return http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        return http.client.HTTPSConnection(self.host, self.port, timeout=self.timeout, context=self._tls)

    @classmethod
    def close_all(cls, port):
        """Closes this thread's connections to the server on that port: it waits for clients that keep one when it stops."""
        for api in list(cls._all):
            if api.port == port:
                api.close()

    def close(self):
        """Closes this thread's connection; the next call opens another."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None


def _as_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(map(_as_text, value))
    return str(value)
