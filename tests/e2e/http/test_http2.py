# SPDX-License-Identifier: Apache-2.0
"""HTTP/2: streams, flow control, limits, and every flood we know of."""
import hashlib
import struct
import time

import pytest

from lib.py.httpwire import (CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, GOAWAY, HEADERS, NO_ERROR, PING,
                             PREFACE, PRIORITY, PROTOCOL_ERROR, REFUSED_STREAM, RST_STREAM, SETTINGS, WINDOW_UPDATE, Http2)


def test_get_head_and_unknown_path(httpd):
    with httpd.http2() as c:
        got = c.get("/hello")
        assert (got.status, got.body, got.headers["content-length"]) == (200, b"hello\n", "6")
        assert got.headers["date"].endswith(" GMT") and got.headers["server"] == "httpd"
        head = c.get("/hello", method="HEAD")
        assert (head.status, head.body, head.headers["content-length"], head.reset) == (200, b"", "6", None)
        assert c.get("/nothing").status == 404
        assert c.get("/status?204").body == b""
        assert len(c.get("/zeros?100000").body) == 100000
        assert len(c.get("/chunks?100000").body) == 100000
        assert c.get("/sse?3").body == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
    assert httpd.stats()["h2"] == 1


def test_preface_may_come_in_pieces(httpd):
    with httpd.http2(preface=False) as c:
        request = PREFACE + c.frame(SETTINGS, 0, 0) + c.frame(HEADERS, END_HEADERS | END_STREAM, 1, c.header_block("/hello"))
        for at in range(len(request)):
            c.send(request[at:at + 1])
        assert c.wait(1).body == b"hello\n"


def test_request_is_shown_as_it_came(httpd):
    with httpd.http2() as c:
        got = c.get("/describe?x=%20", headers=[("cookie", "a=1"), ("x-y", "z"), ("cookie", "b=2"), ("host", "T")])
        lines = got.body.decode().splitlines()
        for line in ["method=GET", "path=/describe", "query=x=%20", "authority=t", "scheme=http", "version=HTTP/2", "cookie: a=1; b=2", "x-y: z",
                     "length=0"]:
            assert line in lines
        got = c.get("/describe", authority=None, headers=[("host", "h:1")])
        assert b"authority=h:1\n" in got.body


def test_streams_overtake_each_other(httpd):
    with httpd.http2() as c:
        slow, quick = c.request("/sleep?200"), c.request("/hello")
        assert c.wait(quick).body == b"hello\n"
        assert not c.streams[slow].ended
        assert c.wait(slow).body == b"slept\n"


def test_many_requests_on_one_connection(httpd):
    with httpd.http2() as c:
        for _ in range(20):
            for s in c.wait(*[c.request("/hello") for _ in range(100)]):
                assert s.body == b"hello\n"
        assert c.get("/json?3000", headers=[("accept-encoding", "gzip")]).headers["content-encoding"] == "gzip"


def test_uploads_are_read_as_they_come(httpd):
    payload = bytes(range(256)) * 8000
    with httpd.http2() as c:
        c.ready()
        first, second = c.request("/hash", method="POST", end=False), c.request("/all?3000000", method="POST", end=False)
        c.data(first, payload, end=True)
        c.data(second, payload, end=True)
        assert c.wait(first).body.decode() == f"{hashlib.sha256(payload).hexdigest()} {len(payload)}\n"
        assert c.wait(second).body == payload
        echo = c.request("/echo", method="POST", end=False, headers=[("content-length", "5"), ("expect", "100-continue")])
        while not c.streams[echo].informational and c.streams[echo].status is None:
            c.step()
        c.data(echo, b"hello", end=True)
        assert c.wait(echo).body == b"hello"
        big = c.get("/all?10", method="POST", end=False, headers=[("content-length", "11"), ("expect", "100-continue")])
        assert (big.status, big.informational) == (413, [])


def test_expect_continue_comes_before_the_reply(httpd):
    with httpd.http2() as c:
        s = c.request("/all?10", method="POST", end=False, headers=[("expect", "100-continue")])
        while not c.streams[s].informational:
            c.step()
        assert c.streams[s].informational == [100]
        c.data(s, b"hi", end=True)
        assert c.wait(s).body == b"hi"


def test_a_stalled_reader_holds_only_its_own_stream(httpd):
    with httpd.http2(give_back=False) as c:
        stalled, other = c.request("/zeros?10000000"), c.request("/hello")
        while len(c.streams[stalled].body) < 65535:
            c.step()
        c.send_frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 20))   # the connection's window is open, the stream's is not
        c.wait(other)
        assert c.get("/hello").body == b"hello\n"
        assert len(c.streams[stalled].body) == 65535


def test_a_body_nobody_reads_fills_only_its_window(new_httpd):
    httpd = new_httpd(stream_window=65535, connection_window=1 << 20)
    with httpd.http2() as c:
        c.ready()
        held = c.request("/hold", method="POST", end=False)
        while c.window < 1 << 20:
            c.step()
        for _ in range(3):
            c.data(held, b"x" * 16384)
        assert c.stream_window(held) < 20000
        # the rest of the connection's window serves others
        echo = c.request("/hash", method="POST", end=False)
        c.data(echo, b"y" * 500000, end=True)
        assert c.wait(echo).body.endswith(b" 500000\n")
        # breaking the stream's window is that stream's end only
        c.send_frame(DATA, 0, held, b"x" * 16384)
        c.send_frame(DATA, 0, held, b"x" * 16384)
        assert c.wait(held).reset == 3
        assert c.get("/hello").body == b"hello\n"


def test_bodies_of_refused_or_finished_requests_do_not_eat_the_connection_window(httpd):
    with httpd.http2() as c:
        c.ready()
        for _ in range(40):     # 4 MB in all, the connection's window is 1 MiB
            s = c.request("/hello", method="POST", end=False)
            c.data(s, b"x" * 100000, end=True)
            assert c.wait(s).body == b"hello\n"
        for _ in range(20):
            s = c.request("/sleep?1", method="POST", end=False)
            c.data(s, b"x" * 100000)
            c.wait(s)
            c.send_frame(RST_STREAM, 0, s, struct.pack(">I", CANCEL))
        assert c.get("/hello").body == b"hello\n"


def test_endless_body_of_an_answered_request_is_cut(new_httpd):
    httpd = new_httpd(discard_bytes=100000)
    with httpd.http2() as c:
        c.ready()
        s = c.request("/hello", method="POST", end=False)
        assert c.data(s, b"x" * 10000000) < 10000000
        got = c.wait(s)
        assert (got.status, got.body, got.ended) == (200, b"hello\n", True)
        while c.streams[s].reset is None:
            c.step()
        assert c.streams[s].reset == NO_ERROR
        assert c.get("/hello").body == b"hello\n"


def test_broken_handlers_reset_the_stream(httpd):
    with httpd.http2() as c:
        assert c.get("/half").reset == 2
        assert c.get("/none").status == 500
        assert c.get("/split").status == 500
        assert c.get("/twice").body == b"first\n"
        assert c.get("/after").body == b"done\n"
    httpd.wait_stat(lambda s: s["after"] == 2, "the handlers have finished")


def test_reset_and_disconnect_cancel_the_requests(httpd):
    with httpd.http2() as c:
        held = [c.request("/hold") for _ in range(10)]
        for s in held[:5]:
            c.send_frame(RST_STREAM, 0, s, struct.pack(">I", CANCEL))
        httpd.wait_stat(lambda s: s["cancelled"] == 5, "five are cancelled")
        assert c.get("/hello").status == 200
    httpd.wait_stat(lambda s: s["cancelled"] == 10, "all are cancelled")


@pytest.mark.parametrize("fields", [
    [(":method", "GET"), (":scheme", "http"), (":path", "hello"), (":authority", "t")],
    [(":method", "GET"), (":scheme", "http"), (":path", "/a b"), (":authority", "t")],
    [(":method", "GET"), (":scheme", "http"), (":path", "/hello#x"), (":authority", "t")],
    [(":method", "GET"), (":scheme", "http"), (":path", "/h\xe9"), (":authority", "t")],
    [(":method", "GET"), (":scheme", "http"), (":path", "*"), (":authority", "t")],
    [(":method", "GET"), (":scheme", "http"), (":path", "/hello")],
    [(":method", "GET"), (":scheme", "http"), (":path", "/hello"), (":authority", "u@t")],
    [(":method", "GET"), (":scheme", "http"), (":path", "/hello"), (":authority", "t"), ("host", "other")],
    [(":method", "G T"), (":scheme", "http"), (":path", "/hello"), (":authority", "t")],
], ids=lambda f: f"{f[0][1]} {f[2][1]} {f[3:]}")
def test_malformed_requests_get_400_or_a_reset(httpd, fields):
    with httpd.http2() as c:
        got = c.wait(c.raw_request(fields))
        assert got.status == 400 or got.reset == PROTOCOL_ERROR
        assert c.get("/hello").status == 200


@pytest.mark.parametrize("extra", [
    ("Upper", "x"), ("connection", "close"), ("transfer-encoding", "chunked"), ("te", "gzip"), ("x", "a\nb"), ("x", "a\0b"), ("x y", "z"),
    (":path", "/twice"), (":late", "x"), ("content-length", "x"), ("content-length", "5"),
], ids=lambda e: f"{e[0]}: {e[1]!r}")
def test_forbidden_headers_reset_the_stream(httpd, extra):
    with httpd.http2() as c:
        c.ready()
        got = c.wait(c.raw_request([(":method", "POST"), (":scheme", "http"), (":path", "/hello"), (":authority", "t"), extra]))
        assert got.reset == PROTOCOL_ERROR
        assert c.get("/hello").status == 200


def test_more_body_than_announced_resets_the_stream(httpd):
    with httpd.http2() as c:
        c.ready()
        s = c.request("/all?100", method="POST", end=False, headers=[("content-length", "3")])
        c.data(s, b"four", end=True)
        assert c.wait(s).reset == PROTOCOL_ERROR


def test_limits_get_their_status(httpd):
    with httpd.http2() as c:
        assert c.get("/" + "a" * 9000).status == 414
        assert c.get("/hello", headers=[("x", "a" * 40000)]).status == 431
        assert c.get("/hello", headers=[(f"x{n}", "y") for n in range(101)]).status == 431
        assert c.get("/hello", headers=[(f"x{n}", "y" * 400) for n in range(85)]).status == 431
        assert c.wait(c.raw_request([(":method", "CONNECT"), (":authority", "t:80")])).status == 501
        assert c.get("/hello", headers=[("expect", "nonsense")]).status == 417
        assert c.get("/hello").status == 200


def test_more_streams_than_allowed_are_refused(new_httpd):
    httpd = new_httpd(streams=5)
    with httpd.http2() as c:
        c.ready()
        held = [c.request("/hold") for _ in range(5)]
        c.send_frame(RST_STREAM, 0, held[0], struct.pack(">I", CANCEL))
        assert c.get("/hello").status == 200
        c.request("/hold")
        c.request("/hello")     # it knows the limit: RFC 9113 5.1.2 lets us call that an error of the connection
        assert c.until_closed() == PROTOCOL_ERROR
    with httpd.http2() as c:
        streams = [c.request("/sleep?50") for _ in range(6)]     # it cannot know the limit yet
        assert c.wait(streams[5]).reset == REFUSED_STREAM
        assert c.wait(streams[4]).status == 200


# ---- floods ---------------------------------------------------------------------------------------------------------

def flood(c, one, n=20000):
    """Sends one() over and over until the server ends the connection; returns the error code of its GOAWAY."""
    try:
        for i in range(0, n, 50):
            c.send(b"".join(one() for _ in range(50)))
    except (ConnectionResetError, BrokenPipeError):
        pass
    return c.until_closed()


def rapid_reset(c):
    s = c.new_stream()
    block = c.header_block("/hold")
    return c.frame(HEADERS, END_HEADERS | END_STREAM, s, block) + c.frame(RST_STREAM, 0, s, struct.pack(">I", CANCEL))


def provoked_reset(c):
    """A request, then a frame that makes the server reset it."""
    s = c.new_stream()
    return c.frame(HEADERS, END_HEADERS | END_STREAM, s, c.header_block("/hold")) + c.frame(WINDOW_UPDATE, 0, s, struct.pack(">I", 0x7FFFFFFF))


def malformed_request(c):
    return c.frame(HEADERS, END_HEADERS | END_STREAM, c.new_stream(), c.encoder.encode([(":method", "GET"), ("x", "y")]))


FLOODS = {
    "rapid reset": rapid_reset,
    "provoked reset": provoked_reset,
    "malformed requests": malformed_request,
    "ping": lambda c: c.frame(PING, 0, 0, b"12345678"),
    "settings": lambda c: c.frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65535)),
    "priority": lambda c: c.frame(PRIORITY, 0, 1, struct.pack(">IB", 0, 1)),
    "window updates": lambda c: c.frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_floods_end_with_enhance_your_calm_and_others_notice_nothing(new_httpd, kind):
    httpd = new_httpd()
    with httpd.http2() as c, httpd.http2() as other:
        other.get("/hello")
        assert flood(c, lambda: FLOODS[kind](c)) in (ENHANCE_YOUR_CALM, None)
        assert other.get("/hello").body == b"hello\n"
    stats = httpd.stats()
    assert stats["floods"] == 1
    httpd.wait_stat(lambda s: s["fibers"] == 1, "nothing runs for the flooder any more")


def test_goaway_of_a_flood_says_why(httpd):
    with httpd.http2() as c:
        c.ready()
        c.send(b"".join(c.frame(PING, 0, 0, b"12345678") for _ in range(1002)))
        assert c.until_closed() == ENHANCE_YOUR_CALM


def test_empty_data_frames_are_a_flood(httpd):
    with httpd.http2() as c:
        c.ready()
        s = c.request("/hash", method="POST", end=False)
        assert flood(c, lambda: c.frame(DATA, 0, s)) in (ENHANCE_YOUR_CALM, None)
    assert httpd.stats()["floods"] == 1


def test_continuation_flood(httpd):
    with httpd.http2() as c:
        c.ready()
        s = c.new_stream()
        c.send_frame(HEADERS, 0, s, c.header_block("/hello"))
        flood(c, lambda: c.frame(CONTINUATION, 0, s, c.encoder.encode([("x", "y")])))
        assert c.streams[s].status is None and c.goaways
    httpd.wait_stat(lambda s: s["in_flight"] == 1, "the request is gone")


def test_header_bomb_is_not_unpacked(httpd):
    """One large header in the table, then thousands of references to it."""
    with httpd.http2() as c:
        c.ready()
        block = c.encoder.encode([(":method", "GET"), (":scheme", "http"), (":path", "/hello"), (":authority", "t"), ("x", "a" * 3900)])
        before = httpd.rss_kb()
        for _ in range(20):
            s = c.new_stream()
            c.send_frame(HEADERS, END_HEADERS | END_STREAM, s, block + b"\xbe" * 12000)
            block = c.encoder.encode([(":method", "GET"), (":scheme", "http"), (":path", "/hello"), (":authority", "t"), ("x", "a" * 3900)])
            got = c.wait(s)
            assert got.status == 431 or got.reset is not None
        assert httpd.rss_kb() - before < 20000
        assert c.get("/hello").status == 200


def test_who_does_not_read_answers_gets_no_more_of_them(new_httpd):
    """PINGs and requests without end from a client that reads nothing: our memory stays bounded, and it is cut off in the end."""
    httpd = new_httpd(write_ms=400, control_frames=1000000000)
    with httpd.http2(receive_buffer=4096) as c:
        before = httpd.rss_kb()
        c.sock.settimeout(0.2)
        ping = b"".join(c.frame(PING, 0, 0, b"12345678") for _ in range(1000))
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            end = time.monotonic() + 15
            while time.monotonic() < end:
                try:
                    c.sock.send(ping)
                except TimeoutError:
                    pass
        assert httpd.rss_kb() - before < 30000


def test_resets_come_back_with_time(new_httpd):
    httpd = new_httpd(resets=20)
    with httpd.http2() as c:
        c.ready()
        for _ in range(15):
            c.send(rapid_reset(c))
        assert c.get("/hello").status == 200
        assert c.goaways == []


def test_garbage_ends_the_connection_only(httpd):
    with httpd.http2() as c, httpd.http2() as other:
        other.get("/hello")
        c.ready()
        c.send(b"\0\0\4\x08\0\0\0\0\0\0\0\0\0")     # WINDOW_UPDATE of 0 on the connection
        assert c.until_closed() == PROTOCOL_ERROR
        assert other.get("/hello").status == 200
    for junk in (PREFACE + b"x" * 1000, PREFACE[:10] + b"x" * 100, PREFACE + Http2.frame(HEADERS, END_HEADERS, 1, b"\xff" * 50),
                 PREFACE + Http2.frame(DATA, 0, 0, b"x"), PREFACE + Http2.frame(SETTINGS, 0, 0) + Http2.frame(RST_STREAM, 0, 7, b"\0\0\0\0"),
                 PREFACE + Http2.frame(SETTINGS, 0, 0) + Http2.frame(PING, 0, 0, b"1234"), PREFACE + Http2.frame(GOAWAY, 0, 0, b"")):
        with httpd.http2(preface=False) as c:
            c.send(junk)
            c.wait_closed()
    assert httpd.stats()["in_flight"] == 1
