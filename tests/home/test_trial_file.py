"""The trial ledger on disk: appended, deduplicated, and damaged only noticeably."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from home.trial_file import read_trials, record_trials
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.trials import TrialRun, Tried

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2018, 1, 1, tzinfo=UTC)


def tried(number: int) -> Tried:
    return Tried("overlay", "SPX", f"{number:064x}", 0.01 * number, 1_000)


def test_a_home_without_trials_has_an_empty_ledger(tmp_path: Path) -> None:
    assert read_trials(tmp_path / "trials.jsonl").trials == ()


def test_what_was_recorded_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "trials.jsonl"
    record_trials(path, [tried(1), tried(2)], at=NOW)
    grown = record_trials(path, [tried(3)], at=NOW)
    assert read_trials(path) == grown
    assert [trial.sharpe_per_bar for trial in grown.trials] == [0.01, 0.02, 0.03]


def test_trying_the_same_again_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    record_trials(path, [tried(1), tried(1)], at=NOW)
    before = path.read_bytes()
    record_trials(path, [tried(1)], at=NOW)
    assert path.read_bytes() == before
    assert before.count(b"\n") == 1


@pytest.mark.parametrize("damage", ["changed", "removed", "cut", "unfinished", "not utf-8"])
def test_a_damaged_ledger_is_noticed_before_it_grows(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "trials.jsonl"
    record_trials(path, [tried(number) for number in range(3)], at=NOW)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(
        {
            "changed": b"".join(lines).replace(b'"sharpe_per_bar":0.01', b'"sharpe_per_bar":0.00'),
            "removed": lines[0] + lines[2],
            "cut": b"".join(lines)[:-20],
            "unfinished": b"".join(lines)[:-1],
            "not utf-8": b"".join(lines) + b"\xff\n",
        }[damage]
    )
    before = path.read_bytes()
    for use in (lambda: read_trials(path), lambda: record_trials(path, [tried(9)], at=NOW)):
        with pytest.raises(Fault) as caught:
            use()
        assert caught.value.code is ErrorCode.CORRUPT_DATA
    assert path.read_bytes() == before


def test_a_place_that_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(Fault) as caught:
        read_trials(tmp_path)
    assert caught.value.code is ErrorCode.STORAGE_FAILED


def test_a_ledger_from_before_runs_were_kept_still_grows(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    record_trials(path, [tried(1)], at=NOW)
    assert b'"run"' not in path.read_bytes()
    run = TrialRun(
        strategy="trend_vol",
        parameters={"slow": "200"},
        start="2004-01-02",
        end="2018-12-31",
        data_hash="0" * 64,
        code_version="1" * 64,
    )
    record_trials(path, [replace(tried(2), run=run)], at=NOW)
    assert [trial.run for trial in read_trials(path).trials] == [None, run]


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from home.trial_file import record_trials
from when_to_invest.honesty.trials import TrialRun, Tried
for number in range(20):
    known = f"{number if number % 2 else number + 100 * int(sys.argv[2]):064x}"
    trial = Tried("overlay", "SPX", known, 0.1, 100)
    record_trials(Path(sys.argv[1]), [trial], at=datetime(2018, 1, 1, tzinfo=UTC))
"""


def test_processes_that_write_at_once_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)], cwd=ROOT)
        for number in range(1, 4)
    ]
    assert [each.wait() for each in writers] == [0, 0, 0]
    assert len(read_trials(path).trials) == 10 + 3 * 10
