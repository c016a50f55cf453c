# SPDX-License-Identifier: Apache-2.0
"""A tenant of a simulated OceanBase cluster, for who speaks to it as to a kernel of one tenant."""
import contextlib

import pymysql


class SimulatedTenant:
    """`host` is one of the servers with a unit of it; root's password is empty until somebody sets one."""

    def __init__(self, sim, name):
        self.sim, self.name, self.port, self.password = sim, name, sim.port, ""
        self.host = sim.server_of(name)

    def connect(self, user="root", password=None, **options):
        password = self.password if password is None else password
        return self.sim.connect(self.host, f"{user}@{self.name}", password, cursorclass=pymysql.cursors.DictCursor, **options)

    def sql(self, statement, args=None):
        """Rows as dicts, as root."""
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(statement, args)
            return list(cursor.fetchall())
