# SPDX-License-Identifier: Apache-2.0
"""Hosts: looked at, given an agent, watched, and deleted, over real SSH on hosts of their own (lib/py/hosts.py)."""
import contextlib
import datetime
import os
import pathlib
import ssl
import subprocess

import pytest

from lib.py import hosts, sshd
from lib.py.build import built_program
from lib.py.process import Port, wait_until
from lib.py.server import OcpServer

from e2e.test_ocpctl import REFUSED, USAGE, Ctl

NOT_HERE = hosts.why_not()
pytestmark = pytest.mark.skipif(NOT_HERE is not None, reason=NOT_HERE or "")

PASSWORD = "Host-pass-1"
HOSTS = "/api/v2/compute/hosts"
BOX = "/api/v2/profiles/me/credentials"
TASKS = "/api/v2/tasks/instances"
AGENT = "/home/admin/ocp_agent"
TASK_SECONDS = 180
CLUSTER = ("INSERT INTO obcluster (id, name, ob_cluster_id, engine, type, status, address, port, connection_mode, username, password, "
           "password_version, proxyro_password, instance, version, full_version, architecture, creator_id, creator_name, created_at, "
           "updated_at, failure) VALUES ({0}, 'c{0}', {0}, 'OCEANBASE', 'PRIMARY', 0, '127.0.0.{1}', 9, 'direct', 'root@sys', '', 1, '', "
           "'instance-{0}', '4.3.5.3', '4.3.5.3', '', 100, 'admin', NOW(6), NOW(6), '')")


@pytest.fixture(scope="module")
def lan():
    with hosts.Lan() as there:
        yield there


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return sshd.make_key(tmp_path_factory.mktemp("keys"), "admin", "ed25519")


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A key that its passphrase opens."""
    return sshd.make_key(tmp_path_factory.mktemp("keys"), "locked", "rsa", "open sesame", 2048)


@pytest.fixture(scope="module")
def server(mariadb_server, lan):
    database = mariadb_server.create_database("hosts")
    port = Port()
    running = OcpServer(database, settings={"agent.program_dir": hosts.programs(), "agent.probe_interval": "1s", "http.allow_cleartext": "true"})
    running.program = built_program("tests/flows/ocp-server")        # the same, with flows of the tests
    running.extra["http.listen"] = f"127.0.0.1:{running.port}, {lan.address}:{int(port)}"
    running.url = f"http://{lan.address}:{int(port)}"
    with running:
        running.api().patch("/api/v2/config/properties/ocp.site.url", {"value": running.url}).ok()
        yield running
    port.release()
    mariadb_server.drop_database(database)


class World:
    """What a person does with hosts."""

    def __init__(self, server, key):
        self.server, self.api, self.key = server, server.api(), key
        self.region = self.api.post("/api/v2/compute/regions", {"name": "north"}).data["id"]
        self.idc = self.api.post("/api/v2/compute/idcs", {"name": "n1", "regionId": self.region}).data["id"]
        self.kind = self.api.post("/api/v2/compute/hostTypes", {"name": "any"}).data["id"]
        self.root = self.credential("root_key", "root", key, "PRIVATE_KEY")
        self.ctl = Ctl(server.url, server.password)
        self.words = ["--idc", self.idc, "--type", self.kind, "--credential", self.root]

    @contextlib.contextmanager
    def parameter(self, name, value):
        self.api.patch(f"/api/v2/config/properties/{name}", {"value": value}).ok()
        try:
            yield
        finally:
            self.api.delete(f"/api/v2/config/properties/{name}").ok()

    def try_credential(self, name, user, secret, kind="PASSWORD", hosts=(), **more):
        return self.api.post(BOX, {"targetType": "HOST", "name": name, "validate": len(hosts) > 0, "sshCredentialProperty": {
            "type": kind, "username": user, "passphrase": secret, "hostIdList": list(hosts), **more}})

    def credential(self, name, user, secret, kind="PASSWORD", **more):
        return self.try_credential(name, user, secret, kind, **more).data["id"]

    def body(self, *machines, credential=None):
        return {"hostBasicDataList": [{"innerIpAddress": m.address} for m in machines], "sshPort": 22, "kind": "DEDICATED_PHYSICAL_MACHINE",
                "idcId": self.idc, "typeId": self.kind, "credentialId": credential or self.root}

    def check(self, *machines, **more):
        return self.api.post(HOSTS + "/batchCreatePreCheck", self.body(*machines, **more)).data

    def reasons(self, *machines, **more):
        """{(address, rule): [code, ...]} of all that speaks against adding them."""
        found = {}
        for one in self.check(*machines, **more)["checkResults"]:
            if not one["passed"]:
                found.setdefault((one["innerIpAddress"], one["check"]), []).append(one["errorCode"])
        return found

    def add(self, *machines, **more):
        return self.api.post(HOSTS + "/batchCreate", self.body(*machines, **more)).data

    def end(self, task):
        def over():
            seen = self.api.get(f"{TASKS}/{task}").data
            return seen if seen["status"] != "RUNNING" else None
        return wait_until(over, f"task {task} ends", TASK_SECONDS)

    def works(self, task):
        ended = self.end(task)
        assert ended["status"] == "SUCCESSFUL", self.story(ended)
        return ended

    def fails(self, task, *words, step=None):
        """The task fails, and its error has these words; with `step`, what is said of the step that failed has them all, and names the step."""
        ended = self.end(task)
        assert ended["status"] == "FAILED", ended
        story = self.story(ended)
        if step is not None:
            story = "\n".join(f"{s['name']}: {s['description']}" for s in ended["subtasks"] if s["status"] == "FAILED")
            assert step in story, story
        for word in words:
            assert str(word) in story, (word, story)
        return ended

    def goes_on(self, task):
        """Raises when the task has ended."""
        seen = self.api.get(f"{TASKS}/{task}").data
        if seen["status"] != "RUNNING":
            raise RuntimeError(self.story(seen))

    def story(self, task):
        parts = []
        for step in task["subtasks"]:
            log = self.api.get(f"{TASKS}/{task['id']}/subtasks/{step['id']}/log").data["log"]
            parts.append(f"{step['name']} {step['status']}: {step['description']}\n{log}")
        return "\n".join(parts)

    def host(self, number):
        return self.api.get(f"{HOSTS}/{number}").data

    def delete(self, number, **query):
        self.api.delete(f"{HOSTS}/{number}", query or None).ok()
        wait_until(lambda: self.api.get(f"{HOSTS}/{number}").status == 404, f"host {number} is gone", TASK_SECONDS)


@pytest.fixture(scope="module")
def world(server, keys):
    return World(server, keys[0])


@pytest.fixture
def machine(lan, keys, locked):
    """Makes hosts that end with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda **more: stack.enter_context(lan.host(authorized=[keys[1], locked[1]], **more))


# -- looking -----------------------------------------------------------------------------------------------------------------------

def test_good_hosts_pass(world, machine):
    seen = world.check(machine(), machine())
    assert seen["valid"] and seen["messages"] == [], seen
    assert {c["check"] for c in seen["checkResults"]} == {"ssh", "sudo", "latency", "clock", "system", "address", "ports", "directory", "disk", "known"}


@pytest.mark.bad_input("clock off", "wrong architecture", "port busy", "directory not empty")
def test_every_reason_at_once(world, machine):
    """One host with many faults, one that is not there, one that is fine."""
    bad, good, gone = machine(), machine(), machine()
    gone.crash()
    bad.program("date", "#!/bin/sh\necho $(($(/bin/date +%s) + 3600)).000000000\n")
    bad.program("uname", "#!/bin/sh\n[ \"$1\" = -m ] && { echo s390x; exit; }\nexec /bin/uname \"$@\"\n")
    bad.program("curl", "#!/bin/sh\necho 'curl: (7) no route' >&2\nexit 7\n")
    bad.program("df", "#!/bin/sh\necho 'F B U A C M'\necho 'x 1000 900 100 90% /'\n")
    bad.home("admin", "ocp_agent").mkdir(parents=True)
    bad.home("admin", "ocp_agent", "diary").write_text("mine")
    bad.listen(62888)
    bad.listen(63000)
    with world.parameter("ocp.host.check.clock-diff.enable", "true"):
        wait_until(lambda: (bad.address, "clock") in world.reasons(bad), "the switch is seen")
        seen = world.check(bad, good, gone)
        found = world.reasons(bad, good, gone)
    assert found == {(bad.address, "clock"): [7021], (bad.address, "system"): [7025], (bad.address, "address"): [7026],
                     (bad.address, "ports"): [90511, 90511], (bad.address, "directory"): [90512], (bad.address, "disk"): [7050],
                     (gone.address, "ssh"): [90441], (good.address, "batch"): [7018]}, found
    assert not seen["valid"] and len(seen["messages"]) == 9
    assert all(any(word in m for m in seen["messages"]) for word in ("62888", "63000", "no route", "s390x", "NTP", gone.address))


def test_slow_hosts(world, machine):
    slow = machine()
    with world.parameter("ocp.host.ssh-ping.max-delay-millis", "1"):
        wait_until(lambda: world.reasons(slow) == {(slow.address, "latency"): [7020]}, "the limit is seen")


@pytest.fixture(scope="module")
def user():
    """An account of the hosts that has PASSWORD."""
    with sshd.account_with_password(PASSWORD) as name:
        yield name


SUDO = {                                                                     # sudoers of USER: may he become root?
    "": False,
    "USER ALL=(ALL) ALL": True,
    "USER ALL=(root) NOPASSWD: ALL": True,
    "Defaults use_pty, lecture=always\nUSER ALL=(ALL) ALL": True,
    "USER ALL=(ALL) ALL\nUSER ALL=(ALL) NOPASSWD: /bin/sh, /usr/bin/sh": True,
    "USER ALL=(ALL) /bin/true, /usr/bin/true": False,                         # but no shell
    "Defaults requiretty\nUSER ALL=(ALL) NOPASSWD: ALL": False,
    "Defaults rootpw\nUSER ALL=(ALL) ALL": False,
}


def test_every_way_of_sudo(world, machine, user):
    """Without a password, with it, in part, not at all; with a key, what sudo asks for is not known."""
    several = {machine(sudoers=rule.replace("USER", user) + "\n"): may for rule, may in SUDO.items()}
    by_password = world.credential("by_password", user, PASSWORD)
    found = world.reasons(*several, credential=by_password)
    assert {at: codes for at, codes in found.items() if at[1] == "sudo"} == {(m.address, "sudo"): [8103] for m, may in several.items() if not may}, found
    by_key = world.credential("by_key", user, world.key, "PRIVATE_KEY")
    asks, free = [m for m, may in several.items() if may][:2]
    found = world.reasons(asks, free, credential=by_key)
    assert found[asks.address, "sudo"] == [8103] and (free.address, "sudo") not in found
    assert PASSWORD not in world.server.log.read_text()


@pytest.mark.bad_input("wrong SSH password")
def test_a_wrong_password_is_told_and_put_right(world, machine, user):
    """By the check, and by the task, which has left nothing there and goes on once each host has another credential."""
    right, wrong = world.credential("right", user, PASSWORD), world.credential("wrong", user, "no" + PASSWORD)
    one, other = machine(sudoers=f"{user} ALL=(ALL) NOPASSWD: ALL\n"), machine()
    assert world.reasons(one, credential=wrong) == {(one.address, "ssh"): [90443]}
    added = world.add(one, other, credential=wrong)
    first, second = added["hostIds"]
    world.fails(added["id"], one.address, user, "does not let", step="check hosts")
    world.fails(added["id"], f"{one.address}, ssh: ", f"{other.address}, ssh: ", "Correct the credential in the password box")
    assert not one.home("admin").exists() and {(h["status"], h.get("sshFingerprint", "")) for h in map(world.host, (first, second))} == {("NEW", "")}
    world.api.patch(f"{HOSTS}/{first}", {"credentialId": right}).ok()
    world.api.patch(f"{HOSTS}/{second}", {"credentialId": world.root}).ok()
    world.api.post(f"{TASKS}/{added['id']}/retry").ok()
    world.works(added["id"])
    assert PASSWORD not in world.server.log.read_text()


@pytest.mark.bad_input("hostile names")
def test_nonsense_is_refused(world, machine):
    there = machine()
    for wrong in ("no.such.name", "10.0.0.1/24", "10.0.0.1; reboot", "a" * 64, "../../etc"):
        body = world.body(there)
        body["hostBasicDataList"] = [{"innerIpAddress": wrong}]
        world.api.post(HOSTS + "/batchCreatePreCheck", body).refused(400)
        world.api.post(HOSTS + "/batchCreate", body).refused(400)
    twice = {**world.body(there), "hostBasicDataList": [{"innerIpAddress": a} for a in (there.address, f"::ffff:{there.address}")]}
    world.api.post(HOSTS + "/batchCreate", twice).refused(400, naming="twice")
    world.api.post(HOSTS + "/batchCreate", world.body(there, credential=987654)).refused(404, 7016, "987654")
    world.api.post(HOSTS + "/batchCreate", {**world.body(there), "alias": "x" * 10000}).refused(400, naming="alias")
    there.program("uname", "#!/bin/sh\nprintf '\\033[31m\\007%s\\n' ../../evil\n")
    there.program("hostname", "#!/bin/sh\n/bin/sh -c 'while :; do echo x; done'\n")
    found = world.check(there)
    assert not found["valid"] and "\x1b" not in str(found) and "\x07" not in str(found)


# -- adding ------------------------------------------------------------------------------------------------------------------------

def agent_processes(machine):
    return {args.split()[0].rsplit("/", 1)[-1] for _, args in machine.processes(AGENT + "/bin/")}


def test_three_hosts_come_and_go(world, machine, locked):
    """With a key that a passphrase opens."""
    three = [machine() for _ in range(3)]
    added = world.add(*three, credential=world.credential("locked", "root", locked[0], "PRIVATE_KEY", keyPassphrase="open sesame"))
    world.works(added["id"])
    for number, one in zip(added["hostIds"], three):
        seen = world.host(number)
        assert (seen["status"], seen["hostAgentStatus"], seen["name"], seen["architecture"]) == ("AVAILABLE", "AVAILABLE", one.name, os.uname().machine)
        assert seen["services"] == [{"name": "ocp_agent", "version": seen["hostAgentVersion"], "type": "OCP_AGENT"}]
        assert seen["sshFingerprint"] == one.fingerprint and len(seen["ocpId"]) == 32
        assert agent_processes(one) >= {"ocp_agentd", "pos_proxy"}
        assert [t["id"] for t in world.api.get(TASKS, {"hostId": number}).contents] == [added["id"]]
    world.api.post(HOSTS + "/batchCreate", world.body(three[0])).refused(409, 7001, three[0].address)
    found = world.reasons(*three[:2])
    assert all(found[m.address, "known"] == [7001] for m in three[:2])
    some = {h["id"] for h in world.api.get(HOSTS, {"includedServiceType": "OCP_AGENT", "size": 100}).contents}
    none = {h["id"] for h in world.api.get(HOSTS, {"excludedServiceType": "OCP_AGENT", "size": 100}).contents}
    assert set(added["hostIds"]) <= some and not set(added["hostIds"]) & none
    agent = world.api.get(f"{HOSTS}/{added['hostIds'][0]}/agent").data
    assert agent["status"] == "STARTED" and agent["installHome"] == AGENT and agent["managerPort"] == "62888"
    world.api.post(HOSTS + "/batchDelete", {"hostIdList": added["hostIds"]}).ok()
    for number, one in zip(added["hostIds"], three):
        wait_until(lambda n=number: world.api.get(f"{HOSTS}/{n}").status == 404, "it is gone", TASK_SECONDS)
        assert not one.home("admin", "ocp_agent").exists() and one.processes(AGENT) == []


def test_password_and_sudo(world, machine, user):
    """As a user whom sudo asks for the password: it is on no command line, there or in a log."""
    one = machine(sudoers=f"Defaults use_pty\n{user} ALL=(ALL) ALL\n")
    one.program("sudo", f"#!/bin/sh\necho \"$*\" >> {one.directory}/seen; exec /usr/bin/sudo \"$@\"\n")
    (one.directory / "seen").touch()
    (one.directory / "seen").chmod(0o666)
    added = world.add(one, credential=world.credential("asked", user, PASSWORD))
    number, = added["hostIds"]
    world.works(added["id"])
    assert world.host(number)["hostAgentStatus"] == "AVAILABLE"
    seen = (one.directory / "seen").read_text()
    assert "ocp_agent_ctl" in seen and PASSWORD not in seen and PASSWORD not in world.server.log.read_text()
    assert {mode for mode in (oct(p.stat().st_mode & 0o777) for p in one.home("admin", "ocp_agent", "conf").glob("agent.pem"))} == {"0o600"}
    world.credential("tried", user, PASSWORD, hosts=[number])
    assert PASSWORD not in "".join(p.read_text(errors="replace") for p in one.home("admin", "ocp_agent", "conf").iterdir() if p.is_file())
    world.delete(number)
    assert not one.home("admin", "ocp_agent").exists()


@pytest.fixture(scope="module")
def kept(world, lan, keys):
    """A host with an agent, and its id."""
    with lan.host(authorized=[keys[1]]) as one:
        added = world.ctl.json("host", "add", one.address, *world.words)
        world.works(added["id"])
        yield one, added["hostIds"][0]


def test_from_the_command_line(world, kept, machine):
    one, _ = kept
    good, gone = machine(), machine()
    gone.crash()
    assert "Nothing speaks against" in world.ctl("host", "check", good.address, *world.words)
    told = world.ctl("host", "check", good.address, one.address, gone.address, *world.words, status=REFUSED)
    assert all(w in told for w in (one.address, "7001", gone.address, "90441", "firewalls")) and good.address not in told
    for words, why in ((["--idc", "x", *world.words[2:]], "--idc"), (world.words[2:], "--idc"), ([*world.words, "--ssh-port", 70000], "--ssh-port")):
        assert why in world.ctl("host", "add", good.address, *words, status=USAGE)
    assert str(world.idc) in world.ctl("idcs") and str(world.kind) in world.ctl("host-types") and "root_key" in world.ctl("credentials")


def test_processes_are_stopped_and_started(world, kept):
    one, number = kept
    base = f"{HOSTS}/{number}/agent"
    listed = {p["alias"]: p for p in world.api.get(base + "/processes", {"size": 50}).contents}
    assert listed["pos_proxy"]["status"] == "STARTED" and listed["pos_proxy"]["ports"] == "62888" and not listed["pos_proxy"]["operable"]
    exporter = listed["ocp_exporter"]
    stopped = world.api.post(f"{base}/processes/{exporter['id']}/stop").data
    assert (stopped["id"], stopped["status"]) == (exporter["id"], "STOPPED") and "ocp_exporter" not in agent_processes(one)
    started = world.api.post(f"{base}/processes/{exporter['id']}/restart").data
    assert started["status"] == "STARTED" and "ocp_exporter" in agent_processes(one)
    world.api.post(f"{base}/processes/{listed['pos_proxy']['id']}/stop").refused(409, 7019, "pos_proxy")
    world.api.post(f"{base}/processes/987654/stop").refused(404)
    world.api.get(f"{HOSTS}/987654/agent").refused(404)


def test_agents_are_stopped_restarted_and_installed_anew(world, kept):
    one, number = kept
    base = f"{HOSTS}/{number}/agent"
    world.works(world.api.post(base + "/stop").data["id"])
    assert agent_processes(one) == set() and world.host(number)["status"] == "OFFLINE"
    world.works(world.api.post(base + "/restart").data["id"])
    assert world.host(number)["hostAgentStatus"] == "AVAILABLE" and agent_processes(one) >= {"ocp_agentd", "pos_proxy"}
    world.works(world.api.post(HOSTS + "/batchStopAgents", {"hostIds": [number]}).data["id"])
    world.works(world.api.post(HOSTS + "/batchRestartAgents", {"hostIds": [number]}).data["id"])
    before = world.api.get(base).data
    world.works(world.api.post(base + "/reinstall").data["id"])
    after = world.api.get(base).data
    assert after["id"] == before["id"] and after["status"] == "STARTED" and world.host(number)["status"] == "AVAILABLE"


def test_an_agent_is_upgraded_and_one_that_does_not_answer_is_taken_back(world, kept):
    """Without SSH, and it still is the one that it was."""
    one, number = kept
    base, program, in_place = f"{HOSTS}/{number}/agent", pathlib.Path(hosts.programs()) / "ocp-agent", f"{AGENT}/bin/ocp-agent"
    former = program.read_bytes()

    def others():
        return {pid for pid, args in one.processes(f"{AGENT}/bin/") if "ocp_agentd" not in args}
    before, seen = others(), world.api.get(base).data
    one.firewall("tcp dport 22 reject with tcp reset")
    try:
        replace(program, former + b"another build")
        upgraded = world.works(world.api.post(base + "/upgrade").data["id"])
        assert "the agent is of version" in world.story(upgraded) and one.run("tail", "-c", "13", in_place) == "another build"
        assert not others() & before
        replace(program, pathlib.Path("/bin/false").resolve().read_bytes())
        world.fails(world.api.post(HOSTS + "/batchUpgradeAgents", {"hostIds": [number]}).data["id"], "stays as it was", "given up", step="upgrade agent")
        assert one.run("tail", "-c", "13", in_place) == "another build" and agent_processes(one) >= {"ocp_agentd", "pos_proxy"}
    finally:
        replace(program, former)
        one.firewall()
    wait_until(lambda: world.api.get(base).data["status"] == "STARTED", "it answers", TASK_SECONDS)
    assert world.api.get(base).data["incarnation"] == seen["incarnation"] and world.host(number)["status"] == "AVAILABLE"


def replace(path, content):
    fresh = path.with_suffix(".fresh")
    fresh.write_bytes(content)
    fresh.chmod(0o755)
    fresh.rename(path)


@pytest.fixture
def errand(world, kept, mariadb_server):
    """A step that runs a script which leaves a line for each of its runs."""
    one, number = kept
    database = world.server.database.name
    script, trace = "/home/admin/errand.sh", "/home/admin/errand.trace"
    proxy = f"{AGENT}/bin/pos_proxy"

    class Errand:
        def sql(self, statement):
            return mariadb_server.sql(statement, database=database)

        def wants(self, what):
            self.sql("DELETE FROM trial_control")
            if what:
                self.sql(f"INSERT INTO trial_control (what, target) VALUES ('{what}', '{number}')")

        def start(self, text, what=None):
            self.wants(what)
            one.run("sh", "-c", f"rm -f {trace} /home/admin/go; cat > {script}; chmod 755 {script}", text=f"#!/bin/sh\necho ran >> {trace}\n{text}\n")
            self.task = world.api.post("/api/v2/test/errands", {"targets": [str(number)], "text": script}).data["id"]

        def runs(self):
            return one.run("sh", "-c", f"cat {trace} 2>/dev/null || true").count("ran")

        def dispatch(self):
            return self.sql(f"SELECT dispatch FROM subtask WHERE task_id = {self.task}")[0]["dispatch"]

        def dispatched_beyond(self, number):
            wait_until(lambda: self.dispatch() > number, f"dispatch {number + 1}", TASK_SECONDS, alive=lambda: world.goes_on(self.task))

        def end_proxy(self):
            """pos_proxy is killed, and its guard starts another one."""
            before = one.processes(proxy)
            one.run("kill", "-9", str(before[0][0]))
            wait_until(lambda: (now := one.processes(proxy)) and now != before, "another pos_proxy", TASK_SECONDS)

        def install_anew(self):
            one.run(f"{AGENT}/bin/ocp_agent_ctl", "stop", "ocp_agent")
            one.run("rm", "-r", f"{AGENT}/data/journal", f"{AGENT}/data/commands")
            one.run(f"{AGENT}/bin/ocp_agent_ctl", "start", "ocp_agent")

        def is_noted(self):
            return bool(self.sql(f"SELECT 1 FROM subtask_once o JOIN subtask s ON s.id = o.subtask_id WHERE s.task_id = {self.task}"))

        def works(self, runs):
            ended = world.works(self.task)
            assert self.runs() == runs
            wait_until(lambda: not self.is_noted(), "nothing of it is noted any more", TASK_SECONDS)
            return ended

        def retry(self):
            world.api.post(f"{TASKS}/{self.task}/retry").ok()

    e = Errand()
    e.sql("CREATE TABLE IF NOT EXISTS trial_control (what VARCHAR(16), target VARCHAR(64), PRIMARY KEY (what, target))")
    yield e
    e.wants(None)


def test_a_script_runs_once_whoever_fails_beside_it(world, errand):
    """It is through, the step fails elsewhere and is dispatched again and again, and the agent is killed meanwhile."""
    errand.start("echo done", "pass")
    errand.dispatched_beyond(1)
    assert errand.runs() == 1 and errand.is_noted()
    errand.end_proxy()
    errand.dispatched_beyond(errand.dispatch())
    errand.wants(None)
    assert "run_script was done by dispatch 1" in world.story(errand.works(1)) and errand.dispatch() >= 3


def test_a_script_cut_short_is_for_a_person(world, errand, kept):
    one, _ = kept
    errand.start("while [ ! -e /home/admin/go ]; do sleep 0.1; done")
    wait_until(lambda: errand.runs() == 1, "the script runs", TASK_SECONDS, alive=lambda: world.goes_on(errand.task))
    for process in ("ocp_agent_job", "bin/pos_proxy", "errand.sh"):  # who would tell how the script ended goes first
        for pid, _ in one.processes(process):
            one.run("sh", "-c", f"kill -9 {pid} || true")             # it may have gone with the one before it
    world.fails(errand.task, "Nobody can tell whether this was done", "run_script")
    assert errand.runs() == 1
    one.run("touch", "/home/admin/go")
    errand.retry()
    if world.end(errand.task)["status"] == "FAILED":    # the agent was just coming back, and was not told yet that a person knows of it
        world.fails(errand.task, "Nobody can tell whether this was done", "begun by dispatch 1")
        assert errand.runs() == 1
        errand.retry()
    errand.works(2)


def test_an_agent_installed_anew_runs_no_script_by_itself(world, errand, kept):
    errand.start("echo done", "pass")
    errand.dispatched_beyond(1)
    assert errand.runs() == 1
    base = f"{HOSTS}/{kept[1]}/agent"
    former = world.api.get(base).data["incarnation"]
    errand.install_anew()
    ended = world.fails(errand.task, "installed anew")               # either OCP has seen the new one by then, or the new one says so
    wait_until(lambda: world.api.get(base).data["incarnation"] != former, "the new incarnation is seen", TASK_SECONDS)
    if "begun by dispatch 1" not in world.story(ended):
        errand.retry()
        world.fails(errand.task, "Nobody can tell whether this was done", "begun by dispatch 1")
    assert errand.runs() == 1
    errand.wants(None)
    errand.retry()
    errand.works(2)


def test_certificates_are_renewed(world, kept, mariadb_server):
    one, number = kept
    base = f"{HOSTS}/{number}/agent"

    def end():
        return datetime.datetime.fromisoformat(world.api.get(base).data["certificateExpireTime"])

    def age():
        """As if it had been in use for half a year."""
        mariadb_server.sql("UPDATE host_agent SET certificate_expires_at = NOW(6) + INTERVAL 170 DAY", database=world.server.database.name)

    def shown():
        pem = ssl.get_server_certificate((one.address, 62888))
        return subprocess.run(["openssl", "x509", "-noout", "-serial"], input=pem, capture_output=True, text=True, check=True).stdout.strip()

    def schedule():
        return next(s for s in world.api.get("/api/v2/tasks/schedules", {"size": 50}).contents if s["name"] == "renew-agent-certificates")

    def run():
        runs = schedule()["runs"]
        world.api.post("/api/v2/tasks/schedules/renew-agent-certificates/run").ok()
        return wait_until(lambda: (s := schedule())["runs"] > runs and s["status"] != "RUNNING" and s, "the schedule has run", 60)

    assert datetime.timedelta(days=364) < end() - datetime.datetime.now(datetime.timezone.utc) < datetime.timedelta(days=366)
    before, processes = shown(), one.processes(AGENT + "/bin/")
    assert run()["status"] == "SUCCESSFUL" and shown() == before          # there is time
    age()
    assert run()["status"] == "SUCCESSFUL"
    assert shown() != before and end() - datetime.datetime.now(datetime.timezone.utc) > datetime.timedelta(days=364)
    assert one.processes(AGENT + "/bin/") == processes                                    # nothing was started anew
    age()
    one.run("rm", f"{AGENT}/conf/agent.crt")
    failed = run()
    assert failed["status"] == "FAILED" and one.address in failed["error"] and "install the agent anew" in failed["error"]
    one.run("ln", "-s", "agent.pem", f"{AGENT}/conf/agent.crt")
    assert run()["status"] == "SUCCESSFUL"


def test_an_agent_whose_certificate_ended_while_it_was_away_can_be_had_back(world, kept, mariadb_server):
    """Nobody believes it any more: what is wrong and what helps is told, and it helps. What it has kept, it has still."""
    one, number = kept
    base = f"{HOSTS}/{number}/agent"
    incarnation = world.api.get(base).data["incarnation"]
    ended = world.api.post("/api/v2/test/certificates", {"lock": number}).data["text"]
    one.run(f"{AGENT}/bin/ocp_agent_ctl", "stop", "ocp_agent")
    one.run("sh", "-c", f"cat > {AGENT}/conf/agent.pem", text=ended)
    mariadb_server.sql("UPDATE host_agent SET certificate_expires_at = NOW(6) - INTERVAL 1 DAY", database=world.server.database.name)
    one.run(f"{AGENT}/bin/ocp_agent_ctl", "start", "ocp_agent")
    told = wait_until(lambda: (p := world.api.get(base).data.get("problem")) and "certificate has expired" in p and p, "the problem is told", TASK_SECONDS)
    assert one.address in told and "has ended" in told and "install the agent anew" in told.lower()
    wait_until(lambda: world.host(number)["status"] == "OFFLINE", "the host is offline", TASK_SECONDS)
    world.works(world.api.post(base + "/reinstall").data["id"])
    after = world.api.get(base).data
    assert after["state"] == "AVAILABLE" and not after.get("problem") and after["incarnation"] == incarnation
    assert after["certificateExpireTime"] > datetime.datetime.now(datetime.timezone.utc).isoformat()


@pytest.mark.bad_input("wild epoch")
def test_an_agent_that_claims_a_wild_epoch_can_be_had_back(world, kept):
    """Whoever altered its settings and its journal: what is wrong and what helps is told, and it helps."""
    one, number = kept
    base = f"{HOSTS}/{number}/agent"
    conf = f"{AGENT}/conf/agent.conf"
    one.run(f"{AGENT}/bin/ocp_agent_ctl", "stop", "ocp_agent")
    one.run("sed", "-i", f"s/^epoch *=.*/epoch = {2**63 - 1}/", conf)
    one.run("rm", f"{AGENT}/data/journal")
    one.run(f"{AGENT}/bin/ocp_agent_ctl", "start", "ocp_agent")
    told = wait_until(lambda: (p := world.api.get(base).data.get("problem")) and str(2**63 - 1) in p and p, "the problem is told", 60)
    assert "install the agent anew" in told
    world.works(world.api.post(base + "/reinstall").data["id"])
    after = world.api.get(base).data
    assert after["state"] == "AVAILABLE" and not after.get("problem")


@pytest.mark.bad_input("host key changed")
def test_a_changed_key_is_refused_until_it_is_accepted(world, kept):
    one, number = kept
    former = one.fingerprint
    assert world.api.get(f"{HOSTS}/{number}/sshKey").data == {"pinned": former, "shown": former, "same": True}
    one.crash()
    one.new_key()
    one.start()
    world.fails(world.api.post(f"{HOSTS}/{number}/agent/restart").data["id"], one.address, former, one.fingerprint, "confirm")
    assert world.api.get(f"{HOSTS}/{number}/sshKey").data == {"pinned": former, "shown": one.fingerprint, "same": False}
    world.try_credential("caught", "root", PASSWORD, hosts=[number]).refused(400, 90442, one.fingerprint)
    assert "Failed password" not in one.log.read_text(), "who is not the host is sent no password"
    world.api.post(f"{HOSTS}/{number}/sshKey/accept", {"fingerprint": "SHA256:short"}).refused(400, naming="fingerprint")
    world.api.post(f"{HOSTS}/{number}/sshKey/accept", {"fingerprint": one.fingerprint}).ok()
    world.works(world.api.post(f"{HOSTS}/{number}/agent/restart").data["id"])


@pytest.mark.bad_input("agent port closed")
def test_what_does_not_answer_is_offline(world, kept):
    one, number = kept
    one.firewall("tcp dport 62888 reject with tcp reset")
    wait_until(lambda: world.host(number)["status"] == "OFFLINE", "the host is offline", TASK_SECONDS)
    seen = world.api.get(f"{HOSTS}/{number}/agent").data
    assert (seen["status"], seen["state"]) == ("STOPPED", "OFFLINE") and seen["problem"]
    one.firewall()
    wait_until(lambda: world.host(number)["status"] == "AVAILABLE", "the host is back", TASK_SECONDS)


def test_what_is_used_stays(world, mariadb_server, kept):
    one, number = kept
    name = world.server.database.name
    mariadb_server.sql(CLUSTER.format(77, 77), database=name)
    mariadb_server.sql("INSERT INTO observer (id, cluster_id, zone, ip, port, sql_port, version, inner_status, with_rootserver, created_at, "
                       "updated_at) VALUES (7701, 77, 'zone1', %s, 2882, 2881, '4.2.1.0', 'ACTIVE', 1, NOW(6), NOW(6))", (one.address,), database=name)
    assert {"name": "c77", "version": "4.2.1.0", "type": "OB_CLUSTER"} in world.host(number)["services"]
    assert [h["id"] for h in world.api.get(HOSTS, {"includedServiceType": "OB_CLUSTER"}).contents] == [number]
    world.api.delete(f"{HOSTS}/{number}").refused(409, 7004, "c77")
    world.api.post(HOSTS + "/batchDelete", {"hostIdList": [number]}).refused(409, 7004, one.address)
    idc = world.api.post("/api/v2/compute/idcs", {"name": "n2", "regionId": world.region}).data["id"]
    world.api.patch(f"{HOSTS}/{number}", {"idcId": idc}).refused(409, 7035, one.address)
    wait_until(lambda: world.host(number)["status"] == "ONLINE", "it is in use", TASK_SECONDS)
    mariadb_server.sql("DELETE FROM observer WHERE cluster_id = 77", database=name)
    mariadb_server.sql("DELETE FROM obcluster WHERE id = 77", database=name)
    assert world.api.patch(f"{HOSTS}/{number}", {"idcId": idc}).data["idcName"] == "n2"


@pytest.mark.bad_input("agent port closed", "host rebooted in the middle")
def test_what_goes_wrong_on_the_way(world, machine):
    """A firewall closes the port of the agent: the task says so, keeps what it has done, and goes on once the port is open. A host goes while the
    program is on its way: rolled back when it is there again, nothing is left. A host goes for good: it is deleted all the same, and may come
    back with its stray agent. At the same time, since each waits for silence."""
    shut, gone, lost = machine(), machine(), machine()
    shut.firewall("tcp dport 62888 drop")
    gone.program("mv", "#!/bin/sh\ncase $* in *ocp-agent*) touch /run/now; while :; do sleep 1; done;; esac\nexec /bin/mv \"$@\"\n")
    adding = {m: world.add(m) for m in (shut, gone, lost)}
    number = {m: a["hostIds"][0] for m, a in adding.items()}
    wait_until(lambda: gone.run("sh", "-c", "ls /run/now 2>/dev/null || true"), "the program is there", TASK_SECONDS,
               alive=lambda: world.goes_on(adding[gone]["id"]))
    gone.crash()
    world.works(adding[lost]["id"])
    lost.crash()
    world.delete(number[lost], force="true")
    lost.start()
    assert lost.home("admin", "ocp_agent").exists()
    again = world.add(lost)
    world.fails(adding[shut]["id"], shut.address, "62888", "firewall", "greet agent")
    assert world.host(number[shut])["status"] == "NEW"
    shut.firewall()
    world.api.post(f"{TASKS}/{adding[shut]['id']}/retry").ok()
    world.fails(adding[gone]["id"], "install agent", gone.address)
    assert gone.home("admin", "ocp_agent").exists()
    gone.program("mv", "#!/bin/sh\nexec /bin/mv \"$@\"\n")
    gone.start()
    world.api.post(f"{TASKS}/{adding[gone]['id']}/rollback").ok()
    wait_until(lambda: world.api.get(f"{HOSTS}/{number[gone]}").status == 404, "nothing is left of it", TASK_SECONDS)
    assert not gone.home("admin", "ocp_agent").exists() and gone.processes(AGENT) == []
    world.works(again["id"])
    world.works(adding[shut]["id"])
    assert world.host(number[shut])["status"] == "AVAILABLE"


def test_what_is_changed(world, kept):
    one, number = kept
    changed = world.api.patch(f"{HOSTS}/{number}", {"alias": "db one", "description": "first", "sshPort": 22}).data
    assert (changed["alias"], changed["description"], changed["innerIpAddress"]) == ("db one", "first", one.address)
    world.api.patch(f"{HOSTS}/{number}", {"credentialId": 987654}).refused(404, 7016)
    world.api.patch(f"{HOSTS}/{number}", {"idcId": 987654}).refused(404)
    world.api.patch(f"{HOSTS}/987654", {"alias": "x"}).refused(404)
