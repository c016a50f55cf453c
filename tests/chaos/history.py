# SPDX-License-Identifier: Apache-2.0
"""What happened during a run, as clients and the observer saw it, and what MetaDB and the target say afterwards: the evidence that
checker.py judges. Times of the driver are seconds of one monotonic clock; `wall` is added where MetaDB's clock is compared."""
import dataclasses
import json
import threading
import time

OK, REFUSED, UNKNOWN = "ok", "refused", "unknown"       # how a call ended for its client: REFUSED did nothing, as far as this request goes


@dataclasses.dataclass
class Try:
    """One request on one connection."""
    endpoint: str
    begin: float
    end: float
    status: int                    # 0: no answer
    detail: str = ""
    own: bool = True               # what answered is the product (its JSON), no page of a load balancer


@dataclasses.dataclass
class Call:
    """What a client wanted, with all its tries."""
    client: str
    op: str                        # "read", "create", "task", "change"
    name: str                      # of the object that a submission makes; "" for reads
    key: str                       # Idempotency-Key
    begin: float
    end: float
    outcome: str
    tries: list
    answer: object = None          # what it was told: an id, say

    @property
    def retried(self):
        return len(self.tries) > 1


@dataclasses.dataclass
class Look:
    """The observer asked a node whether it leads."""
    node: int
    begin: float
    end: float
    leads: bool
    wall: float                    # when the answer was there, by the wall clock of this machine (which is MetaDB's)


@dataclasses.dataclass
class Span:
    """A fault, or a planned restart, while it lasted and until the cluster had settled."""
    name: str
    begin: float
    end: float
    changes: int = None            # how many changes of leadership it may cause; None: any number
    planned: bool = False          # nobody may notice
    begin_wall: float = 0.0
    end_wall: float = 0.0


@dataclasses.dataclass
class Leadership:
    """A row of MetaDB's history of leaderships."""
    epoch: int
    generation: int
    term: int
    node: int
    claimed: float                 # wall clock


@dataclasses.dataclass
class Commit:
    """A transaction as MetaDB committed it, in the order of its binary log."""
    number: int
    claims: int = 0                # the epoch that it claims; 0: it does not
    fences: tuple = ()             # epochs of the fence rows that it wrote, without claiming
    tables: frozenset = frozenset()
    leases: tuple = ()             # (shard, view, node) of the leases of standing work that it wrote


@dataclasses.dataclass
class Task:
    id: int
    status: str
    final: bool
    dispatches: tuple = ()         # (step, dispatch, outcomes recorded)


@dataclasses.dataclass
class Evidence:
    calls: list = dataclasses.field(default_factory=list)
    looks: list = dataclasses.field(default_factory=list)
    spans: list = dataclasses.field(default_factory=list)
    leaderships: list = dataclasses.field(default_factory=list)
    commits: list = dataclasses.field(default_factory=list)
    rows: dict = dataclasses.field(default_factory=dict)      # name of an object: how many there are
    tasks: dict = dataclasses.field(default_factory=dict)     # id: Task
    effects: dict = dataclasses.field(default_factory=dict)   # name of a change: how often the target did it
    fence: list = dataclasses.field(default_factory=list)     # epochs of the fence rows at the end
    settled: float = None          # seconds from the end of the last fault to one ACTIVE leader
    election: float = 1.0          # seconds
    ids: dict = dataclasses.field(default_factory=dict)       # name: ids that MetaDB has
    stopped_by_fence: int = 0      # how often a node found at the fence that another one leads, by its log


class History:
    """Filled by any thread."""

    def __init__(self):
        self._lock = threading.Lock()
        self.calls, self.looks, self.spans = [], [], []

    def call(self, call):
        with self._lock:
            self.calls.append(call)

    def look(self, look):
        with self._lock:
            self.looks.append(look)

    def begin(self, name, **more):
        span = Span(name, time.monotonic(), 0.0, begin_wall=time.time(), **more)
        with self._lock:
            self.spans.append(span)
        return span

    @staticmethod
    def end(span):
        span.end, span.end_wall = time.monotonic(), time.time()

    def write(self, path):
        """One JSON line for each entry, by time."""
        entries = [(e.begin, type(e).__name__, e) for e in [*self.calls, *self.looks, *self.spans]]
        with open(path, "w", encoding="utf-8") as f:
            for _, kind, entry in sorted(entries, key=lambda x: x[0]):
                f.write(json.dumps({"kind": kind, **dataclasses.asdict(entry)}) + "\n")


def longest_gap(calls, begin, end):
    """The longest time between two calls that succeeded, in [begin, end]."""
    times = sorted([begin, end, *(c.end for c in calls if c.outcome == OK and begin <= c.end <= end)])
    return max(b - a for a, b in zip(times, times[1:]))
