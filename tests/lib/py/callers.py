# SPDX-License-Identifier: Apache-2.0
"""Clients that make regions through the API without a pause, and the books of it: what was acknowledged is there, once.

    with Callers(lambda: api) as callers:
        callers.wait_calls(50)
        ...                                       # harm something
        callers.wait_calls(50)
    callers.check(api)
"""
import dataclasses
import http.client
import itertools
import threading
import time

from .process import TIMEOUT, wait_until

REGIONS = "/api/v2/compute/regions"
BROKEN = (OSError, http.client.HTTPException)


@dataclasses.dataclass
class Call:
    name: str
    began: float
    key: str = ""
    ended: float = 0
    looked: int = 0                                            # how often the client was told to look, and has looked
    fates: list = dataclasses.field(default_factory=list)      # of each attempt: a status, the code of a refusal, or the text of an exception

    @property
    def done(self):
        return bool(self.fates) and self.fates[-1] == 200


class Callers:
    """new_api   gives each thread a client of its own
    attempts  how often one call is sent, with the same idempotency key unless a server says that it knows no more of it than that it came:
              then the client looks, and may send it once more under a new key, which may meet the same node; None: until it succeeds. For 60 s.
    """

    def __init__(self, new_api, threads=4, attempts=None, prefix="call"):
        self._new_api, self._attempts, self._prefix = new_api, attempts, prefix
        self._numbers = itertools.count(1)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]
        self.calls = []
        self.broken = []                           # what ended a thread

    def _work(self):
        try:
            api = self._new_api()
            while not self._stopping.is_set():
                name = f"{self._prefix}-{next(self._numbers)}"
                self._call(api, Call(name, time.monotonic(), f"key-{name}"))
            api.close()
        except BaseException as e:  # pylint: disable=broad-exception-caught
            self.broken.append(e)

    def _call(self, api, call):
        self.calls.append(call)
        while not call.done and time.monotonic() < call.began + 60 and (not self._attempts or len(call.fates) < self._attempts + call.looked):
            if call.fates:
                time.sleep(0.02)
            try:
                reply = api.post(REGIONS, {"name": call.name}, headers={"Idempotency-Key": call.key})
                call.fates.append(self._look(api, call, reply) if reply.status == 409 else reply.status)
            except BROKEN as e:
                call.fates.append(repr(e))
        call.ended = time.monotonic()

    def _look(self, api, call, reply):
        """The node with the first attempt died or hangs, and what became of it is not known to the others: the client looks, as it is told to."""
        call.looked += 1
        call.key += "-again"
        return 200 if call.name in self._names(api) else reply.json["error"]["code"]

    @property
    def n_done(self):
        return sum(c.done for c in self.calls)

    def wait_calls(self, n):
        """Until n more have succeeded."""
        wanted = self.n_done + n

        def alive():
            assert not self.broken, self.broken

        wait_until(lambda: self.n_done >= wanted, f"{n} more calls succeed", 2 * TIMEOUT, alive)

    @property
    def failed(self):
        """Those that did not succeed within their attempts."""
        return [c for c in self.calls if c.ended and not c.done]

    @property
    def repeated(self):
        return [c for c in self.calls if len(c.fates) > 1]

    def longest_ms(self):
        return max(1000 * (c.ended - c.began) for c in self.calls if c.ended)

    def _names(self, api):
        names = []
        for page in itertools.count(1):
            got = api.get(REGIONS, {"size": 2000, "page": page}).data
            names += [r["name"] for r in got["contents"] if r["name"].startswith(f"{self._prefix}-")]
            if page >= got["page"]["totalPages"]:
                return names

    def check(self, api):
        """Every acknowledged region is there, and none of them twice. Returns what happened, for the report."""
        names = self._names(api)
        assert not self.broken, self.broken
        assert len(names) == len(set(names)), "made twice"
        missing = {c.name for c in self.calls if c.done} - set(names)
        assert not missing, f"acknowledged and not there: {missing}"
        never = set(names) - {c.name for c in self.calls}
        assert not never, never
        return f"{self.n_done} calls, {len(self.repeated)} repeated, {sum(c.looked for c in self.calls)} looked for, {len(self.failed)} failed, longest {self.longest_ms():.0f} ms"

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        for thread in self._threads:
            thread.join(3 * TIMEOUT)
