"""One way to hold each journal, so that the same tests run on all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ledger.journal import Journal
from ledger.postgres_journal import open_postgres_journal
from ledger.sqlite_journal import open_journal
from tests.ledger.journals import tamper
from tests.ledger.postgres_server import PostgresServer

KINDS = ("sqlite", "postgres")


@dataclass
class Store:
    """One empty journal, and what a test does around it."""

    directory: Path
    server: PostgresServer | None = None
    database: str = ""

    @property
    def witnessed_at(self) -> Path:
        return self.directory / "journal.sqlite"

    @property
    def place(self) -> str:
        """Return what names the journal to another process: a path, or a url."""
        if self.server is None:
            return str(self.witnessed_at)
        return self.server.url("writer", self.database)

    def open(self, *, is_read_only: bool = False) -> Journal:
        if self.server is None:
            return open_journal(self.witnessed_at, is_read_only=is_read_only)
        role = "reader" if is_read_only else "writer"
        url = self.server.url(role, self.database)
        return open_postgres_journal(url, self.witnessed_at, is_read_only=is_read_only)

    @contextmanager
    def opened(self, *, is_read_only: bool = False) -> Iterator[Journal]:
        journal = self.open(is_read_only=is_read_only)
        try:
            yield journal
        finally:
            journal.close()

    def tamper(self, statement: str) -> None:
        """Change it as its owner could, past the triggers. `events` and bytes as in PostgreSQL."""
        if self.server is None:
            tamper(self.witnessed_at, statement)
            return
        statement = statement.replace(" events", " journal.events").replace(
            "zeroblob(32)", "decode(repeat('00', 32), 'hex')"
        )
        with self.server.owner(self.database) as connection:
            connection.execute("ALTER TABLE journal.events DISABLE TRIGGER USER")
            connection.execute(statement.encode())
            connection.execute("ALTER TABLE journal.events ENABLE ALWAYS TRIGGER events_stay")
            connection.execute("ALTER TABLE journal.events ENABLE ALWAYS TRIGGER events_follow")


def store_of(kind: str, directory: Path, server: PostgresServer | None) -> Store:
    if kind == "sqlite":
        return Store(directory)
    assert server is not None
    return Store(directory, server, server.fresh())


def journal_at(place: str, witnessed_at: Path) -> Journal:
    """Open the journal that `Store.place` named, in whichever process."""
    if place.startswith("postgresql:"):
        return open_postgres_journal(place, witnessed_at)
    return open_journal(Path(place))
