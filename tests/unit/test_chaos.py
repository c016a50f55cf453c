# SPDX-License-Identifier: Apache-2.0
"""The checker of tests/chaos: histories that break each invariant are found, and one that breaks none passes. And its reader of binary logs."""
import dataclasses

import pytest

from chaos import binlog, checker
from chaos.history import OK, UNKNOWN, Call, Commit, Evidence, History, Leadership, Look, Span, Task, Try, longest_gap


def call(op="create", name="a", outcome=OK, tries=((200, "", True),), begin=1.0, end=1.1, answer=None):
    return Call("list-1", op, name, "k", begin, end, outcome, [Try("n1:1", begin, end, *t) for t in tries], answer)


def look(node, at, leads, wall=None):
    return Look(node, at, at + 0.01, leads, 1000 + at if wall is None else wall)


def good():
    """Node 1 leads, is killed, node 2 leads; a task runs; one call is tried twice."""
    return Evidence(
        calls=[call(), call(name="b", tries=((0, "reset", True), (200, "", True)), answer=7), call("read", ""), call("change", "x"),
               call("task", "", answer=5), call(name="c", outcome=UNKNOWN, tries=((0, "reset", True),))],
        looks=[look(1, 1, True), look(2, 1, False), look(1, 2, True), look(2, 4, True), look(2, 5, True), look(1, 6, False)],
        spans=[Span("leader-killed", 2, 5, 1, begin_wall=1002, end_wall=1005), Span("follower-killed", 6, 7, 0, begin_wall=1006, end_wall=1007)],
        leaderships=[Leadership(1, 1, 2, 1, 1000.5), Leadership(2, 1, 3, 2, 1003.5)],
        commits=[Commit(1, 1, (), frozenset({"leader_epoch"})), Commit(2, 0, (1,), frozenset({"leader_fence", "subtask_log"})),
                 Commit(3, 0, (), frozenset({"region"})), Commit(4, 2), Commit(5, 0, (2, 2), frozenset({"leader_fence"}))],
        rows={"a": 1, "b": 1, "c": 1}, ids={"b": {7}}, tasks={5: Task(5, "SUCCESSFUL", True)}, effects={"x": 1}, fence=[2] * 64, settled=0.4)


def change(**members):
    return lambda e: dataclasses.replace(e, **members)


def more(member, *items):
    return lambda e: dataclasses.replace(e, **{member: [*getattr(e, member), *items]})


def claimed(*rows):
    """And the fence moves along."""
    return lambda e: dataclasses.replace(e, leaderships=[*e.leaderships, *rows], fence=[max(r.epoch for r in [*e.leaderships, *rows])] * 64)


BROKEN = {
    "two holders of an epoch": (1, claimed(Leadership(2, 1, 4, 3, 1009))),
    "a term that goes back": (1, claimed(Leadership(3, 1, 2, 3, 1009))),
    "a generation that goes back": (1, change(leaderships=[Leadership(1, 2, 1, 1, 1000.5), Leadership(2, 1, 9, 2, 1003.5)])),
    "an epoch that goes back in the binary log": (1, more("commits", Commit(6, 1))),
    "a write of a former epoch": (2, more("commits", Commit(6, 0, (1,), frozenset({"leader_fence", "subtask_log"})))),
    "a write of an epoch that nobody has claimed": (2, more("commits", Commit(6, 0, (3,)))),
    "a leader's write without the fence": (2, more("commits", Commit(6, 0, (), frozenset({"subtask", "dispatch of a step"})))),
    "a shard of two nodes in one view": (6, more("commits", Commit(6, leases=((7, 3, 1),)), Commit(7, leases=((7, 3, 2),)))),
    "a view that goes back": (6, more("commits", Commit(6, leases=((7, 3, 1),)), Commit(7, leases=((7, 2, 1),)))),
    "a fence row left behind": (2, change(fence=[2] * 63 + [1])),
    "a fence ahead of the claims": (2, change(fence=[3] * 64)),
    "an acknowledged submission that is not there": (4, change(rows={"a": 1, "c": 1})),
    "an acknowledged submission under another id": (4, change(ids={"b": {8}})),
    "a submission that is there twice": (4, change(rows={"a": 2, "b": 1})),
    "an acknowledged change that the target never saw": (4, change(effects={})),
    "a change that was done twice": (4, change(effects={"x": 2})),
    "an accepted task that vanished": (4, change(tasks={})),
    "a page of somebody else": (4, more("calls", call(tries=((404, "<html>", False), (200, "", True))))),
    "who has not claimed says that it leads": (7, more("looks", look(3, 5, True))),
    "who has not claimed yet says that it leads": (7, more("looks", look(2, 3, True, wall=1002.0))),
    "two lead for long": (7, more("looks", *(look(n, t / 10, True) for t in range(70, 130) for n in (1, 2)))),
    "a change of leadership for nothing": (8, claimed(Leadership(3, 1, 4, 1, 1006.5))),
    "more changes than a fault explains": (8, claimed(Leadership(3, 1, 4, 1, 1004.5))),
    "no leader afterwards": (9, change(settled=None)),
    "a leader late": (9, change(settled=9.0)),
    "a task that never ends": (9, change(tasks={5: Task(5, "RUNNING", False)})),
    "a restart that fails a call": (10, more("spans", Span("rolling-restart", 0.5, 1.5, planned=True))),
    "a lost answer that was done twice": (11, change(rows={"a": 1, "b": 2, "c": 1})),
    "a lost answer that was done twice and never acknowledged": (11, change(rows={"a": 1, "b": 1, "c": 2})),
}


def test_a_history_that_breaks_nothing_passes():
    assert checker.check(good()) == []


@pytest.mark.parametrize("what", BROKEN)
def test_broken_history_is_found(what):
    invariant, breaks = BROKEN[what]
    found = checker.check(breaks(good()))
    assert found and invariant in {v.invariant for v in found}, [str(v) for v in found]
    assert {v.invariant for v in found} <= {invariant, 4, 9}, "and nothing else is accused"


def test_two_tries_are_no_failure_of_a_planned_restart():
    e = good()
    quiet = [c for c in e.calls if c.outcome == OK]
    assert not list(checker.planned(dataclasses.replace(e, calls=quiet, spans=[Span("restart", 0, 9, planned=True)])))


def test_roles_may_change_while_another_fault_lasts():
    e = more("leaderships", Leadership(3, 1, 4, 1, 1006.5))(good())
    assert list(checker.role_changes(e))
    assert not list(checker.role_changes(more("spans", Span("mix", 5.5, 8, None))(e)))


def test_summary_counts_what_was_looked_at():
    s = checker.summary(good())
    assert (s["calls"], s["submissions"], s["acknowledged"], s["retried"], s["fenced transactions"]) == (6, 5, 4, 1, 2)


def test_longest_gap_counts_the_ends():
    calls = [call(end=2.0), call(end=2.5), call(end=7.0, outcome=UNKNOWN), call(end=4.0)]
    assert longest_gap(calls, 0.0, 5.0) == 2.0
    assert longest_gap([], 0.0, 5.0) == 5.0


def test_history_is_written_by_time(tmp_path):
    h = History()
    h.call(call(begin=2.0))
    h.look(look(1, 1.0, True))
    span = h.begin("x", changes=0)
    h.end(span)
    h.write(tmp_path / "h")
    lines = (tmp_path / "h").read_text().splitlines()
    assert len(lines) == 3 and '"kind": "Look"' in lines[0] and span.end >= span.begin


BINLOG = """
BEGIN
/*!*/;
#261121  6:40:01 server id 1  end_log_pos 999 	Update_rows: table id 20 flags: STMT_END_F
### UPDATE `chaos`.`leader_epoch`
### WHERE
###   @1=1
###   @2=1
###   @3=4
###   @4=4
### SET
###   @1=1
###   @2=1
###   @3=6
###   @4=5
### UPDATE `chaos`.`leader_fence`
### WHERE
###   @1=0
###   @2=4
###   @3=7
### SET
###   @1=0
###   @2=5
###   @3=8
# Number of rows: 2
COMMIT/*!*/;
BEGIN
/*!*/;
### UPDATE `chaos`.`leader_fence`
### WHERE
###   @1=9
###   @2=5
### SET
###   @1=9
###   @2=5
### INSERT INTO `chaos`.`subtask_log`
### SET
###   @1=77
###   @2='COMMIT'
### UPDATE `chaos`.`subtask`
### WHERE
###   @1=5
###   @8=1
### SET
###   @1=5
###   @8=2
### UPDATE `chaos`.`work_lease`
### WHERE
###   @1=5
###   @2=1002
###   @4=9
### SET
###   @1=5
###   @2=1002
###   @4=9
COMMIT/*!*/;
BEGIN
/*!*/;
### INSERT INTO `other`.`region`
### SET
###   @1=77
COMMIT/*!*/;
BEGIN
/*!*/;
### INSERT INTO `chaos`.`region`
### SET
###   @1=-5
ROLLBACK/*!*/;
"""


def test_binary_log_is_read():
    claim, write = binlog.commits(BINLOG, "chaos")
    assert (claim.claims, claim.fences) == (5, ()) and claim.tables == {"leader_epoch", "leader_fence"}
    assert (write.claims, write.fences) == (0, (5,)) and write.tables == {"leader_fence", "subtask_log", "subtask", "work_lease", binlog.DISPATCH}, "a renewal is no grant"
    assert write.leases == ((5, 9, 1002),)
