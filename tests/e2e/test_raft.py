# SPDX-License-Identifier: Apache-2.0
"""Raft nodes as real processes: log, metadata and mutual TLS under kills, pauses and changes of members."""
import os
import signal
import ssl
import struct
import subprocess
import time

import pytest

from lib.py.process import new_dir, wait_until
from lib.py.raftprobe import SPARE, STANDBY, VOTER, Cluster, binary


HELLO = struct.Struct("<8s16sQQ88x")  # magic, cluster, generation, node, address


@pytest.fixture(scope="module")
def cluster():
    with Cluster(3) as c:
        yield c


def test_killed_leader_is_replaced_again_and_again(cluster):
    terms = set()
    leader = cluster.leader()
    for _ in range(8):
        term = leader.state["term"]
        terms.add(term)
        leader.kill()
        successor = cluster.leader(after=term)
        assert successor is not leader
        leader.start()
        cluster.settled()
        leader = cluster.leader()
    assert len(terms) == 8


def test_restarted_and_paused_followers_disturb_nobody(cluster):
    cluster.settled()
    leader = cluster.leader()
    term, changes = leader.state["term"], leader.status()["changes"]
    for follower in [n for n in cluster.alive() if n is not leader]:
        follower.kill()
        wait_until(lambda f=follower: leader.status()["members"][str(f.number)]["dead"], "its death is seen")
        follower.start()
        follower_number = str(follower.number)
        wait_until(lambda f=follower_number: leader.status()["members"][f]["connected"], "it is connected again")
        follower.signal(signal.SIGSTOP)
        wait_until(lambda: leader.say("note")["last"] >= leader.state["commit"], "entries are taken with one follower stopped")
        follower.signal(signal.SIGCONT)
        cluster.settled()
    assert leader.status()["term"] == term and leader.status()["changes"] == changes, "no change of role"


def test_paused_leader_is_replaced_and_follows_when_it_wakes(cluster):
    cluster.settled()
    leader = cluster.leader()
    term = leader.state["term"]
    leader.signal(signal.SIGSTOP)
    successor = cluster.leader(after=term, but=leader)
    leader.signal(signal.SIGCONT)
    wait_until(lambda: leader.status()["leader"] == successor.number, "the former leader follows")
    cluster.settled()


def test_leadership_is_handed_over(cluster):
    cluster.settled()
    leader = cluster.leader()
    heir = next(n for n in cluster.alive() if n is not leader)
    leader.say(f"transfer {heir.number}")
    assert cluster.leader(after=leader.state["term"] - 1, but=leader) is heir
    assert "error" in heir.say(f"transfer {heir.number}")
    assert heir.say("transfer 77")["error"]
    wait_until(lambda: "does not lead" in leader.say("note").get("error", ""), "who does not lead says so")


def test_members_come_and_go(cluster):
    cluster.settled()
    leader = cluster.leader()
    newcomer = cluster.join(4)
    leader.say(f"add 4 {newcomer.address}")
    wait_until(lambda: leader.status()["members"].get("4", {}).get("role") == SPARE and leader.status()["commit"] == leader.state["last"], "added")
    for role in (STANDBY, VOTER):
        wait_until(lambda r=role: "error" not in leader.say(f"assign 4 {r}") or leader.status()["members"]["4"]["role"] == r, f"role {role}")
        wait_until(lambda r=role: leader.status()["members"]["4"]["role"] == r and leader.state["commit"] == leader.state["last"], "committed")
    cluster.settled()
    assert newcomer.status()["commit"] == leader.status()["commit"] > 0
    assert "it leads" in leader.say(f"remove {leader.number}")["error"]
    gone = next(n for n in cluster.alive() if n not in (leader, newcomer))
    wait_until(lambda: "error" not in leader.say(f"remove {gone.number}"), "the change is accepted")
    wait_until(lambda: str(gone.number) not in leader.status()["members"] and leader.state["commit"] == leader.state["last"], "removed")
    began, known = time.monotonic(), gone.log().count("connected to member")
    wait_until(lambda: gone.log().count("connected to member") >= known + 20, "it does not know, and goes on trying")
    assert time.monotonic() - began > 1, "at a pace that disturbs nobody"
    gone.kill()
    term = leader.state["term"]
    leader.kill()
    assert cluster.leader(after=term).number in (newcomer.number, *(n.number for n in cluster.alive()))
    leader.start()
    cluster.settled()


def test_strangers_get_nothing(cluster):
    victim = cluster.leader()
    with Cluster(1, election_ms=500) as other:
        other.leader()
        assert greet(victim, certificate=other.top / "1.crt") == b"", "nothing is said to another cluster's node"
        assert greet(victim, authority=other.top / "ca.crt", certificate=other.top / "1.crt") == b""
    assert greet(victim, authority=cluster.top / "ca.crt") == b"", "nothing is said without a certificate"
    wait_until(lambda: "do not accept each other's certificate" in victim.log() or "is lost" in victim.log(), "the refusal is logged")
    assert greet(victim, authority=cluster.top / "ca.crt", certificate=cluster.top / "2.crt")[:8] == b"OCPPEER1", "ours are answered"


def test_first_byte_tells_raft_from_a_call(cluster):
    victim = cluster.leader()
    term, lines = victim.state["term"], len(victim.lines)
    record = b"\x16\x03\x01\x00\x05hello"
    silent = [victim.connect() for _ in range(100)]
    with victim.connect() as call:
        call.sendall(record)
        wait_until(lambda: {"call": record.hex()} in victim.lines[lines:], "the socket is handed over with all of its bytes")
    with victim.connect() as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert ended(stranger), "what is neither is closed"
    assert all(ended(s) for s in silent), "who says nothing is closed"
    cluster.settled()
    assert victim.status()["term"] == term


def ended(connection):
    """Waits for the end; a reset is one, too."""
    connection.settimeout(60)
    try:
        return connection.recv(100) == b""
    except ConnectionResetError:
        return True


def greet(node, authority=None, certificate=None):
    """What a node says to a member's Raft connection: mark, TLS, hello."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED if authority else ssl.CERT_NONE
    if authority:
        context.load_verify_locations(authority)
    if certificate:
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    try:
        with node.connect() as raw:
            raw.sendall(b"R")
            with context.wrap_socket(raw) as tls:
                tls.sendall(HELLO.pack(b"OCPPEER1", b"0123456789abcde", 1, 2))
                return tls.recv(128)
    except OSError:
        return b""


def test_damaged_log_refuses_the_start():
    top = new_dir("raft-damaged")
    subprocess.run([binary(), "found", top / "n1", "1", "127.0.0.1:1"], check=True, timeout=60)
    with open(top / "n1" / "log", "r+b") as f:
        f.seek(40)
        f.write(b"\xff" * 8)
    done = subprocess.run([binary(), "run", top / "n1", "127.0.0.1:1"], capture_output=True, text=True, timeout=60, input="")
    assert done.returncode == 1 and "is damaged" in done.stderr and "cluster remove" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system, which only root may")
def test_full_disk_ends_the_node_and_nothing_else():
    with Cluster(3) as cluster:
        leader = cluster.leader()
        cluster.settled()
        small = new_dir("raft-small")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", small], check=True, timeout=60)
        try:
            follower = next(n for n in cluster.alive() if n is not leader)
            follower.end()
            subprocess.run(["cp", "-a", f"{follower.dir}/.", small / "raft"], check=True, timeout=60)
            for certificate in cluster.top.glob("*.[ck][re][ty]"):
                subprocess.run(["cp", certificate, small], check=True, timeout=60)
            follower.dir.rename(follower.dir.with_name("former"))
            follower.dir.symlink_to(small / "raft")
            follower.start()
            cluster.settled()
            with open(small / "ballast", "wb") as f:
                try:
                    while True:
                        f.write(b"\0" * (1 << 20))
                        f.flush()
                except OSError:
                    pass
            assert wait_until(lambda: [leader.say("note"), not follower.lives][1], "the node ends when its disk is full")
            assert follower.process.wait(30) == 70
            term = leader.status()["term"]
            assert leader.say("note")["term"] == term
            done = subprocess.run([binary(), "run", follower.dir, follower.address], capture_output=True, text=True, timeout=60, input="")
            assert done.returncode == 1 and "MiB free" in done.stderr
        finally:
            for n in cluster.nodes.values():
                n.end()
            subprocess.run(["umount", small], check=True, timeout=60)
