from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import Proof
from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.features.daily import daily_bars
from when_to_invest.honesty.scores import brier_skill, coverage, expected_calibration_error
from when_to_invest.models.calibration import (
    FEWEST,
    FIRST_DAY,
    Calibration,
    calibration,
    recent_rows,
)
from when_to_invest.models.fall_odds import THRESHOLDS, newest_odds
from when_to_invest.models.own_units import SIGMAS, own_falls
from when_to_invest.models.past import Past
from when_to_invest.models.prior import shipped_prior
from when_to_invest.models.volatility import forecast_variance
from when_to_invest.models.walk_forward import walk_forward

SNAPSHOT = daily_snapshot(2600, seed=3)
BARS = daily_bars(SNAPSHOT)
FALL = 0.05


def _record(count: int, horizon: int = 5) -> Calibration:
    past = Past(BARS.until(count), shipped_prior())
    made = forecast_variance(past, recent_rows(past, horizon), horizon)
    return calibration(past, made, horizon=horizon, threshold=FALL)


def test_the_record_is_that_of_a_walk_forward() -> None:
    found, made = _record(len(BARS)), walk_forward(SNAPSHOT, horizons=(5,))
    rows = np.isfinite(made.drop_came[:, 0, 1])
    odds, base, came = (each[rows, 0, 1] for each in (made.drop, made.drop_base, made.drop_came))
    assert found.forecasts == len(odds) == len(BARS) - FIRST_DAY - 5
    assert found.brier_skill == pytest.approx(brier_skill(odds, base, came))
    assert found.ece == pytest.approx(expected_calibration_error(odds, came))
    newest = slice(-504 - 5, -5)
    ends, ended = made.quantiles[newest, 0], made.return_came[newest, 0]
    assert found.range_days == 504
    assert found.range_coverage == pytest.approx(coverage(ends[:, 0], ends[:, -1], ended))


def test_the_interval_holds_the_skill_and_decides_the_flag() -> None:
    found = _record(len(BARS))
    assert found.low is not None
    assert found.high is not None
    assert found.brier_skill is not None
    assert found.low < found.brier_skill < found.high
    assert found.has_skill == (found.low > 0.0)
    assert found.years == pytest.approx(found.forecasts / 252)


@pytest.mark.parametrize("judged", [0, 1, FEWEST - 1, FEWEST])
def test_below_thirty_forecasts_nothing_is_told(judged: int) -> None:
    found = _record(FIRST_DAY + 5 + judged)
    assert found.forecasts == found.range_days == judged
    assert (found.ece is None) == (found.range_coverage is None) == (judged < FEWEST)
    assert found.brier_skill is None
    assert not found.has_skill


@pytest.mark.proof
def test_no_outcome_that_has_not_ended_is_judged(proof: Proof) -> None:
    for seed in proof.seeds(ci=4, full=40):
        generator = np.random.default_rng(seed)
        count = int(generator.integers(800, len(BARS) - 300))
        later = BARS.close.copy()
        later[count:] *= np.exp(np.cumsum(0.05 * generator.standard_normal(len(BARS) - count)))
        other = Past(replace(BARS, close=later).until(count), shipped_prior())
        made = forecast_variance(other, recent_rows(other, 21), 21)
        assert calibration(other, made, horizon=21, threshold=FALL) == _record(count, 21)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("horizon", [5, 21])
def test_falls_in_own_units_fit_between_those_in_hundredths(seed: int, horizon: int) -> None:
    past = Past(daily_bars(daily_snapshot(1500, seed=seed)), shipped_prior())
    known = newest_odds(past, horizon)
    found = own_falls(past, known)
    assert [each.sigmas for each in found] == list(SIGMAS)
    falls = sorted(
        [(each.threshold, each.odds) for each in found] + list(zip(THRESHOLDS, known.values, strict=True))
    )
    odds = [each for _, each in falls]
    assert odds == sorted(odds, reverse=True)
    assert all(0.0 <= each.base <= 1.0 for each in found)


def test_one_sigma_is_the_root_mean_square_of_past_returns() -> None:
    past = Past(BARS, shipped_prior())
    returns = np.diff(np.log(BARS.close))
    sigma = np.sqrt((returns**2).mean() * 21)
    found = own_falls(past, newest_odds(past, 21))
    assert [each.threshold for each in found] == pytest.approx([1 - np.exp(-each * sigma) for each in SIGMAS])
