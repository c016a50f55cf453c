# SPDX-License-Identifier: Apache-2.0
"""Several ocp-servers on one MetaDB that are one cluster, node N on 127.0.0.N.

    with OcpCluster(database) as cluster:         # three nodes, founded and joined by command, ready
        cluster.api(0).get(...)
        cluster.leader().kill()
"""
import contextlib
import re

import pymysql

from .process import new_dir, wait_until
from .server import OcpServer

BUNDLE = re.compile(r"^(\S+)\s+(?:voter|standby)\s+(\S+\.bundle)\s+secret (\S+)$", re.MULTILINE)


def query(database, statement, *values):
    """Rows of a statement in MetaDB, as dictionaries."""
    connection = pymysql.connect(host=database.host, port=database.port, user=database.user, password=database.password,
                                 database=database.name, autocommit=True, cursorclass=pymysql.cursors.DictCursor)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()
    finally:
        connection.close()


class OcpCluster:
    """database   a Database that all nodes share
    n          how many nodes there are
    settings   further lines of every node's settings file

    `nodes` are OcpServers. Leaving the `with` stops them all and fails the test when one did not end well.
    """

    def __init__(self, database, n=3, settings=None, ca_file=None):
        self.database = database
        self.settings, self.ca_file = dict(settings or {}), ca_file
        self.nodes = []
        for _ in range(n):
            self.new_node()

    def new_node(self):
        """One more server that is no member of anything yet and does not run."""
        number = len(self.nodes) + 1
        node = OcpServer(self.database, name=f"ocp-node{number}", host=f"127.0.0.{number}", ca_file=self.ca_file,
                         settings={"node.name": f"node{number}", "http.allow_cleartext": "true", "ha.election_timeout": "2s", **self.settings})
        self.nodes.append(node)
        return node

    @staticmethod
    def peer_address(node):
        return f"{node.host}:{node.peer_port}"

    def bundles(self, output):
        """{peer address: (bundle file, secret)} of what --found and --recover print."""
        return {address: (path, secret) for address, path, secret in BUNDLE.findall(output)}

    def _out(self, node):
        return new_dir("bundles", node.account)

    def found(self, nodes=None):
        """Founds the cluster with these nodes (all of them), each of which joins it; none runs yet."""
        nodes = self.nodes if nodes is None else nodes
        output = nodes[0].run("--found", "--nodes", ",".join(map(self.peer_address, nodes)), "--out", self._out(nodes[0]))
        self.join(nodes, self.bundles(output))
        return output

    def recover(self, nodes, *options):
        """Founds it anew with these nodes, the first of which has a settings file and the key; they join, and do not run yet."""
        output = nodes[0].run("--recover", "--i-have-stopped-all-others", "--nodes", ",".join(map(self.peer_address, nodes)),
                              "--out", self._out(nodes[0]), *options)
        self.join(nodes, self.bundles(output))
        return output

    def join(self, nodes, bundles):
        for node in nodes:
            path, secret = bundles[self.peer_address(node)]
            node.run("--join", path, OCP_JOIN_SECRET=secret)

    def start(self, nodes=None):
        nodes = self.nodes if nodes is None else nodes
        for node in nodes:
            node.launch()
        for node in nodes:
            node.wait_ready()
        return self

    def api(self, i=0):
        """The administrator's client at node i."""
        maker = next((n for n in self.nodes if n.password or "First administrator" in n.log.read_text(errors="replace")), None)
        if self.nodes[i].password is None:
            maker.api()
            self.nodes[i].password = maker.password
        return self.nodes[i].api()

    def row(self):
        """Who claimed leadership last, as MetaDB has it."""
        return query(self.database, "SELECT generation, term, epoch, node_id FROM leader_epoch")[0]

    def id_of(self, node):
        number = self.nodes.index(node) + 1
        return query(self.database, "SELECT id FROM node WHERE name = %s", f"node{number}")[0]["id"]

    def leader(self, above=0):
        """The node that claimed an epoch greater than `above`; waits for one."""
        row = wait_until(lambda: next((r for r in [self.row()] if r["epoch"] > above and r["node_id"]), None), "a node leads")
        names = {r["id"]: r["name"] for r in query(self.database, "SELECT id, name FROM node")}
        return next(n for i, n in enumerate(self.nodes) if f"node{i + 1}" == names[row["node_id"]])

    def followers(self):
        leader = self.leader()
        return [n for n in self.nodes if n is not leader]

    def stop(self):
        for node in self.nodes:
            node.stop()

    def close(self):
        for node in self.nodes:
            node.close()

    def __enter__(self):
        try:
            self.found()
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.stop()
        finally:
            self.close()


@contextlib.contextmanager
def two_of_three(database, settings=None):
    """Two running nodes of a cluster of three, for tests of what holds on any node; both know the administrator's password."""
    cluster = OcpCluster(database, settings=settings)
    try:
        cluster.found()
        cluster.start(cluster.nodes[:2])
        for i in range(2):
            cluster.api(i)
        yield cluster.nodes[0], cluster.nodes[1]
        cluster.stop()
    finally:
        cluster.close()
