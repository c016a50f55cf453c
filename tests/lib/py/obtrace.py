# SPDX-License-Identifier: Apache-2.0
"""What simulated observers were told (trace.jsonl of a cluster), and what a test wants to be true of it."""
import json
import pathlib
import re

_STOP = re.compile(r"ALTER\s+SYSTEM\s+(FORCE\s+STOP|STOP|ISOLATE|START)\s+(ZONE|SERVER)\s+(.*?);?\s*$", re.I | re.S)
_NAMES = re.compile(r"['`\"]([^'`\"]+)['`\"]|([\w.-]+)")


class Trace:
    """Lines of a trace, oldest first: statements (text, errno, server, user, tenant, ms) and events of processes (event, server)."""

    def __init__(self, lines):
        self.lines = list(lines)

    @classmethod
    def of(cls, path):
        path = pathlib.Path(path)
        return cls(map(json.loads, path.read_text(encoding="utf-8").splitlines()) if path.exists() else ())

    def statements(self, pattern="", succeeded=None):
        """Those that match (anywhere, in any case); with `succeeded`, only those that did, or did not."""
        return [line for line in self.lines if "text" in line and re.search(pattern, line["text"], re.I)
                and (succeeded is None or (line["errno"] == 0) == succeeded)]

    def events(self, name=None):
        return [line for line in self.lines if "event" in line and name in (None, line["event"])]

    def assert_once(self, pattern):
        """Exactly one statement like this has succeeded."""
        found = self.statements(pattern, succeeded=True)
        assert len(found) == 1, f"{len(found)} statements like {pattern!r} succeeded: {[f['text'] for f in found]}"
        return found[0]

    def assert_never(self, pattern):
        found = self.statements(pattern)
        assert not found, f"{found[0]['text']!r} was sent to {found[0]['server']}"

    def assert_order(self, *patterns):
        """The first success of each comes after the first success of the one before."""
        at = [self.lines.index(self.assert_some(pattern)) for pattern in patterns]
        assert at == sorted(at), f"not in this order: {patterns}; at lines {at}"

    def assert_some(self, pattern):
        found = self.statements(pattern, succeeded=True)
        assert found, f"no statement like {pattern!r} succeeded"
        return found[0]

    def stopped(self):
        """What is stopped after each statement that stops or starts zones and servers: pairs of its line and a set of ("ZONE", "zone1")."""
        now, all_ = set(), []
        for line in self.statements(succeeded=True):
            found = _STOP.search(line["text"])
            if not found:
                continue
            names = {(found[2].upper(), a or b) for a, b in _NAMES.findall(found[3].split(" ZONE ")[0])}
            now = now - names if found[1].upper() == "START" else now | names
            all_.append((line, set(now)))
        return all_

    def assert_one_zone_at_a_time(self, zone_of):
        """At no time were two zones stopped, or servers of two zones. `zone_of`: {"ip:rpc_port": zone}."""
        for line, names in self.stopped():
            zones = {zone_of.get(name, name) if kind == "SERVER" else name for kind, name in names}
            assert len(zones) <= 1, f"{sorted(zones)} are stopped at once by {line['text']!r} on {line['server']}"

    def assert_no_secret(self, *secrets):
        """None of these texts was ever sent as part of a statement that is no password's own place."""
        for line in self.statements():
            text = re.sub(r"IDENTIFIED\s+BY\s+(PASSWORD\s+)?'[^']*'", "", line["text"], flags=re.I)
            for secret in secrets:
                assert secret not in text, f"a secret in {line['text']!r}"


DELETIONS = ("SELECT value1, value3 FROM oceanbase.DBA_OB_ROOTSERVICE_EVENT_HISTORY WHERE module = 'server' AND event = 'delete_server' "
             "ORDER BY timestamp")


def assert_units_empty_before_delete(deletions, server):
    """In rows of DELETIONS: when DELETE SERVER came for ip:rpc_port, its units had left it already."""
    found = [int(units) for address, units in deletions if address.strip('"') == server]
    assert found, f"{server} was never to be deleted"
    assert not any(found), f"{server} had {found} units when it was to be deleted"
