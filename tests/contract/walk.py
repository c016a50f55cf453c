# SPDX-License-Identifier: Apache-2.0
"""What a scenario walks with: calls by operation id, and the objects that several scenarios share."""
import functools

import pytest

from lib.py import hosts, obrpm
from lib.py.installing import STARTUP
from lib.py.obtenant import SimulatedTenant
from lib.py.process import new_dir, wait_until
from lib.py.upload import upload

from . import openapi
from .model import contract_operations
from .recorder import Recorder

TASK_SECONDS = 120


class Walk:
    """`api` is the administrator's client, `kernels` a function that gives the two running OceanBase kernels, `simulator` one that gives the
    simulator with a cluster of several zones, `metadb` the database behind the server, `machines` bare hosts (lib/py/hosts.py) or None, `nodes` a function that gives two running servers of one cluster, in a `with`.

    Shared objects (region, cluster, ...) are made when the first scenario asks for them.
    """

    def __init__(self, api, kernels=None, simulator=None, metadb=None, machines=None, nodes=None):
        self.api = api
        self.two_nodes = nodes
        self.bare = machines
        self._kernels = kernels
        self._simulator = simulator
        self.metadb = metadb
        self.document = api.get(openapi.PATH).ok().json
        self.routes = openapi.routes(self.document)
        contract = contract_operations()
        own = [r.operation for r in self.routes if r.origin == "own"]
        self.recorder = Recorder(contract + own)
        self.routed = {r.operation.route for r in self.routes}
        self._operations = {o.id: o for o in contract + own}
        api.on_reply = self.recorder.note

    def has(self, *operation_ids):
        """Whether the server has the routes of all these operations."""
        return all(i in self._operations and self._operations[i].route in self.routed for i in operation_ids)

    def call(self, operation_id, body=None, query=None, api=None, **params):
        """The reply to one operation; `params` fill the path."""
        operation = self._operations[operation_id]
        selected = {name: value for name, value in operation.selector if value is not None}
        return (api or self.api).call(operation.method, operation.target(params), body, {**selected, **(query or {})})

    def do(self, operation_id, body=None, query=None, **params):
        """`data` of the reply, which must be a success."""
        return self.call(operation_id, body, query, **params).data

    def rows(self, operation_id, query=None, **params):
        """`data.contents` of a list."""
        return self.do(operation_id, None, query, **params)["contents"]

    def effect(self, operation_id):
        """A read has just shown what the operation did."""
        self.recorder.effect(operation_id)

    def gone(self, operation_id, **params):
        """Asserts that the object is not there (any more)."""
        self.call(operation_id, **params).refused(404)

    def goes(self, operation_id, **params):
        """Waits until the object is not there any more."""
        wait_until(lambda: self.call(operation_id, **params).status == 404, f"what {operation_id} shows is gone", TASK_SECONDS)

    def finish(self, task):
        """Waits for the end of a task (an object with id, or an id) and returns it; a failed one is an error."""
        number = task["id"] if isinstance(task, dict) else task
        done = wait_until(lambda: self._if_done(number), f"task {number} ends", TASK_SECONDS)
        assert done["status"] == "SUCCESSFUL", f"task {number}: {done}"
        return done

    def end(self, task):
        """Waits for the end of a task, whichever it is."""
        number = task["id"] if isinstance(task, dict) else task
        return wait_until(lambda: self._if_done(number), f"task {number} ends", TASK_SECONDS)

    def _if_done(self, number):
        task = self.do("task-instance-get" if self.has("task-instance-get") else "task-get-alias",
                       **{"taskInstanceId" if self.has("task-instance-get") else "id": number})
        return task if task["status"] in ("SUCCESSFUL", "FAILED") else None

    # -- shared objects -------------------------------------------------------------------------------------

    @functools.cached_property
    def kernels(self):
        """The two OceanBase kernels."""
        return self._kernels()

    @functools.cached_property
    def simulator(self):
        """The simulator of an OceanBase 4.x cluster of several zones."""
        return self._simulator()

    @functools.cached_property
    def wide_cluster(self):
        """The id of the simulated cluster, taken over; its servers are registered hosts."""
        servers = self.simulator.servers()
        started = self.do("host-batch-create", {
            "sshPort": 22, "kind": "DEDICATED_PHYSICAL_MACHINE", "typeId": self.host_type["id"], "idcId": self.idc["id"],
            "credentialId": self.credential["id"], "hostBasicDataList": [{"innerIpAddress": ip} for ip in servers]})
        self.end(started)      # nobody lets us in there; the rows are what counts
        started = self.do("ob-cluster-take-over", {"rootSysPassword": self.simulator.password, "address": servers[0],
                                                   "port": self.simulator.port})
        self.finish(started)
        return started["clusterId"]

    def machines(self, wanted=1):
        """The bare hosts; a visible skip where there are not so many."""
        if self.bare is None or len(self.bare.addresses) < wanted:
            pytest.skip(f"no {wanted} hosts of their own: {hosts.why_not()}")
        return self.bare

    @functools.cached_property
    def new_hosts(self):
        """The hosts are being added: the reply, with the request in it."""
        there = self.machines()
        login = self.do("profile-credential-create", {"targetType": "HOST", "name": "machine", "description": "for the walk", "sshCredentialProperty": {
            "type": "PRIVATE_KEY", "username": there.user, "passphrase": there.key, "hostIdList": []}})
        if there.prefix:
            self.do("config-property-update", {"value": there.prefix}, key="ocp.agent.home.path.prefix")
        body = {"hostBasicDataList": [{"innerIpAddress": ip, "serialNumber": f"sn-{ip}"} for ip in there.addresses], "sshPort": there.port,
                "kind": "DEDICATED_PHYSICAL_MACHINE", "idcId": self.idc["id"], "typeId": self.host_type["id"], "credentialId": login["id"],
                "publishPorts": [2881, 2882], "alias": "walked", "description": "for the walk"}
        checked = self.do("host-batch-precheck", body)
        assert checked["valid"], checked["messages"]
        return {**self.do("host-batch-create", body), "body": body}

    @functools.cached_property
    def new_cluster(self):
        """A cluster of three zones is being created on the first three hosts: the task, with the request in it."""
        ids = self.new_hosts["hostIds"]
        folder = new_dir("walk", None, 0o711)
        for path in obrpm.write(folder, state=folder / "state", speed=50):
            upload(self.api, path.read_bytes(), path.name).ok()
        body = {"name": "created", "rpmName": path.name.replace("-libs", ""), "type": "PRIMARY", "password": "Walk-root-1", "proxyroPassword": "Proxyro-1",
                "zones": [{"name": f"zone{i + 1}", "idcName": self.idc["name"], "servers": [number]} for i, number in enumerate(ids[:3])],
                "attributes": {"InstallPath": "/home/admin/oceanbase", "DataDiskPath": "/home/data/1", "LogDiskPath": "/home/data/log1",
                               "OperatingSystemUser": "root"},
                "startupParameters": STARTUP}
        assert self.do("ob-cluster-create-pre-check", body) == {"valid": True, "messages": []}
        return {**self.do("ob-cluster-create", body), "body": body}

    @functools.cached_property
    def region(self):
        return self.do("region-create", {"name": "walk-region", "description": "for the walk"})

    @functools.cached_property
    def idc(self):
        return self.do("idc-create", {"name": "walk-idc", "description": "for the walk", "regionId": self.region["id"]})

    @functools.cached_property
    def host_type(self):
        return self.do("host-type-create", {"name": "walk-type", "description": "for the walk"})

    @functools.cached_property
    def credential(self):
        return self.do("profile-credential-create", {
            "targetType": "HOST", "name": "3f2a90c1d7e4", "description": "for the walk", "validate": False,
            "sshCredentialProperty": {"type": "PASSWORD", "username": "admin", "passphrase": "Host-1", "hostIdList": []},
            "obJdbcCredentialProperty": {}})

    def target(self, number):
        """The take-over body of a kernel, as the deployer sends it."""
        kernel = self.kernels[number]
        return {"switchConfigUrl": False, "connectionMode": "direct", "rootSysPassword": kernel.password,
                "address": kernel.host, "port": kernel.port,
                "hostInfo": {"kind": "DEDICATED_PHYSICAL_MACHINE", "hostTypeId": self.host_type["id"], "sshPort": 22,
                             "credentialId": self.credential["id"]},
                "proxyroPassword": "Proxyro-1"}

    @functools.lru_cache(maxsize=None)
    def cluster(self, number):
        """The id of a kernel taken over."""
        started = self.do("ob-cluster-take-over", self.target(number))
        self.finish(started)
        return started["clusterId"]

    @functools.lru_cache(maxsize=None)
    def simulated_tenant(self, name):
        """As tenant(), of a tenant of the simulated cluster."""
        cluster = self.wide_cluster
        tenants = self.rows("ob-cluster-tenants-list", {"size": 100}, clusterId=cluster)
        return {"id": cluster, "clusterId": cluster, "tenantId": named(tenants, name)["id"]}

    def insides(self):
        """(path parameters, kernel) of the tenants in which databases, users and roles are tried: of a real kernel, and of a simulated cluster."""
        yield self.tenant(0), self.kernels[0]
        yield self.simulated_tenant("tenant1"), SimulatedTenant(self.simulator, "tenant1")

    @functools.lru_cache(maxsize=None)
    def tenant(self, number):
        """{id, clusterId} to address the tenant of a kernel taken over: the path parameters of tenant operations."""
        tenants = self.rows("ob-cluster-tenants-list", clusterId=self.cluster(number))
        return {"id": self.cluster(number), "clusterId": self.cluster(number), "tenantId": tenants[0]["id"]}


def named(rows, value, key="name"):
    """The one row with that name; AssertionError when there is none or several."""
    found = [row for row in rows if row.get(key) == value]
    assert len(found) == 1, f"{len(found)} rows with {key} {value!r} among {[row.get(key) for row in rows]}"
    return found[0]
