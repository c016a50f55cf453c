# SPDX-License-Identifier: Apache-2.0
"""The password box: credentials tried over real SSH and MySQL logins, shared, exported and imported."""
import getpass
import os
import socket
import subprocess
import threading

import pytest

from lib.py import sshd
from lib.py.process import wait_until
from lib.py.server import CHECKOUT, OcpServer, binary

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


if ME != "root":            # who needs no sudo; test_passwords shows it there with an account of its own
    @needs_sshd
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


# -- sharing -----------------------------------------------------------------------------------------------------------

OFFERS = "/api/v2/profiles/me/credentialOffers"


def person(server, name):
    api = server.api()
    api.post("/api/v2/iam/users", {"username": name, "password": PASSWORD, "roles": [101]}).ok()
    return api.as_user(name, PASSWORD)


def database_login(name, secret="Db-pass-1", **more):
    return {"targetType": "OB", "name": name, "obJdbcCredentialProperty": {"clusterName": "c1", "tenantName": "t1", "username": "root",
                                                                          "passphrase": secret, **more}}


def test_copies_are_offered_accepted_and_ignored(server, mariadb_server):
    anna, ben, eve = (person(server, n) for n in ("anna", "berta", "evelyn"))
    one, two = (anna.post(BOX, database_login(n)).data["id"] for n in ("one", "two"))
    assert anna.post(BOX + "/share", {"credentialIds": [one, two], "usernames": ["berta", "evelyn"]}).data == {"offers": 4}
    anna.post(BOX + "/share", {"credentialIds": [one], "usernames": ["anna"]}).refused(400, naming="yourself")
    anna.post(BOX + "/share", {"credentialIds": [one], "usernames": ["nobody.here"]}).refused(404, naming="nobody.here")
    ben.post(BOX + "/share", {"credentialIds": [one], "usernames": ["evelyn"]}).refused(404)
    offers = {o["name"]: o for o in ben.get(OFFERS).contents}
    assert set(offers) == {"one", "two"} and offers["one"]["from"] == "anna" and "passphrase" not in offers["one"]["obJdbcCredentialProperty"]
    eve.post(f"{OFFERS}/{offers['one']['id']}/accept").refused(404)
    anna.delete(f"{BOX}/{one}").ok()                       # the copy is a copy
    ben.post(BOX, database_login("one", "Own-pass-1")).ok()
    ben.post(f"{OFFERS}/{offers['one']['id']}/accept").refused(409, 8002, "one")
    kept = ben.post(f"{OFFERS}/{offers['one']['id']}/accept", {"name": "one_of_anna"}).data
    assert kept["name"] == "one_of_anna" and kept["obJdbcCredentialProperty"]["tenantName"] == "t1"
    ben.post(f"{OFFERS}/{offers['one']['id']}/accept", {"name": "again"}).refused(409, 8106, "one")
    ben.post(f"{OFFERS}/{offers['two']['id']}/ignore").ok()
    ben.post(f"{OFFERS}/{offers['two']['id']}/accept").refused(409, 8106)
    assert ben.get(OFFERS).contents == [] and len(eve.get(OFFERS).contents) == 2
    rows = mariadb_server.sql("SELECT status, LENGTH(secret) AS n FROM credential_offer WHERE status <> 0", database=server.database.name)
    assert {r["n"] for r in rows} == {0}
    mariadb_server.sql("UPDATE credential_offer SET expires_at = NOW(6) - INTERVAL 1 DAY", database=server.database.name)
    assert eve.get(OFFERS).contents == []


# -- files ---------------------------------------------------------------------------------------------------------------

def form(parts, boundary="xYzZy"):
    body = b""
    for name, value in parts.items():
        file = '; filename="credentials.osf"' if name == "file" else ""
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + value + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def send(api, path, **parts):
    body, headers = form(parts)
    return api.call("POST", BOX + path, body, headers=headers)


def test_a_box_is_taken_along_in_a_file(server, keys):
    ursa, vera = person(server, "ursa"), person(server, "vera")
    ursa.post(BOX, database_login("db", "Marker-6f1c9e")).ok()
    ursa.post(BOX, {**host_login("key", keys["locked_rsa"][0], [], kind="PRIVATE_KEY", keyPassphrase="open sesame"), "validate": False}).ok()
    ursa.post(BOX + "/export", {"secret": "short"}).refused(400, naming="secret")
    reply = ursa.post(BOX + "/export", {"secret": "File-secret-1"}).ok()
    file = reply.body
    assert reply.headers["content-type"] == "application/octet-stream" and b"Marker" not in file and file.startswith(b"OCPBOX01")
    assert ursa.post(BOX + "/export", {"secret": "File-secret-1"}).body != file
    twice = [ursa.post(BOX + "/export", {"secret": "File-secret-1"}, headers={"Idempotency-Key": "export-0001"}).ok() for _ in range(2)]
    assert all(r.body.startswith(b"OCPBOX01") for r in twice), "a file is made anew, never replayed"
    send(vera, "/import", file=file, secret=b"Other-secret").refused(400, 8108)
    send(vera, "/import", file=file[:-1], secret=b"File-secret-1").refused(400, 8108)
    send(vera, "/import", file=file[:40], secret=b"File-secret-1").refused(400, 8105)
    send(vera, "/import", file=b"x" * 200, secret=b"File-secret-1").refused(400, 8105)
    for at in (9, 12, 20, 40, 60, len(file) - 1):          # costs, salt, nonce, text, tag: each bit counts
        changed = file[:at] + bytes([file[at] ^ 1]) + file[at + 1:]
        assert send(vera, "/importPreCheck", file=changed, secret=b"File-secret-1").json["error"]["code"] in (8105, 8108)
    vera.post(BOX, database_login("db", "Hers-pass-1")).ok()
    held = send(vera, "/importPreCheck", file=file, secret=b"File-secret-1").contents
    assert sorted((h["name"], h["targetType"], h["duplicate"]) for h in held) == [("db", "OB", True), ("key", "HOST", False)]
    key = next(h["number"] for h in held if h["name"] == "key")
    assert send(vera, "/import", file=file, secret=b"File-secret-1", numbers=str(key).encode()).contents[key - 1]["result"] == "CREATED"
    results = [{r["name"]: r["result"] for r in send(vera, "/import", file=file, secret=b"File-secret-1", duplicates=how).contents}
               for how in (b"skip", b"RENAME", b"REPLACE")]
    assert results == [{"db": "SKIPPED", "key": "SKIPPED"}, {"db_2": "RENAMED", "key_2": "RENAMED"}, {"db": "REPLACED", "key": "REPLACED"}]
    assert sorted(c["name"] for c in vera.get(BOX).contents) == ["db", "db_2", "key", "key_2"]
    ids = [c["id"] for c in vera.get(BOX).contents if c["name"] == "db"]
    assert len(send(vera, "/importPreCheck", file=vera.post(BOX + "/export", {"credentialIds": ids, "secret": "File-secret-2"}).body,
                    secret=b"File-secret-2").contents) == 1
    vera.call("POST", BOX + "/import", b"no form").refused(400)
    send(vera, "/import", file=file).refused(400, naming="secret")
    assert "Marker-6f1c9e" not in server.log.read_text() and "File-secret" not in server.log.read_text()


# -- keys ----------------------------------------------------------------------------------------------------------------

def rotate(server, step):
    return subprocess.run([binary(), "--config", server.settings_file, "--rotate-key", step], capture_output=True, text=True, timeout=120, check=False,
                          user=server.account.pw_uid if server.account else None)


def test_the_master_key_changes_while_secrets_stay_readable(metadb, mariadb_server):
    with OcpServer(metadb) as running:
        api = running.api()
        place = {"address": "127.0.0.1", "port": mariadb_server.port}
        mariadb_server.sql("CREATE OR REPLACE USER 'turning@sys'@'%' IDENTIFIED BY 'Turn-pass-1'")
        made = [api.post(BOX, {"targetType": "OB", "name": f"turn_{n}", "obJdbcCredentialProperty": {
            "clusterName": "c1", "username": "turning", "passphrase": "Turn-pass-1", **place}}).data["id"] for n in range(210)]
        api.post("/api/v2/profiles/me/accessKeys", {"description": "turning"}).ok()
        key_file = next(running.data.glob("*key*"))
        first = key_file.read_text()

        def all_open():
            api.close()                                 # the server may be another by now
            some = made[::70] + made[-1:]
            return all(t["valid"] for t in api.post(BOX + "/validate", {"credentialIds": some}).contents)

        def sealed_under():
            return {r["k"] for r in mariadb_server.sql("SELECT HEX(SUBSTR(secret, 2, 4)) AS k FROM credential", database=metadb.name)}

        assert rotate(running, "use").returncode != 0 and rotate(running, "finish").returncode != 0 and rotate(running, "jump").returncode != 0
        assert rotate(running, "prepare").returncode == 0 and rotate(running, "prepare").returncode != 0
        assert key_file.read_text().splitlines()[0] == first.strip() and len(key_file.read_text().splitlines()) == 2
        running.restart()
        assert all_open()
        assert rotate(running, "use").returncode == 0 and key_file.stat().st_mode & 0o077 == 0
        running.restart()
        assert all_open() and len(sealed_under()) == 1
        refused = rotate(running, "finish")
        assert refused.returncode != 0 and "reseal" in refused.stderr
        before = sealed_under()
        holder = mariadb_server.connect(database=metadb.name, autocommit=False)
        with holder.cursor() as cursor:                     # a row of the second batch: there the work has to wait
            cursor.execute("SELECT id FROM credential WHERE id = %s FOR UPDATE", (made[150],))
            killed = subprocess.Popen([binary(), "--config", running.settings_file, "--rotate-key", "reseal"], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL, user=running.account.pw_uid if running.account else None)
            wait_until(lambda: len(sealed_under()) == 2, "the first batch is sealed anew")
            killed.kill()
            killed.wait()
        holder.rollback()
        holder.close()
        assert all_open()
        done = rotate(running, "reseal")
        assert done.returncode == 0 and " 0 that no key opens" in done.stdout, (done.stdout, done.stderr)
        again = rotate(running, "reseal")
        assert again.returncode == 0 and " 0 sealed anew" in again.stdout
        assert all_open() and not sealed_under() & before
        assert rotate(running, "finish").returncode == 0 and len(key_file.read_text().splitlines()) == 1
        running.restart()
        assert all_open()
        mariadb_server.sql("DROP USER 'turning@sys'@'%'")


def test_every_column_with_sealed_bytes_is_known_to_the_rotation(server, mariadb_server):
    """Whoever adds a column of sealed bytes names it in src/vault/reseal.c."""
    columns = mariadb_server.sql("SELECT TABLE_NAME AS t, COLUMN_NAME AS c FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s AND "
                                 "DATA_TYPE IN ('varbinary', 'blob', 'mediumblob', 'longblob', 'binary')", (server.database.name,))
    source = (CHECKOUT / "src" / "vault" / "reseal.c").read_text(encoding="utf-8")
    missing = [f"{r['t']}.{r['c']}" for r in columns if f'{{ "{r["t"]}", "{r["c"]}",' not in source]
    assert columns and not missing, missing
