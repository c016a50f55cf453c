# SPDX-License-Identifier: Apache-2.0
"""OceanBase 4.x clusters of several zones, servers and tenants, on the simulator: taking over through any server, and what is shown while servers
die, hang, return and lie, zones are stopped, tenants are dropped and passwords changed behind our back."""
import collections
import concurrent.futures
import contextlib
import threading

import pytest

from lib.py.obsim import Obsim
from lib.py.process import wait_until

CLUSTERS = "/api/v2/ob/clusters"
LOOK = ("DBA_OB_ZONES", "DBA_OB_SERVERS", "DBA_OB_UNITS", "DBA_OB_TENANTS WHERE tenant_type", "CDB_OB_SYS_VARIABLES", "CDB_OB_SERVICES",
        "min_observer_version")


@pytest.fixture(scope="module")
def api(ocp_server):
    return ocp_server.api()


@contextlib.contextmanager
def simulated(**shape):
    sim = Obsim(**{"zones": 3, "servers": 3, "tenants": 3, **shape})
    with sim:
        yield sim


def target(sim, server=None, **more):
    return {"rootSysPassword": sim.password, "address": server or sim.host, "port": sim.port, **more}


def finish(api, task):
    def ended():
        got = api.get(f"/api/v2/tasks/{task['id']}").data
        return got if got["status"] != "RUNNING" else None
    done = wait_until(ended, f"task {task['id']} ends")
    assert done["status"] == "SUCCESSFUL", done


def take_over(api, sim, server=None, **more):
    started = api.post(f"{CLUSTERS}/takeOver", target(sim, server, **more)).data
    finish(api, started)
    return started["clusterId"]


@contextlib.contextmanager
def managed(api, sim, server=None, **more):
    cluster = take_over(api, sim, server, **more)
    try:
        yield cluster
    finally:
        finish(api, api.post(f"{CLUSTERS}/{cluster}/moveOut", {}).data)


def get(api, cluster, path=""):
    return api.get(f"{CLUSTERS}/{cluster}{path}").data


def rows(api, cluster, path, **query):
    return api.get(f"{CLUSTERS}/{cluster}/{path}", query or None).contents


def server_of(api, cluster, ip):
    [found] = [s for s in rows(api, cluster, "servers") if s["ip"] == ip]
    return found


def wait_server(api, cluster, ip, status):
    return wait_until(lambda: server_of(api, cluster, ip)["status"] == status, f"{ip} is shown as {status}")


def messages(api, sim, **more):
    result = api.post(f"{CLUSTERS}/takeOverPreCheck", target(sim, **more)).data["result"]
    assert result["valid"] is not bool(result["messages"]), result
    return result["messages"]


# -- taking over ---------------------------------------------------------------------------------------------------------------


def test_through_any_of_its_servers(api):
    with simulated(enterprise=True) as sim, managed(api, sim, sim.servers()[4]) as cluster:
        shown = get(api, cluster)
        assert (shown["name"], shown["engine"], shown["obClusterId"]) == ("obcluster", "OCEANBASE", 1)
        assert shown["obVersion"] == "4.2.1.0" and shown["fullVersion"].startswith("4.2.1.0-1") and shown["type"] == "PRIMARY"
        assert (shown["serverCount"], shown["tenantCount"]) == (9, 4) and len(shown["zones"]) == 3
        assert [t["name"] for t in shown["tenants"]] == ["sys", "tenant1", "tenant2", "tenant3"]
        assert [r["role"] for r in shown["rootServers"]] == ["LEADER", "FOLLOWER", "FOLLOWER"]
        assert messages(api, sim, address=sim.servers()[8])[0].count("obcluster") == 1
        api.post(f"{CLUSTERS}/takeOver", target(sim, sim.servers()[8])).refused(409, code=11034)
        [listed] = [c for c in api.get(CLUSTERS, {"name": "obcluster", "status": "RUNNING", "size": 100}).contents if c["id"] == cluster]
        assert listed["fullVersion"] == shown["fullVersion"] and listed["tenants"] == shown["tenants"]


def test_topology(api):
    with simulated() as sim, managed(api, sim) as cluster:
        zones = rows(api, cluster, "zones")
        assert [(z["name"], z["regionName"], z["idcName"], z["serverCount"], z["status"], z["innerStatus"], z["type"]) for z in zones] == [
            (f"zone{i}", "region1", f"idc{i}", 3, "RUNNING", "ACTIVE", "ReadWrite") for i in (1, 2, 3)]
        servers = rows(api, cluster, "servers")
        assert sorted(s["ip"] for s in servers) == sorted(sim.servers())
        assert {s["status"] for s in servers} == {"RUNNING"} and all(s["startTime"] and "stopTime" not in s for s in servers)
        assert {(s["port"], s["sqlPort"], s["version"]) for s in servers} == {(2882, sim.port, servers[0]["version"])}
        assert [s["withRootserver"] for s in servers].count(True) == 1
        assert {s["ip"] for s in rows(api, cluster, "servers", idcName="idc2")} == set(sim.servers()[3:6])
        assert rows(api, cluster, "servers", regionName="nowhere") == []
        assert {s["ip"] for s in rows(api, cluster, "zones/zone3/servers")} == set(sim.servers()[6:])
        api.get(f"{CLUSTERS}/{cluster}/zones/zone4/servers").refused(404)


def test_capacity(api):
    with simulated() as sim, managed(api, sim) as cluster:
        [[total, assigned]] = sim.sql("SELECT SUM(mem_capacity), SUM(mem_assigned) FROM oceanbase.GV$OB_SERVERS")
        stats = get(api, cluster, "/stats")
        assert (stats["memoryTotalByte"], stats["memoryAssignedByte"], stats["tenantCount"]) == (int(total), int(assigned), 4)
        [same] = [s for s in api.get(f"{CLUSTERS}/stats").contents if s["clusterId"] == cluster]
        assert same == stats
        units = rows(api, cluster, "units")
        assert len(units) == int(sim.sql("SELECT COUNT(*) FROM oceanbase.DBA_OB_UNITS")[0][0])
        assert sum(s["unitCount"] for s in rows(api, cluster, "serverStats")) == len(units)
        tenant = get(api, cluster)["tenants"][1]
        mine = rows(api, cluster, "units", tenantId=tenant["id"])
        assert {u["tenantName"] for u in mine} == {"tenant1"} and {u["zone"] for u in mine} == {"zone1", "zone2", "zone3"}
        assert mine[0]["unitConfig"]["maxMemoryByte"] > 0 and mine[0]["resourcePoolId"]
        assert [u["obUnitId"] for u in rows(api, cluster, "units", obUnitIdList=mine[0]["obUnitId"])] == [mine[0]["obUnitId"]]
        there = rows(api, cluster, "units", serverIp=mine[0]["svrIp"])
        assert mine[0] in there and {u["svrIp"] for u in there} == {mine[0]["svrIp"]}
        one = get(api, cluster, f"/units/{mine[0]['obUnitId']}")
        assert (one["tenantName"], one["region"], one["serverIp"]) == ("tenant1", "region1", mine[0]["svrIp"]) and one["resourcePoolName"]
        api.get(f"{CLUSTERS}/{cluster}/units/999999").refused(404)


def test_all_reasons_at_once(api):
    with simulated(cluster="reasons:7") as sim:
        assert messages(api, sim, rootSysPassword="wrong") and not messages(api, sim)
        [only] = messages(api, sim, obClusterId=8)
        assert "has the number 7, not 8" in only
        with managed(api, sim, clusterName="taken_name"):
            with simulated(cluster="other:9", servers=1) as other:
                dead = other.servers()[2]
                other.ctl("kill", server=dead)
                wait_until(lambda: len(messages(api, other, clusterName="taken_name", obClusterId=8)) == 3, "all reasons are given")
                wrong, away, taken = messages(api, other, clusterName="taken_name", obClusterId=8)
                assert "number 9" in wrong and f"{dead}:2882 INACTIVE" in away and "taken_name" in taken
                api.post(f"{CLUSTERS}/takeOver", target(other)).refused(409, code=11050, naming=dead)
                other.ctl("start", server=dead)
                wait_until(lambda: not messages(api, other), "nothing speaks against it any more")


def test_many_at_once(api):
    """Clusters of one name and number are told apart by when they were made, and get names of their own."""
    with simulated(clusters=4, servers=1, tenants=1) as sim, simulated(clusters=1, servers=1, tenants=1) as twin:
        first = [sim.servers(c)[0] for c in ("obcluster", "obcluster2", "obcluster3", "obcluster4")]
        jobs = [(sim, server) for server in first] + [(twin, None)]
        with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
            ids = list(pool.map(lambda job: take_over(api, *job), jobs))
        names = [get(api, i)["name"] for i in ids]
        assert len(set(names)) == 5 and set(names[1:4]) == {"obcluster2", "obcluster3", "obcluster4"}
        assert {names[0], names[4]} in ({"obcluster", f"obcluster_{sim.port}"}, {"obcluster", f"obcluster_{twin.port}"})
        for i in ids:
            finish(api, api.post(f"{CLUSTERS}/{i}/moveOut", {}).data)


# -- watching ------------------------------------------------------------------------------------------------------------------


def test_servers_die_and_return(api):
    with simulated() as sim, managed(api, sim) as cluster:
        for victim in (sim.host, sim.servers()[5]):
            sim.ctl("kill", server=victim)
            wait_server(api, cluster, victim, "UNAVAILABLE")
            assert not get(api, cluster)["stale"] and server_of(api, cluster, victim)["innerStatus"] == "INACTIVE"
            assert len(rows(api, cluster, "parameters")) > 20, "other sessions go to a server that lives"
            sim.ctl("start", server=victim)
            wait_server(api, cluster, victim, "RUNNING")


def test_a_server_that_hangs_is_left(api):
    """It takes connections and answers nothing, and the cluster does not notice."""
    with simulated() as sim, managed(api, sim) as cluster:
        sim.ctl("hang", server=sim.host, on=True, leased=True)
        sim.sql("ALTER SYSTEM STOP SERVER '%s:2882'" % sim.servers()[4], server=sim.servers()[1])
        wait_server(api, cluster, sim.servers()[4], "STOPPED")
        assert not get(api, cluster)["stale"]
        assert rows(api, cluster, "sessions")
        sim.ctl("hang", server=sim.host, on=False)
        sim.sql("ALTER SYSTEM START SERVER '%s:2882'" % sim.servers()[4], server=sim.servers()[1])
        wait_server(api, cluster, sim.servers()[4], "RUNNING")


def test_all_servers_die_and_return(api):
    with simulated(servers=1) as sim, managed(api, sim) as cluster:
        for server in sim.servers():
            sim.ctl("kill", server=server)
        wait_until(lambda: get(api, cluster)["stale"], "the cluster is shown as unreachable")
        shown = get(api, cluster)
        assert shown["failToQueryFromObReason"] and {s["status"] for s in rows(api, cluster, "servers")} == {"UNAVAILABLE"}
        api.get(f"{CLUSTERS}/{cluster}/parameters").refused(503, code=11101)
        for server in sim.servers():
            sim.ctl("start", server=server)
        wait_until(lambda: not get(api, cluster)["stale"], "the cluster answers again")


def test_a_stopped_zone(api):
    with simulated() as sim, managed(api, sim) as cluster:
        sim.sql("ALTER SYSTEM STOP ZONE zone1")
        wait_until(lambda: rows(api, cluster, "zones")[0]["status"] == "STOPPED", "the zone is shown as stopped")
        assert [z["innerStatus"] for z in rows(api, cluster, "zones")] == ["INACTIVE", "ACTIVE", "ACTIVE"]
        wait_until(lambda: looked_at(sim) - set(sim.servers()[:3]), "the looks go to another zone")
        sim.sql("ALTER SYSTEM START ZONE zone1")
        wait_until(lambda: rows(api, cluster, "zones")[0]["status"] == "RUNNING", "the zone serves again")


def looked_at(sim, n=6):
    """Which servers the last statements of looks went to."""
    looks = [s for s in sim.audit() if LOOK[0] in s["text"]]
    return {s["server"].split(":")[0] for s in looks[-1:]} if n else set()


def test_the_root_service_moves(api):
    with simulated() as sim, managed(api, sim) as cluster:
        def leader():
            return get(api, cluster)["rootServers"][0]
        former = leader()
        [other] = [r for r in get(api, cluster)["rootServers"] if r["role"] == "FOLLOWER"][:1]
        sim.ctl("rootserver", server=other["address"].split(":")[0])
        wait_until(lambda: leader()["address"] == other["address"], "the root service is shown where it is")
        assert former["address"] != other["address"] and [s["withRootserver"] for s in rows(api, cluster, "servers")].count(True) == 1


def test_a_server_that_lies_about_its_version(api):
    with simulated() as sim, managed(api, sim) as cluster:
        for version in ("5.7.25-OceanBase_CE-v9.9.9.9", "5.7.25-OceanBase_CE-v1.0.0.0"):
            sim.ctl("lie", server=sim.host, version=version, comment="OceanBase_CE 9.9.9.9 (r1-0) (Built Jan  1 2030 00:00:00)")
            sim.ctl("drop", server=sim.host)
            mark = get(api, cluster)["zones"][0]["updateTime"]
            sim.sql("ALTER SYSTEM STOP ZONE zone1", server=sim.servers()[4])
            wait_until(lambda: get(api, cluster)["zones"][0]["updateTime"] != mark, "another look was kept")
            assert get(api, cluster)["obVersion"] == "4.2.1.0" and not get(api, cluster)["stale"]
            sim.sql("ALTER SYSTEM START ZONE zone1", server=sim.servers()[4])
            wait_until(lambda: rows(api, cluster, "zones")[0]["status"] == "RUNNING", "the zone serves again")


def test_a_server_restarted_with_another_build(api):
    with simulated() as sim, managed(api, sim) as cluster:
        sim.ctl("kill", server=sim.servers()[8])
        sim.ctl("start", server=sim.servers()[8], build="4.2.1.2_102010012023120119-0123456789012345678901234567890123456789(Dec  1 2023 19:00:00)")
        wait_until(lambda: server_of(api, cluster, sim.servers()[8])["version"] == "4.2.1.2-102010012023120119", "the new build is shown")
        assert get(api, cluster)["obVersion"] == "4.2.1.0"


def test_a_tenant_dropped_while_we_read(api):
    with simulated() as sim, managed(api, sim) as cluster:
        sim.sql("DROP TENANT tenant2 FORCE")
        wait_until(lambda: [t["name"] for t in get(api, cluster)["tenants"]] == ["sys", "tenant1", "tenant3"], "the tenant is gone here too")
        wait_until(lambda: not [u for u in rows(api, cluster, "units") if u.get("tenantName") == "tenant2"], "its units are gone")


def test_a_password_changed_behind_our_back(api):
    with simulated() as sim, managed(api, sim) as cluster:
        sim.sql("ALTER USER root IDENTIFIED BY 'Elsewhere-2'")
        for server in sim.servers():
            sim.ctl("drop", server=server)
        shown = wait_until(lambda: (got := get(api, cluster))["stale"] and got, "the wrong password is noticed")
        assert "password" in shown["failToQueryFromObReason"] and sim.password not in str(shown)
        api.get(f"{CLUSTERS}/{cluster}/parameters").refused(409, code=11100)
        api.post(f"{CLUSTERS}/{cluster}/changePassword", {"newPassword": "Elsewhere-2"}).ok()
        wait_until(lambda: not get(api, cluster)["stale"], "the cluster can be asked again")
        api.post(f"{CLUSTERS}/{cluster}/changePassword", {"newPassword": "Third-pass-3"}).ok()
        sim.connect(password="Third-pass-3").close()


def test_cost_of_a_look(api):
    """Nine servers and two hundred tenants: so many statements a look, with one who watches and with fifty."""
    with simulated(tenants=200) as sim, managed(api, sim) as cluster:
        assert get(api, cluster)["tenantCount"] == 201
        counts = {viewers: statements_a_look(api, sim, cluster, viewers) for viewers in (1, 50)}
        assert counts[1] == counts[50] == len(LOOK), counts


def statements_a_look(api, sim, cluster, viewers, looks=4):
    """Of ocp-server, divided by the number of looks in the meantime."""
    stop = threading.Event()

    def view():
        own = api.as_user(api.user, api.password)
        while not stop.is_set():
            own.get(f"{CLUSTERS}/{cluster}").ok()
            own.get(f"{CLUSTERS}/{cluster}/zones").ok()
            own.get(f"{CLUSTERS}/{cluster}/units").ok()
    threads = [threading.Thread(target=view) for _ in range(viewers)]
    for thread in threads:
        thread.start()
    begin = len(sim.audit())

    def taken():
        seen = [s["text"] for s in sim.audit()[begin:]]
        marks = [i for i, text in enumerate(seen) if LOOK[0] in text]
        return seen[marks[0]:marks[looks]] if len(marks) > looks else None
    try:
        seen = wait_until(taken, f"{looks} looks with {viewers} viewers", 60)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    kinds = collections.Counter(next((k for k in LOOK if k in text), text) for text in seen)
    assert set(kinds) == set(LOOK) and set(kinds.values()) == {looks}, kinds
    return sum(kinds.values()) // looks


# -- parameters, sessions, events ------------------------------------------------------------------------------------------------


def values(api, cluster, name):
    [found] = [p for p in rows(api, cluster, "parameters") if p["name"] == name]
    return {(v["zone"], v["svrIp"]): v["value"] for v in found["currentValue"]["obParameters"]}, found


def test_parameters_by_scope(api):
    name = "syslog_level"
    with simulated() as sim, managed(api, sim) as cluster:
        path = f"{CLUSTERS}/{cluster}/parameters"
        servers = rows(api, cluster, "servers")
        before, shown = values(api, cluster, name)
        assert len(before) == 9 and shown["currentValue"]["singleValueInCluster"] and shown["scope"] == "CLUSTER"
        api.put(path, [{"name": name, "value": "ERROR"}]).ok()
        assert set(values(api, cluster, name)[0].values()) == {"ERROR"}
        api.put(path, [{"name": name, "value": "INFO", "zones": ["zone2"]}, {"name": name, "value": "DEBUG", "serverIds": [servers[0]["id"]]}]).ok()
        now, shown = values(api, cluster, name)
        assert {v for (zone, _), v in now.items() if zone == "zone2"} == {"INFO"}
        assert now[(servers[0]["zoneName"], servers[0]["ip"])] == "DEBUG"
        assert sorted(shown["currentValue"]["values"]) == ["DEBUG", "ERROR", "INFO"]
        assert shown["currentValue"]["valueToServers"]["DEBUG"] == [f"{servers[0]['ip']}:2882"]
        api.put(path, [{"name": name, "value": "WARN"}, {"name": "cpu_count", "value": "many", "zones": ["zone1"]}, {"name": name, "value": "INFO"}]).refused(400, code=11056)
        history = rows(api, cluster, "parameterHistories", size=100)
        assert sorted((h["scope"], h.get("target", ""), h["newValue"], h["outcome"]) for h in history) == sorted([
            ("CLUSTER", "", "ERROR", "SUCCESSFUL"), ("ZONE", "zone2", "INFO", "SUCCESSFUL"),
            ("SERVER", f"{servers[0]['ip']}:2882", "DEBUG", "SUCCESSFUL"), ("CLUSTER", "", "WARN", "SUCCESSFUL"),
            ("ZONE", "zone1", "many", "FAILED"), ("CLUSTER", "", "INFO", "SKIPPED")])
        api.put(path, [{"name": name, "value": "INFO", "zones": ["zone9"]}]).refused(404, naming="zone9")
        api.put(path, [{"name": name, "value": "INFO", "zones": ["zone1"], "serverIds": [servers[0]["id"]]}]).refused(400, code=11057)
        api.put(path, [{"name": "no_such_parameter", "value": "1"}]).refused(400, code=11055)


def test_parameters_of_tenants(api):
    with simulated() as sim, managed(api, sim) as cluster:
        path = f"{CLUSTERS}/{cluster}/parameters"
        tenant = get(api, cluster)["tenants"][1]
        [name] = [p["name"] for p in rows(api, cluster, "parameters") if p["scope"] == "TENANT" and p["name"] == "major_freeze_duty_time"]
        api.put(path, [{"name": name, "value": "04:30", "tenantIds": [tenant["id"]]}]).ok()

        def present():
            listed = sim.sql(f"SELECT tenant_id, value FROM oceanbase.GV$OB_PARAMETERS WHERE name = '{name}'")
            return {int(tenant_id): value for tenant_id, value in listed}
        assert present()[1002] == "04:30" and present()[1004] != "04:30" and present()[1] != "04:30"
        api.put(path, [{"name": name, "value": "05:00", "allTenants": True}]).ok()
        assert present()[1002] == present()[1004] == "05:00" and present()[1] != "05:00"
        api.put(path, [{"name": name, "value": "06:00", "zones": ["zone1"]}]).refused(400, code=11057)
        api.put(path, [{"name": "syslog_level", "value": "INFO", "tenantIds": [tenant["id"]]}]).refused(400, code=11057)


def test_sessions_end_on_the_server_they_are_on(api):
    with simulated() as sim, managed(api, sim) as cluster:
        victims = [sim.connect(server=sim.servers()[i], database="oceanbase") for i in (4, 8)]
        for victim, ip in zip(victims, (sim.servers()[4], sim.servers()[8])):
            [session] = [s for s in rows(api, cluster, "sessions", size=1000) if s["svrIp"] == ip and s.get("dbName") == "oceanbase"]
            assert session["tenant"] == "sys" and session["dbUser"] == "root"
            api.post(f"{CLUSTERS}/{cluster}/sessions/{session['id']}/kill", {"svrIp": ip}).ok()
            with pytest.raises(Exception), victim.cursor() as cursor:
                cursor.execute("SELECT 1")
            assert (ip, session["id"]) not in [(s["svrIp"], s["id"]) for s in rows(api, cluster, "sessions", size=1000)]
        api.post(f"{CLUSTERS}/{cluster}/sessions/99999999/kill", {}).refused(404, code=90403)


def test_events(api):
    with simulated() as sim, managed(api, sim) as cluster:
        sim.sql("ALTER SYSTEM STOP ZONE zone3")
        sim.sql("ALTER SYSTEM START ZONE zone3")
        listed = api.get(f"{CLUSTERS}/{cluster}/events", {"size": 5}).data
        times = [event["time"] for event in listed["contents"]]
        assert listed["page"]["totalElements"] >= 2 and times == sorted(times, reverse=True) and len(times) <= 5
        zones = rows(api, cluster, "events", module="zone", size=100)
        assert {e["module"] for e in zones} == {"zone"} and {"stop_zone", "start_zone"} <= {e["event"] for e in zones}
        assert "zone3" in str(zones[0]["values"])
        assert rows(api, cluster, "events", module="zone", endTime="2001-01-01T00:00:00Z") == []
        assert len(rows(api, cluster, "events", startTime="2001-01-01T00:00:00Z", size=2, page=2)) <= 2


def test_compactions(api):
    with simulated() as sim, managed(api, sim) as cluster:
        names = [t["name"] for t in get(api, cluster)["tenants"]]
        before = {c["tenantName"]: c["frozenScn"] for c in rows(api, cluster, "compactions")}
        assert sorted(before) == sorted(names)
        tenant = get(api, cluster)["tenants"][1]
        api.post(f"{CLUSTERS}/{cluster}/tenants/{tenant['id']}/compactions").ok()
        [one] = rows(api, cluster, f"tenants/{tenant['id']}/compactions")
        assert one["tenantName"] == tenant["name"] and one["frozenScn"] > before[tenant["name"]]
