# SPDX-License-Identifier: Apache-2.0
"""What the agent costs its host when nobody asks it for anything, beside Debian's node exporter alone; and how long a command takes over mutual TLS
on a kept connection: one that reads, and one whose intent and result are synced to the disk."""
import os
import pathlib
import re
import shutil
import subprocess
import time

from lib.py import agent as agents
from lib.py.process import new_dir

EXPORTER = "/usr/bin/prometheus-node-exporter"
TICK = os.sysconf("SC_CLK_TCK")
WIDTH = 16


def pss_kb(pids):
    return sum(int(re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{p}/smaps_rollup").read_text(), re.M).group(1)) for p in pids)


def cpu_seconds(pids):
    stats = (pathlib.Path(f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split() for p in pids)
    return sum((int(s[11]) + int(s[12])) / TICK for s in stats)


def idle(pids, seconds):
    """(PSS in KB, CPU in percent of a core) over `seconds` without any call."""
    before, began = cpu_seconds(pids), time.monotonic()
    time.sleep(seconds)
    return pss_kb(pids), 100 * (cpu_seconds(pids) - before) / (time.monotonic() - began)


def measure(emit, seconds=30):
    port, address = 63997, "127.0.58.1"
    a = agents.Agent(new_dir("bench"), address, conf=f"node_exporter = {EXPORTER}\nnode_exporter_port = {port}\n" if os.path.exists(EXPORTER) else "")
    shutil.copy("/bin/sleep", a.root / "observer")
    peer = subprocess.Popen([EXPORTER, f"--web.listen-address={address}:{port + 1}"], stderr=subprocess.DEVNULL) if os.path.exists(EXPORTER) else None
    observer = None
    try:
        a.ctl("start")
        agents.wait_for(lambda: "error" not in a.call(op="hello"))
        observer = a.answer("start_process", argv=[f"{a.root}/observer", "100000"])["pid"]
        pids = [agents.wait_for(lambda n=n: a.pid(n)) for n in (*agents.PROCESSES, "ocp_agentd")]
        ours = idle(pids, seconds)
        theirs = idle([peer.pid], seconds) if peer else (None, None)
        for name, unit, mine, other in (("agent memory, summed PSS of all processes, idle", "KB", ours[0], theirs[0]),
                                        ("agent CPU, idle", "% of a core", ours[1], theirs[1])):
            emit({"name": name, "unit": unit, "ours": round(mine, 3), "peer": other and round(other, 3), "peer_name": "node_exporter",
                  "ratio": round(mine / other, 3) if other else None})
        for name, kind, args in (("agent command that reads, p50", "host_info", {}), ("agent command that is journaled, p50", "mkdirs", {"paths": [f"{a.root}/d"]})):
            got = a.call(op="bench", times=500, kind=kind, key=a.key(step=7000 + len(kind)), args=args)
            emit({"name": name, "unit": "us", "ours": got["p50Us"], "peer": None, "peer_name": None, "ratio": None, "p99": got["p99Us"]})
        got = a.call(op="bench", times=100, width=WIDTH, kind="mkdirs", key=a.key(step=7100), args={"paths": [f"{a.root}/d"]})
        emit({"name": f"agent commands that are journaled, {WIDTH} side by side", "unit": "per second", "ours": got["perSecond"], "peer": None, "peer_name": None,
              "ratio": None, "p50_us": got["p50Us"]})
    finally:
        a.stop()
        for pid in filter(None, (observer, peer and peer.pid)):
            os.kill(pid, 9)
