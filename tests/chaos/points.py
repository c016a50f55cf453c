# SPDX-License-Identifier: Apache-2.0
"""Stops steps of tasks at named points, by the statements that nodes send to MetaDB and by the journals of agents (crashpoints.c).

A `Fault` says who is hit, and where. `Points` looks at every statement of every node; when a step is dispatched for which there is a fault, it
becomes a `Strike`, which goes on from statement to statement until its point is met and something is held there. What is then done to
whom is the test's business (sweep.py).

    layer    before-intent                    after-intent                after-effect                    after-record
    engine   the leader's dispatch is on its  the dispatch is committed,  the outcome is on its way       the outcome is committed, the
             way (worker: the same)           nothing was begun                                           answer not heard
    session  a session to the managed         the session is in MetaDB,   the statements were executed    the session's end is committed
             cluster is not in MetaDB yet     no statement was sent
    agent    the agent has heard of the       its intent is on the        what was to be done is done     its result is on the disk, and
             command                          host's disk                                                 not answered
"""
import collections
import dataclasses
import queue
import re
import threading

import pymysql

from lib.py.mysqlwire import COM_STMT_PREPARE
from lib.py.proxy import Hold

POINTS = ("before-intent", "after-intent", "after-effect", "after-record")


def _shape(text):
    """A statement in which each ? is a parameter or a literal."""
    value = rb"(\?|-?\d+|'[^']*')"
    return re.compile(b".*?".join(value.join(map(re.escape, part.split(b"?"))) for part in text.split(b"...")), re.DOTALL)


SHAPES = {
    "dispatch": _shape(b"UPDATE subtask SET dispatch = dispatch + 1, status = ?, worker_id = ?, incarnation = ?, worker = ?, epoch = ?,... WHERE id = ? AND "
                       b"dispatch = ?"),
    "report": _shape(b"SELECT ... FROM task WHERE id = ? FOR UPDATE"),
    "read": _shape(b"SELECT ... FROM task WHERE id = ?"),
    "guard": _shape(b"UPDATE subtask SET not_before = not_before + INTERVAL 1 MICROSECOND WHERE id = ? AND dispatch = ?"),
    "opens": _shape(b"INSERT INTO task_session (subtask_id,...) VALUES (?,"),
    "closes": _shape(b"DELETE FROM task_session WHERE subtask_id = ?"),
    "commit": _shape(b"COMMIT"),
}
FIRST = (b"SELECT", b"UPDATE subtask", b"INSERT INTO task_s", b"DELETE FROM task_s", b"COMMIT")


def understood(command):
    """(name of its shape, its values), or None."""
    if command.code == COM_STMT_PREPARE or not command.text.startswith(FIRST):
        return None
    for name, shape in SHAPES.items():
        found = shape.match(command.text)
        if found and (name != "read" or found.end() == len(command.text)):
            given = iter(command.values)
            return name, [next(given, None) if v == b"?" else int(v) if v.lstrip(b"-").isdigit() else v for v in found.groups()]
    return None


@dataclasses.dataclass(frozen=True)
class Fault:
    """who: leader, worker, agent; how: kill, pause."""
    layer: str
    point: str
    who: str
    how: str = "kill"

    def __str__(self):
        return f"{self.who}-{'killed' if self.how == 'kill' else 'paused'}:{self.point}"


def faults_of(layers):
    """All of a step that has these layers: the worker is hit at the innermost."""
    inner = next((layer for layer in ("agent", "session") if layer in layers), "engine")
    found = [Fault("engine", p, "leader") for p in POINTS]
    found += [Fault(inner, p, "worker", how) for how in ("kill", "pause") for p in POINTS]
    return found + ([Fault("agent", p, "agent") for p in POINTS] if inner == "agent" else [])


@dataclasses.dataclass(eq=False)
class Strike:
    """A fault on its way. `stage`: what was seen last; `hold`: what stands still; leader, worker: numbers of nodes."""
    fault: Fault
    flow: str
    name: str
    subtask: int
    task: int
    dispatch: int
    leader: int
    worker: int
    stage: str = "dispatching"
    hold: Hold = None
    connection: object = None            # on which the next COMMIT is the one

    def __str__(self):
        return f"{self.flow}/{self.name} {self.fault} (step {self.subtask}, dispatch {self.dispatch}, node {self.worker}, leader node {self.leader})"


class Points:
    """`wish(flow, step)` gives the fault of a step that is dispatched now, or None; `arm(strike)` prepares agents. Strikes that hold something, or
    that an agent is to meet, come out of `met`. One at a time. `layers`: {(flow, step): {"session", ...}} as seen so far."""

    def __init__(self, database, wish, arm):
        self.wish, self.arm, self.met = wish, arm, queue.Queue()
        self.layers, self.seen, self.current, self.failures = collections.defaultdict(set), {}, None, []
        self._lock, self._nodes, self._steps = threading.RLock(), {}, {}
        self._db = pymysql.connect(host=database.host, port=database.port, user=database.user, password=database.password, database=database.name,
                                   autocommit=True)

    def sql(self, statement, *values):
        with self._lock, self._db.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()

    def step(self, subtask):
        """(flow, name, task) of a step."""
        if subtask not in self._steps:
            [self._steps[subtask]] = self.sql("SELECT t.flow, s.name, s.task_id FROM subtask s JOIN task t ON t.id = s.task_id WHERE s.id = %s", subtask)
        return self._steps[subtask]

    def node(self, id):
        """Its number, from 1."""
        if id not in self._nodes:
            [(name,)] = self.sql("SELECT name FROM node WHERE id = %s", id)
            self._nodes[id] = int(name.removeprefix("node"))
        return self._nodes[id]

    def watch(self, number):
        """What the proxy of node `number` calls."""
        def look(connection, command):
            try:
                return self._look(number, connection, command)
            except Exception as e:           # pylint: disable=broad-except
                self.failures.append(f"{command.text!r} {command.values}: {e!r}")
                return None
        return look

    def over(self, strike):
        with self._lock:
            if self.current is strike:
                self.current = None

    def _look(self, number, connection, command):
        what = understood(command)
        if what is None:
            return None
        name, values = what
        with self._lock:
            if name == "dispatch":
                return self._dispatched(number, connection, values)
            if name == "opens":
                self.layers[self.step(values[0])[:2]].add("session")
            s = self.current
            return None if s is None else self._advance(s, number, connection, what)

    def _dispatched(self, number, connection, values):
        worker, subtask, dispatch = self.node(values[1]), values[5], values[6] + 1
        flow, name, task = self.step(subtask)
        self.seen.setdefault((flow, name), subtask)
        if self.current is not None:
            return None
        fault = self.wish(flow, name)
        if fault is None:
            return None
        s = self.current = Strike(fault, flow, name, subtask, task, dispatch, number, worker)
        if fault.layer == "agent":
            self.arm(s)
            self.met.put(s)
        elif fault.layer == "engine" and fault.point == "before-intent":
            return self._meet(s, "request")
        elif fault.layer == "engine" and fault.point == "after-intent" and fault.who == "leader":
            s.connection = connection
        return None

    def _meet(self, s, when):
        s.stage, s.connection, s.hold = "met", None, Hold(when)
        self.met.put(s)
        return s.hold

    def _advance(self, s, number, connection, what):
        name, values = what
        if s.stage == "met" or s.fault.layer == "agent":
            return None
        if name == "commit":
            return self._meet(s, "answer") if s.connection is connection else None
        if number != s.worker or values[0] != (s.subtask if s.fault.layer == "session" else s.task):
            return None
        return (self._session if s.fault.layer == "session" else self._engine)(s, connection, name)

    def _engine(self, s, connection, name):
        point = s.fault.point
        if (name == "read" and point == "after-intent" and s.fault.who == "worker") or (name == "report" and point == "after-effect"):
            return self._meet(s, "request")
        if name == "report" and point == "after-record":
            s.connection = connection
        return None

    def _session(self, s, connection, name):
        point = s.fault.point
        if name == "guard" and (point == "before-intent" or (point == "after-effect" and s.stage == "opened")):
            return self._meet(s, "request")
        if name == "opens":
            s.stage = "opened"
        if (name, point) in (("opens", "after-intent"), ("closes", "after-record")):
            s.connection = connection
        return None
