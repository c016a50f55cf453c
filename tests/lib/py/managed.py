# SPDX-License-Identifier: Apache-2.0
"""Clusters that an ocp-server manages while a test, or the tests of a file, run.

    with Managed(api, kernel.host, kernel.port, kernel.password) as cluster:
        cluster.id, cluster.tenant("t1"), cluster.get("/zones").contents
"""
from .process import wait_until

CLUSTERS = "/api/v2/ob/clusters"


class Managed:
    def __init__(self, api, host, port, password, **more):
        self.api = api
        self._target = {"address": host, "port": port, "rootSysPassword": password, **more}
        self.id = None

    def _finish(self, task):
        def ended():
            status = self.api.get(f"/api/v2/tasks/{task['id']}").data["status"]
            return status if status != "RUNNING" else None
        assert wait_until(ended, f"task {task['id']} ends") == "SUCCESSFUL"

    @property
    def path(self):
        return f"{CLUSTERS}/{self.id}"

    @property
    def name(self):
        return self.get().data["name"]

    def get(self, path="", query=None):
        return self.api.get(self.path + path, query)

    def tenant(self, name):
        """Id of the tenant of this name."""
        [found] = [t["id"] for t in self.get("/tenants", {"size": 2000}).contents if t["name"] == name]
        return found

    def __enter__(self):
        started = self.api.post(f"{CLUSTERS}/takeOver", self._target).data
        self._finish(started)
        self.id = started["clusterId"]
        wait_until(lambda: self.get("/tenants").contents, "the first look is over")
        return self

    def __exit__(self, *_):
        if self.api.get(self.path).status == 200:
            self._finish(self.api.post(f"{self.path}/moveOut", {"force": True}).data)
