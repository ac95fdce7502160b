"""Brings a home's journal file up to the newest layout: for `journal migrate`, never for a service.

One transaction adds what the newer layouts add and fills it from the events, each checked
against the chain as it is read; a process that ends meanwhile leaves the file as it was. No
event, hash or guard is touched, so the witness stays true.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from ledger import journal_schema as schema
from ledger import sqlite_files
from ledger.chain import corrupt
from ledger.sqlite_journal import SqliteJournal, join_writers
from ledger.sqlite_layout import demand_catalogue, known_layout
from ledger.verify import verify_journal
from when_to_invest.errors import ErrorCode, Fault


def bring_file_up_to_date(path: Path) -> int:
    """Migrate the journal at `path`, which nobody may have open, and return the number reached.

    Every byte is checked before and after.

    Raises:
        Fault: `journal_unreadable` when there is no journal or a newer one; `journal_corrupt`
            when it does not check, and then nothing was changed; `journal_conflict` when
            another process has it open; `storage_failed` when it cannot be written.
    """
    _demand_whole(path)
    with (
        sqlite_files.translated(sqlite_files.JOURNAL, "migrate the journal"),
        closing(sqlite_files.connect(path, is_alone=True)) as connection,
    ):
        reached = _migrate(connection)
    _demand_whole(path)
    return reached


def _demand_whole(path: Path) -> None:
    checked = verify_journal(path)
    if checked.first_bad is None:
        return
    if checked.first_bad.sequence is not None:
        raise corrupt(checked.first_bad.sequence, checked.first_bad.why)
    raise Fault(
        ErrorCode.JOURNAL_CORRUPT,
        f"the journal does not check: {checked.first_bad.why}",
        fix="stop trading and restore the journal from a backup; nothing was migrated",
    )


def _migrate(connection: sqlite3.Connection) -> int:
    with sqlite_files.immediate(connection):
        before = known_layout(connection)
        demand_catalogue(connection, before)
        steps = schema.MIGRATIONS[before.number :]
        if steps:
            join_writers(connection)
        for step in steps:
            for index in step.indexes:
                _add(connection, index)
            connection.execute(f"PRAGMA user_version = {step.number:d}")
        after = known_layout(connection)
        demand_catalogue(connection, after)
    return after.number


def _add(connection: sqlite3.Connection, index: schema.Index) -> None:
    for *_, statement in index.catalogue:
        connection.execute(statement)
    events = SqliteJournal(connection, None).read()
    connection.executemany(
        index.insertion,
        (entry for recorded in events for entry in index.entries(recorded.sequence, recorded.event)),
    )
