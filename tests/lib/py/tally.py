# SPDX-License-Identifier: Apache-2.0
"""Counts single tests in result files: automake's .trs with the .log beside it, and pytest's JUnit .xml.

Prints "PASSED FAILED SKIPPED", then the names of the tests with the outcome that is asked for, one per line. A test program whose log
shows cmocka or TAP counts its tests; any other counts as one. A program that failed without a failed test in
its log (it crashed, or a sanitizer ended it) counts one failure more.
"""
import collections
import pathlib
import re
import sys
import xml.etree.ElementTree

CMOCKA = re.compile(r"^\[ +(OK|FAILED|SKIPPED) +\] (\w\S*)$", re.M)
TAP = re.compile(r"^(ok|not ok)\b(?: \d+)?(?: - )?([^#\n]*)(# (?:SKIP|TODO)\b.*)?", re.M | re.I)
RESULT = re.compile(r"^:test-result: (\w+)", re.M)
WORDS = {"OK": "passed", "PASS": "passed", "XFAIL": "passed", "FAILED": "failed", "SKIPPED": "skipped", "SKIP": "skipped"}


def tap_outcome(word, remark):
    if remark.startswith("# SKIP"):
        return "skipped"
    return "passed" if word == "ok" or remark.startswith("# TODO") else "failed"


def of_log(text):
    """[(outcome, name)] of the tests that a log names, each name once: cmocka repeats the failed ones at its end."""
    found = {}
    for word, name in CMOCKA.findall(text):
        found.setdefault(name, WORDS[word])
    if not found:
        for word, name, remark in TAP.findall(text):
            found[f"{len(found) + 1} {name.strip()}"] = tap_outcome(word.lower(), remark.upper())
    return [(outcome, name) for name, outcome in found.items()]


def of_automake(trs):
    log = trs.with_suffix(".log")
    results = RESULT.findall(trs.read_text())
    outcome = "failed" if not results or set(results) & {"FAIL", "ERROR", "XPASS"} else WORDS[results[0]]
    tests = of_log(log.read_text(errors="replace")) if log.exists() else []
    if not tests or (outcome == "failed" and all(o != "failed" for o, _ in tests)):
        tests.append((outcome, trs.stem))
    return [(o, f"{trs.parent.name}/{trs.stem}: {n}") for o, n in tests]


def of_pytest(xml_file):
    tests = []
    for case in xml.etree.ElementTree.parse(xml_file).getroot().iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        tests.append((outcome, f"{case.get('classname')}.{case.get('name')}"))
    return tests


def main(wanted, *files):
    tests = []
    for file in map(pathlib.Path, files):
        if file.exists():
            tests += of_automake(file) if file.suffix == ".trs" else of_pytest(file)
    counts = collections.Counter(outcome for outcome, _ in tests)
    print(counts["passed"], counts["failed"], counts["skipped"])
    for outcome, name in tests:
        if outcome == wanted:
            print(name)


if __name__ == "__main__":
    main(*sys.argv[1:])
