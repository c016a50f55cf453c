# SPDX-License-Identifier: Apache-2.0
"""MetaDB away: reads are answered from memory and say so, changes wait for it and then say 503, whether it is gone or hangs."""
import threading
import time

import pytest

from lib.py.process import wait_until

REGIONS = "/api/v2/compute/regions"


@pytest.fixture
def world(new_mariadb, new_ocp_server):
    """A server, and its database, with one region."""
    database = new_mariadb()
    server = new_ocp_server(database.create_database("metadb"))
    api = server.api()
    api.post(REGIONS, {"name": "before"}).ok()
    return server, database, api


def is_away(api):
    return api.anonymous().get("/health").json["metadb"] == "down"


@pytest.mark.parametrize("hangs", [False, True], ids=["gone", "hangs"])
def test_reads_are_answered_from_memory_and_say_so(world, hangs):
    _, database, api = world
    fresh = api.get(REGIONS).ok()
    assert "stale" not in fresh.json and "age" not in fresh.headers
    (database.pause if hangs else database.kill)()
    try:
        wait_until(lambda: is_away(api), "it is seen")
        stale = api.get(REGIONS).ok()
        assert stale.json["data"] == fresh.json["data"] and stale.json["stale"] is True and int(stale.headers["age"]) >= 0
        assert stale.json["traceId"] != fresh.json["traceId"]
        never_asked = api.get(REGIONS, {"size": 7})
        never_asked.refused(503)
        assert never_asked.headers["retry-after"] == "1" and "MetaDB" in never_asked.json["error"]["message"]
        api.as_user("admin", "Wrong-1234").get(REGIONS).refused(503)
        assert api.get("/api/v2/info").ok().json.get("stale") is None, "what needs no MetaDB is not old"
    finally:
        (database.resume if hangs else database.start)()
    wait_until(lambda: "stale" not in api.get(REGIONS).ok().json, "fresh again")


@pytest.mark.parametrize("hangs", [False, True], ids=["gone", "hangs"])
def test_changes_wait_and_then_are_refused(world, hangs):
    _, database, api = world
    (database.pause if hangs else database.kill)()
    try:
        for _ in range(2):              # with a login confirmed just now, and with an old one
            began = time.monotonic()
            reply = api.post(REGIONS, {"name": "during"})
            assert time.monotonic() - began > 6, "it has waited"
            reply.refused(503)
            assert reply.headers["retry-after"] == "1"
    finally:
        (database.resume if hangs else database.start)()
    wait_until(lambda: api.get(REGIONS).json.get("stale") is None, "MetaDB is back")
    assert [r["name"] for r in api.get(REGIONS).contents] == ["before"], "what was refused was not done"


def test_a_change_that_waits_is_done_when_metadb_is_back(world):
    _, database, api = world
    database.kill()
    wait_until(lambda: is_away(api), "it is seen")
    replies = []
    waiting = threading.Thread(target=lambda: replies.append(api.post(REGIONS, {"name": "patient"})))
    waiting.start()
    database.start()
    waiting.join(60)
    assert replies and replies[0].status == 200, str(replies)


def test_one_does_not_see_what_another_saw(world):
    server, database, api = world
    api.post("/api/v2/iam/users", {"username": "anna", "password": "First-pass1", "roles": [101]}).ok()
    anna = api.as_user("anna", "First-pass1")
    anna.post("/api/v2/profiles/me/changePassword", {"currentPassword": "First-pass1", "newPassword": "Second-pass2"}).ok()
    anna = api.as_user("anna", "Second-pass2")
    anna.get("/api/v2/profiles/me").ok()
    assert api.get("/api/v2/profiles/me").data["username"] == "admin"
    database.kill()
    try:
        wait_until(lambda: is_away(api), "it is seen")
        assert anna.get("/api/v2/profiles/me").data["username"] == "anna"
        assert api.get("/api/v2/profiles/me").data["username"] == "admin"
        anna.get("/api/v2/iam/users").refused(403)
    finally:
        database.start()
    assert server.is_alive()
