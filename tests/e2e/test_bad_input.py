# SPDX-License-Identifier: Apache-2.0
"""What goes wrong outside and must end in an error that names host, step, reason and remedy, with nothing half-made left unseen. Each row has its
tests where the parts are that they need, marked `@pytest.mark.bad_input("row")`: `pytest -m bad_input tests` runs them all."""
import pathlib
import re

ROWS = {
    "wrong SSH password": "refused when hosts are looked at and when they are added",
    "host key changed": "nothing is sent there until a person accepts the new key",
    "full disk": "while a package is extracted; what was extracted is removed, and the step succeeds once there is room",
    "truncated or foreign package": "refused at the upload, by the agent, and what leads out of its directory",
    "wrong architecture": "of a host among others, and of a package for hosts of another",
    "port busy": "of the agent, of the observer",
    "directory not empty": "of the agent, of the observer; what is in it stays",
    "clock off": "found when hosts are looked at",
    "agent port closed": "by a firewall, from the beginning and later",
    "host rebooted in the middle": "while its agent is installed, while a cluster is founded",
    "package deleted while used": "refused while a task or a cluster needs it, also one that failed and may be tried again",
    "hostile names": "path traversal, control characters, 10 000 characters, in every member of every request and on hosts",
    "wild epoch": "a caller of the agent that claims 2^63-1 is not followed",
    "replayed or altered command": "acts once, and never with another content",
}
MARK = re.compile(r"^\s*(?:@|pytestmark = )pytest\.mark\.bad_input\(([^)]*)\)", re.MULTILINE)
TOP = pathlib.Path(__file__).resolve().parents[1]


def test_every_row_is_tested_and_known():
    found = {row for path in TOP.rglob("test_*.py") for marked in MARK.findall(path.read_text(encoding="utf-8"))
             for row in re.findall(r'"([^"]+)"', marked)}
    assert found == set(ROWS), found ^ set(ROWS)
