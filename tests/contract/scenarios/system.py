# SPDX-License-Identifier: Apache-2.0
"""OCP itself: what it says about itself, and the people who use it."""
import datetime
import re

from . import scenario


@scenario("info-get", "time-get", "status-get")
def info_and_time(walk):
    info = walk.call("info-get").ok().json
    number = info["buildVersion"].split("_")[0]
    assert tuple(int(n) for n in number.split(".")) >= (4, 2, 0), "the deployer wants 4.2.0 or newer"
    before = datetime.datetime.now(datetime.timezone.utc)
    text = walk.call("time-get", api=walk.api.anonymous()).ok().body.decode()
    assert abs(datetime.datetime.fromisoformat(text.strip()) - before) < datetime.timedelta(seconds=60)
    assert walk.call("status-get").ok().body.decode().strip() == "okay"


@scenario()
def unknown_paths(walk):
    """Unknown paths are 404 without login; nothing may be mistaken for another server."""
    nobody = walk.api.anonymous()
    assert nobody.get("/debug/pprof/cmdline").status == 404
    walk.recorder.effect("debug-pprof-cmdline")
    walk.api.get("/api/v2/no/such/thing").refused(404)
    refused = walk.api.call("PATCH", "/api/v2/info")
    refused.refused(405)
    assert "GET" in refused.headers["allow"]


@scenario("profile-me-get")
def current_user(walk):
    me = walk.do("profile-me-get")
    assert me["username"] == walk.api.user


@scenario("iam-users-list")
def users_of_ocp(walk):
    names = [u["username"] for u in walk.rows("iam-users-list")]
    assert walk.api.user in names
    if walk.has("iam-user-create"):
        walk.do("iam-user-create", {"username": "walker", "password": "Walker-1234", "email": "walker@example.com",
                                    "roles": []})
        assert "walker" in [u["username"] for u in walk.rows("iam-users-list")]


@scenario("login-key-get")
def login_key(walk):
    assert "publicKey" in walk.call("login-key-get", api=walk.api.anonymous()).data


@scenario("livez", "readyz", "health")
def health(walk):
    nobody = walk.api.anonymous()
    for operation in ("livez", "readyz", "health", "leader"):
        assert walk.call(operation, api=nobody).ok().body
    assert walk.call("health", api=nobody).json["status"] == "ok"
    assert walk.call("replica", api=nobody).status == 503, "who leads is no replica"
    assert [m["leader"] for m in walk.rows("members")] == [True]
    assert walk.do("ocp-cluster-get")["active"] is True
    walk.call("ocp-leader-transfer", {"nodeId": 77}).refused(409)    # nobody else is there


@scenario("metrics", "actuator-prometheus", "monitor-prometheus-sd")
def metrics(walk):
    for operation in ("metrics", "actuator-prometheus"):
        assert b"\nocp_http_requests_total{" in walk.call(operation).ok().body
    assert isinstance(walk.call("monitor-prometheus-sd").ok().json, list)


@scenario("openapi", "api-page", "api-page-index", "api-page-file")
def page_of_the_api(walk):
    nobody = walk.api.anonymous()
    assert walk.call("openapi", api=nobody).json["openapi"] == "3.1.0"
    page = walk.call("api-page-index", api=nobody).ok()
    assert walk.call("api-page", api=nobody).status in (200, 301, 302, 307, 308)
    script = re.search(r'src="(?:[^"]*/)?([\w.-]+\.js)"', page.body.decode()).group(1)
    assert walk.call("api-page-file", api=nobody, file=script).headers["content-type"].startswith("text/javascript")


@scenario("mc-info-get")
def multi_cluster_info(walk):
    assert walk.call("mc-info-get", api=walk.api.anonymous()).data
