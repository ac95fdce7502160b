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

from ledger import sqlite_files
from ledger.chain import (
    StoredLink,
    conflict,
    corrupt,
    events_of,
    follow_all,
    links_after,
    not_writable,
    picked,
)
from ledger.forerunner import AFTER
from ledger.in_hand import NOTHING_IN_HAND, in_hand_of
from ledger.journal import Head, Recorded
from ledger.journal_schema import APPLICATION_ID, head_record, latest
from ledger.read_ahead import reading_ahead
from ledger.sqlite_layout import demand_layout
from ledger.sqlite_rows import checked_head, hash_at, head_in, hex_of, rows_at
from ledger.witness import Witness, read_witness
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import Event

_BATCH: Final = 256
_GONE: Final = "it is missing though the witness saw it"


class SqliteJournal:
    """A `Journal` on one connection; threads of a process may share it."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        witness: Witness | None,
        footing: sqlite_files.Footing | None = None,
    ) -> None:
        self._connection = connection
        self._witness = witness
        self._footing = footing
        self._indexes = latest().indexes
        self._lock = threading.RLock()
        self._in_hand = NOTHING_IN_HAND
        self._come_to: list[Head] = []
        """Heads of the turn in progress, none of them durable yet."""
        self._is_in_turn = False
        self._has_broken_off = False
        """Whether an append of the turn in progress ended half-way."""

    def head(self) -> Head:
        """Return the newest event's place and hash."""
        with self._lock, sqlite_files.translated(sqlite_files.JOURNAL, "read the journal"):
            return head_in(self._connection)

    def read(self, *, after: int = 0) -> Iterator[Recorded]:
        """Yield the events after sequence `after`, oldest first, each link checked.

        Raises:
            Fault: `journal_corrupt` at the first event that does not check, or at the end
                when the head record knows of a newer event than there is.
        """
        known = self.head()
        previous = Head(after, self._hash_at(after))
        with reading_ahead(self._connection, events=known.sequence - after) as ahead:
            while rows := self._rows(previous.sequence):
                ahead.begin_after(last := Head(rows[-1][0], hex_of(rows[-1][2])))
                yield from follow_all(previous, rows, in_hand=self._in_hand)
                previous = last
                for hashes, contents in ahead.blocks(self._hash_at):
                    yield from events_of(previous, hashes, contents)
                    previous = Head(previous.sequence + len(hashes), hashes[-1])
        if previous.sequence < known.sequence:
            raise corrupt(previous.sequence + 1, "the event is missing though the head record names it")

    def pick(self, sequences: Sequence[int]) -> Iterator[Recorded]:
        """Yield the events at these places, which ascend; each checked to hash to what it says.

        Raises:
            Fault: `journal_corrupt` at the first that is missing or does not check.
        """
        with self._lock, sqlite_files.translated(sqlite_files.JOURNAL, "read the journal"):
            found = rows_at(self._connection, sequences)
        yield from picked(sequences, found)

    def append(self, events: Sequence[Event], *, expected: Head | None = None) -> Head:
        """Record all of `events` or none, durably, and return the new head.

        Raises:
            Fault: `journal_conflict` when the head is not `expected` or the file stays
                locked; `storage_failed` when nothing could be written.
        """
        canonical = [event.canonical() for event in events]
        if self._witness is None:
            raise not_writable()
        with self.turn():
            head = checked_head(self._connection)
            if expected is not None and head != expected:
                raise conflict(head, expected)
            head = self._chain(events, canonical, head)
            self._come_to.append(head)
        return head

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Let nobody else write during the body; what it appends is durable at its end, or undone.

        A turn within a turn is a part of it. Undone is all of it, too, when the body caught what
        an append ended with half-way, or SQLite gave the turn up by itself.

        Raises:
            Fault: as `append`.
        """
        if self._witness is None:
            raise not_writable()
        with self._lock:
            if self._is_in_turn:
                self._demand_turn()
                yield
                return
            come_to = self._come_to
            come_to.clear()
            with self._writing():
                sqlite_files.demand_footing(self._footing)
                yield
                self._demand_turn()
            # INVARIANT: nothing is answered that stands in a file which nobody will find again.
            sqlite_files.demand_footing(self._footing)
            if come_to:
                self._witness.saw(come_to[-1])

    def close(self) -> None:
        """Close the connection; what was appended is durable already."""
        with self._lock:
            self._connection.close()
            if self._witness is not None:
                self._witness.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with (
            sqlite_files.translated(sqlite_files.JOURNAL, "write the journal"),
            sqlite_files.immediate(self._connection),
        ):
            self._is_in_turn, self._has_broken_off = True, False
            try:
                yield
            finally:
                self._is_in_turn = False

    def _demand_turn(self) -> None:
        """Return while all that the turn appended stands whole and nobody else could write."""
        if self._has_broken_off or not self._connection.in_transaction:
            raise _undone()

    def _chain(self, events: Sequence[Event], canonical: Sequence[bytes], head: Head) -> Head:
        rows, head = links_after(head, canonical)
        if rows:
            # INVARIANT: whoever catches what is raised here cannot have a half of it recorded.
            self._has_broken_off = True
            self._connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
            self._connection.execute("UPDATE head SET record = ?", (head_record(head),))
            for index in self._indexes:
                self._connection.executemany(index.insertion, index.of(events, after=rows[0][0] - 1))
            self._has_broken_off = False
            self._in_hand = in_hand_of(rows, events)
        return head

    def _rows(self, after: int) -> list[StoredLink]:
        with self._lock, sqlite_files.translated(sqlite_files.JOURNAL, "read the journal"):
            return self._connection.execute(AFTER, (after, _BATCH)).fetchall()

    def _hash_at(self, sequence: int) -> str:
        with self._lock, sqlite_files.translated(sqlite_files.JOURNAL, "read the journal"):
            return hash_at(self._connection, sequence)


def open_journal(path: Path, *, is_read_only: bool = False) -> SqliteJournal:
    """Open the journal at `path`, making an empty one unless `is_read_only`.

    Raises:
        Fault: `journal_unreadable` when there is no journal to read or the file is none;
            `journal_corrupt` when the witness saw events that are gone; `storage_failed`
            when the place cannot be written.
    """
    # INVARIANT: the witness is read first, so a journal in use is never behind it.
    seen = read_witness(path)
    is_known = seen is not None and seen.sequence > 0
    if is_known and not path.exists():
        raise corrupt(1, _GONE)
    with sqlite_files.translated(sqlite_files.JOURNAL, "open the journal"):
        connection = sqlite_files.connect(path, is_read_only=is_read_only)
        try:
            if is_known:
                _demand_content(connection)
            elif not is_read_only:
                layout = latest()
                sqlite_files.create(
                    connection, layout.statements, application_id=APPLICATION_ID, layout=layout.number
                )
            demand_layout(connection)
            _check_tail(connection, seen)
            witness = None if is_read_only else _joined(connection, path)
        except BaseException:
            connection.close()
            raise
    return SqliteJournal(connection, witness, None if is_read_only else sqlite_files.Footing(path))


def _undone() -> Fault:
    return Fault(
        ErrorCode.STORAGE_FAILED,
        "cannot write the journal: an earlier failure undid what was to be written with it",
        fix="check free space and the disk of --home, and ask again",
    )


def _demand_content(connection: sqlite3.Connection) -> None:
    """Refuse to begin anew in the place of a journal that was witnessed."""
    if sqlite_files.is_blank(connection):
        raise corrupt(1, _GONE)


def _check_tail(connection: sqlite3.Connection, seen: Head | None) -> None:
    if seen is None or seen.sequence == 0:
        return
    row = connection.execute("SELECT hash FROM events WHERE sequence = ?", (seen.sequence,)).fetchone()
    if row is None:
        raise corrupt(head_in(connection).sequence + 1, _GONE)
    if hex_of(row[0]) != seen.hash:
        raise corrupt(seen.sequence, "the witness saw another event in its place")


def join_writers(connection: sqlite3.Connection) -> None:
    """Record that this version of SQLite writes here, as the file's header will say."""
    version = connection.execute("SELECT version FROM writers WHERE version = ?", (sqlite_version(),))
    if version.fetchone() is None:
        connection.execute("INSERT OR IGNORE INTO writers VALUES (?, ?)", (sqlite_version(),) * 2)


def _joined(connection: sqlite3.Connection, path: Path) -> Witness:
    join_writers(connection)
    try:
        witness = Witness(path)
    except OSError as error:
        raise not_writable() from error
    witness.saw(head_in(connection))
    return witness


def sqlite_version() -> int:
    """Return the version of SQLite in use as its file header writes it, e.g. 3040001."""
    major, minor, patch = sqlite3.sqlite_version_info
    return major * 1_000_000 + minor * 1_000 + patch
