"""`audit-lookahead` as scripts meet it: exit statuses, keys, and the name of the leak."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.commands import auditing
from cli.main import main
from home.paths import Home
from market_data.lake import import_file
from when_to_invest.instruments import Interval

CLEAN, LEAK, UNUSABLE = 0, 1, 2
HONEST = """
class Follows:
    name = "follows"

    def decide(self, view):
        return 1.0 if len(view) > 20 and view.close[-1] > view.close[-20:].mean() else 0.0
"""
PEEKING = """
import sys


class Peeks:
    name = "peeks"

    def decide(self, view):
        frame = sys._getframe()
        while frame is not None and "trial" not in frame.f_locals:
            frame = frame.f_back
        close = frame.f_locals["trial"].snapshot.bars.close
        now = len(view) - 1
        return 1.0 if close[min(now + 1, len(close) - 1)] > close[now] else 0.0
"""
EXITING = """
class Exits:
    name = "exits"

    def decide(self, view):
        raise SystemExit(0)
"""
CARRYING = """
import csv


class Carries:
    name = "carries"

    def __init__(self):
        with open({path!r}) as lines:
            rows = list(csv.DictReader(lines))
        closes = [float(row["close"]) for row in rows]
        self.rises = [later > now for now, later in zip(closes, closes[1:])] + [False]

    def decide(self, view):
        return 1.0 if self.rises[len(view) - 1] else 0.0
"""


def bars_file(folder: Path) -> Path:
    """Write 300 daily bars of a seeded walk."""
    import numpy as np
    import pandas as pd

    chance = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(chance.normal(0, 0.01, 300)))
    start = close * np.exp(chance.normal(0, 0.002, 300))
    table = {
        "ts": pd.bdate_range("2015-01-01", periods=300, tz="UTC"),
        "open": start,
        "high": np.maximum(start, close) * 1.001,
        "low": np.minimum(start, close) * 0.999,
        "close": close,
        "volume": 1000.0,
    }
    path = folder / "walk.csv"
    pd.DataFrame(table).to_csv(path, index=False)
    return path


class Auditor:
    """Runs `audit-lookahead` in one home and keeps what it printed."""

    def __init__(self, home: Home, capture: pytest.CaptureFixture[str], folder: Path) -> None:
        self.home, self.capture, self.folder = home, capture, folder
        self.bars = bars_file(folder)

    def json(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        self.capture.readouterr()
        status = main(["audit-lookahead", *arguments, "--json", "--home", str(self.home.root)])
        return status, json.loads(self.capture.readouterr().out)

    def strategy(self, text: str, name: str) -> str:
        path = self.folder / f"{name.lower()}.py"
        path.write_text(text)
        return f"{path}:{name}"


@pytest.fixture
def auditor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Auditor:
    home = Home(tmp_path / "home").make()
    made = Auditor(home, capsys, tmp_path)
    import_file(home, made.bars, instrument="WALK", interval=Interval.DAY, venue="")
    return made


def test_the_live_decision_pipeline_is_clean(auditor: Auditor) -> None:
    status, answer = auditor.json("decision", "SPX", "--cuts", "3")
    assert status == CLEAN
    assert answer["ok"] is True
    assert answer["findings"] == []
    assert len(answer["cuts"]) == 3


def test_our_features_are_clean(auditor: Auditor) -> None:
    status, answer = auditor.json("features", "SPX", "--cuts", "10")
    assert (status, answer["ok"], answer["bars"]) == (CLEAN, True, 5031)


@pytest.mark.parametrize("name", ["buy_and_hold", "dca", "sma200_band", "trend_vol", "sma10_months"])
def test_named_strategies_are_clean(auditor: Auditor, name: str) -> None:
    status, answer = auditor.json(name, "WALK", "--cuts", "6")
    assert (status, answer["findings"]) == (CLEAN, [])


def test_an_honest_strategy_of_the_users_is_clean(auditor: Auditor) -> None:
    assert auditor.json(auditor.strategy(HONEST, "Follows"), "WALK")[0] == CLEAN


def test_a_strategy_that_exits_is_an_error_and_never_clean(auditor: Auditor) -> None:
    status, answer = auditor.json(auditor.strategy(EXITING, "Exits"), "WALK")
    assert status == UNUSABLE
    assert "raised SystemExit" in answer["error"]["message"]


def test_a_strategy_that_reaches_into_the_engine_is_caught(auditor: Auditor) -> None:
    status, answer = auditor.json(auditor.strategy(PEEKING, "Peeks"), "WALK")
    assert status == LEAK
    assert answer["ok"] is False
    kinds = {finding["kind"] for finding in answer["findings"]}
    assert {"truncation", "other_future"} <= kinds
    first = answer["findings"][0]
    assert first.keys() == {
        "kind", "how", "cut", "bar", "opened_at", "column", "with_future", "without_future",
    }  # fmt: skip
    assert first["bar"] <= first["cut"]


def test_a_strategy_that_carries_a_file_of_the_future_is_caught(auditor: Auditor) -> None:
    strategy = auditor.strategy(CARRYING.format(path=str(auditor.bars)), "Carries")
    status, answer = auditor.json(strategy, "WALK")
    assert status == LEAK
    assert {finding["kind"] for finding in answer["findings"]} == {"foreknowledge"}


def test_a_live_pipeline_that_uses_the_bar_under_way_is_caught(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    import market_data.source
    from when_to_invest.market import Snapshot

    def careless(known: Any, series: Any, *, as_of: Any) -> Snapshot:
        count = int(series.opened_us.searchsorted(int(as_of.timestamp() * 1e6), side="right"))
        return Snapshot(instrument=known, as_of=as_of, bars=series.between(0, count))

    monkeypatch.setattr(market_data.source, "known_at", careless)
    result = auditing.audit_of(auditor.home, "decision", "SPX", cuts=4, seed=0)
    assert not result.is_clean


def test_people_read_bar_cut_and_values(auditor: Auditor) -> None:
    strategy = auditor.strategy(PEEKING, "Peeks")
    status = main(["audit-lookahead", strategy, "WALK", "--home", str(auditor.home.root)])
    shown = auditor.capture.readouterr().out
    assert status == LEAK
    assert all(word in shown for word in ("look-ahead found", "at bar", "cut", "became", "more"))


def test_the_self_test_prints_caught_of_total(auditor: Auditor) -> None:
    status, answer = auditor.json("--self-test")
    assert (status, answer["ok"], answer["missed"], answer["flagged"]) == (CLEAN, True, [], [])
    assert answer["caught"] == answer["planted"] >= 20
    assert answer["honest"] >= 20


def test_a_failed_self_test_names_what_went_wrong(auditor: Auditor, monkeypatch: pytest.MonkeyPatch) -> None:
    from when_to_invest.honesty.canaries import registry

    monkeypatch.setattr(
        registry, "examine", lambda *, seed: registry.Examination(3, ("bfill",), 2, ("trailing_mean",))
    )
    assert main(["audit-lookahead", "--self-test"]) == LEAK
    shown = auditor.capture.readouterr().out
    assert "caught 2/3" in shown
    assert "flagged 1/2" in shown
    assert "bfill" in shown
    assert "trailing_mean" in shown


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("no_such", "SPX"), "bad_argument"),
        (("decision", "NOPE"), "unknown_instrument"),
        (("decision",), "bad_argument"),
        (("decision", "SPX", "--cuts", "0"), "bad_argument"),
        (("decision", "SPX", "--seed", "-1"), "bad_argument"),
        (("missing.py:Class", "SPX"), "bad_argument"),
    ],
)
def test_what_cannot_be_audited_is_said(auditor: Auditor, arguments: tuple[str, ...], code: str) -> None:
    status, answer = auditor.json(*arguments)
    assert status == UNUSABLE
    assert answer["error"]["code"] == code
