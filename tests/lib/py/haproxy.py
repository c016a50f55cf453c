# SPDX-License-Identifier: Apache-2.0
"""A running HAProxy with one of the configurations of packaging/haproxy, in which the addresses of the example are replaced."""
import csv
import io
import socket

from .build import CHECKOUT
from .process import Child, Port, new_dir, unprivileged, wait_until

GLOBAL = """global
    stats socket {directory}/admin.sock mode 600 level admin
    log stdout format raw local0
"""


def example(path, replaced):
    """The text of a file of packaging/ with other addresses; AssertionError when one of them is not in it."""
    text = (CHECKOUT / "packaging" / path).read_text()
    for old, new in replaced.items():
        assert old in text, f"packaging/{path} does not have {old}"
        text = text.replace(old, str(new))
    return text


class HAProxy:
    """`file` of packaging/haproxy with `replaced`; "PORT" in a replacement is the port that it listens on."""

    def __init__(self, file, replaced, name="haproxy", host="127.0.0.1"):
        self.host = host
        self.account = unprivileged()
        self.directory = new_dir(name, self.account, 0o711)
        self._reserved = Port()
        self.config = self.directory / "haproxy.cfg"
        sections = example(f"haproxy/{file}", {old: str(new).replace("PORT", str(self.port)) for old, new in replaced.items()})
        self.config.write_text(GLOBAL.format(directory=self.directory) + sections)
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

    def wait_status(self, server, status):
        """Until its state is "UP", "DOWN" or "NOLB": alive, but it wants nothing new."""
        wait_until(lambda: self.servers()[server]["status"].split()[0] == status, f"HAProxy sees {server} {status}", alive=self.process.check_alive)

    def close(self):
        self.process.kill()
        self._reserved.release()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
