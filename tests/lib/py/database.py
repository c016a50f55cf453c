# SPDX-License-Identifier: Apache-2.0
"""What the fixtures of MariaDB and of the OceanBase kernel have in common: one supervised database process."""
import dataclasses
import itertools
import time

import pymysql

from .process import Child, Port, TIMEOUT, wait_until


@dataclasses.dataclass(frozen=True)
class Database:
    """Empty databases, `name`, `monitor` and `package`, with a user who owns them and nothing else."""
    host: str
    port: int
    socket: str
    name: str
    monitor: str
    user: str
    password: str

    @property
    def package(self):
        """Where the bytes of software packages lie; the name that ocp-server makes of MetaDB's."""
        return f"{self.name}_package"

    @property
    def all(self):
        return self.name, self.monitor, self.package


class DatabaseServer:
    """A database on 127.0.0.1:port and on a unix socket, with a data folder of its own.

    start() may be called again after stop(), kill() or a crash: same data, same port. Subclasses give
    `directory`, `socket`, `user`, `password`, _argv() and _env(), and adapt what differs. Each start that
    finds its port taken by somebody else is tried again on another port, the first time only: afterwards the
    port is part of what tests rely on.
    """

    host = "127.0.0.1"
    user = None
    password = ""
    client_hosts = ("%",)                          # where the users made by create_database() may come from
    before = ()                                    # as in Child: where it runs

    def __init__(self, directory, account, name):
        self.directory = directory
        self.account = account
        self.name = name
        self.log = directory / f"{name}.log"
        self.process = None
        self._reserved = None
        self._started_once = False
        self._numbers = itertools.count(1)

    @property
    def port(self):
        return int(self._reserved)

    @property
    def pid(self):
        return self.process.pid

    def launch(self):
        """Starts the process and does not wait: start several, then wait_ready() for each."""
        if self._reserved is None:
            self._reserved = Port()
        self.process = Child(self._argv(), self.log, name=self.name, env=self._env(), cwd=self.directory,
                             account=self.account, before=self.before)

    def wait_ready(self, timeout=None):
        """Returns once a client could log in."""
        end = time.monotonic() + (TIMEOUT if timeout is None else timeout)
        while True:
            try:
                wait_until(self._answers, f"{self.name} on port {self.port} answers",
                           max(end - time.monotonic(), 0), self.process.check_alive)
                break
            except RuntimeError:
                if self._started_once or not self._port_was_taken() or time.monotonic() > end:
                    raise
                self._reserved.release()
                self._reserved = None
                self.launch()
        self._after_start()
        self._started_once = True

    def start(self, timeout=None):
        self.launch()
        self.wait_ready(timeout)
        return self

    def _answers(self):
        try:
            self.connect(connect_timeout=5).close()
        except (pymysql.err.MySQLError, OSError):
            return False
        return True

    def _after_start(self):
        pass

    def _port_was_taken(self):
        return False

    def kill(self):
        """kill -9."""
        self.process.kill()

    def stop(self, timeout=None):
        """SIGTERM and wait; nothing happens when it does not run."""
        if self.process is not None and self.process.is_alive():
            self.process.terminate(timeout)

    def restart(self):
        self.stop()
        self.start()

    def pause(self):
        """SIGSTOP: the port stays open, nothing answers."""
        self.process.pause()

    def resume(self):
        self.process.resume()

    def is_alive(self):
        return self.process is not None and self.process.is_alive()

    def close(self):
        """Ends the process the short way and gives the port back."""
        if self.process is not None:
            self.process.kill()
        if self._reserved is not None:
            self._reserved.release()
            self._reserved = None

    def __enter__(self):
        return self if self.is_alive() else self.start()

    def __exit__(self, *_):
        self.close()

    def connect(self, over="tcp", **options):
        """A PyMySQL connection with autocommit; `over` is "tcp" or "socket"; options as pymysql.connect()."""
        where = {"unix_socket": str(self.socket)} if over == "socket" else {"host": self.host, "port": self.port}
        given = {"user": self.user, "password": self.password, "autocommit": True, "charset": "utf8mb4",
                 "connect_timeout": 10, "read_timeout": TIMEOUT, "write_timeout": TIMEOUT,
                 "cursorclass": pymysql.cursors.DictCursor, **where, **options}
        return pymysql.connect(**given)

    def sql(self, statement, args=None, **options):
        """Runs one statement on a connection of its own and returns its rows as dicts."""
        connection = self.connect(**options)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, args)
                return list(cursor.fetchall())
        finally:
            try:
                connection.close()
            except (pymysql.err.MySQLError, OSError):
                pass                               # the statement may have been the one that killed it

    def create_database(self, label="db"):
        """A new Database; drop_database() or the end of the server removes it."""
        name = f"{label}_{next(self._numbers)}"
        made = Database(self.host, 0 if self._reserved is None else self.port, str(self.socket), name, f"{name}_monitor",
                        f"u_{name}", f"Pw-{name}")
        self._run_all(self._statements_to_create(made))
        return made

    def _statements_to_create(self, made):
        for name in made.all:
            yield f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        for host in self.client_hosts:
            yield f"CREATE USER '{made.user}'@'{host}' IDENTIFIED BY '{made.password}'"
            for name in made.all:
                yield f"GRANT ALL PRIVILEGES ON `{name}`.* TO '{made.user}'@'{host}'"

    def drop_database(self, made):
        self._run_all([*(f"DROP DATABASE IF EXISTS `{name}`" for name in made.all),
                       *(f"DROP USER IF EXISTS '{made.user}'@'{host}'" for host in self.client_hosts)])

    def _run_all(self, statements):
        connection = self.connect()
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        connection.close()
