# SPDX-License-Identifier: Apache-2.0
"""The password box: credentials tried over real SSH and MySQL logins, shared, exported and imported."""
import getpass
import os
import socket
import threading

import pytest

from lib.py import sshd
from lib.py.process import wait_until
from lib.py.server import OcpServer

BOX = "/api/v2/profiles/me/credentials"
PASSWORD = "Boxed-pass1"
ME = getpass.getuser()

needs_sshd = pytest.mark.skipif(not sshd.is_there(), reason="openssh-server is not installed")
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="password logins need PAM and an account: root only")


@pytest.fixture(scope="module")
def server(mariadb_server):
    database = mariadb_server.create_database("box")
    with OcpServer(database) as running:
        yield running
    mariadb_server.drop_database(database)


@pytest.fixture(scope="module")
def add_host(server, mariadb_server):
    """Adds a host row and returns its id."""
    api = server.api()
    region = api.post("/api/v2/compute/regions", {"name": "north"}).data["id"]
    idc = api.post("/api/v2/compute/idcs", {"name": "n1", "regionId": region}).data["id"]
    kind = api.post("/api/v2/compute/hostTypes", {"name": "any"}).data["id"]
    numbers = iter(range(101, 1000))

    def add(ip, port):
        number = next(numbers)
        mariadb_server.sql("DELETE FROM host WHERE ip = %s", (ip,), database=server.database.name)
        mariadb_server.sql("INSERT INTO host (id, name, alias, description, operating_system, operating_system_release, architecture, serial_number, "
                           "ip, ssh_port, kind, publish_ports, status, idc_id, type_id, credential_id, created_at, updated_at) VALUES "
                           "(%s, %s, '', '', '', '', '', '', %s, %s, 'DEDICATED_PHYSICAL_MACHINE', '', 'AVAILABLE', %s, %s, 0, NOW(6), NOW(6))",
                           (number, f"h{number}", ip, port, idc, kind), database=server.database.name)
        return number
    return add


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """name: (private, public, passphrase)"""
    if not sshd.is_there():
        pytest.skip("openssh-server is not installed")
    directory = tmp_path_factory.mktemp("keys")
    made = {}
    for name, kind, passphrase, bits in (("rsa", "rsa", "", 2048), ("ed25519", "ed25519", "", None), ("ecdsa", "ecdsa", "", 256),
                                         ("locked_rsa", "rsa", "open sesame", 2048), ("locked_ed25519", "ed25519", "open sesame", None),
                                         ("stranger", "ed25519", "", None)):
        private, public = sshd.make_key(directory, name, kind, passphrase, bits)
        made[name] = private, public, passphrase
    return made


@pytest.fixture(scope="module")
def host_with_keys(keys):
    with sshd.Sshd([public for name, (_, public, _) in keys.items() if name != "stranger"], addresses=("127.0.0.1", "127.0.0.2")) as running:
        yield running


def host_login(name, secret, hosts, user=ME, kind="PASSWORD", **more):
    return {"targetType": "HOST", "name": name, "validate": True,
            "sshCredentialProperty": {"type": kind, "username": user, "passphrase": secret, "hostIdList": hosts, **more}}


# -- hosts -----------------------------------------------------------------------------------------------------------

@needs_sshd
@pytest.mark.parametrize("name", ["rsa", "ed25519", "ecdsa", "locked_rsa", "locked_ed25519"])
def test_keys_are_tried_at_the_host(server, add_host, keys, host_with_keys, name):
    private, _, passphrase = keys[name]
    api, host = server.api(), add_host("127.0.0.1", host_with_keys.port)
    more = {"keyPassphrase": passphrase} if passphrase else {}
    made = api.post(BOX, host_login(f"key_{name}", private, [host], kind="PRIVATE_KEY", **more)).data
    assert "passphrase" not in made["sshCredentialProperty"] and "keyPassphrase" not in made["sshCredentialProperty"]
    tried = api.post(BOX + "/validate", {"credentialIds": [made["id"]]}).contents
    assert [t["valid"] for t in tried] == [True]
    assert tried[0]["attempts"] == [{"hostId": host, "address": "127.0.0.1", "fingerprint": host_with_keys.fingerprint, "valid": True}]


@needs_sshd
def test_keys_that_open_nothing(server, add_host, keys, host_with_keys):
    api, host = server.api(), add_host("127.0.0.1", host_with_keys.port)
    api.post(BOX, host_login("stranger", keys["stranger"][0], [host], kind="PRIVATE_KEY")).refused(400, 8100, ME)
    api.post(BOX, host_login("locked", keys["locked_rsa"][0], [host], kind="PRIVATE_KEY")).refused(400, 8104)
    api.post(BOX, host_login("locked", keys["locked_ed25519"][0], [host], kind="PRIVATE_KEY", keyPassphrase="wrong")).refused(400, 8104)
    api.post(BOX, host_login("nonsense", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbg==\n-----END OPENSSH PRIVATE KEY-----\n", [],
                             kind="PRIVATE_KEY")).refused(400, 8104)
    api.post(BOX, host_login("public", keys["rsa"][1], [], kind="PRIVATE_KEY")).refused(400, 8104)
    api.post(BOX, host_login("gone", keys["rsa"][0], [987654], kind="PRIVATE_KEY")).refused(400, 8100, "987654")


@needs_sshd
def test_every_host_is_tried(server, add_host, keys, host_with_keys):
    api = server.api()
    good, same = add_host("127.0.0.1", host_with_keys.port), add_host("127.0.0.2", host_with_keys.port)
    nobody = add_host("127.0.0.3", 9)
    api.post(BOX, host_login("all", keys["rsa"][0], [good, nobody, same], kind="PRIVATE_KEY")).refused(400, 8100, "127.0.0.3")
    made = api.post(BOX, {**host_login("all", keys["rsa"][0], [good, nobody, same], kind="PRIVATE_KEY"), "validate": False}).data
    tried, = api.post(BOX + "/validate", {"credentialIds": [made["id"]]}).contents
    assert tried["valid"] is False and [(a["hostId"], a["valid"]) for a in tried["attempts"]] == [(good, True), (nobody, False), (same, True)]
    assert tried["attempts"][1]["errorCode"] == 8100 and "fingerprint" not in tried["attempts"][1]


@needs_sshd
@pytest.mark.skipif(ME == "root", reason="root needs no sudo: test_passwords covers it")
def test_who_may_not_use_sudo_is_told_so(server, add_host, keys):
    with sshd.Sshd([keys["rsa"][1]], sudo=1) as host:
        server.api().post(BOX, host_login("no_sudo", keys["rsa"][0], [add_host("127.0.0.1", host.port)], kind="PRIVATE_KEY")).refused(400, 8103)


@needs_sshd
@needs_root
def test_passwords(server, add_host):
    api = server.api()
    with sshd.account_with_password(PASSWORD) as user:
        for settings in (["UsePAM yes", "KbdInteractiveAuthentication no"], ["UsePAM yes", "PasswordAuthentication no", "KbdInteractiveAuthentication yes"]):
            with sshd.Sshd(settings=settings) as host:
                number = add_host("127.0.0.1", host.port)
                made = api.post(BOX, host_login("by_password", PASSWORD, [number], user=user)).data
                api.delete(f"{BOX}/{made['id']}").ok()
                api.post(BOX, host_login("by_password", "wrong", [number], user=user)).refused(400, 8100, user)
        with sshd.Sshd(settings=["UsePAM yes"], sudo=1) as host:
            api.post(BOX, host_login("no_sudo", PASSWORD, [add_host("127.0.0.1", host.port)], user=user)).refused(400, 8103, "127.0.0.1")
        assert PASSWORD not in server.log.read_text()


def test_hosts_that_are_no_ssh_servers(server, add_host):
    """One that says nothing costs its own deadline; the others are told at once. The server answers others meanwhile."""
    api = server.api()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        stays = add_host("127.0.0.1", silent.getsockname()[1])
        replies = []
        waiting = threading.Thread(target=lambda: replies.append(server.api().post(BOX, host_login("silent", PASSWORD, [stays]))))
        waiting.start()
        accepted, _ = silent.accept()
        api.get("/api/v2/profiles/me").ok()
        waiting.join()
        replies[0].refused(400, 8100)
        wait_until(lambda: accepted.recv(100) in (b"",) or True, "the connection is ended")
        accepted.close()


# -- databases and proxies -------------------------------------------------------------------------------------------

def test_database_logins_are_tried(server, mariadb_server):
    api = server.api()
    mariadb_server.sql("CREATE OR REPLACE USER 'root@proxysys'@'%' IDENTIFIED BY 'Proxy-pass1'")
    mariadb_server.sql("CREATE OR REPLACE USER 'probe@sys'@'%' IDENTIFIED BY 'Probe-pass1'")
    place = {"address": "127.0.0.1", "port": mariadb_server.port}

    def proxy(name, secret, **where):
        return {"targetType": "OBPROXY", "name": name, "validate": True,
                "obProxyCredentialProperty": {"clusterName": "p1", "username": "root", "passphrase": secret, **where}}

    api.post(BOX, proxy("proxy", "Proxy-pass1", **place)).ok()
    api.post(BOX, proxy("proxy2", "wrong", **place)).refused(400, 8100)
    api.post(BOX, proxy("proxy2", "Proxy-pass1")).refused(400, 8100, "address")
    api.post(BOX, proxy("proxy2", "Proxy-pass1", address="127.0.0.1", port=9)).refused(400, 8100)
    made = api.post(BOX, {"targetType": "OB", "name": "ob", "validate": True, "obJdbcCredentialProperty": {
        "clusterName": "c1", "username": "probe", "passphrase": "Probe-pass1", **place}}).data
    assert made["obJdbcCredentialProperty"]["address"] == "127.0.0.1"
    mariadb_server.sql("ALTER USER 'probe@sys'@'%' IDENTIFIED BY 'Other-pass1'")
    tried = {t["name"]: t for t in api.post(BOX + "/validate", {"credentialIds": [made["id"]]}).contents}
    assert tried["ob"]["valid"] is False and tried["ob"]["attempts"][0]["errorCode"] == 8100
    for user in ("root@proxysys", "probe@sys"):
        mariadb_server.sql(f"DROP USER '{user}'@'%'")
