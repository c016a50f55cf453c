# SPDX-License-Identifier: Apache-2.0
"""Every statement that src/oceanbase sends, on the real OceanBase kernel."""
import os
import pathlib
import subprocess

BUILD = pathlib.Path(os.environ.get("OCP_BUILD") or pathlib.Path(__file__).resolve().parents[2] / "build")


def test_statements_on_the_kernel(new_seekdb):
    kernel = new_seekdb()
    run = subprocess.run([BUILD / "tests/e2e/obprobe", f"{kernel.host}:{kernel.port}", "root", kernel.password],
                         capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
