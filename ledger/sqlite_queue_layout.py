"""How the embedded queue lies in its file, and how an earlier file comes to lie so.

Stage: queue. Nothing here reads a message.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from ledger import sqlite_files

_APPLICATION_ID: Final = 0x57544951
_LAYOUT: Final = 2
_SCHEMA: Final = (
    (
        "CREATE TABLE messages (sequence INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT NOT NULL,"
        " body TEXT NOT NULL, message_group TEXT NOT NULL, deduplication_id TEXT NOT NULL,"
        " visible_at REAL NOT NULL, receive_count INTEGER NOT NULL DEFAULT 0, receipt TEXT,"
        " traceparent TEXT NOT NULL DEFAULT '')"
    ),
    "CREATE INDEX messages_in_flight ON messages (visible_at, message_group)",
    "CREATE UNIQUE INDEX messages_receipt ON messages (receipt)",
    (
        "CREATE TABLE remembered (deduplication_id TEXT PRIMARY KEY, message_id TEXT NOT NULL,"
        " expires_at REAL NOT NULL) WITHOUT ROWID"
    ),
    "CREATE INDEX remembered_expiry ON remembered (expires_at)",
    (
        "CREATE TABLE dead_letters (sequence INTEGER PRIMARY KEY, message_id TEXT NOT NULL,"
        " body TEXT NOT NULL, message_group TEXT NOT NULL, deduplication_id TEXT NOT NULL,"
        " receive_count INTEGER NOT NULL)"
    ),
)
_FROM_FIRST_LAYOUT: Final = "ALTER TABLE messages ADD COLUMN traceparent TEXT NOT NULL DEFAULT ''"


def lay_out(connection: sqlite3.Connection) -> None:
    """Lay out an empty file, move one of the first layout forward, and refuse what is neither.

    Raises:
        sqlite3.Error: the file cannot be written.
        Fault: `queue_missing` when it is of another kind.
    """
    sqlite_files.create(connection, _SCHEMA, application_id=_APPLICATION_ID, layout=_LAYOUT)
    _move_forward(connection)
    sqlite_files.recognise(connection, sqlite_files.QUEUE, application_id=_APPLICATION_ID, layout=_LAYOUT)


def _move_forward(connection: sqlite3.Connection) -> None:
    first = (_APPLICATION_ID, 1)
    if sqlite_files.kind_of(connection) != first:
        return
    with sqlite_files.immediate(connection):
        # Another process may have moved it while this one waited.
        if sqlite_files.kind_of(connection) == first:
            connection.execute(_FROM_FIRST_LAYOUT)
            connection.execute(f"PRAGMA user_version = {_LAYOUT:d}")
