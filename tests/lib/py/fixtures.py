# SPDX-License-Identifier: Apache-2.0
"""The fixtures of all pytest layers.

Servers that nobody harms are started once per session; a test that kills, stops or reconfigures one takes its
own from a new_... factory. Everything is gone when the test (or the session) ends.
"""
import contextlib
import signal

import pytest

from .galera import Galera
from .mariadb import MariaDB
from .obsim import Obsim
from .process import Child
from .proxy import Proxy
from .seekdb import Seekdb
from .server import OcpServer


def _interrupt(*_):
    raise KeyboardInterrupt


def pytest_configure():
    """SIGTERM, and SIGINT even when started in the background, end the run like Ctrl-C: fixtures are torn down."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)


def pytest_unconfigure():
    """The last line: whatever was started and not ended by its fixture ends with the run, after all fixtures."""
    Child.kill_all()


@pytest.fixture(scope="session")
def mariadb_server():
    """A running MariaDB for all tests of the session; it has a certificate, so clients choose TLS or not."""
    with MariaDB(tls=True) as server:
        yield server


@pytest.fixture
def metadb(mariadb_server):
    """An empty database of this test on mariadb_server."""
    database = mariadb_server.create_database("metadb")
    yield database
    mariadb_server.drop_database(database)


@pytest.fixture(scope="session")
def seekdb_metadb():
    """A running OceanBase kernel that holds MetaDBs."""
    with Seekdb(password="Kernel-metadb", name="seekdb-metadb") as server:
        yield server


@pytest.fixture
def metadb_on_kernel(seekdb_metadb):
    """An empty database of this test on seekdb_metadb."""
    database = seekdb_metadb.create_database("metadb")
    yield database
    seekdb_metadb.drop_database(database)


@pytest.fixture(scope="session")
def seekdb_embedded():
    """A running OceanBase kernel without TCP: reached through its `socket` only."""
    with Seekdb(embedded=True, name="seekdb-embedded") as server:
        yield server


@pytest.fixture(scope="session")
def seekdb():
    """A running OceanBase kernel with a password, to be taken over; nobody may kill it."""
    with Seekdb(password="Kernel-1") as kernel:
        yield kernel


@pytest.fixture(scope="session")
def seekdb_pair(seekdb):
    """Two of them."""
    with Seekdb(password="Kernel-2") as second:
        yield seekdb, second


@pytest.fixture
def new_mariadb():
    """new_mariadb(**as MariaDB) starts a server of this test alone."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(MariaDB(**options))


@pytest.fixture
def new_seekdb():
    """new_seekdb(**as Seekdb) starts a kernel of this test alone."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(Seekdb(**options))


@pytest.fixture
def new_galera():
    """new_galera(**as Galera) starts three MariaDB of this test alone that are one database behind one proxy."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(Galera(**options))


@pytest.fixture
def new_proxy():
    """new_proxy(target, **as Proxy) starts a proxy of this test."""
    with contextlib.ExitStack() as stack:
        yield lambda target, **options: stack.enter_context(Proxy(target, **options))


@pytest.fixture(scope="session")
def ocp_server(mariadb_server):
    """A running ocp-server on a database of mariadb_server, for tests that leave it as it was or only add to it. Nobody reads
    its metrics without a login."""
    database = mariadb_server.create_database("ocp")
    with OcpServer(database, settings={"http.monitoring_allow": "192.0.2.0/24"}) as server:
        yield server
    mariadb_server.drop_database(database)


@pytest.fixture
def new_ocp_server():
    """new_ocp_server(database, or None for a private one, **as OcpServer) starts a server of this test alone."""
    with contextlib.ExitStack() as stack:
        yield lambda database=None, **options: stack.enter_context(OcpServer(database, **options))


@pytest.fixture
def new_obsim():
    """new_obsim(**as Obsim) starts simulated OceanBase clusters of this test alone."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(Obsim(**options))


@pytest.fixture(scope="session")
def obsim():
    """A simulated cluster of three zones with two servers each and two tenants, for tests that leave it as it was."""
    with Obsim(servers=2, tenants=2, name="obsim-shared") as simulator:
        yield simulator
