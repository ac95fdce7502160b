"""The journal's tables and the constants by which its file is recognised.

The layout is chosen so that every byte of the file can be accounted for by
`ledger.verify`: rowid tables without indexes, rows that never change their size, and
deleted content overwritten with zeros.
"""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x5754494A
"""The letters WTIJ in the file's header."""
LAYOUT: Final = 1

SCHEMA: Final = (
    (
        "CREATE TABLE events (sequence INTEGER PRIMARY KEY, previous_hash BLOB NOT NULL,"
        " hash BLOB NOT NULL, event BLOB NOT NULL)"
    ),
    "CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), record BLOB NOT NULL)",
    (
        "CREATE TRIGGER events_never_change BEFORE UPDATE ON events"
        " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
    ),
    (
        "CREATE TRIGGER events_never_go BEFORE DELETE ON events"
        " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
    ),
    (
        "CREATE TRIGGER head_never_moves_back BEFORE UPDATE ON head"
        " WHEN NEW.id IS NOT OLD.id OR NEW.record <= OLD.record"
        " BEGIN SELECT RAISE(ABORT, 'the head only moves forward'); END"
    ),
    "CREATE TRIGGER head_never_goes BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'the head stays'); END",
    "INSERT INTO head VALUES (1, zeroblob(40))",
)
