# SPDX-License-Identifier: Apache-2.0
"""The store of ocp-server under work, in a process of its own (tests/e2e/storeprobe.c), and the books that are kept of what it did."""
import collections
import os
import random
import time

import pymysql

from .build import built_program
from .process import Child, new_dir, wait_until

ACCOUNTS = 12
BALANCE = 1000


class Probe(Child):
    """storeprobe; what it says on stdout and in its log are in one file."""

    def __init__(self, to, database, *command, port=None):
        words = [built_program("tests/e2e/storeprobe"), to.host, port or to.port, database.user, database.password, database.name, *command]
        super().__init__([str(word) for word in words], new_dir("storeprobe") / "log", name="storeprobe")

    def result(self):
        """(status, last line) of one that ends by itself; lines of its log do not count."""
        wait_until(lambda: not self.is_alive(), "storeprobe ends")
        return self.returncode, [line for line in self.output().strip().splitlines() if not line.startswith("time=")][-1]

    def lines(self):
        return self.output().splitlines()


class Ledger:
    """The workload, what is done to it, and the books at the end."""

    def __init__(self, server, database, proxy, seed, port=None):
        self.server, self.database, self.proxy, self.port = server, database, proxy, port
        self.random = random.Random(seed)
        self.clients = []
        self.traps = []
        self.done = collections.Counter()
        for statement in (
                "CREATE TABLE ledger_account (id BIGINT NOT NULL PRIMARY KEY, balance BIGINT NOT NULL)",
                "CREATE TABLE ledger_client (client VARCHAR(32) NOT NULL PRIMARY KEY, n BIGINT NOT NULL)",
                "CREATE TABLE ledger_entry (client VARCHAR(32) NOT NULL, run BIGINT NOT NULL, op BIGINT NOT NULL, "
                "amount BIGINT NOT NULL, PRIMARY KEY (client, run))",
                "INSERT INTO ledger_account VALUES " + ", ".join(f"({n}, {BALANCE})" for n in range(ACCOUNTS))):
            self.sql(statement)
        self.start_client()

    def sql(self, statement):
        return self.server.sql(statement, database=self.database.name)

    # what may happen

    def start_client(self):
        name = f"c{len(self.clients) + 1}"
        self.sql(f"INSERT INTO ledger_client VALUES ('{name}', 0)")
        self.clients.append(Probe(self.proxy, self.database, "ledger", name, self.random.randrange(1 << 30), ACCOUNTS,
                                  port=self.port))

    def kill_client(self):
        self.clients[-1].kill()
        self.start_client()

    def kill_database(self):
        self.server.kill()
        time.sleep(self.random.uniform(0, 1))
        self.server.start()

    def cut_network(self):
        self.proxy.cut(reset=self.random.random() < 0.5)

    def cut_commit(self):
        trap = self.proxy.cut_at("^COMMIT", when=self.random.choice(["answer", "answer", "sent", "request"]),
                                 nth=self.random.randrange(1, 40))
        self.traps.append(trap)

    def cut_statement(self):
        self.traps.append(self.proxy.cut_at("^(UPDATE|INSERT|BEGIN)", when=self.random.choice(["answer", "sent", "request"]),
                                            nth=self.random.randrange(1, 40)))

    def swallow(self):
        self.proxy.blackhole()
        time.sleep(self.random.uniform(0.2, 1.5))
        self.proxy.resume()

    def freeze_database(self):
        self.server.pause()
        time.sleep(self.random.uniform(0.2, 1.5))
        self.server.resume()

    def refuse(self):
        self.proxy.refuse()
        self.proxy.cut()
        time.sleep(self.random.uniform(0.1, 0.6))
        self.proxy.accept()

    def torment(self, seconds):
        usual = [self.cut_commit] * 6 + [self.cut_network] * 2 + [self.cut_statement] * 2 + [
            self.kill_database, self.kill_client, self.swallow, self.freeze_database, self.refuse]
        once = [self.kill_database, self.kill_client, self.cut_network, self.swallow, self.cut_commit]
        self.random.shuffle(once)
        end = time.monotonic() + seconds
        while time.monotonic() < end or once:
            action = once.pop() if once else self.random.choice(usual)
            self.done[action.__name__] += 1
            action()
            time.sleep(self.random.uniform(0.05, 0.5))

    def settle(self):
        """Traps off; one COMMIT whose answer is cut while everything else is well; then the client ends in peace."""
        for trap in self.traps:
            trap.disarm()
        trap = self.proxy.cut_at("^COMMIT", when="answer")
        trap.wait()
        self.stop()

    def stop(self):
        client = self.clients[-1]
        client.signal(15)
        wait_until(lambda: not client.is_alive(), "the client ends", 120)
        assert client.returncode == 0, client.lines()[-20:]

    # the books

    def fates(self, client):
        """{operation: its last word} of one client."""
        fates = {}
        for line in client.lines():
            word, *rest = line.split()
            if word in ("begin", "ok", "failed", "unsettled"):
                fates[int(rest[0])] = word
        return fates

    def rest(self):
        """Until transactions of killed clients have ended on the server: they hold locks, and might still commit."""
        def nobody_holds_a_lock():
            connection = self.server.connect(database=self.database.name, autocommit=False)
            with connection.cursor() as cursor:
                cursor.execute("SELECT id FROM ledger_account FOR UPDATE")
                cursor.execute("SELECT client FROM ledger_client FOR UPDATE")
            connection.rollback()
            connection.close()
            return True

        def tried():
            try:
                return nobody_holds_a_lock()
            except pymysql.err.OperationalError:
                return False
        wait_until(tried, "all transactions have ended", 90)

    def check(self):
        self.rest()
        entries = collections.Counter((r["client"], r["op"]) for r in self.sql("SELECT client, op FROM ledger_entry"))
        counters = {r["client"]: r["n"] for r in self.sql("SELECT client, n FROM ledger_client")}
        total = int(self.sql("SELECT SUM(balance) s FROM ledger_account")[0]["s"])
        tally = collections.Counter()
        wrong = []
        for number, client in enumerate(self.clients, 1):
            name = f"c{number}"
            for op, fate in self.fates(client).items():
                found = entries.pop((name, op), 0)
                tally[fate] += 1
                allowed = {"ok": {1}, "failed": {0}}.get(fate, {0, 1})
                if found not in allowed:
                    wrong.append(f"{name} operation {op}: {fate}, but {found} times in the books")
        assert not wrong, "\n".join(wrong)
        assert not entries, f"in the books, but never begun: {entries}"
        assert total == ACCOUNTS * BALANCE
        for name, n in counters.items():
            assert n == int(self.sql(f"SELECT COUNT(*) n FROM ledger_entry WHERE client = '{name}'")[0]["n"])
        return tally


def logged(clients, text):
    return sum(client.output().count(text) for client in clients)


def survive(server, new_proxy, seconds, record_property):
    """A ledger on a server of this test alone, tormented for so long; the run can be repeated by the seed that it prints."""
    seed = int(os.environ.get("OCP_STORE_SEED") or random.SystemRandom().randrange(1 << 31))
    print(f"OCP_STORE_SEED={seed}")
    record_property("seed", seed)
    database = server.create_database("store")
    assert Probe(server, database, "migrate", "n1", 30000, "metadb").result() == (0, "ok")
    ledger = Ledger(server, database, new_proxy((server.host, server.port), mysql=True), seed)
    try:
        ledger.torment(seconds)
        ledger.settle()
        tally = ledger.check()
    except BaseException:
        print(f"repeat with OCP_STORE_SEED={seed}; done so far: {dict(ledger.done)}")
        raise
    unknown = logged(ledger.clients, "no answer to COMMIT")
    committed = logged(ledger.clients, "outcome settled: committed")
    lost = logged(ledger.clients, "outcome settled: not committed")
    print(f"{dict(tally)}; {dict(ledger.done)}; unknown COMMITs {unknown}: committed {committed}, not committed {lost}")
    record_property("ledger", f"{dict(tally)} unknown={unknown} committed={committed} lost={lost}")
    assert tally["ok"] > 0
    assert unknown > 0 and committed > 0, "no unknown COMMIT was met: the run proves nothing"
