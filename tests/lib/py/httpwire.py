# SPDX-License-Identifier: Apache-2.0
"""HTTP as bytes: a client that sends exactly what a test writes, well-formed or not, and reads replies strictly."""
import collections
import socket
import struct

import hpack

TIMEOUT = 20

Reply = collections.namedtuple("Reply", "status headers body")


class Closed(Exception):
    """The server has ended the connection (`reset`: by RST) where more was expected."""

    def __init__(self, reset=False):
        super().__init__("connection reset" if reset else "connection closed")
        self.reset = reset


class Wire:
    """A connection with a read buffer. `sock` may be wrapped in TLS."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(TIMEOUT)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.sock.close()

    def abort(self):
        """Closes with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def more(self):
        """Reads once; Closed at the end."""
        try:
            got = self.sock.recv(65536)
        except ConnectionResetError:
            raise Closed(reset=True) from None
        if not got:
            raise Closed
        self.buffer += got

    def take(self, n):
        while len(self.buffer) < n:
            self.more()
        got, self.buffer = self.buffer[:n], self.buffer[n:]
        return got

    def until(self, end):
        while end not in self.buffer:
            self.more()
        got, _, self.buffer = self.buffer.partition(end)
        return got

    def wait_closed(self):
        """Waits for the end of the connection and returns what came before it."""
        try:
            while True:
                self.more()
        except Closed:
            return self.buffer


class Http1(Wire):
    def reply(self, head=False):
        """The next final reply (100 Continue is passed over only by continued())."""
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, status, _ = lines[0].split(" ", 2)
        assert version == "HTTP/1.1"
        headers = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            assert name not in headers, f"{name} twice"
            headers[name] = value
        status = int(status)
        if head or status in (204, 304) or status < 200:
            return Reply(status, headers, b"")
        return Reply(status, headers, self.body(headers))

    def body(self, headers):
        if "content-length" in headers:
            assert "transfer-encoding" not in headers
            return self.take(int(headers["content-length"]))
        if headers.get("transfer-encoding") == "chunked":
            return self.chunks()
        return self.wait_closed()

    def chunks(self):
        body = b""
        while True:
            size = int(self.until(b"\r\n"), 16)
            body += self.take(size)
            assert self.take(2) == b"\r\n"
            if size == 0:
                return body

    def get(self, path, method="GET", headers="", body=""):
        self.send(f"{method} {path} HTTP/1.1\r\nHost: t\r\n{headers}\r\n{body}")
        return self.reply(head=method == "HEAD")


DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM = 0, 1, 7, 8, 11
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

Frame = collections.namedtuple("Frame", "type flags stream payload")


class Stream:
    def __init__(self):
        self.status, self.headers, self.body = None, {}, b""
        self.ended = False
        self.reset = None       # error code of RST_STREAM
        self.informational = []


class Http2(Wire):
    """Acknowledges settings and gives windows back as data comes, unless told otherwise (`window` bytes a stream, `give_back`)."""

    def __init__(self, sock, window=None, give_back=True, preface=True):
        super().__init__(sock)
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.decoder.max_header_list_size = 1 << 20
        self.streams = collections.defaultdict(Stream)
        self.next_stream = 1
        self.goaways = []       # (last stream, error code)
        self.settings = {}      # of the server
        self.window, self.stream_windows = 65535, {}
        self.give_back = give_back
        self.pongs = 0
        if preface:
            own = [(4, window)] if window is not None else []
            self.send(PREFACE + self.frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", k, v) for k, v in own)))

    @staticmethod
    def frame(kind, flags, stream, payload=b""):
        return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload

    def send_frame(self, kind, flags, stream, payload=b""):
        self.send(self.frame(kind, flags, stream, payload))

    def header_block(self, path, method="GET", headers=(), authority="t"):
        fields = [(":method", method), (":scheme", "http"), (":path", path)]
        if authority is not None:
            fields.append((":authority", authority))
        return self.encoder.encode(fields + list(headers))

    def new_stream(self):
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        return stream

    def request(self, path, method="GET", headers=(), end=True, **more):
        """Sends a request's header; returns the stream's number."""
        return self.send_block(self.header_block(path, method, headers, **more), end)

    def raw_request(self, fields, end=True):
        return self.send_block(self.encoder.encode(fields), end)

    def send_block(self, block, end):
        stream = self.new_stream()
        pieces = [block[at:at + 16384] for at in range(0, len(block), 16384)]
        for i, piece in enumerate(pieces):
            flags = END_HEADERS if i == len(pieces) - 1 else 0
            if i == 0:
                self.send_frame(HEADERS, flags | (END_STREAM if end else 0), stream, piece)
            else:
                self.send_frame(CONTINUATION, flags, stream, piece)
        return stream

    def data(self, stream, payload, end=False):
        """Sends DATA within the server's windows, reading on while they are closed."""
        at = 0
        while True:
            room = min(self.window, self.stream_window(stream), 16384, len(payload) - at)
            if room <= 0 and at < len(payload):
                if self.streams[stream].reset is not None or self.streams[stream].ended:
                    return at
                self.step()
                continue
            last = at + room == len(payload)
            self.send_frame(DATA, END_STREAM if end and last else 0, stream, payload[at:at + room])
            self.window -= room
            self.stream_windows[stream] = self.stream_window(stream) - room
            at += room
            if last:
                return at

    def stream_window(self, stream):
        return self.stream_windows.get(stream, self.settings.get(4, 65535))

    def read_frame(self):
        head = self.take(9)
        length = int.from_bytes(head[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", head[3:])
        return Frame(kind, flags, stream & 0x7FFFFFFF, self.take(length))

    def step(self):
        """Reads one frame and notes what it says."""
        f = self.read_frame()
        s = self.streams[f.stream] if f.stream else None
        if f.type == SETTINGS and not f.flags & ACK:
            self.on_settings(f)
        elif f.type == HEADERS:
            self.on_headers(s, f)
        elif f.type == DATA:
            s.body += f.payload
            if f.payload and self.give_back:
                update = struct.pack(">I", len(f.payload))
                self.send(self.frame(WINDOW_UPDATE, 0, 0, update) + self.frame(WINDOW_UPDATE, 0, f.stream, update))
        elif f.type == RST_STREAM:
            s.reset = struct.unpack(">I", f.payload)[0]
        elif f.type == GOAWAY:
            last, code = struct.unpack(">II", f.payload[:8])
            self.goaways.append((last & 0x7FFFFFFF, code))
        elif f.type == WINDOW_UPDATE:
            self.on_window(f)
        elif f.type == PING and f.flags & ACK:
            self.pongs += 1
        if s is not None and f.type in (HEADERS, DATA) and f.flags & END_STREAM:
            s.ended = True
        return f

    def on_settings(self, f):
        before = self.settings.get(4, 65535)
        for at in range(0, len(f.payload), 6):
            k, v = struct.unpack(">HI", f.payload[at:at + 6])
            self.settings[k] = v
        for stream in self.stream_windows:
            self.stream_windows[stream] += self.settings.get(4, 65535) - before
        self.send_frame(SETTINGS, ACK, 0)

    def on_headers(self, s, f):
        block = f.payload
        while not f.flags & END_HEADERS:
            f = self.read_frame()
            assert f.type == CONTINUATION
            block += f.payload
        fields = self.decoder.decode(block)
        status = int(dict(fields)[":status"])
        if status < 200:
            s.informational.append(status)
            return
        assert s.status is None
        s.status, s.headers = status, dict(fields)

    def on_window(self, f):
        n = struct.unpack(">I", f.payload)[0]
        if f.stream == 0:
            self.window += n
        else:
            self.stream_windows[f.stream] = self.stream_window(f.stream) + n

    def wait(self, *streams):
        """Reads until these streams have ended or were reset; returns them (one: itself)."""
        while not all(self.streams[s].ended or self.streams[s].reset is not None for s in streams):
            self.step()
        got = [self.streams[s] for s in streams]
        return got[0] if len(got) == 1 else got

    def get(self, path, **more):
        return self.wait(self.request(path, **more))

    def ready(self):
        """Waits until the server's settings are known."""
        while not self.settings:
            self.step()
        return self

    def until_closed(self):
        """Reads all there is; returns the last GOAWAY's error code, None if none came."""
        try:
            while True:
                self.step()
        except (Closed, BrokenPipeError):
            return self.goaways[-1][1] if self.goaways else None
