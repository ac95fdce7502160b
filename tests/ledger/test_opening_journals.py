"""Opening, reading on and witnessing: where a journal begins, and what a reader leaves untouched."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger import sqlite_journal
from ledger.journal import EMPTY, Head
from ledger.sqlite_journal import open_journal
from ledger.witness import Witness, read_witness, witness_path
from tests.ledger.journals import drill, tamper, write
from when_to_invest.errors import ErrorCode, Fault

GONE = "it is missing though the witness saw it"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "journal.sqlite", [drill(number) for number in range(1, 8)])


def fault_of(call: object, *arguments: object, **named: object) -> Fault:
    with pytest.raises(Fault) as caught:
        call(*arguments, **named)  # type: ignore[operator]
    return caught.value


def test_a_journal_longer_than_one_batch_is_read_whole_and_checked_across_batches(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_journal, "_BATCH", 3)
    with closing(open_journal(path)) as journal:
        assert [recorded.sequence for recorded in journal.read()] == [1, 2, 3, 4, 5, 6, 7]
        assert [recorded.sequence for recorded in journal.read(after=2)] == [3, 4, 5, 6, 7]
    tamper(path, "UPDATE events SET previous_hash = zeroblob(32) WHERE sequence = 4")
    with closing(open_journal(path)) as journal:
        assert "event 4 of the journal" in str(fault_of(list, journal.read()))


def test_reading_on_after_an_event_that_is_not_there_any_more_is_refused(path: Path) -> None:
    with closing(open_journal(path)) as journal:
        said = fault_of(list, journal.read(after=9))
    assert said.code is ErrorCode.JOURNAL_CORRUPT
    assert "event 9 of the journal does not check: the event is missing though it was read before" in str(
        said
    )


def test_an_event_that_was_picked_and_is_gone_is_named(path: Path) -> None:
    with closing(open_journal(path)) as journal:
        assert [recorded.sequence for recorded in journal.pick([2, 5])] == [2, 5]
        assert "event 9 of the journal" in str(fault_of(list, journal.pick([2, 9])))


@pytest.mark.parametrize("is_read_only", [True, False])
def test_a_journal_that_was_witnessed_and_is_gone_is_missed_from_its_first_event_on(
    path: Path,
    is_read_only: bool,  # noqa: FBT001 - a column of the table
) -> None:
    path.unlink()
    for change in (lambda: None, path.touch):
        change()
        said = fault_of(open_journal, path, is_read_only=is_read_only)
        assert said.code is ErrorCode.JOURNAL_CORRUPT
        assert f"event 1 of the journal does not check: {GONE}" in str(said)


def test_a_tail_that_was_witnessed_and_is_gone_is_missed_from_its_first_event_on(path: Path) -> None:
    witness = read_witness(path)
    assert witness is not None
    with closing(Witness(path)) as seen:
        seen.saw(Head(9, "ab" * 32))
    assert f"event 8 of the journal does not check: {GONE}" in str(fault_of(open_journal, path))


def test_where_nothing_was_ever_recorded_a_new_journal_may_begin(tmp_path: Path) -> None:
    path = write(tmp_path / "empty.sqlite")
    assert read_witness(path) == EMPTY
    path.unlink()
    with closing(open_journal(path)) as journal:
        assert journal.head() == EMPTY


def test_one_event_is_enough_to_be_missed(tmp_path: Path) -> None:
    path = write(tmp_path / "short.sqlite", [drill(1)])
    path.unlink()
    assert fault_of(open_journal, path).code is ErrorCode.JOURNAL_CORRUPT


def test_a_blank_file_that_is_only_read_stays_blank(tmp_path: Path) -> None:
    path = tmp_path / "blank.sqlite"
    path.touch()
    assert fault_of(open_journal, path, is_read_only=True).code is ErrorCode.JOURNAL_UNREADABLE
    assert path.read_bytes() == b""


def test_a_reader_makes_no_witness_and_needs_none(path: Path) -> None:
    witness_path(path).unlink()
    with closing(open_journal(path, is_read_only=True)) as journal:
        assert journal.head().sequence == 7
    assert not witness_path(path).exists()


def test_a_witness_that_cannot_be_written_lets_nobody_write(path: Path) -> None:
    witness_path(path).unlink()
    witness_path(path).symlink_to(path.parent / "nowhere" / "far")
    assert fault_of(open_journal, path).code is ErrorCode.STORAGE_FAILED


def test_each_version_of_sqlite_that_writes_is_recorded_once(path: Path) -> None:
    for _ in range(2):
        open_journal(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert len(connection.execute("SELECT * FROM writers").fetchall()) == 1


def test_what_is_stored_in_place_of_a_hash_equals_none(path: Path) -> None:
    tamper(path, "UPDATE events SET hash = 'text' WHERE sequence = 7")
    assert fault_of(open_journal, path).code is ErrorCode.JOURNAL_CORRUPT
    assert fault_of(open_journal, path, is_read_only=True).code is ErrorCode.JOURNAL_CORRUPT


def test_a_witness_is_private_and_remembers_the_furthest_head(path: Path) -> None:
    witness_path(path).unlink()
    with closing(Witness(path)) as witness:
        assert witness_path(path).stat().st_mode & 0o777 == 0o600
        for sequence, name in ((3, "aa"), (2, "bb"), (3, "cc"), (5, "dd")):
            witness.saw(Head(sequence, name * 32))
            if sequence < 5:
                assert read_witness(path) == Head(3, "aa" * 32)
    assert read_witness(path) == Head(5, "dd" * 32)
