# SPDX-License-Identifier: Apache-2.0
"""A real OpenSSH server on a loopback port, as a process of its own with keys and settings of its own.

    with Sshd([public_key]) as sshd: ... sshd.port, sshd.fingerprint

Not root, it can let in only the account it runs as, by key; passwords need root and PAM.
"""
import base64
import contextlib
import hashlib
import os
import pathlib
import shutil
import subprocess

from .process import Child, Port, new_dir, wait_until

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"
KEYGEN = shutil.which("ssh-keygen")


def is_there():
    return pathlib.Path(SSHD).exists() and KEYGEN is not None


def make_key(directory, name, kind, passphrase="", bits=None):
    """(text of the private key, line of the public key)."""
    path = pathlib.Path(directory) / name
    argv = [KEYGEN, "-q", "-t", kind, "-N", passphrase, "-C", name, "-f", str(path)]
    if bits:
        argv += ["-b", str(bits)]
    subprocess.run(argv, check=True, timeout=60)
    return path.read_text(encoding="ascii"), path.with_suffix(".pub").read_text(encoding="ascii")


class Sshd:
    """`authorized` are lines of public keys that may log in as any user; `addresses` where it listens; `sudo` is the exit status of a sudo
    that stands first on the path of those who log in, or "run": it runs the command, as whoever calls it; `settings` are further lines of sshd_config."""

    def __init__(self, authorized=(), addresses=("127.0.0.1",), sudo=0, settings=()):
        self.addresses = addresses
        self.directory = new_dir("sshd", None, 0o711)
        self._port = Port()
        _, public = make_key(self.directory, "host_key", "ed25519")
        digest = hashlib.sha256(base64.b64decode(public.split()[1])).digest()
        self.fingerprint = "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
        keys = self.directory / "authorized_keys"
        keys.write_text("".join(authorized), encoding="ascii")
        keys.chmod(0o644)
        programs = self.directory / "bin"
        programs.mkdir(mode=0o755)
        fake = programs / "sudo"
        fake.write_text("#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done; shift; exec \"$@\"\n" if sudo == "run" else f"#!/bin/sh\nexit {sudo}\n",
                        encoding="ascii")
        fake.chmod(0o755)
        lines = [f"Port {self.port}", *(f"ListenAddress {a}" for a in addresses), f"HostKey {self.directory / 'host_key'}",
                 f"AuthorizedKeysFile {keys}", "StrictModes no", "PidFile none", "PermitRootLogin yes", "PrintMotd no", "LogLevel VERBOSE",
                 "MaxStartups 100", f"SetEnv PATH={programs}:/usr/bin:/bin", *settings]
        self.config = self.directory / "sshd_config"
        self.config.write_text("\n".join(lines) + "\n", encoding="ascii")
        self.child = None

    @property
    def port(self):
        return int(self._port)

    def log(self):
        return (self.directory / "sshd.log").read_text(errors="replace")

    def __enter__(self):
        if os.getuid() == 0:
            pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        self.child = Child([SSHD, "-D", "-e", "-f", self.config], self.directory / "sshd.log")
        wait_until(lambda: self.log().count("Server listening") >= len(self.addresses), "sshd listens", alive=self.child.check_alive)
        return self

    def __exit__(self, *_):
        self.child.kill()


@contextlib.contextmanager
def account_with_password(password):
    """The name of a new account of this machine that has this password; root only."""
    name = f"ocptest{os.getpid()}"
    subprocess.run(["useradd", "--no-create-home", "--home-dir", "/", "--shell", "/bin/sh", name], check=True, timeout=60)
    try:
        subprocess.run(["chpasswd"], input=f"{name}:{password}\n", text=True, check=True, timeout=60)
        yield name
    finally:
        subprocess.run(["userdel", "--force", name], check=False, timeout=60)
