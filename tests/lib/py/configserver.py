# SPDX-License-Identifier: Apache-2.0
"""A config URL for observers that are tested without an ocp-server: notes what they post, and answers well or badly."""
import http.server
import json
import threading
import urllib.parse

GOOD = (200, {"Code": 200, "Message": "successful", "Success": True, "Data": "successful", "Trace": "t", "Server": "127.0.0.1", "Cost": 1})
BAD_CODE = (200, {**GOOD[1], "Code": 500, "Message": "failed", "Success": False})
NOT_FOUND = (404, {"Code": 404, "Message": "not found", "Success": False})
NO_JSON = (200, "sorry")


class ConfigServer:
    """`posts`: (query, body) of each report, oldest first. `answer` may be changed at any time."""

    def __init__(self, host="127.0.0.1"):
        self.posts, self.answer = [], GOOD
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):                     # noqa: N802, the name is the library's
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/json"
                status, content = server.answer
                server.posts.append((dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query)), json.loads(body)))
                text = content.encode() if isinstance(content, str) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self._http = http.server.ThreadingHTTPServer((host, 0), Handler)
        self.url = f"http://{host}:{self._http.server_port}/services?Action=ObRootServiceInfo&ObCluster=obcluster"

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()
