# SPDX-License-Identifier: Apache-2.0
import json
import os
import pathlib

import pytest

from lib.py import hosts
from lib.py.server import built

from . import report
from .walk import Walk

# There is nothing to walk before the server is built.
collect_ignore = [] if built().exists() else ["test_walk.py"]


@pytest.fixture(scope="session")
def walk(request, ocp_server):
    """The walk over a running ocp-server; its kernels and simulated clusters start when a scenario first needs them."""
    return Walk(ocp_server.api(), lambda: request.getfixturevalue("seekdb_pair"), lambda: request.getfixturevalue("obsim"),
                ocp_server.database, lambda: request.getfixturevalue("machine"))


@pytest.fixture(scope="session")
def machine():
    """A bare host."""
    with hosts.machine() as one:
        yield one


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
