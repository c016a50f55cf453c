# SPDX-License-Identifier: Apache-2.0
"""tests/chaos/run --sweep: what is asked for, plants that come and go, the verdict."""
import json
import sys
import time
import zlib

from lib.py import hosts

from .plant import Plant
from .sweep import Sweep, story


def say(**row):
    print(json.dumps(row, ensure_ascii=False), flush=True)


def chosen(words, part):
    """Is a fault to be tried? By its name, so that it is always in the same part."""
    first, parts = map(int, part.split("/"))

    def wanted(flow, step, fault):
        name = f"{flow}/{step} {fault}"
        return all(w in name for w in words) and zlib.crc32(name.encode()) % parts == first - 1
    return wanted


def parts_for(sweep):
    """What must be told for the faults that are left: all that comes before them leads there."""
    parts = story()
    if sweep.pending is None:
        return parts
    flows = {flow for (flow, _), left in sweep.pending.items() if left}
    needed = [p for p in parts if p.name in flows or p.flow in flows]
    return parts if needed else []


def sweep(args):
    """Status of the run: 0 when no fault has led to what must not be."""
    why = hosts.why_not()
    if why is not None:
        say(skipped="sweep", why=why)
        return 1
    end = time.monotonic() + args.seconds if args.seconds else None
    begin, former, plants, violations = time.monotonic(), None, 0, []
    while True:
        with Plant() as plant:
            plants += 1
            current = Sweep(plant, lambda row: say(**row), chosen(args.point, args.part), former)
            try:
                while (parts := parts_for(current)) and current.tell(parts, end):
                    pass
            except (TimeoutError, AssertionError) as e:
                current.violations.append(repr(e))
            current.close()
        for violation in current.violations:
            say(violation=violation)
        violations += current.violations
        former = current
        if current.pending is None or not current.left or (end is not None and time.monotonic() > end):
            break
        if not current.violations:
            break
    say(**current.summary(), plants=plants, seconds=round(time.monotonic() - begin), violations=len(violations))
    unseen = [] if args.point else current.summary()["flows_never_run"]
    if unseen:
        print(f"no part of the story runs {', '.join(unseen)}: add one to tests/chaos/sweep.py", file=sys.stderr)
    return 1 if violations or unseen else 0
