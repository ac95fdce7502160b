"""`sweep` as scripts and people meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.main import main
from cli.runner_options import Place as Shown
from compute.runner import Place
from home.trial_file import read_trials

KEYS = {
    "strategy", "instrument", "start", "end", "n", "configurations", "impossible", "trials", "hurdle_sharpe",
    "pbo", "buy_and_hold_sharpe", "is_beyond_luck", "verdict", "best",
}  # fmt: skip
ASKED = ("sweep", "trend_vol", "SPX", "--grid", "slow=100:250:50", "--from", "2015-01-01", "--best", "2")


def test_the_answer_holds_what_picking_the_best_was_worth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*ASKED, "--home", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == KEYS
    assert told["trials"] == told["configurations"] == len(read_trials(tmp_path / "trials.jsonl").trials) == 4
    assert len(told["best"]) == 2
    assert {"deflated_sharpe", "ci90", "parameters"} <= set(told["best"][0])
    assert told["pbo"]["splits"] == 12_870


def test_people_read_the_verdict_before_the_configurations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*ASKED, "--home", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert shown.index("luck") < shown.index("slow=")
    assert "trials" in shown
    assert "PBO" in shown


@pytest.mark.parametrize(
    "wrong",
    [("--grid", "slow=x"), ("--grid", "speed=1"), ("--runner", "dask"), ("--workers", "-1")],
    ids=" ".join,
)
def test_what_cannot_be_swept_says_why(
    wrong: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*ASKED, *wrong, "--home", str(tmp_path), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "bad_argument"


def test_the_command_line_and_the_runners_know_the_same_places() -> None:
    assert [each.value for each in Shown] == [each.value for each in Place]
