# SPDX-License-Identifier: Apache-2.0
"""A part of the crash-point sweep (tests/chaos/sweep.py): a cluster is created and deleted while whoever creates it dies, or stands still and goes on
too late, at a point of each step that changes something on hosts or in the cluster."""
import pytest

from chaos.plant import Plant
from chaos.points import understood
from chaos.sweep import Sweep, story
from lib.py import hosts
from lib.py.mysqlwire import COM_QUERY, CommandReader

NOT_HERE = hosts.why_not()
needs_hosts = pytest.mark.skipif(NOT_HERE is not None, reason=NOT_HERE or "")

FAULTS = {
    "create_cluster/Make directories": "agent-killed:after-effect",
    "create_cluster/Bring package": "worker-killed:after-effect",
    "create_cluster/Start observer": "agent-killed:after-record",
    "create_cluster/Bootstrap": "worker-killed:after-intent",
    "create_cluster/Set password": "worker-killed:after-effect",
    "create_cluster/Place zones": "leader-killed:after-record",
    "create_cluster/Set parameters": "worker-paused:after-effect",
    "delete_cluster/End observer": "worker-paused:after-intent",
    "delete_cluster/Remove directories": "agent-killed:after-intent",
}


@needs_hosts
def test_what_is_stopped_at_a_point_is_done_once():
    parts, said = [p for p in story() if p.name in ("create_cluster", "delete_cluster")], []
    with Plant(3) as plant:
        sweep = Sweep(plant, said.append, lambda flow, step, fault: FAULTS.get(f"{flow}/{step}") == str(fault))
        try:
            while sweep.left != 0 and sweep.tell(parts):
                assert sweep.told < 8, said
        finally:
            sweep.close()
    assert not sweep.violations, sweep.violations
    assert sweep.left == 0 and sum(sweep.struck.values()) + len(sweep.missed) == len(FAULTS), (sweep.pending, sweep.struck)
    assert not sweep.missed, sweep.missed


def packet(payload):
    return len(payload).to_bytes(3, "little") + b"\0" + payload


def test_statements_are_understood_however_they_are_sent():
    """As text, and prepared: once with the types of its parameters, then without."""
    reader = CommandReader()
    reader.feed(packet(bytes(40)))                                     # the login
    text = b"UPDATE subtask SET not_before = not_before + INTERVAL 1 MICROSECOND WHERE id = %s AND dispatch = %s AND worker_id = 1"
    [(_, plain)] = reader.feed(packet(bytes([COM_QUERY]) + text % (b"17", b"2")))
    assert understood(plain) == ("guard", [17, 2])
    [(_, prepare)] = reader.feed(packet(b"\x16" + text % (b"?", b"?")))
    assert understood(prepare) is None
    reader.answer(bytes([12, 0, 0, 1, 0, 9, 0, 0, 0]))
    head, values = b"\x17\x09\0\0\0\0\1\0\0\0\0", (17).to_bytes(8, "little") + (3).to_bytes(8, "little")
    [(_, first)] = reader.feed(packet(head + b"\1\x08\0\x08\0" + values))
    [(_, second)] = reader.feed(packet(head + b"\0" + values))
    assert understood(first) == understood(second) == ("guard", [17, 3])
