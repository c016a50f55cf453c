# SPDX-License-Identifier: Apache-2.0
"""Everything that flows on hosts need, deployed once: three nodes, each behind a proxy of its own to MetaDB, HAProxy, four bare hosts with agents
that can be stopped at named points, packages, and an OceanBase that is only taken over."""
import collections
import contextlib
import dataclasses
import http.client
import pathlib
import re
import shutil
import time
import uuid

import pymysql

from lib.py import hosts, obrpm, sshd
from lib.py.api import Api
from lib.py.build import CHECKOUT, built_program
from lib.py.installing import STARTUP
from lib.py.mariadb import MariaDB
from lib.py.obsim import Obsim
from lib.py.obtrace import Trace
from lib.py.ocpcluster import OcpCluster, query
from lib.py.process import new_dir, run_dir
from lib.py.proxy import Proxy
from lib.py.server import OcpServer
from lib.py.upload import upload

from .net import Host
from .world import Balancer

CLUSTERS, TASKS, HOSTS = "/api/v2/ob/clusters", "/api/v2/tasks/instances", "/api/v2/compute/hosts"
PASSWORD = "Root-pass-1"
PATHS = {"InstallPath": "/home/admin/oceanbase", "DataDiskPath": "/home/data/1", "LogDiskPath": "/home/data/log1", "OperatingSystemUser": "root"}
AGENT = "admin/ocp_agent/data"
CHANGES = re.compile(r"^\s*(ALTER|CREATE|DROP|GRANT|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)


def flows_of_the_product():
    """Names of all flows that there are, as the sources declare them."""
    found = set()
    for path in (CHECKOUT / "src").rglob("*.c"):
        found.update(re.findall(r'(?m)^const struct task_flow \w+ = \{\s*(?:\.name = )?"([\w-]+)"', path.read_text(encoding="utf-8")))
    return found


class Nodes(OcpCluster):
    """Each node comes to MetaDB through its own proxy."""

    def __init__(self, database, proxies, settings):
        self.proxies = proxies
        super().__init__(database, len(proxies), settings)

    def new_node(self):
        number, proxy = len(self.nodes) + 1, self.proxies[len(self.nodes)]
        node = OcpServer(dataclasses.replace(self.database, host=proxy.host, port=proxy.port), name=f"node{number}", host=f"127.0.0.{number}",
                         settings={"node.name": f"node{number}", "http.allow_cleartext": "true", **self.settings})
        self.nodes.append(node)
        return node


class Plant:
    """`machines`: the hosts; `hosts`: their ids in OCP; `nodes`: the servers, node N is nodes[N - 1] behind proxies[N - 1]."""

    def __init__(self, n_hosts=4, deploy=True):
        self.stack = contextlib.ExitStack()
        try:
            self._build(n_hosts, deploy)
        except BaseException:
            self.stack.close()
            raise

    def _build(self, n_hosts, deploy):
        self.folder = new_dir("plant", None, 0o711)
        self.lan = self.stack.enter_context(hosts.Lan())
        self.key, public = sshd.make_key(self.folder, "admin", "ed25519")
        self.machines = [self.stack.enter_context(self.lan.host(authorized=[public])) for _ in range(n_hosts)]
        self.metadb = self.stack.enter_context(MariaDB(name="metadb"))
        self.database = self.metadb.create_database("sweep")
        self.proxies = [self.stack.enter_context(Proxy((self.metadb.host, self.metadb.port), mysql=True)) for _ in range(3)]
        self.cluster = self.stack.enter_context(Nodes(self.database, self.proxies, {
            "agent.program_dir": self._programs(), "agent.probe_interval": "1s", "configurl.networks": "198.18.0.0/15",
            "http.trusted_proxies": self.lan.address}))
        self.nodes = self.cluster.nodes
        for number in range(3):
            self.cluster.api(number)
        self.balancer = self.stack.enter_context(Balancer(Host("lb", self.lan.address), [(f"n{i}", n.host, n.port) for i, n in enumerate(self.nodes, 1)]))
        self.state = self.folder / "state"
        self.foreign = self.stack.enter_context(Obsim(zones=1, cluster="foreign:9", name="obsim-foreign"))
        self._settle_in(deploy)

    @staticmethod
    def _programs():
        folder = run_dir() / "crashing"
        folder.mkdir(mode=0o755, exist_ok=True)
        shutil.copyfile(built_program("tests/chaos/ocp-agent"), folder / "ocp-agent")
        (folder / "ocp-agent").chmod(0o755)
        return folder

    def _settle_in(self, deploy):
        self.call("PATCH", "/api/v2/config/properties/ocp.site.url", {"value": f"http://{self.lan.address}:{self.balancer.port}"})
        self.call("PATCH", "/api/v2/config/properties/ocp.host.ssh-ping.max-delay-millis", {"value": "60000"})
        region = self.call("POST", "/api/v2/compute/regions", {"name": "north"})["id"]
        self.idc = self.call("POST", "/api/v2/compute/idcs", {"name": "n1", "regionId": region})["id"]
        self.kind = self.call("POST", "/api/v2/compute/hostTypes", {"name": "any"})["id"]
        self.credential = self.call("POST", "/api/v2/profiles/me/credentials", {"targetType": "HOST", "name": "root_key", "sshCredentialProperty": {
            "type": "PRIVATE_KEY", "username": "root", "passphrase": self.key, "hostIdList": []}})["id"]
        packages = obrpm.write(self.folder, state=self.state)
        for path in packages:
            upload(self.nodes[0].api(), pathlib.Path(path).read_bytes(), pathlib.Path(path).name).ok()
        self.package = pathlib.Path(packages[0]).name
        self.hosts = []
        if deploy:
            added = self.add_hosts(self.machines)
            self.hosts = added["hostIds"]
            self.pursue(added["id"])

    # --- what a person does -----------------------------------------------------------------------------------------------------------

    def add_hosts(self, machines):
        return self.call("POST", f"{HOSTS}/batchCreate", {
            "hostBasicDataList": [{"innerIpAddress": m.address} for m in machines], "sshPort": 22, "kind": "DEDICATED_PHYSICAL_MACHINE",
            "idcId": self.idc, "typeId": self.kind, "credentialId": self.credential})

    def call(self, method, path, body=None, seconds=120, refusal=None):
        """The data of a call's answer, sent again with the same idempotency key to one node after the other until there is one. A refusal fails, but
        for one with this status, which gives None."""
        key, end, last = uuid.uuid4().hex, time.monotonic() + seconds, None
        while time.monotonic() < end:
            for node in self.nodes:
                if not node.is_alive():
                    continue
                try:
                    last = Api(node.host, node.port, "admin", self.nodes[0].password, timeout=10).call(
                        method, path, body, headers={} if method == "GET" else {"Idempotency-Key": key})
                except (OSError, http.client.HTTPException) as e:
                    last = e
                    continue
                if last.status == 200:
                    return last.json.get("data")
                if refusal is not None and last.status == refusal:
                    return None
                if 400 <= last.status < 500 and last.status not in (408, 429) and "90103" not in last.body.decode():
                    raise AssertionError(str(last))
            time.sleep(0.1)
        raise TimeoutError(f"{method} {path}: no answer within {seconds} s; last: {last}")

    def wish(self, name, **more):
        return {"name": name, "rpmName": self.package, "type": "PRIMARY", "password": PASSWORD, "proxyroPassword": "Proxy-ro-1",
                "zones": [{"name": f"zone{i + 1}", "idcName": "n1", "servers": [number]} for i, number in enumerate(self.hosts[:3])],
                "attributes": PATHS, "startupParameters": STARTUP, **more}

    # --- what there is ----------------------------------------------------------------------------------------------------------------

    def sql(self, statement, *values):
        return query(self.database, statement, *values)

    def task(self, number):
        [row] = self.sql("SELECT id, flow, status, operation FROM task WHERE id = %s", number)
        return row

    def pursue(self, number, seconds=300):
        """Until it has succeeded; what failed is run again, as a person would."""
        end, retries = time.monotonic() + seconds, 0
        while (status := self.task(number)["status"]) != 1:
            if time.monotonic() > end or retries > 5:
                raise TimeoutError(self.story(number))
            if status == 2:
                retries += 1
                self.call("POST", f"{TASKS}/{number}/retry")
            time.sleep(0.05)
        return retries

    def story(self, number):
        """What can be said of a task: each step that is not done, with its log."""
        parts = [str(self.task(number))]
        for s in self.sql("SELECT * FROM subtask WHERE task_id = %s AND status NOT IN (0, 5) ORDER BY series", number):
            lines = self.sql("SELECT text FROM subtask_log WHERE subtask_id = %s ORDER BY seq DESC LIMIT 15", s["id"])
            parts.append(f"{s['name']} {s['label'] or s['target']}: status {s['status']}, dispatch {s['dispatch']}, worker {s['worker']}, {s['error']}\n  "
                         + "\n  ".join(line["text"] for line in reversed(lines)))
        return "\n".join(parts)

    def statements(self):
        """{(cluster, statement): how often it has changed something} over all that is managed."""
        found = collections.Counter()
        for folder in (self.state.glob("*-*") if self.state.exists() else ()):
            for line in Trace.of(folder / "trace.jsonl").statements(succeeded=True):
                if CHANGES.match(line["text"]) and not line["text"].upper().startswith("ALTER SYSTEM KILL"):
                    found[(folder.name, line["text"])] += 1
        return found

    def starts(self):
        """{server: how often its process came up}."""
        found = collections.Counter()
        for folder in (self.state.glob("*-*") if self.state.exists() else ()):
            found.update(e["server"] for e in Trace.of(folder / "trace.jsonl").events("up"))
        return found

    def observers(self, machine):
        return machine.processes("bin/observer")

    def folders(self):
        """{(host, path): inode} of the folders of clusters that there are."""
        found = {}
        for machine in self.machines:
            for base in ("admin/oceanbase", "data/1", "data/log1"):
                top = machine.home(base)
                for path in (top.glob("*") if top.exists() else ()):
                    with contextlib.suppress(FileNotFoundError):
                        found[(machine.name, f"{base}/{path.name}")] = path.stat().st_ino
        return found

    def locks(self):
        return self.sql("SELECT kind, object_id, task_id FROM task_lock")

    def sessions(self):
        return self.sql("SELECT * FROM task_session")

    def agent_file(self, machine, name):
        return machine.home(AGENT, name)

    def commands(self):
        """Steps that agents had commands of."""
        found = set()
        for machine in self.machines:
            with contextlib.suppress(FileNotFoundError):
                found.update(int(line.split()[0]) for line in self.agent_file(machine, "crashpoint.log").read_text().splitlines())
        return found

    def ob_sql(self, statement, host=0, user="root", password=PASSWORD):
        with contextlib.closing(pymysql.connect(host=self.machines[host].address, port=2881, user=user, password=password, connect_timeout=10,
                                                read_timeout=30)) as c, c.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.stack.__exit__(kind, *_)
