# SPDX-License-Identifier: Apache-2.0
"""The store on MariaDB and on the OceanBase kernel: its suite, migrations by several nodes, and a ledger under kills and cuts.

A longer run for the night, and the repetition of a run by the seed that it printed:
    OCP_STORE_SECONDS=3600 tests/run e2e
    OCP_STORE_SEED=12345 /usr/bin/python3 -m pytest tests/e2e/test_store.py -k ledger -s
"""
import os
import subprocess

import pytest

from lib.py.build import built_program
from lib.py.ledger import Ledger, Probe, survive
from lib.py.process import wait_until

SECONDS = float(os.environ.get("OCP_STORE_SECONDS", "18"))


@pytest.fixture(params=["mariadb", "seekdb"])
def new_server(request, new_mariadb, new_seekdb):
    """new_server() starts a server of this test alone."""
    return new_mariadb if request.param == "mariadb" else lambda: new_seekdb(password="Kernel-1")


@pytest.fixture(params=["mariadb", "seekdb"])
def shared_server(request):
    """One that nobody harms."""
    return request.getfixturevalue("mariadb_server" if request.param == "mariadb" else "seekdb")


@pytest.fixture
def database(shared_server):
    made = shared_server.create_database("store")
    yield made
    shared_server.drop_database(made)


# -- the suite --------------------------------------------------------------------------------------------------

def test_suite_on_the_kernel(seekdb):
    """tests/unit/test_store is run on MariaDB by make check."""
    program = built_program("tests/unit/test_store")
    run = subprocess.run([program], capture_output=True, text=True, timeout=300,
                         env={**os.environ, "OCP_TEST_SQL": f"{seekdb.host}:{seekdb.port}:root:{seekdb.password}"})
    assert run.returncode == 0, "\n".join(line for line in (run.stdout + run.stderr).splitlines() if "RUN  " not in line and " OK ]" not in line)


# -- migrations -------------------------------------------------------------------------------------------------

def rows(server, database, statement):
    return server.sql(statement, database=database.name)


def test_three_nodes_migrate_at_once(shared_server, database):
    nodes = [Probe(shared_server, database, "migrate", f"n{n}", 30000, "metadb") for n in range(3)]
    assert [node.result() for node in nodes] == [(0, "ok")] * 3
    done = rows(shared_server, database, "SELECT version, node FROM schema_migration ORDER BY version")
    assert [row["version"] for row in done] == list(range(1, len(done) + 1))
    assert sum(node.output().count("migration run") for node in nodes) == len(done), "each was run by one node"
    assert rows(shared_server, database, "SELECT owner FROM schema_lease") == [{"owner": ""}]


def test_node_killed_in_the_middle_is_taken_over(shared_server, database):
    first = Probe(shared_server, database, "migrate", "n1", 1000, "stuck")

    def in_the_middle():
        found = rows(shared_server, database, "SELECT table_name FROM information_schema.tables "
                     f"WHERE table_schema = '{database.name}' AND table_name = 'slow_b'")
        return found and rows(shared_server, database, "SELECT id FROM slow_a")

    wait_until(in_the_middle, "the first node is in the middle", alive=first.check_alive)
    first.kill()
    assert len(rows(shared_server, database, "SELECT version FROM schema_migration")) == 1
    others = [Probe(shared_server, database, "migrate", f"n{n}", 1000, "slow") for n in (2, 3)]
    assert [node.result() for node in others] == [(0, "ok")] * 2
    done = rows(shared_server, database, "SELECT version, node FROM schema_migration ORDER BY version")
    assert [row["node"][:2] for row in done][0] == "n1" and all(row["node"][:2] in ("n2", "n3") for row in done[1:])
    assert [row["version"] for row in done] == [1, 2, 3]
    assert rows(shared_server, database, "SELECT id FROM slow_a ORDER BY id") == [{"id": 1}, {"id": 2}]


def test_paused_node_does_no_harm_when_it_wakes_up(shared_server, database):
    first = Probe(shared_server, database, "migrate", "n1", 1000, "slow")
    wait_until(lambda: "version=1" in first.output(), "the first node has begun", alive=first.check_alive)
    first.pause()
    second = Probe(shared_server, database, "migrate", "n2", 1000, "slow")
    assert second.result() == (0, "ok")
    first.resume()
    assert first.result() == (0, "ok")
    assert [r["version"] for r in rows(shared_server, database, "SELECT version FROM schema_migration ORDER BY version")] == [1, 2, 3]
    assert rows(shared_server, database, "SELECT id FROM slow_a ORDER BY id") == [{"id": 1}, {"id": 2}]


def test_newer_and_changed_schemas_are_refused(shared_server, database):
    assert Probe(shared_server, database, "migrate", "n1", 30000, "slow").result() == (0, "ok")
    assert Probe(shared_server, database, "migrate", "n1", 30000, "older").result() == (
        1, "ERR_SCHEMA_NEWER The schema of MetaDB has version 3, this program knows versions up to 1. "
        "Install the newer version of ocp-server.")
    rows(shared_server, database, "DELETE FROM schema_migration WHERE version > 1")
    status, text = Probe(shared_server, database, "migrate", "n1", 30000, "changed").result()
    assert status == 1 and text.startswith("ERR_SCHEMA_CHANGED MetaDB: migration 1 (first) differs from the one that was run")


# -- ledger -----------------------------------------------------------------------------------------------------

def test_other_endpoint_takes_over(shared_server, database, new_proxy):
    """Two ways to one database, as through two load balancers: either may go."""
    assert Probe(shared_server, database, "migrate", "n1", 30000, "metadb").result() == (0, "ok")
    proxies = [new_proxy((shared_server.host, shared_server.port)) for _ in range(2)]
    ledger = Ledger(shared_server, database, proxies[0], 1, port=f"{proxies[0].port},{proxies[1].port}")
    client = ledger.clients[0]

    def goes_on(from_proxy):
        done, bytes_before = client.output().count("\nok "), from_proxy.n_bytes["up"]
        wait_until(lambda: client.output().count("\nok ") > done + 50 and from_proxy.n_bytes["up"] > bytes_before,
                   "the client works", alive=client.check_alive)

    goes_on(proxies[0])
    assert proxies[1].n_connections == 0
    for gone, there in (proxies, reversed(proxies)):
        gone.refuse()
        gone.cut()
        goes_on(there)
        gone.accept()
    ledger.stop()
    assert set(ledger.check()) == {"ok"}


def test_ledger_survives_kills_and_cuts(new_server, new_proxy, record_property):
    survive(new_server(), new_proxy, SECONDS, record_property)
