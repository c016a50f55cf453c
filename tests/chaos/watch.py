# SPDX-License-Identifier: Apache-2.0
"""The observer: asks every node all the time whether it leads, on connections that no fault cuts."""
import http.client
import threading
import time

from .history import Look


class Watch(threading.Thread):
    """One node's part. `leads` is its last answer; None: it gives none."""

    def __init__(self, server, number, history, source, pause=0.02):
        super().__init__(daemon=True, name=f"watch-{number}")
        self.server, self.number, self.history, self.source, self.pause = server, number, history, source, pause
        self.leads, self.since = None, time.monotonic()
        self._running = True
        self._connection = None
        self.start()

    def run(self):
        while self._running:
            begin = time.monotonic()
            status = self.ask()
            end = time.monotonic()
            if status is not None:
                self.history.look(Look(self.number, begin, end, status == 200, time.time()))
            leads = None if status is None else status == 200
            if leads != self.leads:
                self.leads, self.since = leads, end
            time.sleep(self.pause)

    def ask(self):
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=1, source_address=(self.source, 0))
            self._connection.request("GET", "/leader")
            response = self._connection.getresponse()
            response.read()
            return response.status
        except (OSError, http.client.HTTPException):
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            return None

    def finish(self):
        self._running = False
        self.join()
