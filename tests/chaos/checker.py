# SPDX-License-Identifier: Apache-2.0
"""Judges the evidence of a run (history.py): each function looks for what must never happen and names it.

The numbers are those of the invariants:
  1  an epoch has one holder; epochs grow; (generation, term) of successive claims grows
  2  no transaction of an epoch commits after a claim of a higher one
  4  what was acknowledged is there, once, and a task that was accepted ends
  6  a shard of standing work has one owner in a view
  7  who says that it leads has claimed; two say so only while leadership changes
  8  no change of leadership for what is none of its business
  9  afterwards one leader, soon, and nothing stuck
 10  a planned restart is not noticed by a client that tries a second time
 11  a COMMIT whose answer was lost happens once
"""
import collections
import dataclasses

from . import binlog
from .history import OK, REFUSED, UNKNOWN

# What only a leader writes, always behind the fence (binlog.py).
LEADERS_ALONE = frozenset({binlog.DISPATCH, binlog.GRANT})
SLACK = 1.0                        # seconds for what a busy machine adds to a measured time
OVERLAP = 2.0                      # elections that two nodes may both say that they lead: until the former one misses its quorum


@dataclasses.dataclass
class Violation:
    invariant: int
    text: str

    def __str__(self):
        return f"invariant {self.invariant}: {self.text}"


def epochs(e):
    """1, by the history of leaderships and by the binary log."""
    rows = sorted(e.leaderships, key=lambda r: r.epoch)
    for epoch, n in collections.Counter(r.epoch for r in rows).items():
        if n > 1:
            yield Violation(1, f"epoch {epoch} has {n} holders")
    for a, b in zip(rows, rows[1:]):
        if (b.generation, b.term) <= (a.generation, a.term):
            yield Violation(1, f"epoch {b.epoch} was claimed for generation {b.generation} term {b.term}, after epoch {a.epoch} "
                               f"for generation {a.generation} term {a.term}")
    claimed = [c for c in e.commits if c.claims]
    for a, b in zip(claimed, claimed[1:]):
        if b.claims <= a.claims:
            yield Violation(1, f"transaction {b.number} claims epoch {b.claims} after transaction {a.number} has claimed {a.claims}")


def fencing(e):
    """2: every transaction of a leader commits under the epoch that was claimed last before it."""
    now = None
    for c in e.commits:
        for epoch in c.fences:
            if now is not None and epoch != now:
                yield Violation(2, f"transaction {c.number} of epoch {epoch} was committed in epoch {now}")
        unfenced = c.tables & LEADERS_ALONE
        if unfenced and not c.fences and not c.claims:
            yield Violation(2, f"transaction {c.number} writes {', '.join(sorted(unfenced))} without the fence")
        now = c.claims or now
    if len(set(e.fence)) > 1 or e.fence and e.leaderships and set(e.fence) != {max(r.epoch for r in e.leaderships)}:
        yield Violation(2, f"the fence rows are of the epochs {sorted(set(e.fence))}, the last claim is of "
                           f"{max((r.epoch for r in e.leaderships), default=0)}")


def submissions(e):
    """4 and 11: once if acknowledged, at most once if not; a task that was accepted ends."""
    for c in e.calls:
        if c.op == "read":
            continue
        number = 11 if any(t.status == 0 for t in c.tries) else 4
        if c.outcome == REFUSED and len(c.tries) == 1 and (e.rows if c.op == "create" else e.effects).get(c.name, 0) > 0:
            yield Violation(4, f"{c.name} was refused to {c.client} with {c.tries[0].detail}, and is there")
        if c.op == "create":
            n = e.rows.get(c.name, 0)
            if c.outcome == OK and n == 0:
                yield Violation(4, f"{c.name} was acknowledged to {c.client} and is not there")
            if n > 1:
                yield Violation(number, f"{c.name} is there {n} times, by one key after {len(c.tries)} tries")
            if c.outcome == OK and c.answer is not None and e.ids.get(c.name) and c.answer not in e.ids[c.name]:
                yield Violation(4, f"{c.name} was acknowledged with the id {c.answer}, MetaDB has {sorted(e.ids[c.name])}")
        if c.op == "change":
            n = e.effects.get(c.name, 0)
            if c.outcome == OK and n == 0:
                yield Violation(4, f"{c.name} was acknowledged to {c.client}, and the target has not seen it")
            if n > 1:
                yield Violation(number, f"{c.name} was done {n} times at the target, by one key after {len(c.tries)} tries")
        if c.op == "task" and c.outcome == OK:
            task = e.tasks.get(c.answer)
            if task is None:
                yield Violation(4, f"task {c.answer} was accepted for {c.client} and is not there")
            elif not task.final:
                yield Violation(9, f"task {c.answer} is still {task.status}")


def leases(e):
    """6: a shard has one owner in a view, and its views only grow."""
    owners, views = {}, {}
    for c in e.commits:
        for shard, view, node in c.leases:
            if owners.setdefault((shard, view), node) != node:
                yield Violation(6, f"transaction {c.number}: shard {shard} is of node {node} in view {view}, in which it was of node {owners[shard, view]}")
            if view < views.get(shard, view):
                yield Violation(6, f"transaction {c.number}: shard {shard} is in view {view} after view {views[shard]}")
            views[shard] = view


def says(e):
    """7."""
    claims = sorted(e.leaderships, key=lambda r: r.claimed)
    yes = collections.defaultdict(list)
    for look in e.looks:
        if not look.leads:
            continue
        yes[look.node].append(look)
        if not any(r.node == look.node and r.claimed <= look.wall + 0.05 for r in claims):
            yield Violation(7, f"node {look.node} says at {look.wall:.3f} that it leads, and has not claimed")
            return
    yield from overlaps(e, yes)


def overlaps(e, yes):
    """The times in which a node says yes, as intervals between its first and last yes without a no in between."""
    stretches = []
    for node in yes:
        current = None
        for look in sorted((k for k in e.looks if k.node == node), key=lambda k: k.begin):
            if look.leads and current is None:
                current = [look.begin, look.end, node]
                stretches.append(current)
            elif look.leads:
                current[1] = look.end
            else:
                current = None
    stretches.sort()
    for i, a in enumerate(stretches):
        for b in stretches[i + 1:]:
            both = min(a[1], b[1]) - b[0]
            if a[2] != b[2] and both > OVERLAP * e.election + SLACK:
                yield Violation(7, f"nodes {a[2]} and {b[2]} both say for {both:.1f} s that they lead")


def role_changes(e):
    """8: a span says how many changes it may cause."""
    for span in e.spans:
        if span.changes is None or any(o is not span and o.begin < span.end and span.begin < o.end and o.changes is None for o in e.spans):
            continue
        n = sum(span.begin_wall <= r.claimed <= span.end_wall for r in e.leaderships)
        if n > span.changes:
            yield Violation(8, f"{span.name}: {n} changes of leadership instead of at most {span.changes}")


def afterwards(e):
    """9."""
    bound = 2 * e.election + 1 + SLACK
    if e.settled is None:
        yield Violation(9, "no leader after the last fault has ended")
    elif e.settled > bound:
        yield Violation(9, f"a leader only {e.settled:.1f} s after the last fault has ended; at most {bound:.1f} s")
    for task in e.tasks.values():
        if not task.final:
            yield Violation(9, f"task {task.id} is stuck: {task.status}")


def planned(e):
    """10."""
    for span in e.spans:
        if not span.planned:
            continue
        for c in e.calls:
            if c.begin < span.end and span.begin < c.end and (c.outcome != OK or len(c.tries) > 2):
                yield Violation(10, f"{span.name}: {c.op} {c.name} of {c.client} took {len(c.tries)} tries and is {c.outcome}: "
                                    f"{', '.join(f'{t.endpoint} {t.status} {t.detail}' for t in c.tries)}")


def answers(e):
    """What comes back is the product's: JSON with a code, no page of a load balancer, except where no node at all was reached (503, 504)."""
    for c in e.calls:
        for t in c.tries:
            if t.status >= 400 and not t.own and t.status not in (502, 503, 504):
                yield Violation(4, f"{c.op} at {t.endpoint} was answered {t.status} by something else: {t.detail}")


CHECKS = (epochs, fencing, submissions, leases, says, role_changes, afterwards, planned, answers)


def check(evidence):
    """All violations."""
    return [v for one in CHECKS for v in one(evidence)]


def summary(e):
    """What was looked at, in words: a check over nothing proves nothing."""
    outcomes = collections.Counter(c.outcome for c in e.calls)
    submitted = [c for c in e.calls if c.op != "read"]
    return {"calls": len(e.calls), "submissions": len(submitted), "acknowledged": sum(c.outcome == OK for c in submitted),
            "unknown": outcomes[UNKNOWN], "retried": sum(c.retried for c in e.calls), "looks": len(e.looks), "claims": len(e.leaderships),
            "fenced transactions": sum(bool(c.fences) for c in e.commits), "transactions": len(e.commits), "leases": len({lease for c in e.commits for lease in c.leases}), "stopped by the fence": e.stopped_by_fence, "faults": len(e.spans),
            "tasks": len(e.tasks), "effects": sum(e.effects.values())}
