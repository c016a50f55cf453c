# SPDX-License-Identifier: Apache-2.0
"""A private MariaDB server: own data folder, loopback TCP and unix socket, unprivileged, optional TLS."""
import subprocess

from .database import DatabaseServer
from .process import armed_as, new_dir, unprivileged
from .tls import CertificateAuthority

ADMIN = "admin"
ADMIN_PASSWORD = "admin-Secret-1"


class MariaDB(DatabaseServer):
    """tls=True adds a server certificate for 127.0.0.1; the authority's file is then `ca_file`.

    `options` are further lines for the command line of mariadbd. Users: admin (all rights, from 127.0.0.1 and
    from the socket), and one per create_database().
    """

    user = ADMIN
    password = ADMIN_PASSWORD
    client_hosts = ("127.0.0.1", "localhost")

    def __init__(self, tls=False, options=(), name="mariadb"):
        account = unprivileged()
        super().__init__(new_dir(name, account, 0o711), account, name)
        self.data = self.directory / "data"
        self.socket = self.directory / "sql.sock"
        self.options = list(options)
        self.ca_file = None
        if tls:
            authority = CertificateAuthority(self.directory, account=account)
            cert, key = authority.issue("server")
            self.ca_file = authority.ca
            self.options += [f"--ssl-ca={authority.ca}", f"--ssl-cert={cert}", f"--ssl-key={key}"]
        self._install()

    def _install(self):
        done = subprocess.run([*armed_as(self.account), "mariadb-install-db", "--no-defaults", f"--datadir={self.data}", f"--tmpdir={self.directory}",
                               "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve", "--force",
                               "--innodb-log-file-size=32M"],
                              cwd=self.directory, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise RuntimeError(f"mariadb-install-db: status {done.returncode}\n{done.stdout}{done.stderr}")
        users = self.directory / "users.sql"
        users.write_text("".join(
            f"CREATE USER IF NOT EXISTS '{ADMIN}'@'{host}' IDENTIFIED BY '{ADMIN_PASSWORD}';\n"
            f"GRANT ALL PRIVILEGES ON *.* TO '{ADMIN}'@'{host}' WITH GRANT OPTION;\n"
            for host in self.client_hosts))
        users.chmod(0o644)

    def _argv(self):
        return ["mariadbd", "--no-defaults", f"--datadir={self.data}", f"--socket={self.socket}", f"--tmpdir={self.directory}",
                f"--pid-file={self.directory}/mariadbd.pid", "--bind-address=127.0.0.1", f"--port={self.port}",
                f"--init-file={self.directory}/users.sql", f"--tmpdir={self.directory}",
                "--skip-name-resolve", "--skip-log-bin", "--performance-schema=OFF", "--max-connections=600", "--max-allowed-packet=64M",
                "--character-set-server=utf8mb4", "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M",
                # a kill -9 loses nothing with 2: the log is in the kernel's hands at each commit
                "--innodb-flush-log-at-trx-commit=2", *self.options]

    def _env(self):
        return None

    def _port_was_taken(self):
        return "Do you already have another" in self.process.output()
