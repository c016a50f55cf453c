# SPDX-License-Identifier: Apache-2.0
"""Everything that is known to go wrong, one scenario each: what is done to which machine, how long until it is over, and how many changes
of leadership it may cause.

A scenario is a function of the world (world.py) that does the harm and returns what it measured, in seconds, or None. The machines are made
whole by whoever called it. `bound` is what is promised; it is printed beside the measured value and decides nothing.
"""
import dataclasses
import http.client
import shutil
import time

from lib.py.galera import CHECKED, PATIENT, advised, suspected
from lib.py.process import new_dir, wait_until

from .history import OK, longest_gap
from .world import ELECTION

SCENARIOS = {}
WATCHED = 3 * ELECTION             # seconds in which a change of leadership would have happened


@dataclasses.dataclass
class Scenario:
    name: str
    title: str
    run: object
    bound: float = None            # seconds
    changes: int = None            # of leadership at most; None: any number
    needs: frozenset = frozenset() # "net": namespaces; what World must be made with: "disks", "clocks", "dbclock", "proxy", "small", "galera", "patient"
    planned: bool = False          # nobody may notice
    mixes: bool = True             # may happen together with others


def scenario(title, bound=None, changes=None, needs=(), planned=False, mixes=True):
    def add(function):
        name = function.__name__.replace("_", "-")
        SCENARIOS[name] = Scenario(name, title, function, bound, changes, frozenset(needs), planned, mixes)
        return function
    return add


def gap_since(world, begin, kind="list"):
    """The longest time without a call that succeeded, among the clients with a list of endpoints, or those through the balancer ("balanced")."""
    calls = [c for c in world.history.calls if c.client.startswith(kind)]
    return longest_gap(calls, begin, time.monotonic())


def undisturbed(world):
    """Waits as long as a change of leadership would take, and returns the longest pause of clients."""
    begin = time.monotonic()
    time.sleep(WATCHED)
    return gap_since(world, begin)


# -- processes --------------------------------------------------------------------------------------------------------------------------

@scenario("the leader's process is killed", bound=3.0, changes=1)
def leader_killed(w):
    leader = w.leader()
    leader.kill()
    return w.new_leader(leader)[1]


@scenario("a follower's process is killed and started again", changes=0)
def follower_killed(w):
    follower = w.followers()[0]
    follower.kill()
    pause = undisturbed(w)
    follower.start()
    time.sleep(ELECTION)
    return pause


@scenario("the leader is stopped and wakes when another one leads", bound=2.1, changes=1)
def leader_paused(w):
    leader = w.leader()
    leader.pause()
    seconds = w.new_leader(leader)[1]
    leader.resume()
    return seconds


@scenario("the leader is stopped inside a transaction, with a fence row locked", bound=3.6, changes=1, mixes=False)
def leader_paused_in_transaction(w):
    leader = w.leader()
    with w.metadb.connect(autocommit=False) as lock, lock.cursor() as cursor:
        cursor.execute(f"SELECT * FROM `{w.database.name}`.{w.LEADER_ROWS} FOR UPDATE")
        wait_until(lambda: w.fence_holders(leader), "the leader waits for a row inside a transaction of its own", 30)
        leader.pause()
        begin = time.monotonic()
        lock.rollback()
    assert w.fence_holders(leader), "the stopped leader keeps its locks"
    new = w.new_leader(leader)[0]
    leader.resume()
    return w.watches[new.number - 1].since - begin


@scenario("a follower is stopped and wakes", changes=0)
def follower_paused(w):
    follower = w.followers()[-1]
    follower.pause()
    pause = undisturbed(w)
    follower.resume()
    time.sleep(ELECTION)
    return pause


@scenario("every node is restarted by SIGTERM, followers first, the leader last", changes=1, planned=True, mixes=False)
def rolling_restart(w):
    begin = time.monotonic()
    last = w.leader()
    for node in [*w.followers(), last]:
        node.restart()
        w.ready()
    return gap_since(w, begin)


@scenario("ten times the load", changes=0, mixes=False)
def overload(w):
    begin = time.monotonic()
    for client in w.clients:
        client.pace = 0.1
    time.sleep(WATCHED)
    for client in w.clients:
        client.pace = 1.0
    return gap_since(w, begin)


# -- networks -----------------------------------------------------------------------------------------------------------------------------

@scenario("the leader's host is gone from the network", bound=2.5, changes=1, needs=["net"])
def leader_host_gone(w):
    leader, begin = w.leader(), time.monotonic()
    w.net.isolate(leader.host)
    return w.new_leader(leader, begin=begin)[1]


@scenario("the leader is cut off from the other nodes", bound=2.5, changes=1, needs=["net"])
def leader_parted(w):
    leader, begin = w.leader(), time.monotonic()
    w.net.part([leader.host], [n.host for n in w.nodes if n is not leader])
    return w.new_leader(leader, begin=begin)[1]


@scenario("a follower is cut off from the other nodes, then back", changes=0, needs=["net"])
def follower_parted(w):
    follower = w.followers()[0]
    w.net.part([follower.host], [n.host for n in w.nodes if n is not follower])
    pause = undisturbed(w)
    w.net.heal()
    time.sleep(ELECTION)
    return pause


@scenario("no node hears another; the time is from the healing to a leader", bound=2.0, needs=["net"], mixes=False)
def all_parted(w):
    hosts = [n.host for n in w.nodes]
    for host in hosts:
        w.net.part([host], [h for h in hosts if h is not host])
    wait_until(lambda: not any(w.says(n) for n in w.nodes), "nobody leads")
    w.net.heal()
    begin = time.monotonic()
    w.leader()
    return time.monotonic() - begin


@scenario("one follower does not hear the leader, the leader hears it", changes=1, needs=["net"])
def one_way_to_follower(w):
    w.net.cut(w.leader().host, w.followers()[0].host)
    return undisturbed(w)


@scenario("the leader hears nobody, the others hear it", bound=4.0, needs=["net"])
def leader_deaf(w):
    leader, others = w.leader(), w.followers()
    begin = time.monotonic()
    for node in others:
        w.net.cut(node.host, leader.host)
    return w.new_leader(leader, begin=begin)[1]


@scenario("a tenth of all packets between the nodes is lost", changes=1, needs=["net"])
def packets_lost(w):
    for a in w.nodes:
        for b in w.nodes:
            if a is not b:
                w.net.lose(a.host, b.host, 10)
    return undisturbed(w)


@scenario("packets of the leader are late by 30 to 60 ms, overtake each other and come twice", changes=0, needs=["net"])
def packets_late(w):
    w.net.wire(w.leader().host, w.seed, delay_ms=30, jitter_ms=30, twice_percent=5)
    return undisturbed(w)


@scenario("the leader's link carries 256 kbit/s", changes=1, needs=["net"])
def narrow_link(w):
    w.net.limit(w.leader().host, "256kbit")
    return undisturbed(w)


# -- MetaDB -------------------------------------------------------------------------------------------------------------------------------

@scenario("the leader does not reach MetaDB, the others do", bound=5.0, changes=1, needs=["net"])
def leader_without_metadb(w):
    leader, begin = w.leader(), time.monotonic()
    w.net.part([leader.host], [w.db_host])
    return w.new_leader(leader, begin=begin)[1]


def next_write(w):
    """Seconds until a submission that is sent from now on succeeds."""
    begin = time.monotonic()

    def ends():
        return [c.end for c in w.history.calls if c.op == "create" and c.outcome == OK and c.tries[-1].begin > begin]
    wait_until(ends, "a write succeeds", 60)
    return min(ends()) - begin


@scenario("MetaDB is killed and started again after 5 s; the time is from its start to the first write", bound=2.0, changes=0)
def metadb_killed(w):
    w.metadb.kill()
    time.sleep(5)
    w.metadb.start()
    return next_write(w)


@scenario("MetaDB is stopped for 5 s and wakes; the time is from then to the first write", bound=2.0, changes=0)
def metadb_paused(w):
    w.metadb.pause()
    time.sleep(5)
    w.metadb.resume()
    return next_write(w)


@scenario("MetaDB's clock jumps forth, then back by two hours: leases end too early and too late", bound=2.0, changes=0, needs=["dbclock"], mixes=False)
def metadb_clock_jumps(w):
    begin = time.monotonic()
    for seconds in (3600, -3600, 0):
        w.metadb.jump(seconds)
        time.sleep(WATCHED)
    return gap_since(w, begin)


@scenario("connections to MetaDB break between COMMIT and its answer, again and again", changes=0, needs=["proxy"], mixes=False)
def commits_lost(w):
    begin = time.monotonic()
    for _ in range(20):
        w.proxy.cut_at("COMMIT", when="answer", nth=3).wait()
        w.proxy.cut_at("COMMIT", when="sent", nth=3).wait()
    return gap_since(w, begin)


# -- disks --------------------------------------------------------------------------------------------------------------------------------

@scenario("fdatasync on the leader's Raft folder does not come back", bound=4.0, changes=1, needs=["disks"])
def leader_disk_hangs(w):
    leader = w.leader()
    leader.disk("hang")
    return w.new_leader(leader)[1]


@scenario("fdatasync on a follower's Raft folder takes 400 ms more", changes=0, needs=["disks"])
def follower_disk_slow(w):
    w.followers()[0].disk("slow 400")
    return undisturbed(w)


def exit_status(node, wanted):
    wait_until(lambda: not node.server.is_alive(), f"{node} ends", 30)
    status = node.server.process.returncode
    assert status == wanted, f"{node} ended with {status} instead of {wanted}"
    node.server._expected_death = True


@scenario("fdatasync on the leader's Raft folder fails: it must end, with status 70", bound=3.0, changes=1, needs=["disks"])
def leader_disk_fails(w):
    leader = w.leader()
    leader.disk("fail")
    seconds = w.new_leader(leader)[1]
    exit_status(leader, 70)
    leader.disk("")
    return seconds


@scenario("a follower's disk is full: it goes on as long as it writes nothing new, and is refused a start", changes=0, needs=["net", "small"],
          mixes=False)
def follower_disk_full(w):
    follower = w.followers()[0]
    follower.fill()
    pause = undisturbed(w)
    follower.kill()
    refused = follower.refused()
    assert "MiB free" in refused, refused
    follower.empty()
    return pause


NOWHERE = "10.77.0.99:8081"        # where no machine is


def write_until_full(w, victim):
    """Members come and go, which the log has to hold, until the disk of `victim`, without a free byte, cannot: seconds since it was asked to."""
    victim.fill()
    begin = time.monotonic()
    while victim.server.is_alive():
        begin = time.monotonic()
        try:
            if w.id_of(NOWHERE) is None:
                w.api().post("/api/v2/ocp/nodes", {"peerAddress": NOWHERE, "name": "node0"})
            else:
                w.remove(NOWHERE)
        except (OSError, http.client.HTTPException):
            pass                                                   # it ended before it answered
    exit_status(victim, 70)
    victim.empty()
    return begin


@scenario("the leader's disk is full when its log has to grow: it must end, with status 70", bound=3.0, changes=1, needs=["net", "small"], mixes=False)
def leader_disk_full(w):
    leader = w.leader()
    begin = write_until_full(w, leader)
    new = w.new_leader(leader)[0]
    seconds = w.watches[new.number - 1].since - begin
    w.remove(NOWHERE)
    return seconds


@scenario("a follower's disk is full when its log has to grow: it must end, with status 70; the time is the longest pause of a client", bound=1.0,
          changes=0, needs=["net", "small"], mixes=False)
def follower_log_full(w):
    begin = time.monotonic()
    write_until_full(w, w.followers()[0])
    w.remove(NOWHERE)
    return gap_since(w, begin)


@scenario("a byte of a follower's Raft log is damaged while it is down: it must refuse to start, and say what to do", changes=0, mixes=False)
def log_damaged(w):
    follower, begin = w.followers()[0], time.monotonic()
    follower.kill()
    log = follower.server.data / "raft" / "log"
    whole = log.read_bytes()
    with open(log, "r+b") as f:
        f.seek(40)
        f.write(bytes(b ^ 0xff for b in whole[40:48]))
    refused = follower.refused()
    assert "is damaged" in refused and "cluster remove" in refused, refused
    with open(log, "r+b") as f:
        f.write(whole)
    return gap_since(w, begin)


# -- disasters ----------------------------------------------------------------------------------------------------------------------------

@scenario("two of three nodes are lost with their disks; the time is from the operator's first command to a leader", bound=300.0, mixes=False)
def two_lost(w):
    for node in w.nodes[:2]:
        node.kill()
        node.wipe()
    wait_until(lambda: not any(w.says(n) for n in w.nodes), "nobody leads")
    begin = time.monotonic()
    w.recover()
    w.leader()
    return time.monotonic() - begin


def comes_back(w, node, status, says):
    """Seconds until a node that is of the cluster no more has ended by itself, for that reason."""
    begin = time.monotonic()
    node.start()
    exit_status(node, status)
    seconds = time.monotonic() - begin
    assert says in node.server.process.output(), node.server.tail(10)
    return seconds


@scenario("a node that was removed from the cluster is started again: it is refused and ends, with status 72", bound=10.0, changes=0, mixes=False)
def removed_returns(w):
    gone = w.followers()[0]
    gone.kill()
    w.remove(w.cluster.peer_address(gone.server))
    seconds = comes_back(w, gone, 72, "removed")
    time.sleep(WATCHED)
    w.add(gone)
    return seconds


@scenario("a node of the cluster that was given up is started after the new one was founded: it is refused and ends", bound=10.0, mixes=False)
def older_generation_returns(w):
    old, kept = w.nodes[0], new_dir("kept")
    old.kill()
    for name in ("raft", "peer"):
        shutil.copytree(old.server.data / name, kept / name)
    w.recover()
    w.ready()
    new = new_dir("new")
    old.kill()
    old.exchange(new, kept)
    try:
        return comes_back(w, old, 72, "founded anew")
    finally:
        old.exchange(kept, new)


# -- MetaDB as a Galera cluster -------------------------------------------------------------------------------------------------------------

def without_a_member(times):
    """Seconds until the other members of a Galera cluster commit again, and then a client that waits is served."""
    return suspected(times) + 3 * CHECKED + ELECTION


@scenario("the member of MetaDB's Galera cluster that is in use is killed; the time is to the next write", bound=without_a_member(advised()), changes=0,
          needs=["galera"])
def member_killed(w):
    w.metadb.kill()
    seconds = next_write(w)
    w.metadb.start()
    return seconds


@scenario("the member of MetaDB's Galera cluster that is in use is stopped; the time is to the next write", bound=without_a_member(advised()), changes=0,
          needs=["galera"])
def member_paused(w):
    w.metadb.pause()
    seconds = next_write(w)
    w.metadb.resume()
    return seconds


@scenario("the same, and the others wait for it for ten seconds, letting everybody in and answering nobody", bound=without_a_member(PATIENT), changes=0,
          needs=["galera", "patient"])
def member_paused_for_long(w):
    return member_paused(w)


# -- clocks -------------------------------------------------------------------------------------------------------------------------------

@scenario("the leader's clock jumps forth, then back by two hours", changes=0, needs=["clocks"])
def leader_clock_jumps(w):
    leader, begin = w.leader(), time.monotonic()
    for seconds in (3600, -3600, 0):
        leader.jump(seconds)
        time.sleep(WATCHED / 2)
    return gap_since(w, begin)


@scenario("the clocks of all nodes go apart by an hour", changes=0, needs=["clocks"])
def clocks_differ(w):
    for node, seconds in zip(w.nodes, (3600, 0, -3600)):
        node.jump(seconds)
    return undisturbed(w)


# -- the load balancer --------------------------------------------------------------------------------------------------------------------

@scenario("the load balancer is killed; the time is the longest pause of a client with a list", bound=1.0, changes=0)
def balancer_killed(w):
    w.balancer.kill()
    pause = undisturbed(w)
    w.balancer.start()
    return pause


@scenario("the load balancer does not reach one node", changes=0, needs=["net"])
def balancer_cut_off(w):
    w.net.part([w.lb_host], [w.followers()[0].host])
    return undisturbed(w)


@scenario("the load balancer loses one node and finds it again, over and over; the time is the longest pause of a client through it", bound=5.0,
          changes=0, needs=["net"])
def balancer_flaps(w):
    node, begin = w.followers()[0], time.monotonic()
    session = w.session()
    for _ in range(4):
        w.net.part([w.lb_host], [node.host])
        time.sleep(WATCHED)
        w.net.mend([w.lb_host], [node.host])
        time.sleep(WATCHED / 2)
        session.get("/api/v2/profiles/me").ok()
    return gap_since(w, begin, "balanced")


@scenario("a node is drained and taken back, over and over: nobody notices", bound=1.0, changes=0, planned=True, mixes=False)
def drained_often(w):
    node, begin = w.followers()[0], time.monotonic()
    session, number = w.session(), w.id_of(w.cluster.peer_address(node.server))
    for _ in range(3):
        w.api().post(f"/api/v2/ocp/nodes/{number}/drain").ok()
        wait_until(lambda: node.server.probe("/readyz") == 503, f"{node} is drained", 30)
        session.get("/api/v2/profiles/me").ok()
        w.api().post(f"/api/v2/ocp/nodes/{number}/resume").ok()
        node.server.wait_ready()
        session.get("/api/v2/profiles/me").ok()
    return gap_since(w, begin, "balanced")


def chosen(names):
    unknown = [n for n in names if n not in SCENARIOS]
    if unknown:
        raise SystemExit(f"no such scenario: {', '.join(unknown)}; --list names all")
    return [SCENARIOS[n] for n in names]

