# SPDX-License-Identifier: Apache-2.0
"""Tenants of a simulated OceanBase 4.x cluster: several, in several zones, with resource pools and units, and with locks."""
import pymysql

from lib.py.obtenant import SimulatedTenant
from lib.py.process import wait_until

from ..walk import named
from . import scenario


@scenario("ob-cluster-tenants-list", "ob-cluster-tenant-get", "ob-cluster-take-over")
def simulated_tenants(walk):
    address = walk.simulated_tenant("tenant1")
    tenant = walk.do("ob-cluster-tenant-get", **address)
    assert tenant["name"] == "tenant1" and {z["name"] for z in tenant["zones"]} == {"zone1", "zone2", "zone3"}
    names = {t["name"] for t in walk.rows("ob-cluster-tenants-list", {"size": 100}, clusterId=walk.wide_cluster)}
    assert {"sys", "tenant1", "tenant2"} <= names
    if walk.has("ob-tenants-list"):
        assert names <= {t["name"] for t in walk.rows("ob-tenants-list", {"size": 100})}


@scenario("ob-cluster-tenant-units-list", "ob-cluster-tenants-list", "ob-cluster-take-over")
def simulated_units(walk):
    units = walk.rows("ob-cluster-tenant-units-list", **walk.simulated_tenant("tenant1"))
    assert {u["zoneName"] for u in units} == {"zone1", "zone2", "zone3"}


@scenario("ob-cluster-tenant-lock", "ob-cluster-tenant-unlock", "ob-cluster-tenant-get", "ob-cluster-tenants-list", "ob-cluster-take-over")
def simulated_lock(walk):
    address, kernel = walk.simulated_tenant("tenant2"), SimulatedTenant(walk.simulator, "tenant2")

    def lets_in():
        try:
            kernel.connect().close()
        except pymysql.err.OperationalError:
            return False
        return True
    for verb, locked in (("lock", True), ("unlock", False)):
        walk.do(f"ob-cluster-tenant-{verb}", **address)
        assert walk.do("ob-cluster-tenant-get", **address)["locked"] is locked and lets_in() is not locked
        rows = wait_until(lambda: [t for t in walk.rows("ob-cluster-tenants-list", {"size": 100}, clusterId=walk.wide_cluster)
                                   if t["name"] == "tenant2" and t["locked"] is locked], f"the list shows {verb}")
        assert len(rows) == 1
        walk.effect(f"ob-cluster-tenant-{verb}")


@scenario("ob-cluster-tenant-update", "ob-cluster-tenant-get", "ob-cluster-tenants-list", "ob-cluster-take-over")
def tenant_description(walk):
    address = walk.simulated_tenant("tenant2")
    walk.do("ob-cluster-tenant-update", {"description": "walked"}, **address)
    assert walk.do("ob-cluster-tenant-get", **address)["description"] == "walked"
    walk.effect("ob-cluster-tenant-update")


@scenario("ob-cluster-tenant-parameters-update", "ob-cluster-tenant-parameters-list", "ob-cluster-tenants-list", "ob-cluster-take-over")
def simulated_parameters(walk):
    address = walk.simulated_tenant("tenant2")
    for name, kind, value in (("ob_trx_timeout", "OB_SYSTEM_VARIABLE", "5000000"), ("cpu_quota_concurrency", "OB_TENANT_PARAMETER", "3")):
        walk.do("ob-cluster-tenant-parameters-update", [{"name": name, "value": value}], **address)
        found = named(walk.rows("ob-cluster-tenant-parameters-list", **address), name)
        assert (found["currentValue"], found["parameterType"]) == (value, kind)
