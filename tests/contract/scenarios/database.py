# SPDX-License-Identifier: Apache-2.0
"""Inside tenants, of a real kernel and of a simulated cluster: databases, users, roles, privileges, objects. Each effect is read back over the
API, and from the kernel where it can be."""
import contextlib

import pymysql

from ..walk import named
from . import scenario

LISTS = ("ob-cluster-tenants-list", "ob-cluster-take-over")


@scenario("ob-cluster-tenant-databases-list", "ob-cluster-tenant-database-create", "ob-cluster-tenant-database-delete", *LISTS)
def databases(walk):
    for tenant, kernel in walk.insides():
        life_of_a_database(walk, tenant, kernel)


def life_of_a_database(walk, tenant, kernel):
    made = walk.do("ob-cluster-tenant-database-create",
                   {"dbName": "walked", "collation": "utf8mb4_general_ci", "readonly": False}, **tenant)
    assert made["dbName"] == "walked"
    named(walk.rows("ob-cluster-tenant-databases-list", **tenant), "walked", "dbName")
    assert kernel.sql("SHOW DATABASES LIKE 'walked'")
    if walk.has("ob-cluster-tenant-database-update"):
        changed = walk.do("ob-cluster-tenant-database-update", {"readonly": True}, dbName="walked", **tenant)
        assert changed["readonly"] is True
        walk.do("ob-cluster-tenant-database-update", {"readonly": False}, dbName="walked", **tenant)
    walk.do("ob-cluster-tenant-database-delete", dbName="walked", **tenant)
    assert "walked" not in [d["dbName"] for d in walk.rows("ob-cluster-tenant-databases-list", **tenant)]
    assert not kernel.sql("SHOW DATABASES LIKE 'walked'")
    walk.effect("ob-cluster-tenant-database-delete")


@contextlib.contextmanager
def a_user(walk, tenant, name, **more):
    """A database user of that name while the block runs."""
    walk.do("ob-cluster-tenant-user-create",
            {"username": name, "password": "User-1234", "globalPrivileges": [], "dbPrivileges": [], **more}, **tenant)
    try:
        yield {"username": name, **tenant}
    finally:
        walk.do("ob-cluster-tenant-user-delete", username=name, **tenant)


def can_login(kernel, name, password):
    try:
        kernel.connect(user=name, password=password).close()
    except pymysql.err.OperationalError:
        return False
    return True


USERS = ("ob-cluster-tenant-users-list", "ob-cluster-tenant-user-get", "ob-cluster-tenant-user-create",
         "ob-cluster-tenant-user-delete")


@scenario(*USERS, *LISTS)
def database_users(walk):
    for tenant, kernel in walk.insides():
        life_of_a_user(walk, tenant, kernel)


def life_of_a_user(walk, tenant, kernel):
    with a_user(walk, tenant, "walked", globalPrivileges=["SELECT"], dbPrivileges=[{"dbName": "test", "privileges": ["INSERT"]}]) as user:
        named(walk.rows("ob-cluster-tenant-users-list", **tenant), "walked", "username")
        assert walk.do("ob-cluster-tenant-user-get", **user)["globalPrivileges"] == ["SELECT"]
        assert can_login(kernel, "walked", "User-1234")
        for verb, locked in (("lock", True), ("unlock", False)):
            if walk.has(f"ob-cluster-tenant-user-{verb}"):
                walk.do(f"ob-cluster-tenant-user-{verb}", **user)
                assert walk.do("ob-cluster-tenant-user-get", **user)["isLocked"] is locked
                assert can_login(kernel, "walked", "User-1234") is not locked
                walk.effect(f"ob-cluster-tenant-user-{verb}")
        if walk.has("ob-cluster-tenant-user-change-password"):
            walk.do("ob-cluster-tenant-user-change-password", {"newPassword": "User-5678"}, **user)
            assert can_login(kernel, "walked", "User-5678") and not can_login(kernel, "walked", "User-1234")
            walk.effect("ob-cluster-tenant-user-change-password")
    walk.gone("ob-cluster-tenant-user-get", **user)
    walk.effect("ob-cluster-tenant-user-delete")


class Subject:
    """A user or a role, whose privileges and roles are changed and read back."""

    def __init__(self, walk, kind, **address):
        self.walk, self.kind, self.address = walk, kind, address

    def got(self):
        return self.walk.do(f"ob-cluster-tenant-{self.kind}-get", **self.address)

    def on_all(self):
        return set(self.got()["globalPrivileges"])

    def on_test(self):
        return {p for d in self.got()["dbPrivileges"] if d["dbName"] == "test" for p in d["privileges"]}

    def on_table(self):
        return {p for o in self.got().get("objectPrivileges", []) for p in o["privileges"]}

    def roles(self):
        return set(self.got().get("grantedRoles", []))

    def change(self, verb, what, wanted, body, read):
        """Calls one of the grant, revoke and modify operations, when it has landed, and reads the result back."""
        operation = f"ob-cluster-tenant-{self.kind}-{verb}-{what}"
        if self.walk.has(operation):
            self.walk.do(operation, body, **self.address)
            assert read() == wanted, f"after {operation} {body}: {read()}"
            self.walk.effect(operation)

    def change_all(self, what, values, body, read):
        """Grants two of four values, takes one back, then sets the other two."""
        first, second, third, fourth = values
        self.change("grant", what, {first, second}, body([first, second]), read)
        self.change("revoke", what, {first}, body([second]), read)
        self.change("modify", what, {third, fourth}, body([third, fourth]), read)

    def change_privileges(self, kernel, with_databases):
        values = ("SELECT", "INSERT", "UPDATE", "DELETE")
        table = {"objectType": "TABLE", "objectName": "walked", "schemaName": "test"}
        kernel.sql("CREATE TABLE IF NOT EXISTS test.walked (a INT PRIMARY KEY)")
        self.change_all("global-privilege", values, lambda p: {"globalPrivileges": p}, self.on_all)
        if with_databases:
            self.change_all("db-privilege", values,
                            lambda p: {"dbPrivileges": [{"dbName": "test", "privileges": p}]}, self.on_test)
        self.change_all("object-privilege", values,
                        lambda p: {"objectPrivileges": [{"privileges": p, "object": table}]}, self.on_table)


@scenario(*USERS, *LISTS)
def database_user_privileges(walk):
    for tenant, kernel in walk.insides():
        with a_user(walk, tenant, "privileged") as user:
            Subject(walk, "user", **user).change_privileges(kernel, with_databases=True)


ROLES = ("ob-cluster-tenant-roles-list", "ob-cluster-tenant-role-get", "ob-cluster-tenant-role-create",
         "ob-cluster-tenant-role-delete")


@contextlib.contextmanager
def some_roles(walk, tenant, *names):
    """Roles of these names while the block runs."""
    for name in names:
        walk.do("ob-cluster-tenant-role-create", {"roleName": name, "globalPrivileges": ["SELECT"], "roles": []}, **tenant)
    try:
        yield
    finally:
        for name in names:
            walk.do("ob-cluster-tenant-role-delete", roleName=name, **tenant)


@scenario(*ROLES, *USERS, *LISTS)
def database_roles(walk):
    for tenant, kernel in walk.insides():
        life_of_a_role(walk, tenant, kernel)


def life_of_a_role(walk, tenant, kernel):
    others = ("walked_r1", "walked_r2", "walked_r3", "walked_r4")
    with some_roles(walk, tenant, "walked_role", *others), a_user(walk, tenant, "role_holder") as user:
        named(walk.rows("ob-cluster-tenant-roles-list", **tenant), "walked_role")
        role = Subject(walk, "role", roleName="walked_role", **tenant)
        assert role.on_all() == {"SELECT"}
        holder = Subject(walk, "user", **user)
        for subject in (role, holder):
            subject.change_all("role", others, lambda names: {"roles": names}, subject.roles)
        role.change("modify", "global-privilege", set(), {"globalPrivileges": []}, role.on_all)
        role.change_privileges(kernel, with_databases=False)
    walk.gone("ob-cluster-tenant-role-get", roleName="walked_role", **tenant)
    walk.effect("ob-cluster-tenant-role-delete")


@scenario("ob-cluster-tenant-objects-list", *LISTS)
def database_objects(walk):
    for tenant, kernel in walk.insides():
        kernel.sql("CREATE TABLE IF NOT EXISTS test.walked (a INT PRIMARY KEY)")
        found = walk.rows("ob-cluster-tenant-objects-list", **tenant)
        assert named(found, "walked", "objectName")["schemaName"] == "test"
