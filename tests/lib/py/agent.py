# SPDX-License-Identifier: Apache-2.0
"""An agent installed in a folder of a test, on a loopback address of its own, and the server's side of its protocol (tests/e2e/agentprobe)."""
import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

from .build import build_dir, built_program

OCP_ID = "0123456789abcdef0123456789abcdef"
LINEAGE = "fedcba9876543210fedcba9876543210"
PROCESSES = ("pos_proxy", "ocp_exporter", "obstat2", "ob_logtailer", "ob_cleaner")


def probe():
    return built_program("tests/e2e/agentprobe")


def wait_for(what, seconds=60):
    """The first true thing that `what` answers."""
    until = time.monotonic() + seconds
    while True:
        got = what()
        if got:
            return got
        assert time.monotonic() < until, f"in vain: {what}"
        time.sleep(0.02)


def start_time(pid, proc="/proc"):
    """Clock ticks since boot; None when there is no such process."""
    try:
        stat = (pathlib.Path(proc) / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = stat[stat.rindex(")") + 2:].split()
    return None if fields[0] in "ZX" else int(fields[19])


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Agent:
    """`folder` gets agent/ (its HOME), roots/ (what it may touch) and pki/ (the authority and the node's certificate). It leaves the systemd of this
    machine alone."""

    systemd = "scope =\n"

    def __init__(self, folder, address, port=62888, host=7, conf=""):
        self.folder, self.address, self.port, self.host = pathlib.Path(folder), address, port, host
        self.home, self.root, self.pki = (self.folder / d for d in ("agent", "roots", "pki"))
        for d in (self.root, self.pki, *(self.home / d for d in ("bin", "conf", "run", "log", "data"))):
            d.mkdir(parents=True, exist_ok=True)
        shutil.copy(build_dir() / "ocp-agent", self.home / "bin/ocp-agent")
        self._probe("found", self.pki)
        self._probe("issue", self.pki, f"ocp-agent:{OCP_ID}:{host}", "agent")
        self._probe("issue", self.pki, f"ocp-node:{OCP_ID}:1", "node")
        shutil.copy(self.pki / "authority.crt", self.home / "conf")
        (self.home / "conf/agent.pem").write_text((self.pki / "agent.crt").read_text() + (self.pki / "agent.key").read_text())
        for name in ("agent.crt", "agent.key"):
            (self.home / "conf" / name).symlink_to("agent.pem")
        (self.home / "conf/agent.conf").write_text(
            f"ocp_id = {OCP_ID}\nhost_id = {host}\nlisten = {address}\nport = {port}\nroots = {self.root}\n{self.systemd}{conf}")
        self.install()
        self.seq, self.epoch, self.pids = 0, 1, []

    def _probe(self, *args):
        return subprocess.run([probe(), *args], check=True, capture_output=True, text=True).stdout

    def install(self):
        subprocess.run([self.home / "bin/ocp-agent", "ocp_agent_ctl", "install"], check=True)

    def ctl(self, *args, check=True):
        return subprocess.run([self.home / "bin/ocp_agent_ctl", *args], check=check, capture_output=True, text=True, timeout=120)

    def start_proxy(self, env=None):
        """pos_proxy alone, without its guard."""
        process = subprocess.Popen([self.home / "bin/pos_proxy"], env=env, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent)
        wait_for(lambda: process.poll() is not None or "error" not in self.call(op="hello", deadlineMs=2000), 20)
        assert process.poll() is None, (self.home / "log/pos_proxy.log").read_text()
        return process

    def popen(self, request, name="node", **more):
        request = {"epoch": self.epoch, **request, **more}
        return subprocess.Popen([probe(), "call", self.pki, name, self.address, str(self.port), OCP_ID, str(self.host), json.dumps(request)],
                                stdout=subprocess.PIPE, text=True)

    def call(self, name="node", **request):
        out, _ = self.popen(request, name).communicate(timeout=120)
        return json.loads(out)

    def key(self, seq=None, task=1, step=1, dispatch=1):
        if seq is None:
            self.seq += 1
            seq = self.seq
        return {"ocpId": OCP_ID, "lineage": LINEAGE, "task": task, "step": step, "dispatch": dispatch, "seq": seq}

    def run(self, kind, key=None, **args):
        """A command to its end: its answer, or {"error": symbol, "text": ...}."""
        more = {k[1:]: args.pop(k) for k in [k for k in args if k.startswith("_")]}
        return self.call(op="command", kind=kind, key=key or self.key(), args=args, **more)

    def answer(self, kind, key=None, **args):
        got = self.run(kind, key, **args)
        assert "error" not in got, got
        return got["answer"]

    def query(self, *keys, **more):
        return self.call(op="query", keys=list(keys), **more)["commands"]

    def push(self, path):
        import hashlib
        sha = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
        got = self.call(op="push", sha256=sha, file=str(path))
        assert got.get("complete"), got
        return sha

    def pid(self, name):
        """Of one of the agent's processes, by its pid file; None when it does not run."""
        try:
            pid = int((self.home / f"run/{name}.pid").read_text())
        except (OSError, ValueError):
            return None
        try:
            exe = os.readlink(f"/proc/{pid}/exe")
        except OSError:
            return None
        return pid if exe.startswith(str(self.home)) and start_time(pid) else None

    def started(self):
        """Of the processes that a test has noted in `pids`, (pid, start time), those that still run."""
        return [pid for pid, start in self.pids if start_time(pid) == start]

    def stop(self):
        if (self.home / "bin/ocp_agent_ctl").exists():
            for group in ("ob_monitor", "obproxy_monitor", "ocp_agent"):
                self.ctl("stop", group, check=False)


def kill(pid, number=signal.SIGKILL):
    os.kill(pid, number)
    wait_for(lambda: start_time(pid) is None)
