# SPDX-License-Identifier: Apache-2.0
"""A console session as a browser holds it: cookies that the server sets, sent back with each call; the CSRF token beside changes.

    session = Session("127.0.0.1", 8080)
    session.log_in("admin", password)
    session.get("/api/v2/session").ok()
"""
import http.client
import json
import urllib.parse

from .api import Reply
from .process import TIMEOUT


class Session:
    def __init__(self, host, port, cookies=None):
        self.host, self.port = host, port
        self.cookies = dict(cookies or {})
        self.set_cookies = []           # raw headers of the last reply

    def log_in(self, user, password, headers=None, form=False):
        body = {"username": user, "password": password}
        if form:
            body = urllib.parse.urlencode(body).encode()
            headers = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return self.call("POST", "/api/v2/iam/login", body, headers, csrf=False)

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)

    def call(self, method, path, body=None, headers=None, csrf=True):
        """One request; `csrf` is whether the token goes along, or another text in its place."""
        fields = {"Sec-Fetch-Mode": "cors"}
        if self.cookies:
            fields["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        if csrf is not False and (csrf is not True or "XSRF-TOKEN" in self.cookies):
            fields["X-XSRF-TOKEN"] = self.cookies["XSRF-TOKEN"] if csrf is True else csrf
        if body is not None and not isinstance(body, bytes):
            fields["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        fields.update(headers or {})
        connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT)
        try:
            connection.request(method, path, body, fields)
            response = connection.getresponse()
            data, got = response.read(), response.getheaders()
        finally:
            connection.close()
        self.set_cookies = [v for k, v in got if k.lower() == "set-cookie"]
        for text in self.set_cookies:
            self._take(text)
        return Reply(method, path, response.status, {k.lower(): v for k, v in got}, data, body)

    def _take(self, text):
        pair, *attributes = [part.strip() for part in text.split(";")]
        name, value = pair.split("=", 1)
        if "max-age=0" in (a.lower() for a in attributes):
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value
