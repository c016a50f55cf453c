# SPDX-License-Identifier: Apache-2.0
"""Software packages: uploaded in pieces, judged by their header, kept beside MetaDB or in a directory, downloaded, deleted. What is left of an
upload that ends in the middle is counted in the database and in the directory."""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import urllib.parse

import pytest

from lib.py import rpm
from lib.py.ocpcluster import two_of_three
from lib.py.process import new_dir, wait_until
from lib.py.server import OcpServer, binary, unprivileged
from lib.py.upload import PACKAGES, Sending, upload

MIB = 1 << 20
RELEASE = "100000102023092807.el7"


def package(n_bytes=1000, name="oceanbase-ce", version="4.2.1.0", release=RELEASE, **more):
    """(bytes, file name) of a package of about that size; its content cannot be compressed."""
    data = rpm.build(name, version, release, payload=os.urandom(n_bytes), **more)
    return data, rpm.file_name(name, version, release, more.get("arch", "x86_64"))


def left_over(mariadb, database):
    """(blobs without package, chunks without package)"""
    [blobs] = mariadb.sql("SELECT COUNT(*) AS n FROM package_blob WHERE id NOT IN (SELECT id FROM package)", database=database.name)
    [table] = mariadb.sql("SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_schema = %s", (database.package,))
    if table["n"] == 0:
        return blobs["n"], 0
    [chunks] = mariadb.sql(f"SELECT COUNT(*) AS n FROM `{database.package}`.package_chunk WHERE package_id NOT IN (SELECT id FROM package)",
                           database=database.name)
    return blobs["n"], chunks["n"]


def memory_peak(pid):
    """VmHWM in bytes."""
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) * 1024


@pytest.fixture(scope="module")
def server(mariadb_server):
    database = mariadb_server.create_database("package")
    with OcpServer(database) as running:
        yield running
    mariadb_server.drop_database(database)


@pytest.fixture
def api(server):
    client = server.api()
    yield client
    for p in client.get(PACKAGES, {"size": 100}).contents:
        client.delete(f"{PACKAGES}/{p['id']}").ok()


def test_a_package_comes_in_and_goes_out_as_it_was(api, server, mariadb_server):
    data, name = package(3 * MIB + 17)
    made = upload(api, data, "C:\\fetched\\" + name).data
    assert made["fileName"] == name and made["name"] == "oceanbase-ce" and made["version"] == "4.2.1.0"
    assert (made["buildNumber"], made["operatingSystem"], made["architecture"]) == ("100000102023092807", "el7", "x86_64")
    assert made["type"] == "OB_SERVER_INSTALL_PACKAGE" and made["extension"] == "rpm" and made["deletable"] is True
    assert made["size"] == len(data) and made["creator"] == "admin"
    assert made["sha1"] == hashlib.sha1(data).hexdigest() and made["sha256"] == hashlib.sha256(data).hexdigest()
    assert api.get(f"{PACKAGES}/{made['id']}").data == made

    nobody = api.anonymous()
    got = nobody.get(made["downloadUrl"])
    assert got.status == 200 and got.body == data and got.headers["content-length"] == str(len(data))
    assert nobody.call("GET", made["downloadUrl"], headers={"If-None-Match": got.headers["etag"]}).status == 304
    assert nobody.call("HEAD", made["downloadUrl"]).headers["content-length"] == str(len(data))
    nobody.get(PACKAGES).refused(401)

    api.delete(f"{PACKAGES}/{made['id']}").ok()
    nobody.get(made["downloadUrl"]).refused(404, 7500, name)
    api.get(f"{PACKAGES}/{made['id']}").refused(404, 7514)
    api.delete(f"{PACKAGES}/{made['id']}").refused(404, 7514)
    wait_until(lambda: left_over(mariadb_server, server.database) == (0, 0), "nothing is left")


def test_lists_are_filtered_and_sorted(api):
    for name, version, release, arch in (("oceanbase-ce", "4.2.1.0", "1.el7", "x86_64"), ("oceanbase-ce", "4.2.1.0", "1.el8", "x86_64"),
                                         ("oceanbase-ce", "4.3.0.0", "1.el7", "aarch64"), ("obproxy-ce", "4.2.1.0", "7", "noarch")):
        upload(api, *package(name=name, version=version, release=release, arch=arch)).ok()

    def found(**query):
        return [(p["name"], p["version"], p["operatingSystem"]) for p in api.get(PACKAGES, {"sort": "fileName,asc", **query}).contents]
    assert len(found()) == 4
    assert found(keyword="PROXY") == [("obproxy-ce", "4.2.1.0", "")]
    assert found(type="OBPROXY_INSTALL_PACKAGE,OCP_AGENT_INSTALL_PACKAGE") == [("obproxy-ce", "4.2.1.0", "")]
    assert found(version="4.3.0.0") == [("oceanbase-ce", "4.3.0.0", "el7")]
    assert [v for _, v, _ in found(operatingSystem="el7")] == ["4.2.1.0", "4.3.0.0"]
    assert found(architecture="aarch64") == [("oceanbase-ce", "4.3.0.0", "el7")]
    assert api.get(PACKAGES, {"size": 3, "page": 2}).data["page"]["totalElements"] == 4


def test_memory_does_not_grow_with_the_file(api, server):
    """40 MiB in and out, once with a length and once without."""
    data, name = package(40 * MIB)
    before = memory_peak(server.pid)
    sending = Sending(api, data, name, chunked=True)
    status, body = sending.finish()
    assert status == 200, body
    made = json.loads(body)["data"]
    assert hashlib.sha256(api.anonymous().get(made["downloadUrl"]).body).hexdigest() == made["sha256"] == hashlib.sha256(data).hexdigest()
    grown = memory_peak(server.pid) - before
    assert grown < 24 * MIB or b"__asan_init" in binary().read_bytes(), f"{grown / MIB:.0f} MiB more for a file of 40 MiB"


def test_the_same_twice_is_refused(api):
    data, name = package()
    upload(api, data, name).ok()
    assert "oceanbase-ce-4.2.1.0-" in upload(api, data, name).refused(409, 7512, name)
    upload(api, data, "other-name.rpm").refused(409, 7512, name)
    upload(api, *package(version="4.2.2.0")[:1], name).refused(409, 7502, name)
    assert len(api.get(PACKAGES).contents) == 1


def test_of_two_at_once_one_is_kept(api, server, mariadb_server):
    data, name = package(2 * MIB)
    first, second = (Sending(api, data, name) for _ in range(2))
    for sending in (first, second):
        sending.send(MIB + 4096)
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        statuses = sorted(r[0] for r in threads.map(Sending.finish, (first, second)))
    assert statuses == [200, 409]
    wait_until(lambda: left_over(mariadb_server, server.database) == (0, 0), "what the loser had sent is gone")


@pytest.fixture(scope="module")
def good():
    return package(20000)[0]


REFUSED = {
    "no package": (lambda good: (b"hello, this is a text", "oceanbase.rpm"), 7504),
    "empty": (lambda good: (b"", "oceanbase.rpm"), 7506),
    "another suffix": (lambda good: (good, "oceanbase.tar.gz"), 7503),
    "cut in its header": (lambda good: (good[:300], "oceanbase.rpm"), 7506),
    "cut in its payload": (lambda good: (good[:-1], "oceanbase.rpm"), 7506),
    "something behind it": (lambda good: (good + b"x", "oceanbase.rpm"), 7506),
    "payload altered": (lambda good: (good[:-10] + b"ten bytes!", "oceanbase.rpm"), 7506),
    "header altered": (lambda good: (good.replace(b"\0oceanbase-ce\0", b"\0oceanbase-cf\0"), "oceanbase.rpm"), 7506),
    "header without end": (lambda good: (good[:104] + b"\x7f\xff\xff\xff" + good[108:], "oceanbase.rpm"), 7506),
    "foreign": (lambda good: package(name="bash"), 90536),
    "for another processor": (lambda good: package(arch="ppc64le"), 7515),
    "sources": (lambda good: package(source=True), 7515),
    "path in its name": (lambda good: (good, "../../etc/.rpm"), 7516),
    "blank in its name": (lambda good: (good, "ocean base.rpm"), 7516),
    "control character in its name": (lambda good: (good, "ocean\x07base.rpm"), 7516),
    "name of 10 000 characters": (lambda good: (good, "o" * 9996 + ".rpm"), None),
    "no name": (lambda good: (good, ""), 7516),
}


@pytest.mark.bad_input("truncated or foreign package")
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_usable_package_is_refused(api, good, case):
    make, code = REFUSED[case]
    upload(api, *make(good)).refused(400, code)
    assert api.get(PACKAGES).contents == []


def test_a_form_without_the_file_is_refused(api, good):
    upload(api, good, "a.rpm", part="other").refused(400, naming="file")
    api.call("POST", PACKAGES, good, headers={"Content-Type": "application/x-rpm"}).refused(400, naming="multipart")
    api.post(PACKAGES).refused(400, naming="multipart")


def test_the_old_way_says_what_it_is(api, good):
    path = "/api/v2/files/uploadFile"
    upload(api, good, "a.rpm", path, query={"type": "OBPROXY_INSTALL_PACKAGE"}).refused(400, 7513, "OB_SERVER_INSTALL_PACKAGE")
    upload(api, good, "a.rpm", path).refused(400, naming="type")
    agent = package(name="t-oceanbase-ocp-agent", version="4.3.5")
    assert upload(api, *agent, path, query={"type": "OB_AGENT_INSTALL_PACKAGE"}).data["type"] == "OCP_AGENT_INSTALL_PACKAGE"


def test_the_quota_holds(api, server, mariadb_server):
    key = urllib.parse.quote("ocp.package.quota")
    upload(api, *package(MIB, version="4.0.0.0")).ok()
    data, name = package(3 * MIB)
    api.patch(f"/api/v2/config/properties/{key}", {"value": "3 MB"}).ok()
    try:
        wait_until(lambda: upload(api, data, name).status == 409, "the quota is in force")
        upload(api, data, name).refused(409, 90531, "ocp.package.quota")
        status, body = Sending(api, data, name, chunked=True).finish()
        assert status == 409 and json.loads(body)["error"]["code"] == 90531
        upload(api, *package(MIB)).ok()
    finally:
        api.delete(f"/api/v2/config/properties/{key}")
    wait_until(lambda: left_over(mariadb_server, server.database) == (0, 0), "nothing is left")


def n_chunks(mariadb, database):
    return mariadb.sql(f"SELECT COUNT(*) AS n FROM `{database.package}`.package_chunk")[0]["n"]


def test_an_upload_that_is_cut_leaves_nothing(api, server, mariadb_server):
    data, name = package(4 * MIB)
    upload(api, data, name).ok()                        # so that the table is there
    before = n_chunks(mariadb_server, server.database)
    sending = Sending(api, *package(4 * MIB, version="4.2.3.0"))
    sending.send(3 * MIB)
    wait_until(lambda: n_chunks(mariadb_server, server.database) >= before + 2, "parts of it are written")
    sending.cut()
    wait_until(lambda: left_over(mariadb_server, server.database) == (0, 0), "they are removed")
    assert len(api.get(PACKAGES).contents) == 1
    wait_until(lambda: n_chunks(mariadb_server, server.database) == before, "what was there before is there")


def test_a_node_that_dies_leaves_nothing(mariadb_server):
    """The node itself cleans up when it is back; and without rights on the database, uploads say so."""
    database = mariadb_server.create_database("package")
    with OcpServer(database) as server:
        api = server.api()
        upload(api, *package(version="4.0.0.0")).ok()
        sending = Sending(api, *package(4 * MIB))
        sending.send(3 * MIB)
        wait_until(lambda: left_over(mariadb_server, database)[1] >= 2, "parts of it are written")
        server.kill()
        sending.cut()
        server.extra["package.database"] = "nobody_may_use_it"
        server.start()
        api = server.api()
        assert [p["version"] for p in api.get(PACKAGES).contents] == ["4.0.0.0"]
        upload(api, *package()).refused(503, 90533, "nobody_may_use_it")
        server.extra["package.database"] = None
        server.restart()
        wait_until(lambda: left_over(mariadb_server, database) == (0, 0), "what it had written is removed")
        upload(server.api(), *package()).ok()
    mariadb_server.drop_database(database)


def test_a_shared_directory(mariadb_server):
    """Packages go there from now on; those in MetaDB stay where they are."""
    database = mariadb_server.create_database("package")
    with OcpServer(database) as server:
        api = server.api()
        inside = upload(api, *package(version="4.0.0.0")).data
        folder = server.directory / "shared"
        folder.mkdir(mode=0o700)
        if server.account is not None:
            os.chown(folder, server.account.pw_uid, server.account.pw_gid)
        server.extra["package.directory"] = folder
        server.restart()
        api = server.api()
        data, name = package(2 * MIB + 5)
        made = upload(api, data, name).data
        assert [f.read_bytes() == data for f in folder.iterdir()] == [True] and n_chunks(mariadb_server, database) == 1
        assert api.get(made["downloadUrl"]).body == data and api.get(inside["downloadUrl"]).status == 200
        sending = Sending(api, *package(4 * MIB, version="4.2.3.0"))
        sending.send(3 * MIB)
        wait_until(lambda: len(list(folder.iterdir())) == 2, "the second file is there")
        sending.cut()
        wait_until(lambda: len(list(folder.iterdir())) == 1, "it is gone again")
        for p in (made, inside):
            api.delete(f"{PACKAGES}/{p['id']}").ok()
        wait_until(lambda: list(folder.iterdir()) == [] and left_over(mariadb_server, database) == (0, 0), "nothing is left")
        folder.chmod(0o500)
        if os.getuid() != 0 or server.account is not None:
            upload(api, data, name).refused(503, 90534, "shared")
        folder.chmod(0o700)
    mariadb_server.drop_database(database)


def test_a_directory_that_nodes_share(mariadb_server):
    """What came in at one goes out at the other, also while the first is dead; what that one left in the middle goes when it is back. A node that was not
    told of the directory says so."""
    database = mariadb_server.create_database("package")
    account = unprivileged()
    folder = new_dir("shared", account, 0o700)
    with two_of_three(database, settings={"package.directory": folder}) as (one, other):
        data, name = package(2 * MIB + 5)
        made = upload(one.api(), data, name).data
        assert other.api().get(made["downloadUrl"]).body == data
        upload(other.api(), data, "again.rpm").refused(409, 7512)
        sending = Sending(one.api(), *package(4 * MIB, version="4.2.3.0"))
        sending.send(3 * MIB)
        wait_until(lambda: len(list(folder.iterdir())) == 2, "the second file is there")
        one.kill()
        sending.cut()
        assert other.api().get(made["downloadUrl"]).body == data
        other.api().delete(f"{PACKAGES}/{made['id']}").ok()
        assert len(list(folder.iterdir())) == 1
        kept = upload(other.api(), data, name).data
        one.extra["package.directory"] = None
        one.start()
        one.api().get(kept["downloadUrl"]).refused(503, 90534, "package.directory")
        one.extra["package.directory"] = folder
        one.restart()
        wait_until(lambda: len(list(folder.iterdir())) == 1 and left_over(mariadb_server, database) == (0, 0), "what it had written is removed")
        assert one.api().get(kept["downloadUrl"]).body == data
    mariadb_server.drop_database(database)


def test_on_an_oceanbase(seekdb_metadb, metadb_on_kernel):
    with OcpServer(metadb_on_kernel) as server:
        api = server.api()
        data, name = package(2 * MIB + 1)
        made = upload(api, data, name).data
        assert api.anonymous().get(made["downloadUrl"]).body == data
        upload(api, data, name).refused(409, 7512)
        api.delete(f"{PACKAGES}/{made['id']}").ok()
        assert api.get(PACKAGES).contents == []
        wait_until(lambda: left_over(seekdb_metadb, metadb_on_kernel) == (0, 0), "nothing is left")

