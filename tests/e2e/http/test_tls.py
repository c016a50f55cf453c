# SPDX-License-Identifier: Apache-2.0
"""TLS: versions, ALPN, reload of certificates, clients that stop in the middle, plain text on a TLS port."""
import hashlib
import signal
import socket
import ssl
import subprocess

import pytest

from lib.py.httpwire import Http1, Http2
from lib.py.process import new_dir, wait_until
from lib.py.tls import CertificateAuthority


@pytest.fixture(scope="module")
def authority():
    return CertificateAuthority(new_dir("http-tls"))


@pytest.fixture
def secure(authority, new_httpd):
    def start(**options):
        cert, key = authority.issue("server")
        return new_httpd(before=[("cert", cert), ("key", key)], **options)
    return start


def alpn(authority, httpd, protocols, **more):
    sock = httpd.tls(authority.ca, protocols, **more)
    return sock, sock.selected_alpn_protocol()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_protocols_over_both_versions(authority, secure, version):
    httpd = secure()
    sock, chosen = alpn(authority, httpd, ["http/1.1", "h2"], version=version)
    assert chosen == "h2"           # the server's order
    payload = bytes(range(256)) * 4000
    with Http2(sock) as c:
        c.ready()
        lines = c.get("/describe").body.decode().splitlines()
        assert "tls=1" in lines and "scheme=https" in lines
        s = c.request("/echo", method="POST", end=False)
        c.data(s, payload, end=True)
        assert hashlib.sha256(c.wait(s).body).digest() == hashlib.sha256(payload).digest()
        assert len(c.get("/zeros?3000000").body) == 3000000
    for offer in (["http/1.1"], []):
        sock, chosen = alpn(authority, httpd, offer, version=version)
        assert chosen == (offer or [None])[0]
        with Http1(sock) as c:
            assert c.get("/hello").body == b"hello\n"
            assert len(c.get("/zeros?3000000").body) == 3000000
            c.send("GET /hello HTTP/1.1\r\nHost: t\r\n\r\n" * 2000)
            for _ in range(2000):
                assert c.reply().body == b"hello\n"


def test_old_versions_are_refused(authority, secure):
    httpd = secure()
    done = subprocess.run(["openssl", "s_client", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-connect", f"127.0.0.1:{httpd.ports[0]}"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
    assert "Cipher is (NONE)" in done.stdout
    stats = stats_over_tls(authority, httpd)
    assert stats["handshakes_failed"] == 1


def stats_over_tls(authority, httpd):
    with Http1(alpn(authority, httpd, ["http/1.1"])[0]) as c:
        return {k: int(v) for k, v in (line.split("=") for line in c.get("/stats").body.decode().split())}


def test_plain_text_on_a_tls_port_harms_nobody(authority, secure):
    httpd = secure()
    for junk in (b"GET / HTTP/1.1\r\nHost: t\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 70000, b"\0" * 100, b"\x16\x03\x01\0\5hello"):
        with Http1(httpd.socket()) as c:
            c.send(junk)
            c.wait_closed()
    assert stats_over_tls(authority, httpd)["handshakes_failed"] == 4


def test_unfinished_handshakes_end(authority, secure):
    httpd = secure(handshake_ms=200)
    with Http1(httpd.socket()) as c:
        c.wait_closed()
    with Http1(httpd.socket()) as c:
        c.send(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03")
        c.wait_closed()
    assert stats_over_tls(authority, httpd)["connections"] == 1


def test_disconnect_cancels(authority, secure):
    httpd = secure()
    for protocol, make in (("http/1.1", Http1), ("h2", Http2)):
        with make(alpn(authority, httpd, [protocol])[0]) as c:
            if protocol == "h2":
                c.request("/hold")
            else:
                c.send("GET /hold HTTP/1.1\r\nHost: t\r\n\r\n")
            wait_until(lambda: stats_over_tls(authority, httpd)["in_flight"] == 2, "the request is in flight")
        wait_until(lambda: stats_over_tls(authority, httpd)["in_flight"] == 1, "it is cancelled")


def test_certificates_are_reloaded(authority, secure):
    httpd = secure()

    def served():
        with httpd.tls(authority.ca, ["h2"]) as s:
            return s.getpeercert()["serialNumber"]

    before = served()
    old = Http1(alpn(authority, httpd, ["http/1.1"])[0])
    assert old.get("/hello").status == 200
    authority.issue("server")
    httpd.child.signal(signal.SIGHUP)
    wait_until(lambda: "reloaded\n" in httpd.child.output(), "it says so")
    assert served() != before
    assert old.get("/hello").status == 200      # sessions go on with what they have
    old.close()
    (authority.directory / "server-key.pem").write_text("nonsense")
    after = served()
    httpd.child.signal(signal.SIGHUP)
    wait_until(lambda: "not reloaded\n" in httpd.child.output(), "it says so")
    assert served() == after


def test_good_byes_are_exchanged(authority, secure):
    httpd = secure()
    sock = httpd.tls(authority.ca, ["http/1.1"])
    with Http1(sock) as c:
        c.send("GET /hello HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        assert c.reply().status == 200
        assert sock.recv(100) == b""         # close_notify: a truncation would raise here
    sock = httpd.tls(authority.ca, ["http/1.1"])
    sock.sendall(b"GET /hello HTTP/1.1\r\nHost: t\r\n\r\n")
    assert sock.recv(10000)
    plain = sock.unwrap()
    assert plain.recv(100) == b""
    plain.close()


def test_mixed_listeners(authority, new_httpd):
    cert, key = authority.issue("server")
    httpd = new_httpd(listen=["::1"], before=[("listen", "127.0.0.1"), ("cert", cert), ("key", key)])
    with httpd.http1() as c:
        assert b"client=127.0.0.1\n" in c.get("/describe").body
    with Http1(httpd.tls(authority.ca, ["http/1.1"], index=1)) as c:
        assert b"client=::1\n" in c.get("/describe").body
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", httpd.ports[1]), timeout=5)
