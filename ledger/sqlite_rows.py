"""Reads links and the head record out of a journal's SQLite file, and refuses what does not fit.

Stage: below `SqliteJournal`, which holds the lock and translates what SQLite raises.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from ledger.chain import StoredLink, corrupt
from ledger.journal import EMPTY, GENESIS, Head
from ledger.journal_schema import HEAD_SIZE, head_of
from when_to_invest.errors import ErrorCode, Fault

_AT: Final = "SELECT sequence, previous_hash, hash, event FROM events WHERE sequence = ?"
_LAST: Final = "SELECT sequence, hash FROM events ORDER BY sequence DESC LIMIT 1"


def head_in(connection: sqlite3.Connection) -> Head:
    """Return what the head record names as the newest event.

    Raises:
        Fault: `journal_corrupt` when the record is damaged.
    """
    row = connection.execute("SELECT record FROM head").fetchone()
    if row is None or not isinstance(row[0], bytes) or len(row[0]) != HEAD_SIZE:
        raise Fault(
            ErrorCode.JOURNAL_CORRUPT,
            "the journal's head record is damaged",
            fix="stop trading, run `when-to-invest journal verify`, restore the journal from a backup",
        )
    return head_of(row[0])


def checked_head(connection: sqlite3.Connection) -> Head:
    """Return the head, refusing to write on after an event that is not the last one.

    Raises:
        Fault: `journal_corrupt` when another event is the last one, or as `head_in`.
    """
    head = head_in(connection)
    last = connection.execute(_LAST).fetchone()
    if (EMPTY if last is None else Head(last[0], hex_of(last[1]))) != head:
        raise corrupt(head.sequence, "it is not the last event though the head record names it")
    return head


def hash_at(connection: sqlite3.Connection, sequence: int) -> str:
    """Return the stored hash of the event at `sequence`; that of none is `GENESIS`.

    Raises:
        Fault: `journal_corrupt` when there is no such event.
    """
    if sequence == 0:
        return GENESIS
    row = connection.execute("SELECT hash FROM events WHERE sequence = ?", (sequence,)).fetchone()
    if row is None:
        raise corrupt(sequence, "the event is missing though it was read before")
    return hex_of(row[0])


def rows_at(connection: sqlite3.Connection, sequences: Sequence[int]) -> list[StoredLink]:
    """Return what is stored at these places, without those where nothing is."""
    found = [connection.execute(_AT, (sequence,)).fetchone() for sequence in sequences]
    return [row for row in found if row is not None]


def hex_of(stored: object) -> str:
    """Return a stored hash as text; what is no hash equals none."""
    return stored.hex() if isinstance(stored, bytes) else ""
