"""A turn at writing: nobody comes between what is read and what is appended, and all of it stands or none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.journal import EMPTY
from ledger.sqlite_journal import SqliteJournal, open_journal
from ledger.verify import verify_journal
from ledger.witness import read_witness
from tests.when_to_invest.samples import funded
from when_to_invest.errors import ErrorCode, Fault


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    with closing(open_journal(path)) as opened:
        yield opened


def test_nobody_else_writes_during_a_turn_and_everybody_after_it(path: Path, journal: SqliteJournal) -> None:
    with closing(open_journal(path)) as other:
        other._connection.execute("PRAGMA busy_timeout = 0")
        with journal.turn():
            head = journal.append([funded()])
            with pytest.raises(Fault) as caught:
                other.append([funded()])
            assert other.head() == EMPTY
        assert caught.value.code is ErrorCode.JOURNAL_CONFLICT
        assert other.head() == head == read_witness(path)
        assert other.append([funded()]).sequence == 2


def test_a_turn_that_fails_leaves_nothing(path: Path, journal: SqliteJournal) -> None:
    before = journal.append([funded()])

    def fail() -> None:
        with journal.turn():
            journal.append([funded(), funded()])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert journal.head() == before == read_witness(path)
    assert verify_journal(path).ok
    assert journal.append([funded()]).sequence == before.sequence + 1


def test_an_append_that_breaks_off_half_way_undoes_the_turn_whoever_catches_it(
    path: Path, journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = journal.append([funded()])

    def breaks(_: object) -> bytes:
        raise Fault(ErrorCode.STORAGE_FAILED, "half-way", fix="try again")

    def catching() -> None:
        with journal.turn():
            journal.append([funded()])
            monkeypatch.setattr("ledger.sqlite_journal.head_record", breaks)
            with pytest.raises(Fault, match="half-way"):
                journal.append([funded()])
            monkeypatch.undo()

    with pytest.raises(Fault, match="undid") as caught:
        catching()
    assert caught.value.code is ErrorCode.STORAGE_FAILED
    assert journal.head() == before == read_witness(path)
    assert verify_journal(path).ok
    assert journal.append([funded()]).sequence == before.sequence + 1


def test_a_refused_append_that_is_caught_leaves_the_turn_as_it_is(journal: SqliteJournal) -> None:
    with journal.turn():
        first = journal.append([funded()])
        with pytest.raises(Fault):
            journal.append([funded()], expected=EMPTY)
        assert journal.append([funded()], expected=first).sequence == 2
    assert journal.head().sequence == 2


def test_nothing_is_appended_in_a_turn_that_the_database_gave_up_by_itself(
    path: Path, journal: SqliteJournal
) -> None:
    before = journal.append([funded()])

    def going_on() -> None:
        with journal.turn():
            # What SQLite does when a read fails on the disk, or memory or space run out.
            journal._connection.execute("ROLLBACK")
            with pytest.raises(Fault):
                journal.append([funded()])

    with pytest.raises(Fault) as caught:
        going_on()
    assert caught.value.code is ErrorCode.STORAGE_FAILED
    assert journal.head() == before
    assert journal.append([funded()]).sequence == before.sequence + 1


def test_a_turn_in_which_nothing_is_appended_changes_nothing(journal: SqliteJournal) -> None:
    before = journal.append([funded()])
    with journal.turn(), journal.turn():
        assert journal.head() == before
    assert journal.head() == before


def test_a_turn_is_seen_only_when_it_has_ended(path: Path, journal: SqliteJournal) -> None:
    with closing(open_journal(path)) as other:
        with journal.turn():
            journal.append([funded()])
            second = journal.append([funded()])
            assert [*other.read()] == []
            assert read_witness(path) == EMPTY
        assert [recorded.sequence for recorded in other.read()] == [1, 2]
        assert read_witness(path) == second


def test_threads_of_one_process_take_turns_too(journal: SqliteJournal) -> None:
    inside, ends = threading.Event(), []

    def one() -> None:
        inside.wait(20)
        ends.append(journal.append([funded()]).sequence)

    thread = threading.Thread(target=one)
    thread.start()
    with journal.turn():
        inside.set()
        ends.append(journal.append([funded()]).sequence)
    thread.join()
    assert ends == [1, 2]


def test_a_journal_that_is_only_read_gives_no_turn(path: Path, journal: SqliteJournal) -> None:
    journal.append([funded()])
    with closing(open_journal(path, is_read_only=True)) as reader:
        turn = reader.turn()
        with pytest.raises(Fault) as caught:
            turn.__enter__()
    assert caught.value.code is ErrorCode.STORAGE_FAILED
