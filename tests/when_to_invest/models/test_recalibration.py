from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import Proof
from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.features.daily import daily_bars
from when_to_invest.models.past import REFIT_DAYS, Past
from when_to_invest.models.prior import EMPTY, Prior, shipped_prior
from when_to_invest.models.recalibration import MEMORY, STEP, width_factors
from when_to_invest.models.volatility import LEVELS, forecast_variance, sorted_quantiles

HORIZON = 21
COUNT = 20 * REFIT_DAYS
REFITS = np.arange(0, COUNT, REFIT_DAYS)
BARS = daily_bars(daily_snapshot(1700, seed=4))


def _factors(came: np.ndarray, *, half_width: float = 1.0, horizon: int = HORIZON) -> np.ndarray:
    ranges = np.column_stack((np.full(COUNT, -half_width), np.full(COUNT, half_width)))
    return width_factors(ranges, came, refits=REFITS, horizon=horizon)


def test_before_any_outcome_ended_nothing_is_changed() -> None:
    assert _factors(np.full(COUNT, 9.0))[0] == 1.0
    assert _factors(np.full(COUNT, 9.0), horizon=126)[:2].tolist() == [1.0, 1.0]


def test_misses_widen_and_their_absence_narrows() -> None:
    missed, held = _factors(np.full(COUNT, 9.0)), _factors(np.zeros(COUNT))
    assert (np.diff(missed[:5]) > 0.0).all()
    assert (np.diff(held[:5]) < 0.0).all()


def test_the_first_feedback_is_the_equation() -> None:
    came = np.zeros(COUNT)
    came[:10] = 9.0
    ended = REFIT_DAYS - HORIZON + 1
    assert np.log(_factors(came)[1]) == pytest.approx(STEP * (10 - 0.1 * ended))


def test_a_range_that_misses_as_often_as_promised_stays() -> None:
    came = np.where(np.arange(COUNT) % 10 == 0, 9.0, 0.0)
    assert _factors(came) == pytest.approx(1.0, abs=0.02)


def test_ranges_that_were_too_narrow_end_up_holding() -> None:
    came = np.random.default_rng(0).standard_normal(COUNT)
    factors = _factors(came, half_width=1.3, horizon=1)
    first, last = (np.abs(came[part]) <= 1.3 * np.repeat(factors, REFIT_DAYS)[part] for part in _HALVES)
    assert 0.75 < first.mean() < last.mean()
    assert last.mean() == pytest.approx(0.9, abs=0.04)


_HALVES = (slice(0, COUNT // 2), slice(COUNT // 2, None))


@pytest.mark.parametrize("horizon", [1, HORIZON, 126])
def test_outcomes_that_have_not_ended_are_never_read(horizon: int) -> None:
    came = np.random.default_rng(1).standard_normal(COUNT)
    known = _factors(came, half_width=1.5, horizon=horizon)
    for turn, refit in enumerate(REFITS):
        unknown = came.copy()
        unknown[max(0, refit - horizon + 1) :] = np.nan
        assert np.array_equal(_factors(unknown, half_width=1.5, horizon=horizon)[turn], known[turn])


def test_errors_longer_ago_than_the_memory_are_forgotten() -> None:
    came = np.random.default_rng(2).standard_normal(COUNT)
    other = came.copy()
    other[: COUNT - REFIT_DAYS - MEMORY] = 9.0
    assert _factors(other)[-1] == _factors(came)[-1]
    assert _factors(other)[10] != _factors(came)[10]


def test_quantiles_of_sorted_values_are_those_of_numpy() -> None:
    values = np.sort(np.random.default_rng(3).standard_normal(137))
    assert sorted_quantiles(values) == pytest.approx(np.quantile(values, LEVELS))
    assert sorted_quantiles(values[:1]) == pytest.approx(values[0])


@pytest.mark.proof
@pytest.mark.parametrize("prior", [shipped_prior(), EMPTY], ids=["with lessons", "without lessons"])
@pytest.mark.parametrize("horizon", [1, 5, 21, 63, 126])
def test_a_range_is_the_same_whatever_follows(horizon: int, prior: Prior, proof: Proof) -> None:
    rows = np.arange(504, len(BARS))
    whole = forecast_variance(Past(BARS, prior), rows, horizon)
    for seed in proof.seeds(ci=6, full=60):
        row = int(np.random.default_rng(seed).integers(504, len(BARS)))
        lived = forecast_variance(Past(BARS.until(row + 1), prior), np.array([row]), horizon)
        assert lived.variance[0] == whole.variance[row - 504]
        assert np.array_equal(lived.quantiles[0], whole.quantiles[row - 504], equal_nan=True)
