# SPDX-License-Identifier: Apache-2.0
"""Clients that call all the time and write down what came of it: one through a load balancer, or one with a list of endpoints."""
import base64
import http.client
import json
import threading
import time
import uuid

from .history import OK, REFUSED, UNKNOWN, Call, Try, longest_gap  # noqa: F401

TRIES, PAUSE, PATIENCE = 40, 0.02, 20.0      # a call gives up after this many tries or seconds,
BUSY_TRIES = 10                              # or when it is told so often that its first try is not through: nobody knows what became of it
BUSY = "90103"
HALF = ("90108", "90109")                    # it had begun when it failed, or its node died: the client is told to look
REGIONS = "/api/v2/compute/regions"


class Client(threading.Thread):
    """Calls the endpoints [(host, port)] from the address `source`, as `login` (user, password); with several endpoints it stays with one and goes to the
    next when that one fails. `plan(client)` gives (op, name, method, path, body) for each call."""

    def __init__(self, name, history, endpoints, login, plan, source=None, rate=50.0, timeout=10.0):
        super().__init__(daemon=True, name=name)
        self.history, self.endpoints, self.plan, self.source = history, list(endpoints), plan, source
        self.headers = {"Authorization": "Basic " + base64.b64encode(":".join(login).encode()).decode()} if login else {}
        self.rate, self.timeout = rate, timeout
        self.at, self.number, self.pace = 0, 0, 1.0
        self.last, self.data = None, None        # the last call, and what came with its answer
        self._connection = None
        self._running = threading.Event()
        self._running.set()

    def run(self):
        while self._running.is_set():
            begin = time.monotonic()
            self.last = self.call(*self.plan(self))
            self.history.call(self.last)
            time.sleep(max(0.0, self.pace / self.rate - (time.monotonic() - begin)))
        self._drop()

    def finish(self):
        """Ends after the call under way."""
        self._running.clear()
        self.join()

    def call(self, op, name, method, path, body):
        key = uuid.uuid4().hex if method != "GET" else ""
        call = Call(self.name, op, name, key, time.monotonic(), 0.0, UNKNOWN, [])
        headers = dict(self.headers, **({"Idempotency-Key": key} if key else {}))
        payload = None
        if body is not None:
            payload, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        until, self.data = call.begin + PATIENCE, None
        for _ in range(TRIES):
            t, data = self._try(method, path, payload, headers)
            call.tries.append(t)
            if t.status == 200:
                self.data = data
                call.outcome, call.answer = OK, (data or {}).get("id") if isinstance(data, dict) else None
                break
            if 400 <= t.status < 500 and t.detail != BUSY:
                call.outcome = UNKNOWN if t.detail in HALF else REFUSED
                break
            if time.monotonic() > until or sum(x.detail == BUSY for x in call.tries) >= BUSY_TRIES:
                break
            time.sleep(0 if len(call.tries) == 1 else PAUSE * min(len(call.tries), 10))
        call.end = time.monotonic()
        return call

    def _try(self, method, path, payload, headers):
        host, port = self.endpoints[self.at]
        t = Try(f"{host}:{port}", time.monotonic(), 0.0, 0)
        data = None
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(host, port, timeout=self.timeout,
                                                              source_address=(self.source, 0) if self.source else None)
                self._connection.connect()
            self._connection.request(method, path, payload, headers)
            response = self._connection.getresponse()
            raw = response.read()
            t.status = response.status
            t.own, t.detail, data = understand(raw)
            if response.will_close:
                self._drop()
        except (OSError, http.client.HTTPException) as e:
            t.detail = f"{type(e).__name__}: {e}"[:120]
            self._drop()
        t.end = time.monotonic()
        if t.status == 0 or t.status >= 500:
            self._drop()
            self.at = (self.at + 1) % len(self.endpoints)
        return t, data

    def _drop(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def understand(raw):
    """(is it ours, error code or "", data) of a reply's body."""
    try:
        reply = json.loads(raw)
    except ValueError:
        return False, raw[:60].decode(errors="replace"), None
    if not isinstance(reply, dict):
        return False, "", None
    error = reply.get("error")
    error = error if isinstance(error, dict) else {}
    return "successful" in reply or "error" in reply, str(error.get("code", "")), reply.get("data")


def reading(client):
    return "read", "", "GET", REGIONS + "?size=5", None


def creating(client):
    """Regions, each with a name that nobody else takes."""
    client.number += 1
    name = f"{client.name}-{client.number}"
    return "create", name, "POST", REGIONS, {"name": name, "description": "made while things fail"}


class Tasks:
    """Takes a cluster over, waits for the task, moves it out, waits, and so on: what the leader works on."""

    CLUSTERS = "/api/v2/ob/clusters"

    def __init__(self, name, address, port, password):
        self.name, self.target = name, {"address": address, "port": port, "rootSysPassword": password}
        self.task, self.cluster, self.finished = None, None, 0

    def __call__(self, client):
        last, data = client.last, client.data
        if last is not None and last.op == "task" and last.outcome == OK:
            self.task = data["id"]
        if self.task is not None:
            if last.op == "read" and last.name == "task" and isinstance(data, dict) and data.get("status") != "RUNNING":
                self.task, self.finished = None, self.finished + 1
            else:
                return "read", "task", "GET", f"/api/v2/tasks/{self.task}", None
        if last is None or last.name != "clusters" or data is None:
            return "read", "clusters", "GET", f"{self.CLUSTERS}?size=100", None
        mine = [c for c in data["contents"] if c["name"] == self.name]
        if not mine:
            return "task", "take over", "POST", f"{self.CLUSTERS}/takeOver", self.target
        if mine[0]["status"] != "RUNNING":
            return "read", "", "GET", REGIONS + "?size=1", None      # a task of an earlier call is under way
        return "task", "move out", "POST", f"{self.CLUSTERS}/{mine[0]['id']}/moveOut", {}


class Changes:
    """Sets a parameter of a managed cluster to a value that it never had: each change shows at the target."""

    PARAMETER = "trace_log_slow_query_watermark"

    def __init__(self, cluster, first):
        self.cluster, self.value = cluster, first

    def __call__(self, client):
        self.value += 1
        return "change", f"{self.value}ms", "PUT", f"{Tasks.CLUSTERS}/{self.cluster}/parameters", [{"name": self.PARAMETER, "value": f"{self.value}ms"}]
