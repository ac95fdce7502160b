"""The journal in one SQLite file that several processes append to and read at once.

Write-ahead log, synced on every commit, append-only by triggers, one writer at a time by
`BEGIN IMMEDIATE`. Stored are the event's canonical bytes and its links, so that the chain
is checked over exactly what was hashed. Nothing here ever updates or deletes an event.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from ledger import sqlite_files
from ledger.journal import GENESIS, Head, Recorded, link_hash
from ledger.journal_schema import APPLICATION_ID, LAYOUT, SCHEMA
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import Event, event_from_json

_BATCH: Final = 500
_Row = tuple[int, bytes, bytes, bytes]


class SqliteJournal:
    """A `Journal` on one connection; threads of a process may share it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()

    def head(self) -> Head:
        """Return the newest event's place and hash."""
        with self._lock, sqlite_files.translated(sqlite_files.JOURNAL, "read the journal"):
            return _head(self._connection)

    def read(self, *, after: int = 0) -> Iterator[Recorded]:
        """Yield the events after sequence `after`, oldest first, each link checked.

        Raises:
            Fault: `journal_corrupt` at the first event that does not check, or at the end
                when the head record knows of a newer event than there is.
        """
        known = self.head()
        previous = Head(after, self._hash_at(after))
        while True:
            rows = self._rows(previous.sequence)
            for row in rows:
                recorded = _checked(row, previous)
                previous = recorded.head
                yield recorded
            if not rows:
                break
        if previous.sequence < known.sequence:
            raise corrupt(previous.sequence + 1, "the event is missing though the head record names it")

    def append(self, events: Sequence[Event], *, expected: Head | None = None) -> Head:
        """Record all of `events` or none, durably, and return the new head.

        Raises:
            Fault: `journal_conflict` when the head is not `expected` or the file stays
                locked; `storage_failed` when nothing could be written.
        """
        canonical = [event.canonical() for event in events]
        with self._writing():
            head = _head(self._connection)
            if expected is not None and head != expected:
                raise _conflict(head, expected)
            return self._chain(canonical, head)

    def close(self) -> None:
        """Close the connection; what was appended is durable already."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with (
            self._lock,
            sqlite_files.translated(sqlite_files.JOURNAL, "write the journal"),
            sqlite_files.immediate(self._connection),
        ):
            yield

    def _chain(self, canonical: Sequence[bytes], head: Head) -> Head:
        rows: list[_Row] = []
        for event in canonical:
            sequence = head.sequence + 1
            fresh = link_hash(sequence=sequence, previous_hash=head.hash, event_canonical=event)
            rows.append((sequence, bytes.fromhex(head.hash), bytes.fromhex(fresh), event))
            head = Head(sequence, fresh)
        if rows:
            self._connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
            self._connection.execute("UPDATE head SET record = ?", (_head_record(head),))
        return head

    def _rows(self, after: int) -> list[_Row]:
        with self._lock, sqlite_files.translated(sqlite_files.JOURNAL, "read the journal"):
            return self._connection.execute(
                "SELECT sequence, previous_hash, hash, event FROM events"
                " WHERE sequence > ? ORDER BY sequence LIMIT ?",
                (after, _BATCH),
            ).fetchall()

    def _hash_at(self, sequence: int) -> str:
        if sequence == 0:
            return GENESIS
        with self._lock, sqlite_files.translated(sqlite_files.JOURNAL, "read the journal"):
            row = self._connection.execute(
                "SELECT hash FROM events WHERE sequence = ?", (sequence,)
            ).fetchone()
        if row is None:
            raise corrupt(sequence, "the event is missing though it was read before")
        return bytes(row[0]).hex()


def open_journal(path: Path, *, is_read_only: bool = False) -> SqliteJournal:
    """Open the journal at `path`, making an empty one unless `is_read_only`.

    Raises:
        Fault: `journal_unreadable` when there is no journal to read or the file is none;
            `storage_failed` when the place cannot be written.
    """
    with sqlite_files.translated(sqlite_files.JOURNAL, "open the journal"):
        connection = sqlite_files.connect(path, is_read_only=is_read_only)
        try:
            if not is_read_only:
                sqlite_files.create(connection, SCHEMA, application_id=APPLICATION_ID, layout=LAYOUT)
            sqlite_files.recognise(
                connection, sqlite_files.JOURNAL, application_id=APPLICATION_ID, layout=LAYOUT
            )
        except BaseException:
            connection.close()
            raise
    return SqliteJournal(connection)


def corrupt(sequence: int, why: str) -> Fault:
    """Return the fault that names the first event that does not check."""
    return Fault(
        ErrorCode.JOURNAL_CORRUPT,
        f"event {sequence} of the journal does not check: {why}",
        fix="stop trading, run `when-to-invest journal verify`, restore the journal from a backup",
    )


def _conflict(head: Head, expected: Head) -> Fault:
    return Fault(
        ErrorCode.JOURNAL_CONFLICT,
        f"the journal ends at event {head.sequence}, not at {expected.sequence} as expected",
        fix="refresh, judge again on the new state, and append again",
    )


def _head(connection: sqlite3.Connection) -> Head:
    record = connection.execute("SELECT record FROM head").fetchone()[0]
    return Head(int.from_bytes(record[:8], "big"), bytes(record[8:]).hex())


def _head_record(head: Head) -> bytes:
    return head.sequence.to_bytes(8, "big") + bytes.fromhex(head.hash)


def _checked(row: _Row, previous: Head) -> Recorded:
    sequence, previous_hash, own_hash, event = row
    if sequence != previous.sequence + 1:
        raise corrupt(previous.sequence + 1, f"event {sequence} stands in its place")
    if previous_hash.hex() != previous.hash:
        raise corrupt(sequence, "it names another predecessor")
    fresh = link_hash(sequence=sequence, previous_hash=previous.hash, event_canonical=event)
    if own_hash.hex() != fresh:
        raise corrupt(sequence, "its hash is not that of its content")
    try:
        return Recorded(sequence, previous.hash, fresh, event_from_json(event))
    except ValidationError as error:
        raise corrupt(sequence, "it is no event this version knows") from error
