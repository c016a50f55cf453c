# SPDX-License-Identifier: Apache-2.0
import contextlib
import json
import os
import pathlib

import pytest

from lib.py import hosts
from lib.py.ocpcluster import two_of_three
from lib.py.process import Port
from lib.py.server import OcpServer, built

from . import report
from .walk import Walk

# There is nothing to walk before the server is built.
collect_ignore = [] if built().exists() else ["test_walk.py"]


@pytest.fixture(scope="session")
def walk(request, mariadb_server, machines):
    """The walk over a running ocp-server that hosts of their own reach; kernels and simulated clusters start when a scenario first needs them."""
    database = mariadb_server.create_database("walk")
    with contextlib.ExitStack() as stack:
        stack.callback(mariadb_server.drop_database, database)
        server = OcpServer(database, settings={"http.monitoring_allow": "192.0.2.0/24", "http.allow_cleartext": "true",
                                               "configurl.networks": "198.18.0.0/15, 127.0.0.0/8"})
        if machines is not None and machines.here is not None:
            port = Port()
            stack.callback(port.release)
            server.extra["http.listen"] = f"127.0.0.1:{server.port}, {machines.here}:{int(port)}"
        api = stack.enter_context(server).api()
        if "http.listen" in server.extra:
            api.patch("/api/v2/config/properties/ocp.site.url", {"value": f"http://{machines.here}:{int(port)}"}).ok()
        api.patch("/api/v2/config/properties/ocp.host.ssh-ping.max-delay-millis", {"value": "60000"}).ok()   # a busy machine
        yield Walk(api, lambda: request.getfixturevalue("seekdb_pair"), lambda: request.getfixturevalue("obsim"), database, machines,
                   lambda: two_of_three(mariadb_server.create_database("walk_nodes")))


@pytest.fixture(scope="session")
def machines():
    """Bare hosts, four where there can be several; None where there can be none."""
    if hosts.why_not() is not None and os.geteuid() == 0:
        yield None
        return
    with hosts.machines(4) as there:
        yield there


def pytest_configure(config):
    config.contract_rows = None


def pytest_terminal_summary(terminalreporter, config):
    """The report, at the end of the run, and its data in the build folder."""
    if config.contract_rows is None:
        return
    terminalreporter.section("contract")
    terminalreporter.write_line(report.render(config.contract_rows))
    if os.environ.get("OCP_BUILD"):
        pathlib.Path(os.environ["OCP_BUILD"], "contract.json").write_text(json.dumps(config.contract_rows), encoding="utf-8")
