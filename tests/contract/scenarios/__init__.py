# SPDX-License-Identifier: Apache-2.0
"""Scenarios: what a client program does, so that operations answer with real data and show their effects.

To add one, write a function with @scenario("operation-id", ...) in the file of its noun; the ids are the
operations it cannot do without. Inside, `if walk.has("operation-id"):` guards what may not have landed yet.
Then name it in ENABLED, which is the order in which they run. A scenario whose operations have no route is
left out silently; the report shows them as not counted.
"""
import dataclasses
import importlib

ENABLED = (
    # system
    "info_and_time", "unknown_paths", "current_user", "users_of_ocp", "login_key", "multi_cluster_info", "health", "metrics", "nodes", "leases", "cluster_of_nodes", "leadership_moves",
    "page_of_the_api",
    "life_of_a_user", "roles_and_permissions", "roles_that_people_make", "system_parameters",
    # how people and programs come in
    "console_sessions", "access_keys", "login_history", "address_rules", "rate_limits",
    # records
    "regions", "idcs", "host_types", "new_hosts", "credentials", "shared_credentials", "credentials_in_a_file", "unit_specs",
    "packages",
    # clusters
    "take_over_check", "take_over", "cluster_compaction", "hosts", "new_cluster", "agents", "clusters_list", "cluster_numbers", "zones_and_servers",
    "units", "parameter_info", "cluster_parameters", "cluster_sessions", "cluster_password",
    "wide_cluster", "wide_cluster_units", "wide_cluster_parameters", "wide_cluster_sessions", "wide_cluster_events", "wide_cluster_service",
    # tenants
    "tenants", "tenant_parameters", "tenant_units", "tenant_whitelist", "tenant_password",
    "simulated_tenants", "simulated_units", "simulated_lock", "tenant_description", "simulated_parameters",
    "databases", "database_users", "database_user_privileges", "database_roles", "database_objects", "tenant_compaction",
    # what this OCP has created
    "created_cluster", "created_cluster_grows", "created_cluster_goes", "hosts_that_go",
    # what was recorded meanwhile
    "tasks", "tasks_of_a_tenant", "tasks_that_fail", "locks_of_tasks", "events_of_a_task", "schedules", "audit_events", "audit_details", "config_url",
    "end_of_compaction",
    # ends with one cluster less
    "move_out",
)

_registry = {}


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    needs: tuple
    run: object


def scenario(*needs):
    """Registers a function of a Walk under its own name."""
    def register(function):
        assert function.__name__ not in _registry, function.__name__
        _registry[function.__name__] = Scenario(function.__name__, needs, function)
        return function
    return register


def registered():
    """All scenarios by name."""
    for noun in ("system", "record", "cluster", "cluster4x", "created", "tenant", "tenant4x", "database", "history", "login", "own", "package", "task", "host"):
        importlib.import_module(f"{__name__}.{noun}")
    return _registry
