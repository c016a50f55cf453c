# SPDX-License-Identifier: Apache-2.0
"""The frame of the API: errors, languages, paging, request keys, health, metrics, and how the process starts, reloads and stops."""
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest

from lib.py.api import Api
from lib.py.ocpcluster import OcpCluster
from lib.py.process import new_dir, wait_until
from lib.py.server import OcpServer, binary

TABLES = ("settings", "routes", "errors", "metrics", "permissions", "migrations", "parameters")
REGIONS = "/api/v2/compute/regions"


@pytest.fixture(scope="module")
def api(ocp_server):
    return ocp_server.api()


def test_errors_are_json_objects_of_one_form(api, ocp_server):
    nobody = api.anonymous()
    nobody.get(REGIONS).refused(401, 3000)
    api.get("/api/v2/nothing/here").refused(404)
    nobody.get("/api/v2/nothing/here").refused(404)
    nobody.get("/debug/pprof/cmdline").refused(404)
    reply = api.call("PUT", REGIONS, {})
    reply.refused(405, 1008, "PUT")
    assert reply.headers["allow"] == "GET, HEAD, POST"
    api.get(f"{REGIONS}/999999999").refused(404, naming="999999999")
    api.get(f"{REGIONS}/99999999999999999999999").refused(404)
    for body in (b"{", b"[]", b"{\"name\":1}", b"{\"name\":\"x\",\"name\":\"y\"}", b"[" * 200, b"", b"\xff"):
        api.post(REGIONS, body).refused(400)
    api.post(REGIONS, {"description": "x"}).refused(400, 1001, "name")
    api.get(REGIONS, {"size": "0"}).refused(400, 1001, "size")
    api.get(REGIONS, {"sort": "password,asc"}).refused(400, 1011, "createTime")
    api.get(f"{REGIONS}/%zz").refused(404)


def test_errors_speak_the_callers_language(api):
    english = api.get(f"{REGIONS}/424242", headers={"Accept-Language": "en-US,en;q=0.9"}).refused(404)
    chinese = api.get(f"{REGIONS}/424242", headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}).refused(404)
    assert "does not exist" in english and "不存在" in chinese and "424242" in chinese


def test_newest_first_whichever_loop_made_it(api):
    """Each loop takes ids from blocks of its own, so the higher id is not the newer object."""
    for i in range(16):
        other = api.as_user(api.user, api.password)  # a connection of its own
        other.post(REGIONS, {"name": f"newest-{i:02}"}).ok()
        assert api.get(REGIONS).contents[0]["name"] == f"newest-{i:02}"


def test_lists_page_and_sort(api):
    names = [f"page-{i:02}" for i in range(25)]
    for name in names:
        api.post(REGIONS, {"name": name}).ok()
    mine = [r["name"] for r in api.get(REGIONS, {"size": 2000, "sort": "name,asc"}).contents if r["name"] in names]
    assert mine == names
    first = api.get(REGIONS).data
    assert len(first["contents"]) == 10 and first["page"]["number"] == 1 and first["page"]["totalElements"] >= 25
    assert first["contents"][0]["name"] == names[-1], "the newest comes first"
    pages = first["page"]["totalPages"]
    assert len(api.get(REGIONS, {"page": pages}).contents) == (first["page"]["totalElements"] - 1) % 10 + 1
    assert api.get(REGIONS, {"page": pages + 1}).contents == []


def test_one_key_acts_once(api):
    body = {"name": "once"}
    first = api.post(REGIONS, body, headers={"Idempotency-Key": "key-0000-1"})
    again = api.post(REGIONS, body, headers={"Idempotency-Key": "key-0000-1"})
    assert first.data == again.data
    api.post(REGIONS, {"name": "other"}, headers={"Idempotency-Key": "key-0000-1"}).refused(409, naming="key-0000-1")
    api.post(REGIONS, body).refused(409, 1006)
    token = {"name": "by-token", "clientToken": "token-0001"}
    assert api.post(REGIONS, token).data == api.post(REGIONS, token).data


def test_who_leaves_and_comes_back_with_the_key_gets_the_reply(api, ocp_server, mariadb_server):
    """The first request waits for a lock while its client goes away."""
    database = ocp_server.database.name
    body, key = {"name": "left-behind"}, {"Idempotency-Key": "key-left-0001"}
    in_the_way = mariadb_server.connect(autocommit=False, database=database)
    with in_the_way.cursor() as cursor:
        cursor.execute("INSERT INTO region VALUES (-1, 'left-behind', '', NOW(6), NOW(6))")
        hasty = Api(api.host, api.port, api.user, api.password, timeout=1)
        with pytest.raises(TimeoutError):
            hasty.post(REGIONS, body, headers=key)
    in_the_way.rollback()
    in_the_way.close()

    def again():
        reply = api.post(REGIONS, body, headers=key)
        return reply if reply.status != 409 else None
    made = wait_until(again, "the first request with the key is through").data
    assert [r["id"] for r in mariadb_server.sql(f"SELECT id FROM `{database}`.region WHERE name = 'left-behind'")] == [made["id"]]
    api.post(REGIONS, {"name": "x1", "clientToken": "short"}).refused(400, naming="8 to 64")
    # a failed request gives its key back
    api.post(REGIONS, {"name": "once", "clientToken": "token-0002"}).refused(409, 1006)
    api.post(REGIONS, {"name": "twice", "clientToken": "token-0002"}).ok()


def test_one_key_at_the_same_moment(api):
    def send(_):
        return api.post(REGIONS, {"name": "race", "clientToken": "token-race"})

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(send, range(16)))
    assert {r.status for r in replies} <= {200, 409}
    assert len({r.data["id"] for r in replies if r.status == 200}) == 1
    assert len([r for r in api.get(REGIONS, {"size": 2000}).contents if r["name"] == "race"]) == 1


def test_json_that_curl_calls_a_form(api):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert api.post(REGIONS, b' {"name":"by-curl"}', headers=form).data["name"] == "by-curl"
    assert api.post(REGIONS, b"name=by%2Bform&description=a+b", headers=form).data["description"] == "a b"


def test_head_and_query_traits(api):
    reply = api.call("HEAD", REGIONS)
    assert reply.status == 200 and reply.body == b"" and int(reply.headers["content-length"]) > 0
    assert api.get(REGIONS, {"size": "", "page": "", "unknown": "1"}).status == 200
    body = api.get(REGIONS).body
    assert b"\n" not in body and b'": ' not in body and b", \"" not in body, "compact JSON on one line"


def test_openapi_is_valid(api):
    jsonschema = pytest.importorskip("jsonschema")
    document = api.anonymous().get("/api/v2/openapi.json").ok().json
    assert document["openapi"] == "3.1.0" and len(document["paths"]) > 20
    ids = [o["operationId"] for p in document["paths"].values() for o in p.values()]
    assert len(ids) == len(set(ids))
    for path, operations in document["paths"].items():
        wanted = set(re.findall(r"{(\w+)}", path))
        for operation in operations.values():
            assert {p["name"] for p in operation["parameters"] if p.get("in") == "path"} == wanted, path
            for schema in schemas(operation):
                jsonschema.Draft202012Validator.check_schema(schema)


def test_openapi_says_where_a_key_counts(api):
    paths = api.anonymous().get("/api/v2/openapi.json").ok().json["paths"]

    def takes_key(path, method):
        return {"$ref": "#/components/parameters/IdempotencyKey"} in paths[path][method]["parameters"]

    assert takes_key(REGIONS, "post") and takes_key("/api/v2/iam/logout", "post")
    assert not takes_key(REGIONS, "get"), "it reads"
    assert not takes_key("/api/v2/iam/login", "post"), "nobody is known yet whose key it would be"
    assert not takes_key("/api/v2/profiles/me/accessKeys", "post"), "a secret is not kept"
    assert not takes_key("/api/v2/profiles/me/credentials/export", "post"), "a file is not kept"


def schemas(node):
    """Every schema in an operation."""
    if isinstance(node, dict):
        if "schema" in node:
            yield node["schema"]
        for value in node.values():
            yield from schemas(value)
    elif isinstance(node, list):
        for value in node:
            yield from schemas(value)


def test_metrics_need_a_login_or_an_allowed_address(api, metadb, new_ocp_server):
    api.anonymous().get("/metrics").refused(401)
    text = api.get("/metrics").ok().body.decode()
    for name in ("ocp_http_requests_total", "ocp_loop_fibers", "ocp_sql_statements_total", "process_resident_memory_bytes"):
        assert re.search(rf"^# TYPE {name} ", text, re.M) and re.search(rf"^{name}[ {{]", text, re.M), name
    assert api.get("/api/v2/actuator/prometheus").status == 200
    standard = new_ocp_server(metadb)
    assert Api(standard.host, standard.port).get("/metrics").status == 200, "this machine is on the allow-list by default"


def test_health_without_login(api):
    nobody = api.anonymous()
    for path in ("/livez", "/readyz"):
        assert nobody.get(path).body == b"ok\n"
    assert nobody.get("/health").ok().json["metadb"] == "up"
    assert nobody.get("/api/status").body == b"okay"
    assert re.fullmatch(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", nobody.get("/api/v2/time").body)


@pytest.mark.parametrize("table", TABLES)
def test_tables_are_dumped_as_json(table):
    run = subprocess.run([binary(), "--dump", table], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)


def test_check_config_names_every_problem(tmp_path):
    conf = tmp_path / "x.conf"
    conf.write_text("htp.listen = 127.0.0.1:1\nlog.level = loud\nstandalone = true\n")
    run = subprocess.run([binary(), "--config", conf, "--check-config"], capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert f"{conf}:1" in run.stderr and "http.listen" in run.stderr
    assert f"{conf}:2" in run.stderr and "log.level" in run.stderr


def test_cleartext_beyond_loopback_must_be_chosen(tmp_path):
    conf = tmp_path / "x.conf"
    conf.write_text(f"standalone = true\ndata_dir = {tmp_path}/data\nhttp.listen = 0.0.0.0:18999\n")
    run = subprocess.run([binary(), "--config", conf], capture_output=True, text=True, timeout=60)
    assert run.returncode != 0 and "allow_cleartext" in run.stderr


def test_stop_finishes_what_was_begun(metadb, new_ocp_server):
    server = new_ocp_server(metadb, settings={"drain.lb_wait": "0s", "drain.stream_timeout": "20s"})
    api = server.api()
    token = "Basic " + __import__("base64").b64encode(f"admin:{api.password}".encode()).decode()
    body = b'{"name":"last"}'
    with socket.create_connection((server.host, server.port)) as s:
        s.sendall(f"POST {REGIONS} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body[:5])
        wait_until(lambda: b"ocp_http_requests_in_flight" in api.get("/metrics").body, "the server has seen the header")
        server.signal(signal.SIGTERM)
        wait_until(lambda: refuses(server), "new connections are refused")
        s.sendall(body[5:])
        s.settimeout(20)
        answer = s.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    assert b"connection: close" in answer.lower()
    server.stop()


def refuses(server):
    try:
        with socket.create_connection((server.host, server.port), timeout=2):
            return False
    except OSError:
        return True


def test_reload_applies_what_it_can_and_says_what_not(metadb, new_ocp_server):
    server = new_ocp_server(metadb)
    server.extra.update({"log.level": "debug", "http.max_connections": "77"})
    server.write_settings()
    server.signal(signal.SIGHUP)
    wait_until(lambda: 'msg="reloaded"' in server.tail(200), "the reload is logged")
    log = server.tail(200)
    assert re.search(r'setting changed".*setting=log\.level', log)
    assert re.search(r'needs a restart".*setting=http\.max_connections', log)
    assert server.probe("/readyz") == 200


def test_the_log_tells_each_request_by_its_trace_and_no_secret(metadb, new_ocp_server):
    server = new_ocp_server(metadb, settings={"log.level": "debug"})
    api = server.api()
    trace = api.get(REGIONS).json["traceId"]
    line = wait_until(lambda: next((x for x in server.tail(400).splitlines() if f"trace={trace}" in x), None), "the request is logged")
    assert "operation=regions-list" in line and "user=admin" in line and "client=127.0.0.1" in line and "status=200" in line
    assert api.password not in server.tail(400)


def test_a_database_that_goes_away_and_comes_back(new_mariadb, new_ocp_server):
    database = new_mariadb()
    server = new_ocp_server(database.create_database("away"))
    api = server.api()
    api.post(REGIONS, {"name": "before"}).ok()
    database.kill()
    reply = api.post(REGIONS, {"name": "during"})
    reply.refused(503)
    assert int(reply.headers["retry-after"]) >= 1
    assert server.probe("/readyz") == 200 and server.probe("/livez") == 200
    assert api.anonymous().get("/health").json["metadb"] == "down"
    database.start()
    wait_until(lambda: api.get(REGIONS).status == 200, "reads work again")
    assert "before" in [r["name"] for r in api.get(REGIONS).contents]
    wait_until(lambda: api.post(REGIONS, {"name": "after"}).status in (200, 409), "writes work again")


def test_three_nodes_on_one_new_database(metadb):
    cluster = OcpCluster(metadb)
    try:
        cluster.found()
        cluster.start()
        passwords = [s for s in cluster.nodes if "First administrator" in s.log.read_text()]
        assert len(passwords) == 1, "one node makes the administrator"
        region = cluster.api(0).post(REGIONS, {"name": "seen everywhere"}).data
        for i, server in enumerate(cluster.nodes):
            assert cluster.api(i).get(f"{REGIONS}/{region['id']}").data["name"] == "seen everywhere"
            assert Api(server.host, server.port).get("/api/v2/loginKey").data["publicKey"], "all have one master key"
        cluster.stop()
    finally:
        cluster.close()


def test_embedded_database_survives_kill_9_of_both(new_ocp_server):
    server = new_ocp_server(None)
    api = server.api()
    api.post(REGIONS, {"name": "kept"}).ok()
    server.kill()
    server.start()
    assert "kept" in [r["name"] for r in server.api().get(REGIONS).contents]
    pid = int(subprocess.run(["pgrep", "-P", str(server.pid), "-f", "mariadbd"], capture_output=True, text=True, check=True).stdout.split()[0])
    assert os.stat(f"/proc/{pid}").st_uid != 0 or os.geteuid() != 0
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: server.api().get(REGIONS).status == 200, "the database is back")
    assert "kept" in [r["name"] for r in server.api().get(REGIONS).contents]


def test_reset_password(metadb, new_ocp_server):
    server = new_ocp_server(metadb)
    api = server.api()
    run = subprocess.run([binary(), "--config", server.settings_file, "--reset-password", "admin"], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    password = re.search(r"admin: (\S+)", run.stdout).group(1)
    fresh = Api(server.host, server.port, "admin", password)
    wait_until(lambda: api.get(REGIONS).status == 401, "the old password does not count any more")
    assert "changePassword" in fresh.get(REGIONS).refused(403)


def test_tls_and_cleartext_by_setting(metadb):
    tmp_path = new_dir("tls", None, 0o755)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
                   check=True, capture_output=True)
    for name in ("key.pem", "cert.pem"):
        (tmp_path / name).chmod(0o644)
    server = OcpServer(metadb, settings={"http.tls.certificate": tmp_path / "cert.pem", "http.tls.key": tmp_path / "key.pem"})
    try:
        server.launch()
        api = Api(server.host, server.port, ca_file=tmp_path / "cert.pem")
        wait_until(lambda: ready(api), "ready over TLS", alive=server.process.check_alive)
        assert api.get("/api/v2/time").status == 200
        with socket.create_connection((server.host, server.port), timeout=5) as s:
            s.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            assert not s.recv(4096).startswith(b"HTTP/1.1 200"), "no cleartext on a TLS port"
        server.stop()
    finally:
        server.close()


def ready(api):
    try:
        return api.get("/readyz").status == 200
    except OSError:
        time.sleep(0.05)
        return False
