# SPDX-License-Identifier: Apache-2.0
"""The version after this one: tests/e2e/upgrade/next.patch applied to a copy of the tree, built with the objects that are there already."""
import fcntl
import hashlib
import os
import re
import shutil
import subprocess

from .build import CHECKOUT, build_dir

PATCH = CHECKOUT / "tests" / "e2e" / "upgrade" / "next.patch"
SOURCES = ("agent", "api", "conf", "data", "ha", "raft", "src", "packaging", "tests")
NOT_NEEDED = shutil.ignore_patterns("__pycache__", "corpus", ".deps", "*.o", "node_modules")
MIGRATION = re.compile(r"^    \{ (\d+), \"", re.MULTILINE)


def run(*words, text=None, where):
    done = subprocess.run([str(w) for w in words], cwd=where, input=text, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: status {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def next_version():
    """Path of its ocp-server. It lies in the build directory and is made anew when that one's or the patch is another."""
    build = build_dir().resolve()
    top = build / "next"
    with open(build / "next.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = hashlib.sha256(PATCH.read_bytes() + (build / "ocp-server").read_bytes()).hexdigest()
        made = top / "stamp"
        if not made.exists() or made.read_text(encoding="ascii") != stamp:
            make(build, top)
            made.write_text(stamp, encoding="ascii")
    return top / "tree" / "build" / "ocp-server"


def make(build, top):
    """The tree with its times, the objects beside it; make then compiles what the patch has changed."""
    shutil.rmtree(top, ignore_errors=True)
    tree = top / "tree"
    tree.mkdir(parents=True)
    for name in SOURCES:
        shutil.copytree(CHECKOUT / name, tree / name, ignore=NOT_NEEDED, symlinks=True)
    for path in CHECKOUT.iterdir():
        if path.is_file():
            shutil.copy2(path, tree / path.name)
    shutil.copytree(CHECKOUT / "console", tree / "console", ignore=NOT_NEEDED, symlinks=True)
    shutil.copytree(build, tree / "build", symlinks=True, ignore=lambda d, names: [n for n in names if not_an_object(build, d, n)])
    number = max(map(int, MIGRATION.findall((tree / "src" / "store" / "metadb.c").read_text(encoding="utf-8").partition("metadb_migrations[]")[2])))
    run("patch", "-p1", "--no-backup-if-mismatch", text=PATCH.read_text(encoding="utf-8").replace("NEXT", str(number + 1)), where=tree)
    run("make", "-s", f"-j{os.cpu_count()}", "ocp-server", where=tree / "build")


def not_an_object(build, folder, name):
    """Folders of tests and of the console, and results, are not copied."""
    top = os.path.samefile(folder, build)
    return (top and name in ("next", "console", "ocp-server", "ocpctl")) or name.endswith((".log", ".trs", ".lock")) or \
        (folder.startswith(str(build / "tests")) and name.endswith((".o", ".a")) or name.startswith("test_"))
