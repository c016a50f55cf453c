# SPDX-License-Identifier: Apache-2.0
"""The web console as the server serves it: which paths get the index page, how files are cached, what the policy allows."""
import gzip
import http.client
import re

import pytest

from lib.py.process import new_dir
from lib.py.server import OcpServer, console


@pytest.fixture(scope="module", autouse=True)
def built():
    if console() is None:
        pytest.skip("this build has no console (Node.js was not there)")


def fetch(server, path, method="GET", **headers):
    connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
    try:
        connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        reply = connection.getresponse()
        reply.body = reply.read()
        return reply
    finally:
        connection.close()


def asset(server, ending):
    """Path of the first file of that kind which the index page names."""
    return re.search(rb'"(/assets/[^"]+\.%s)"' % ending.encode(), fetch(server, "/login").body).group(1).decode()


@pytest.mark.parametrize("path", ["/", "/login", "/host", "/error/404", "/host?page=2"])
def test_declared_routes_get_the_index_page(ocp_server, path):
    reply = fetch(ocp_server, path)
    assert reply.status == 200 and reply.headers["content-type"] == "text/html; charset=utf-8"
    assert b'<div id="root">' in reply.body and reply.headers["cache-control"] == "no-cache"
    head = fetch(ocp_server, path, "HEAD")
    assert head.status == 200 and head.body == b"" and head.headers["content-length"] == reply.headers["content-length"]


@pytest.mark.parametrize("path", ["/debug/pprof/cmdline", "/nothing", "/login/", "/login/x", "/host/x/y", "/index.html", "/console.json",
                                  "/assets/", "/assets/../console.json", "/assets/%2e%2e%2fconsole.json", "/assets/x.js", "//login",
                                  "/assets/..%5cconsole.json", "/api/v2/nothing", "/LOGIN"])
def test_every_other_path_is_unknown(ocp_server, path):
    reply = fetch(ocp_server, path)
    assert reply.status == 404 and reply.headers["content-type"] == "application/json", reply.body[:100]


def test_a_page_is_only_got(ocp_server):
    reply = fetch(ocp_server, "/login", "POST", content_length="0")
    assert reply.status == 405 and reply.headers["allow"] == "GET, HEAD"


def test_policy_of_the_index_page(ocp_server):
    replies = [fetch(ocp_server, "/login") for _ in range(2)]
    nonces = []
    for reply in replies:
        policy = dict(part.split(" ", 1) for part in reply.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'" and policy["script-src"] == "'self'" and policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'" and policy["base-uri"] == "'none'"
        assert "unsafe" not in reply.headers["content-security-policy"]
        nonces.append(re.fullmatch(r"'self' 'nonce-([0-9a-f]{32})'", policy["style-src"]).group(1))
        assert f'content="{nonces[-1]}"'.encode() in reply.body and b"nonce-of-this-reply" not in reply.body
        assert reply.headers["x-content-type-options"] == "nosniff" and reply.headers["referrer-policy"] == "same-origin"
        assert reply.headers["etag"] is None
        assert not re.search(rb"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", reply.body)
    assert nonces[0] != nonces[1]


@pytest.mark.parametrize("ending", ["js", "css"])
def test_files_may_be_kept_for_ever(ocp_server, ending):
    path = asset(ocp_server, ending)
    packed = fetch(ocp_server, path, Accept_Encoding="gzip, deflate")
    assert packed.status == 200 and packed.headers["content-encoding"] == "gzip" and packed.headers["vary"] == "accept-encoding"
    assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert packed.headers["x-content-type-options"] == "nosniff"
    plain = fetch(ocp_server, path)
    assert plain.headers["content-encoding"] is None and plain.body == gzip.decompress(packed.body)
    refused = fetch(ocp_server, path, Accept_Encoding="gzip;q=0, br")
    assert refused.headers["content-encoding"] is None and refused.body == plain.body


def test_a_file_that_the_browser_holds_is_not_sent_again(ocp_server):
    path = asset(ocp_server, "js")
    etag = fetch(ocp_server, path).headers["etag"]
    for value in (etag, f'"other", {etag}', "*", etag.removeprefix("W/")):
        held = fetch(ocp_server, path, If_None_Match=value)
        assert held.status == 304 and held.body == b"" and held.headers["etag"] == etag, value
    assert fetch(ocp_server, path, If_None_Match='"other"').status == 200


def test_the_console_is_counted_and_no_operation(ocp_server):
    fetch(ocp_server, "/login")
    text = ocp_server.api().get("/metrics").body.decode()
    assert re.search(r'operation="console",status="2xx"\} [1-9]', text)
    assert b'"/login"' not in fetch(ocp_server, "/api/v2/openapi.json").body


def test_without_a_console_its_pages_say_how_to_get_it(metadb):
    with OcpServer(metadb, settings={"http.console_dir": "/nonexistent/console"}) as server:
        for path in ("/", "/login"):
            reply = fetch(server, path)
            assert reply.status == 404 and b"http.console_dir" in reply.body and b"Node.js" in reply.body
        assert "未安装控制台" in fetch(server, "/", Accept_Language="zh-CN").body.decode()
        assert fetch(server, "/host").headers["content-type"] == "application/json"
        assert "there is no console" in server.log.read_text()


@pytest.mark.parametrize("text, reason", [("{", "line 1"), ('{"routes":["login"],"files":[]}', "a route that is no path"),
                                          ('{"routes":["/login"],"files":[{"name":"x.js"}]}', "a file without name"),
                                          ('{"routes":["/login"],"files":[{"name":"x","stored":"assets/x","type":"text/css"}]}', "assets/x")])
def test_a_broken_console_does_not_stop_the_api(metadb, text, reason):
    folder = new_dir("console")
    folder.chmod(0o755)
    (folder / "console.json").write_text(text)
    (folder / "index.html").write_text("<meta content='nonce-of-this-reply'>")
    with OcpServer(metadb, settings={"http.console_dir": folder}) as server:
        assert fetch(server, "/login").status == 404
        assert reason in server.tail(200)
