#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A client of OCP that needs no load balancer: it takes a list of endpoints, stays with one that is ready, and goes on elsewhere when that
one fails. Python's standard library alone; copy it, or use it as a module:

    ocp = Ocp(["https://ocp1:8080", "https://ocp2:8080", "https://ocp3:8080"], "program", password, ca_file="ca.pem")
    regions = ocp.call("GET", "/api/v2/compute/regions")["contents"]
    ocp.call("POST", "/api/v2/compute/regions", {"name": "north"})

Every change bears an Idempotency-Key, so that a call whose answer was lost is repeated on another node and still acts once.
"""
import argparse
import base64
import getpass
import http.client
import json
import os
import ssl
import sys
import time
import urllib.parse
import uuid

ELSEWHERE = (502, 503, 504)

class OcpError(Exception):
    """What OCP refused: status, code, message, trace."""

    def __init__(self, status, answer):
        error = answer.get("error", {})
        super().__init__(f"{error.get('message', 'no message')} (status {status}, code {error.get('code')}, trace {answer.get('traceId')})")
        self.status, self.code = status, error.get("code")


class Ocp:
    """`deadline`: seconds that a call may take in all, over all endpoints; `timeout`: of one attempt."""

    def __init__(self, endpoints, user, password, ca_file=None, deadline=60, timeout=35):
        self.endpoints = [urllib.parse.urlsplit(e if "//" in e else f"http://{e}") for e in endpoints]
        self.login = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.tls = ssl.create_default_context(cafile=ca_file)
        self.deadline, self.timeout = deadline, timeout
        self.at, self.connection = None, None

    def call(self, method, path, body=None):
        """`data` of the answer. OcpError when OCP refuses; ConnectionError when no endpoint answers before the deadline."""
        headers = {"Authorization": self.login, "Content-Type": "application/json"}
        if method != "GET":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        text, until = None if body is None else json.dumps(body), time.monotonic() + self.deadline
        while True:
            for _ in self.endpoints:
                try:
                    status, answer, wait = self._attempt(method, path, text, headers)
                    if status == 200:
                        return answer.get("data")
                    if status not in ELSEWHERE:
                        raise OcpError(status, answer)
                    last = f"status {status}: {answer.get('error', {}).get('message', '')}"
                except (OSError, http.client.HTTPException, ValueError) as e:
                    last, wait = f"{type(e).__name__}: {e}", 1
                self._leave()
            if time.monotonic() + wait > until:
                raise ConnectionError(f"no endpoint answers; the last one: {last}")
            time.sleep(wait)

    def _attempt(self, method, path, text, headers):
        if self.connection is None:
            self._choose()
        self.connection.request(method, path, text, headers)
        reply = self.connection.getresponse()
        return reply.status, json.loads(reply.read()), min(int(reply.headers.get("Retry-After", 1)), 5)

    def _connect(self, i, timeout):
        at = self.endpoints[i]
        if at.scheme == "https":
            return http.client.HTTPSConnection(at.netloc, timeout=timeout, context=self.tls)
        return http.client.HTTPConnection(at.netloc, timeout=timeout)

    def _choose(self):
        """The next endpoint that says it is ready; if none does, simply the next: its answer tells what is wrong."""
        n, first = len(self.endpoints), 0 if self.at is None else self.at
        self.at = next((i % n for i in range(first, first + n) if self._is_ready(i % n)), first % n)
        self.connection = self._connect(self.at, self.timeout)

    def _is_ready(self, i):
        probe = self._connect(i, 3)
        try:
            probe.request("GET", "/readyz")
            return probe.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            probe.close()

    def _leave(self):
        if self.connection is not None:
            self.connection.close()
        self.connection, self.at = None, (self.at + 1) % len(self.endpoints)


def main():
    parser = argparse.ArgumentParser(description="One call of OCP's API, on whichever node answers.")
    parser.add_argument("--server", required=True, help="URL[,URL...]")
    parser.add_argument("--user", default="admin")
    parser.add_argument("--ca-file", help="authorities of the servers' certificates")
    parser.add_argument("method")
    parser.add_argument("path")
    parser.add_argument("body", nargs="?", type=json.loads, help="JSON")
    args = parser.parse_args()
    ocp = Ocp(args.server.split(","), args.user, os.environ.get("OCP_PASSWORD") or getpass.getpass(), args.ca_file)
    try:
        print(json.dumps(ocp.call(args.method, args.path, args.body), indent=2, ensure_ascii=False))
    except (OcpError, ConnectionError) as e:
        sys.exit(str(e))


if __name__ == "__main__":
    main()
