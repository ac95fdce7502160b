"""The journal in PostgreSQL, for several hosts: the same chain, checked by us and by the server.

Appenders take turns by a lock they hold until their commit is visible, so readers never see
an event before its predecessor. The role in use can insert and read, nothing else
(`ledger.postgres_schema`). An append whose commit was cut off is looked up, never assumed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ledger.chain import NewLink, StoredLink, conflict, corrupt, follow_all, links_after, not_writable, picked
from ledger.checking import check_links
from ledger.journal import EMPTY, GENESIS, Head, Recorded
from ledger.postgres_link import PostgresLink, translated
from ledger.postgres_schema import APPEND_LOCK, demand_ready, schema_problems
from ledger.verify import Verification
from ledger.witness import Witness, read_witness
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import Event

if TYPE_CHECKING:
    from ledger.postgres_link import Connection

_BATCH: Final = 2_000
_HEAD: Final = "SELECT sequence, hash FROM journal.events ORDER BY sequence DESC LIMIT 1"
_AFTER: Final = (
    "SELECT sequence, previous_hash, hash, event FROM journal.events"
    " WHERE sequence > %s ORDER BY sequence LIMIT %s"
)
_AT: Final = (
    "SELECT sequence, previous_hash, hash, event FROM journal.events"
    " WHERE sequence = ANY(%s) ORDER BY sequence"
)


class PostgresJournal:
    """A `Journal` on one connection; threads of a process may share it."""

    def __init__(self, link: PostgresLink, witness: Witness | None) -> None:
        self._link = link
        self._witness = witness
        self._lock = threading.RLock()

    def head(self) -> Head:
        """Return the newest event's place and hash."""
        with self._session("read the journal") as connection:
            return _head(connection)

    def read(self, *, after: int = 0) -> Iterator[Recorded]:
        """Yield the events after sequence `after`, oldest first, each link checked.

        Raises:
            Fault: `journal_corrupt` at the first event that does not check, or when events
                that stood there at the start are gone.
        """
        known = self.head()
        previous = Head(after, self._hash_at(after))
        while rows := self._rows(previous.sequence):
            yield from follow_all(previous, rows)
            previous = Head(rows[-1][0], _hex(rows[-1][2]))
        if previous.sequence < known.sequence:
            raise corrupt(previous.sequence + 1, "the event is missing though it was there a moment ago")

    def pick(self, sequences: Sequence[int]) -> Iterator[Recorded]:
        """Yield the events at these places, which ascend; each checked to hash to what it says.

        Raises:
            Fault: `journal_corrupt` at the first that is missing or does not check.
        """
        with self._session("read the journal") as connection:
            rows = connection.execute(_AT, (list(sequences),), binary=True).fetchall()
        yield from picked(sequences, map(_link, rows))

    def append(self, events: Sequence[Event], *, expected: Head | None = None) -> Head:
        """Record all of `events` or none, durably, and return the new head.

        Raises:
            Fault: `journal_conflict` when the head is not `expected` or others hold the
                journal too long; `storage_failed` when nothing could be written;
                `journal_unavailable` when it is not known what the server did.
        """
        canonical = [event.canonical() for event in events]
        if self._witness is None:
            raise not_writable()
        with self._lock:
            head = self._record(canonical, expected)
            self._witness.saw(head)
        return head

    def links(self) -> Iterator[StoredLink]:
        """Yield every row as it is stored, oldest first, nothing checked."""
        after = 0
        while rows := self._rows(after):
            yield from rows
            after = rows[-1][0]

    def guard_problems(self) -> list[str]:
        """Return which of the server's own guards are missing."""
        with self._session("read the journal") as connection:
            return schema_problems(connection)

    def close(self) -> None:
        """Close the connection; what was appended is durable already."""
        with self._lock:
            self._link.close()
            if self._witness is not None:
                self._witness.close()

    def _record(self, canonical: Sequence[bytes], expected: Head | None) -> Head:
        import psycopg

        links: list[NewLink] = []
        head = EMPTY
        with self._session("write the journal") as connection:
            try:
                with connection.transaction():
                    head = _turn(connection)
                    if expected is not None and head != expected:
                        raise conflict(head, expected)
                    links, head = links_after(head, canonical)
                    _insert(connection, links)
            except psycopg.OperationalError:
                if not (connection.closed or connection.broken) or not self._was_recorded(links):
                    raise
        return head

    def _was_recorded(self, links: Sequence[NewLink]) -> bool:
        """Return whether a commit that was cut off took place, once it is over either way."""
        if not links:
            return False
        connection = self._link.connection
        sequence, _, own_hash, _ = links[-1]
        with connection.transaction():
            _turn(connection)
            found = connection.execute("SELECT hash FROM journal.events WHERE sequence = %s", (sequence,))
            return found.fetchone() == (own_hash,)

    def _rows(self, after: int) -> list[StoredLink]:
        with self._session("read the journal") as connection:
            rows = connection.execute(_AFTER, (after, _BATCH), binary=True).fetchall()
        return [_link(row) for row in rows]

    def _hash_at(self, sequence: int) -> str:
        if sequence == 0:
            return GENESIS
        with self._session("read the journal") as connection:
            row = connection.execute(
                "SELECT hash FROM journal.events WHERE sequence = %s", (sequence,)
            ).fetchone()
        if row is None:
            raise corrupt(sequence, "the event is missing though it was read before")
        return _hex(row[0])

    @contextmanager
    def _session(self, doing: str) -> Iterator[Connection]:
        with self._lock, translated(doing):
            if self._link.is_over:
                raise Fault(ErrorCode.JOURNAL_UNREADABLE, "the journal was closed", fix="open it again")
            yield self._link.connection


def open_postgres_journal(url: str, witnessed_at: Path, *, is_read_only: bool = False) -> PostgresJournal:
    """Open the journal in the database at `url`; its witness stands beside `witnessed_at`.

    Raises:
        Fault: `journal_unreadable` when there is none or it is not up to date;
            `journal_corrupt` when the witness saw events that are gone; `bad_config` when
            the server or the role does not keep what a journal promises; `unauthenticated`
            or `journal_unavailable`.
    """
    # INVARIANT: the witness is read first, so a journal in use is never behind it.
    seen = read_witness(witnessed_at)
    link = PostgresLink(url)
    try:
        with translated("open the journal"):
            demand_ready(link.connection, is_read_only=is_read_only)
            _check_tail(link.connection, seen)
            witness = None if is_read_only else _witness(witnessed_at, _head(link.connection))
    except BaseException:
        link.close()
        raise
    return PostgresJournal(link, witness)


def check_database(url: str, witnessed_at: Path) -> Verification:
    """Check every event of the database at `url`, its guards, and the tail that the witness saw.

    Raises:
        Fault: `journal_unreadable`, `journal_unavailable`, `unauthenticated`.
    """
    # INVARIANT: the witness is read first, so a journal in use is never behind it.
    witness = read_witness(witnessed_at)
    link = PostgresLink(url)
    try:
        with translated("open the journal"):
            demand_ready(link.connection, is_read_only=True)
        journal = PostgresJournal(link, None)
        return check_links(journal.links(), witness=witness, problems=journal.guard_problems())
    finally:
        link.close()


def _witness(path: Path, head: Head) -> Witness:
    try:
        witness = Witness(path)
    except OSError as error:
        raise not_writable() from error
    witness.saw(head)
    return witness


def _check_tail(connection: Connection, seen: Head | None) -> None:
    if seen is None or seen.sequence == 0:
        return
    row = connection.execute(
        "SELECT hash FROM journal.events WHERE sequence = %s", (seen.sequence,)
    ).fetchone()
    if row is None:
        raise corrupt(_head(connection).sequence + 1, "it is missing though the witness saw it")
    if _hex(row[0]) != seen.hash:
        raise corrupt(seen.sequence, "the witness saw another event in its place")


def _turn(connection: Connection) -> Head:
    """Wait for this appender's turn and return the head it appends to."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))
    return _head(connection)


def _insert(connection: Connection, links: Sequence[NewLink]) -> None:
    if links:
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO journal.events VALUES (%s, %s, %s, %s)", links)


def _head(connection: Connection) -> Head:
    row = connection.execute(_HEAD).fetchone()
    return EMPTY if row is None else Head(int(str(row[0])), _hex(row[1]))


def _link(row: Sequence[object]) -> StoredLink:
    place, named, claimed, event = row
    return int(str(place)), named, claimed, event


def _hex(stored: object) -> str:
    """Return a stored hash as text; what is no hash equals none."""
    return stored.hex() if isinstance(stored, bytes) else ""
