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
