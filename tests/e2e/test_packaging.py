# SPDX-License-Identifier: Apache-2.0
"""The scripts a newcomer meets, as far as they can be tried without changing the machine."""
import os
import pathlib
import signal
import subprocess

import pytest

from lib.py.process import Child, new_dir, unprivileged, wait_until

PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "packaging"


@pytest.mark.parametrize("script", ["quickstart", "keep-running", "install-deps"])
def test_scripts_have_no_syntax_error(script):
    subprocess.run(["bash", "-n", PACKAGING / script], check=True)


def quickstart(*words, account=None):
    drop = [] if account is None else ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--"]
    return subprocess.run([*drop, PACKAGING / "quickstart", *words], capture_output=True, text=True, timeout=60, check=False)


def test_quickstart_explains_itself_and_refuses_what_it_does_not_know():
    if os.geteuid() != 0:
        pytest.skip("wants root")
    help_text = quickstart("--help")
    assert help_text.returncode == 0 and "--purge" in help_text.stdout
    unknown = quickstart("--frobnicate")
    assert unknown.returncode == 1 and "--frobnicate" in unknown.stderr
    assert "a port is a number" in quickstart("--port", "eighty").stderr


def test_quickstart_wants_root(tmp_path):
    nobody = unprivileged()
    if nobody is None:
        pytest.skip("not root: there is nobody to become")
    folder = new_dir("packaging", nobody, 0o755)
    copy = folder / "quickstart"
    copy.write_bytes((PACKAGING / "quickstart").read_bytes())
    copy.chmod(0o755)
    done = subprocess.run(["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--", copy, "--status"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "root" in done.stderr


class Kept:
    """A program under keep-running, as the account of this process or `nobody`."""

    def __init__(self, script):
        account = unprivileged()
        self.folder = new_dir("kept", account, 0o755)
        self.pidfile, self.log, self.ran = self.folder / "pid", self.folder / "log", self.folder / "ran"
        user = account.pw_name if account else str(os.geteuid())
        self.process = Child([PACKAGING / "keep-running", self.pidfile, self.log, user, "/bin/bash", "-c", script, "bash", self.ran],
                             self.folder / "child.log")

    def starts(self):
        return self.ran.read_text().split() if self.ran.exists() else []


@pytest.fixture
def needs_root():
    if os.geteuid() != 0:
        pytest.skip("setpriv changes the user for root only")


def test_what_fails_is_started_again(needs_root):
    kept = Kept('echo $$ >>"$1"; exit 3')
    wait_until(lambda: len(kept.starts()) >= 2, "it runs a second time")
    assert "status 3" in kept.log.read_text()
    assert int(kept.pidfile.read_text()) == kept.process.pid
    kept.process.terminate()


def test_what_ends_well_is_left_alone(needs_root):
    kept = Kept('echo $$ >>"$1"; exit 0')
    assert kept.process.wait() == 0
    assert len(kept.starts()) == 1 and not kept.pidfile.exists()


def test_a_stop_waits_for_the_program(needs_root):
    kept = Kept('trap "sleep 0.3; echo stopped >>\\"$1\\"; exit 0" TERM; echo $$ >>"$1"; while :; do sleep 0.05; done')
    [pid] = wait_until(kept.starts, "it runs")
    assert os.stat(f"/proc/{pid}").st_uid == unprivileged().pw_uid
    kept.process.signal(signal.SIGTERM)
    kept.process.wait()
    assert kept.starts() == [pid, "stopped"] and not kept.pidfile.exists() and not os.path.exists(f"/proc/{pid}")
