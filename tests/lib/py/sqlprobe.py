# SPDX-License-Identifier: Apache-2.0
"""The SQL client of ocp-server on a loop of its own (tests/e2e/sqlprobe.c), one command at a time or several side by side."""
import dataclasses
import json
import queue
import subprocess
import threading

from .build import built_program
from .process import TIMEOUT

MARIADB, MYSQL, OCEANBASE, SEEKDB = range(4)


@dataclasses.dataclass
class Reply:
    """How one command ended; see sqlprobe.c for the members."""
    id: str
    error: str
    number: int
    text: str
    ms: int
    beats: int
    longest_us: int
    longest_cpu_us: int
    dead: bool = False
    rows: list = dataclasses.field(default_factory=list)
    n_rows: int = 0
    affected: int = 0
    engine: int = -1
    version: str = ""
    comment: str = ""
    connection: int = 0


class SqlProbe:
    """tls: None, "tls" (unverified), or the authority's file. `record` gets each Reply."""

    def __init__(self, host, port, user, password, tls=None, record=None):
        words = [built_program("tests/e2e/sqlprobe"), host, str(port), user, password] + ([str(tls)] if tls else [])
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._record = record
        self._replies = {}
        self._new = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._number = 0

    def _read(self):
        for line in self._process.stdout:
            reply = Reply(**json.loads(line))
            with self._new:
                self._replies[reply.id] = reply
                self._new.notify_all()
        with self._new:
            self._replies[None] = None
            self._new.notify_all()

    def start(self, verb, *words):
        """Sends a command and returns its id for wait()."""
        self._number += 1
        number = str(self._number)
        self._process.stdin.write("\t".join([verb, number, *map(str, words)]) + "\n")
        self._process.stdin.flush()
        return number

    def wait(self, number, timeout=None):
        with self._new:
            if not self._new.wait_for(lambda: number in self._replies or None in self._replies, timeout or TIMEOUT):
                raise TimeoutError(f"sqlprobe: command {number} does not end")
            if number not in self._replies:
                raise RuntimeError(f"sqlprobe ended with status {self._process.wait()}")
            reply = self._replies.pop(number)
        if self._record is not None:
            self._record(reply)
        return reply

    def is_running(self, number):
        with self._new:
            return number not in self._replies

    def connect(self, session=0, timeout_ms=10000):
        return self.wait(self.start("connect", session, timeout_ms))

    def start_run(self, statement, session=0, deadline_ms=30000, flags="-", n_bytes=0):
        return self.start("run", session, deadline_ms, flags, n_bytes, statement)

    def run(self, statement, **options):
        return self.wait(self.start_run(statement, **options))

    def cancel(self, number):
        return self.wait(self.start("cancel", number))

    def close_session(self, session=0):
        return self.wait(self.start("close", session))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """It must end by itself, and cleanly: sanitizers speak through its status."""
        self._process.stdin.close()
        try:
            status = self._process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        self._reader.join(TIMEOUT)
        assert status == 0, f"sqlprobe ended with status {status}"
