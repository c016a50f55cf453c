# SPDX-License-Identifier: Apache-2.0
"""Processes with nothing but a Raft node (tests/e2e/raftprobe.c), and clusters of them on loopback addresses."""
import json
import pathlib
import signal
import socket
import subprocess
import threading

from .build import built_program
from .process import Port, new_dir, wait_until

STANDBY, VOTER, SPARE = range(3)


def binary():
    return built_program("tests/e2e/raftprobe")


class Node:
    """One node. `state` is what it said last, `lines` all of it."""

    def __init__(self, top, number, address, election_ms):
        self.dir, self.number, self.address, self.election_ms = top / f"n{number}", number, address, election_ms
        self.process, self.state, self.lines = None, {}, []

    def start(self):
        self.state = {}
        self.process = subprocess.Popen([binary(), "run", self.dir, self.address, str(self.election_ms)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=open(f"{self.dir}.log", "a"), text=True, bufsize=1)
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()
        return self

    def _listen(self, process):
        for line in process.stdout:
            said = json.loads(line)
            self.lines.append(said)
            if "role" in said and process is self.process:
                self.state = said

    @property
    def lives(self):
        return self.process is not None and self.process.poll() is None

    def say(self, command):
        """The answer to a command: its status, or {"error": text}. Other lines may come between."""
        before = len(self.lines)
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return wait_until(lambda: self.lines[-1] if len(self.lines) > before else None, f"answer to {command}", alive=self._must_live)

    def _must_live(self):
        if not self.lives:
            raise RuntimeError(f"node {self.number} ended with {self.process.returncode}\n{self.log()[-2000:]}")

    def status(self):
        return self.say("status")

    def connect(self):
        host, port = self.address.rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=60)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        if self.lives:
            self.process.send_signal(signal.SIGCONT)
            self.process.stdin.close()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode

    def log(self):
        return pathlib.Path(f"{self.dir}.log").read_text()


class Cluster:
    """`size` founders, running. Addresses are 127.0.0.1 to 127.0.0.N on one port."""

    def __init__(self, size=3, election_ms=500):
        self.top, self.port, self.election_ms = new_dir("raft"), Port(), election_ms
        self.founders = [self._address(i) for i in range(1, size + 1)]
        self.nodes = {}
        for i in range(1, size + 1):
            subprocess.run([binary(), "found", self.top / f"n{i}", str(i), ",".join(self.founders)], check=True, timeout=60)
            self.nodes[i] = Node(self.top, i, self._address(i), election_ms).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        ends = {n.number: n.end() for n in self.nodes.values() if n.lives}
        assert all(code == 0 for code in ends.values()), f"exit statuses {ends}\n" + "".join(n.log() for n in self.nodes.values())[-4000:]

    def _address(self, i):
        return f"127.0.0.{i}:{self.port.number}"

    def join(self, number):
        """A node that nobody knows yet."""
        subprocess.run([binary(), "join", self.top / f"n{number}", str(number)], check=True, timeout=60)
        self.nodes[number] = Node(self.top, number, self._address(number), self.election_ms).start()
        return self.nodes[number]

    def alive(self):
        return [n for n in self.nodes.values() if n.lives]

    def leader(self, after=0, but=None):
        """The node that leads in a term above `after`, once there is one."""
        def found():
            leaders = [n for n in self.alive() if n is not but and n.state.get("leads") and n.state["term"] > after]
            return max(leaders, key=lambda n: n.state["term"], default=None)
        return wait_until(found, f"a leader after term {after}; {[(n.number, n.lives, n.state) for n in self.nodes.values()]}")

    def settled(self):
        """All living nodes follow one leader and have the same log."""
        def same():
            states = [n.status() for n in self.alive()]
            return len({(s["term"], s["leader"], s["commit"], s["last"]) for s in states}) == 1 and states[0]["leader"] != 0
        wait_until(same, "one term, leader and log")
