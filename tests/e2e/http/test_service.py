# SPDX-License-Identifier: Apache-2.0
"""What operators lean on: client addresses through balancers, drain, static files, compression, big uploads, crowds."""
import gzip
import hashlib
import os
import random
import signal
import socket
import subprocess
import threading
import time

import pytest

from lib.py.httpwire import NO_ERROR, Closed, Http1, Http2
from lib.py.process import new_dir, wait_until

HOST = "Host: t\r\n"


def shown(c, headers=""):
    lines = c.get("/describe", headers=headers).body.decode().splitlines()
    return {k: v for k, v in (line.split("=", 1) for line in lines if "=" in line)}


# ---- who the client is ----------------------------------------------------------------------------------------------

def test_forwarded_addresses_count_from_trusted_proxies_only(new_httpd):
    httpd = new_httpd(trusted="127.0.0.0/30,10.0.0.0/8", listen=["0.0.0.0"])
    httpd.addresses[0] = "127.0.0.1"
    with httpd.http1(source="127.0.0.1") as c:
        assert shown(c)["client"] == "127.0.0.1"
        assert shown(c, "X-Forwarded-For: 192.0.2.7\r\n")["client"] == "192.0.2.7"
        assert shown(c, "X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.1.1.1\r\n")["client"] == "192.0.2.7"
        assert shown(c, "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 10.1.1.1\r\n")["client"] == "192.0.2.7"
        assert shown(c, "X-Forwarded-For: 192.0.2.7, nonsense\r\n")["client"] == "127.0.0.1"
        assert shown(c, "X-Forwarded-For: 10.2.2.2, 10.1.1.1\r\n")["client"] == "10.2.2.2"
        assert shown(c, "X-Forwarded-For: [2001:db8::1]:443\r\n")["client"] == "2001:db8::1"
        assert shown(c, "X-Forwarded-For: ,,\r\n")["client"] == "127.0.0.1"
        assert shown(c, "X-Forwarded-Proto: https\r\n")["scheme"] == "https"
        assert shown(c, "X-Forwarded-Proto: https\r\n")["peer"] == "127.0.0.1"
    with httpd.http1(source="127.0.0.9") as c:
        got = shown(c, "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n")
        assert (got["client"], got["scheme"]) == ("127.0.0.9", "http")


V2 = b"\r\n\r\n\0\r\nQUIT\n"


@pytest.mark.parametrize("header, client", [
    (b"PROXY TCP4 192.0.2.7 198.51.100.1 1000 80\r\n", "192.0.2.7"), (b"PROXY TCP6 2001:db8::7 ::1 1000 80\r\n", "2001:db8::7"),
    (b"PROXY UNKNOWN\r\n", "127.0.0.1"), (V2 + b"\x21\x11\0\x0c\xc0\0\2\7\xc6\x33\x64\1\3\xe8\0\x50", "192.0.2.7"),
    (V2 + b"\x20\0\0\0", "127.0.0.1")], ids=["v1 TCP4", "v1 TCP6", "v1 UNKNOWN", "v2 TCP4", "v2 LOCAL"])
@pytest.mark.parametrize("pieces", [1, 1000])
def test_proxy_headers_name_the_client(new_httpd, header, client, pieces):
    httpd = new_httpd(trusted="127.0.0.1", proxy=1)
    request = header + f"GET /describe HTTP/1.1\r\n{HOST}\r\n".encode()
    with httpd.http1() as c:
        for at in range(0, len(request), pieces):
            c.send(request[at:at + pieces])
        lines = c.reply().body.decode().splitlines()
        assert f"client={client}" in lines and f"peer={client}" in lines
        assert shown(c)["client"] == client
    with Http2(httpd.socket(), preface=False) as c:
        c.send(header + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + c.frame(4, 0, 0))
        assert f"client={client}\n" in c.get("/describe").body.decode()


def test_proxy_header_is_demanded_of_trusted_peers_and_of_nobody_else(new_httpd):
    httpd = new_httpd(trusted="127.0.0.1", proxy=1, listen=["0.0.0.0"], handshake_ms=300)
    httpd.addresses[0] = "127.0.0.1"
    for start in (b"GET /hello HTTP/1.1\r\nHost: t\r\n\r\n", b"PROXY TCP4 nonsense\r\n", V2 + b"\x31", b"PROX"):
        with httpd.http1() as c:
            c.send(start)
            assert c.wait_closed() == b""
    with httpd.http1(source="127.0.0.2") as c:
        assert shown(c)["client"] == "127.0.0.2"
        c.send(b"PROXY TCP4 192.0.2.7 198.51.100.1 1000 80\r\nGET /hello HTTP/1.1\r\nHost: t\r\n\r\n")
        assert c.reply().status == 400


def test_limit_per_client_counts_the_true_clients(new_httpd):
    httpd = new_httpd(trusted="127.0.0.1", proxy=1, connections_per_client=2)

    def connect(client):
        c = httpd.http1()
        c.send(f"PROXY TCP4 {client} 198.51.100.1 1000 80\r\n")
        return c

    kept = [connect("192.0.2.7"), connect("192.0.2.7"), connect("192.0.2.8")]
    assert [c.get("/hello").status for c in kept] == [200, 200, 200]
    assert connect("192.0.2.7").get("/hello").status == 503


# ---- drain ----------------------------------------------------------------------------------------------------------

def test_drain_finishes_what_is_under_way(new_httpd):
    httpd = new_httpd(linger_ms=400)
    one, two, idle1, idle2, late = httpd.http1(), httpd.http2(), httpd.http1(), httpd.http2(), httpd.http1()
    for c in (idle1, idle2, late):
        assert c.get("/hello").status == 200
    one.send(f"GET /sleep?600 HTTP/1.1\r\n{HOST}\r\n")
    stream = two.request("/sleep?600")
    httpd.wait_stat(lambda s: s["in_flight"] == 3, "both are in flight")
    httpd.child.signal(signal.SIGTERM)
    while not two.goaways:
        two.step()
    assert two.goaways == [(0x7FFFFFFF, NO_ERROR)]       # first a warning, for what is on its way
    assert two.get("/hello").body == b"hello\n"
    got = late.get("/hello")
    assert (got.status, got.headers["connection"]) == (200, "close")
    got = one.reply()
    assert (got.body, got.headers["connection"]) == (b"slept\n", "close")
    assert two.wait(stream).body == b"slept\n"
    assert two.until_closed() == NO_ERROR
    assert two.goaways[-1][0] == 3
    assert idle1.wait_closed() == b""
    assert idle2.until_closed() == NO_ERROR
    for c in (one, two, idle1, idle2, late):
        c.close()
    assert httpd.child.wait() == 0
    assert "drained" in httpd.child.output()
    with pytest.raises(OSError):
        httpd.socket()


def test_drain_gives_up_at_its_deadline(new_httpd):
    httpd = new_httpd(drain_ms=300, linger_ms=100)
    with httpd.http1() as c, httpd.http2() as d:
        c.send(f"GET /hold HTTP/1.1\r\n{HOST}\r\n")
        d.request("/hold")
        httpd.wait_stat(lambda s: s["in_flight"] == 3, "both are in flight")
        httpd.child.signal(signal.SIGTERM)
        assert httpd.child.wait() == 0
        assert "cut off" in httpd.child.output()
        c.wait_closed()
        d.until_closed()


def test_loops_get_connections_both(new_httpd):
    httpd = new_httpd(loops=2)
    seen = []
    conns = [httpd.http1() for _ in range(60)]
    for c in conns:
        lines = dict(line.split("=") for line in c.get("/stats").body.decode().split())
        seen.append(int(lines["accepted"]))
    assert max(seen) < 60       # no loop has accepted them all
    for c in conns:
        c.close()


# ---- static files and compression ------------------------------------------------------------------------------------

@pytest.fixture
def root():
    top = new_dir("root")
    (top / "index.html").write_text("<p>home</p>")
    (top / "app.js").write_text("let a;" * 1000)
    (top / "app.js.gz").write_bytes(gzip.compress(b"let a;" * 1000))
    (top / "pic.png").write_bytes(b"\x89PNG" + bytes(3000))
    (top / "plain.txt").write_text("x" * 5000)
    (top / ".secret").write_text("no")
    (top / "sub").mkdir()
    (top / "sub" / "index.html").write_text("sub")
    (top / "outside").symlink_to("/etc/passwd")
    return top


def test_static_files(new_httpd, root):
    httpd = new_httpd(root=root)
    with httpd.http1() as c, httpd.http2() as d:
        for path, body, kind in [("", b"<p>home</p>", "text/html"), ("sub/", b"sub", "text/html"), ("app.js", b"let a;" * 1000, "text/javascript"),
                                 ("pic.png", b"\x89PNG" + bytes(3000), "image/png")]:
            one, two = c.get("/static/" + path), d.get("/static/" + path)
            assert (one.status, one.body, two.status, two.body) == (200, body, 200, body)
            assert one.headers["content-type"].startswith(kind) and one.headers["cache-control"] == "no-cache"
            tag = one.headers["etag"]
            assert tag == two.headers["etag"] and tag.startswith('"')
            again = c.get("/static/" + path, headers=f'If-None-Match: "x", W/{tag}\r\n')
            assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
            assert d.get("/static/" + path, headers=[("if-none-match", tag)]).status == 304
            head = c.get("/static/" + path, method="HEAD")
            assert (head.status, head.headers["content-length"]) == (200, str(len(body)))
        for path in (".secret", "outside", "../httpd/log", "sub", "sub//", "./app.js", "app.js/", "app.js.gz", "%2e%2e/", "..%2f", "sub/../app.js"):
            assert c.get("/static/" + path).status == 404, path


def test_ready_made_forms_have_their_own_etag(new_httpd, root):
    httpd = new_httpd(root=root)
    with httpd.http1() as c:
        plain, packed = c.get("/static/app.js"), c.get("/static/app.js", headers="Accept-Encoding: br, gzip;q=0.5\r\n")
        assert packed.headers["content-encoding"] == "gzip" and gzip.decompress(packed.body) == plain.body
        assert packed.headers["etag"] != plain.headers["etag"]
        assert packed.headers["vary"] == plain.headers["vary"] == "accept-encoding"
        assert c.get("/static/app.js", headers=f"Accept-Encoding: gzip\r\nIf-None-Match: {packed.headers['etag']}\r\n").status == 304
        assert c.get("/static/app.js", headers=f"If-None-Match: {packed.headers['etag']}\r\n").status == 200


def zstd_unpack(data):
    return subprocess.run(["zstd", "-dc"], input=data, capture_output=True, check=True).stdout


@pytest.mark.parametrize("size", [2000, 100000, 1000000])     # the last one is compressed on the work pool
def test_large_bodies_are_compressed_for_who_takes_it(httpd, size):
    with httpd.http1() as c:
        plain = c.get(f"/json?{size}")
        assert "content-encoding" not in plain.headers and plain.headers["vary"] == "accept-encoding"
        packed = c.get(f"/json?{size}", headers="Accept-Encoding: gzip\r\n")
        assert packed.headers["content-encoding"] == "gzip" and len(packed.body) < size * 3 // 4
        assert gzip.decompress(packed.body) == plain.body
        packed = c.get(f"/json?{size}", headers="Accept-Encoding: gzip, zstd\r\n")
        assert packed.headers["content-encoding"] == "zstd"
        assert zstd_unpack(packed.body) == plain.body
        head = c.get(f"/json?{size}", method="HEAD", headers="Accept-Encoding: gzip\r\n")
        assert head.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in c.get("/json?500", headers="Accept-Encoding: gzip\r\n").headers


def test_files_are_sent_whole(httpd, tmp_path):
    payload = random.Random(1).randbytes(3000001)
    (tmp_path / "file").write_bytes(payload)
    (tmp_path / "empty").write_bytes(b"")
    with httpd.http1() as c, httpd.http2() as d:
        assert c.get(f"/file?{tmp_path}/file").body == payload
        assert d.get(f"/file?{tmp_path}/file").body == payload
        assert c.get(f"/file?{tmp_path}/empty").body == b""
        assert d.get(f"/file?{tmp_path}/empty").body == b""
        assert c.get(f"/file?{tmp_path}/file", method="HEAD").headers["content-length"] == "3000001"
        assert c.get(f"/file?{tmp_path}/none").status == 404


# ---- size and number ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("version", [1, 2])
def test_huge_uploads_pass_through_little_memory(httpd, version):
    step, steps = random.Random(2).randbytes(1 << 20), 300
    digest = hashlib.sha256()
    for _ in range(steps):
        digest.update(step)
    before = httpd.rss_kb()
    with (httpd.http1() if version == 1 else httpd.http2()) as c:
        if version == 1:
            c.send(f"POST /hash HTTP/1.1\r\n{HOST}Content-Length: {steps << 20}\r\n\r\n")
            for _ in range(steps):
                c.send(step)
            body = c.reply().body
        else:
            c.ready()
            s = c.request("/hash", method="POST", end=False)
            for i in range(steps):
                c.data(s, step, end=i == steps - 1)
            body = c.wait(s).body
    assert body.decode() == f"{digest.hexdigest()} {steps << 20}\n"
    assert httpd.rss_kb() - before < (60000 if httpd.is_sanitized() else 8000)


def test_a_slow_handler_slows_the_upload_down(httpd):
    """Nobody reads the body: the client gets rid of what the kernel and one window hold, not more."""
    with httpd.http1() as c:
        c.send(f"POST /hold HTTP/1.1\r\n{HOST}Content-Length: 1000000000\r\n\r\n")
        before = httpd.rss_kb()
        c.sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            while True:
                c.sock.sendall(bytes(1 << 20))
        assert httpd.rss_kb() - before < 10000
        c.abort()       # a FIN would wait in the client's kernel behind what we do not read
    httpd.wait_stat(lambda s: s["cancelled"] == 1, "the upload is given up")


def raise_open_files():
    import resource
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))


@pytest.mark.parametrize("version, goal_kb", [(1, 2), (2, 16)])
def test_a_thousand_idle_connections_cost_little(new_httpd, version, goal_kb):
    raise_open_files()
    httpd = new_httpd(connections_per_client=2000)
    httpd.stats()
    before = httpd.rss_kb()
    conns = [httpd.http1() if version == 1 else httpd.http2() for _ in range(1000)]
    for c in conns:
        assert (c.get("/hello")).status == 200
    assert httpd.stats()["idle"] == 1000
    each = (httpd.rss_kb() - before) / 1000
    print(f"{each:.1f} KB each")
    if not httpd.is_sanitized():
        assert each < goal_kb * 1.5
    ticks = httpd.cpu_ticks()
    turns = httpd.stats()["turns"]
    time.sleep(1)
    assert httpd.stats()["turns"] - turns < 50      # idle means idle
    assert httpd.cpu_ticks() - ticks < 50
    for c in conns:
        assert c.get("/hello").status == 200
        c.close()
    httpd.wait_stat(lambda s: s["connections"] == 1, "all are gone")


def hammer(httpd, stop, seed):
    """A client that asks, uploads, streams, resets and vanishes at random."""
    rnd = random.Random(seed)
    while not stop.is_set():
        try:
            if rnd.random() < 0.5:
                hammer_http1(httpd.http1(), rnd)
            else:
                hammer_http2(httpd.http2(), rnd)
        except (Closed, ConnectionError, TimeoutError):
            pass


def hammer_http1(c, rnd):
    for _ in range(rnd.randrange(1, 10)):
        path = rnd.choice(["/hello", "/sleep?3", "/json?5000", "/zeros?300000", "/hold", "/echo", "/half", "/sse?3"])
        body = rnd.randbytes(rnd.randrange(50000)) if path == "/echo" else b""
        c.send(f"POST {path} HTTP/1.1\r\n{HOST}Content-Length: {len(body)}\r\n\r\n".encode() + body[:rnd.randrange(len(body) + 1) if rnd.random() < 0.2 else None])
        if rnd.random() < 0.2 or path in ("/hold", "/half"):
            break
        c.sock.settimeout(0.5)
        c.reply()
    (c.abort if rnd.random() < 0.5 else c.close)()


def hammer_http2(c, rnd):
    streams = []
    for _ in range(rnd.randrange(1, 30)):
        path = rnd.choice(["/hello", "/sleep?3", "/json?5000", "/zeros?300000", "/hold", "/half", "/sse?3", "/after"])
        streams.append(c.request(path))
        if rnd.random() < 0.1:
            c.send_frame(3, 0, rnd.choice(streams), b"\0\0\0\x08")
    c.sock.settimeout(0.1)
    try:
        for _ in range(rnd.randrange(60)):
            c.step()
    except TimeoutError:
        pass
    (c.abort if rnd.random() < 0.5 else c.close)()


def test_clients_killed_in_mid_load_leave_nothing_behind(httpd):
    stop = threading.Event()
    crowd = [threading.Thread(target=hammer, args=(httpd, stop, seed)) for seed in range(6)]
    for t in crowd:
        t.start()
    end = time.monotonic() + float(os.environ.get("OCP_HAMMER_SECONDS", "4"))
    with httpd.http1() as c:
        while time.monotonic() < end:
            assert c.get("/hello").body == b"hello\n"
    stop.set()
    for t in crowd:
        t.join()
    httpd.wait_stat(lambda s: s["connections"] == 1 and s["in_flight"] == 1 and s["fibers"] == 1, "nothing is left")
    stats = httpd.stats()
    assert stats["served"] > 100 and stats["finished"] >= stats["served"] - 1


# ---- other people's clients ------------------------------------------------------------------------------------------

def test_curl_agrees(httpd, tmp_path):
    base = f"http://127.0.0.1:{httpd.ports[0]}"
    (tmp_path / "up").write_bytes(random.Random(3).randbytes(2000000))
    digest = hashlib.sha256((tmp_path / "up").read_bytes()).hexdigest()
    for protocol in ("--http1.1", "--http2-prior-knowledge", "--http2", "--http1.0"):
        def curl(*args):
            return subprocess.run(["curl", "-sS", "--fail", "--noproxy", "*", "--max-time", "20", protocol, *args], capture_output=True, check=True).stdout
        assert curl(base + "/hello") == b"hello\n"
        assert curl("--data-binary", f"@{tmp_path}/up", base + "/hash").decode().split()[0] == digest
        assert len(curl("--compressed", base + "/json?300000")) >= 300000
        assert curl(base + "/sse?2") == b"data: 0\n\ndata: 1\n\n"
        if protocol != "--http1.0":
            assert curl("-T", f"{tmp_path}/up", "-H", "Transfer-Encoding: chunked" if "1.1" in protocol else "X: y", base + "/hash").decode().split()[0] == digest


def test_h2load_agrees(httpd):
    for options in (["-c10", "-m10"], ["-c4", "-m1"], ["--h1", "-c10", "-m4"]):
        done = subprocess.run(["h2load", "-n2000", *options, f"http://127.0.0.1:{httpd.ports[0]}/json?1200"], capture_output=True, text=True, timeout=60,
                              check=True)
        assert "2000 succeeded, 0 failed, 0 errored, 0 timeout" in done.stdout


def test_half_closed_clients_get_what_is_ready(httpd):
    with httpd.http1() as c:
        c.send(f"GET /hello HTTP/1.1\r\n{HOST}\r\nGET /json?200000 HTTP/1.1\r\n{HOST}\r\n")
        c.sock.shutdown(socket.SHUT_WR)
        assert c.reply().body == b"hello\n"
        assert len(c.reply().body) >= 200000
        assert c.wait_closed() == b""
