# SPDX-License-Identifier: Apache-2.0
"""ocpctl against running servers: what it prints, how it ends, what it does when an endpoint fails."""
import json
import os
import pathlib
import pty
import select
import shutil
import socket
import subprocess
import threading

import pytest

from lib.py import rpm
from lib.py.ocpcluster import two_of_three
from lib.py.process import TIMEOUT, Port, new_dir, wait_until
from lib.py.server import CHECKOUT, binary
from lib.py.tls import CertificateAuthority

DONE, REFUSED, USAGE, UNREACHABLE, LOGIN, TASK_FAILED, LATE = range(7)


def program():
    server = pathlib.Path(os.environ.get("OCP_SERVER") or CHECKOUT / "build" / "ocp-server").resolve()
    return server.parent / "ocpctl"


class Ctl:
    """ocpctl with an environment of its own; call it with the words of the command line."""

    def __init__(self, server, password=None, **environment):
        self.environment = {"PATH": "/usr/bin:/bin", "OCP_SERVER": server, **environment}
        if password is not None:
            self.environment["OCP_PASSWORD"] = password

    def __call__(self, *words, status=DONE, stdin="", **environment):
        done = subprocess.run([program(), *map(str, words)], env={**self.environment, **environment}, input=stdin,
                              capture_output=True, text=True, timeout=60, start_new_session=True)
        assert done.returncode == status, f"{words}: status {done.returncode}\n{done.stdout}{done.stderr}"
        assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
        return done.stderr if status not in (DONE, TASK_FAILED) and not done.stdout else done.stdout

    def ends(self, *words, **environment):
        """Only the exit status."""
        return subprocess.run([program(), *map(str, words)], env={**self.environment, **environment}, capture_output=True, timeout=60,
                              check=False, start_new_session=True).returncode

    def json(self, *words, **more):
        return json.loads(self("-o", "json", *words, **more))


def url_of(server):
    return f"http://{server.host}:{server.port}"


@pytest.fixture
def ctl(ocp_server):
    ocp_server.api()
    return Ctl(url_of(ocp_server), ocp_server.password)


@pytest.fixture
def region(ctl):
    """(id, name) of a region that this test may use."""
    name = f"r-{os.urandom(4).hex()}"
    made = json.loads(ctl("api", "post", "/api/v2/compute/regions", json.dumps({"name": name})))["data"]["id"]
    yield made, name
    ctl("api", "DELETE", f"/api/v2/compute/regions/{made}")


# -- without login ----------------------------------------------------------------------------------------------

def test_status_and_check_need_no_login(ocp_server):
    ctl = Ctl(url_of(ocp_server))
    assert "status" in ctl("status") and "ok" in ctl("status")
    assert ctl.json("status")["metadb"] == "up"
    [row] = ctl.json("check")
    assert row["live"] is True and row["ready"] is True and row["version"]


def test_check_names_the_endpoint_that_is_down(ocp_server):
    dead = Port()
    ctl = Ctl(f"{url_of(ocp_server)},http://127.0.0.1:{int(dead)}")
    up, down = json.loads(ctl("-o", "json", "check", status=REFUSED))
    assert up["ready"] is True and down["ready"] is False and str(int(dead)) in down["reason"]
    dead.release()


def test_nobody_there(ocp_server):
    dead = Port()
    text = Ctl(f"http://127.0.0.1:{int(dead)}", "x")("clusters", status=UNREACHABLE)
    assert "No server could be reached" in text and str(int(dead)) in text
    dead.release()


def test_something_else_answers():
    """Something that greets like a database, reads what it is sent, and ends."""
    def serve():
        client, _ = listener.accept()
        with client:
            client.sendall(b"J\0\0\0\x0a10.11.6-MariaDB\0")
            while client.recv(65536):
                pass
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve)
        server.start()
        assert "not answer like an OCP" in Ctl(f"http://127.0.0.1:{listener.getsockname()[1]}", "x")("clusters", status=REFUSED)
        server.join()


# -- login ------------------------------------------------------------------------------------------------------

def test_wrong_password_has_an_exit_status_of_its_own(ocp_server, ctl):
    text = ctl("api", "GET", "/api/v2/compute/regions", status=LOGIN, OCP_PASSWORD="Wrong-1234")
    assert 3000 <= json.loads(text)["error"]["code"] < 3100


def test_password_from_a_file_and_a_warning_when_others_can_read_it(ocp_server, ctl, tmp_path):
    file = tmp_path / "password"
    file.write_text(f"{ocp_server.password}\nsecond line\n")
    file.chmod(0o600)
    without = Ctl(url_of(ocp_server))
    without("--password-file", file, "hosts")
    without("--password-file", "-", "hosts", stdin=ocp_server.password + "\n")
    file.chmod(0o644)
    done = subprocess.run([program(), "-p", file, "hosts"], env=without.environment, capture_output=True, text=True, check=True)
    assert "chmod 600" in done.stderr
    assert "no-such-file" in without("-p", tmp_path / "no-such-file", "hosts", status=USAGE)


def test_without_password_and_terminal_it_says_how_to_give_one(ocp_server):
    assert "no terminal" in Ctl(url_of(ocp_server))("clusters", status=USAGE)


def read_until(terminal, wanted):
    """What the terminal shows until `wanted` is in it, or until its other end is closed."""
    shown = b""
    while wanted is None or wanted not in shown:
        assert select.select([terminal], [], [], TIMEOUT)[0], shown
        try:
            shown += os.read(terminal, 1000)
        except OSError:
            return shown
    return shown


def test_password_is_asked_for_and_not_shown(ocp_server, ctl):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(program(), [str(program()), "hosts"], Ctl(url_of(ocp_server)).environment)
    shown = read_until(terminal, b"Password of admin: ")
    os.write(terminal, ocp_server.password.encode() + b"\n")
    shown += read_until(terminal, None)
    assert os.waitpid(pid, 0)[1] == 0 and ocp_server.password.encode() not in shown and b"ADDRESS" in shown


def test_password_changes_and_is_reset(new_ocp_server, metadb, tmp_path):
    server = new_ocp_server(metadb)
    first = Ctl(url_of(server), server.first_password())
    assert "changed" in first("hosts", status=LOGIN)
    first("user", "change-password", OCP_NEW_PASSWORD="Changed-1234")
    first("hosts", OCP_PASSWORD="Changed-1234")
    beside = binary().parent / "ocpctl"                # where the service's user may run it, with ocp-server beside it
    shutil.copyfile(program(), beside)
    beside.chmod(0o755)
    nobody = server.account
    drop = [] if nobody is None else ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--"]
    reset = subprocess.run([*drop, beside, "user", "reset-password", "admin", "--config", server.settings_file],
                           env=first.environment, capture_output=True, text=True, check=True)
    assert "no setting" not in reset.stderr, reset.stderr
    word = reset.stdout.split("password of user admin: ")[1].split()[0]
    wait_until(lambda: first.ends("hosts", OCP_PASSWORD="Changed-1234") == LOGIN, "the former password is no longer valid")
    first("user", "change-password", OCP_PASSWORD=word, OCP_NEW_PASSWORD="Changed-5678")
    first("hosts", OCP_PASSWORD="Changed-5678")


# -- calls ------------------------------------------------------------------------------------------------------

def test_any_call(ctl, region, tmp_path):
    number, name = region
    listed = json.loads(ctl("api", "GET", "/api/v2/compute/regions"))["data"]["contents"]
    assert name in [r["name"] for r in listed]
    body = tmp_path / "body.json"
    body.write_text(json.dumps({"name": name}))
    again = json.loads(ctl("api", "POST", "/api/v2/compute/regions", f"@{body}", status=REFUSED))
    assert again["successful"] is False and name in again["error"]["message"]
    again = json.loads(ctl("api", "POST", "/api/v2/compute/regions", "@-", stdin=body.read_text(), status=REFUSED))
    assert again["successful"] is False
    assert ctl("api", "GET", "/livez") == "ok\n"
    assert "begins with '/'" in ctl("api", "GET", "livez", status=USAGE)


def test_packages_go_up_and_down(ctl, tmp_path, monkeypatch):
    file = rpm.write(tmp_path, "obproxy-ce", "4.3.0", "7.el8", payload=os.urandom(3 << 20))
    made = ctl.json("package", "upload", file)
    assert made["fileName"] == file.name and made["size"] == file.stat().st_size
    assert file.name in ctl("package", "upload", file, status=REFUSED)
    [line] = [line for line in ctl("packages").splitlines() if file.name in line]
    assert line.split()[:3] == [str(made["id"]), "obproxy-ce", "4.3.0"]
    out = tmp_path / "again.rpm"
    assert str(out) in ctl("package", "download", made["id"], "--out", out)
    assert out.read_bytes() == file.read_bytes()
    ctl("package", "download", made["id"], "--out", out, status=USAGE)    # it is there already
    monkeypatch.chdir(tmp_path)
    file.unlink()
    ctl("package", "download", made["id"])
    assert file.read_bytes() == out.read_bytes()
    assert "deleted" in ctl("package", "delete", made["id"])
    ctl("package", "download", made["id"], status=REFUSED)
    ctl("package", "upload", tmp_path / "nothing.rpm", status=USAGE)
    ctl("package", "upload", tmp_path, status=USAGE)


def test_texts_in_chinese(ctl):
    answer = json.loads(ctl("--language", "zh", "api", "GET", "/api/v2/compute/regions/1", status=REFUSED))
    assert any("\u4e00" <= c <= "\u9fff" for c in answer["error"]["message"])


def test_lists_as_table_and_json(ctl):
    assert ctl("hosts").splitlines()[0].split()[:7] == ["ID", "NAME", "ADDRESS", "STATUS", "TYPE", "IDC", "REGION"]
    assert ctl.json("hosts")["contents"] == []
    assert ctl("tasks", "--size", 5).startswith("ID")
    assert ctl("locks").startswith("KIND")
    assert any(line.startswith("clean-task-logs ") for line in ctl("schedules").splitlines())


def test_names_that_do_not_exist_are_named(ctl):
    assert "no-such-task" in ctl("task", "no-such-task", status=USAGE)
    ctl("task", 999999999, status=REFUSED)
    assert "no-such-step" in ctl("task", "skip", 999999999, "no-such-step", status=USAGE)
    for verb, *step in (("retry",), ("rollback",), ("skip", 1), ("cancel", 1), ("log", 1)):
        ctl("task", verb, 999999999, *step, status=REFUSED)


# -- several endpoints ------------------------------------------------------------------------------------------

@pytest.fixture
def two(metadb):
    """Two nodes of one cluster, and ocpctl with both endpoints."""
    with two_of_three(metadb) as pair:
        yield pair, Ctl(",".join(map(url_of, pair)), pair[0].password)


def test_the_next_endpoint_takes_over(two):
    (first, _), ctl = two
    ctl("hosts")
    first.kill()
    ctl("hosts")
    made = json.loads(ctl("api", "POST", "/api/v2/compute/regions", '{"name":"made-elsewhere"}'))
    assert made["successful"] is True


def test_an_endpoint_that_hangs_does_not_stop_anybody(two):
    (first, _), ctl = two
    first.pause()
    ctl("--timeout", "2s", "hosts")
    first.resume()


def test_a_change_whose_answer_is_lost_is_made_once(ocp_server, ctl, new_proxy):
    proxy = new_proxy((ocp_server.host, ocp_server.port))
    through = Ctl(f"http://{proxy.host}:{proxy.port}", ocp_server.password)
    trap = proxy.cut_after(0)
    made = json.loads(through("api", "POST", "/api/v2/compute/regions", '{"name":"lost-answer"}'))
    trap.wait()
    assert made["successful"] is True
    regions = [r["id"] for r in json.loads(ctl("api", "GET", "/api/v2/compute/regions"))["data"]["contents"] if r["name"] == "lost-answer"]
    assert regions == [made["data"]["id"]]


# -- TLS --------------------------------------------------------------------------------------------------------

def test_certificates_are_verified(new_ocp_server, metadb, ocp_server):
    folder = new_dir("ctl-tls", ocp_server.account, 0o755)
    authority = CertificateAuthority(folder, account=ocp_server.account)
    cert, key = authority.issue("server")
    server = new_ocp_server(metadb)
    server.extra.update({"http.tls.certificate": cert, "http.tls.key": key})
    server.stop()
    server.launch()
    ctl = Ctl(f"https://127.0.0.1:{server.port}")
    wait_until(lambda: ctl.ends("-k", "check") == DONE, "the server is ready over TLS")
    ctl("--ca", authority.ca, "check")
    assert "certificate" in ctl("status", status=UNREACHABLE)
    ctl("--insecure", "status")


# -- managed clusters -------------------------------------------------------------------------------------------

def test_a_cluster_from_take_over_to_move_out(ctl, new_seekdb):
    kernel = new_seekdb(password="Kernel-ctl")
    where = ("--address", kernel.host, "--port", kernel.port)
    assert "password" in ctl("takeover", *where, OCP_ROOT_PASSWORD="wrong", status=REFUSED).lower()
    task = ctl.json("takeover", *where, OCP_ROOT_PASSWORD=kernel.password)
    followed = ctl("task", task["id"], "--wait")
    steps = ctl.json("task", task["id"])["subtasks"]
    assert " in and answers as " in ctl("task", "log", task["id"], steps[0]["id"])
    ctl("task", "retry", task["id"], status=REFUSED)
    assert "SUCCESSFUL" in followed and "STEP" in followed
    number = task["clusterId"]
    [row] = [c for c in ctl.json("clusters")["contents"] if c["id"] == number]
    name = row["name"]
    assert f"{kernel.port}" in ctl("clusters")
    assert row["fullVersion"] in ctl("cluster", name)
    assert ctl.json("cluster", number)["name"] == name
    assert "sys" in ctl("tenants", name)
    kernel.sql("CREATE DATABASE shown_by_ctl")
    assert "shown_by_ctl" in ctl("databases", name, "sys")

    ctl("parameter", "set", name, "open_cursors=2001")
    [shown] = ctl.json("parameters", name, "open_cursor*")
    assert [int(v) for v in shown["currentValue"]["values"]] == [2001]
    assert int(kernel.sql("SHOW PARAMETERS LIKE 'open_cursors'")[0]["value"]) == 2001
    ctl("parameter", "set", name, "no_such_parameter=1", status=REFUSED)

    victim = kernel.connect()
    with victim.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID() AS id")
        session = cursor.fetchone()["id"]
    assert str(session) in [line.split()[0] for line in ctl("sessions", name, "--size", 100).splitlines()]
    assert str(session) in ctl("sessions", name, "--tenant", "sys", "--size", 100)
    ctl("session", "kill", name, session)
    with pytest.raises(Exception, match="2013|2006|closed"):
        victim.cursor().execute("SELECT 1")

    kernel.set_password("Kernel-behind-our-back")
    ctl("cluster", "change-password", name, OCP_NEW_PASSWORD=kernel.password)
    assert ctl.json("parameters", name, "open_cursors")

    ctl("compaction", "start", name)
    assert ctl("compactions", name).startswith("STATUS")
    assert "SUCCESSFUL" in ctl("moveout", name, "--wait")
    ctl("cluster", number, status=REFUSED)
    assert name in ctl("cluster", name, status=REFUSED)


def test_a_take_over_that_cannot_work_says_why(ctl, mariadb_server, tmp_path):
    file = tmp_path / "root"
    file.write_text("x\n")
    file.chmod(0o600)
    assert "--address" in ctl("takeover", status=USAGE)
    assert "no port" in ctl("takeover", "-a", "127.0.0.1", "-P", "seventy", status=USAGE)
    text = ctl("takeover", "-a", mariadb_server.host, "-P", mariadb_server.port, "--root-password-file", file, status=REFUSED)
    assert "status 4" in text
