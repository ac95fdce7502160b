"""The witness only moves forward, and a damaged one is not taken for none."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.journal import Head
from ledger.witness import Witness, read_witness, witness_path
from when_to_invest.errors import ErrorCode, Fault

FIRST = Head(1, "aa" * 32)
SECOND = Head(2, "bb" * 32)


def test_without_a_file_nothing_was_witnessed(tmp_path: Path) -> None:
    assert read_witness(tmp_path / "journal.sqlite") is None


def test_what_was_seen_is_remembered_by_the_next_process(tmp_path: Path) -> None:
    with Witness(tmp_path / "journal.sqlite") as witness:
        witness.saw(FIRST)
        witness.saw(SECOND)
    assert read_witness(tmp_path / "journal.sqlite") == SECOND


def test_a_process_that_lags_behind_takes_nothing_back(tmp_path: Path) -> None:
    with Witness(tmp_path / "journal.sqlite") as fast, Witness(tmp_path / "journal.sqlite") as slow:
        fast.saw(SECOND)
        slow.saw(FIRST)
    assert read_witness(tmp_path / "journal.sqlite") == SECOND


@pytest.mark.parametrize("position", range(0, 103, 3))
def test_a_damaged_witness_is_a_fault(tmp_path: Path, position: int) -> None:
    journal = tmp_path / "journal.sqlite"
    with Witness(journal) as witness:
        witness.saw(SECOND)
    content = bytearray(witness_path(journal).read_bytes())
    content[position] ^= 1
    witness_path(journal).write_bytes(content)
    with pytest.raises(Fault) as caught:
        read_witness(journal)
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT


def test_a_disk_that_fails_under_the_witness_stops_nobody(tmp_path: Path) -> None:
    witness = Witness(tmp_path / "journal.sqlite")
    witness.saw(FIRST)
    witness._file.close()
    witness._file = (tmp_path / "journal.sqlite.head").open("rb", buffering=0)  # type: ignore[assignment]
    witness.saw(SECOND)
    witness.close()
    assert read_witness(tmp_path / "journal.sqlite") == FIRST
