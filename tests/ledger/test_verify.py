"""Verifying finds every changed byte, names the first bad event, and accuses no whole journal."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from ledger.journal_schema import EVENTS_ROOT
from ledger.sqlite_btree import Trees
from ledger.sqlite_image import PAGE_SIZE, read_image
from ledger.sqlite_journal import open_journal
from ledger.verify import FirstBad, Verification, verify_journal
from ledger.witness import witness_path
from tests.conftest import Proof
from tests.ledger.journals import drill, flipped, judged, lengths, spread, tamper, write, write_small
from tests.when_to_invest.samples import one_of_each
from when_to_invest.errors import EXIT_UNUSABLE, ErrorCode, Fault

HEADER_SIZE = 100


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def _with(path: Path, content: bytes) -> Verification:
    path.write_bytes(content)
    return verify_journal(path)


def _first_bad(verification: Verification) -> FirstBad:
    assert not verification.ok
    assert verification.first_bad is not None
    return verification.first_bad


def test_a_whole_journal_verifies(path: Path) -> None:
    write_small(path)
    with closing(open_journal(path, is_read_only=True)) as journal:
        head = journal.head()
    assert verify_journal(path) == Verification(True, head.sequence, head, None, is_tail_witnessed=True)


def test_an_empty_journal_verifies(path: Path) -> None:
    assert verify_journal(write(path)).ok


def test_a_journal_in_use_verifies_at_every_moment(path: Path) -> None:
    with closing(open_journal(path)) as journal:
        for number in range(1, 40):
            journal.append([drill(number), judged(100 * number)])
            verification = verify_journal(path)
            assert (verification.ok, verification.head) == (True, journal.head())


def test_verifying_changes_no_file(path: Path) -> None:
    with closing(open_journal(path)) as journal:
        journal.append([drill(1)])
        before = {each: each.read_bytes() for each in path.parent.iterdir()}
        verify_journal(path)
        assert {each: each.read_bytes() for each in path.parent.iterdir()} == before


@pytest.mark.proof
def test_journals_of_any_shape_are_accused_of_nothing(path: Path, proof: Proof) -> None:
    """Many sizes and commits, and enough of them that pages of pointers split and move."""
    for seed in proof.seeds(ci=1, full=40):
        events = [judged(length) for length in lengths(seed, 6_000)]
        grown = path.with_name(f"{seed}.sqlite")
        with closing(open_journal(grown)) as journal:
            for start in range(0, len(events), 97):
                journal.append(events[start : start + 97])
            while_open = verify_journal(grown)
        assert while_open.ok, while_open
        assert verify_journal(grown) == while_open


@pytest.mark.proof
def test_every_flipped_bit_of_the_file_is_found(path: Path, proof: Proof) -> None:
    content = write_small(path).read_bytes()
    total = 8 * len(content)
    places = {spread(seed, total) for seed in proof.seeds(ci=800, full=total)}
    places |= {8 * offset for offset in range(HEADER_SIZE)}
    places |= {
        8 * (start + offset) + 1 for start in range(0, len(content), PAGE_SIZE) for offset in range(12)
    }
    missed = [place for place in places if _with(path, flipped(content, place)).ok]
    assert missed == []


@pytest.mark.proof
def test_a_flip_in_any_stored_column_names_its_event(path: Path, proof: Proof) -> None:
    content = write(path, one_of_each()).read_bytes()
    columns = [
        (row.rowid, 8 * (content.index(column) + offset))
        for row in Trees(read_image(path)).rows(EVENTS_ROOT)
        for column in row.columns
        # The hash of one event is the predecessor of the next: only the first is found here.
        if isinstance(column, bytes) and content.count(column) == 1
        for offset in range(len(column))
    ]
    assert len({sequence for sequence, _ in columns}) == len(one_of_each())
    for seed in proof.seeds(ci=600, full=len(columns)):
        sequence, place = columns[spread(seed, len(columns))]
        bad = _first_bad(_with(path, flipped(content, place + seed % 8)))
        assert bad.sequence == sequence


@pytest.mark.proof
def test_a_flip_in_the_write_ahead_log_is_found(path: Path, tmp_path: Path, proof: Proof) -> None:
    """What the log alone holds is events; a copy whose log is damaged has lost some."""
    write(path, [drill(1)])
    copy = tmp_path / "copy.sqlite"
    with closing(open_journal(path)) as journal:
        for number in range(2, 6):
            journal.append([drill(number)])
        for suffix in ("", "-wal", ".head"):
            shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
    assert verify_journal(copy).ok
    log = Path(f"{copy}-wal")
    content = log.read_bytes()
    for seed in proof.seeds(ci=300, full=8 * len(content)):
        log.write_bytes(flipped(content, spread(seed, 8 * len(content))))
        assert not verify_journal(copy).ok


@pytest.mark.parametrize("position", range(0, 103, 5))
def test_a_flip_in_the_witness_is_found(path: Path, position: int) -> None:
    witness = witness_path(write_small(path))
    witness.write_bytes(flipped(witness.read_bytes(), 8 * position))
    assert "damaged" in _first_bad(verify_journal(path)).why


def test_a_cut_tail_names_the_first_missing_event(path: Path) -> None:
    write(path, [drill(1)])
    older = path.read_bytes()
    write(path, [drill(2), drill(3)])
    assert _first_bad(_with(path, older)).sequence == 2


def test_a_cut_tail_is_found_without_a_witness(path: Path) -> None:
    write(path, [drill(1), drill(2)])
    witness_path(path).unlink()
    tamper(path, "DELETE FROM events WHERE sequence = 2")
    verification = verify_journal(path)
    assert not verification.ok
    assert not verification.is_tail_witnessed


def test_a_rewritten_history_contradicts_the_witness(path: Path, tmp_path: Path) -> None:
    write(path, [drill(1)])
    other = write(tmp_path / "other.sqlite", [drill(2)]).read_bytes()
    assert _first_bad(_with(path, other)) == FirstBad(1, "the witness saw another event in its place")


@pytest.mark.parametrize("length", [0, 1, 50, 4_095, 4_096, 8_192, 20_000])
def test_a_file_cut_short_is_found(path: Path, length: int) -> None:
    content = write_small(path).read_bytes()
    assert not _with(path, content[:length]).ok


def test_bytes_behind_the_last_page_are_found(path: Path) -> None:
    content = write_small(path).read_bytes()
    assert not _with(path, content + b"x").ok
    assert not _with(path, content + bytes(PAGE_SIZE)).ok


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE more (x)",
        "CREATE INDEX fast ON events (hash)",
        "INSERT INTO writers VALUES (1, 2)",
        "PRAGMA user_version = 7",
    ],
)
def test_a_file_with_more_in_it_than_a_journal_is_found(path: Path, statement: str) -> None:
    write_small(path)
    tamper(path, statement)
    assert _first_bad(verify_journal(path)).sequence is None


def test_without_a_journal_there_is_nothing_to_verify(path: Path) -> None:
    with pytest.raises(Fault) as caught:
        verify_journal(path)
    assert caught.value.code is ErrorCode.JOURNAL_UNREADABLE
    assert caught.value.exit_status == EXIT_UNUSABLE


@pytest.mark.parametrize("content", [b"", b"dear diary\n" * 1_000])
def test_a_file_that_never_was_a_journal_is_unreadable(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(Fault) as caught:
        verify_journal(path)
    assert caught.value.code is ErrorCode.JOURNAL_UNREADABLE
