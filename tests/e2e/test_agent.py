# SPDX-License-Identifier: Apache-2.0
"""The agent of a host as ocp-server uses it: real processes, mutual TLS, a real disk. What must never happen twice is counted at the target: files
made, processes by pid and start time."""
import base64
import contextlib
import fcntl
import json
import os
import pathlib
import pwd
import resource
import shutil
import signal
import ssl
import subprocess
import zlib

import pytest

from tests.lib.py import agent as agents
from tests.lib.py import rpm
from tests.lib.py.agent import kill, start_time, wait_for
from tests.lib.py.process import new_dir

ADDRESS = f"127.{os.getpid() % 200 + 40}.57."      # a network of this run's own


@pytest.fixture(scope="module")
def proxy():
    """pos_proxy alone: tests kill and start it themselves."""
    a = agents.Agent(new_dir("agent"), ADDRESS + "1")
    shutil.copy("/bin/sleep", a.root / "sleeper")
    a.process = a.start_proxy()
    got = a.answer("start_process", argv=[f"{a.root}/sleeper", "100000"])      # by that name: an observer's monitors would want the guard
    a.observer = got["pid"], got["startTime"]
    a.pids.append(a.observer)
    yield a
    for pid in a.started():
        os.kill(pid, signal.SIGKILL)
    a.process.kill()
    a.process.wait()


@pytest.fixture(scope="module")
def guarded():
    """The whole agent, with an observer (a program of that name) that it has started."""
    a = agents.Agent(new_dir("guarded"), ADDRESS + "2")
    shutil.copy("/bin/sleep", a.root / "observer")
    a.ctl("start")
    wait_for(lambda: "error" not in a.call(op="hello"))
    got = a.answer("start_process", argv=[f"{a.root}/observer", "100000"], pidFile=f"{a.root}/observer.pid")
    a.observer = got["pid"], got["startTime"]
    yield a
    a.stop()
    if start_time(a.observer[0]) == a.observer[1]:
        os.kill(a.observer[0], signal.SIGKILL)


@pytest.fixture(autouse=True)
def what_it_has_started_goes_on(request):
    """Whatever a test does to an agent."""
    yield
    for name in {"proxy", "guarded"} & set(request.fixturenames):
        observer_is_untouched(request.getfixturevalue(name))


def observer_is_untouched(a):
    assert start_time(a.observer[0]) == a.observer[1]


def restart(a, number=signal.SIGKILL):
    a.process.send_signal(number)
    a.process.wait()
    a.process = a.start_proxy()


def script(a, name, text):
    path = a.root / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


def lines(path):
    return pathlib.Path(path).read_text().splitlines() if pathlib.Path(path).exists() else []


def test_it_needs_nothing_of_its_host(proxy):
    """No library is loaded: what runs here runs on any Linux."""
    program = proxy.home / "bin/ocp-agent"
    dynamic = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout
    if "libasan" not in dynamic:                                 # a build with sanitizers is for this machine only
        assert "NEEDED" not in dynamic and b"/ld-linux" not in program.read_bytes()


# --- who is heard ---------------------------------------------------------------------------------------------------

def test_only_nodes_of_its_own_cluster_are_heard(proxy):
    other = "f" * 32
    proxy._probe("issue", proxy.pki, f"ocp-node:{other}:1", "foreign")
    proxy._probe("issue", proxy.pki, f"ocp-agent:{agents.OCP_ID}:{proxy.host}", "itself")
    assert proxy.call("foreign", op="hello")["error"] == "ERR_AGENT_OTHER"
    assert proxy.call("itself", op="hello")["error"] == "ERR_AGENT_OTHER"
    stranger = new_dir("stranger")
    proxy._probe("found", stranger)
    proxy._probe("issue", stranger, f"ocp-node:{agents.OCP_ID}:1", "node")
    shutil.copy(proxy.pki / "authority.crt", stranger)
    got = subprocess.run([agents.probe(), "call", stranger, "node", proxy.address, str(proxy.port), agents.OCP_ID, str(proxy.host),
                          '{"op":"hello"}'], capture_output=True, text=True, timeout=60)
    assert json.loads(got.stdout)["error"] in ("ERR_AGENT_AWAY", "ERR_AGENT_LOST")


@pytest.mark.bad_input("wild epoch")
def test_epochs_only_rise_and_wild_ones_are_ignored(proxy):
    before = proxy.call(op="hello", epoch=5)["epoch"]
    assert proxy.call(op="hello", epoch=2**63 - 1)["error"] == "ERR_AGENT_EPOCH_WILD"
    assert proxy.run("mkdirs", _epoch=2**63 - 1, paths=[f"{proxy.root}/wild"])["error"] == "ERR_AGENT_EPOCH_WILD"
    assert not (proxy.root / "wild").exists()
    assert proxy.call(op="hello", epoch=before)["epoch"] == before
    proxy.epoch = before + 1                  # of whoever speaks from now on
    assert proxy.query(proxy.key())[0]["state"] == "NEVER_HEARD"
    assert proxy.run("mkdirs", _epoch=before, paths=[f"{proxy.root}/old"])["error"] == "ERR_AGENT_EPOCH"
    restart(proxy)
    assert proxy.run("mkdirs", _epoch=before, paths=[f"{proxy.root}/old"])["error"] == "ERR_AGENT_EPOCH"


@pytest.mark.bad_input("wild epoch")
def test_an_agent_that_claims_a_wild_epoch_starts_afresh(tmp_path):
    """Its files were altered. It would refuse every leader for ever; so it does not believe them, and is a new incarnation."""
    a = agents.Agent(new_dir("wild"), ADDRESS + "5", conf="epoch = 7\n")
    a.epoch = 9
    a.process = a.start_proxy()
    former = a.call(op="hello")
    assert former["epoch"] == 9
    a.process.kill()
    a.process.wait()
    journal = a.home / "data/journal"
    record = json.dumps({"type": "FLOOR", "atUs": 1, "key": {**a.key(seq=0), "lineage": agents.OCP_ID, "task": 0, "step": 0, "dispatch": 0},
                         "epoch": 2**63 - 1}).encode() + b"\n"
    text = journal.read_bytes().rstrip(b"\0")
    number = text.count(b"\nB ") + 2
    journal.write_bytes(text + b"B %08x %08x %08x\n" % (number, len(record), zlib.crc32(record)) + record)
    a.process = a.start_proxy()
    now = a.call(op="hello")
    a.process.terminate()
    a.process.wait()
    assert now["epoch"] == 9 and now["incarnation"] != former["incarnation"] and (a.home / "data/journal.broken").exists()
    assert str(2**63 - 1) in (a.home / "log/pos_proxy.log").read_text()


def test_another_certificate_without_a_restart(proxy):
    """Whoever is connected stays; whoever comes next sees the new one; nothing that would lock everybody out is taken."""
    def shown():
        pem = ssl.get_server_certificate((proxy.address, proxy.port))
        return subprocess.run(["openssl", "x509", "-noout", "-serial"], input=pem, capture_output=True, text=True, check=True).stdout.strip()

    own = f"ocp-agent:{agents.OCP_ID}:{proxy.host}"
    former, pid = shown(), proxy.process.pid
    proxy._probe("issue", proxy.pki, own, "next", "365")
    proxy._probe("issue", proxy.pki, f"ocp-agent:{agents.OCP_ID}:{proxy.host + 1}", "other")
    proxy._probe("issue", proxy.pki, own, "late", "0")
    stranger = new_dir("forger")
    proxy._probe("found", stranger)
    proxy._probe("issue", stranger, own, "forged")
    for end in ("crt", "key"):
        shutil.copy(stranger / f"forged.{end}", proxy.pki)
    for certificate, key in (("other.crt", "other.key"), ("late.crt", "late.key"), ("forged.crt", "forged.key"), ("next.crt", "late.key"),
                             ("next.key", "next.crt")):
        assert proxy.call(op="renew", certificate=certificate, key=key)["error"] == "ERR_INVALID", certificate
    assert proxy.call(op="renew", certificate="next.crt", key="next.key", epoch=0)["error"] == "ERR_AGENT_EPOCH"
    assert shown() == former
    slow = proxy.popen({"op": "command", "kind": "run_script", "key": proxy.key(), "args": {
        "script": script(proxy, "renewed", f"touch {proxy.root}/renewing; while [ ! -e {proxy.root}/renewed.go ]; do sleep 0.05; done; echo through")}})
    wait_for(lambda: (proxy.root / "renewing").exists())
    got = proxy.call(op="renew", certificate="next.crt", key="next.key")
    assert shown() == f"serial={got['serial']}" != former
    (proxy.root / "renewed.go").touch()
    answered = json.loads(slow.communicate(timeout=120)[0])
    assert "error" not in answered, answered
    assert proxy.process.pid == pid and proxy.process.poll() is None
    restart(proxy)
    assert shown() == f"serial={got['serial']}" and oct((proxy.home / "conf/agent.pem").stat().st_mode & 0o777) == "0o600"
    for name in ("agent.crt", "agent.key"):
        link = proxy.home / "conf" / name
        link.unlink()
        shutil.copy(proxy.home / "conf/agent.pem", link)
        assert proxy.call(op="renew", certificate="next.crt", key="next.key")["error"] == "ERR_AGENT_FILE"
        link.unlink()
        link.symlink_to("agent.pem")


def test_another_incarnation_is_not_meant(proxy):
    assert proxy.call(op="command", kind="mkdirs", key=proxy.key(), args={"paths": [f"{proxy.root}/x"]}, incarnation="c" * 32)["error"] == \
        "ERR_AGENT_INCARNATION"
    assert not (proxy.root / "x").exists()


# --- once ---------------------------------------------------------------------------------------------------------------

@pytest.mark.bad_input("replayed or altered command")
def test_a_command_acts_once_and_its_result_stays(proxy):
    s = script(proxy, "once", f"echo ran >>{proxy.root}/once.log; echo hello; exit 0\n")
    key = proxy.key(step=10)
    first = proxy.run("run_script", key, script=s, _output=True)
    assert first["answer"] == {"exitStatus": 0} and first["output"] == "hello\n"
    assert proxy.run("run_script", key, script=s, _output=True) == first
    restart(proxy)
    assert proxy.run("run_script", key, script=s, _output=True) == first
    assert lines(f"{proxy.root}/once.log") == ["ran"]
    assert proxy.run("run_script", key, script=s, args=["altered"])["error"] == "ERR_AGENT_ALTERED"
    proxy.call(op="acknowledge", keys=[key])
    assert proxy.query(key)[0]["state"] == "FORGOTTEN"
    assert proxy.run("run_script", key, script=s)["error"] == "ERR_AGENT_FORGOTTEN"
    assert lines(f"{proxy.root}/once.log") == ["ran"] and not list((proxy.home / "data/commands").glob("*.10.*"))


def test_what_was_asked_for_in_vain_never_starts(proxy):
    key = proxy.key(step=11)
    assert proxy.query(key)[0]["state"] == "NEVER_HEARD"
    restart(proxy)
    assert proxy.run("mkdirs", key, paths=[f"{proxy.root}/buried"])["error"] == "ERR_AGENT_BURIED"
    assert not (proxy.root / "buried").exists()


def test_older_dispatches_are_fenced_off(proxy):
    s = script(proxy, "slow", f"echo $$ >>{proxy.root}/slow.log; while [ ! -e {proxy.root}/slow.go ]; do sleep 0.02; done; echo done\n")
    old, new = proxy.key(step=12, dispatch=1), proxy.key(step=12, dispatch=2)
    running = proxy.popen({"op": "command", "kind": "run_script", "key": old, "args": {"script": s}})
    wait_for(lambda: lines(f"{proxy.root}/slow.log"))
    got = proxy.call(op="fence", key=new)["commands"]
    assert [c["state"] for c in got] == ["RUNNING"] and got[0]["key"] == old
    assert proxy.run("mkdirs", proxy.key(step=12, dispatch=1), paths=[f"{proxy.root}/late"])["error"] == "ERR_AGENT_DISPATCH"
    assert proxy.run("run_script", old, script=s)["error"] == "ERR_AGENT_DISPATCH"
    (proxy.root / "slow.go").touch()
    waited = proxy.query(old, waitMs=30000)[0]       # the new dispatch adopts it
    assert waited["state"] == "DONE" and waited["answer"] == {"exitStatus": 0}
    running.communicate(timeout=60)
    assert len(lines(f"{proxy.root}/slow.log")) == 1
    restart(proxy)
    assert proxy.run("mkdirs", proxy.key(step=12, dispatch=1), paths=[f"{proxy.root}/late"])["error"] == "ERR_AGENT_DISPATCH"
    assert not (proxy.root / "late").exists()


# --- killed at any point of a command's life ----------------------------------------------------------------------------

def test_a_job_outlives_the_agent_and_is_found_again(proxy):
    s = script(proxy, "outlive", f"echo began >>{proxy.root}/outlive.log; while [ ! -e {proxy.root}/outlive.go ]; do sleep 0.02; done; echo ended\n")
    key = proxy.key(step=20)
    caller = proxy.popen({"op": "command", "kind": "run_script", "key": key, "args": {"script": s}, "output": True})
    wait_for(lambda: lines(f"{proxy.root}/outlive.log"))
    pid = proxy.query(key)[0]["pid"]
    restart(proxy)
    assert proxy.query(key)[0]["state"] == "RUNNING" and start_time(pid)
    (proxy.root / "outlive.go").touch()
    out = json.loads(caller.communicate(timeout=60)[0])        # who has sent it gets its end, from another process
    assert out["answer"] == {"exitStatus": 0} and out["output"] == "ended\n"
    assert lines(f"{proxy.root}/outlive.log") == ["began"]


def test_a_job_that_ended_while_the_agent_was_away_has_its_result(proxy):
    s = script(proxy, "away", f"echo $$ >{proxy.root}/away.pid; while [ ! -e {proxy.root}/away.go ]; do sleep 0.02; done; exit 3\n")
    key = proxy.key(step=21)
    proxy.popen({"op": "command", "kind": "run_script", "key": key, "args": {"script": s}})
    pid = int(wait_for(lambda: lines(f"{proxy.root}/away.pid"))[0])
    proxy.process.kill()
    proxy.process.wait()
    (proxy.root / "away.go").touch()
    wait_for(lambda: start_time(pid) is None)
    proxy.process = proxy.start_proxy()
    got = wait_for(lambda: [c for c in proxy.query(key) if c["state"] == "DONE"])
    assert got[0]["failure"]["code"] == 90868


def test_a_job_that_died_with_the_agent_is_unknown_and_not_run_again(proxy):
    s = script(proxy, "dies", f"echo $$ >{proxy.root}/dies.pid; echo began >>{proxy.root}/dies.log; exec sleep 1000\n")
    key = proxy.key(step=22)
    caller = proxy.popen({"op": "command", "kind": "run_script", "key": key, "args": {"script": s}})
    wait_for(lambda: lines(f"{proxy.root}/dies.log"))
    pid = proxy.query(key)[0]["pid"]
    proxy.process.kill()
    proxy.process.wait()
    kill(pid)
    with contextlib.suppress(ProcessLookupError):
        kill(int(lines(f"{proxy.root}/dies.pid")[0]))
    proxy.process = proxy.start_proxy()
    assert json.loads(caller.communicate(timeout=60)[0])["error"] == "ERR_AGENT_UNKNOWN"
    assert proxy.run("run_script", key, script=s)["error"] == "ERR_AGENT_UNKNOWN"
    assert lines(f"{proxy.root}/dies.log") == ["began"]


@pytest.mark.parametrize("delay_ms", [0, 1, 2, 3, 4, 6, 8, 12, 20, 40])
def test_killed_anywhere_a_process_is_started_once(proxy, delay_ms):
    """From before the intent to after the record: whatever the agent then says is what is there."""
    name, key = f"p{delay_ms}", proxy.key(step=30 + delay_ms)
    shutil.copy("/bin/sleep", proxy.root / name)
    args = {"argv": [f"{proxy.root}/{name}", "100000"], "pidFile": f"{proxy.root}/{name}.pid"}
    caller = proxy.popen({"op": "command", "kind": "start_process", "key": key, "args": args, "deadlineMs": 20000})
    subprocess.run(["sleep", str((8 + delay_ms) / 1000)], check=True)     # which point it hits is luck; what must hold is not
    restart(proxy)
    caller.communicate(timeout=60)
    state = wait_for(lambda: [c for c in proxy.query(key) if c["state"] != "RUNNING"])[0]
    alive = [p for p in map(int, filter(str.isdigit, os.listdir("/proc"))) if exe_of(p) == f"{proxy.root}/{name}"]
    proxy.pids += [(p, start_time(p)) for p in alive]
    assert len(alive) <= 1
    if state["state"] == "DONE" and "failure" not in state:
        assert alive == [state["answer"]["pid"]]
    if state["state"] == "NEVER_HEARD":
        assert not alive
    again = proxy.answer("start_process", proxy.key(step=30 + delay_ms, dispatch=2), **args)  # the next dispatch finds it, or starts it
    proxy.pids.append((again["pid"], start_time(again["pid"])))
    assert [p for p in map(int, filter(str.isdigit, os.listdir("/proc"))) if exe_of(p) == f"{proxy.root}/{name}"] == (alive or [again["pid"]])


def test_a_lock_that_only_a_dying_child_holds_is_waited_for(proxy):
    """As when the agent was killed right after a fork."""
    proxy.process.kill()
    proxy.process.wait()
    file = (proxy.home / "run/pos_proxy.pid").open()
    fcntl.flock(file, fcntl.LOCK_EX)
    proxy.process = process = subprocess.Popen([proxy.home / "bin/pos_proxy"], stdin=subprocess.DEVNULL)
    wait_for(lambda: process.poll() is not None or exe_of(process.pid) == str(proxy.home / "bin/ocp-agent"))
    assert process.poll() is None
    file.close()
    wait_for(lambda: process.poll() is not None or "error" not in proxy.call(op="hello", deadlineMs=2000))
    assert process.poll() is None
    second = subprocess.run([proxy.home / "bin/pos_proxy"], capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1 and "pos_proxy" in second.stderr                  # of those that live there is one


def exe_of(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return None


def test_a_command_is_ended_on_request(proxy):
    s = script(proxy, "endless", f"echo $$ >{proxy.root}/endless.pid; while :; do sleep 0.02; done\n")
    key = proxy.key(step=80)
    caller = proxy.popen({"op": "command", "kind": "run_script", "key": key, "args": {"script": s}})
    pid = int(wait_for(lambda: lines(f"{proxy.root}/endless.pid"))[0])
    proxy.call(op="stop", keys=[key])
    assert json.loads(caller.communicate(timeout=60)[0])["error"] == "ERR_AGENT_STOPPED"
    wait_for(lambda: start_time(pid) is None)


def test_a_script_that_takes_too_long_is_ended(proxy):
    s = script(proxy, "long", f"echo $$ >{proxy.root}/long.pid; while :; do sleep 0.02; done\n")
    assert proxy.run("run_script", script=s, _timeoutMs=300)["error"] == "ERR_TIMEOUT"
    wait_for(lambda: start_time(int(lines(f"{proxy.root}/long.pid")[0])) is None)


def test_output_is_bounded(proxy):
    s = script(proxy, "much", "head -c 3000000 /dev/zero | tr '\\0' x\n")
    got = proxy.run("run_script", script=s, _output=True)
    assert got["outputBytes"] == 1 << 20 and got["output"] == "x" * (1 << 20)


# --- what commands do ----------------------------------------------------------------------------------------------------

def test_directories_bear_a_mark(proxy):
    path = f"{proxy.root}/d/e"
    assert proxy.answer("mkdirs", paths=[path], mark="obcluster 7", mode=0o700)["made"] == [path]
    assert oct(os.stat(path).st_mode & 0o777) == "0o700"
    assert proxy.answer("mkdirs", paths=[path], mark="obcluster 7")["made"] == []
    assert proxy.run("mkdirs", paths=[path], mark="obcluster 8")["error"] == "ERR_AGENT_NOT_EMPTY"
    (proxy.root / "d/e/file").write_text("x")
    assert proxy.run("remove_tree", path=path, mark="obcluster 8")["error"] == "ERR_AGENT_NOT_EMPTY"
    assert proxy.answer("remove_tree", path=path, mark="obcluster 7")["removed"] == 2
    assert proxy.answer("remove_tree", path=path, mark="obcluster 7")["removed"] == 0
    assert not os.path.exists(path)


@pytest.mark.bad_input("hostile names")
def test_names_that_are_meant_to_do_harm(proxy):
    root = str(proxy.root)
    outside = proxy.folder / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x")
    os.symlink(outside, proxy.root / "leads_out")
    for path in (f"{root}/../outside", f"{root}/leads_out/new", f"{root}/leads_out", "/etc/passwd", f"{root}/a/../../outside/kept", f"{root}//x",
                 f"{root}/{'x' * 300}"):
        for kind, args in (("mkdirs", {"paths": [path], "mark": "m"}), ("remove_tree", {"path": path, "mark": "m"}),
                           ("write_file", {"path": path, "data": "eA=="}), ("read_file_range", {"path": path}),
                           ("list_directory", {"path": path}), ("start_process", {"argv": [path]}), ("run_script", {"script": path}),
                           ("symlink", {"path": f"{root}/link", "target": path if not path.startswith(f"{root}/leads") else "/etc"})):
            if kind == "write_file" and path.endswith("/leads_out"):
                continue                                       # it would take the link's place: nothing outside is touched
            got = proxy.run(kind, **args)
            assert got.get("error") in ("ERR_AGENT_PATH", "ERR_AGENT_FILE"), (kind, path, got)
    for path in (f"{root}/new\nline", "relative", f"{root}/{'y' * 10000}"):
        assert proxy.run("read_file_range", path=path)["error"] == "ERR_INVALID", path
    assert [p.name for p in outside.iterdir()] == ["kept"]
    assert proxy.run("declare_root", path="/etc")["error"] == "ERR_AGENT_PATH"


def test_a_declared_directory_may_be_touched_from_then_on(proxy):
    path = proxy.folder / "declared"
    assert proxy.run("mkdirs", paths=[f"{path}/x"])["error"] == "ERR_AGENT_PATH"
    assert proxy.answer("declare_root", path=str(path)) is None
    restart(proxy)
    assert proxy.answer("mkdirs", paths=[f"{path}/x"])["made"] == [f"{path}/x"]


def test_small_files_ports_disks_and_the_host(proxy):
    path = f"{proxy.root}/file"
    proxy.answer("write_file", path=path, data=base64.b64encode(b"hello\nworld\n").decode(), mode=0o640)
    part = proxy.answer("read_file_range", path=path, offset=-6)
    assert (part["size"], part["offset"], base64.b64decode(part["data"])) == (12, 6, b"world\n")
    proxy.answer("symlink", path=f"{path}.link", target=path)
    files = {f["name"]: f for f in proxy.answer("list_directory", path=str(proxy.root))["entries"]}
    assert files["file"]["mode"] == 0o640 and files["file.link"]["target"] == path
    os.mkfifo(f"{path}.ocp-new")                               # in the way; whoever opens it waits for ever
    proxy.answer("write_file", path=path, data=base64.b64encode(b"hello again\n").decode(), mode=0o640)
    assert pathlib.Path(path).read_bytes() == b"hello again\n" and not os.path.exists(f"{path}.ocp-new")
    assert proxy.answer("check_port", address=proxy.address, port=proxy.port)["free"] is False
    assert proxy.answer("check_port", address=proxy.address, port=proxy.port, connect=True)["reachable"] is True
    assert proxy.answer("check_port", address=proxy.address, port=1)["free"] is True
    disk = proxy.answer("disk_usage", paths=[f"{proxy.root}/not/there"])["disks"][0]
    assert disk["existing"] == str(proxy.root) and disk["totalBytes"] > disk["availableBytes"] > 0
    info = proxy.answer("host_info")
    assert info["architecture"] == os.uname().machine and info["cpuCount"] == os.cpu_count() and info["memoryBytes"] > 0


def test_processes_are_started_found_and_stopped(proxy):
    args = {"argv": [f"{proxy.root}/sleeper", "100000"], "pidFile": f"{proxy.root}/sleeper.pid", "logFile": f"{proxy.root}/sleeper.log"}
    got = proxy.answer("start_process", **args)
    proxy.pids.append((got["pid"], got["startTime"]))
    assert got["already"] is False and start_time(got["pid"]) == got["startTime"]
    assert os.getsid(got["pid"]) == got["pid"]                 # a session of its own, and nobody's child
    assert proxy.answer("start_process", **args) == {**got, "already": True}
    seen = proxy.answer("process_status", pidFile=args["pidFile"], exe=args["argv"][0])
    assert seen["running"] and seen["pid"] == got["pid"] and seen["rssBytes"] > 0
    assert proxy.answer("process_status", pidFile=args["pidFile"], exe="/bin/true")["running"] is False
    assert proxy.run("stop_process", pid=got["pid"], startTime=got["startTime"] + 1)["answer"] == {"wasRunning": False, "killed": False}
    assert start_time(got["pid"]) == got["startTime"]           # that was another process
    assert proxy.answer("stop_process", pidFile=args["pidFile"], exe=args["argv"][0]) == {"wasRunning": True, "killed": False}
    assert start_time(got["pid"]) is None
    stubborn = script(proxy, "stubborn", "trap '' TERM; while :; do sleep 0.02; done\n")
    shutil.copy("/bin/sh", proxy.root / "sh")
    got = proxy.answer("start_process", argv=[f"{proxy.root}/sh", stubborn])
    proxy.pids.append((got["pid"], got["startTime"]))
    assert proxy.answer("stop_process", pid=got["pid"], startTime=got["startTime"], graceMs=300) == {"wasRunning": True, "killed": True}
    failed = script(proxy, "fails_at_once", "exit 1\n")
    assert "ended right after" in proxy.run("start_process", argv=[failed])["text"]


def test_a_process_has_what_a_database_needs_and_nothing_of_the_agent(proxy):
    (proxy.root / "here").mkdir()
    got = proxy.answer("start_process", argv=[f"{proxy.root}/sleeper", "100000"], cwd=f"{proxy.root}/here", env=["LANG=zh_CN.UTF-8", "X=1"])
    proxy.pids.append((got["pid"], got["startTime"]))
    p, me = pathlib.Path(f"/proc/{got['pid']}"), pwd.getpwuid(os.geteuid())
    variables = dict(v.split("=", 1) for v in (p / "environ").read_text().split("\0") if v)
    assert variables == {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "zh_CN.UTF-8", "HOME": me.pw_dir, "USER": me.pw_name, "LOGNAME": me.pw_name,
                         "X": "1"}
    assert sorted(f.name for f in (p / "fd").iterdir()) == ["0", "1", "2"] and os.readlink(p / "cwd") == f"{proxy.root}/here"
    assert "\nUmask:\t0027\n" in (p / "status").read_text() and "\nSigIgn:\t0000000000000000\n" in (p / "status").read_text()
    for number, least in ((resource.RLIMIT_NOFILE, 655350), (resource.RLIMIT_NPROC, 655360), (resource.RLIMIT_CORE, resource.RLIM_INFINITY)):
        soft, hard = (resource.RLIM_INFINITY if n == -1 else n for n in resource.prlimit(got["pid"], number))
        assert soft in (least, hard), number             # who may not raise the hard limit gets up to that


def test_a_scope_may_take_its_time(tmp_path):
    """systemd-run is asked as root: it has none of the program's variables, and until it has become the program nothing has been started."""
    class Scoped(agents.Agent):
        systemd = ""
    folder = new_dir("scoped")
    a = Scoped(folder, ADDRESS + "6", conf=f"scope = {folder}/systemd-run\n")
    shutil.copy(agents.probe(), folder / "systemd-run")
    shutil.copy("/bin/sleep", a.root / "sleeper")
    key, process = a.key(), a.start_proxy()
    caller = a.popen({"op": "command", "kind": "start_process", "key": key, "args": {
        "argv": [f"{a.root}/sleeper", "100000"], "env": ["LD_LIBRARY_PATH=/nowhere"], "settleMs": 1}})
    try:
        wait_for((folder / "variables").exists)
        assert "LD_LIBRARY_PATH" not in (folder / "variables").read_text()
        assert [a.query(key)[0]["state"] for _ in range(20)] == ["RUNNING"] * 20
        (folder / "go").touch()
        got = json.loads(caller.communicate(timeout=120)[0])["answer"]
        a.pids.append((got["pid"], got["startTime"]))
        assert exe_of(got["pid"]) == f"{a.root}/sleeper" and a.started()
        assert "LD_LIBRARY_PATH=/nowhere" in pathlib.Path(f"/proc/{got['pid']}/environ").read_text().split("\0")
    finally:
        process.kill()
        process.wait()
        for pid in a.started():
            os.kill(pid, signal.SIGKILL)


# --- packages ------------------------------------------------------------------------------------------------------------

STRIP = "/home/admin/oceanbase"


def package(where, compressor="xz", files=()):
    """Pushed; its SHA-256."""
    path = where.folder / f"{compressor}-{len(files)}.rpm"
    if compressor == "zstd":
        archive = subprocess.run(["zstd", "-q", "-c"], input=rpm._cpio(sorted(files, key=lambda f: f.path)), capture_output=True, check=True).stdout
        path.write_bytes(rpm.build("tiny", "1.0", "1", files=files, compressor="zstd", payload=archive))
    else:
        path.write_bytes(rpm.build("tiny", "1.0", "1", files=files, compressor=compressor))
    return where.push(path)


@pytest.mark.parametrize("compressor", ["gzip", "xz", "zstd"])
def test_a_package_becomes_a_directory(proxy, compressor):
    data = os.urandom(300_000)
    sha = package(proxy, compressor, [rpm.File(f"{STRIP}/bin/observer", data, 0o755), rpm.File(f"{STRIP}/etc/x", b"y"),
                                      rpm.File(f"{STRIP}/lib/l", link="../bin/observer"), rpm.File("/usr/share/doc/z", b"left out")])
    to = proxy.root / f"v-{compressor}"
    got = proxy.answer("extract_package", sha256=sha, directory=str(to), strip=STRIP)
    assert got == {"files": 3, "bytes": 300_001, "already": False}
    assert (to / "bin/observer").read_bytes() == data and os.access(to / "bin/observer", os.X_OK)
    assert os.readlink(to / "lib/l") == "../bin/observer" and not (to / "usr").exists()
    assert proxy.answer("extract_package", sha256=sha, directory=str(to), strip=STRIP)["already"] is True
    assert proxy.run("extract_package", sha256=package(proxy, compressor, [rpm.File(f"{STRIP}/other", b"x")]), directory=str(to),
                     strip=STRIP)["error"] == "ERR_AGENT_NOT_EMPTY"
    assert not [p for p in proxy.root.iterdir() if p.name.endswith(".part")]


@pytest.mark.bad_input("truncated or foreign package")
@pytest.mark.parametrize("evil", [rpm.File("/../../../../evil", b"x"), rpm.File(f"{STRIP}/l", link="/etc"), rpm.File(f"{STRIP}/a/l", link="../../x")])
def test_packages_that_lead_out_are_refused(proxy, evil):
    sha = package(proxy, "gzip", [evil, rpm.File(f"{STRIP}/ok", b"x")])
    got = proxy.run("extract_package", sha256=sha, directory=f"{proxy.root}/evil", strip=STRIP)
    assert got["error"] == "ERR_AGENT_PACKAGE", got
    assert not (proxy.root / "evil").exists() and not (proxy.folder / "evil").exists()


@pytest.mark.bad_input("truncated or foreign package")
def test_a_cut_package_is_refused(proxy):
    whole = rpm.build("tiny", "1.0", "1", files=[rpm.File(f"{STRIP}/big", os.urandom(200_000))])
    cut = proxy.folder / "cut.rpm"
    cut.write_bytes(whole[:-50_000])
    assert proxy.run("extract_package", sha256=proxy.push(cut), directory=f"{proxy.root}/cut")["error"] == "ERR_AGENT_PACKAGE"
    assert not (proxy.root / "cut").exists()


def test_what_is_no_package_is_refused_and_leaves_nothing(proxy):
    bad = proxy.folder / "bad.rpm"
    bad.write_bytes(b"\xed\xab\xee\xdb" + b"no RPM at all" * 100)
    sha = proxy.push(bad)
    assert proxy.run("extract_package", sha256=sha, directory=f"{proxy.root}/bad")["error"] == "ERR_AGENT_PACKAGE"
    assert not (proxy.root / "bad").exists()
    assert proxy.run("extract_package", sha256="0" * 64, directory=f"{proxy.root}/bad")["error"] == "ERR_AGENT_BLOB"


@pytest.mark.bad_input("full disk")
@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system is mounted, which root alone can do")
def test_a_disk_that_becomes_full_is_told_and_left_clean(proxy):
    """Half of the package fits: what was extracted is removed again, and once there is room the same package is extracted."""
    small = proxy.root / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine (a container?) may not mount")
    try:
        sha = package(proxy, "gzip", [rpm.File(f"{STRIP}/first", os.urandom(600_000)), rpm.File(f"{STRIP}/second", os.urandom(600_000))])
        got = proxy.run("extract_package", sha256=sha, directory=f"{small}/there", strip=STRIP)
        assert got["error"] in ("ERR_AGENT_FILE", "ERR_AGENT_PACKAGE") and f"{small}" in got["text"] and "No space left on device" in got["text"], got
        assert list(small.iterdir()) == []
        subprocess.run(["mount", "-o", "remount,size=4m", small], check=True)
        assert proxy.answer("extract_package", sha256=sha, directory=f"{small}/there", strip=STRIP)["files"] == 2
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_blob_is_what_it_was_announced_as(proxy):
    import hashlib
    path = proxy.folder / "content"
    path.write_bytes(os.urandom(3_000_000))
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    assert proxy.call(op="push", sha256="1" * 64, file=str(path))["error"] == "ERR_AGENT_BLOB"
    assert proxy.call(op="have", sha256="1" * 64) == {"size": 0, "complete": False}
    assert proxy.push(path) == sha
    assert proxy.push(path) == sha and proxy.call(op="have", sha256=sha) == {"size": 3_000_000, "complete": True}
    assert proxy.call(op="push", sha256="2" * 64, file=str(path), size=1 << 40)["error"] == "ERR_AGENT_FULL"
    assert proxy.call(op="have", sha256="../../conf/agent.key")["error"] in ("ERR_INVALID", "ERR_NOT_FOUND")


# --- the guard -------------------------------------------------------------------------------------------------------------

def test_processes_of_the_agent_come_back(guarded):
    wait_for(lambda: guarded.pid("ob_cleaner"))     # an observer was started, so its monitor runs
    for name in agents.PROCESSES:
        old = guarded.pid(name)
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: guarded.pid(name) not in (None, old))
    observer_is_untouched(guarded)


def test_the_guard_comes_back_and_finds_its_processes(guarded):
    before = {n: wait_for(lambda n=n: guarded.pid(n)) for n in agents.PROCESSES}
    old = guarded.pid("ocp_agentd")
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: guarded.pid("ocp_agentd") not in (None, old))
    assert {n: guarded.pid(n) for n in agents.PROCESSES} == before
    observer_is_untouched(guarded)


def test_one_that_ends_at_once_is_backed_off_and_reported(guarded):
    wait_for(lambda: guarded.pid("obstat2"))
    link = guarded.home / "bin/obstat2"
    link.unlink()
    shutil.copy("/bin/false", link)
    os.kill(guarded.pid("obstat2"), signal.SIGKILL)

    def backed_off():
        p = next(p for p in guarded.call(op="status")["processes"] if p["name"] == "obstat2")
        return p["state"] == "BACKING_OFF" and p["restarts"] >= 3
    wait_for(backed_off)
    link.unlink()
    link.symlink_to("ocp-agent")
    wait_for(lambda: guarded.pid("obstat2"))
    observer_is_untouched(guarded)


def test_groups_are_started_and_stopped(guarded):
    assert "monitor" in guarded.ctl("status").stdout
    guarded.answer("control", action="STOP", names=["ob_monitor"])
    wait_for(lambda: not guarded.pid("ob_cleaner") and not guarded.pid("obstat2"))
    guarded.ctl("start", "ocp_monitor")
    wait_for(lambda: guarded.pid("ob_cleaner") and guarded.pid("ob_logtailer"))
    assert guarded.ctl("start", "no_such_group", check=False).returncode == 1
    assert guarded.run("control", action="STOP", names=["ocp_agentd"])["error"] == "ERR_INVALID"
    guarded.ctl("stop", "ob_monitor")
    guarded.ctl("stop")
    assert guarded.pid("ocp_agentd") is None                    # nothing left to guard
    assert guarded.ctl("status", check=False).returncode == 3
    guarded.ctl("start")
    guarded.ctl("start", "ob_monitor")
    observer_is_untouched(guarded)


def test_an_upgrade_that_does_not_answer_is_taken_back(guarded):
    bad = guarded.folder / "bad"
    bad.write_text('#!/bin/sh\n[ "$1" = --version ] && echo 9.9.9\n')
    sha, before = guarded.push(bad), (guarded.home / "bin/ocp-agent").read_bytes()
    got = guarded.call(op="command", kind="install_self", key=guarded.key(), args={"sha256": sha}, deadlineMs=100000)
    assert got["error"] == "ERR_AGENT_UPGRADE" and "9.9.9" in got["text"]
    assert (guarded.home / "bin/ocp-agent").read_bytes() == before
    bad.write_text("#!/bin/sh\nexit 1\n")
    assert guarded.run("install_self", sha256=guarded.push(bad))["error"] == "ERR_AGENT_UPGRADE"
    wait_for(lambda: "error" not in guarded.call(op="hello"))
    observer_is_untouched(guarded)


def test_an_upgrade_changes_every_process_of_the_agent(guarded):
    before = {n: wait_for(lambda n=n: guarded.pid(n)) for n in agents.PROCESSES}
    incarnation, agentd = guarded.call(op="hello")["incarnation"], guarded.pid("ocp_agentd")
    sha = guarded.push(guarded.home / "bin/ocp-agent")
    assert "version" in guarded.answer("install_self", sha256=sha)
    for name, old in before.items():
        wait_for(lambda: guarded.pid(name) not in (None, old))
    assert guarded.pid("ocp_agentd") == agentd                   # the same process, another program
    assert guarded.call(op="hello")["incarnation"] == incarnation
    observer_is_untouched(guarded)


def test_a_program_that_was_installed_again_is_what_runs(guarded):
    """As over SSH, while an observer's monitors keep the guard running."""
    before = {n: wait_for(lambda n=n: guarded.pid(n)) for n in (*agents.PROCESSES, "ocp_agentd")}
    program, fresh = guarded.home / "bin/ocp-agent", guarded.home / "bin/ocp-agent.brought"
    shutil.copy(program, fresh)
    fresh.rename(program)
    guarded.ctl("install")
    guarded.ctl("stop", "ocp_agent")
    guarded.ctl("start", "ocp_agent")
    for name in agents.PROCESSES:
        wait_for(lambda: guarded.pid(name) not in (None, before[name]))
    wait_for(lambda: exe_of(before["ocp_agentd"]) == str(program))          # the same process, and no program that is not there any more
    wait_for(lambda: "error" not in guarded.call(op="hello"))


def test_uninstalled_without_a_trace(guarded):
    guarded.ctl("uninstall")
    assert not guarded.home.exists()
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        assert not (exe_of(pid) or "").startswith(f"{guarded.home}/")
    observer_is_untouched(guarded)
