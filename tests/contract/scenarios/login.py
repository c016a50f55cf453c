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


@scenario("iam-address-rules-list", "iam-address-rule-create", "iam-address-rule-get", "iam-address-rule-update", "iam-address-rule-delete")
def address_rules(walk):
    rule = walk.do("iam-address-rule-create", {"network": "127.0.0.0/8", "description": "walks", "enabled": False})
    assert [r["id"] for r in walk.rows("iam-address-rules-list")] == [rule["id"]]
    assert walk.do("iam-address-rule-update", {"description": "still walks"}, id=rule["id"])["network"] == "127.0.0.0/8"
    assert walk.do("iam-address-rule-get", id=rule["id"])["description"] == "still walks"
    walk.do("iam-address-rule-delete", id=rule["id"])
    walk.gone("iam-address-rule-get", id=rule["id"])
    walk.effect("iam-address-rule-delete")


@scenario("iam-user-rate-limit-get", "iam-user-rate-limit-update")
def rate_limits(walk):
    user = walk.do("session-get")["userId"]
    assert walk.do("iam-user-rate-limit-update", {"perDay": 100000000}, id=user) == {"perDay": 100000000}
    assert walk.do("iam-user-rate-limit-get", id=user) == {"perDay": 100000000}
    assert walk.call("iam-user-rate-limit-update", {"perDay": 0}, id=user).data == {}
