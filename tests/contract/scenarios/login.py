# SPDX-License-Identifier: Apache-2.0
"""How people and programs come in: sessions, access keys, addresses, histories."""
from . import scenario


@scenario("iam-login", "iam-logout", "session-get", "profile-sessions-list", "profile-session-delete", "iam-user-sessions-list",
          "iam-user-session-delete")
def console_sessions(walk):
    login = {"username": walk.api.user, "password": walk.api.password}
    for _ in range(2):
        assert walk.call("iam-login", login, api=walk.api.anonymous()).data["needChangePassword"] is False
    now = walk.do("session-get")
    assert now["username"] == walk.api.user and now["loginType"] == "PASSWORD"
    newer, older = walk.rows("profile-sessions-list")
    walk.do("profile-session-delete", id=newer["id"])
    walk.effect("profile-session-delete")
    assert [s["id"] for s in walk.rows("iam-user-sessions-list", id=now["userId"])] == [older["id"]]
    walk.do("iam-user-session-delete", id=now["userId"], sessionId=older["id"])
    assert not walk.call("profile-sessions-list").contents
    walk.effect("iam-user-session-delete")
    walk.effect("iam-login")
    assert walk.do("iam-logout")["location"]
    walk.effect("iam-logout")


@scenario("profile-access-keys-list", "profile-access-key-create", "profile-access-key-update", "profile-access-key-delete",
          "iam-user-access-keys-list", "iam-user-access-key-delete")
def access_keys(walk):
    user = walk.do("session-get")["userId"]
    first, second = (walk.do("profile-access-key-create", {"description": "walks"}) for _ in range(2))
    assert first["secretKey"] and {k["id"] for k in walk.rows("profile-access-keys-list")} == {first["id"], second["id"]}
    assert walk.do("profile-access-key-update", {"enabled": False}, id=first["id"])["enabled"] is False
    walk.do("profile-access-key-delete", id=first["id"])
    walk.effect("profile-access-key-delete")
    assert [k["id"] for k in walk.rows("iam-user-access-keys-list", id=user)] == [second["id"]]
    walk.do("iam-user-access-key-delete", id=user, keyId=second["id"])
    assert not walk.call("profile-access-keys-list").contents
    walk.effect("iam-user-access-key-delete")


@scenario("iam-login-histories-list", "profile-login-histories-list")
def login_history(walk):
    assert {r["result"] for r in walk.rows("iam-login-histories-list")} <= {"SUCCESS", "FAILED"}
    assert walk.rows("profile-login-histories-list")[0]["username"] == walk.api.user
