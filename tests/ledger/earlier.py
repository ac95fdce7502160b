"""Journals as earlier versions laid them out, and a migration that no release has.

The statements are written out: a change of `ledger.journal_schema` must not change them.
"""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path

from ledger import journal_schema as schema
from ledger.chain import links_after
from ledger.journal import EMPTY, Head
from ledger.sqlite_journal import sqlite_version
from ledger.witness import Witness
from when_to_invest.events import Event

_REFUSE = "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
_EVENTS = (
    "CREATE TABLE events (sequence INTEGER PRIMARY KEY, previous_hash BLOB NOT NULL,"
    " hash BLOB NOT NULL, event BLOB NOT NULL)"
)
_HEAD_ADVANCES = (
    "CREATE TRIGGER head_advances BEFORE UPDATE ON head WHEN NEW.id <> OLD.id OR NEW.record <= OLD.record"
)
VERSION_1 = (
    _EVENTS,
    "CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), record BLOB NOT NULL)",
    "CREATE TABLE writers (version INTEGER PRIMARY KEY, again INTEGER NOT NULL)",
    f"CREATE TRIGGER events_stay BEFORE DELETE ON events {_REFUSE}",
    f"CREATE TRIGGER events_hold BEFORE UPDATE ON events {_REFUSE}",
    f"CREATE TRIGGER head_stays BEFORE DELETE ON head {_REFUSE}",
    f"{_HEAD_ADVANCES} {_REFUSE}",
    "INSERT INTO head VALUES (1, zeroblob(40))",
    "PRAGMA application_id = 1465141578",
    "PRAGMA user_version = 1",
)


def write_version_1(path: Path, *groups: Sequence[Event]) -> Head:
    """Write a journal as the first version did, with its witness, and return its head."""
    head = EMPTY
    with closing(sqlite3.connect(path, isolation_level=None)) as connection, Witness(path) as witness:
        for pragma in ("page_size = 4096", "journal_mode = WAL", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN IMMEDIATE")
        for statement in VERSION_1:
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("INSERT INTO writers VALUES (?, ?)", (sqlite_version(),) * 2)
        for group in groups:
            rows, head = links_after(head, [event.canonical() for event in group])
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
            record = head.sequence.to_bytes(8, "big") + bytes.fromhex(head.hash)
            connection.execute("UPDATE head SET record = ?", (record,))
            connection.execute("COMMIT")
            witness.saw(head)
    return head


def by_kind(sequence: int, event: Event) -> Iterable[schema.Entry]:
    """Find events by their kind: entries of one kind are laid in between those of others."""
    yield event.kind, sequence


def by_content(sequence: int, event: Event) -> Iterable[schema.Entry]:
    """Find events by what they hold: long keys in no order, none for every third event."""
    if sequence % 3:
        yield event.canonical()[::-1], sequence * 7_919 % 104_729


def one_more(
    entries: Callable[[int, Event], Iterable[schema.Entry]] = by_kind,
) -> tuple[schema.Migration, ...]:
    """Return the migrations of a version after this one."""
    number = schema.MIGRATIONS[-1].number + 1
    indexes = (
        schema.Index("events_by_kind", ("kind TEXT", "sequence INTEGER"), entries),
        schema.Index("events_by_content", ("content BLOB", "place INTEGER"), by_content),
    )
    return (*schema.MIGRATIONS, schema.Migration(number, "events by kind and content", indexes))


def killing_at(last: int) -> Callable[[int, Event], Iterable[schema.Entry]]:
    """Return what ends this process without warning when it comes to event `last`."""

    def entries(sequence: int, event: Event) -> Iterable[schema.Entry]:
        if sequence == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return by_kind(sequence, event)

    return entries
