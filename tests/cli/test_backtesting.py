"""`backtest` as scripts and people meet it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from cli.strategy_file import load_strategy
from home.trial_file import read_trials
from when_to_invest.backtest.named import NAMED
from when_to_invest.errors import Fault

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = f"{ROOT / 'examples' / 'buy_the_dip.py'}:BuyTheDip"
KEYS = {
    "strategy", "instrument", "start", "end", "n", "terms", "result", "buy_and_hold", "constant_mix",
    "timing", "subperiods", "trades", "trials", "deflated_sharpe", "warnings",
}  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], home: Path, *arguments: str) -> tuple[int, str]:
    status = main(["backtest", *arguments, "--home", str(home)])
    printed = capsys.readouterr()
    return status, printed.out + printed.err


def answer(capsys: pytest.CaptureFixture[str], home: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    status, text = run(capsys, home, *arguments, "--json")
    return status, json.loads(text)


def test_the_keys_are_stable(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, found = answer(capsys, tmp_path, "trend_vol", "SPX", "--from", "2004-01-01", "--to", "2010-12-31")
    assert status == 0
    assert set(found) == KEYS
    assert found["start"].startswith("2004-01-02")
    assert found["end"].startswith("2010-12-31")
    assert found["trials"] == NAMED["trend_vol"].design_trials + 1
    assert 0.0 < found["deflated_sharpe"] < 1.0
    assert found["result"]["fills"] == len(found["trades"])
    assert found["result"]["max_drawdown"] > found["buy_and_hold"]["max_drawdown"]


def test_costs_cost(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    cheap, dear = (
        answer(capsys, tmp_path, "sma200_band", "SPX", "--fee-bps", fee)[1]["result"]["final_equity"]
        for fee in ("0", "50")
    )
    assert dear < cheap


def test_people_see_the_baselines_and_what_this_cannot_show(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, text = run(capsys, tmp_path, "sma10_months", "USMKT")
    assert status == 0
    flat = " ".join(text.split())
    for part in (
        "buy and hold",
        "mix of equal exposure",
        "behind",
        "61 trials are charged",
        "above luck after 61",
    ):
        assert part in flat


def test_a_strategy_of_ones_own_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, found = answer(capsys, tmp_path, EXAMPLE, "IXIC")
    assert status == 0
    assert found["strategy"] == "buy_the_dip"
    assert found["result"]["fills"] > 2


def test_every_run_is_a_trial_and_the_same_run_is_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = ("sma200_band", "SPX", "--from", "2004-01-01")
    first, again = (answer(capsys, tmp_path, *asked)[1] for _ in range(2))
    assert first == again
    dear = answer(capsys, tmp_path, *asked, "--fee-bps", "20")[1]
    shorter = answer(capsys, tmp_path, *asked, "--to", "2017-12-29")[1]
    assert [each["trials"] - first["trials"] for each in (dear, shorter)] == [1, 2]
    later = answer(capsys, tmp_path, *asked)[1]
    assert later["trials"] == first["trials"] + 2
    assert later["deflated_sharpe"] < first["deflated_sharpe"]
    written = read_trials(tmp_path / "trials.jsonl").trials
    assert [each.run.strategy for each in written if each.run] == ["sma200_band"] * 3
    assert written[0].run is not None
    assert written[0].run.start == first["start"]


def test_an_edited_file_is_another_trial(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    asked = (f"{file}:Any", "SPX", "--from", "2016-01-01")
    told = []
    for weight in ("0.5", "0.5", "0.6"):
        file.write_text(DECIDES + f"return {weight}\n")
        told.append(answer(capsys, tmp_path, *asked)[1]["trials"])
    assert told == [1, 1, 2]


def test_a_damaged_ledger_ends_a_backtest(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "trials.jsonl").write_text("{}\n")
    status, found = answer(capsys, tmp_path, "trend_vol", "SPX", "--from", "2016-01-01")
    assert status == 2
    assert found["error"]["code"] == "corrupt_data"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("moonshot", "SPX"), "no strategy is called"),
        (("dca", "NOPE"), "no instrument"),
        (("dca", "SPX", "--from", "yesterday"), "is not a date"),
        (("sma200_band", "USMKT"), "counts days"),
        (("dca", "SPX", "--from", "2030-01-01"), "2 are needed"),
        (("dca", "SPX", "--fee-bps", "-3"), "fee_bps"),
        (("dca", "SPX", "--every", "3"), "does not ask"),
        ((EXAMPLE, "SPX", "--every", "3"), "decision alone"),
        (("missing.py:Any", "SPX"), "no Python file"),
    ],
)
def test_what_cannot_be_run_says_why(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...], part: str
) -> None:
    status, found = answer(capsys, tmp_path, *arguments)
    assert status in {1, 2}
    assert part in found["error"]["message"]
    assert found["error"]["fix"]


DECIDES = "class Any:\n    name = 'a'\n    def decide(self, view):\n        "
BROKEN = {
    "class Any:\n    pass\n": "has no method decide",
    "Any = 3\n": "has no class",
    "def broken(:\n": "cannot be loaded: SyntaxError",
    "raise RuntimeError('no')\n": "cannot be loaded: RuntimeError",
    "class Any:\n    def __init__(self, x):\n        self.decide = x\n": "cannot be made: TypeError",
    DECIDES + "return 1 / 0\n": "raised ZeroDivisionError",
    DECIDES + "return 2\n": "returned '2'",
    DECIDES + "raise SystemExit(0)\n": "raised SystemExit",
    "raise SystemExit(0)\n": "cannot be loaded: SystemExit",
    "class Any:\n    def __init__(self):\n        raise SystemExit(0)\n": "cannot be made: SystemExit",
    DECIDES + "view.close[0] = 1\n": "raised ValueError",
}


@pytest.mark.parametrize("code", BROKEN)
def test_code_that_is_no_strategy_says_what_is_wrong(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, code: str
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(code)
    status, found = answer(capsys, tmp_path, f"{file}:Any", "SPX")
    assert status == 2
    assert found["error"]["code"] == "bad_argument"
    assert BROKEN[code] in found["error"]["message"]


def test_each_run_gets_a_strategy_of_its_own() -> None:
    assert load_strategy(EXAMPLE) is not load_strategy(EXAMPLE)
    with pytest.raises(Fault):
        load_strategy("nothing.py:Any")


def test_a_backtest_is_drawn_where_asked_and_nowhere_else(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    period = ("SPX", "--from", "2007-01-01", "--to", "2010-12-31")
    target = tmp_path / "run.png"
    assert run(capsys, tmp_path, "trend_vol", *period, "--plot", str(target))[0] == 0
    assert target.read_bytes().startswith(b"\x89PNG")
    status, text = run(capsys, tmp_path, "trend_vol", *period, "--plot", str(tmp_path / "run.pdf"))
    assert status != 0
    assert ".html" in text
