"""Variants of a strategy return what the event engine says they return."""

from __future__ import annotations

import numpy as np
import pytest

from tests.strategies.trials import walk
from when_to_invest.backtest.engine import run_events
from when_to_invest.backtest.grid import configurations, parse_axis
from when_to_invest.backtest.terms import Terms
from when_to_invest.backtest.trial import Trial, make_trial
from when_to_invest.backtest.variants import MADE, RULES, excess_returns, make_variant, trial_for, variants_of
from when_to_invest.errors import ErrorCode, Fault


@pytest.fixture(scope="module")
def trial() -> Trial:
    terms = Terms(fee_bps=10.0, cash_rate_annual=0.03)
    return make_trial(walk(400, seed=3), first=120, terms=terms, arrival_months=3)


@pytest.mark.parametrize(
    ("strategy", "axes"),
    [
        ("trend_vol", ["fast=2,5", "slow=20,60", "band_ratio=0:0.02:0.01"]),
        ("sma200_band", ["slow=10,100"]),
        ("vol_target", ["target_sigma_annual=0.05,0.1", "volatility_window=5,21"]),
        ("constant_mix", ["weight=0:1:0.25"]),
        ("dca", ["months=1:6:1"]),
    ],
)
def test_returns_are_the_event_engines_above_cash(trial: Trial, strategy: str, axes: list[str]) -> None:
    variants = variants_of(strategy, configurations([parse_axis(axis) for axis in axes]), bars=len(trial))
    table = excess_returns(variants, trial)
    assert table.shape == (len(variants.configurations), len(trial) - trial.first)
    for row, configuration in zip(table, variants.configurations, strict=True):
        course = run_events(make_variant(strategy, configuration), trial_for(strategy, trial))
        assert np.array_equal(row, course.returns() - course.cash_returns())
    assert len(np.unique(table, axis=0)) > 1


def test_combinations_that_mean_nothing_are_counted() -> None:
    grid = configurations([parse_axis("fast=10,50"), parse_axis("slow=20,40")])
    found = variants_of("trend_vol", grid, bars=100)
    assert [str(each) for each in found.configurations] == ["fast=10 slow=20", "fast=10 slow=40"]
    assert found.impossible == 2


@pytest.mark.parametrize(
    ("strategy", "axis", "bars"),
    [
        ("buy_and_hold", "weight=1", 100),
        ("nobody", "weight=1", 100),
        ("constant_mix", "slow=1", 100),
        ("constant_mix", "weight=2,3", 100),
        ("dca", "months=1.5", 100),
        ("constant_mix", "weight=0,1", 25_000_001),
    ],
)
def test_a_sweep_that_cannot_be_meant_is_refused(strategy: str, axis: str, bars: int) -> None:
    with pytest.raises(Fault) as caught:
        variants_of(strategy, configurations([parse_axis(axis)]), bars=bars)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


def test_every_parameter_of_every_strategy_has_a_name() -> None:
    assert set(RULES) | set(MADE) == {
        "sma200_band", "vol_target", "trend_vol", "constant_mix", "dca", "decision",
    }  # fmt: skip
