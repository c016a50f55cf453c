# SPDX-License-Identifier: Apache-2.0
"""Whole stories in spite of everything: bare hosts are added, a cluster of three zones is created, stopped, started, grows, has a server replaced
and removed, is deleted, and the hosts are bare again, while leaders, workers, agents and databases are killed and paused at random.

What is true of the sweep (sweep.py) is to be true of each story: it ends as it does without faults, and every effect is seen as often.
"""
import contextlib
import fcntl
import random
import threading
import time

import pymysql

from .plant import HOSTS, TASKS
from .sweep import DONE, FAILED, RETRIES, Part, Sweep, story

SECONDS, AT_ONCE = 400, 2
NAMES = ("create_cluster", "stop_cluster", "start_cluster", "add_servers", "delete_servers", "replace_server", "delete_cluster")


def whole_story():
    """Parts in their order; those of clusters are the sweep's."""
    by_name = {part.name: part for part in story()}
    by_name["start_cluster"].check = by_name["create_cluster"].check     # nothing was replaced yet

    def bare(p):
        for machine in p.machines:
            assert not machine.processes("ocp_agent") and not machine.home("admin/ocp_agent").exists(), f"{machine.name} is not bare"

    def add(p):
        added = p.add_hosts(p.machines)
        p.hosts[:] = added["hostIds"]
        return added

    return [*(by_name[name] for name in NAMES),
            Part("delete-hosts", lambda p: p.call("POST", f"{HOSTS}/batchDelete", {"hostIdList": list(p.hosts)}), bare), Part("add-hosts", add)]


class Trouble:
    """Faults that begin and end at random. Main thread only."""

    def __init__(self, plant, rng, say):
        self.plant, self.rng, self.say = plant, rng, say
        self.undo, self.next, self.count = [], 0.0, 0
        self._calm, self._calmed = False, threading.Event()
        self.kinds = {"worker": self._node, "leader": self._leader, "agent": self._agent, "metadb": self._metadb, "observer": self._observer}

    def calm(self, on=True):
        """From another thread: everything that was done is undone, and nothing new begins, until calm(False)."""
        self._calmed.clear()
        self._calm = on
        if on:
            self._calmed.wait()

    def go_on(self):
        """What is due begins or ends."""
        now = time.monotonic()
        if self._calm:
            self.heal()
            self._calmed.set()
            return
        for due in [u for u in self.undo if u[0] <= now]:
            self.undo.remove(due)
            due[1]()
        if now < self.next or len(self.undo) >= AT_ONCE:
            return
        self.next = now + self.rng.uniform(0.1, 3)
        kind, kills = self.rng.choice(list(self.kinds)), self.rng.random() < 0.5
        with contextlib.suppress(pymysql.MySQLError, RuntimeError, ProcessLookupError, FileNotFoundError):
            if self.kinds[kind](kills):
                self.count += 1
                self.say({"fault": f"{kind} {'killed' if kills else 'paused'}"})

    def heal(self):
        for _, undo in self.undo:
            undo()
        self.undo = []

    def _later(self, longest, undo):
        self.undo.append((time.monotonic() + self.rng.uniform(0.1, longest), undo))
        return True

    def _is_hit(self, what):
        return any(getattr(undo, "node", None) is what for _, undo in self.undo)

    def _hit(self, node, kills):
        if not node.is_alive() or self._is_hit(node):
            return False
        (node.kill if kills else node.pause)()

        def undo():
            (node.launch if kills else node.resume)()
        undo.node = node
        return self._later(2 if kills else 14, undo)

    def _node(self, kills):
        return self._hit(self.rng.choice(self.plant.nodes), kills)

    def _leader(self, kills):
        if self._is_hit(self.plant.metadb):
            return False
        [row] = self.plant.sql("SELECT n.name FROM leader_epoch e JOIN node n ON n.id = e.node_id")
        return self._hit(self.plant.nodes[int(row["name"].removeprefix("node")) - 1], kills)

    def _agent(self, kills):
        machine = self.rng.choice(self.plant.machines)
        found = machine.processes("bin/pos_proxy")
        if not found:
            return False
        machine.run("kill", "-KILL" if kills else "-STOP", found[0][0])
        if kills:
            return True

        def undo():
            with contextlib.suppress(RuntimeError):
                machine.run("kill", "-CONT", found[0][0])
        return self._later(4, undo)

    def _metadb(self, kills):
        db = self.plant.metadb
        if not db.is_alive() or self._is_hit(db):
            return False
        (db.kill if kills else db.pause)()

        def undo():
            (db.start if kills else db.resume)()
        undo.node = db
        return self._later(3, undo)

    def _observer(self, _):
        """Paused only: what is to start it again is a person, whose starts would be counted. Never while it holds the lock of all."""
        folders = [f for f in self.plant.state.glob("*-*") if (f / "journal.jsonl").exists()] if self.plant.state.exists() else []
        machine = self.rng.choice(self.plant.machines)
        found = machine.processes("bin/observer")
        if not found or not folders:
            return False
        with contextlib.ExitStack() as stack:
            for folder in folders:
                fcntl.flock(stack.enter_context(open(folder / "journal.jsonl", "rb")), fcntl.LOCK_EX)
            machine.run("kill", "-STOP", found[0][0])

        def undo():
            with contextlib.suppress(RuntimeError):
                machine.run("kill", "-CONT", found[0][0])
        return self._later(3, undo)


class Stories(Sweep):
    """The first telling is without faults; later ones with those of `self.trouble`. What is told is told in a thread, because the main thread makes the
    faults: it starts processes, and never waits for what it has stopped itself."""

    trouble = None

    def __init__(self, plant, say):
        super().__init__(plant, say)
        for proxy in plant.proxies:
            proxy.watch = None

    def _plan(self):
        self.pending = {}

    def tell_with(self, parts, seed):
        """The story once, with the faults of this seed; how many there were."""
        self.trouble = Trouble(self.plant, random.Random(seed), self.say)
        teller = threading.Thread(target=self._tell_in_thread, args=(parts,), daemon=True)
        teller.start()
        try:
            while teller.is_alive():
                self.trouble.go_on()
                time.sleep(0.02)
        finally:
            self.trouble.heal()
        count, self.trouble = self.trouble.count, None
        return count

    def _tell_in_thread(self, parts):
        try:
            self.tell(parts)
        except (TimeoutError, AssertionError, pymysql.MySQLError, OSError) as e:
            self.violations.append(repr(e))

    def ready(self):
        if self.trouble is None:
            super().ready()
        self._drain()

    def _tasks(self, part):
        """MetaDB may be away."""
        while True:
            try:
                return super()._tasks(part)
            except (pymysql.MySQLError, OSError):
                time.sleep(0.1)

    def _pursue(self, part, task, hit):
        if self.trouble is None:
            return super()._pursue(part, task, hit)
        retries, before = self._through(task), self.trouble.count
        self.trouble.calm()
        super().ready()
        hit.append(f"{before} faults so far")
        return retries

    def _tell_part(self, part):
        super()._tell_part(part)
        if self.trouble is not None:
            self.trouble.calm(False)

    def _through(self, task):
        end, retries = time.monotonic() + SECONDS, 0
        while time.monotonic() < end:
            try:
                status = self.plant.task(task)["status"]
            except (pymysql.MySQLError, OSError):
                continue                     # MetaDB is away
            if status == DONE:
                return retries
            if status == FAILED:
                if retries == 2 * RETRIES:
                    return None
                retries += 1
                self.plant.call("POST", f"{TASKS}/{task}/retry", refusal=409)
            time.sleep(0.05)
        return None
