# SPDX-License-Identifier: Apache-2.0
"""Whole stories in spite of everything: bare hosts are added, a cluster of three zones is created, stopped, started, grows, has a server replaced
and removed, is deleted, and the hosts are bare again, while leaders, workers, agents and databases are killed and paused at random.

What is true of the sweep (sweep.py) is to be true of each story: it ends as it does without faults, and every effect is seen as often.
"""
import contextlib
import fcntl
import random
import time

import pymysql

from .plant import HOSTS, TASKS
from .sweep import DONE, FAILED, RETRIES, Part, Sweep, story

SECONDS, AT_ONCE = 400, 2
NAMES = ("create_cluster", "stop_cluster", "start_cluster", "add_servers", "delete_servers", "replace_server", "delete_cluster")


def whole_story():
    """Parts in their order; those of clusters are the sweep's."""
    by_name = {part.name: part for part in story()}

    def bare(p):
        for machine in p.machines:
            assert not machine.processes("ocp_agent") and not machine.home("admin/ocp_agent").exists(), f"{machine.name} is not bare"

    def add(p):
        added = p.add_hosts(p.machines)
        p.hosts[:] = added["hostIds"]
        return added

    return [*(by_name[name] for name in NAMES),
            Part("delete-hosts", lambda p: p.call("POST", f"{HOSTS}/batchDelete", {"hostIds": list(p.hosts)}), bare), Part("add-hosts", add)]


class Trouble:
    """Faults that begin and end at random. Main thread only."""

    def __init__(self, plant, rng, say):
        self.plant, self.rng, self.say = plant, rng, say
        self.undo, self.next, self.count = [], 0.0, 0
        self.kinds = {"worker": self._node, "leader": self._leader, "agent": self._agent, "metadb": self._metadb, "observer": self._observer}

    def go_on(self):
        """What is due begins or ends."""
        now = time.monotonic()
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

    def _hit(self, node, kills):
        if not node.is_alive() or any(getattr(u, "node", None) is node for _, u in self.undo):
            return False
        (node.kill if kills else node.pause)()

        def undo():
            (node.launch if kills else node.resume)()
        undo.node = node
        return self._later(2 if kills else 14, undo)

    def _node(self, kills):
        return self._hit(self.rng.choice(self.plant.nodes), kills)

    def _leader(self, kills):
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
        if not db.is_alive() or any(getattr(u, "node", None) is db for _, u in self.undo):
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
    """The first telling is without faults; later ones with those of `self.trouble`."""

    trouble = None

    def _plan(self):
        self.pending = {}

    def tell_with(self, parts, seed):
        """The story once, with the faults of this seed."""
        self.trouble = Trouble(self.plant, random.Random(seed), self.say)
        try:
            self.tell(parts)
        finally:
            self.trouble.heal()
        count, self.trouble = self.trouble.count, None
        return count

    def ready(self):
        if self.trouble is None:
            super().ready()

    def _pursue(self, part, task, hit):
        if self.trouble is None:
            return super()._pursue(part, task, hit)
        retries, before = self._through(task), self.trouble.count
        self.trouble.heal()
        super().ready()
        hit.append(f"{before} faults so far")
        return retries

    def _through(self, task):
        end, retries = time.monotonic() + SECONDS, 0
        while time.monotonic() < end:
            self.trouble.go_on()
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
                self.trouble.heal()          # a person looks first
                self.plant.call("POST", f"{TASKS}/{task}/retry")
            time.sleep(0.02)
        return None


