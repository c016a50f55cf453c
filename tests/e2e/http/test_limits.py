# SPDX-License-Identifier: Apache-2.0
"""Slow, greedy, silent and vanishing clients: each is dealt with alone, within limits that are small here so that nobody waits long."""
import struct
import time

import pytest

from lib.py.httpwire import CANCEL, DATA, HEADERS, NO_ERROR, PREFACE, SETTINGS, WINDOW_UPDATE, Closed
from lib.py.process import wait_until

HOST = "Host: t\r\n"


def seconds(fn, *args):
    began = time.monotonic()
    fn(*args)
    return time.monotonic() - began


def test_silent_connections_are_closed(new_httpd):
    httpd = new_httpd(handshake_ms=200, idle_ms=300)
    with httpd.http1() as c:
        assert 0.15 < seconds(c.wait_closed) < 5
    with httpd.http1() as c:
        c.send("P")             # may become anything
        assert 0.15 < seconds(c.wait_closed) < 5
    with httpd.http1() as c:
        assert c.get("/hello").status == 200
        assert 0.25 < seconds(c.wait_closed) < 5
        assert c.buffer == b""
    with httpd.http2() as c:
        assert c.get("/hello").status == 200
        assert c.until_closed() == NO_ERROR


def test_slow_headers_get_408(new_httpd):
    httpd = new_httpd(header_ms=300)
    with httpd.http1() as c, httpd.http1() as other:
        began = time.monotonic()
        c.send("GET /hello HT")
        with pytest.raises((BrokenPipeError, ConnectionResetError, Closed)):
            while True:             # a byte now and then does not help
                c.send("x")
                c.sock.settimeout(0.02)
                try:
                    c.more()
                    break
                except TimeoutError:
                    assert other.get("/hello").status == 200
            c.sock.settimeout(20)
            assert c.reply().status == 408
            raise Closed
        assert 0.25 < time.monotonic() - began < 10
    assert httpd.stats()["refused1"] == 1


def test_slow_http2_headers_end_the_connection(new_httpd):
    httpd = new_httpd(header_ms=300)
    with httpd.http2() as c:
        c.ready()
        c.send_frame(HEADERS, 0, 1, c.header_block("/hello"))     # END_HEADERS never comes
        assert c.until_closed() is not None
    httpd.wait_stat(lambda s: s["in_flight"] == 1, "nothing is left of it")


@pytest.mark.parametrize("trickle", [False, True])
def test_slow_bodies_get_408(new_httpd, trickle):
    httpd = new_httpd(body_ms=300, min_rate=1000)
    with httpd.http1() as c:
        c.send(f"POST /all?100000 HTTP/1.1\r\n{HOST}Content-Length: 100000\r\n\r\n")
        try:
            while trickle:
                c.send("x")
                c.sock.settimeout(0.02)
                try:
                    c.more()
                    break
                except TimeoutError:
                    pass
        except (BrokenPipeError, ConnectionResetError):
            pass
        c.sock.settimeout(20)
        got = c.reply()
        assert (got.status, got.headers["connection"]) == (408, "close")
    with httpd.http2() as c:
        s = c.request("/all?100000", method="POST", end=False)
        while trickle and c.streams[s].status is None:
            c.send_frame(DATA, 0, s, b"x")
            c.sock.settimeout(0.02)
            try:
                c.step()
            except TimeoutError:
                pass
        c.sock.settimeout(20)
        while c.streams[s].status is None:
            c.step()
        assert c.streams[s].status == 408
        assert c.get("/hello").status == 200


def test_slow_reader_is_cut_off_and_its_request_cancelled(new_httpd):
    httpd = new_httpd(write_ms=300)
    before = httpd.rss_kb()
    with httpd.http1(receive_buffer=4096) as c:
        c.send(f"GET /zeros?1000000000 HTTP/1.1\r\n{HOST}\r\n")
        httpd.wait_stat(lambda s: s["cancelled"] == 1 or s["resets"] == 1, "it is cut off")
        with pytest.raises(Closed):
            while True:
                c.more()
                c.buffer = b""
    assert httpd.rss_kb() - before < 20000


def test_slow_reader_of_an_http2_stream_loses_the_stream_only(new_httpd):
    httpd = new_httpd(write_ms=300)
    with httpd.http2(give_back=False) as c:
        c.send_frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 20))
        for path in ("/zeros?10000000", "/json?1000000"):     # streamed, and whole
            s = c.request(path)
            assert c.wait(s).reset == CANCEL
        assert c.get("/hello").status == 200
    httpd.wait_stat(lambda s: s["fibers"] == 1, "its handlers have ended")


@pytest.mark.parametrize("path", ["/status?204", "/hello", "/json?9000"])
def test_asking_without_reading_replies_costs_little(new_httpd, path):
    httpd = new_httpd(write_ms=1500)
    before = httpd.rss_kb()
    with httpd.http1(receive_buffer=4096) as c:
        block = f"GET {path} HTTP/1.1\r\n{HOST}\r\n".encode() * 1000
        sent = 0
        c.sock.settimeout(0.3)
        with pytest.raises((TimeoutError, ConnectionResetError, BrokenPipeError)):
            while sent < 1 << 30:
                sent += c.sock.send(block)
        assert httpd.rss_kb() - before < (40000 if httpd.is_sanitized() else 4000)     # ASan keeps what is freed
    httpd.wait_stat(lambda s: s["connections"] == 1, "it is gone")


def test_reading_slowly_but_steadily_is_fine(new_httpd):
    httpd = new_httpd(write_ms=300, min_rate=1000)
    with httpd.http1(receive_buffer=4096) as c:
        c.send(f"GET /zeros?400000 HTTP/1.1\r\n{HOST}\r\n")
        head = c.until(b"\r\n\r\n")
        assert b"content-length: 400000" in head
        while len(c.buffer) < 400000:
            c.more()
            time.sleep(0.004)
        c.take(400000)
        assert c.get("/hello").status == 200


def test_idle_event_streams_are_left_alone(new_httpd):
    httpd = new_httpd(write_ms=100, body_ms=100, idle_ms=100, header_ms=100)
    with httpd.http1() as c, httpd.http2() as d:
        c.send(f"GET /sleep?700 HTTP/1.1\r\n{HOST}\r\n")
        s = d.request("/sleep?700")
        assert c.reply().body == b"slept\n"
        assert d.wait(s).body == b"slept\n"


def test_connections_are_limited_and_the_refused_are_told(new_httpd):
    httpd = new_httpd(connections=5)
    good = [httpd.http1() for _ in range(5)]
    for c in good:
        assert c.get("/hello").status == 200
    with httpd.http1() as c:
        got = c.get("/hello")
        assert (got.status, got.headers["connection"]) == (503, "close")
        c.wait_closed()
    with httpd.http2() as c:
        assert c.get("/hello").status == 503
    for c in good:
        assert c.get("/hello").status == 200
    crowd = [httpd.http1() for _ in range(100)]
    for c in good:
        assert c.get("/hello").status == 200
    for c in crowd + good[1:]:
        c.close()
    wait_until(lambda: good[0].get("/stats").body.decode().startswith("connections=1\n"), "the crowd is gone")
    with httpd.http1() as c:
        assert c.get("/hello").status == 200
    good[0].close()


def test_connections_of_one_client_are_limited(new_httpd):
    httpd = new_httpd(connections_per_client=3, listen=["0.0.0.0"])
    httpd.addresses[0] = "127.0.0.1"
    mine = [httpd.http1(source="127.0.0.2") for _ in range(3)]
    for c in mine:
        assert c.get("/hello").status == 200
    with httpd.http1(source="127.0.0.2") as c:
        assert c.get("/hello").status == 503
    with httpd.http1(source="127.0.0.3") as c:
        assert c.get("/hello").status == 200
    mine.pop().close()
    wait_until(lambda: httpd.stats()["connections"] == 3, "one is gone")
    with httpd.http1(source="127.0.0.2") as c:
        assert c.get("/hello").status == 200


def test_body_limit_of_the_server(new_httpd):
    httpd = new_httpd(body_bytes=1000)
    with httpd.http1() as c:
        c.send(f"POST /hash HTTP/1.1\r\n{HOST}Content-Length: 1001\r\n\r\n")
        assert c.reply().status == 413
    with httpd.http1() as c:
        c.send(f"POST /hash HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n" + "400\r\n" + "x" * 1024 + "\r\n")
        assert c.reply().status == 413
    with httpd.http2() as c:
        c.ready()
        assert c.get("/hash", method="POST", headers=[("content-length", "1001")], end=False).status == 413
        s = c.request("/hash", method="POST", end=False)
        c.data(s, b"x" * 1024)
        assert c.wait(s).status == 413


def test_http2_clients_that_never_speak_again(new_httpd):
    httpd = new_httpd(idle_ms=200)
    with httpd.http2(preface=False) as c:
        c.send(PREFACE[:20])
        c.wait_closed()
    with httpd.http2(preface=False) as c:
        c.send(PREFACE + c.frame(SETTINGS, 0, 0)[:4])
        assert c.until_closed() is not None
