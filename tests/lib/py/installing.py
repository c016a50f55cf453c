# SPDX-License-Identifier: Apache-2.0
"""Bare hosts, an ocp-server that may install on them, and packages of simulated observers: what creating a cluster begins with.

    with installing.site(mariadb_server, "create", n=4) as site:
        site.machines, site.key, site.packages, site.state, site.server
"""
import contextlib
import types

from . import hosts, obrpm, sshd
from .process import Port, new_dir
from .server import OcpServer

PATHS = {"InstallPath": "/home/admin/oceanbase", "DataDiskPath": "/home/data/1", "LogDiskPath": "/home/data/log1", "OperatingSystemUser": "root"}
# Hosts are asked whether they have so much: little enough for any machine that runs these tests.
PARAMETERS = {"memory_limit": "4G", "system_memory": "2G", "datafile_size": "1G", "log_disk_size": "4G", "cpu_count": "8"}
STARTUP = [{"name": name, "value": value} for name, value in PARAMETERS.items()]


@contextlib.contextmanager
def site(mariadb_server, name, n=4, releases=(obrpm.RELEASE,)):
    """`n` hosts into which root comes with `key`, a server with a database of this name, files of the packages of these releases, where their clusters keep what
    they know (ObState)."""
    with contextlib.ExitStack() as stack:
        lan = stack.enter_context(hosts.Lan())
        folder = new_dir(f"{name}-cluster", None, 0o711)
        private, public = sshd.make_key(folder, "admin", "ed25519")
        machines = [stack.enter_context(lan.host(authorized=[public])) for _ in range(n)]
        state = folder / "state"
        packages = [path for release in releases for path in obrpm.write(folder, state=state, release=release)]
        database = mariadb_server.create_database(name)
        stack.callback(mariadb_server.drop_database, database)
        port = Port()
        server = OcpServer(database, settings={"agent.program_dir": hosts.programs(), "agent.probe_interval": "1s", "http.allow_cleartext": "true",
                                               "configurl.networks": "198.18.0.0/15"})
        server.extra["http.listen"] = f"127.0.0.1:{server.port}, {lan.address}:{int(port)}"
        stack.enter_context(server)
        stack.callback(port.release)
        server.api().patch("/api/v2/config/properties/ocp.site.url", {"value": f"http://{lan.address}:{int(port)}"}).ok()
        server.api().patch("/api/v2/config/properties/ocp.host.ssh-ping.max-delay-millis", {"value": "60000"}).ok()   # a busy machine
        yield types.SimpleNamespace(machines=machines, key=private, packages=packages, state=state, server=server)
