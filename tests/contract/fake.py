# SPDX-License-Identifier: Apache-2.0
"""A server of made-up replies for the self tests of the checker: a table from (method, path) to what it says.

A value is (status, body[, content type]), or a function of (handler, decoded body) that gives one; a path that
ends in * stands for all that begin so.
"""
import contextlib
import http.server
import json
import threading

from lib.py.api import Api


def success(data=None, **changes):
    """A faultless envelope; `changes` replace its members, and a change to ... removes one."""
    body = {"successful": True, "timestamp": "2026-01-02T03:04:05.678+00:00", "duration": 3, "status": 200,
            "traceId": "0123456789abcdef", "server": "127.0.0.1"}
    if data is not None:
        body["data"] = data
    return _changed(body, changes)


def failure(status=404, **changes):
    error = {"code": 11001, "message": "no cluster 7"}
    return _changed({**success(successful=False, status=status), "error": error}, changes)


def _changed(body, changes):
    return {k: v for k, v in {**body, **changes}.items() if v is not ...}


def compact(body):
    return json.dumps(body, separators=(",", ":")).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, body, *kind = self.find(json.loads(sent) if sent else None)
        data = body if isinstance(body, bytes) else compact(body)
        self.send_response(status)
        self.send_header("Content-Type", kind[0] if kind else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def find(self, sent):
        path = self.path.split("?")[0]
        for (method, known), reply in self.server.replies.items():
            if method == self.command and (path == known or known.endswith("*") and path.startswith(known[:-1])):
                return reply(self, sent) if callable(reply) else reply
        return 404, failure()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(replies):
    """An Api of a server that gives these replies."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.replies = replies
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    api = Api("127.0.0.1", server.server_port, "admin", "secret")
    try:
        yield api
    finally:
        api.close()
        server.shutdown()
        thread.join()
        server.server_close()
