# SPDX-License-Identifier: Apache-2.0
"""Every statement that src/oceanbase sends, on the real OceanBase kernel."""
import subprocess

from lib.py.build import built_program


def refusal(server, database="mysql"):
    run = subprocess.run([built_program("tests/e2e/obprobe"), f"{server.host}:{server.port}", server.user, server.password, database],
                         capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout.strip()


def test_mariadb_is_refused(mariadb_server):
    said = refusal(mariadb_server)
    assert said.startswith("ERR_OB_FOREIGN: ") and "is not an OceanBase: it answers as 1" in said, said


def test_mariadb_in_disguise_is_refused(new_mariadb):
    """Version text, function and view as an OceanBase has them."""
    server = new_mariadb(options=["--version=5.7.25-OceanBase-v4.3.5.3", "--lower-case-table-names=1"])
    said = refusal(server)
    assert "it answers as a MariaDB that calls itself 5.7.25-OceanBase-v4.3.5.3" in said, said
    for statement in ("CREATE DATABASE oceanbase",
                      "CREATE FUNCTION oceanbase.ob_version() RETURNS VARCHAR(16) RETURN '4.3.5.3'",
                      "CREATE VIEW oceanbase.V$OB_PARAMETERS AS SELECT 'cluster' AS name, 'c1' AS value"):
        server.sql(statement)
    said = refusal(server, "oceanbase")
    assert said.startswith("ERR_OB_FOREIGN: ") and "a MariaDB that calls itself" in said, said


def test_statements_on_the_kernel(new_seekdb):
    kernel = new_seekdb()
    run = subprocess.run([built_program("tests/e2e/obprobe"), f"{kernel.host}:{kernel.port}", "root", kernel.password],
                         capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
