# SPDX-License-Identifier: Apache-2.0
"""A short slice of chaos: on three nodes the leader is killed, stopped and cut off, and all are restarted in turn, while clients call.

A command of its own (pytest tests/chaos), because the bounds of scenarios are times.
"""
import json
import os
import pathlib
import subprocess

RUN = pathlib.Path(__file__).resolve().parent / "run"


def test_slice_of_chaos(tmp_path):
    done = subprocess.run([RUN, "--slice", "--history", tmp_path / "history"], capture_output=True, text=True, timeout=300)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    scenarios = {line["scenario"]: line for line in lines if "scenario" in line}
    skipped = next((line["skipped"] for line in lines if "skipped" in line), [])
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    assert len(scenarios) + len(skipped) == 5 and (not skipped or os.geteuid() != 0)
    [judged] = [line["judged"] for line in lines if "judged" in line]
    assert scenarios["leader-killed"]["changes"] == scenarios["rolling-restart"]["changes"] == 1
    assert judged["claims"] >= 4 and judged["acknowledged"] > 50 and judged["fenced transactions"] > 20 and judged["effects"] > 10, judged
