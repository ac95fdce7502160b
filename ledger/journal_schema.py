"""The journal's tables and the constants by which its file is recognised.

The layout is chosen so that `ledger.verify` can account for every byte of the file: rowid
tables without indexes, rows that never change their size, removed content blanked. The
file format is part of the promise: a change here is a new `LAYOUT`.
"""

from __future__ import annotations

from typing import Final

from ledger.journal import GENESIS, Head

APPLICATION_ID: Final = 0x5754494A
"""The letters WTIJ in the file's header."""
LAYOUT: Final = 1
EVENTS_ROOT: Final = 2
HEAD_ROOT: Final = 3
WRITERS_ROOT: Final = 4
HEAD_SIZE: Final = 40

_EVENTS: Final = (
    "CREATE TABLE events (sequence INTEGER PRIMARY KEY, previous_hash BLOB NOT NULL,"
    " hash BLOB NOT NULL, event BLOB NOT NULL)"
)
_HEAD: Final = "CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), record BLOB NOT NULL)"
# SQLite writes the version of whoever wrote last into the file's header. The versions that
# ever wrote, each twice, are what that field is checked against.
_WRITERS: Final = "CREATE TABLE writers (version INTEGER PRIMARY KEY, again INTEGER NOT NULL)"
_EVENTS_STAY: Final = (
    "CREATE TRIGGER events_stay BEFORE DELETE ON events"
    " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
)
_EVENTS_HOLD: Final = (
    "CREATE TRIGGER events_hold BEFORE UPDATE ON events"
    " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
)
_HEAD_STAYS: Final = (
    "CREATE TRIGGER head_stays BEFORE DELETE ON head"
    " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
)
_HEAD_ADVANCES: Final = (
    "CREATE TRIGGER head_advances BEFORE UPDATE ON head WHEN NEW.id <> OLD.id OR NEW.record <= OLD.record"
    " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
)
OBJECTS: Final[tuple[tuple[str, str, str, int, str], ...]] = (
    ("table", "events", "events", EVENTS_ROOT, _EVENTS),
    ("table", "head", "head", HEAD_ROOT, _HEAD),
    ("table", "writers", "writers", WRITERS_ROOT, _WRITERS),
    ("trigger", "events_stay", "events", 0, _EVENTS_STAY),
    ("trigger", "events_hold", "events", 0, _EVENTS_HOLD),
    ("trigger", "head_stays", "head", 0, _HEAD_STAYS),
    ("trigger", "head_advances", "head", 0, _HEAD_ADVANCES),
)
"""What SQLite's own catalogue holds: type, name, table, root page, statement."""
SCHEMA: Final = (*(row[-1] for row in OBJECTS), "INSERT INTO head VALUES (1, zeroblob(40))")
SCHEMA_COOKIE: Final = len(OBJECTS)
"""How often the catalogue changed, as the file's header counts it."""


def head_record(head: Head) -> bytes:
    """Return the 40 bytes in which `head` is stored: its size never changes."""
    return head.sequence.to_bytes(8, "big") + bytes.fromhex(head.hash)


def head_of(record: bytes) -> Head:
    """Return the head that `head_record` wrote."""
    return Head(int.from_bytes(record[:8], "big"), record[8:].hex() if any(record) else GENESIS)
