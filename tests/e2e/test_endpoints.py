# SPDX-License-Identifier: Apache-2.0
"""Clients with a list of endpoints need no load balancer: ocpctl, and the example of packaging/examples."""
import importlib.util
import json
import os
import subprocess
import sys

import pytest

from lib.py.ocpcluster import OcpCluster
from lib.py.process import wait_until
from lib.py.server import CHECKOUT

from e2e.test_ocpctl import REFUSED, Ctl, url_of

EXAMPLE = CHECKOUT / "packaging" / "examples" / "ocp_client.py"
REGIONS = "/api/v2/compute/regions"
CLUSTER = "/api/v2/ocp/cluster"
TRANSFER = "/api/v2/ocp/leader/transfer"


@pytest.fixture(scope="module")
def client_module():
    spec = importlib.util.spec_from_file_location("ocp_client", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def cluster(metadb):
    with OcpCluster(metadb) as running:
        wait_until(lambda: running.api(0).get(CLUSTER).data.get("active"), "a node leads")
        yield running


def endpoints(cluster):
    return [url_of(n) for n in cluster.nodes]


def test_ocpctl_goes_on_through_a_change_of_leaders(cluster):
    """What needs the leader works at once again for whoever is told to come back in a second."""
    ctl = Ctl(",".join(endpoints(cluster)), cluster.api(0).password)
    first = ctl.json("api", "GET", CLUSTER)
    leader = cluster.leader()
    leader.kill()
    told = json.loads(ctl("api", "POST", TRANSFER, "-", stdin='{"nodeId": 77}', status=REFUSED))
    assert told["error"]["code"] != 90104, "somebody leads who can tell that there is no such node"
    assert ctl.json("api", "GET", CLUSTER)["data"]["leaderId"] != first["data"]["leaderId"]
    rows = ctl.json("check", status=REFUSED)
    assert [r["ready"] for r in rows].count(True) == 2
    leader.start()


def test_example_stays_with_one_and_goes_elsewhere(cluster, client_module):
    ocp = client_module.Ocp(endpoints(cluster), "admin", cluster.api(0).password)
    ocp.call("POST", REGIONS, {"name": "one"})
    for _ in range(5):
        assert ocp.call("GET", REGIONS)
        assert ocp.at == 0, "it stays where it is"
    cluster.nodes[0].kill()
    ocp.call("POST", REGIONS, {"name": "two"})
    assert ocp.at != 0 and [r["name"] for r in ocp.call("GET", REGIONS)["contents"]].count("two") == 1
    assert ocp.call("GET", CLUSTER)["members"]
    with pytest.raises(client_module.OcpError, match="400|1000|name"):
        ocp.call("POST", REGIONS, {"name": ""})
    cluster.nodes[0].start()


def test_a_lost_answer_is_asked_for_again_and_acts_once(cluster, client_module, new_proxy):
    proxy = new_proxy((cluster.nodes[0].host, cluster.nodes[0].port))
    ocp = client_module.Ocp([f"http://{proxy.host}:{proxy.port}", endpoints(cluster)[1]], "admin", cluster.api(0).password)
    ocp.call("GET", REGIONS)
    trap = proxy.cut_after(1)                  # the answer's second byte never comes: the change was made, and nobody hears of it
    ocp.call("POST", REGIONS, {"name": "once"})
    assert trap.fired and ocp.at == 1
    assert [r["name"] for r in ocp.call("GET", REGIONS)["contents"]].count("once") == 1


def test_nobody_there_is_said(client_module):
    ocp = client_module.Ocp(["http://127.0.0.1:1", "127.0.0.1:2"], "admin", "x", deadline=0)
    with pytest.raises(ConnectionError, match="no endpoint answers"):
        ocp.call("GET", REGIONS)


def test_example_on_the_command_line(ocp_server):
    ocp_server.api()
    run = subprocess.run([sys.executable, EXAMPLE, "--server", f"http://127.0.0.1:1,{url_of(ocp_server)}", "GET", "/api/v2/profiles/me"],
                         env={**os.environ, "OCP_PASSWORD": ocp_server.password}, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0 and json.loads(run.stdout)["username"] == "admin", run.stderr
