"""Verifying says what it found: which event, which part of the file, or that it may not judge."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.journal import EMPTY
from ledger.journal_schema import latest
from ledger.sqlite_image import PAGE_SIZE
from ledger.verify import FirstBad, Verification, verify_journal
from ledger.witness import read_witness, witness_path
from tests.ledger.journals import drill, tamper, write
from when_to_invest.errors import ErrorCode, Fault

NO_JOURNAL = b"dear diary\n" * 1_000
NEWER = f"PRAGMA user_version = {latest().number + 1}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "journal.sqlite", [drill(1), drill(2), drill(3)])


def first_bad(path: Path) -> FirstBad | None:
    return verify_journal(path).first_bad


def test_a_file_that_is_no_database_any_more_is_bad_from_the_first_witnessed_event_on(path: Path) -> None:
    path.write_bytes(NO_JOURNAL)
    bad = FirstBad(1, "the file is no SQLite file any more")
    assert verify_journal(path) == Verification(False, 0, EMPTY, bad, is_tail_witnessed=True)


def test_an_empty_journal_that_is_no_database_any_more_has_lost_no_event(tmp_path: Path) -> None:
    path = write(tmp_path / "empty.sqlite")
    path.write_bytes(NO_JOURNAL)
    assert first_bad(path) == FirstBad(None, "the file is no SQLite file any more")


def change(path: Path, statement: str) -> None:
    """Change the file past its triggers, and hide in its header that they were gone for a moment."""
    with closing(sqlite3.connect(path)) as connection:
        (cookie,) = connection.execute("PRAGMA schema_version").fetchone()
    tamper(path, statement, f"PRAGMA schema_version = {cookie:d}")
    extend(path, f"PRAGMA schema_version = {cookie:d}")


def extend(path: Path, *statements: str) -> None:
    """Change the file as a program may that does not know it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize(
    ("statement", "bad"),
    [
        (
            "UPDATE events SET previous_hash = zeroblob(32) WHERE sequence = 2",
            (2, "it names another predecessor"),
        ),
        (
            "UPDATE events SET hash = zeroblob(32) WHERE sequence = 3",
            (3, "its hash is not that of its content"),
        ),
        ("UPDATE events SET event = 'text' WHERE sequence = 1", (1, "its row has other columns")),
        ("DELETE FROM events WHERE sequence = 2", (2, "event 3 stands in its place")),
        ("DELETE FROM events WHERE sequence = 3", (3, "it is missing though the witness saw it")),
        ("UPDATE head SET record = zeroblob(40)", (None, "the head record does not name the last event")),
        ("INSERT INTO writers VALUES (7, 8)", (None, "the record of writers is damaged")),
        ("PRAGMA user_version = 0", (None, "header: user version is not a journal's")),
        ("CREATE TABLE more (x)", (None, "the file's catalogue is not a journal's")),
    ],
)
def test_the_first_thing_that_does_not_check_is_named(
    path: Path, statement: str, bad: tuple[int | None, str]
) -> None:
    change(path, statement)
    assert first_bad(path) == FirstBad(*bad)


def test_an_event_with_a_column_too_many_is_named(path: Path) -> None:
    tamper(
        path,
        "ALTER TABLE events ADD COLUMN more",
        "INSERT INTO events SELECT 4, hash, hash, event, 1 FROM events WHERE sequence = 3",
    )
    assert first_bad(path) == FirstBad(4, "its row has other columns")


def test_a_journal_that_a_newer_version_extended_is_not_judged(path: Path) -> None:
    extend(path, "CREATE TABLE more (x)", NEWER)
    with pytest.raises(Fault) as caught:
        verify_journal(path)
    assert caught.value.code is ErrorCode.JOURNAL_UNREADABLE


def test_a_newer_number_on_what_this_version_wrote_is_a_damaged_number(path: Path) -> None:
    extend(path, NEWER)
    assert not verify_journal(path).ok
    extend(path, "CREATE TABLE more (x)", f"PRAGMA user_version = {latest().number}")
    assert not verify_journal(path).ok


def test_a_newer_number_over_a_catalogue_that_cannot_be_read_is_damage_too(path: Path) -> None:
    extend(path, NEWER)
    content = bytearray(path.read_bytes())
    content[100:PAGE_SIZE] = bytes(PAGE_SIZE - 100)
    path.write_bytes(bytes(content))
    assert not verify_journal(path).ok


def test_a_witness_that_cannot_be_read_is_no_reason_to_do_without(path: Path) -> None:
    witness_path(path).unlink()
    witness_path(path).mkdir()
    for read in (verify_journal, read_witness):
        with pytest.raises(Fault) as caught:
            read(path)
        assert caught.value.code is ErrorCode.JOURNAL_UNREADABLE
