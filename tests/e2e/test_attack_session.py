# SPDX-License-Identifier: Apache-2.0
"""Attacks on sessions, signatures and logins: what an attacker who listens, guesses, forges or asks oddly gets."""
import base64
import email.utils
import json
import re
import socket
import subprocess
import time

import pytest

from lib.py.process import TIMEOUT, wait_until
from lib.py.server import OcpServer, binary
from lib.py.session import Session

from e2e.test_accesskey import KEYS, MINE, example
from e2e.test_iam import from_client, new_user
from e2e.test_session import PASSWORD, logged_in

ID = "0123456789abcdef" * 4


def routes():
    dump = subprocess.run([binary(), "--dump", "routes"], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(dump.stdout)


def path_of(route):
    return re.sub(r"\{[^}]*\}", "999999999", route["path"])


def raw(server, text):
    """Sends bytes as they are on a connection of their own; status and headers of the reply, and everything as text."""
    with socket.create_connection((server.host, server.port), timeout=TIMEOUT) as connection:
        connection.sendall(text.encode("latin-1"))
        got = b""
        while True:
            part = connection.recv(65536)
            if not part:
                break
            got += part
    return int(got.split(b" ", 2)[1]), got.decode("latin-1")


def raw_get(server, *headers, path="/api/v2/session"):
    lines = [f"GET {path} HTTP/1.1", "Host: ocp", "Connection: close", *headers, "", ""]
    return raw(server, "\r\n".join(lines))


# -- sessions -------------------------------------------------------------------------------------------------------

def test_an_id_that_the_attacker_chose_opens_nothing(ocp_server):
    new_user(ocp_server.api(), "fix.anna")
    session = Session(ocp_server.host, ocp_server.port, {"JSESSIONID": ID, "XSRF-TOKEN": ID})
    session.log_in("fix.anna", PASSWORD).ok()
    assert session.cookies["JSESSIONID"] != ID and session.cookies["XSRF-TOKEN"] != ID
    Session(ocp_server.host, ocp_server.port, {"JSESSIONID": ID}).get("/api/v2/session").refused(401, 3000)


def test_a_login_ends_the_session_that_the_browser_held(ocp_server):
    new_user(ocp_server.api(), "fix.mallory")
    new_user(ocp_server.api(), "fix.victim")
    mallory = logged_in(ocp_server, "fix.mallory")
    victim = Session(ocp_server.host, ocp_server.port, mallory.cookies)     # the attacker's cookies were planted
    victim.log_in("fix.victim", PASSWORD).ok()
    assert victim.get("/api/v2/session").data["username"] == "fix.victim"
    mallory.get("/api/v2/session").refused(401, 3000)


def test_every_change_by_a_session_needs_its_token(ocp_server):
    password = ocp_server.api().password
    session, other = logged_in(ocp_server, "admin", password), logged_in(ocp_server, "admin", password)
    wrong = {"missing": False, "made up": ID, "of another session": other.cookies["XSRF-TOKEN"], "the id": session.cookies["JSESSIONID"],
             "upper case": session.cookies["XSRF-TOKEN"].upper() + "", "shorter": session.cookies["XSRF-TOKEN"][:-1], "empty": ""}
    changing = [r for r in routes() if r["method"] != "GET" and r["permission"] != "public"]
    assert len(changing) > 50
    for route in changing:
        reply = session.call(route["method"], path_of(route), b"{}", {"Content-Type": "application/json"}, csrf=False)
        assert reply.status == 403 and reply.json["error"]["code"] == 90311, f"{route['method']} {route['path']}: {reply}"
    for name, token in wrong.items():
        if token != session.cookies["XSRF-TOKEN"]:
            session.call("PATCH", MINE, {"description": "x"}, csrf=token).refused(403, 90311)
        assert name
    session.call("PATCH", MINE, {"description": "x"}).ok()
    session.get("/api/v2/session", csrf=False).ok()
    session.call("PATCH", "/api/v2/profiles/me", {"description": "x"}, {"X-HTTP-Method-Override": "GET"}, csrf=False).refused(403, 90311)


def test_csrf_is_excluded_for_whole_targets_alone(metadb):
    with OcpServer(metadb) as server:
        api = server.api()
        session = logged_in(server, "admin", server.password)
        key = "/api/v2/config/properties/ocp.iam.csrf.url.excluded"
        api.patch(key, {"value": "((,/api/v2/profiles/m.,x"}).ok()      # the first is no pattern
        wait_until(lambda: session.call("PATCH", MINE, {}, csrf=False).status == 200, "the parameter is in force")
        session.call("PATCH", f"{MINE}?x=1", {}, csrf=False).refused(403, 90311)
        session.call("POST", "/api/v2/iam/logout", csrf=False).refused(403, 90311)


def test_what_metadb_keeps_opens_nothing(mariadb_server, metadb):
    with OcpServer(metadb) as server:
        server.api()
        session = logged_in(server, "admin", server.password)
        rows = mariadb_server.sql("SELECT * FROM user_session", database=metadb.name)
        assert len(rows) == 1 and session.cookies["JSESSIONID"] not in repr(rows) and session.cookies["XSRF-TOKEN"] not in repr(rows)
        digest = rows[0]["digest"]
        for stolen in (digest, digest.upper(), str(rows[0]["id"])):
            Session(server.host, server.port, {"JSESSIONID": stolen}).get("/api/v2/session").refused(401, 3000)
        Session(server.host, server.port, {"JSESSIONID": session.cookies["JSESSIONID"]}).call("PATCH", MINE, {}, csrf=digest).refused(403, 90311)
        for secret in session.cookies.values():
            assert secret not in server.log.read_text()


def test_odd_cookies(ocp_server):
    new_user(ocp_server.api(), "odd.anna")
    good = logged_in(ocp_server, "odd.anna").cookies["JSESSIONID"]
    come_in = [f"Cookie: JSESSIONID={good}", f"cookie:JSESSIONID={good}", f"Cookie: a=b;JSESSIONID={good};c", f"Cookie: ;;; JSESSIONID = {good} ;",
               f'Cookie: JSESSIONID="{good}"', f"Cookie: JSESSIONID=nonsense; JSESSIONID={ID}; JSESSIONID={good}",
               f"Cookie: a=1\r\nCookie: JSESSIONID={good}"]
    stay_out = [f"Cookie: jsessionid={good}", f"Cookie: JSESSIONID={good.upper()}", f"Cookie: JSESSIONID={good}0", f"Cookie: JSESSIONID={good[:-1]}",
                f"Cookie: XJSESSIONID={good}", f"Cookie: JSESSIONID=={good}", f"Cookie: a=JSESSIONID={good}", "Cookie: JSESSIONID=", "Cookie: ",
                "Cookie: =", f'Cookie: JSESSIONID="{good}', f"Cookie: JSESSIONID={good}\x00", "Cookie: " + "; ".join(f"JSESSIONID={i:064x}" for i in range(9)),
                f"Cookie: {'; '.join(f'JSESSIONID={i:064x}' for i in range(5))}; JSESSIONID={good}"]
    for line in come_in:
        assert raw_get(ocp_server, line)[0] == 200, line
    for line in stay_out:
        assert raw_get(ocp_server, line)[0] in (400, 401), line


def test_many_sessions_of_one_user(ocp_server):
    user, anna = new_user(ocp_server.api(), "many.anna")
    first = logged_in(ocp_server, "many.anna")
    last = [logged_in(ocp_server, "many.anna") for _ in range(100)][-1]
    assert anna.get("/api/v2/profiles/me/sessions").data["page"]["totalElements"] == 100
    last.get("/api/v2/session").ok()
    wait_until(lambda: first.get("/api/v2/session").status == 401, "the oldest session made room")
    assert user["id"]


# -- logins ---------------------------------------------------------------------------------------------------------

def test_every_route_that_needs_a_login_refuses_forged_ones(ocp_server):
    forged = {
        "no login": [],
        "made-up session": [f"Cookie: JSESSIONID={ID}; XSRF-TOKEN={ID}", f"X-XSRF-TOKEN: {ID}"],
        "made-up signature": ["Authorization: OCP-ACCESS-KEY-HMACSHA1 key:XN8P+O+v3vUabB16ZCooq5wMJoY=",
                              f"Date: {email.utils.formatdate(usegmt=True)}"],
        "two logins": ["Authorization: Basic " + base64.b64encode(f"admin:{ocp_server.api().password}".encode()).decode()] * 2,
    }
    for route in routes():
        if route["permission"] == "public":
            continue
        for name, headers in forged.items():
            lines = [f"{route['method']} {path_of(route)} HTTP/1.1", "Host: ocp", "Connection: close", "Content-Length: 0", *headers, "", ""]
            status, text = raw(ocp_server, "\r\n".join(lines))
            assert status == 401, f"{name}: {route['method']} {route['path']}: {text[:300]}"


def test_names_and_agents_do_not_reach_headers_or_lines_of_the_log(ocp_server):
    bad = "anna\r\nSet-Cookie: JSESSIONID=" + ID
    session = Session(ocp_server.host, ocp_server.port)
    before = ocp_server.log.read_text().count("\n")
    for name in (bad, "anna\x00", "anna\u2028x", "\ud7ffx", "a" * 128, "' OR 1=1 -- ", "admin\t", "../../admin"):
        reply = session.log_in(name, "x", headers=from_client("10.77.0.1"))
        assert reply.status in (400, 401), reply
        assert session.set_cookies == [] and "location" not in reply.headers
    lines = ocp_server.log.read_text().splitlines()[before:]
    assert not [line for line in lines if line.startswith("Set-Cookie")]
    session.call("POST", "/api/v2/iam/login?location=https://evil.example/&redirect=//evil.example", {"username": "x", "password": "x"},
                 csrf=False).refused(401)
    ok = Session(ocp_server.host, ocp_server.port)
    reply = ok.call("POST", "/api/v2/iam/login?location=//evil.example", {"username": "admin", "password": ocp_server.api().password}, csrf=False)
    assert reply.data["location"] == "/" and "location" not in reply.headers


@pytest.mark.parametrize("body", [b"[]", b"null", b"{\"username\":[],\"password\":{}}", b"username=a&username=b", b"{\"username\":\"a\"",
                                  b"{\"username\":\"a\",\"username\":\"b\",\"password\":\"c\"}", b"\xff\xfe", b"[" * 100])
def test_odd_login_bodies(ocp_server, body):
    session = Session(ocp_server.host, ocp_server.port)
    reply = session.call("POST", "/api/v2/iam/login", body, {"Content-Type": "application/json"}, csrf=False)
    assert reply.status == 400 and not session.set_cookies, reply


# -- signatures -----------------------------------------------------------------------------------------------------

class Signer:
    """Signs one request and sends another."""

    def __init__(self, server):
        api = server.api()
        for key in api.get(KEYS).contents:
            if key["description"] == "attacked":
                api.delete(f"{KEYS}/{key['id']}").ok()
        self.server, self.key, self.names = server, api.post(KEYS, {"description": "attacked"}).data, example()

    def sign(self, method="GET", target=MINE, body=b"", headers=None, host="ocp:8080"):
        return self.names["sign"](self.key["accessKey"], self.key["secretKey"], method, target, host, body, headers)

    def send(self, headers, method="GET", target=MINE, body=b""):
        lines = [f"{method} {target} HTTP/1.1", "Connection: close", f"Content-Length: {len(body)}", *(f"{k}: {v}" for k, v in headers.items()),
                 "", body.decode()]
        return raw(self.server, "\r\n".join(lines))[0]


def test_a_recorded_request_counts_within_the_window_only(ocp_server):
    signer = Signer(ocp_server)
    now = signer.sign()
    assert [signer.send(now), signer.send(now)] == [200, 200]
    old = signer.sign(headers={"Date": email.utils.formatdate(time.time() - 901, usegmt=True)})
    assert signer.send(old) == 401
    assert signer.send({**old, "Date": email.utils.formatdate(usegmt=True)}) == 401       # the date is signed
    assert signer.send({k: v for k, v in now.items() if k != "Date"}) == 401


def test_an_altered_request_counts_no_more(ocp_server):
    signer = Signer(ocp_server)
    kind = {"Content-Type": "application/json", "X-Ocp-Origin": "test"}
    body, query = b'{"description":"signed"}', "/api/v2/iam/users?page=1&size=10"
    signed = signer.sign("PATCH", MINE, body, kind)
    assert signer.send(signed, "PATCH", MINE, body) == 200
    assert signer.send(signed, "PATCH", MINE, b'{"description":"forged"}') == 401
    assert signer.send(signed, "PATCH", MINE, b"") == 401
    assert signer.send(signed, "PATCH", f"{MINE}?x=1", body) == 401
    assert signer.send({**signed, "Content-Type": "text/plain"}, "PATCH", MINE, body) == 401
    assert signer.send({**signed, "X-Ocp-Origin": "other"}, "PATCH", MINE, body) == 401
    assert signer.send({**signed, "X-Ocp-More": "1"}, "PATCH", MINE, body) == 401
    assert signer.send({**signed, "Host": "evil.example"}, "PATCH", MINE, body) == 401
    assert signer.send(signer.sign("POST"), "GET") == 401
    get = signer.sign(target=query)
    assert signer.send(get, target=query) == 200
    for other in ("/api/v2/iam/users?page=1&size=100", "/api/v2/iam/users?page=2&size=10", "/api/v2/iam/users", "/api/v2/iam/roles?page=1&size=10"):
        assert signer.send(get, target=other) == 401
    for scheme in ("ocp-access-key-hmacsha1", "Ocp-Access-Key-Hmacsha1", "OCP-ACCESS-KEY-HMACSHA256"):
        assert signer.send({**get, "Authorization": get["Authorization"].replace("OCP-ACCESS-KEY-HMACSHA1", scheme)}, target=query) == 401
    assert signer.send({**get, "Authorization": get["Authorization"][:-4] + "AAA="}, target=query) == 401
