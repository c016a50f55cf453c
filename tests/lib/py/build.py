# SPDX-License-Identifier: Apache-2.0
"""The build directory under test, OCP_BUILD (else build/ of the checkout), and programs that are made in it when a test wants them."""
import fcntl
import functools
import os
import pathlib
import subprocess

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]


def build_dir():
    return pathlib.Path(os.environ.get("OCP_BUILD") or CHECKOUT / "build")


@functools.lru_cache(maxsize=None)
def built_program(name):
    """Its path, once make has seen that it is up to date: plain `make` builds no test programs. One make at a time, whoever asks."""
    build = build_dir()
    with open(build / "make.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(["make", "-s", "-C", build, name], capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f"make {name}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return build / name
