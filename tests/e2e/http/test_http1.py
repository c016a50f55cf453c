# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.0 and 1.1 to the letter: what must be served, what must be refused, in which order, and who notices."""
import time

import pytest

from lib.py.httpwire import Closed

HOST = "Host: t\r\n"


def test_get_head_and_unknown_path(httpd):
    with httpd.http1() as c:
        got = c.get("/hello")
        assert (got.status, got.body, got.headers["content-length"]) == (200, b"hello\n", "6")
        assert got.headers["date"].endswith(" GMT") and got.headers["server"] == "httpd" and "connection" not in got.headers
        head = c.get("/hello", method="HEAD")
        assert (head.status, head.headers["content-length"]) == (200, "6")
        assert c.get("/nothing").status == 404
        assert c.get("/status?204").headers.get("content-length") is None
        assert c.get("/status?304").status == 304
        assert c.get("/zeros?100", method="HEAD").headers["content-length"] == "100"
        assert c.get("/chunks?100", method="HEAD").headers["transfer-encoding"] == "chunked"
        assert c.get("/hello").status == 200


def test_request_is_shown_as_it_came(httpd):
    with httpd.http1() as c:
        c.send("POST http://Example.org:81/a%20b?x=1&y HTTP/1.1\r\nHost: other\r\nX-Some:  va lue \t\r\nX-None:\r\nx-some: two\r\n"
               "Content-Length: 0\r\n\r\n")
        assert c.reply().status == 404
        c.send("GET http://example.org/describe?x=/?& HTTP/1.1\r\nHost: other\r\nX-Some:  va lue \t\r\nX-None:\r\nx-some: two\r\n\r\n")
        lines = c.reply().body.decode().splitlines()
        for line in ["method=GET", "target=http://example.org/describe?x=/?&", "path=/describe", "query=x=/?&", "authority=example.org",
                     "scheme=http", "version=HTTP/1.1", "tls=0", "client=127.0.0.1", "length=0", "x-some: va lue", "x-none: ", "x-some: two"]:
            assert line in lines
        c.send("GET http://example.org HTTP/1.1\r\nHost: other\r\n\r\n")
        assert c.reply().status == 404
        assert "query=none" in c.get("/describe").body.decode()
        assert "query=\n" in c.get("/describe?").body.decode()
        c.send("OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n")
        assert c.reply().status == 404


def test_http10_closes_unless_asked_to_stay(httpd):
    with httpd.http1() as c:
        c.send("GET /describe HTTP/1.0\r\n\r\n")
        got = c.reply()
        assert got.headers["connection"] == "close" and b"version=HTTP/1.0" in got.body and b"authority=\n" in got.body
        assert c.wait_closed() == b""
    with httpd.http1() as c:
        c.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert c.reply().headers["connection"] == "keep-alive"
        c.send("GET /chunks?100000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        got = c.reply()
        assert "transfer-encoding" not in got.headers and got.headers["connection"] == "close" and len(got.body) == 100000


def test_connection_close_is_obeyed_and_announced(httpd):
    with httpd.http1() as c:
        c.send(f"GET /hello HTTP/1.1\r\n{HOST}Connection: close\r\n\r\nGET /hello HTTP/1.1\r\n{HOST}\r\n")
        assert c.reply().headers["connection"] == "close"
        assert c.wait_closed() == b""


def test_upgrade_offers_are_passed_over(httpd):
    with httpd.http1() as c:
        c.send(f"GET /hello HTTP/1.1\r\n{HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
        assert c.reply().status == 200
        c.send(f"POST /echo HTTP/1.1\r\n{HOST}Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nhi")
        assert c.reply().body == b"hi"
        assert c.get("/hello").status == 200


def test_pipelined_replies_keep_their_order(httpd):
    with httpd.http1() as c:
        c.send(f"GET /sleep?60 HTTP/1.1\r\n{HOST}\r\n" + f"GET /hello HTTP/1.1\r\n{HOST}\r\n"
               + f"POST /echo HTTP/1.1\r\n{HOST}Content-Length: 3\r\n\r\nabc" + f"GET /sleep?1 HTTP/1.1\r\n{HOST}\r\n"
               + f"POST /echo HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n3\r\ndef\r\n0\r\n\r\n" + f"HEAD /hello HTTP/1.1\r\n{HOST}\r\n"
               + f"GET /status?201 HTTP/1.1\r\n{HOST}\r\n")
        assert c.reply().body == b"slept\n"
        assert c.reply().body == b"hello\n"
        assert c.reply().body == b"abc"
        assert c.reply().body == b"slept\n"
        assert c.reply().body == b"def"
        assert c.reply(head=True).status == 200
        assert c.reply().status == 201


def test_many_pipelined_requests_in_one_write(httpd):
    n = 3000
    with httpd.http1() as c:
        c.send(f"GET /hello HTTP/1.1\r\n{HOST}\r\n" * n)
        for _ in range(n):
            assert c.reply().body == b"hello\n"


def test_reading_ahead_is_bounded(new_httpd):
    httpd = new_httpd(pipelined_bytes=4096)
    with httpd.http1() as c:
        c.send(f"GET /sleep?300 HTTP/1.1\r\n{HOST}\r\n")
        c.sock.setblocking(False)
        sent = 0
        block = f"GET /hello HTTP/1.1\r\n{HOST}\r\n".encode() * 1000
        end = time.monotonic() + 0.2
        while time.monotonic() < end and sent < 64 << 20:
            try:
                sent += c.sock.send(block[sent % len(block):])
            except BlockingIOError:
                time.sleep(0.01)
        assert sent < 32 << 20     # the kernel's buffers, not ours
        assert httpd.rss_kb() < 400000


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_requests_may_come_in_pieces(httpd, pieces):
    request = f"\r\nPOST /echo HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\nX: y\r\n\r\n5;ext=1\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n"
    with httpd.http1() as c:
        for at in range(0, len(request), pieces):
            c.send(request[at:at + pieces])
        assert c.reply().body == b"hello0123456789"
        assert c.get("/hello").status == 200


SMUGGLING = {
    "CL and TE": f"POST /echo HTTP/1.1\r\n{HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "TE and CL": f"POST /echo HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two CL, same": f"POST /echo HTTP/1.1\r\n{HOST}Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "two CL, different": f"POST /echo HTTP/1.1\r\n{HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "CL list": f"POST /echo HTTP/1.1\r\n{HOST}Content-Length: 1, 1\r\n\r\na",
    "CL with sign": f"POST /echo HTTP/1.1\r\n{HOST}Content-Length: +1\r\n\r\na",
    "CL hexadecimal": f"POST /echo HTTP/1.1\r\n{HOST}Content-Length: 0x1\r\n\r\na",
    "CL with blank inside": f"POST /echo HTTP/1.1\r\n{HOST}Content-Length: 1 0\r\n\r\na",
    "CL too long": f"POST /echo HTTP/1.1\r\n{HOST}Content-Length: 18446744073709551617\r\n\r\na",
    "CL empty": f"POST /echo HTTP/1.1\r\n{HOST}Content-Length:\r\n\r\n",
    "TE not last": f"POST /echo HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "TE twice": f"POST /echo HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "TE odd": f"POST /echo HTTP/1.1\r\n{HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "TE with tab": f"POST /echo HTTP/1.1\r\n{HOST}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "TE quoted": f"POST /echo HTTP/1.1\r\n{HOST}Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
    "TE identity": f"POST /echo HTTP/1.1\r\n{HOST}Transfer-Encoding: identity\r\n\r\n",
    "TE in 1.0": "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "TE with blank before colon": f"POST /echo HTTP/1.1\r\n{HOST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "bare LF everywhere": "GET /hello HTTP/1.1\nHost: t\n\n",
    "bare LF after a header": f"GET /hello HTTP/1.1\r\n{HOST}X: y\n\r\n",
    "bare LF at the end": f"GET /hello HTTP/1.1\r\n{HOST}\n",
    "bare CR in a value": f"GET /hello HTTP/1.1\r\n{HOST}X: a\rY: b\r\n\r\n",
    "bare CR as line end": "GET /hello HTTP/1.1\rHost: t\r\r",
    "blank before colon": "GET /hello HTTP/1.1\r\nHost : t\r\n\r\n",
    "tab before colon": "GET /hello HTTP/1.1\r\nHost\t: t\r\n\r\n",
    "obs-fold": f"GET /hello HTTP/1.1\r\n{HOST}X: a\r\n b\r\n\r\n",
    "obs-fold with tab": f"GET /hello HTTP/1.1\r\n{HOST}X: a\r\n\tb\r\n\r\n",
    "blank before the first header": f"GET /hello HTTP/1.1\r\n {HOST}\r\n",
    "NUL in a value": f"GET /hello HTTP/1.1\r\n{HOST}X: a\0b\r\n\r\n",
    "NUL in a name": f"GET /hello HTTP/1.1\r\n{HOST}X\0: a\r\n\r\n",
    "NUL in the target": f"GET /hel\0lo HTTP/1.1\r\n{HOST}\r\n",
    "control character": f"GET /hello HTTP/1.1\r\n{HOST}X: \x01\r\n\r\n",
    "no name": f"GET /hello HTTP/1.1\r\n{HOST}: a\r\n\r\n",
    "no colon": f"GET /hello HTTP/1.1\r\n{HOST}Nonsense\r\n\r\n",
    "no Host": "GET /hello HTTP/1.1\r\n\r\n",
    "two Hosts": f"GET /hello HTTP/1.1\r\n{HOST}{HOST}\r\n",
    "Host with path": "GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "Host with user": "GET /hello HTTP/1.1\r\nHost: u@a\r\n\r\n",
    "Host empty": "GET /hello HTTP/1.1\r\nHost:\r\n\r\n",
    "two blanks": f"GET  /hello HTTP/1.1\r\n{HOST}\r\n",
    "blank at the end of the request line": f"GET /hello HTTP/1.1 \r\n{HOST}\r\n",
    "no version": "GET /hello\r\n\r\n",
    "lower-case version": f"GET /hello http/1.1\r\n{HOST}\r\n",
    "raw UTF-8 in the target": f"GET /h\xc3\xa9llo HTTP/1.1\r\n{HOST}\r\n",
    "fragment in the target": f"GET /hello#a HTTP/1.1\r\n{HOST}\r\n",
    "other scheme": f"GET ftp://a/b HTTP/1.1\r\n{HOST}\r\n",
    "target without slash": f"GET hello HTTP/1.1\r\n{HOST}\r\n",
    "* with GET": f"GET * HTTP/1.1\r\n{HOST}\r\n",
    "TLS hello": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "empty lines": f"\r\n\r\nGET /hello HTTP/1.1\r\n{HOST}\r\n",
}


@pytest.mark.parametrize("shape", SMUGGLING)
def test_ambiguous_heads_get_400_and_the_end_of_the_connection(httpd, shape):
    with httpd.http1() as c:
        c.send(SMUGGLING[shape] + f"GET /hello HTTP/1.1\r\n{HOST}\r\n")
        got = c.reply()
        assert (got.status, got.headers["connection"]) == (400, "close"), got
        assert c.wait_closed() == b""
    assert httpd.stats()["refused0"] == 1


CHUNKS = {
    "no size": "\r\n", "not hexadecimal": "g\r\n", "sign": "-1\r\n", "0x": "0x5\r\nhello\r\n", "blank after the size": "5 \r\nhello\r\n",
    "blank before the size": " 5\r\nhello\r\n", "bare LF after the size": "5\nhello\r\n", "bare CR after the size": "5\rhello\r\n",
    "longer than its size": "5\r\nhello!\r\n", "shorter than its size": "5\r\nhell\r\n0\r\n\r\n", "bare LF after the data": "5\r\nhello\n0\r\n\r\n",
    "huge size": "ffffffffffffffff\r\nhello\r\n", "size that wraps": "10000000000000005\r\nhello\r\n", "LF in an extension": "5;a\nb\r\nhello\r\n",
    "CR in an extension": "5;a\rb\r\nhello\r\n", "endless extension": "5;" + "a" * 5000, "bad trailer": "0\r\nX : y\r\n\r\n",
    "folded trailer": "0\r\n X: y\r\n\r\n", "bare LF at the end": "0\r\n\n", "NUL in a trailer": "0\r\nX: \0\r\n\r\n",
}


@pytest.mark.parametrize("shape", CHUNKS)
def test_bad_chunks_get_400_and_the_end_of_the_connection(httpd, shape):
    with httpd.http1() as c:
        c.send(f"POST /all?1000 HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n" + CHUNKS[shape])
        c.send(f"\r\nGET /hello HTTP/1.1\r\n{HOST}\r\n")
        got = c.reply()
        assert (got.status, got.headers["connection"]) == (400, "close")
        assert c.wait_closed() == b""


@pytest.mark.parametrize("request_line, status", [
    ("GET /hello HTTP/2.0", 505), ("GET /hello HTTP/1.2", 505), ("GET /hello HTTP/0.9", 505), ("FOO /hello HTTP/1.1", 501),
    ("CONNECT t:80 HTTP/1.1", 501), ("GET /" + "a" * 9000 + " HTTP/1.1", 414), ("GET /" + "a" * 90000, 414),
    ("GET /hello HTTP/1.1\r\nExpect: nonsense", 417), ("GET /hello HTTP/1.1\r\nX: " + "a" * 40000, 431),
    ("GET /hello HTTP/1.1\r\n" + "\r\n".join(f"X{n}: y" for n in range(101)), 431),
    ("POST /hello HTTP/1.1\r\nTransfer-Encoding: gzip, chunked", 501)])
def test_limits_and_the_unsupported_get_their_status(httpd, request_line, status):
    with httpd.http1() as c:
        c.send(f"{request_line}\r\n{HOST}\r\n")
        got = c.reply()
        assert (got.status, got.headers["connection"]) == (status, "close")
        assert c.wait_closed() == b""


def test_an_http2_preface_after_a_request_is_refused(httpd):
    with httpd.http1() as c:
        assert c.get("/hello").status == 200
        c.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert c.reply().status == 505
        c.wait_closed()


def test_expect_continue_is_answered_when_the_body_is_wanted(httpd):
    with httpd.http1() as c:
        c.send(f"POST /all?100 HTTP/1.1\r\n{HOST}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert c.reply().status == 100
        c.send("hello")
        assert c.reply().body == b"hello"
        c.send(f"POST /all?4 HTTP/1.1\r\n{HOST}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        got = c.reply()
        assert (got.status, got.headers["connection"]) == (413, "close")
        c.wait_closed()
    with httpd.http1() as c:
        c.send(f"POST /echo HTTP/1.1\r\n{HOST}Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello")
        got = c.reply()         # it did not wait, so nobody needs to be told
        assert (got.status, got.body) == (200, b"hello")


def test_unread_bodies_are_thrown_away_up_to_a_bound(new_httpd):
    httpd = new_httpd(discard_bytes=100000)
    with httpd.http1() as c:
        c.send(f"POST /hello HTTP/1.1\r\n{HOST}Content-Length: 90000\r\n\r\n" + "x" * 90000)
        assert c.reply().status == 200
        c.send(f"POST /hello HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n" + "8000\r\n" + "x" * 32768 + "\r\n0\r\n\r\n")
        assert c.reply().status == 200
        c.send(f"POST /hello HTTP/1.1\r\n{HOST}Content-Length: 110000\r\n\r\n")
        assert c.reply().headers["connection"] == "close"
    with httpd.http1() as c:
        c.send(f"POST /hello HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n")
        assert c.reply().status == 200
        with pytest.raises((Closed, ConnectionResetError, BrokenPipeError)):
            for _ in range(1000):
                c.send("8000\r\n" + "x" * 32768 + "\r\n")
            c.reply()


def test_handlers_that_break_the_rules(httpd):
    with httpd.http1() as c:
        assert c.get("/none").status == 500
    with httpd.http1() as c:
        c.send(f"GET /half HTTP/1.1\r\n{HOST}\r\n")
        assert c.until(b"12345").startswith(b"HTTP/1.1 200")
        assert c.wait_closed() == b""
    with httpd.http1() as c:
        assert c.get("/twice").body == b"first\n"
        assert c.get("/split").status == 500
    assert httpd.stats()["after"] == 1


def test_work_after_the_reply_goes_on(httpd):
    with httpd.http1() as c:
        c.send(f"GET /after HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n")
        assert c.reply().body == b"done\n"
        c.wait_closed()
    httpd.wait_stat(lambda s: s["after"] == 1, "the handler has finished")


def test_too_many_fibers_get_503(new_httpd):
    httpd = new_httpd(fibers=3)
    holders = [httpd.http1() for _ in range(3)]
    for c in holders:
        c.send(f"GET /hold HTTP/1.1\r\n{HOST}\r\n")
    with httpd.http1() as c:
        assert c.get("/hello").status == 503
    for c in holders:
        c.close()
    httpd.wait_stat(lambda s: s.get("cancelled") == 3, "the holders are cancelled")


def test_disconnect_cancels_the_request(httpd):
    for how in ("close", "abort"):
        with httpd.http1() as c:
            c.send(f"GET /hold HTTP/1.1\r\n{HOST}\r\n")
            httpd.wait_stat(lambda s: s["in_flight"] == 2, "the request is in flight")
            getattr(c, how)()
        httpd.wait_stat(lambda s: s["in_flight"] == 1, "it is cancelled")
    assert httpd.stats()["cancelled"] == 2
    assert httpd.stats()["resets"] == 2


def test_disconnect_in_the_middle_of_a_body_cancels(httpd):
    with httpd.http1() as c:
        c.send(f"POST /hash HTTP/1.1\r\n{HOST}Content-Length: 100\r\n\r\nhalf")
        httpd.wait_stat(lambda s: s["in_flight"] == 2, "the request is in flight")
    httpd.wait_stat(lambda s: s["cancelled"] == 1, "it is cancelled")
