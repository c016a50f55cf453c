# SPDX-License-Identifier: Apache-2.0
"""Two OCPs, each with a MetaDB of its own, want one cluster: it says whose it is, and goes from one to the other only when the first lets go of it."""
import contextlib
import re

import pytest

from lib.py.obsim import Obsim
from lib.py.process import wait_until
from lib.py.server import OcpServer

CLUSTERS = "/api/v2/ob/clusters"
SITE = "http://127.0.0.1:9999"


def finish(api, started, status="SUCCESSFUL"):
    """Waits for its end. Returns the cluster's id."""
    def over():
        task = api.get(f"/api/v2/tasks/{started['id']}").data
        return task if task["status"] != "RUNNING" else None
    task = wait_until(over, "the task ends")
    assert task["status"] == status, task
    return started["clusterId"]


@pytest.fixture(scope="module")
def ocps(mariadb_server):
    """Two that know nothing of each other, with an address that observers can be given."""
    with contextlib.ExitStack() as stack:
        apis = []
        for name in ("two0", "two1"):
            database = mariadb_server.create_database(name)
            stack.callback(mariadb_server.drop_database, database)
            apis.append(stack.enter_context(OcpServer(database)).api())
            apis[-1].patch("/api/v2/config/properties/ocp.site.url", {"value": SITE}).ok()
        yield apis


def url(sim):
    [value] = {row[0] for row in sim.sql("SELECT value FROM oceanbase.GV$OB_PARAMETERS WHERE name = 'obconfig_url'")}
    return value


def test_a_cluster_has_one_ocp(ocps):
    first, second = ocps
    with Obsim(cluster="wanted:9", name="obsim-wanted") as sim:
        sim.sql("ALTER SYSTEM SET obconfig_url = 'http://10.9.9.9/services'")
        want = {"rootSysPassword": sim.password, "address": sim.host, "port": sim.port}
        mine = finish(first, first.post(f"{CLUSTERS}/takeOver", want).data)
        [owner] = re.findall(r"&User_ID=ocp&UID=([0-9a-f]{32})&ObCluster=wanted$", url(sim))
        seen = second.post(f"{CLUSTERS}/takeOverPreCheck", want).data["result"]
        assert seen["valid"] is False and owner in seen["messages"][0] and "Move it out" in seen["messages"][0]
        second.post(f"{CLUSTERS}/takeOver", want).refused(409, 11051, owner)
        first.post(f"{CLUSTERS}/{mine}/moveOut", {"targetConfigAddress": "ftp://x"}).refused(400)
        finish(first, first.post(f"{CLUSTERS}/{mine}/moveOut", {"targetConfigAddress": "http://10.0.0.1:8080"}).data)
        assert url(sim) == "http://10.0.0.1:8080/services?Action=ObRootServiceInfo&ObCluster=wanted"
        other = finish(second, second.post(f"{CLUSTERS}/takeOver", want).data)
        assert "UID=" in url(sim) and owner not in url(sim)
        finish(second, second.post(f"{CLUSTERS}/{other}/moveOut", {}).data)
        assert url(sim) == f"{SITE}/services?Action=ObRootServiceInfo&ObCluster=wanted"


def test_its_config_url_stays_when_that_is_wanted(ocps):
    api = ocps[0]
    with Obsim(cluster="kept:10", name="obsim-kept") as sim:
        sim.sql("ALTER SYSTEM SET obconfig_url = 'http://10.9.9.9/services'")
        want = {"rootSysPassword": sim.password, "address": sim.host, "port": sim.port, "switchConfigUrl": False}
        mine = finish(api, api.post(f"{CLUSTERS}/takeOver", want).data)
        assert url(sim) == "http://10.9.9.9/services"
        finish(api, api.post(f"{CLUSTERS}/{mine}/moveOut", {}).data)
        assert url(sim) == "http://10.9.9.9/services"


def test_a_take_over_that_fails_puts_it_back(ocps):
    """The kernel takes the URL and says no: what was there before is there again, and nobody has the cluster."""
    api = ocps[0]
    with Obsim(cluster="back:11", name="obsim-back") as sim:
        sim.sql("ALTER SYSTEM SET obconfig_url = 'http://10.9.9.9/services'")
        sim.fault("obconfig_url = .*UID", "error", number=4179, text="not today", done=True, times=10)
        want = {"rootSysPassword": sim.password, "address": sim.host, "port": sim.port}
        finish(api, api.post(f"{CLUSTERS}/takeOver", want).data, "FAILED")
        wait_until(lambda: url(sim) == "http://10.9.9.9/services", "its config URL is as it was")
        assert not api.get(CLUSTERS).contents


def test_a_config_url_that_somebody_has_rewritten_is_let_be(ocps):
    api = ocps[0]
    with Obsim(cluster="other:12", name="obsim-other") as sim:
        want = {"rootSysPassword": sim.password, "address": sim.host, "port": sim.port}
        mine = finish(api, api.post(f"{CLUSTERS}/takeOver", want).data)
        rewritten = url(sim).replace("/services?", "/behind/a/proxy?")
        sim.sql(f"ALTER SYSTEM SET obconfig_url = '{rewritten}'")
        finish(api, api.post(f"{CLUSTERS}/{mine}/moveOut", {}).data)
        assert url(sim) == rewritten
