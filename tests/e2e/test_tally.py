# SPDX-License-Identifier: Apache-2.0
"""The counting behind the closing line of tests/run."""
import subprocess
import sys

import pytest

from lib.py import tally

CMOCKA_LOG = """[==========] Running 3 test(s).
[ RUN      ] opens
[       OK ] opens
[ RUN      ] closes
[  ERROR   ] --- 1 != 2
[  FAILED  ] closes
[ RUN      ] waits
[  SKIPPED ] waits
[==========] 3 test(s) run.
[  PASSED  ] 1 test(s).
[  SKIPPED ] 1 test(s), listed below:
[  SKIPPED ] waits
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] closes
"""


def write(tmp_path, result, log):
    (tmp_path / "test_x.trs").write_text(f":test-result: {result}\n:global-test-result: {result}\n")
    (tmp_path / "test_x.log").write_text(log)
    return tmp_path / "test_x.trs"


def outcomes(tests):
    return [outcome for outcome, _ in tests]


def test_cmocka_tests_are_counted_once_each(tmp_path):
    assert outcomes(tally.of_automake(write(tmp_path, "FAIL", CMOCKA_LOG))) == ["passed", "failed", "skipped"]


@pytest.mark.parametrize("result", ["FAIL", "ERROR"])
def test_program_that_dies_after_good_tests_counts_a_failure(tmp_path, result):
    log = "[       OK ] opens\n==1==ERROR: LeakSanitizer: detected memory leaks\n"
    assert outcomes(tally.of_automake(write(tmp_path, result, log))) == ["passed", "failed"]


def test_program_that_was_ended_before_its_result_counts_a_failure(tmp_path):
    trs = write(tmp_path, "PASS", "")
    trs.write_text("")
    assert outcomes(tally.of_automake(trs)) == ["failed"]


@pytest.mark.parametrize("result, outcome", [("PASS", "passed"), ("SKIP", "skipped"), ("XPASS", "failed")])
def test_plain_script_counts_as_one(tmp_path, result, outcome):
    assert outcomes(tally.of_automake(write(tmp_path, result, "all includes point down\n"))) == [outcome]


def test_tap_lines_are_counted(tmp_path):
    log = "1..4\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP no net\nnot ok 4 - d # TODO later\n"
    assert outcomes(tally.of_automake(write(tmp_path, "FAIL", log))) == ["passed", "failed", "skipped", "passed"]


def test_pytest_results_are_counted(tmp_path):
    (tmp_path / "test_y.py").write_text("""
import pytest
@pytest.fixture
def broken():
    raise RuntimeError
def test_good(): pass
def test_bad(): assert 0
def test_error(broken): pass
def test_skip(): pytest.skip("why")
""")
    subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={tmp_path}/y.xml",
                    tmp_path], capture_output=True, check=False, timeout=60)
    assert outcomes(tally.of_pytest(tmp_path / "y.xml")) == ["passed", "failed", "failed", "skipped"]


@pytest.mark.parametrize("wanted, name", [("skipped", "waits"), ("passed", "opens")])
def test_main_prints_the_sum_and_those_asked_for(tmp_path, capsys, wanted, name):
    tally.main(wanted, write(tmp_path, "FAIL", CMOCKA_LOG), tmp_path / "missing.xml")
    assert capsys.readouterr().out.splitlines() == ["1 1 1", f"{tmp_path.name}/test_x: {name}"]
