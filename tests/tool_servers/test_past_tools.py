"""The market server looks back in few figures, never past the home's clock, and can be ended."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.evidence import from_structured
from home.clock import ReplayClock
from home.paths import Home
from home.settings import read_settings
from home.trial_file import read_trials
from market_data.source import snapshot
from tests.tool_servers.calling import answer_of, call, error_of
from tool_servers.assembly import ToolServer
from tool_servers.market.desk import analyst_of
from tool_servers.market.main import build
from tool_servers.market.past import AT_ONCE, Historian, Span
from tool_servers.market.past_answers import StrategyName
from tool_servers.watch import Watch
from when_to_invest.backtest.named import NAMED
from when_to_invest.backtest.report import run_backtest
from when_to_invest.backtest.trial import make_trial
from when_to_invest.errors import ErrorCode, Fault

NOW = datetime(2018, 6, 1, 23, tzinfo=UTC)
ASKED: dict[str, Any] = {"instrument": "SPX", "strategy": "trend_vol"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = Home(tmp_path_factory.mktemp("home"))
    ReplayClock(made.clock).move_to(NOW)
    return made


@pytest.fixture(scope="module")
def server(home: Home) -> ToolServer:
    return build(home)


def test_a_backtest_is_the_command_lines_own(home: Home, server: ToolServer, mode: str) -> None:
    told = answer_of(call(server, "run_backtest", ASKED, mode=mode))
    result = run_backtest(NAMED["trend_vol"].make(), make_trial(snapshot(home, "SPX", as_of=NOW)))
    assert told["result"]["sharpe"] == round(result.figures.sharpe or 0.0, 6)
    assert told["buy_and_hold"]["max_drawdown_ratio"] == round(-result.buy_and_hold.max_drawdown, 6)
    assert told["bars"] == len(result.course)
    assert [row["is_behind"] for row in told["periods"]] == [part.is_behind for part in result.parts]


def test_a_backtest_is_a_trial_that_counts_once(tmp_path: Path, mode: str) -> None:
    place = Home(tmp_path)
    ReplayClock(place.clock).move_to(NOW)
    asked = build(place)
    span = ASKED | {"start": "2014-01-01"}
    first = answer_of(call(asked, "run_backtest", span, mode=mode))
    ReplayClock(place.clock).move_to(NOW + timedelta(minutes=5))
    assert answer_of(call(asked, "run_backtest", span, mode=mode)) == first
    other = answer_of(call(asked, "run_backtest", span | {"fee_bps": 50}, mode=mode))
    assert [each["trials"] for each in (first, other)] == [61, 62]
    assert 0.0 < other["deflated_sharpe"] < first["deflated_sharpe"] < 1.0
    assert len(read_trials(place.trials).trials) == 2


def test_a_backtest_sees_nothing_after_the_homes_clock(server: ToolServer, mode: str) -> None:
    told = answer_of(call(server, "run_backtest", ASKED, mode=mode))
    assert told["end"] == "2018-06-01T00:00:00Z"
    assert (
        error_of(call(server, "run_backtest", ASKED | {"end": "2018-12-01"}, mode=mode))["code"]
        == "bad_argument"
    )


def test_a_backtest_keeps_to_its_period_and_its_costs(server: ToolServer, mode: str) -> None:
    span = {"start": "2010-01-01", "end": "2012-12-31"}
    told = answer_of(call(server, "run_backtest", ASKED | span, mode=mode))
    dear = answer_of(call(server, "run_backtest", ASKED | span | {"fee_bps": 100}, mode=mode))
    assert (told["start"], told["end"]) == ("2010-01-04T00:00:00Z", "2012-12-31T00:00:00Z")
    assert dear["result"]["return_ratio"] < told["result"]["return_ratio"]


def test_an_answer_is_small(server: ToolServer, mode: str) -> None:
    told = answer_of(call(server, "run_backtest", ASKED, mode=mode))
    assert len(json.dumps(told)) < 4_000


def test_every_strategy_by_name_can_be_asked_for(server: ToolServer) -> None:
    assert {each.value for each in StrategyName} == set(NAMED)
    for name in NAMED:
        asked = ASKED | {"strategy": name, "start": "2018-03-01"}
        assert answer_of(call(server, "run_backtest", asked, mode="auto"))["strategy"] == name


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"instrument": "NOPE"}, "unknown_instrument"),
        ({"strategy": "guess"}, "bad_argument"),
        ({"strategy": "FILE.py:Class"}, "bad_argument"),
        ({"start": "2018-06-01"}, "history_too_short"),
        ({"start": "soon"}, "bad_argument"),
        ({"end": "1998-01-01"}, "as_of_before_data"),
        ({"fee_bps": -1}, "bad_argument"),
        ({"fee_bps": 1001}, "bad_argument"),
    ],
    ids=str,
)
def test_what_cannot_be_backtested_says_why(
    server: ToolServer, mode: str, changed: dict[str, Any], code: str
) -> None:
    assert error_of(call(server, "run_backtest", ASKED | changed, mode=mode))["code"] == code


def test_a_backtest_ends_with_its_time(home: Home) -> None:
    clock = iter(range(1_000_000))
    watch = Watch(50.0, now_s=lambda: float(next(clock)))
    historian = Historian(analyst_of(home, read_settings(home)))
    with pytest.raises(Fault) as caught:
        historian.backtest("SPX", StrategyName.DECISION, span=Span(), fee_bps=5.0, watch=watch)
    assert caught.value.code is ErrorCode.TIME_LIMIT
    assert next(clock) == 52


def test_few_look_back_at_once_and_an_ended_one_makes_room(home: Home) -> None:
    historian = Historian(analyst_of(home, read_settings(home)))
    ways: list[str] = []

    def ask_another(done: int, total: int) -> None:
        if len(ways) < AT_ONCE:
            ways.append("asked")
            ask()
        raise Fault(ErrorCode.TIME_LIMIT, "over", fix="")

    def ask() -> None:
        historian.backtest("SPX", StrategyName.DCA, span=Span(), fee_bps=5.0, watch=Watch(report=ask_another))

    with pytest.raises(Fault) as caught:
        ask()
    assert caught.value.code is ErrorCode.RATE_LIMITED
    ways.append("full")
    with pytest.raises(Fault) as caught:
        ask()
    assert caught.value.code is ErrorCode.TIME_LIMIT


def test_a_scorecard_counts_what_was_recommended(tmp_path: Path, mode: str) -> None:
    place = Home(tmp_path)
    ReplayClock(place.clock).move_to(NOW)
    asked = build(place)
    for day in ("2018-01-05", "2018-02-05", "2018-03-05"):
        answer_of(call(asked, "get_recommendation", {"instrument": "SPX", "as_of": day}, mode=mode))
    told = answer_of(call(asked, "get_scorecard", {"instrument": "SPX"}, mode=mode))
    assert (told["count"], told["as_of"]) == (3, "2018-06-01T23:00:00Z")
    assert {row["count"] for row in told["p_drop"] if row["horizon_days"] <= 21} == {3}
    assert all(row["brier"] is None and "few" in row["why"] for row in told["p_drop"])
    assert answer_of(call(asked, "get_scorecard", {"instrument": "IXIC"}, mode=mode))["count"] == 0
    assert answer_of(call(asked, "get_scorecard", {}, mode=mode))["count"] == 3


@pytest.mark.parametrize(
    ("asked", "code"),
    [({"instrument": "NOPE"}, "unknown_instrument"), ({"as_of": "2018-12-01"}, "bad_argument")],
    ids=["unknown", "future"],
)
def test_what_cannot_be_scored_says_why(
    server: ToolServer, mode: str, asked: dict[str, str], code: str
) -> None:
    assert error_of(call(server, "get_scorecard", asked, mode=mode))["code"] == code


def test_only_figures_and_names_of_a_backtest_are_evidence(server: ToolServer) -> None:
    told = answer_of(call(server, "run_backtest", ASKED | {"strategy": "sma200_band"}, mode="auto"))
    known = from_structured(told | {"notes": ["0.99", *told["notes"]]}, source="market__run_backtest")
    values = {fact.id.partition(".")[2]: float(fact.value) for fact in known.facts}
    assert values["result.sharpe"] == told["result"]["sharpe"]
    assert values["buy_and_hold.return_ratio"] == told["buy_and_hold"]["return_ratio"]
    assert not [name for name in values if name.startswith("notes")]
    assert "sma200_band" in known.names
