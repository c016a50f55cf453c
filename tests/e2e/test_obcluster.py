# SPDX-License-Identifier: Apache-2.0
"""Managed clusters on real OceanBase kernels: taking over, watching while they die, hang and come back, parameters, password, sessions."""
import contextlib
import time

import pymysql
import pytest

from lib.py.process import wait_until

CLUSTERS = "/api/v2/ob/clusters"
CLUSTER_VIEWER = 107
QUICK = 2                 # seconds within which a look at what is known must answer, whatever the clusters do


def target(kernel, **more):
    return {"rootSysPassword": kernel.password, "address": kernel.host, "port": kernel.port, **more}


def finish(api, task):
    """The task when it has ended."""
    def ended():
        got = api.get(f"/api/v2/tasks/{task['id']}").data
        assert got["id"] == task["id"]
        return got if got["status"] != "RUNNING" else None
    return wait_until(ended, f"task {task['id']} ends")


def succeed(api, task):
    done = finish(api, task)
    assert done["status"] == "SUCCESSFUL", done
    return done


def take_over(api, kernel, **more):
    """Id of the cluster after its take-over."""
    started = api.post(f"{CLUSTERS}/takeOver", target(kernel, **more)).data
    assert started["id"] != started["clusterId"]
    succeed(api, started)
    return started["clusterId"]


def move_out(api, cluster):
    succeed(api, api.post(f"{CLUSTERS}/{cluster}/moveOut", {}).data)


@contextlib.contextmanager
def managed(api, kernel, **more):
    """The kernel is managed while the block runs."""
    cluster = take_over(api, kernel, **more)
    try:
        yield cluster
    finally:
        move_out(api, cluster)


def get(api, cluster, path=""):
    return api.get(f"{CLUSTERS}/{cluster}{path}").data


def wait_stale(api, cluster, stale=True):
    def seen():
        got = get(api, cluster)
        return got if got["stale"] is stale else None
    return wait_until(seen, f"cluster {cluster} is {'stale' if stale else 'fresh'}")


def parameter(api, cluster, name):
    [found] = [p for p in get(api, cluster, "/parameters")["contents"] if p["name"] == name]
    return found


def set_parameter(api, cluster, name, value):
    return api.put(f"{CLUSTERS}/{cluster}/parameters", [{"name": name, "value": value}])


def quickly(call, *args):
    before = time.monotonic()
    got = call(*args)
    assert time.monotonic() - before < QUICK
    return got


@pytest.fixture
def server(new_ocp_server, metadb):
    """An ocp-server of this test alone, for kernels of this test alone."""
    return new_ocp_server(metadb)


@pytest.fixture
def api(ocp_server):
    return ocp_server.api()                                # of each test: an idle connection may have been closed


# -- precheck -----------------------------------------------------------------------------------------------------

def check(api, body):
    data = api.post(f"{CLUSTERS}/takeOverPreCheck", body).data
    assert data["result"]["valid"] is (data["result"]["messages"] == [])
    return data


def test_check_says_what_it_would_be(api, seekdb):
    assert check(api, target(seekdb)) == {"clusterName": f"ob_127_0_0_1_{seekdb.port}", "engine": "SEEKDB",
                                          "result": {"valid": True, "messages": []}}
    named = check(api, target(seekdb, clusterName="mine", port=str(seekdb.port), connectionMode="Direct", obClusterId=None))
    assert named["clusterName"] == "mine"
    assert api.get(CLUSTERS).contents == []


def test_check_says_why_not(api, seekdb, mariadb_server):
    def why(**more):
        data = check(api, {**target(seekdb), **more})
        assert data["result"]["valid"] is False
        return data["result"]["messages"][0]
    assert "refuses the user root@sys" in why(rootSysPassword="wrong")
    assert "does not answer" in why(port=1)
    assert "does not answer" in why(address="no-such-host.invalid")
    assert "refuses" in why(port=mariadb_server.port)
    chinese = api.call("POST", f"{CLUSTERS}/takeOverPreCheck", target(seekdb, port=1), headers={"Accept-Language": "zh-CN"})
    assert "无响应" in chinese.data["result"]["messages"][0]


@pytest.mark.parametrize("body, code", [
    ({"connectionMode": "by-pigeon"}, 11040), ({"connectionMode": "PROXY"}, 11041), ({"clusterName": "9 lives"}, 11038),
    ({"port": 0}, 1001), ({"port": "x"}, 1001), ({"address": ""}, 1001), ({"rootSysPassword": None}, 1001),
])
def test_wrong_requests_are_refused(api, seekdb, body, code):
    for operation in ("takeOverPreCheck", "takeOver"):
        api.post(f"{CLUSTERS}/{operation}", {**target(seekdb), **body}).refused(400, code)


def test_mariadb_posing_as_oceanbase(api, new_mariadb):
    posing = new_mariadb(options=["--version=5.7.25-OceanBase-v4.3.5.3"])
    posing.sql("CREATE USER 'root@sys'@'127.0.0.1' IDENTIFIED BY 'Posing-1'")
    posing.sql("GRANT ALL PRIVILEGES ON *.* TO 'root@sys'@'127.0.0.1'")
    body = {"rootSysPassword": "Posing-1", "address": posing.host, "port": posing.port}
    [message] = check(api, body)["result"]["messages"]
    assert "is not an OceanBase: it answers as a MariaDB" in message
    api.post(f"{CLUSTERS}/takeOver", body).refused(400, naming="is not an OceanBase")
    assert api.get(CLUSTERS).contents == []


def test_hanging_target_is_given_up(api, new_seekdb):
    kernel = new_seekdb(password="Hanging-1")
    kernel.pause()
    before = time.monotonic()
    [message] = check(api, target(kernel))["result"]["messages"]
    assert "does not answer" in message and time.monotonic() - before < 15
    kernel.resume()
    assert check(api, target(kernel))["result"]["valid"]


# -- the way through ----------------------------------------------------------------------------------------------

def test_two_kernels_from_take_over_to_move_out(api, seekdb_pair):
    ids = [take_over(api, kernel) for kernel in seekdb_pair]
    for cluster, kernel in zip(ids, seekdb_pair):
        one = get(api, cluster)
        assert (one["engine"], one["status"], one["type"], one["stale"]) == ("SEEKDB", "RUNNING", "PRIMARY", False)
        assert "seekdb" in one["fullVersion"] and one["obVersion"].count(".") == 3
        assert [t["name"] for t in one["tenants"]] == ["sys"]
        [zone] = get(api, cluster, "/zones")["contents"]
        [server] = get(api, cluster, "/servers")["contents"]
        assert (server["ip"], server["sqlPort"], server["status"]) == (kernel.host, kernel.port, "RUNNING")
        assert get(api, cluster, f"/zones/{zone['name']}/servers")["contents"] == [server] == zone["servers"]
        [capacity] = get(api, cluster, "/serverStats")["contents"]
        total = get(api, cluster, "/stats")
        assert capacity["memoryTotalByte"] == total["memoryTotalByte"] == 1 << 30
        assert capacity["logDiskTotalByte"] == 2 << 30 and total["cpuTotal"] >= 1
        [unit] = get(api, cluster, "/units")["contents"]
        assert unit["svrIp"] == kernel.host and unit["tenantName"] == "sys"
    listed = api.get(CLUSTERS, {"size": 100}).contents
    assert {c["id"] for c in listed} == set(ids)
    assert {s["clusterId"] for s in api.get(f"{CLUSTERS}/stats").contents} == set(ids)
    assert [c["id"] for c in api.get(CLUSTERS, {"sort": "id,asc", "size": 1}).contents] == [min(ids)]
    assert api.get(CLUSTERS, {"status": "STOPPED"}).contents == []
    api.get(CLUSTERS, {"status": "ASLEEP"}).refused(400, naming="ASLEEP")
    for cluster, kernel in zip(ids, seekdb_pair):
        move_out(api, cluster)
        api.get(f"{CLUSTERS}/{cluster}").refused(404, 11001)
        assert kernel.sql("SELECT 1 AS one") == [{"one": 1}]
    assert api.get(CLUSTERS).contents == []


def test_task_of_a_take_over(api, seekdb):
    started = api.post(f"{CLUSTERS}/takeOver", target(seekdb, clusterName="tasked")).data
    assert started["clusterId"] and started["status"] in ("RUNNING", "SUCCESSFUL")
    done = succeed(api, started)
    assert [s["status"] for s in done["subtasks"]] == ["SUCCESSFUL"] * 4
    assert done["cluster"]["name"] == "tasked" and done["creator"]["name"] == api.user
    log = api.get(f"/api/v2/tasks/instances/{done['id']}/subtasks/{done['subtasks'][0]['id']}/log").data["log"]
    assert "lets root@sys in" in log and seekdb.password not in log
    assert done["id"] in [t["id"] for t in api.get("/api/v2/tasks/instances", {"clusterId": started["clusterId"]}).contents]
    move_out(api, started["clusterId"])


def test_one_instance_is_managed_once(api, seekdb, new_proxy):
    other_door = new_proxy((seekdb.host, seekdb.port))
    with managed(api, seekdb, clusterName="once") as cluster:
        api.post(f"{CLUSTERS}/takeOver", target(seekdb)).refused(409, 11034, "once")
        for body in (target(seekdb, port=other_door.port), target(seekdb, address="localhost")):
            api.post(f"{CLUSTERS}/takeOver", body).refused(409, 11034, "once")
            [message] = check(api, body)["result"]["messages"]
            assert "managed here already" in message
        assert [c["id"] for c in api.get(CLUSTERS).contents] == [cluster]


def test_a_name_is_taken_once(api, seekdb_pair):
    with managed(api, seekdb_pair[0], clusterName="same"):
        api.post(f"{CLUSTERS}/takeOver", target(seekdb_pair[1], clusterName="same")).refused(409, 11014, "same")


def test_unknown_clusters(api):
    for path in ("", "/stats", "/serverStats", "/units", "/zones", "/servers", "/zones/z/servers", "/parameters", "/parameterHistories",
                 "/sessions", "/compactions"):
        api.get(f"{CLUSTERS}/999999{path}").refused(404, 11001)
    api.post(f"{CLUSTERS}/999999/moveOut").refused(404, 11001)
    api.put(f"{CLUSTERS}/999999/parameters", [{"name": "a", "value": 1}]).refused(404, 11001)


def test_nothing_is_left_in_metadb(server, metadb, seekdb, mariadb_server):
    api = server.api()
    cluster = take_over(api, seekdb)
    set_parameter(api, cluster, "open_cursors", 2000).ok()
    move_out(api, cluster)
    for table in ("obcluster", "obzone", "observer", "obtenant", "obparameter_change"):
        [row] = mariadb_server.sql(f"SELECT COUNT(*) AS n FROM {metadb.name}.{table}")
        assert row["n"] == 0, table
    [row] = mariadb_server.sql(f"SELECT GROUP_CONCAT(context, name) AS texts FROM {metadb.name}.task")
    assert seekdb.password not in row["texts"]


def test_login_is_kept_in_the_password_box(api, seekdb):
    def kept():
        box = api.get("/api/v2/profiles/me/credentials", {"targetType": "OB"})
        assert seekdb.password.encode() not in box.body
        return [c["name"] for c in box.contents]
    with managed(api, seekdb, clusterName="boxed", saveToCredential=True) as cluster:
        assert kept() == ["root@sys#boxed"]
        change_password(api, cluster, seekdb.password, saveToCredential=True).ok()
        assert kept() == ["root@sys#boxed"]
    assert kept() == []


def test_take_over_that_fails_leaves_nothing(server, seekdb, new_proxy):
    api = server.api()
    with new_proxy((seekdb.host, seekdb.port), mysql=True) as proxy:
        traps = [proxy.cut_at(r"V\$OB_SERVER_STAT", when="request") for _ in range(8)]      # a look that fails is taken again twice
        started = api.post(f"{CLUSTERS}/takeOver", target(seekdb, port=proxy.port)).data
        done = finish(api, started)
        assert traps[0].fired and done["status"] == "FAILED"
        api.get(f"{CLUSTERS}/{started['clusterId']}").refused(404, 11001)
        for trap in traps:
            trap.disarm()
        with managed(api, seekdb):
            pass


def test_take_over_goes_on_after_kill(server, seekdb, new_proxy):
    api = server.api()
    with new_proxy((seekdb.host, seekdb.port), mysql=True) as proxy:
        proxy.delay(700)
        started = api.post(f"{CLUSTERS}/takeOver", target(seekdb, port=proxy.port)).data
        assert started["status"] == "RUNNING"
        server.kill()
        proxy.delay(0)
        server.start()
        succeed(api, started)
        assert get(api, started["clusterId"])["status"] == "RUNNING"


# -- while we look ------------------------------------------------------------------------------------------------

def test_kernel_killed_and_back(server, new_seekdb, seekdb):
    api, kernel = server.api(), new_seekdb(password="Killed-1")
    cluster, healthy = take_over(api, kernel), take_over(api, seekdb)
    get(api, cluster, "/parameters")                       # a session is open
    kernel.kill()
    stale = wait_stale(api, cluster)
    assert "cannot be reached" in stale["failToQueryFromObReason"] and stale["unreachableTime"] and stale["status"] == "RUNNING"
    assert [s["status"] for s in get(api, cluster, "/servers")["contents"]] == ["UNAVAILABLE"]
    message = quickly(api.get, f"{CLUSTERS}/{cluster}/parameters").refused(503, 11101)
    assert stale["name"] in message
    assert quickly(get, api, healthy)["stale"] is False
    assert quickly(get, api, healthy, "/parameters")["contents"]
    kernel.start()
    fresh = wait_stale(api, cluster, False)
    assert "failToQueryFromObReason" not in fresh and fresh["lastSeenTime"] > stale["lastSeenTime"]
    assert get(api, cluster, "/servers")["contents"][0]["startTime"] > stale["zones"][0]["servers"][0]["startTime"]


def test_kernel_hangs_and_wakes(server, new_seekdb, seekdb):
    api, kernel = server.api(), new_seekdb(password="Hanging-1")
    cluster, healthy = take_over(api, kernel), take_over(api, seekdb)
    get(api, cluster, "/parameters")
    kernel.pause()
    before = time.monotonic()
    refused = api.get(f"{CLUSTERS}/{cluster}/parameters")  # on the open session: the question is sent, no answer comes
    assert refused.status in (503, 504) and refused.json["error"]["code"] in (11101, 11102), str(refused)
    assert time.monotonic() - before < 15
    stale = wait_stale(api, cluster)
    assert stale["failToQueryFromObReason"]
    assert quickly(api.get, CLUSTERS).status == 200
    assert quickly(get, api, healthy, "/parameters")["contents"]
    kernel.resume()
    wait_stale(api, cluster, False)
    assert parameter(api, cluster, "open_cursors")["currentValue"]["values"] == ["2000"]


def test_another_instance_at_the_address(server, new_seekdb, new_proxy):
    api, first, second = server.api(), new_seekdb(password="Twin-1"), new_seekdb(password="Twin-1")
    with new_proxy((first.host, first.port)) as proxy:
        cluster = take_over(api, first, port=proxy.port)
        proxy.target = (second.host, second.port)
        proxy.cut()
        stale = wait_until(lambda: "Another instance" in get(api, cluster).get("failToQueryFromObReason", ""), "the other one is noticed")
        assert stale


def test_server_restarts_with_a_dead_kernel(server, new_seekdb):
    api, kernel = server.api(), new_seekdb(password="Gone-1")
    cluster = take_over(api, kernel)
    kernel.kill()
    wait_stale(api, cluster)
    server.restart()
    assert get(api, cluster)["stale"] is True
    kernel.start()
    wait_stale(api, cluster, False)
    kernel.kill()
    move_out(api, cluster)                                 # needs no kernel


# -- password -----------------------------------------------------------------------------------------------------

def change_password(api, cluster, new, **more):
    return api.post(f"{CLUSTERS}/{cluster}/changePassword", {"newPassword": new, **more})


def test_password_changed_behind_our_back(server, new_seekdb):
    api, kernel = server.api(), new_seekdb(password="First-1")
    cluster = take_over(api, kernel)
    kernel.set_password("Second-2")
    server.restart()                                       # open sessions would go on
    stale = wait_stale(api, cluster)
    assert "refuses the password kept here" in stale["failToQueryFromObReason"] and "changePassword" in stale["failToQueryFromObReason"]
    api.get(f"{CLUSTERS}/{cluster}/parameters").refused(409, 11100, stale["name"])
    change_password(api, cluster, "Third-3").refused(409, 11100)
    change_password(api, cluster, "Third-3", oldPassword="nonsense").refused(400, 11011)
    change_password(api, cluster, "Second-2").ok()         # the present one: it is kept
    wait_stale(api, cluster, False)
    assert parameter(api, cluster, "open_cursors")
    kernel.set_password("Fourth-4")
    change_password(api, cluster, "Fifth-5", oldPassword="Fourth-4").ok()
    kernel.password = "Fifth-5"
    assert kernel.sql("SELECT 1 AS one") == [{"one": 1}]
    assert parameter(api, cluster, "open_cursors")


def test_password_is_changed_and_verified(server, new_seekdb):
    api, kernel = server.api(), new_seekdb(password="Old-word-1")
    cluster = take_over(api, kernel)
    for wrong in ("", "a" * 129, "with\nline"):
        change_password(api, cluster, wrong).refused(400)
    for new in ("New-word-2", "quote'\"\\ #@:/ word-3"):
        change_password(api, cluster, new).ok()
        kernel.password = new
        assert kernel.sql("SELECT 1 AS one") == [{"one": 1}]
        assert parameter(api, cluster, "open_cursors")
    assert new.encode() not in server.log.read_bytes()


@pytest.mark.parametrize("when, becomes", [("answer", "New-word-2"), ("request", "Old-word-1")])
def test_lost_answer_to_a_password_change(server, new_seekdb, new_proxy, when, becomes):
    api, kernel = server.api(), new_seekdb(password="Old-word-1")
    with new_proxy((kernel.host, kernel.port), mysql=True) as proxy:
        cluster = take_over(api, kernel, port=proxy.port)
        trap = proxy.cut_at("ALTER USER", when=when)
        reply = change_password(api, cluster, "New-word-2")
        assert trap.fired
        kernel.password = becomes
        assert kernel.sql("SELECT 1 AS one") == [{"one": 1}]
        assert reply.status == (200 if when == "answer" else 503), str(reply)
        assert parameter(api, cluster, "open_cursors")


# -- parameters ---------------------------------------------------------------------------------------------------

def test_parameters_are_listed_and_changed(api, seekdb):
    with managed(api, seekdb) as cluster:
        described = parameter(api, cluster, "open_cursors")
        assert described["valueRange"] == {"type": "INT", "allowedValues": "", "minValue": "0", "maxValue": "65535"}
        assert (described["needRestart"], described["readonly"], described["defaultValue"]) == (False, False, "50")
        set_parameter(api, cluster, "open_cursors", 2001).ok()
        assert seekdb.sql("SHOW PARAMETERS LIKE 'open_cursors'")[0]["value"] == "2001"
        assert parameter(api, cluster, "open_cursors")["currentValue"]["values"] == ["2001"]
        set_parameter(api, cluster, "open_cursors", "2000").ok()
        set_parameter(api, cluster, "open_cursors", "many").refused(400, 11056)
        set_parameter(api, cluster, "no_such_parameter", 1).refused(400, 11055, "no_such_parameter")
        set_parameter(api, cluster, "data_dir", "/tmp").refused(400, 11058, "data_dir")
        api.put(f"{CLUSTERS}/{cluster}/parameters", []).refused(400)
        history = api.get(f"{CLUSTERS}/{cluster}/parameterHistories", {"name": "open_cursors"}).contents
        assert [(h["oldValue"], h["newValue"], h["outcome"]) for h in history] == [
            ("2000", "many", "FAILED"), ("2001", "2000", "SUCCESSFUL"), ("2000", "2001", "SUCCESSFUL")]
        assert history[0]["username"] == api.user and history[0]["reason"]
        assert "open_cursors" in [p["name"] for p in api.get(f"{CLUSTERS}/parameterInfo").contents]


@pytest.mark.parametrize("when, status, becomes", [("answer", 200, "2002"), ("request", 503, "2000")])
def test_lost_answer_to_a_parameter_change(server, seekdb, new_proxy, when, status, becomes):
    api = server.api()
    with new_proxy((seekdb.host, seekdb.port), mysql=True) as proxy:
        cluster = take_over(api, seekdb, port=proxy.port)
        trap = proxy.cut_at("ALTER SYSTEM SET open_cursors", when=when)
        reply = set_parameter(api, cluster, "open_cursors", "2002")
        assert trap.fired and reply.status == status, str(reply)
        [change] = api.get(f"{CLUSTERS}/{cluster}/parameterHistories").contents
        assert change["outcome"] == ("SUCCESSFUL" if status == 200 else "FAILED")
        assert seekdb.sql("SHOW PARAMETERS LIKE 'open_cursors'")[0]["value"] == becomes
        set_parameter(api, cluster, "open_cursors", "2000").ok()


# -- sessions, compaction -----------------------------------------------------------------------------------------

def test_sessions_are_listed_and_killed(api, seekdb):
    with managed(api, seekdb) as cluster:
        victim = seekdb.connect(database="oceanbase")
        tenant = get(api, cluster)["tenants"][0]["id"]
        for where in ("", f"/tenants/{tenant}"):
            listed = api.get(f"{CLUSTERS}/{cluster}{where}/sessions", {"size": 1000}).contents
            [session] = [s for s in listed if s["id"] == victim.thread_id() or s.get("dbName") == "oceanbase"]
        api.post(f"{CLUSTERS}/{cluster}/sessions/{session['id']}/kill").ok()
        with pytest.raises(pymysql.err.Error):
            victim.cursor().execute("SELECT 1")
        api.post(f"{CLUSTERS}/{cluster}/sessions/999999999/kill").refused(404)
        api.get(f"{CLUSTERS}/{cluster}/tenants/999999/sessions").refused(404)


def test_compaction(api, seekdb):
    with managed(api, seekdb) as cluster:
        [before] = get(api, cluster, "/compactions")["contents"]
        api.post(f"{CLUSTERS}/{cluster}/compactions").ok()

        def compacted():
            [now] = get(api, cluster, "/compactions")["contents"]
            return now["status"] == "IDLE" and now["lastScn"] > before["lastScn"]
        wait_until(compacted, "the major compaction ends")


# -- who may ------------------------------------------------------------------------------------------------------

def test_viewers_change_nothing(server, seekdb):
    api = server.api()
    cluster = take_over(api, seekdb)
    api.post("/api/v2/iam/users", {"username": "viewer", "password": "First-pass1", "roles": [CLUSTER_VIEWER]}).ok()
    first = api.as_user("viewer", "First-pass1")
    first.post("/api/v2/profiles/me/changePassword", {"currentPassword": "First-pass1", "newPassword": "Second-pass2"}).ok()
    viewer = api.as_user("viewer", "Second-pass2")
    assert [c["id"] for c in viewer.get(CLUSTERS).contents] == [cluster]
    assert viewer.get(f"{CLUSTERS}/{cluster}/servers").contents
    set_parameter(viewer, cluster, "open_cursors", 2000).refused(403)
    change_password(viewer, cluster, "X-y-z-1").refused(403)
    viewer.post(f"{CLUSTERS}/{cluster}/moveOut").refused(403)
    viewer.post(f"{CLUSTERS}/takeOver", target(seekdb)).refused(403)
    viewer.post(f"{CLUSTERS}/{cluster}/sessions/1/kill").refused(403)
