from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.features.daily import daily_bars
from when_to_invest.models.fall_odds import THRESHOLDS, design, log_fall, pooled_odds
from when_to_invest.models.newton_logit import logistic
from when_to_invest.models.own_frequency import own_counts, own_shares, weight
from when_to_invest.models.past import FIRST_ROW, REFIT_DAYS, Past
from when_to_invest.models.prior import shipped_prior

FALLS = [log_fall(each) for each in THRESHOLDS]


def _past(count: int = 1500, seed: int = 0) -> Past:
    return Past(daily_bars(daily_snapshot(count, seed=seed)), shipped_prior())


def _deviation(past: Past, horizon: int) -> np.ndarray:
    deviation: np.ndarray = past.panel.volatility + 0.5 * math.log(horizon)
    return deviation


def _shares(past: Past, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    deviation = _deviation(past, horizon)
    counts = own_counts(past, horizon, deviation)
    return own_shares(counts, horizon, FALLS, log_deviation=deviation)


@pytest.mark.parametrize("horizon", [1, 5, 21])
def test_the_share_counts_the_finished_days_that_fell_as_far_in_their_own_units(horizon: int) -> None:
    past = _past()
    deviation = _deviation(past, horizon)
    share, trials = _shares(past, horizon)
    for row in (FIRST_ROW + 3 * REFIT_DAYS, FIRST_ROW + 10 * REFIT_DAYS + 17, len(past.bars) - 1):
        refit = FIRST_ROW + REFIT_DAYS * ((row - FIRST_ROW) // REFIT_DAYS)
        ended = np.arange(FIRST_ROW, refit - horizon + 1)
        scaled = -np.log1p(past.worst(horizon)[ended]) / np.exp(deviation[ended])
        needed = np.exp(np.array(FALLS)) / np.exp(deviation[row])
        exact = (scaled[:, None] >= needed).mean(axis=0)
        # A bin is 2 % wide, so the share lies between those of falls 2 % deeper and shallower.
        low = (scaled[:, None] >= needed * 1.021).mean(axis=0)
        high = (scaled[:, None] >= needed / 1.021).mean(axis=0)
        assert (share[row] >= low - 1e-12).all()
        assert (share[row] <= high + 1e-12).all()
        assert abs(share[row] - exact).max() < 0.05
        assert trials[row] == pytest.approx(len(ended) / horizon)


def test_nothing_is_counted_before_a_horizon_has_ended() -> None:
    past = _past(800)
    share, trials = _shares(past, 63)
    first = FIRST_ROW + REFIT_DAYS * math.ceil(63 / REFIT_DAYS)
    assert (trials[:first] == 0.0).all()
    assert (share[:first] == 0.0).all()
    assert trials[-1] > 0.0


@given(st.integers(400, 1499))
def test_later_days_change_no_earlier_share(count: int) -> None:
    whole, known = _past(), Past(_past().bars.until(count), shipped_prior())
    for horizon in (5, 21):
        full = _shares(whole, horizon)
        part = _shares(known, horizon)
        assert np.array_equal(full[0][:count], part[0])
        assert np.array_equal(full[1][:count], part[1])


def test_own_history_never_outweighs_what_others_taught_by_more_than_three_to_two() -> None:
    trials = np.array([0.0, 1.0, 50.0, 1e9])
    given_weight = weight(trials)
    assert given_weight[0] == 0.0
    assert given_weight[2] == pytest.approx(0.3)
    assert (np.diff(given_weight) > 0.0).all()
    assert given_weight[-1] <= 0.6


def test_pooled_odds_are_those_of_their_design() -> None:
    past = _past()
    odds = pooled_odds(past, 21, THRESHOLDS)
    rows = np.arange(FIRST_ROW + 300, len(past.bars))
    for column, fall in enumerate(FALLS):
        features = design(past.panel, rows, np.full(len(rows), fall), 21)
        expected = logistic((features * past.by_row(21, "fall")[rows]).sum(axis=1))
        assert odds[rows, column] == pytest.approx(expected, rel=1e-10)
