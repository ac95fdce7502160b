"""The embedded journal: append-only, chained, durable, and plain about what it cannot do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from ledger.journal import EMPTY, GENESIS, Head
from ledger.sqlite_journal import SqliteJournal, open_journal
from ledger.witness import read_witness, witness_path
from tests.ledger.journals import drill, tamper, write, write_small
from tests.when_to_invest.samples import one_of_each
from when_to_invest.canonical import digest
from when_to_invest.errors import ErrorCode, Fault


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    with closing(open_journal(path)) as opened:
        yield opened


def _code(call: object, *arguments: object, **named: object) -> ErrorCode:
    with pytest.raises(Fault) as caught:
        call(*arguments, **named)  # type: ignore[operator]
    return caught.value.code


def test_a_new_journal_is_empty(journal: SqliteJournal) -> None:
    assert journal.head() == EMPTY == Head(0, GENESIS)
    assert list(journal.read()) == []


def test_every_kind_of_event_comes_back_as_it_was(journal: SqliteJournal) -> None:
    journal.append(one_of_each())
    assert [recorded.event for recorded in journal.read()] == one_of_each()


def test_whoever_appended_last_reads_its_own_events_and_everybody_reads_the_same(
    journal: SqliteJournal, path: Path
) -> None:
    earlier, last = [drill(1), drill(2)], [drill(number) for number in range(3, 603)]
    journal.append(earlier)
    journal.append(last)
    read = list(journal.read())
    with closing(open_journal(path, is_read_only=True)) as other:
        assert list(other.read()) == read
    assert [one.event for one in read] == [*earlier, *last]
    own = [one.event is event for one, event in zip(read, [*earlier, *last], strict=True)]
    assert own == [False] * 90 + [True] * 512


def test_each_hash_covers_place_predecessor_and_event(journal: SqliteJournal) -> None:
    journal.append(one_of_each())
    previous = GENESIS
    for place, recorded in enumerate(journal.read(), start=1):
        event = recorded.event.model_dump(mode="json")
        assert recorded.sequence == place
        assert recorded.previous_hash == previous
        assert recorded.hash == digest({"sequence": place, "previous_hash": previous, "event": event})
        previous = recorded.hash
    assert journal.head().hash == previous


def test_reading_after_an_event_gives_what_follows(journal: SqliteJournal) -> None:
    journal.append([drill(number) for number in range(1, 1_204)])
    assert [recorded.sequence for recorded in journal.read(after=1_200)] == [1_201, 1_202, 1_203]
    assert list(journal.read(after=1_203)) == []


def test_appending_nothing_changes_nothing(journal: SqliteJournal) -> None:
    head = journal.append([drill(1)])
    assert journal.append([]) == head == journal.head()


def test_an_append_that_expects_another_head_records_nothing(journal: SqliteJournal) -> None:
    head = journal.append([drill(1)])
    assert _code(journal.append, [drill(2)], expected=EMPTY) is ErrorCode.JOURNAL_CONFLICT
    assert journal.head() == head
    assert journal.append([drill(2)], expected=head).sequence == 2


def test_two_processes_that_expect_the_same_head_cannot_both_append(path: Path) -> None:
    with closing(open_journal(path)) as ours, closing(open_journal(path)) as theirs:
        seen = ours.head()
        theirs.append([drill(1)], expected=seen)
        assert _code(ours.append, [drill(2)], expected=seen) is ErrorCode.JOURNAL_CONFLICT
        assert [recorded.event for recorded in ours.read()] == [drill(1)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET event = zeroblob(3) WHERE sequence = 1",
        "DELETE FROM events WHERE sequence = 1",
        "REPLACE INTO events SELECT * FROM events WHERE sequence = 1",
        "UPDATE head SET record = zeroblob(40)",
        "UPDATE head SET id = 1",
        "DELETE FROM head",
    ],
)
def test_what_was_recorded_cannot_be_changed_through_sql(journal: SqliteJournal, statement: str) -> None:
    journal.append([drill(1), drill(2)])
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        journal._connection.execute(statement)
    assert [recorded.event for recorded in journal.read()] == [drill(1), drill(2)]


@pytest.mark.parametrize(
    ("statement", "sequence"),
    [
        (
            "UPDATE events SET event = CAST(replace(event, 'drill 2', 'drill 9') AS BLOB) WHERE sequence = 2",
            2,
        ),
        ("UPDATE events SET hash = zeroblob(32) WHERE sequence = 2", 2),
        ("UPDATE events SET previous_hash = zeroblob(32) WHERE sequence = 3", 3),
        ("UPDATE events SET event = CAST(event AS TEXT) WHERE sequence = 2", 2),
        ("DELETE FROM events WHERE sequence = 2", 2),
        ("DELETE FROM events WHERE sequence = 3", 3),
        ("UPDATE events SET sequence = 9 WHERE sequence = 3", 3),
    ],
)
def test_a_broken_chain_is_never_read_past(path: Path, statement: str, sequence: int) -> None:
    write(path, [drill(1), drill(2), drill(3)])
    witness_path(path).unlink()
    tamper(path, statement)
    good = []
    with (
        closing(open_journal(path, is_read_only=True)) as journal,
        pytest.raises(Fault, match=f"event {sequence} ") as caught,
    ):
        good.extend(journal.read())
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT
    assert [recorded.sequence for recorded in good] == list(range(1, sequence))


def test_nothing_is_appended_behind_a_cut_tail(path: Path) -> None:
    write(path, [drill(1), drill(2)])
    witness_path(path).unlink()
    tamper(path, "DELETE FROM events WHERE sequence = 2")
    with closing(open_journal(path)) as journal:
        assert _code(journal.append, [drill(3)]) is ErrorCode.JOURNAL_CORRUPT


@pytest.mark.parametrize("statement", ["DELETE FROM head", "UPDATE head SET record = zeroblob(3)"])
def test_a_damaged_head_record_stops_reading_and_appending(path: Path, statement: str) -> None:
    write(path, [drill(1)])
    with closing(open_journal(path)) as journal:
        tamper(path, statement)
        assert _code(journal.head) is ErrorCode.JOURNAL_CORRUPT
        assert _code(lambda: list(journal.read())) is ErrorCode.JOURNAL_CORRUPT
        assert _code(journal.append, [drill(2)]) is ErrorCode.JOURNAL_CORRUPT


def test_threads_that_share_a_journal_make_one_chain(journal: SqliteJournal, path: Path) -> None:
    def append(number: int) -> None:
        for _ in range(20):
            journal.append([drill(number)])

    threads = [Thread(target=append, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(1 for _ in journal.read()) == 80
    assert read_witness(path) == journal.head()


def test_an_older_copy_of_the_journal_does_not_open(path: Path) -> None:
    write(path, [drill(1)])
    older = path.read_bytes()
    write(path, [drill(2)])
    path.write_bytes(older)
    assert _code(open_journal, path) is ErrorCode.JOURNAL_CORRUPT
    assert _code(open_journal, path, is_read_only=True) is ErrorCode.JOURNAL_CORRUPT


def test_a_lost_write_ahead_log_does_not_open(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    write(path, [drill(1)])
    with closing(open_journal(path)) as journal:
        journal.append([drill(2)])
        copy.write_bytes(path.read_bytes())
        witness_path(copy).write_bytes(witness_path(path).read_bytes())
    assert _code(open_journal, copy) is ErrorCode.JOURNAL_CORRUPT


def test_another_history_of_the_same_length_does_not_open(path: Path, tmp_path: Path) -> None:
    write(path, [drill(1)])
    path.write_bytes(write(tmp_path / "other.sqlite", [drill(2)]).read_bytes())
    assert _code(open_journal, path) is ErrorCode.JOURNAL_CORRUPT


def test_reading_makes_no_journal(path: Path) -> None:
    assert _code(open_journal, path, is_read_only=True) is ErrorCode.JOURNAL_UNREADABLE
    assert list(path.parent.iterdir()) == []


def test_a_journal_opened_for_reading_cannot_be_written(path: Path) -> None:
    write_small(path)
    with closing(open_journal(path, is_read_only=True)) as journal:
        assert _code(journal.append, [drill(1)]) is ErrorCode.STORAGE_FAILED


def test_a_reader_sees_what_a_writer_appends_meanwhile(path: Path) -> None:
    with closing(open_journal(path)) as writer, closing(open_journal(path, is_read_only=True)) as reader:
        writer.append([drill(1)])
        assert reader.head() == writer.head()
        assert [recorded.event for recorded in reader.read()] == [drill(1)]


def test_a_missing_directory_is_a_storage_fault(tmp_path: Path) -> None:
    assert _code(open_journal, tmp_path / "nowhere" / "journal.sqlite") is ErrorCode.STORAGE_FAILED


def test_a_directory_is_no_journal(tmp_path: Path) -> None:
    assert _code(open_journal, tmp_path) is ErrorCode.JOURNAL_UNREADABLE


@pytest.mark.parametrize("is_read_only", [True, False])
def test_a_text_is_no_journal(path: Path, *, is_read_only: bool) -> None:
    path.write_text("dear diary\n" * 1_000)
    assert _code(open_journal, path, is_read_only=is_read_only) is ErrorCode.JOURNAL_UNREADABLE


def test_another_programs_database_is_no_journal(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE something (else_ TEXT)")
    assert _code(open_journal, path) is ErrorCode.JOURNAL_UNREADABLE


def test_a_full_disk_is_a_storage_fault_and_records_nothing(journal: SqliteJournal) -> None:
    head = journal.append([drill(1)])
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")
    assert _code(journal.append, [drill(n) for n in range(100)]) is ErrorCode.STORAGE_FAILED
    assert journal.head() == head
    assert journal.append([drill(2)]).sequence == 2


def test_a_journal_that_stays_locked_is_a_conflict(journal: SqliteJournal, path: Path) -> None:
    journal._connection.execute("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Fault) as caught:
            journal.append([drill(1)])
    assert caught.value.code is ErrorCode.JOURNAL_CONFLICT
    assert caught.value.is_retryable


def test_every_commit_is_synced(journal: SqliteJournal) -> None:
    full = 2
    assert journal._connection.execute("PRAGMA synchronous").fetchone()[0] == full
    assert journal._connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
