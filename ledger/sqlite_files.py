"""How this package opens SQLite files: durable, never by accident, errors translated.

Every connection uses the write-ahead log, syncs on commit and waits for a lock before it
gives up. Nothing here knows what a file holds.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from when_to_invest.errors import ErrorCode, Fault

BUSY_TIMEOUT_S: Final = 10.0
_WRITING: Final = (
    # These three take effect only while the file is empty.
    "page_size = 4096",
    "encoding = 'UTF-8'",
    "auto_vacuum = NONE",
    "journal_mode = WAL",
    "synchronous = FULL",
    "secure_delete = ON",
    # Else REPLACE would delete without waking a trigger that forbids it.
    "recursive_triggers = ON",
)
_PRIMARY_CODE: Final = 0xFF
_UNREADABLE: Final = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM})
_CONTENDED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


@dataclass(frozen=True, slots=True)
class FaultCodes:
    """Which errors a kind of file answers with, and the words for it."""

    name: str
    contended: ErrorCode
    damaged: ErrorCode
    unreadable: ErrorCode


JOURNAL: Final = FaultCodes(
    "journal", ErrorCode.JOURNAL_CONFLICT, ErrorCode.JOURNAL_CORRUPT, ErrorCode.JOURNAL_UNREADABLE
)
QUEUE: Final = FaultCodes(
    "queue", ErrorCode.QUEUE_UNAVAILABLE, ErrorCode.STORAGE_FAILED, ErrorCode.QUEUE_MISSING
)


def connect(path: Path, *, is_read_only: bool = False, is_alone: bool = False) -> sqlite3.Connection:
    """Return a connection in autocommit mode; with `is_read_only` no database is ever made.

    With `is_alone` nobody else may have the file open, not even idle, until it is closed.

    Threads may share it as long as they take turns. Beside a database that nobody has open,
    SQLite itself leaves an empty log and index, also when it only reads.

    Raises:
        sqlite3.Error: the file cannot be opened.
        Fault: `storage_failed` when there is no directory to make it in.
    """
    if not is_read_only and not path.parent.is_dir():
        raise Fault(
            ErrorCode.STORAGE_FAILED,
            f"the directory {path.parent} does not exist",
            fix="create it, or correct --home",
        )
    mode = "ro" if is_read_only else "rwc"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=BUSY_TIMEOUT_S,
        check_same_thread=False,
    )
    try:
        if is_alone:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        for pragma in () if is_read_only else _WRITING:
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


class Footing:
    """Which files a connection stands on: the database and its log, by what they are on the disk.

    A process goes on writing into a file that was deleted or replaced, and nobody finds again
    what it wrote.
    """

    def __init__(self, path: Path) -> None:
        # Text, because this is asked twice an append and a path takes its time.
        self._stood = {each: _identity(each) for each in (str(path), f"{path}-wal")}

    def lost(self) -> str | None:
        """Return the name of the first file that is not where it was, or is another; none when all are."""
        for path, stood in self._stood.items():
            if _identity(path) != stood:
                return Path(path).name
        return None


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - half the time of a path
    except OSError:
        return None
    return found.st_dev, found.st_ino


def demand_footing(footing: Footing | None) -> None:
    """Return while every file stands where it stood.

    Raises:
        Fault: `journal_corrupt`, naming the first that does not.
    """
    lost = footing.lost() if footing is not None else None
    if lost is not None:
        raise Fault(
            ErrorCode.JOURNAL_CORRUPT,
            f"{lost} was deleted, moved or replaced while the journal was open",
            fix="stop the services, put the file back, and run `when-to-invest journal verify`",
        )


@contextmanager
def immediate(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the body in a transaction that takes the write lock first; undo on any error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def create(
    connection: sqlite3.Connection, schema: Sequence[str], *, application_id: int, layout: int
) -> None:
    """Lay out an empty file; leave one that has content as it is.

    Raises:
        sqlite3.Error: the file cannot be written.
    """
    if not is_blank(connection):
        return
    with immediate(connection):
        if is_blank(connection):
            for statement in schema:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {application_id:d}")
            connection.execute(f"PRAGMA user_version = {layout:d}")


def is_blank(connection: sqlite3.Connection) -> bool:
    """Return whether nothing was ever laid out in the file."""
    return _number(connection, "schema_version") == 0


def kind_of(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return the file's application id and its layout's number."""
    return _number(connection, "application_id"), _number(connection, "user_version")


def recognise(connection: sqlite3.Connection, codes: FaultCodes, *, application_id: int, layout: int) -> None:
    """Refuse a file that is not of this kind.

    Raises:
        Fault: the kind's unreadable code, naming what the file is instead.
    """
    found = kind_of(connection)
    if found != (application_id, layout):
        raise Fault(
            codes.unreadable,
            f"the file is of kind {found[0]:#x} layout {found[1]}, not {application_id:#x} layout {layout}",
            fix="point --home at a directory this program made",
        )


def file_of(connection: sqlite3.Connection) -> str:
    """Return the path of the file that a connection has open; nothing for one without a name."""
    return str(connection.execute("PRAGMA database_list").fetchone()[2])


@contextmanager
def translated(codes: FaultCodes, doing: str) -> Iterator[None]:
    """Turn SQLite's errors into faults: contended, damaged, unreadable, or failed storage."""
    try:
        yield
    except sqlite3.Error as error:
        raise _fault(codes, error, doing) from error
    except UnicodeDecodeError as error:
        # A text that is none: only a file that was changed from outside holds one.
        raise _damaged(codes, "a text in it is not UTF-8", doing) from error


def _fault(codes: FaultCodes, error: sqlite3.Error, doing: str) -> Fault:
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
    if code in _CONTENDED:
        return Fault(
            codes.contended,
            f"cannot {doing}: another process holds the {codes.name}",
            fix="try again; stop whatever holds the file open",
        )
    if code == sqlite3.SQLITE_CORRUPT:
        return _damaged(codes, str(error), doing)
    if code == sqlite3.SQLITE_READONLY:
        return Fault(
            ErrorCode.STORAGE_FAILED,
            f"cannot {doing}: nothing can be written there",
            fix=f"check permissions of --home: even reading needs a log beside the {codes.name}",
        )
    if code in _UNREADABLE:
        return Fault(
            codes.unreadable,
            f"cannot {doing}: {error}",
            fix=f"check that the {codes.name} exists in --home and is readable",
        )
    return Fault(
        ErrorCode.STORAGE_FAILED,
        f"cannot {doing}: {error}",
        fix="check free space and permissions of --home",
    )


def _damaged(codes: FaultCodes, why: str, doing: str) -> Fault:
    return Fault(
        codes.damaged,
        f"cannot {doing}: the file is damaged ({why})",
        fix=f"stop trading and restore the {codes.name} from a backup",
    )


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
