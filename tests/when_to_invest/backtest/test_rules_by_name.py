"""Each named strategy does what its name says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.fakes.fake_bars import instrument
from tests.fakes.recommendations import recommendation
from tests.strategies.trials import walk
from when_to_invest.backtest.engine import run_events
from when_to_invest.backtest.named import NAMED, named_strategy
from when_to_invest.backtest.report import run_backtest
from when_to_invest.backtest.rules.advice import FollowsAdvice, follow, is_due
from when_to_invest.backtest.rules.deployment import ConstantMix
from when_to_invest.backtest.rules.months import MonthEnds
from when_to_invest.backtest.rules.trend import TrendRule, TrendStrategy
from when_to_invest.backtest.terms import Terms
from when_to_invest.backtest.trial import make_trial
from when_to_invest.backtest.view import MarketView
from when_to_invest.decision.recommend import recommend
from when_to_invest.decision.recommendation import Action
from when_to_invest.errors import Fault
from when_to_invest.instruments import Interval, Session
from when_to_invest.market import BarSeries, Snapshot

FREE = Terms(fee_bps=0.0, no_trade_band=0.0)


def exposure_of(name: str, snapshot: Snapshot, *, first: int = 0) -> np.ndarray:
    named = NAMED[name]
    terms = FREE if named.plans_steps else Terms(fee_bps=0.0)
    return run_events(named.make(), make_trial(snapshot, first=first, terms=terms)).exposure


def shaped(close: np.ndarray) -> Snapshot:
    made = walk(len(close), seed=1)
    return replace(made, bars=BarSeries(made.bars.opened_us, close, close, close, close, close))


RISE_AND_FALL = shaped(np.concatenate((np.linspace(50, 150, 500), np.linspace(150, 60, 400))))


@pytest.mark.parametrize("name", ["sma200_band", "sma10_months", "tsmom_12m", "trend_vol"])
def test_a_trend_rule_is_in_when_prices_rise_and_out_when_they_fall(name: str) -> None:
    exposure = exposure_of(name, RISE_AND_FALL)
    assert exposure[490] == pytest.approx(1.0)
    assert exposure[-1] == 0.0


def test_the_band_holds_a_side_until_it_is_left() -> None:
    near = shaped(np.concatenate((np.linspace(50, 150, 400), np.full(600, 150.0), np.full(20, 148.0))))
    assert exposure_of("sma200_band", near)[-1] == pytest.approx(1.0)


def test_volatility_targeting_holds_less_of_what_moves_more() -> None:
    quiet, wild = (
        exposure_of("vol_target", shaped(100.0 * np.exp(np.cumsum(np.tile([size, -size], 200)))))[-1]
        for size in (0.002, 0.03)
    )
    assert quiet == pytest.approx(1.0)
    assert wild == pytest.approx(0.15 / (0.03 * 252**0.5), rel=0.05)


def test_a_plan_invests_a_twelfth_each_month_and_all_after_a_year() -> None:
    exposure = exposure_of("dca", shaped(np.full(400, 10.0)))
    levels = np.unique(np.round(exposure, 9))
    assert levels == pytest.approx(np.arange(13) / 12.0)
    assert exposure[1] == pytest.approx(1.0 / 12.0)


def test_buy_and_hold_is_all_in_from_its_first_bar() -> None:
    assert exposure_of("buy_and_hold", RISE_AND_FALL)[1:] == pytest.approx(1.0)


def test_a_mix_is_brought_back_to_its_share() -> None:
    course = run_events(ConstantMix(0.4), make_trial(RISE_AND_FALL, terms=replace(FREE, no_trade_band=0.05)))
    assert course.fills > 2
    assert (np.abs(course.exposure[2:] - 0.4) < 0.06).all()
    with pytest.raises(Fault):
        ConstantMix(1.1)


@pytest.mark.parametrize(
    ("interval", "session", "ends"),
    [
        (Interval.DAY, Session.EXCHANGE, [30.0, 58.0]),
        (Interval.DAY, Session.CONTINUOUS, [30.0, 58.0]),
        (Interval.MONTH, Session.EXCHANGE, [float(day) for day in range(60)]),
    ],
)
def test_a_month_ends_with_its_last_close(interval: Interval, session: Session, ends: list[float]) -> None:
    first = datetime(2017, 1, 1, tzinfo=UTC)
    days = np.datetime64(first.date()) + np.arange(60)
    if interval is Interval.MONTH:
        days = (np.datetime64("2017-01") + np.arange(60)).astype("datetime64[D]")
    opened_us = days.astype("datetime64[us]").astype(np.int64)
    close = np.arange(60.0)
    view = MarketView(instrument(interval=interval, session=session), 60)
    bars = BarSeries(opened_us, close, close, close, close, close)
    for index in range(60):
        view.admit(bars, index)
    found = MonthEnds()
    assert found.read(view)
    assert found.closes == ends
    assert not found.read(view)


@pytest.mark.parametrize(
    ("action", "weight", "expected"),
    [
        (Action.INVEST_NOW, 0.1, 0.5),
        (Action.INVEST_NOW, 0.9, 1.0),
        (Action.HOLD, 0.4, None),
        (Action.WAIT, 0.4, None),
        (Action.REDUCE, 0.9, 0.1),
        (Action.REDUCE, 0.05, None),
        (Action.STAGE, 0.1, 0.2),
        (Action.STAGE, 0.25, 0.35),
        (Action.STAGE, 0.95, 1.0),
    ],
)
def test_advice_is_followed_to_the_letter(action: Action, weight: float, expected: float | None) -> None:
    """The made-up advice: four tenths more, three in three steps, nothing, or down to one."""
    found = follow(recommendation(action).model_copy(update={"held_fraction": weight}))
    assert found == (None if expected is None else pytest.approx(expected))


def test_the_decision_strategy_asks_the_live_code() -> None:
    snapshot = walk(620, seed=8)
    trial = make_trial(snapshot, first=600, terms=FREE)
    course = run_events(FollowsAdvice(every=100), trial)
    asked = MarketView(snapshot.instrument, 600)
    for index in range(600):
        asked.admit(snapshot.bars, index)
    advice = recommend(asked.snapshot())
    expected = follow(advice)
    assert course.exposure[0] == pytest.approx(expected or 0.0, abs=0.02)


def test_later_steps_are_bought_on_their_date_or_trigger_and_a_schedule_is_not_begun_anew() -> None:
    strategy, advice = FollowsAdvice(every=1), recommendation(Action.STAGE)
    first = advice.schedule[0].due_at
    assert first is not None
    months = [first + timedelta(days=30 * month) for month in range(3)]
    bought = [
        strategy._follow(advice.model_copy(update={"held_fraction": held}), now)
        for held, now in (
            (0.0, months[0]),
            (0.1, months[0] + timedelta(days=1)),
            (0.1, months[1]),
            (0.2, months[2] - timedelta(days=1)),
            (0.2, months[2]),
        )
    ]
    assert bought == [0.1, None, 0.2, None, pytest.approx(0.3)]
    assert is_due(advice.schedule[2], months[0], {}) is False
    early = advice.schedule[2].model_copy(update={"trigger": advice.invalidation[0]})
    assert is_due(early, months[0], {"chart.close": 2440.4})


def test_a_newer_answer_ends_a_schedule() -> None:
    strategy, advice = FollowsAdvice(every=1), recommendation(Action.STAGE)
    first = advice.schedule[0].due_at
    assert first is not None
    strategy._follow(advice, first)
    strategy._follow(recommendation(Action.WAIT), first)
    again = strategy._follow(advice, first)
    assert again == pytest.approx(0.1)


def test_an_abstention_is_counted_and_nothing_is_done() -> None:
    strategy = FollowsAdvice(every=10)
    result = run_backtest(strategy, make_trial(walk(60, seed=8)))
    assert strategy.abstentions == 6
    assert result.figures.fills == 0
    assert any("abstained 6 times" in note for note in result.notes)


def test_names_and_questions_that_mean_nothing_are_refused() -> None:
    for call in (
        lambda: named_strategy("moon"),
        lambda: named_strategy("dca", every=3),
        lambda: named_strategy("decision", every=0).make(),
        lambda: TrendRule(fast=200, slow=50),
        lambda: TrendRule(target_sigma_annual=0.0),
    ):
        with pytest.raises(Fault):
            call()
    assert isinstance(named_strategy("decision", every=5).make(), FollowsAdvice)


HOURLY = {
    Session.CONTINUOUS: (24, "counts days, 24 bars each here"),
    Session.EXCHANGE: (7, "counts days, 7 bars each here"),
}


@pytest.mark.parametrize("name", ["sma200_band", "vol_target", "trend_vol"])
@pytest.mark.parametrize("session", HOURLY)
def test_a_rule_of_days_counts_days_on_hours_too(name: str, session: Session) -> None:
    made = named_strategy(name, instrument=instrument(interval=Interval.HOUR, session=session)).make()
    daily = NAMED[name].make()
    assert isinstance(made, TrendStrategy)
    assert isinstance(daily, TrendStrategy)
    factor, words = HOURLY[session]
    assert made.rule.slow == factor * daily.rule.slow
    assert made.rule.volatility_window == factor * daily.rule.volatility_window
    assert words in made.note
    assert made.rule.target_sigma_annual == daily.rule.target_sigma_annual


@pytest.mark.parametrize("name", ["sma200_band", "vol_target", "trend_vol", "decision"])
def test_a_rule_of_days_is_refused_on_months(name: str) -> None:
    with pytest.raises(Fault, match="counts days") as caught:
        named_strategy(name, instrument=instrument(interval=Interval.MONTH))
    assert "sma10_months" in caught.value.fix


@pytest.mark.parametrize("interval", [Interval.DAY, Interval.MONTH, Interval.HOUR])
def test_rules_of_months_are_the_same_on_any_bars(interval: Interval) -> None:
    for name in ("sma10_months", "tsmom_12m", "dca", "buy_and_hold", "constant_mix"):
        assert named_strategy(name, instrument=instrument(interval=interval)) is NAMED[name]


def test_daily_bars_are_followed_as_named() -> None:
    assert all(named_strategy(name, instrument=instrument()) is NAMED[name] for name in NAMED)
