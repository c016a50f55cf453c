# SPDX-License-Identifier: Apache-2.0
"""Tenants of a managed cluster: the kernel has one."""
from ..walk import named
from . import scenario

VARIABLE, NEW = "ob_trx_lock_timeout", "5000000"


@scenario("ob-cluster-tenants-list", "ob-cluster-tenant-get", "ob-cluster-take-over")
def tenants(walk):
    address = walk.tenant(0)
    tenant = walk.do("ob-cluster-tenant-get", **address)
    assert tenant["mode"] == "MYSQL" and tenant["clusterId"] == walk.cluster(0)
    if walk.has("ob-tenants-list"):
        assert {t["clusterId"] for t in walk.rows("ob-tenants-list", {"size": 100})} >= {walk.cluster(0), walk.cluster(1)}
    walk.gone("ob-cluster-tenant-get", **{**address, "tenantId": 999999999})


@scenario("ob-cluster-tenant-parameters-list", "ob-cluster-tenants-list", "ob-cluster-take-over")
def tenant_parameters(walk):
    address = walk.tenant(0)
    old = named(walk.rows("ob-cluster-tenant-parameters-list", **address), VARIABLE)["currentValue"]
    if not walk.has("ob-cluster-tenant-parameters-update"):
        return
    for value in (NEW, old):
        walk.do("ob-cluster-tenant-parameters-update", [{"name": VARIABLE, "value": value}], **address)
        assert walk.kernels[0].sql(f"SHOW GLOBAL VARIABLES LIKE '{VARIABLE}'")[0]["Value"] == value
        assert named(walk.rows("ob-cluster-tenant-parameters-list", **address), VARIABLE)["currentValue"] == value
    walk.effect("ob-cluster-tenant-parameters-update")
    [last, *_] = walk.rows("ob-cluster-tenant-parameter-histories-list", {"name": VARIABLE}, **address)
    assert (last["oldValue"], last["newValue"], last["outcome"]) == (NEW, old, "SUCCESSFUL")


@scenario("ob-cluster-tenant-units-list", "ob-cluster-tenants-list", "ob-cluster-take-over")
def tenant_units(walk):
    [unit] = walk.rows("ob-cluster-tenant-units-list", **walk.tenant(0))
    assert unit["serverIp"] == walk.kernels[0].host


@scenario("ob-cluster-tenant-change-password", "ob-cluster-tenant-get", "ob-cluster-tenants-list", "ob-cluster-take-over")
def tenant_password(walk):
    address, kernel = walk.tenant(1), walk.kernels[1]
    walk.do("ob-cluster-tenant-change-password", {"newPassword": "Tenant-changed-3"}, **address)
    kernel.password = "Tenant-changed-3"
    assert kernel.sql("SELECT 1 AS one") == [{"one": 1}]
    assert walk.do("ob-cluster-tenant-get", **address)["whitelist"], "OCP logs in with it as well"
    walk.effect("ob-cluster-tenant-change-password")


@scenario("ob-cluster-tenant-modify-whitelist", "ob-cluster-tenant-get", "ob-cluster-tenants-list", "ob-cluster-take-over")
def tenant_whitelist(walk):
    address, kernel = walk.tenant(0), walk.kernels[0]
    old = walk.do("ob-cluster-tenant-get", **address)["whitelist"]
    for value in ("127.0.0.1,10.0.0.0/8", old):
        walk.do("ob-cluster-tenant-modify-whitelist", {"whitelist": value}, **address)
        assert kernel.sql("SHOW GLOBAL VARIABLES LIKE 'ob_tcp_invited_nodes'")[0]["Value"] == value
        assert walk.do("ob-cluster-tenant-get", **address)["whitelist"] == value
    walk.effect("ob-cluster-tenant-modify-whitelist")
