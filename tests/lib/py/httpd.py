# SPDX-License-Identifier: Apache-2.0
"""The service tests/e2e/http/httpd.c, in its own process for one test."""
import os
import pathlib
import socket
import ssl

from .build import built_program
from .httpwire import Http1, Http2
from .process import Child, new_dir, wait_until


class Httpd:
    """Httpd(idle_ms=300, listen=["127.0.0.1", "::1"]): any argument of httpd.c; `before` are (name, value) pairs in front."""

    def __init__(self, listen=("127.0.0.1",), before=(), **arguments):
        argv = [f"{k}={v}" for k, v in [*before, *arguments.items()]] + [f"listen={a}" for a in listen]
        self.addresses = [v for k, v in before if k == "listen"] + list(listen)
        env = {"ASAN_OPTIONS": "quarantine_size_mb=8", **os.environ}     # memory is measured here
        self.child = Child([built_program("tests/e2e/http/httpd"), *argv], new_dir("httpd") / "log", name="httpd", env=env)
        self.drained = None
        wait_until(lambda: len(self.ports) == len(self.addresses), "httpd listens", alive=self.child.check_alive)

    @property
    def ports(self):
        return [int(line.split()[1]) for line in self.child.output().splitlines() if line.startswith("port ")]

    def __enter__(self):
        return self

    def __exit__(self, kind, *exc):
        if kind is None:
            self.end()
        else:
            self.child.kill()

    def end(self):
        """Drains; a crash, a report of a sanitizer, or a leak fails the test."""
        if self.child.is_alive():
            self.child.terminate()
        assert self.child.returncode == 0, f"httpd ended with {self.child.returncode}:\n{self.child.output()[-6000:]}"

    def socket(self, index=0, source=None, receive_buffer=None):
        family = socket.AF_INET6 if ":" in self.addresses[index] else socket.AF_INET
        s = socket.socket(family)
        if receive_buffer is not None:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source is not None:
            s.bind((source, 0))
        s.settimeout(20)
        s.connect((self.addresses[index], self.ports[index]))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def http1(self, index=0, **more):
        return Http1(self.socket(index, **more))

    def http2(self, index=0, source=None, receive_buffer=None, **more):
        return Http2(self.socket(index, source=source, receive_buffer=receive_buffer), **more)

    def tls(self, ca, alpn, index=0, version=None):
        context = ssl.create_default_context(cafile=ca)
        context.set_alpn_protocols(alpn)
        if version is not None:
            context.maximum_version = context.minimum_version = version
        return context.wrap_socket(self.socket(index), server_hostname="localhost")

    def stats(self):
        with self.http1() as c:
            lines = c.get("/stats").body.decode().split()
        return {k: int(v) for k, v in (line.split("=") for line in lines)}

    def wait_stat(self, condition, what):
        return wait_until(lambda: condition(self.stats()), what, alive=self.child.check_alive)

    def rss_kb(self):
        for line in pathlib.Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise RuntimeError("no VmRSS")

    def cpu_ticks(self):
        stat = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return int(stat[11]) + int(stat[12])

    def is_sanitized(self):
        binary = built_program("tests/e2e/http/httpd").read_bytes()
        return b"__asan_init" in binary or b"__tsan_init" in binary
