# SPDX-License-Identifier: Apache-2.0
"""A private OceanBase kernel (seekdb): the executable of the PyPI package, run without Python.

It is installed once into a venv in the cache folder: OCP_TEST_CACHE, or ocp-server below XDG_CACHE_HOME or
~/.cache. Never more than one package version: the views differ between versions.
"""
import fcntl
import functools
import glob
import os
import pathlib
import shutil
import subprocess
import sys

from .database import DatabaseServer
from .process import new_dir, run_dir, unprivileged
from .tls import CertificateAuthority

PACKAGE = "pylibseekdb==1.4.0.post1"


def cache_dir():
    default = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ocp-server"
    path = pathlib.Path(os.environ.get("OCP_TEST_CACHE") or default)
    path.mkdir(parents=True, exist_ok=True)
    return path


def _run(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))}: status {done.returncode}\n{done.stdout}{done.stderr}")


def installed_folder():
    """The package's folder in the cache; installs it first when it is missing. Safe against a second caller."""
    venv = cache_dir() / PACKAGE.replace("==", "-")
    pattern = f"{venv}/lib/python*/site-packages/pylibseekdb/seekdb"
    with open(cache_dir() / "install.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (venv / "complete").exists():
            shutil.rmtree(venv, ignore_errors=True)
            _run("/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable, "-m", "venv", venv)
            _run(venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE)
            (venv / "complete").touch()
        found = glob.glob(pattern)
        if not found:
            raise RuntimeError(f"{PACKAGE} has no executable at {pattern}")
    return pathlib.Path(found[0]).parent


@functools.lru_cache(maxsize=None)
def executable():
    """The server's executable at a place where the unprivileged account may read it."""
    source = installed_folder()
    target = run_dir() / "seekdb-bin"
    target.mkdir(mode=0o755)
    for name in ("seekdb", "libaio.so.1"):
        shutil.copyfile(source / name, target / name)
        (target / name).chmod(0o755)
    return target / "seekdb"


class Seekdb(DatabaseServer):
    """One kernel with database user root.

    password   set at the first start
    tls        wallet with a certificate for 127.0.0.1, switched on before start() returns; `ca_file` then
    embedded   no TCP at all, `socket` only; the kernel then also ends with this process
    """

    user = "root"

    def __init__(self, password="", tls=False, embedded=False, parameters=(), name="seekdb"):
        account = unprivileged()
        super().__init__(new_dir(name, account, 0o711), account, name)
        self.base = self.directory / "base"
        self.socket = self.base / "run" / "sql.sock"
        self.kernel_log = self.base / "log" / "seekdb.log"
        self.embedded = embedded
        self.tls = tls
        self.ca_file = None
        self.parameters = ["memory_budget=1G", "log_disk_size=2G", *parameters]
        self._wanted_password = password
        self._clients = None
        self._own(self.base)
        self._own(self.base / "run")
        if tls:
            self._make_wallet()

    def _own(self, path):
        path.mkdir(mode=0o711)
        if self.account is not None:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def _make_wallet(self):
        wallet = self.base / "wallet"
        self._own(wallet)
        authority = CertificateAuthority(wallet, account=self.account)
        authority.issue("server")                  # server-cert.pem and server-key.pem are the names it wants
        self.ca_file = authority.ca

    def _argv(self):
        settings = [word for p in self.parameters for word in ("--parameter", p)]
        where = ["--embedded"] if self.embedded else ["--port", str(self.port)]
        return [executable(), "--nodaemon", "--base-dir", self.base, "--log-level", "ERROR", *settings,
                "--variable", "time_zone=+00:00", *where]

    def _env(self):
        return {**os.environ, "TELEMETRY_ENABLED": "false", "HOME": str(self.directory)}

    def launch(self):
        if self.embedded and self._clients is None:
            self._clients = open(self.base / "run" / "seekdb.clients", "a+")
            if self.account is not None:
                os.fchown(self._clients.fileno(), self.account.pw_uid, self.account.pw_gid)
            fcntl.flock(self._clients, fcntl.LOCK_SH)
        super().launch()

    def connect(self, over=None, **options):
        return super().connect(over=over or ("socket" if self.embedded else "tcp"), **options)

    def _port_was_taken(self):
        return not self.embedded and self.process.returncode == 1

    def _after_start(self):
        """It binds 0.0.0.0 with an empty password: close that at once; then the settings that tests rely on."""
        if self._started_once:
            return
        connection = self.connect()
        with connection.cursor() as cursor:
            cursor.execute("SET GLOBAL ob_tcp_invited_nodes='127.0.0.1'")
            cursor.execute("SET GLOBAL auto_increment_cache_size=1")
            cursor.execute("ALTER SYSTEM SET open_cursors=2000")
            if self.tls:
                cursor.execute("ALTER SYSTEM SET ssl_client_authentication=true")
        connection.close()
        if self._wanted_password:
            self.set_password(self._wanted_password)
        if self.tls:
            self._started_once = True
            self.restart()

    def set_password(self, password, connection=None):
        """Changes root's password behind everybody's back."""
        own = connection or self.connect()
        with own.cursor() as cursor:
            cursor.execute("ALTER USER root IDENTIFIED BY %s", (password,))
        if connection is None:
            own.close()
        self.password = password

    def stop(self, timeout=None):
        """SIGTERM; the kernel ends itself with signal 9 then, which is its way and no failure."""
        super().stop(timeout)

    def close(self):
        super().close()
        if self._clients is not None:
            self._clients.close()
            self._clients = None
