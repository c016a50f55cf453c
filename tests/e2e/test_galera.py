# SPDX-License-Identifier: Apache-2.0
"""MetaDB on a Galera cluster of three behind HAProxy: it stands here for any MetaDB that is itself highly available."""
import itertools
import os
import random
import subprocess
import time

import pytest

from lib.py.build import built_program
from lib.py.callers import Callers
from lib.py.galera import Galera
from lib.py.ledger import Probe, survive
from lib.py.ocpcluster import OcpCluster
from lib.py.process import wait_until

SECONDS = float(os.environ.get("OCP_STORE_SECONDS", "18"))


@pytest.fixture(scope="module")
def galera():
    """For all tests of this file; whoever harms a member brings it back."""
    with Galera() as cluster:
        yield cluster


@pytest.fixture
def database(galera):
    made = galera.create_database("store")
    yield made
    galera.drop_database(made)


def test_suite_of_the_store(galera):
    run = subprocess.run([built_program("tests/unit/test_store")], capture_output=True, text=True, timeout=300,
                         env={**os.environ, "OCP_TEST_SQL": f"{galera.host}:{galera.port}:{galera.user}:{galera.password}"})
    assert run.returncode == 0, run.stdout + run.stderr


def test_everything_goes_to_one_member_and_to_another_when_that_is_gone(galera, database):
    first = galera.in_use()
    galera.sql("CREATE TABLE t (a BIGINT NOT NULL PRIMARY KEY)", database=database.name)
    galera.kill()
    galera.proxy.wait_status(f"db{galera.nodes.index(first) + 1}", "DOWN")
    galera.sql("INSERT INTO t VALUES (1)", database=database.name)
    second = galera.in_use()
    assert second is not first
    galera.start()
    galera.proxy.wait_status(f"db{galera.nodes.index(first) + 1}", "UP")
    galera.sql("INSERT INTO t VALUES (2)", database=database.name)
    assert galera.in_use() is second, "the one that came back gets nothing while another is in use"
    assert [n.status("wsrep_cluster_size") for n in galera.nodes] == ["3"] * 3


def test_a_member_that_lost_the_others_is_left(galera, database):
    """It lets everyone in and refuses all statements."""
    alone = galera.in_use()
    galera.sql("CREATE TABLE t (a BIGINT NOT NULL PRIMARY KEY)", database=database.name)
    galera.isolate()
    galera.proxy.wait_status(f"db{galera.nodes.index(alone) + 1}", "DOWN")
    galera.sql("INSERT INTO t VALUES (1)", database=database.name)
    assert galera.in_use() is not alone
    galera.rejoin()
    assert alone.sql("SELECT a FROM t", database=database.name) == [{"a": 1}]


def test_ledger_survives_kills_and_cuts(galera, new_proxy, record_property):
    survive(galera, new_proxy, SECONDS, record_property)


# -- leaders ----------------------------------------------------------------------------------------------------

class Leaders:
    """Processes that take the leadership from each other and write as leader, each through its own way to the database."""

    def __init__(self, galera, database, ways):
        assert Probe(galera, database, "migrate", "n1", 30000, "metadb").result() == (0, "ok")
        self.galera, self.database = galera, database
        for statement in ("CREATE TABLE lead_counter (id INT NOT NULL PRIMARY KEY, n BIGINT NOT NULL)", "INSERT INTO lead_counter VALUES (1, 0)",
                          "CREATE TABLE lead_entry (n BIGINT NOT NULL PRIMARY KEY, epoch BIGINT NOT NULL, node BIGINT NOT NULL, op BIGINT NOT NULL)"):
            galera.sql(statement, database=database.name)
        seed = random.randrange(1 << 30)
        self.probes = [Probe(way, database, "lead", n, seed + n, 300) for n, way in enumerate(ways, 11)]

    def said(self, word):
        return [sum(line.startswith(word) for line in p.lines()) for p in self.probes]

    def wait_changes(self, n):
        """Until each has claimed n times more and been told so often that it is no leader any more."""
        before = [min(pair) for pair in zip(self.said("claimed "), self.said("fenced "))]
        wait_until(lambda: all(c >= b + n and f >= b + n for b, c, f in zip(before, self.said("claimed "), self.said("fenced "))),
                   "the leadership changes", 120, lambda: [p.check_alive() for p in self.probes])

    def check(self):
        """The counter tells in which order transactions were committed: epochs follow that order, each of one node; nothing is lost or doubled."""
        for probe in self.probes:
            probe.signal(15)
        for probe in self.probes:
            wait_until(lambda p=probe: not p.is_alive(), "it ends", 120)
            assert probe.returncode == 0, probe.lines()[-20:]
        entries = self.galera.sql("SELECT n, epoch, node, op FROM lead_entry ORDER BY n", database=self.database.name)
        assert [e["n"] for e in entries] == list(range(1, len(entries) + 1))
        epochs = [e["epoch"] for e in entries]
        assert epochs == sorted(epochs), "a transaction of an older epoch was committed after a newer claim"
        assert len({(e["epoch"], e["node"]) for e in entries}) == len(set(epochs)), "two nodes wrote in one epoch"
        for node, probe in enumerate(self.probes, 11):
            written = [e["op"] for e in entries if e["node"] == node]
            fates = {line.split()[1]: line.split()[0] for line in probe.lines() if line.startswith(("ok ", "fenced ", "failed "))}
            assert len(written) == len(set(written)), "written twice"
            assert {int(op) for op, fate in fates.items() if fate == "ok"} <= set(written), "acknowledged and not there"
            assert not {int(op) for op, fate in fates.items() if fate != "ok"} & set(written), "refused and there"
        claimed = [line for p in self.probes for line in p.lines() if line.startswith("claimed ")]
        assert len(claimed) == len(set(claimed)), "one epoch was claimed twice"
        return f"{len(entries)} writes in {len(set(epochs))} epochs, fenced {self.said('fenced ')}"


def test_leaders_on_different_members_at_once(galera, database, record_property):
    """No proxy keeps them together: what two members certify at the same time must not pass the fence twice."""
    leaders = Leaders(galera, database, galera.nodes)
    leaders.wait_changes(5)
    record_property("leaders", leaders.check())


def test_leaders_while_the_member_in_use_dies(galera, database, record_property):
    leaders = Leaders(galera, database, [galera] * 3)
    for harm, repair in ((galera.kill, galera.start), (galera.stop, galera.start), (galera.pause, galera.resume)):
        leaders.wait_changes(2)
        harm()
        leaders.wait_changes(2)
        repair()
    record_property("leaders", leaders.check())


# -- the server -------------------------------------------------------------------------------------------------

def outlive(database, harms, record_property):
    """Three nodes and clients at each of them, while all of these things are done to MetaDB."""
    with OcpCluster(database) as cluster:
        turn = itertools.cycle(range(3))
        api = cluster.api()
        with Callers(lambda: cluster.api(next(turn)), threads=6) as callers:
            for harm, repair in harms:
                callers.wait_calls(30)
                harm()
                if repair is not None:
                    callers.wait_calls(30)
                    repair()
            callers.wait_calls(30)
        record_property("callers", callers.check(api))
        assert not callers.failed
        assert cluster.leader().is_alive()


def test_nodes_outlive_the_member_in_use(galera, database, record_property):
    outlive(database, [(galera.kill, galera.start), (galera.stop, galera.start), (galera.pause, galera.resume)], record_property)


def test_nodes_outlive_the_kernel_that_they_live_on(new_seekdb, record_property):
    """MetaDB on an OceanBase kernel that is killed, restarted and hangs: there is no other, so they wait for it."""
    kernel = new_seekdb(password="Kernel-1")

    def killed():
        kernel.kill()
        kernel.start()

    def hung():
        kernel.pause()
        time.sleep(3)
        kernel.resume()

    outlive(kernel.create_database("metadb"), [(killed, None), (kernel.restart, None), (hung, None)], record_property)
