"""The vectorised engine gives the event engine's course, float for float."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies.trials import trials, walk
from when_to_invest.backtest.course import Course
from when_to_invest.backtest.engine import run_events
from when_to_invest.backtest.named import BAND, TREND_AND_VOLATILITY, VOLATILITY
from when_to_invest.backtest.rules.trend import TrendRule, TrendStrategy
from when_to_invest.backtest.terms import Terms
from when_to_invest.backtest.trial import Trial, make_trial
from when_to_invest.backtest.vectorised import run_rule, run_targets, sweep, targets_of
from when_to_invest.backtest.view import MarketView
from when_to_invest.errors import ErrorCode, Fault


class Listed:
    """Gives prepared answers; NaN stands for no order."""

    name = "listed"

    def __init__(self, targets: np.ndarray) -> None:
        self.targets = targets

    def decide(self, view: MarketView) -> float | None:
        answer = float(self.targets[len(view) - 1])
        return None if np.isnan(answer) else answer


def assert_same(one: Course, other: Course) -> None:
    assert np.array_equal(one.equity, other.equity)
    assert np.array_equal(one.units, other.units)
    assert (one.fees, one.turnover, one.fills) == (other.fees, other.turnover, other.fills)


weights = st.one_of(st.just(np.nan), st.sampled_from([0.0, 0.5, 1.0]), st.floats(0.0, 1.0))


@settings(max_examples=60, deadline=None)
@given(trials(), st.data())
def test_any_list_of_targets_runs_alike(trial: Trial, data: st.DataObject) -> None:
    targets = np.array(data.draw(st.lists(weights, min_size=len(trial), max_size=len(trial))))
    assert_same(run_targets(targets, trial), run_events(Listed(targets), trial))


rules = st.builds(
    TrendRule,
    fast=st.integers(1, 4),
    slow=st.one_of(st.just(0), st.integers(5, 30)),
    band_ratio=st.sampled_from([0.0, 0.005, 0.02]),
    volatility_window=st.integers(0, 25),
    target_sigma_annual=st.floats(0.02, 0.5),
)


@settings(max_examples=60, deadline=None)
@given(trials(), rules)
def test_any_rule_runs_alike(trial: Trial, rule: TrendRule) -> None:
    assert_same(run_rule(rule, trial), run_events(TrendStrategy("rule", rule), trial))


@pytest.mark.parametrize("rule", [BAND, VOLATILITY, TREND_AND_VOLATILITY, TrendRule(50, 200, 0.0)])
def test_sums_that_are_added_up_anew_run_alike(rule: TrendRule) -> None:
    trial = make_trial(walk(9_000, seed=3), first=300, terms=Terms(cash_rate_annual=0.02, slippage_bps=3.0))
    course = run_rule(rule, trial)
    assert course.fills > 3
    assert_same(course, run_events(TrendStrategy("rule", rule), trial))


def test_a_sweep_is_each_rule_alone() -> None:
    trial = make_trial(walk(1_200, seed=4), first=100)
    grid = [TrendRule(fast, slow, 0.0) for fast in (5, 20) for slow in (50, 100, 200)]
    alone = [run_rule(rule, trial).equity for rule in grid]
    assert np.array_equal(sweep(grid, trial, has_paths=True), np.array(alone))
    assert np.array_equal(sweep(grid, trial)[:, 0], [path[-1] for path in alone])
    assert len({path[-1] for path in alone}) == len(grid)


def test_running_sums_do_not_drift_from_fresh_ones() -> None:
    snapshot = walk(20_000, seed=5)
    rule = TrendRule(fast=20, slow=200, band_ratio=0.0, volatility_window=0)
    close = snapshot.bars.close
    fast, slow = (np.convolve(close, np.ones(w) / w, mode="valid") for w in (20, 200))
    expected = fast[180:] > slow
    found = targets_of(rule, make_trial(snapshot))[199:]
    is_clear = np.abs(fast[180:] / slow - 1.0) > 1e-9
    assert is_clear.mean() > 0.99
    assert np.array_equal(found[is_clear] == 1.0, expected[is_clear])


@pytest.mark.parametrize("targets", [np.zeros(3), np.full(50, 1.5), np.full(50, -0.1)])
def test_targets_that_cannot_be_meant_are_refused(targets: np.ndarray) -> None:
    with pytest.raises(Fault) as caught:
        run_targets(targets, make_trial(walk(50, seed=1)))
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


def test_a_sweep_over_nothing_is_refused() -> None:
    with pytest.raises(Fault):
        sweep([], make_trial(walk(50, seed=1)))


def test_the_course_depends_on_the_terms() -> None:
    trial = make_trial(walk(1_000, seed=6))
    dear = replace(trial, terms=Terms(fee_bps=50.0))
    rule = TrendRule(5, 50, 0.0)
    assert run_rule(rule, dear).equity[-1] < run_rule(rule, trial).equity[-1]
