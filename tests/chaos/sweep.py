# SPDX-License-Identifier: Apache-2.0
"""The crash-point sweep: each step of each flow, stopped at each point of points.py, by the death of the leader, of its worker, of the agent, or while
its worker is paused and goes on after the step was dispatched again.

The story is told once without faults: that tells which steps there are, what they are made of, and how often each effect is seen at its target.
Then it is told again until no fault is left; one fault a step each time. Whatever happens, each flow ends as it did the first time, the
same statements have changed the clusters equally often, each server was started equally often, folders are those that were made first,
and nothing is left locked.
"""
import collections
import dataclasses
import queue
import re
import time

from lib.py.process import wait_until

from .plant import CLUSTERS, HOSTS, TASKS, flows_of_the_product
from .points import Points, faults_of

RUNNING, DONE, FAILED = 0, 1, 2              # of a task
RETRIES, SECONDS, MEET_SECONDS = 6, 400, 120
DISPATCHED = 2                               # of a step


@dataclasses.dataclass
class Part:
    """One flow of the story. `submit(plant)` begins it; `check(plant)` says what is to be true afterwards."""
    name: str
    submit: object
    check: object = lambda plant: None
    flow: str = ""                       # its name in the product, where it is another one


def story():
    """Parts in an order in which each finds what it needs; `made` is the cluster, with its id from its creation on."""
    made = {}

    def cluster(path="", body=None, method="POST"):
        return lambda p: p.call(method, f"{CLUSTERS}/{made['id']}{path}", body)

    def create(p):
        started = p.call("POST", CLUSTERS, p.wish("swept"))
        made["id"] = started["clusterId"]
        return started

    def server(p, host):
        return next(s["id"] for s in p.call("GET", f"{CLUSTERS}/{made['id']}/servers")["contents"] if s["ip"] == p.machines[host].address)

    def at_server(path, host, body=None):
        return lambda p: p.call("POST", f"{CLUSTERS}/{made['id']}/servers/{server(p, host)}{path}", body)

    def status(wanted):
        def check(p):
            shown = p.call("GET", f"{CLUSTERS}/{made['id']}")
            assert shown["status"] == wanted, f"the cluster is {shown['status']}"
        return check

    def members(*expected):
        def check(p):
            status("RUNNING")(p)
            rows = {ip: state for ip, state in p.ob_sql("SELECT svr_ip, status FROM oceanbase.DBA_OB_SERVERS")}
            assert rows == {p.machines[i].address: "ACTIVE" for i in expected}, rows
            zones = {s for s, in p.ob_sql("SELECT status FROM oceanbase.DBA_OB_ZONES")}
            assert zones == {"ACTIVE"}, zones
        return check

    def zone(state):
        def check(p):
            assert dict(p.ob_sql("SELECT zone, status FROM oceanbase.DBA_OB_ZONES"))["zone1"] == state
        return check

    def stopped(host, yes):
        def check(p):
            rows = dict(p.ob_sql("SELECT svr_ip, stop_time IS NOT NULL FROM oceanbase.DBA_OB_SERVERS"))
            assert bool(int(rows[p.machines[host].address])) == yes, rows
        return check

    def gone(p):
        p.call("GET", f"{CLUSTERS}/{made['id']}", refusal=404)
        assert not p.folders() and not any(p.observers(m) for m in p.machines)

    def take_over(p):
        started = p.call("POST", f"{CLUSTERS}/takeOver", {"address": p.foreign.host, "port": p.foreign.port, "rootSysPassword": p.foreign.password})
        made["foreign"] = started["clusterId"]
        return started

    def without_host(p):
        assert p.call("GET", f"{HOSTS}/{p.hosts[3]}", refusal=404) is None
        assert not p.machines[3].processes("ocp_agent"), "an agent is left"
        assert not p.machines[3].home("admin/ocp_agent").exists(), "a folder of the agent is left"

    def add_host(p):
        added = p.add_hosts(p.machines[3:])
        p.hosts[3:] = added["hostIds"]
        return added

    def with_host(p):
        assert p.call("GET", f"{HOSTS}/{p.hosts[3]}")["status"] == "AVAILABLE"
        assert len(p.machines[3].processes("bin/ocp_agentd")) == 1

    def host(path):
        return lambda p: p.call("POST", f"{HOSTS}/{p.hosts[3]}/agent{path}")

    def new(p):
        return {"servers": [p.hosts[3]]}

    return [
        Part("create_cluster", create, members(0, 1, 2)),
        Part("stop_zone", cluster("/zones/zone1/stop"), zone("INACTIVE")),
        Part("start_zone", cluster("/zones/zone1/start"), zone("ACTIVE")),
        Part("stop_server", at_server("/stop", 1), stopped(1, True)),
        Part("start_server", at_server("/start", 1), stopped(1, False)),
        Part("restart_servers", at_server("/restart", 1), members(0, 1, 2)),
        Part("force_restart_servers", at_server("/restart", 1, {"force": True}), members(0, 1, 2)),
        Part("add_servers", lambda p: cluster("/servers", {"zoneName": "zone1", **new(p)})(p), members(0, 1, 2, 3)),
        Part("delete_servers", lambda p: cluster("/servers/batchDelete", {"servers": [server(p, 3)]})(p), members(0, 1, 2)),
        Part("add_zone", lambda p: cluster("/zones", {"name": "zone4", "idcName": "n1", **new(p)})(p), members(0, 1, 2, 3)),
        Part("delete_zone", cluster("/zones/zone4", None, "DELETE"), members(0, 1, 2)),
        Part("replace_server", lambda p: at_server("/replace", 2, {"hostId": p.hosts[3]})(p), members(0, 1, 3)),
        Part("restart_cluster", cluster("/restart"), members(0, 1, 3)),
        Part("force_restart_cluster", cluster("/restart", {"force": True}), members(0, 1, 3)),
        Part("stop_cluster", cluster("/stop"), status("STOPPED")),
        Part("start_cluster", cluster("/start"), members(0, 1, 3)),
        Part("delete_cluster", cluster("", None, "DELETE"), gone),
        Part("take_over_cluster", take_over),
        Part("move_out_cluster", lambda p: p.call("POST", f"{CLUSTERS}/{made['foreign']}/moveOut", {}),
             lambda p: p.call("GET", f"{CLUSTERS}/{made['foreign']}", refusal=404)),
        Part("restart-agents", host("/restart"), with_host),
        Part("upgrade-agents", host("/upgrade"), with_host),
        Part("stop-agents", host("/stop")),
        Part("reinstall-agents", host("/reinstall"), with_host, "install-agents"),
        Part("delete-hosts", lambda p: p.call("DELETE", f"{HOSTS}/{p.hosts[3]}"), without_host),
        Part("add-hosts", add_host, with_host),
    ]


@dataclasses.dataclass
class Effects:
    """What a flow has changed, as its targets have seen it."""
    statements: collections.Counter
    starts: collections.Counter
    folders: frozenset

    @staticmethod
    def of(p, statements, starts):
        return Effects(masked(p.statements() - statements), p.starts() - starts, frozenset(p.folders()))


def masked(statements):
    """The same in every telling. That memory is to be written to disk leaves nothing behind by which a second run could see it: it may be said again."""
    found = collections.Counter()
    for (_, text), n in statements.items():
        if not text.startswith("ALTER SYSTEM MINOR FREEZE"):
            found[re.sub(r"IDENTIFIED BY '[^']*'", "IDENTIFIED BY ?", text)] += n
    return found


class Sweep:
    """`wanted(flow, step, fault)`: only those. `say` prints a line. `former`: a sweep in another plant, which this one goes on with."""

    def __init__(self, plant, say, wanted=lambda flow, step, fault: True, former=None):
        self.plant, self.say, self.wanted = plant, say, wanted
        self.points = Points(plant.database, self._wish, self._arm)
        for number, proxy in enumerate(plant.proxies, 1):
            proxy.watch = self.points.watch(number)
        self.pending = None                  # {(flow, step): [faults]}; None: the first telling
        self.unmet = collections.Counter()
        self.struck = collections.Counter()
        self.missed, self.violations, self.recoveries = [], [], collections.Counter()
        self.baseline, self.told, self._hit, self._now = {}, 0, set(), None
        self._on_hosts = set()               # steps that agents have commands of
        if former is not None:
            for name in ("pending", "unmet", "struck", "missed", "recoveries", "told"):
                setattr(self, name, getattr(former, name))
            self.points.layers, self.points.seen = former.points.layers, former.points.seen

    # --- which fault comes next -------------------------------------------------------------------------------------------------------

    def _wish(self, flow, step):
        left = (self.pending or {}).get((flow, step))
        if not left or (flow, step) in self._hit or self._now not in self.baseline:
            return None
        self._hit.add((flow, step))
        return left[0]

    def _done(self, strike, met):
        key, fault = (strike.flow, strike.name), strike.fault
        left = self.pending[key]
        left.remove(fault)
        if met:
            self.struck[str(fault)] += 1
            return
        self.unmet[(key, fault)] += 1
        if self.unmet[(key, fault)] < 3:
            left.append(fault)
        else:
            self.missed.append(f"{key[0]}/{key[1]} {fault}")

    def _plan(self):
        """Each step begins at another place of its list, so that a telling has faults of all kinds."""
        self.pending = {}
        for i, key in enumerate(self.points.seen):
            layers = self.points.layers[key] | ({"agent"} if key in self._on_hosts else set())
            all_ = faults_of(layers)
            chosen = [f for f in all_[i % len(all_):] + all_[:i % len(all_)] if self.wanted(*key, f)]
            if chosen:
                self.pending[key] = chosen

    @property
    def left(self):
        return sum(map(len, self.pending.values())) if self.pending is not None else None

    # --- hitting ----------------------------------------------------------------------------------------------------------------------

    def _arm(self, strike):
        action = "kill" if strike.fault.who == "agent" else "stop"
        for machine in self.plant.machines:
            if self.plant.agent_file(machine, ".").exists():
                self.plant.agent_file(machine, "crashpoint.hit").unlink(missing_ok=True)
                self.plant.agent_file(machine, "crashpoint").write_text(f"{strike.subtask} {strike.fault.point} {action}\n")

    def _disarm(self):
        for machine in self.plant.machines:
            self.plant.agent_file(machine, "crashpoint").unlink(missing_ok=True)

    def _stopped_agent(self, strike):
        """The host whose agent has met the point; None when the step has ended without."""
        def met():
            for machine in self.plant.machines:
                if self.plant.agent_file(machine, "crashpoint.hit").exists():
                    return machine
            return None if self._runs(strike) else False
        end = time.monotonic() + MEET_SECONDS
        while (found := met()) is None and time.monotonic() < end:
            time.sleep(0.01)
        self._disarm()
        return found or met()

    def _runs(self, strike):
        """Is it still with the worker to which it was dispatched, or about to be?"""
        [row] = self.plant.sql("SELECT dispatch, status FROM subtask WHERE id = %s", strike.subtask)
        return row["dispatch"] < strike.dispatch or (row["dispatch"] == strike.dispatch and row["status"] == DISPATCHED)

    def _strike(self, strike):
        """Does to the world what the fault wants, once its point is met; whether it was."""
        machine = None
        if strike.fault.layer == "agent":
            machine = self._stopped_agent(strike)
            if not machine:
                return False
        else:
            strike.hold.wait()
        if strike.fault.who != "agent":
            number = strike.leader if strike.fault.who == "leader" else strike.worker
            (self._kill if strike.fault.how == "kill" else self._pause)(strike, number, machine)
        self.points.over(strike)
        return True

    def _wake(self, machine):
        if machine is not None:
            for pid, _ in machine.processes("bin/pos_proxy"):
                machine.run("kill", "-CONT", pid)

    def _kill(self, strike, number, machine):
        node = self.plant.nodes[number - 1]
        node.kill()
        self.plant.proxies[number - 1].cut()
        if strike.hold is not None:
            strike.hold.release()
        self._wake(machine)
        node.launch()

    def _pause(self, strike, number, machine):
        """It is continued when its step was dispatched again. That the lease runs out sooner is all that time would do."""
        node = self.plant.nodes[number - 1]
        elsewhere = strike.hold is not None and strike.hold.connection.proxy is not self.plant.proxies[number - 1]
        node.pause()
        try:
            if elsewhere:
                strike.hold.release()
            self._wake(machine)
            if strike.fault.point == "after-record" and strike.fault.layer == "engine":
                time.sleep(1)
            else:
                self._await_again(strike, number)
        finally:
            node.resume()
            if strike.hold is not None and not elsewhere:
                strike.hold.release()

    def _await_again(self, strike, number):
        wait_until(lambda: self.plant.sql("SELECT id FROM subtask WHERE id = %s AND (dispatch >= %s OR status NOT IN (1, 2))", strike.subtask,
                                          strike.dispatch), f"{strike}: it is dispatched", 60)
        self.plant.sql("UPDATE task_worker SET expires_at = NOW(6) - INTERVAL 1 SECOND WHERE name = %s", f"node{number}")
        wait_until(lambda: self.plant.sql("SELECT id FROM subtask WHERE id = %s AND (dispatch > %s + 1 OR status NOT IN (1, 2))", strike.subtask,
                                          strike.dispatch), f"{strike}: it is dispatched again", 60)

    # --- telling ----------------------------------------------------------------------------------------------------------------------

    def tell(self, parts, seconds=None):
        """The story once. False: the time is over."""
        self.told += 1
        for part in parts:
            self.ready()
            self._tell_part(part)
            if self.violations:
                return False
        if self.pending is None:
            self._plan()
        return seconds is None or time.monotonic() < seconds

    def ready(self):
        for node in self.plant.nodes:
            if not node.is_alive():
                if not node._expected_death:
                    self.violations.append(f"{node.settings_file.parent.name} has ended by itself: {node.tail(5)}")
                node.launch()
        for node in self.plant.nodes:
            node.wait_ready()
        names = {f"node{i + 1}" for i in range(len(self.plant.nodes))}
        wait_until(lambda: {w["name"] for w in self.plant.sql("SELECT name FROM task_worker WHERE expires_at > NOW(6)")} == names, "all nodes take steps")

    def _tell_part(self, part):
        p = self.plant
        statements, starts = p.statements(), p.starts()
        self._hit, self._now, begin, hit = set(), part.name, time.monotonic(), []
        self._drain()
        before = self._tasks(part)
        started = part.submit(p)
        if not isinstance(started, dict) or "id" not in started:
            started = {"id": wait_until(lambda: self._tasks(part) - before, f"{part.name} begins").pop()}
        folders, retries = p.folders(), self._pursue(part, started["id"], hit)
        if self.pending is None:
            self._on_hosts.update(self.points.step(number)[:2] for number in p.commands())
        self.ready()                         # and see who did not live
        try:
            assert not self.points.failures, self.points.failures
            assert retries is not None, f"it has not ended:\n{p.story(started['id'])}"
            part.check(p)
            self._compare(part, Effects.of(p, statements, starts), folders)
        except AssertionError as e:
            self.violations.append(f"{part.name} [{'; '.join(map(str, hit))}]: {e}\n{p.story(started['id'])}")
        self.say({"flow": part.name, "task": started["id"], "seconds": round(time.monotonic() - begin, 1), "retries": retries,
                  "faults": [str(s) for s in hit], "left": self.left, "violations": len(self.violations)})

    def _tasks(self, part):
        return {t["id"] for t in self.plant.sql("SELECT id FROM task WHERE flow = %s", part.flow or part.name)}

    def _drain(self):
        while not self.points.met.empty():
            self.points.met.get_nowait()
        self.points.current = None

    def _pursue(self, part, task, hit):
        """Retries that a person had to ask for; None: it did not end."""
        end, retries = time.monotonic() + SECONDS, 0
        while time.monotonic() < end:
            try:
                strike = self.points.met.get(timeout=0.02)
            except queue.Empty:
                strike = None
            if strike is not None:
                met = self._strike(strike)
                self._done(strike, met)
                if met:
                    hit.append(strike)
                else:
                    self.points.over(strike)
                continue
            current = self.points.current
            if current is not None and current.stage != "met" and current.fault.layer != "agent" and not self._runs(current):
                self._done(current, False)
                self.points.over(current)
            status = self.plant.task(task)["status"]
            if status == DONE:
                return self._last(part, task, retries)
            if status == FAILED:
                if retries == RETRIES:
                    return None
                failed = self.plant.sql("SELECT name, status, error FROM subtask WHERE task_id = %s AND status IN (4, 6)", task)
                self.recoveries.update(f"{part.name}/{f['name']}: {f['error']}" for f in failed)
                retries += 1
                self.plant.call("POST", f"{TASKS}/{task}/retry")
        return None

    def _last(self, part, task, retries):
        """The point after the record of the last step is met when the task has ended."""
        if self.points.current is not None:
            try:
                strike = self.points.met.get(timeout=1)
                self._done(strike, self._strike(strike))
            except queue.Empty:
                self._done(self.points.current, False)
            self.points.current = None
        return retries

    def _compare(self, part, effects, folders):
        p = self.plant
        assert not p.locks(), f"still locked: {p.locks()}"
        assert not p.sessions(), f"sessions are not forgotten: {p.sessions()}"
        if part.name not in self.baseline:   # the first telling in this plant, whose addresses are its own
            self.baseline[part.name] = effects
            return
        first = self.baseline[part.name]
        more = effects.statements - first.statements
        assert not more, f"executed more often than without faults: {dict(more)}"
        less = first.statements - effects.statements
        assert not less, f"executed less often than without faults: {dict(less)}"
        assert effects.starts == first.starts, f"processes started {dict(effects.starts)} instead of {dict(first.starts)}"
        assert effects.folders == first.folders, f"folders: {effects.folders ^ first.folders}"
        now = p.folders()
        again = [path for path, inode in folders.items() if path in now and now[path] != inode]
        assert not again, f"made twice: {again}"

    def close(self):
        for proxy in self.plant.proxies:
            proxy.watch = None
        self.points._db.close()

    def summary(self):
        steps = sorted(f"{flow}/{name}" for flow, name in self.points.seen)
        unseen = sorted(flows_of_the_product() - {flow for flow, _ in self.points.seen})
        return {"tellings": self.told, "flows": len({flow for flow, _ in self.points.seen}), "steps": len(steps), "struck": sum(self.struck.values()),
                "by_fault": dict(sorted(self.struck.items())), "left": self.left, "not_met": self.missed, "flows_never_run": unseen,
                "retried_by_hand": dict(self.recoveries)}
