# SPDX-License-Identifier: Apache-2.0
"""tests/chaos/run --sweep and --stories: what is asked for, plants that come and go, the verdict."""
import json
import sys
import time
import zlib

from lib.py import hosts

from .plant import Plant
from .stories import Stories, whole_story
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


def there_are_hosts():
    why = hosts.why_not()
    if why is not None:
        say(skipped="everything", why=why)
    return why is None


def sweep(args):
    """Status of the run: 0 when no fault has led to what must not be."""
    if not there_are_hosts():
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


def stories(args):
    """The same for whole stories. Each has a seed of its own, the first one --seed; a plant in which something went wrong is not used again."""
    if not there_are_hosts():
        return 1
    begin, done, faults, violations = time.monotonic(), 0, 0, []
    while done < args.stories:
        with Plant() as plant:
            current = Stories(plant, lambda row: say(**row))
            parts = whole_story()
            try:
                current.tell(parts)
                while done < args.stories and not current.violations:
                    seed, done, since = args.seed + done, done + 1, time.monotonic()
                    n = current.tell_with(parts, seed)
                    faults += n
                    say(story=done, seed=seed, faults=n, seconds=round(time.monotonic() - since, 1), violations=len(current.violations))
            except (TimeoutError, AssertionError) as e:
                current.violations.append(repr(e))
            current.close()
        for violation in current.violations:
            say(violation=violation)
        violations += current.violations
        if done == 0:
            break                            # not even without faults
    say(stories=done, first_seed=args.seed, faults=faults, seconds=round(time.monotonic() - begin), violations=len(violations))
    return 1 if violations else 0
