# SPDX-License-Identifier: Apache-2.0
"""Three MariaDB servers that replicate with Galera, behind an HAProxy that sends everything to one of them at a time."""
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess

import pymysql

from .build import CHECKOUT
from .database import DatabaseServer
from .haproxy import HAProxy
from .mariadb import MariaDB
from .process import Port, armed_as, wait_until

PROVIDER = "/usr/lib/galera/libgalera_smm.so"
POSITION = re.compile(r"WSREP: Recovered position: ([0-9a-f-]{36}:-?\d+)")
CHECKED = 0.5                  # seconds between two looks of members at each other
# A member that says nothing is given up after ten seconds: with less, members of a busy machine suspect each other.
PATIENT = f"evs.keepalive_period=PT{CHECKED}S;evs.suspect_timeout=PT10S;evs.inactive_check_period=PT{CHECKED}S;evs.inactive_timeout=PT25S;evs.install_timeout=PT15S"


def advised():
    """The same settings as docs/metadb-ha.md advises them for production."""
    text = (CHECKOUT / "docs" / "metadb-ha.md").read_text(encoding="utf-8")
    options = re.search(r'wsrep_provider_options = "([^"]*)"', text)[1]
    return ";".join(o for o in re.split(r";\s*", options) if o.startswith("evs."))


def suspected(times):
    """Seconds until a member that says nothing is suspected."""
    return float(re.search(r"evs\.suspect_timeout=PT([\d.]+)S", times)[1])


class GaleraNode(MariaDB):
    """One member. The first one founds the cluster; the others begin with a copy of its data folder, so little has to be transferred."""

    def __init__(self, name, first=None, times=PATIENT):
        self._first, self._times = first, times
        self._replication, self._increments, self._snapshots = Port(), Port(), Port()
        self.members = ()                          # all of the cluster, set before the first start
        self._how = []
        super().__init__(name=name)

    def _install(self):
        if self._first is None:
            super()._install()
            return
        shutil.copytree(self._first.data, self.data)
        if self.account is not None:
            for folder, _, files in os.walk(self.data):
                for path in (folder, *(os.path.join(folder, f) for f in files)):
                    os.chown(path, self.account.pw_uid, self.account.pw_gid)

    @property
    def replication(self):
        return f"127.0.0.1:{int(self._replication)}"

    def _argv(self):
        if not self.members:
            return super()._argv()
        provider = f"gmcast.listen_addr=tcp://{self.replication};ist.recv_addr=127.0.0.1:{int(self._increments)};gcache.size=512M;{self._times}"
        return [a for a in super()._argv() if not a.startswith("--init-file")] + [
            "--loose-plugin-wsrep-provider=OFF",           # else isolate() has no variable in MariaDB 11.8
            "--wsrep-on=ON", f"--wsrep-provider={PROVIDER}", f"--wsrep-provider-options={provider}",
            "--wsrep-cluster-name=metadb", f"--wsrep-cluster-address=gcomm://{','.join(m.replication for m in self.members)}",
            "--wsrep-node-address=127.0.0.1", f"--wsrep-node-name={self.name}", f"--wsrep-sst-receive-address=127.0.0.1:{int(self._snapshots)}",
            "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2", *self._how]

    def launch(self, found=False):
        self._reserved = self._reserved or Port()
        self._how = ["--wsrep-new-cluster"] if found else [f"--wsrep-start-position={self._recovered()}"] if self.members else []
        super().launch()

    def _recovered(self):
        """Where it had come to when it was killed, so that the others send what it lacks and no more."""
        self._how = ["--wsrep-recover"]
        done = subprocess.run([*armed_as(self.account), *self._argv()],
                              cwd=self.directory, capture_output=True, text=True, timeout=120)
        found = POSITION.findall(done.stdout + done.stderr)
        if not found:
            raise RuntimeError(f"{self.name}: no recovered position\n{done.stdout}{done.stderr}")
        return found[-1]

    def status(self, name):
        [row] = self.sql("SHOW GLOBAL STATUS LIKE %s", (name,))
        return row["Value"]

    def _answers(self):
        """It is a member, and has all that the others have."""
        if not self.members:
            return super()._answers()
        try:
            return self.status("wsrep_local_state_comment") == "Synced" and self.status("wsrep_ready") == "ON"
        except (pymysql.err.MySQLError, OSError):
            return False

    def isolate(self, isolated=True):
        """It goes on by itself, and hears and says nothing to the others."""
        self.sql(f"SET GLOBAL wsrep_provider_options='gmcast.isolate={int(isolated)}'")

    def close(self):
        super().close()
        for port in (self._replication, self._increments, self._snapshots):
            port.release()


class Galera(DatabaseServer):
    """To its clients one database, at the proxy's port. kill(), stop() and pause() meet the node in use; start() and resume() bring it back."""

    client_hosts = MariaDB.client_hosts
    user, password = MariaDB.user, MariaDB.password

    def __init__(self, name="galera", host="127.0.0.1", times=PATIENT):
        self.host = host                           # where its proxy listens
        self._times = times
        first = GaleraNode(f"{name}-1", times=times)
        first.start()
        first.sql("CREATE USER 'haproxy'@'127.0.0.1'")
        first.stop()
        self.nodes = [first]
        super().__init__(first.directory, first.account, name)
        self.socket = pathlib.Path("none")
        self.proxy = None
        self._hurt = None                          # the node that kill(), stop() or pause() met

    @property
    def port(self):
        return self.proxy.port

    def create_database(self, label="db"):
        return dataclasses.replace(super().create_database(label), port=self.port)

    def in_use(self):
        """The node that the proxy sends everything to; None when it knows of none."""
        line = self.proxy.command("show table galera")
        found = re.search(r"server_name=db(\d)|server_id=(\d)", line)
        return self.nodes[int(found.group(1) or found.group(2)) - 1] if found else None

    def start(self, timeout=None):
        if self.proxy is None:
            self._found()
        elif self._hurt is not None:
            self._hurt.start(timeout)
            self._hurt = None
            wait_until(self._is_whole, "all members see each other")
        return self

    def _found(self):
        first = self.nodes[0]
        first.members = [first]
        first.launch(found=True)
        first.wait_ready()
        first.stop()
        self.nodes += [GaleraNode(f"{self.name}-{n}", first, self._times) for n in (2, 3)]
        for node in self.nodes:
            node.members = self.nodes
            node.launch(found=node is first)
            node.wait_ready()
        self.proxy = HAProxy("metadb-galera.cfg", {"bind :3306": f"bind {self.host}:PORT",
                                                   **{f"10.0.0.3{n}:3306": f"127.0.0.1:{node.port}" for n, node in enumerate(self.nodes, 1)}})
        for n in (1, 2, 3):
            self.proxy.wait_status(f"db{n}", "UP")

    def is_alive(self):
        return self.proxy is not None

    def _hurt_one(self):
        self._hurt = self.in_use() or self.nodes[0]
        return self._hurt

    def kill(self):
        self._hurt_one().kill()

    def stop(self, timeout=None):
        self._hurt_one().stop(timeout)

    def pause(self):
        self._hurt_one().pause()

    def resume(self):
        """If the others have left it meanwhile, it joins them again by itself, once it has noticed."""
        node, self._hurt = self._hurt, None
        node.resume()
        wait_until(self._is_whole, f"{node.name} is a member again", alive=node.process.check_alive)

    def isolate(self):
        self._hurt_one().isolate()

    def rejoin(self):
        """The end of isolate()."""
        node, self._hurt = self._hurt, None
        node.isolate(False)
        wait_until(self._is_whole, f"{node.name} is a member again", alive=node.process.check_alive)

    def _is_whole(self):
        """All members see the same view, of all of them."""
        try:
            views = {(n.status("wsrep_cluster_conf_id"), n.status("wsrep_cluster_status"), n.status("wsrep_cluster_size")) for n in self.nodes}
        except (pymysql.err.MySQLError, OSError):
            return False
        return len(views) == 1 and views.pop()[1:] == ("Primary", str(len(self.nodes))) and all(n._answers() for n in self.nodes)

    def close(self):
        for node in self.nodes:
            node.close()
        if self.proxy is not None:
            self.proxy.close()
