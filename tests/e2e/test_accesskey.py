# SPDX-License-Identifier: Apache-2.0
"""Access keys on running servers, with the signing example of the documentation as the client."""
import email.utils
import json
import pathlib
import re
import subprocess
import time

import pytest

from lib.py.process import wait_promised, wait_until
from lib.py.server import OcpServer

from e2e.test_ocpctl import program as ocpctl_program
from e2e.test_iam import HOST_VIEWER, PROFILE, new_user, two_nodes  # noqa: F401 (a fixture)

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "access-keys.md"
KEYS = "/api/v2/profiles/me/accessKeys"
MINE = "/api/v2/profiles/me"


def example():
    code = re.search(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S).group(1)
    names = {}
    exec(compile(code, str(PAGE), "exec"), names)  # pylint: disable=exec-used
    return names


class Program:
    """A program with an access key."""

    def __init__(self, server, key):
        self.server = f"{server.host}:{server.port}"
        self.key = key
        self.call_example = example()["call"]

    def on(self, server):
        return Program(server, self.key)

    def call(self, method, target, body=b"", headers=None):
        status, text = self.call_example(self.server, self.key["accessKey"], self.key["secretKey"], method, target, body, headers)
        reply = json.loads(text)
        return status, reply.get("error", {}).get("code") or reply.get("data")

    def status(self, method="GET", target=MINE, **more):
        return self.call(method, target, **more)[0]


def program_of(server, api, description="test"):
    return Program(server, api.post(KEYS, {"description": description}).data)


def test_life_of_a_key(ocp_server):
    user, anna = new_user(ocp_server.api(), "key.anna", [PROFILE, HOST_VIEWER])
    made = anna.post(KEYS, {"description": "nightly"}).data
    assert len(made["accessKey"]) == 16 and len(made["secretKey"]) == 32 and made["enabled"] is True
    [listed] = anna.get(KEYS).contents
    assert listed["accessKey"] == made["accessKey"] and "secretKey" not in listed and "lastUsedTime" not in listed
    program = Program(ocp_server, made)
    assert program.call("GET", MINE) == (200, anna.get(MINE).data)
    assert program.call("GET", "/api/v2/compute/hosts?page=1&size=5&sort=name,asc")[0] == 200
    assert program.call("GET", "/api/v2/iam/users")[0] == 403
    assert program.call("GET", "/api/v2/session")[1]["loginType"] == "ACCESS_KEY"
    body, kind = json.dumps({"description": "by a program"}).encode(), {"Content-Type": "application/json"}
    assert program.call("PATCH", MINE, body, kind)[1]["description"] == "by a program"
    assert program.call("POST", KEYS) == (403, 90315)
    assert program.call("DELETE", f"{KEYS}/{made['id']}") == (403, 90315)
    wait_until(lambda: "lastUsedTime" in anna.get(KEYS).contents[0], "the use was noted")
    [seen] = ocp_server.api().get(f"/api/v2/iam/users/{user['id']}/accessKeys").contents
    assert seen["id"] == made["id"]
    anna.patch(f"{KEYS}/{made['id']}", {"enabled": False}).ok()
    assert program.call("GET", MINE) == (401, 90312)
    anna.patch(f"{KEYS}/{made['id']}", {"enabled": True, "description": "daily"}).ok()
    assert program.status() == 200
    anna.delete(f"{KEYS}/{made['id']}").ok()
    assert program.call("GET", MINE) == (401, 90312)
    anna.delete(f"{KEYS}/{made['id']}").refused(404)


def test_keys_of_others_stay_theirs(ocp_server):
    api = ocp_server.api()
    user, anna = new_user(api, "key.mine")
    _, ben = new_user(api, "key.other")
    key = anna.post(KEYS).data
    ben.patch(f"{KEYS}/{key['id']}", {"enabled": False}).refused(404)
    ben.delete(f"{KEYS}/{key['id']}").refused(404)
    ben.get(f"/api/v2/iam/users/{user['id']}/accessKeys").refused(403)
    assert ben.get(KEYS).contents == []
    api.delete(f"/api/v2/iam/users/100/accessKeys/{key['id']}").refused(404)
    api.delete(f"/api/v2/iam/users/{user['id']}/accessKeys/{key['id']}").ok()
    assert anna.get(KEYS).contents == []


def everything_in(server, database):
    tables = [row["Tables_in_" + database.name] for row in server.sql("SHOW TABLES", database=database.name)]
    return "".join(repr(server.sql(f"SELECT * FROM `{table}`", database=database.name)) for table in tables)


def test_the_secret_is_nowhere_but_in_the_reply(mariadb_server, metadb):
    with OcpServer(metadb) as server:
        api = server.api()
        headers = {"Idempotency-Key": "once-and-only"}
        first, second = (api.post(KEYS, {"description": "x"}, headers=headers).data for _ in range(2))
        assert first["secretKey"] != second["secretKey"]
        kept = everything_in(mariadb_server, metadb)
        assert first["accessKey"] in kept and first["secretKey"] not in kept and second["secretKey"] not in kept
        assert first["secretKey"] not in server.log.read_text()


def test_there_is_a_limit(ocp_server):
    _, anna = new_user(ocp_server.api(), "key.many")
    for _ in range(20):
        anna.post(KEYS).ok()
    anna.post(KEYS).refused(400, 90314, "20")


def test_a_key_counts_on_every_node_and_ends_everywhere(two_nodes):  # noqa: F811
    a, b = two_nodes
    api = a.api()
    user, anna = new_user(api, "anna")
    first, second = program_of(a, anna), program_of(a, anna)
    assert first.on(b).status() == 200 and second.on(b).status() == 200
    anna.delete(f"{KEYS}/{first.key['id']}").ok()
    wait_promised(lambda: first.on(b).status() == 401, "the deleted key has ended", seconds=2)
    assert second.on(b).status() == 200
    anna.post(f"{MINE}/changePassword", {"currentPassword": "First-pass1", "newPassword": "Second-pass1"}).ok()
    assert second.on(b).status() == 200
    api.patch(f"/api/v2/iam/users/{user['id']}", {"roles": [PROFILE, HOST_VIEWER]}).ok()
    wait_promised(lambda: second.on(b).status(target="/api/v2/compute/hosts") == 200, "the role counts", seconds=2)
    api.patch(f"/api/v2/iam/users/{user['id']}", {"enabled": False}).ok()
    wait_promised(lambda: second.on(b).status() == 401, "the disabled user's key has ended", seconds=2)
    api.patch(f"/api/v2/iam/users/{user['id']}", {"enabled": True}).ok()
    assert second.on(b).status() == 200
    api.delete(f"/api/v2/iam/users/{user['id']}").ok()
    wait_promised(lambda: second.on(b).status() == 401, "the deleted user's key has ended", seconds=2)


@pytest.mark.parametrize("minutes, status", [(-16, 401), (-14, 200), (14, 200), (16, 401)])
def test_the_clock_window(ocp_server, minutes, status):
    _, anna = new_user(ocp_server.api(), f"key.clock.{'m' if minutes < 0 else 'p'}{abs(minutes)}")
    program = program_of(ocp_server, anna)
    date = email.utils.formatdate(time.time() + minutes * 60, usegmt=True)
    got = program.call("GET", MINE, headers={"Date": date})
    assert got[0] == status and (status == 200 or got[1] == 90313)


@pytest.mark.parametrize("target", ["/api/v2/iam/users?b=2&a=1", "/api/v2/compute/hosts?name=x%20y&time=2023-01-17T09:13:57%2B08:00",
                                    "/api/v2/compute/hosts?name=%E4%B8%BB&ids=1,2"])
def test_targets_count_as_they_are_sent(ocp_server, target):
    api = ocp_server.api()
    [*old] = [k for k in api.get(KEYS).contents if k["description"] == "targets"]
    for key in old:
        api.delete(f"{KEYS}/{key['id']}").ok()
    assert program_of(ocp_server, api, "targets").status(target=target) == 200


def test_ocpctl_signs(ocp_server, tmp_path):
    _, anna = new_user(ocp_server.api(), "key.ctl")
    key = anna.post(KEYS).data
    def run(secret, *words):
        file = tmp_path / "secret"
        file.write_text(secret + "\n")
        file.chmod(0o600)
        argv = [ocpctl_program(), "--server", f"http://{ocp_server.host}:{ocp_server.port}", "--access-key", key["accessKey"], "--secret-key-file", file, *words]
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    done = run(key["secretKey"], "api", "GET", "/api/v2/session?x=a%20b")
    assert done.returncode == 0 and '"ACCESS_KEY"' in done.stdout.replace(" ", ""), done
    done = run(key["secretKey"], "api", "PATCH", MINE, '{"description":"by ocpctl"}')
    assert done.returncode == 0 and anna.get(MINE).data["description"] == "by ocpctl", done
    done = run(key["secretKey"], "api", "POST", "/api/v2/iam/logout")
    assert done.returncode == 0, done
    wrong = run("x" * 32, "api", "GET", MINE)
    assert wrong.returncode == 4 and "signature" in wrong.stdout
