"""`evaluate` and `scorecard` as scripts and people meet them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from home.trial_file import read_trials
from when_to_invest.backtest.named import SIZINGS


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def run(capsys: pytest.CaptureFixture[str], home: Path, *arguments: str) -> tuple[int, str, str]:
    status = main([*arguments, "--home", str(home)])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def answer(capsys: pytest.CaptureFixture[str], home: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    status, out, _ = run(capsys, home, *arguments, "--json")
    return status, json.loads(out)


def test_months_are_evaluated_with_stable_keys(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, found = answer(capsys, home, "evaluate", "USMKT", "--start", "1930-01-01", "--end", "2017-12-31")
    assert status == 0
    assert (found["instrument"], found["start"], found["end"]) == ("USMKT", "1930-01-01", "2017-12-31")
    assert found["variance"] == {"qlike_skill_mean": None, "qlike_vs_ewma": None}
    assert found["deployment"]["n"] == 1056
    assert found["notes"]


def test_every_evaluation_is_a_trial_of_the_sizing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("evaluate", "USMKT", "--start", "1990-01-01")
    first, again = (answer(capsys, home, *asked)[1]["overlay"] for _ in range(2))
    assert first == again
    assert first["trials"] == SIZINGS + 1
    other = answer(capsys, home, "evaluate", "USMKT", "--start", "1995-01-01")[1]["overlay"]
    assert other["trials"] == SIZINGS + 2
    (trial, _) = read_trials(home / "trials.jsonl").trials
    assert trial.run is not None
    assert (trial.family, trial.run.start, trial.bars) == ("overlay", "1990-01-01", first["n"])


def test_people_see_what_is_promised_and_what_was_lost(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(capsys, home, "evaluate", "USMKT")
    assert status == 0
    assert "promised" in out
    assert "lost" in out
    assert not err


def test_a_report_is_written_where_it_was_asked_for(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "us.html"
    status, _, _ = run(capsys, home, "evaluate", "USMKT", "--report", str(page))
    assert status == 0
    assert page.read_text(encoding="utf-8").count("data:image/png;base64,") == 2


def test_a_recommendation_is_plotted(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "spx.png"
    status, _ = answer(capsys, home, "recommend", "SPX", "--as-of", "2018-02-08", "--plot", str(picture))
    assert status == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "USMKT", "--start", "soon"),
        ("evaluate", "USMKT", "--end", "2017-13-01"),
        ("evaluate", "USMKT", "--start", "2030-01-01"),
        ("evaluate", "SPX", "--start", "2010-01-01", "--end", "2009-01-01"),
        ("evaluate", "SPX", "--end", "1990-01-01"),
        ("evaluate", "USMKT", "--report", "report.pdf"),
        ("recommend", "SPX", "--plot", "nowhere/spx.png"),
        ("scorecard", "--as-of", "soon"),
    ],
)
def test_an_unusable_argument_gets_one_clear_error(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    status, found = answer(capsys, home, *arguments)
    assert status == 2
    assert found["error"]["code"] == "bad_argument"


def test_an_empty_home_has_an_empty_scorecard(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, found = answer(capsys, home, "scorecard")
    assert status == 0
    assert (found["n"], found["groups"], found["recommendations"]) == (0, [], [])
    assert "no recommendation" in run(capsys, home, "scorecard")[1]


def test_each_recommendation_meets_what_came(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for day in ("2018-01-05", "2018-12-24"):
        answer(capsys, home, "recommend", "SPX", "--as-of", day)
    status, found = answer(capsys, home, "scorecard")
    assert status == 0
    assert found["as_of"].startswith("2018-12-31")
    old, new = found["recommendations"]
    assert [each["horizon_days"] for each in old["outcomes"]] == [5, 21, 63]
    assert all(each["return_ratio"] is not None for each in old["outcomes"])
    assert all(each["return_ratio"] is None for each in new["outcomes"])
    assert all(tally["brier"] is None and tally["why"] for tally in found["groups"][0]["p_drop"])
    assert "too few" in run(capsys, home, "scorecard")[1]
