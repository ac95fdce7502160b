"""A journal moves forward whole or not at all, keeps every event, and verifies to the byte on both sides."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ledger import journal_schema as schema
from ledger import sqlite_files
from ledger.journal import Head
from ledger.sqlite_image import PAGE_SIZE
from ledger.sqlite_journal import open_journal
from ledger.sqlite_migrations import bring_file_up_to_date
from ledger.verify import verify_journal
from ledger.witness import read_witness, witness_path
from tests.conftest import Proof
from tests.ledger.earlier import VERSION_1, one_more, write_version_1
from tests.ledger.journals import drill, flipped, judged, lengths, spread, tamper, write, write_small
from tests.when_to_invest.samples import one_of_each
from when_to_invest.errors import EXIT_UNUSABLE, ErrorCode, Fault

ROOT = Path(__file__).resolve().parents[2]
INDEX_LEAF, INDEX_INTERIOR = 0x0A, 0x02


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch) -> int:
    """Be the version after this one, with two indexes more; return its migration's number."""
    monkeypatch.setattr(schema, "MIGRATIONS", one_more())
    return schema.latest().number


def _fault(call: object, *arguments: object, **named: object) -> Fault:
    with pytest.raises(Fault) as caught:
        call(*arguments, **named)  # type: ignore[operator]
    return caught.value


def _is_whole(path: Path, head: Head) -> bool:
    checked = verify_journal(path)
    return (checked.ok, checked.head, read_witness(path)) == (True, head, head)


def test_the_first_layout_is_what_it_always_was() -> None:
    first = schema.layout_of(1)
    assert first is not None
    assert first.statements == VERSION_1[:-2]
    assert [step.number for step in schema.MIGRATIONS] == list(range(1, len(schema.MIGRATIONS) + 1))


def test_a_journal_of_the_first_version_verifies_and_moves_to_the_newest_layout(path: Path) -> None:
    head = write_version_1(path, one_of_each(), [judged(9_000)], [drill(1), drill(2)])
    assert _is_whole(path, head)
    assert bring_file_up_to_date(path) == schema.latest().number
    assert _is_whole(path, head)
    with closing(open_journal(path)) as journal:
        assert [row.event for row in journal.read()] == [*one_of_each(), judged(9_000), drill(1), drill(2)]
        assert _is_whole(path, journal.append([drill(3)], expected=head))


def test_a_journal_of_the_version_before_opens_only_once_it_was_migrated(
    path: Path, next_version: int
) -> None:
    head = write_version_1(path, one_of_each())
    for is_read_only in (True, False):
        fault = _fault(open_journal, path, is_read_only=is_read_only)
        assert fault.code is ErrorCode.JOURNAL_UNREADABLE
        assert f"at migration 1, this version needs {next_version}" in fault.message
        assert "journal migrate" in fault.fix
    assert _is_whole(path, head)
    assert bring_file_up_to_date(path) == next_version
    with closing(open_journal(path)) as journal:
        assert journal.head() == head
        found = journal._connection.execute(
            "SELECT sequence FROM events_by_kind WHERE kind = ?", (drill(1).kind,)
        ).fetchall()
        expected = [(row.sequence,) for row in journal.read() if row.event.kind == drill(1).kind]
    assert found == expected != []


def test_a_migrated_journal_is_what_a_new_one_would_be(path: Path, tmp_path: Path, next_version: int) -> None:
    head = write_version_1(path, one_of_each(), [drill(1)])
    bring_file_up_to_date(path)
    fresh = write(tmp_path / "fresh.sqlite", one_of_each(), [drill(1)])
    catalogues = []
    for each in (path, fresh):
        assert _is_whole(each, head)
        with closing(sqlite3.connect(each)) as connection:
            rows = connection.execute("SELECT type, name, sql FROM sqlite_schema").fetchall()
            numbers = [
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("user_version", "schema_version", "application_id")
            ]
            catalogues.append((rows, numbers))
    assert catalogues[0] == catalogues[1]
    assert catalogues[0][1][0] == next_version


@pytest.mark.usefixtures("next_version")
def test_what_is_appended_afterwards_is_found_by_the_new_indexes_too(path: Path) -> None:
    write_version_1(path, [drill(1)])
    bring_file_up_to_date(path)
    with closing(open_journal(path)) as journal:
        for number in range(2, 60):
            assert _is_whole(path, journal.append([drill(number), judged(40 * number)]))
        count = journal._connection.execute("SELECT count(*) FROM events_by_kind").fetchone()[0]
        assert count == journal.head().sequence


@pytest.mark.usefixtures("next_version")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM events_by_kind",
        "UPDATE events_by_kind SET sequence = 9",
        "REPLACE INTO events_by_kind SELECT * FROM events_by_kind",
    ],
)
def test_nothing_is_taken_out_of_an_index_through_sql(path: Path, statement: str) -> None:
    with closing(open_journal(path)) as journal:
        journal.append([drill(1)])
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            journal._connection.execute(statement)


@pytest.mark.usefixtures("next_version")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM events_by_kind WHERE sequence = 2",
        "UPDATE events_by_kind SET sequence = 9 WHERE sequence = 2",
        "INSERT INTO events_by_kind VALUES ('intent_proposed', 1)",
        "UPDATE events_by_content SET content = zeroblob(3)",
    ],
)
def test_an_index_that_says_other_than_the_events_is_found(path: Path, statement: str) -> None:
    write_small(path)
    tamper(path, statement)
    checked = verify_journal(path)
    assert checked.first_bad is not None
    assert "header" in checked.first_bad.why or "does not follow from the events" in checked.first_bad.why


@pytest.mark.usefixtures("next_version")
def test_a_changed_entry_is_found_whatever_the_header_says(path: Path) -> None:
    write_small(path)
    content = path.read_bytes()
    place = content.rindex(b"trading_state_changed") - len(b"trading_state_changed")
    for start in (content.find(b"trading_state_changed", at) for at in range(place, len(content), 997)):
        if start >= 0:
            path.write_bytes(flipped(content, 8 * start))
            assert not verify_journal(path).ok


@pytest.mark.proof
@pytest.mark.usefixtures("next_version")
def test_every_flipped_bit_of_a_file_with_indexes_is_found(path: Path, proof: Proof) -> None:
    """But for the unused space of an index's pages: nothing is ever read from there."""
    content = write_small(path).read_bytes()
    used = _used_places(content)
    missed = []
    for seed in proof.seeds(ci=400, full=8 * len(used)):
        place = spread(seed, 8 * len(used))
        path.write_bytes(flipped(content, 8 * used[place // 8] + place % 8))
        if verify_journal(path).ok:
            missed.append(place)
    assert missed == []


@pytest.mark.proof
@pytest.mark.usefixtures("next_version")
def test_journals_of_any_shape_with_indexes_are_accused_of_nothing(path: Path, proof: Proof) -> None:
    """Many sizes and commits: pages of the indexes split, fill unevenly and overflow."""
    for seed in proof.seeds(ci=1, full=30):
        events = [judged(length) if length % 2 else drill(length) for length in lengths(seed, 2_500)]
        grown = path.with_name(f"{seed}.sqlite")
        with closing(open_journal(grown)) as journal:
            for start in range(0, len(events), 61):
                journal.append(events[start : start + 61])
        checked = verify_journal(grown)
        assert checked.ok, checked


def test_migrating_twice_changes_nothing(path: Path) -> None:
    write(path, [drill(1)])
    before = path.read_bytes()
    assert bring_file_up_to_date(path) == schema.latest().number
    assert path.read_bytes() == before


def test_a_journal_of_a_newer_version_is_refused_and_stays_as_it_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(schema, "MIGRATIONS", one_more())
        write(path, [drill(1)])
    before = path.read_bytes()
    for call in (open_journal, bring_file_up_to_date, verify_journal):
        fault = _fault(call, path)
        assert (fault.code, fault.exit_status) == (ErrorCode.JOURNAL_UNREADABLE, EXIT_UNUSABLE)
        assert f"knows {schema.latest().number} and none above" in fault.message
        assert "never taken back" in fault.fix
    assert path.read_bytes() == before


@pytest.mark.usefixtures("next_version")
def test_a_file_of_another_program_is_refused_and_stays_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE something (else_ TEXT)")
    before = path.read_bytes()
    assert _fault(bring_file_up_to_date, path).code in {
        ErrorCode.JOURNAL_UNREADABLE,
        ErrorCode.JOURNAL_CORRUPT,
    }
    assert path.read_bytes() == before


def test_a_home_without_a_journal_gets_none_by_migrating(path: Path) -> None:
    assert _fault(bring_file_up_to_date, path).code is ErrorCode.JOURNAL_UNREADABLE
    assert list(path.parent.iterdir()) == []


@pytest.mark.usefixtures("next_version")
def test_a_damaged_journal_is_not_migrated(path: Path) -> None:
    write_version_1(path, one_of_each(), [drill(1)])
    content = path.read_bytes()
    path.write_bytes(flipped(content, 8 * content.index(b"drill 1")))
    before = path.read_bytes()
    fault = _fault(bring_file_up_to_date, path)
    assert fault.code is ErrorCode.JOURNAL_CORRUPT
    assert f"event {len(one_of_each()) + 1} " in fault.message
    assert path.read_bytes() == before


@pytest.mark.parametrize("trigger", ["events_stay", "events_hold", "head_stays", "head_advances"])
def test_a_journal_without_one_of_its_guards_neither_opens_nor_migrates(path: Path, trigger: str) -> None:
    write(path, [drill(1)])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"DROP TRIGGER {trigger}")
    fault = _fault(open_journal, path)
    assert fault.code is ErrorCode.JOURNAL_CORRUPT
    assert trigger in fault.message
    assert _fault(bring_file_up_to_date, path).code is ErrorCode.JOURNAL_CORRUPT


@pytest.mark.usefixtures("next_version")
def test_a_journal_that_somebody_has_open_is_not_migrated(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = write_version_1(path, [drill(1)])
    monkeypatch.setattr(sqlite_files, "BUSY_TIMEOUT_S", 0.0)
    with closing(sqlite3.connect(path)) as other:
        other.execute("SELECT count(*) FROM events").fetchall()
        fault = _fault(bring_file_up_to_date, path)
        assert (fault.code, fault.is_retryable) == (ErrorCode.JOURNAL_CONFLICT, True)
    assert _is_whole(path, head)
    bring_file_up_to_date(path)
    assert _is_whole(path, head)


@pytest.mark.usefixtures("next_version")
def test_a_disk_that_fills_up_leaves_the_layout_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = write_version_1(path, [judged(3_000) for _ in range(30)])
    connect = sqlite_files.connect

    def cramped(place: Path, *, is_alone: bool) -> sqlite3.Connection:
        connection = connect(place, is_alone=is_alone)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        return connection

    with monkeypatch.context() as full:
        full.setattr(sqlite_files, "connect", cramped)
        assert _fault(bring_file_up_to_date, path).code is ErrorCode.STORAGE_FAILED
    assert _is_whole(path, head)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


@pytest.mark.proof
def test_a_killed_migration_leaves_a_whole_journal_that_can_be_migrated(
    path: Path, tmp_path: Path, proof: Proof, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 400
    head = write_version_1(path, [judged(length) for length in lengths(3, count)])
    for seed in proof.seeds(ci=3, full=60):
        (directory := tmp_path / str(seed)).mkdir()
        copy = directory / path.name
        for source, target in ((path, copy), (witness_path(path), witness_path(copy))):
            shutil.copy(source, target)
        last = str(1 + spread(seed + 1, count))
        command = [sys.executable, "-m", "tests.ledger.migrating", str(copy), last]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=60)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert _is_whole(copy, head)
        with monkeypatch.context() as later:
            later.setattr(schema, "MIGRATIONS", one_more())
            assert bring_file_up_to_date(copy) == schema.latest().number
            assert _is_whole(copy, head)


def _used_places(content: bytes) -> list[int]:
    """Return the file's offsets but for the unused space between an index page's pointers and cells."""
    used: list[int] = []
    for start in range(0, len(content), PAGE_SIZE):
        kind, _, count, cells_from = struct.unpack_from(">BHHH", content, start)
        header = {INDEX_LEAF: 8, INDEX_INTERIOR: 12}.get(kind)
        blank = range(header + 2 * count, cells_from) if header is not None else range(0)
        used += [start + offset for offset in range(PAGE_SIZE) if offset not in blank]
    return used
