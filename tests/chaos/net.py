# SPDX-License-Identifier: Apache-2.0
"""Hosts as network namespaces on a bridge, and what goes wrong between them.

    enter()                              # first of all: this process moves into namespaces of its own, and all that it made ends with it
    net = Net()
    a, b = net.host("a"), net.host("b")
    Child([...], log, before=a.words)    # a process on that host
    net.cut(a, b)                        # what a sends never reaches b: one way
    net.heal()

Everybody sees the observer's address (Net.observer), whatever is cut. Without root there are loopback addresses, and net.real is False.
"""
import ctypes
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time

ENTERED = "CHAOS_ENTERED"
SIOCETHTOOL = 0x8946
ETHTOOL_SRXCSUM, ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO = 0x15, 0x17, 0x1f, 0x24, 0x2c


def enter():
    """Goes on in namespaces of its own (network, mounts, processes), as root; a second call does nothing. They end with this process."""
    if os.geteuid() != 0 or os.environ.get(ENTERED):
        return
    words = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]
    if subprocess.run([*words, "true"], capture_output=True).returncode != 0:
        return                               # a container that may not
    os.environ[ENTERED] = "1"
    os.execvp("unshare", [*words, sys.executable, *sys.argv])


def run(*words, text=None):
    done = subprocess.run([str(w) for w in words], input=text, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Host:
    """A machine. `words` before a command run it there."""

    def __init__(self, name, address, words=()):
        self.name, self.address, self.words = name, address, list(words)

    def __repr__(self):
        return self.name


class Net:
    """The hosts and the faults between them. `real`: there are namespaces, so that all faults exist."""

    client = observer = "127.0.0.1"          # where calls come from, and where this process looks from

    def __init__(self):
        self.real = os.geteuid() == 0 and bool(os.environ.get(ENTERED))
        self.hosts, self.cuts, self.losses, self.wires = {}, set(), {}, {}
        self._rates, self._loopbacks = set(), set()
        if not self.real:
            return
        self.client, self.observer = "10.77.0.254", "10.77.0.253"
        os.makedirs("/run/netns", exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/run/netns")
        run("ip", "link", "set", "lo", "up")
        # an address of its own: otherwise it has the lowest of its ports', and the hosts send to one that is gone once a wire is
        run("ip", "link", "add", "br0", "address", "02:00:0a:4d:00:fd", "type", "bridge")
        for address in (self.client, self.observer):
            run("ip", "addr", "add", f"{address}/24", "dev", "br0")
        run("ip", "link", "set", "br0", "up")

    def host(self, name):
        """The host of that name; made when it is asked for first."""
        if name not in self.hosts:
            number = len(self.hosts) + 1
            self.hosts[name] = self._make(name, number) if self.real else Host(name, f"127.0.77.{number}")
        return self.hosts[name]

    def _make(self, name, number):
        host = Host(name, f"10.77.0.{number}", ["nsenter", f"--net=/run/netns/{name}", "--"])
        run("ip", "netns", "add", name)
        run("ip", "link", "add", f"v{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "link", "set", f"v{name}", "master", "br0", "up")
        for words in (("link", "set", "lo", "up"), ("addr", "add", f"{host.address}/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
            run(*host.words, "ip", *words)
        run(*host.words, "nft", "-f", "-", text="table inet chaos {\n chain in {\n type filter hook input priority 0; policy accept;\n }\n}\n")
        return host

    def loopback_at(self, owner, networks):
        """Makes parts of 127.0.0.0/8 that `owner` serves (127.1.0.0/16, say) reachable from all other hosts, for programs that insist on such
        addresses."""
        if not self.real:
            return
        for host in self.hosts.values():
            run(*host.words, "sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1", "net.ipv4.conf.eth0.route_localnet=1")
            if host is owner or host in self._loopbacks:
                continue
            self._loopbacks.add(host)
            run(*host.words, "ip", "route", "del", "local", "127.0.0.0/8", "dev", "lo", "table", "local")
            run(*host.words, "ip", "route", "add", "local", "127.0.0.0/16", "dev", "lo", "table", "local")
            for network in networks:
                run(*host.words, "ip", "route", "add", network, "via", owner.address, "src", host.address)

    # -- faults -------------------------------------------------------------------------------------------------------------------------

    def cut(self, source, to):
        """Nothing that `source` (a host or an address) sends reaches the host `to` any more."""
        self.cuts.add((getattr(source, "address", source), to))
        self._apply(to)

    def part(self, some, others):
        """No packet passes between the two groups of hosts."""
        self.cuts |= {(getattr(x, "address", x), y) for a in some for b in others for x, y in ((a, b), (b, a))}
        for host in [*some, *others]:            # all rules of a host at once
            self._apply(host)

    def mend(self, some, others):
        """The end of part()."""
        for a, b in [(a, b) for a in some for b in others] + [(b, a) for a in some for b in others]:
            self.cuts.discard((a.address, b))
            self._apply(b)

    def isolate(self, host):
        """Its network is gone, for clients as well; only the observer still reaches it."""
        self.cuts.add((self.client, host))
        self.part([host], [h for h in self.hosts.values() if h is not host])

    def lose(self, source, to, percent):
        self.losses[(source.address, to)] = percent
        self._apply(to)

    def limit(self, host, rate):
        """What it sends goes at `rate`, as tc writes it: 256kbit."""
        run(*host.words, "tc", "qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", rate, "burst", "4kb", "latency", "400ms")
        self._rates.add(host)

    def wire(self, host, seed, **conditions):
        """Delays and reorders its packets, see Wire."""
        self.wires[host] = Wire(host, random.Random(seed), **conditions)

    def heal(self):
        """Ends all faults."""
        touched = {to for _, to in self.cuts} | {to for _, to in self.losses}
        self.cuts.clear()
        self.losses.clear()
        for host in touched:
            self._apply(host)
        for host in self._rates:
            run(*host.words, "tc", "qdisc", "del", "dev", "eth0", "root")
        self._rates.clear()
        for wire in self.wires.values():
            wire.remove()
        self.wires.clear()

    def _apply(self, host):
        rules = [f"ip saddr {a} drop" for a, to in self.cuts if to is host]
        rules += [f"ip saddr {a} numgen random mod 1000 < {round(p * 10)} drop" for (a, to), p in self.losses.items() if to is host]
        text = "flush chain inet chaos in\n" + "".join(f"add rule inet chaos in {r}\n" for r in rules)
        run(*host.words, "nft", "-f", "-", text=text)


class Wire(threading.Thread):
    """A cable between a host and the bridge that keeps each frame for delay_ms plus up to jitter_ms (so frames overtake each other),
    and sends some twice."""

    def __init__(self, host, rng, delay_ms=0.0, jitter_ms=0.0, twice_percent=0.0):
        super().__init__(daemon=True)
        self.host, self.rng = host, rng
        self.delay, self.jitter, self.twice = delay_ms / 1000, jitter_ms / 1000, twice_percent / 100
        self.outer, self.near, self.far = f"v{host.name}", f"w{host.name}", f"x{host.name}"
        run("ip", "link", "add", self.near, "type", "veth", "peer", "name", self.far)
        run("ip", "link", "set", self.far, "master", "br0", "up")
        run("ip", "link", "set", self.near, "up", "promisc", "on")
        for device in (self.outer, self.near, self.far):
            whole_frames(device)
        run(*host.words, sys.executable, "-c", "import sys; sys.path.insert(0, sys.argv[1]); from chaos.net import whole_frames; whole_frames('eth0')",
            os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        run("ip", "link", "set", self.outer, "nomaster", "promisc", "on")       # last: until the cable is there nothing passes
        self.sockets = [listen_raw(self.outer), listen_raw(self.near)]
        self.running = True
        self.n_frames = 0
        self.start()

    def run(self):
        waiting, number = [], 0
        a, b = self.sockets
        while self.running:
            timeout = min(max(waiting[0][0] - time.monotonic(), 0), 0.05) if waiting else 0.05
            for s in select.select(self.sockets, [], [], timeout)[0]:
                frame, (_, _, kind, *_) = s.recvfrom(65536)
                if kind == socket.PACKET_OUTGOING:
                    continue
                for _ in range(2 if self.rng.random() < self.twice else 1):
                    number += 1
                    due = time.monotonic() + self.delay + self.rng.random() * self.jitter
                    heapq.heappush(waiting, (due, number, b if s is a else a, frame))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, out, frame = heapq.heappop(waiting)
                self.n_frames += 1
                try:
                    out.send(frame)
                except OSError:
                    pass                     # too long for the wire, or a buffer is full: lost, as frames are

    def remove(self):
        self.running = False
        self.join()
        for s in self.sockets:
            s.close()
        run("ip", "link", "del", self.near)
        run("ip", "link", "set", self.outer, "master", "br0", "promisc", "off")


def listen_raw(device):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
    s.bind((device, 0x0003))
    return s


def whole_frames(device):
    """What the device sends is split and summed by the kernel, so that a frame can be passed on by hand."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for command in (ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO, ETHTOOL_STXCSUM, ETHTOOL_SRXCSUM):
        value = ctypes.create_string_buffer(struct.pack("II", command, 0))
        request = struct.pack("16sP", device.encode(), ctypes.addressof(value))
        try:
            fcntl.ioctl(s, SIOCETHTOOL, request)
        except OSError:
            pass                             # this kernel's veth never does it
    s.close()
