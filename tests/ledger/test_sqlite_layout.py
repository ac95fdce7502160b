"""A file's layout is asked for before and after it is moved, and what is strange in it is named."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger import journal_schema as schema
from ledger import sqlite_migrations
from ledger.journal import EMPTY
from ledger.sqlite_layout import demand_catalogue, demand_layout, known_layout
from ledger.sqlite_migrations import bring_file_up_to_date
from ledger.verify import FirstBad, Verification
from tests.ledger.earlier import one_more, write_version_1
from tests.ledger.journals import drill, write
from when_to_invest.errors import ErrorCode, Fault

WHOLE = Verification(True, 1, EMPTY, None, True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def old(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a journal of the version before this one."""
    write_version_1(path, [drill(1)])
    monkeypatch.setattr(schema, "MIGRATIONS", one_more())
    return path


def says(monkeypatch: pytest.MonkeyPatch, *answers: Verification) -> None:
    """Let checking the file say this and that, whatever it holds."""
    told: Iterator[Verification] = iter(answers)
    monkeypatch.setattr(sqlite_migrations, "verify_journal", lambda _: next(told))


def number_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_the_layout_that_was_demanded_is_told(path: Path) -> None:
    write(path, [drill(1)])
    with closing(sqlite3.connect(path)) as connection:
        assert demand_layout(connection) == known_layout(connection) == schema.latest()


def test_a_file_of_another_kind_has_no_layout_whatever_its_number(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 7")
        connection.execute("PRAGMA user_version = 1")
        with pytest.raises(Fault, match="of kind 0x7, not a journal's 0x5754494a") as caught:
            known_layout(connection)
    assert caught.value.code is ErrorCode.JOURNAL_UNREADABLE


def test_what_is_strange_in_a_catalogue_is_named_with_its_type(path: Path) -> None:
    write(path, [drill(1)])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER events_stay")
        connection.execute("CREATE TABLE zoo (animal TEXT)")
        with pytest.raises(Fault, match=r"^the table zoo of the journal") as caught:
            demand_catalogue(connection, schema.latest())
        assert caught.value.code is ErrorCode.JOURNAL_CORRUPT
        connection.execute("DROP TABLE zoo")
        with pytest.raises(Fault, match=r"^the trigger events_stay of the journal"):
            demand_catalogue(connection, schema.latest())


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (FirstBad(None, "its header"), "^the journal does not check: its header"),
        (FirstBad(7, "its hash"), "^event 7 of the journal does not check: its hash"),
    ],
)
@pytest.mark.parametrize("good", [0, 1])
def test_what_does_not_check_before_or_after_is_told(
    old: Path, monkeypatch: pytest.MonkeyPatch, bad: FirstBad, told: str, good: int
) -> None:
    says(monkeypatch, *[WHOLE] * good, Verification(False, 1, EMPTY, bad, True))
    with pytest.raises(Fault, match=told) as caught:
        bring_file_up_to_date(old)
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT


def test_a_catalogue_that_is_not_that_of_its_number_is_not_built_on(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("CREATE TABLE events_by_kind (kind TEXT)")
    says(monkeypatch, WHOLE, WHOLE)
    with pytest.raises(Fault, match="the table events_by_kind of the journal") as caught:
        bring_file_up_to_date(old)
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT
    assert number_of(old) == 1


def test_a_step_that_did_not_do_what_it_says_is_undone(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_migrations, "_add", lambda *_: None)
    with pytest.raises(Fault) as caught:
        bring_file_up_to_date(old)
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT
    assert number_of(old) == 1


def test_who_migrates_is_among_those_who_wrote_and_who_changes_nothing_is_not(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined: list[sqlite3.Connection] = []
    monkeypatch.setattr(sqlite_migrations, "join_writers", joined.append)
    bring_file_up_to_date(old)
    assert len(joined) == 1
    bring_file_up_to_date(old)
    assert len(joined) == 1
