# SPDX-License-Identifier: Apache-2.0
"""Simulated OceanBase clusters (tests/obsim): one process, each server on a loopback address of its own."""
import json
import pathlib
import socket

import pymysql

from .build import CHECKOUT, built_program
from .process import Child, Port, new_dir, wait_until
from .tls import CertificateAuthority

PASSWORD = "Sim-root-1"


class Refused(Exception):
    """The control socket says no; `number` is the errno of a statement."""

    def __init__(self, answer):
        super().__init__(answer["error"])
        self.number = answer.get("number")


class Obsim:
    """`clusters` clusters of `zones` zones with `servers` servers each; root@sys has `password`.

    Names and numbers go up from `cluster`: obcluster:1, then obcluster2:2. `speed` shortens what takes time.
    """

    before = ()                                    # as in Child: where it runs

    def __init__(self, cluster="obcluster:1", zones=3, servers=1, tenants=0, oracle_tenants=0, clusters=1, version="4.2.1.0",
                 enterprise=False, password=PASSWORD, seed=1, speed=10, tls=False, name="obsim"):
        self.directory = new_dir(name)
        self.password = password
        self.ca_file = None
        self._control = None
        self._reserved = Port()
        self.port = int(self._reserved)
        self._words = ["--cluster", cluster, "--zones", zones, "--servers", servers, "--tenants", tenants, "--oracle-tenants", oracle_tenants,
                       "--clusters", clusters, "--version", version, "--password", password, "--seed", seed, "--speed", speed,
                       "--port", self.port, "--ctl", self.directory / "ctl.sock", "--log", self.directory,
                       "--tables", CHECKOUT / "tests" / "obsim"]
        if enterprise:
            self._words.append("--enterprise")
        if tls:
            self._words += ["--tls", self._make_certificate()]
        self.process = None

    def _make_certificate(self):
        authority = CertificateAuthority(self.directory)
        cert, key = authority.issue("server")
        both = self.directory / "both.pem"
        both.write_text(pathlib.Path(cert).read_text() + pathlib.Path(key).read_text())
        self.ca_file = authority.ca
        return both

    def start(self):
        self.process = Child([built_program("tests/obsim/obsim"), *map(str, self._words)], self.directory / "obsim.log", name="obsim",
                             before=self.before)
        wait_until(lambda: "ready" in self.process.output(), "obsim is ready", alive=self.process.check_alive)
        self._control = socket.socket(socket.AF_UNIX)
        self._control.connect(str(self.directory / "ctl.sock"))
        self._lines = self._control.makefile("rw")
        return self

    def stop(self):
        """SIGTERM; it must end by itself, and cleanly: sanitizers speak through its status."""
        if self._control is not None:
            self._lines.close()
            self._control.close()
            self._control = None
        status = self.process.terminate()
        self._reserved.release()
        assert status == 0, f"obsim ended with status {status}:\n{self.process.output()}"

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def ctl(self, op, **members):
        """One command (tests/obsim/README.md); its answer, or Refused."""
        self._lines.write(json.dumps({"op": op, **members}) + "\n")
        self._lines.flush()
        answer = json.loads(self._lines.readline())
        if not answer["ok"]:
            raise Refused(answer)
        return answer

    def servers(self, cluster=None):
        """Addresses (ip) of a cluster's servers, zone by zone."""
        return [s["ip"] for s in self.ctl("cluster", cluster=cluster or "")["servers"]]

    @property
    def host(self):
        """The first server of the first cluster."""
        return self.servers()[0]

    def server_of(self, tenant):
        """A server that has a unit of the tenant."""
        return self.sql(f"SELECT svr_ip FROM oceanbase.CDB_OB_ACCESS_POINT WHERE tenant_name = '{tenant}' ORDER BY 1")[0][0]

    def sql(self, statement, server=None, tenant=None):
        """What somebody else does as root of the tenant, past logins, faults of connections and waiting: its rows."""
        return self.ctl("sql", server=server or self.host, sql=statement, **({"tenant": tenant} if tenant else {}))["rows"]

    def connect(self, server=None, user="root@sys", password=None, **options):
        options = {"connect_timeout": 10, "read_timeout": 30, "autocommit": True, **options}
        if password is None:
            password = self.password if user in ("root", "root@sys") else ""
        return pymysql.connect(host=server or self.host, port=self.port, user=user, password=password, **options)

    def fault(self, pattern, kind, **members):
        """Makes statements that match go wrong, once unless `times` says otherwise; returns the fault's id."""
        return self.ctl("fault", pattern=pattern, kind=kind, **members)["id"]

    def settle(self, cluster=None):
        """Waits until nothing is under way in the cluster."""
        wait_until(lambda: self.ctl("cluster", cluster=cluster or "")["settled"], "the simulated cluster settles", alive=self.process.check_alive)

    def audit(self):
        """Every statement so far, oldest first: dicts with time, cluster, server, session, user, tenant, text, errno, ms."""
        return [json.loads(line) for line in (self.directory / "obsim_audit.jsonl").read_text().splitlines()]
