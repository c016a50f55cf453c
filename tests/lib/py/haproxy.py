# SPDX-License-Identifier: Apache-2.0
"""A running HAProxy with a configuration of packaging/haproxy, its placeholders filled in."""
import csv
import io
import socket

from .process import Child, Port, new_dir, unprivileged, wait_until

GLOBAL = """global
    stats socket {directory}/admin.sock mode 600 level admin
    log stdout format raw local0
"""


class HAProxy:
    """`sections` is what follows `global`, a text with {name} for each of `values` and for `port`, the port that it listens on."""

    host = "127.0.0.1"

    def __init__(self, sections, values=None, name="haproxy"):
        self.account = unprivileged()
        self.directory = new_dir(name, self.account, 0o711)
        self._reserved = Port()
        self.config = self.directory / "haproxy.cfg"
        text = sections
        for key, value in {"port": self.port, **(values or {})}.items():
            text = text.replace(f"{{{key}}}", str(value))
        self.config.write_text(GLOBAL.format(directory=self.directory) + text)
        self.config.chmod(0o644)
        self.process = Child(["haproxy", "-W", "-db", "-f", self.config], self.directory / "log", name="haproxy", cwd=self.directory, account=self.account)
        wait_until(self._answers, "HAProxy answers", alive=self.process.check_alive)

    @property
    def port(self):
        return int(self._reserved)

    def _answers(self):
        try:
            return self.command("show info")
        except OSError:
            return None

    def command(self, text):
        """What the administration socket answers."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.directory / "admin.sock"))
            s.sendall(text.encode() + b"\n")
            s.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: s.recv(65536), b"")).decode()

    def servers(self):
        """Rows of the statistics, by the server's name."""
        rows = csv.DictReader(io.StringIO(self.command("show stat").lstrip("# ")))
        return {r["svname"]: r for r in rows if r["svname"] not in ("FRONTEND", "BACKEND")}

    def is_up(self, server):
        return self.servers()[server]["status"].startswith("UP")

    def wait_status(self, server, up):
        wait_until(lambda: self.is_up(server) == up, f"HAProxy sees {server} {'up' if up else 'down'}", alive=self.process.check_alive)

    def log(self):
        return self.process.output()

    def close(self):
        self.process.kill()
        self._reserved.release()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
