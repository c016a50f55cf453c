# SPDX-License-Identifier: Apache-2.0
"""The report of the contract test, and the list of operations that must count.

usage: report.py RECORD.json        prints the report of a finished run (tests/run leaves build/contract.json)
"""
import json
import pathlib
import sys

COUNTED = pathlib.Path(__file__).with_name("counted.txt")


def summary(recorder, routes=None):
    """Plain data of a run: one row per operation. `routes` are the routes the server has, None when unknown."""
    return [{"id": r.operation.id, "origin": r.operation.origin, "method": r.operation.method,
             "path": r.operation.path, "routed": None if routes is None else r.operation.route in routes,
             "counts": r.counts, "success": r.n_success, "error": r.n_error, "expected": r.n_expected,
             "seen": r.n_seen, "missing": r.missing or [], "wrong": r.wrong,
             "why": "" if r.counts else _why(r, routes)} for r in recorder.records.values()]


def _why(record, routes):
    if routes is not None and record.operation.route not in routes:
        return "no such route yet"
    if record.n_success == 0:
        return "never called" if record.n_error == 0 else "never answered success"
    if record.wrong:
        return "members of the wrong type"
    if record.missing:
        return "members missing"
    if record.operation.kind in ("none", None):
        return "no scenario showed its effect"
    return "its data was always empty"


def render(rows):
    """The report as text: what does not count yet and why, then the totals."""
    lines = []
    for row in rows:
        if row["counts"] or row["why"] in ("no such route yet", "never called"):
            continue
        lines.append(f"{row['id']}  {row['method']} {row['path']}: {row['why']} ({row['seen']}/{row['expected']} members)")
        lines += [f"    missing {name}" for name in row["missing"]]
        lines += [f"    {name} {text}" for name, text in sorted(row["wrong"].items())]
    for origin in ("documented", "additional", "own"):
        of_origin = [r for r in rows if r["origin"] == origin]
        lines.append(f"{origin}: {sum(r['counts'] for r in of_origin)} / {len(of_origin)} operations count, "
                     f"{sum(r['routed'] is not False for r in of_origin)} have a route, "
                     f"members seen / expected {sum(r['seen'] for r in of_origin)} / {sum(r['expected'] for r in of_origin)}")
    return "\n".join(lines)


def committed():
    """The ids in counted.txt."""
    return COUNTED.read_text(encoding="utf-8").split()


def compare(rows, wanted):
    """What is wrong with the committed list: sentences, empty when it is exact, sorted and without repetition."""
    counting = {r["id"]: r for r in rows if r["counts"]}
    by_id = {r["id"]: r for r in rows}
    wrong = []
    if wanted != sorted(set(wanted)):
        wrong.append("counted.txt is not sorted, or names an operation twice")
    for name in wanted:
        if name not in by_id:
            wrong.append(f"{name} is in counted.txt, but no such operation exists")
        elif name not in counting:
            row = by_id[name]
            detail = "; ".join(row["missing"] + [f"{k} {v}" for k, v in sorted(row["wrong"].items())])
            wrong.append(f"{name} no longer counts: {row['why']}" + (f" ({detail})" if detail else ""))
    new = sorted(set(counting) - set(wanted))
    if new:
        wrong.append("these count now, add them to tests/contract/counted.txt: " + " ".join(new))
    return wrong


if __name__ == "__main__":
    print(render(json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))))
