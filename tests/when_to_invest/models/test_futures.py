"""Futures have the odds that are shown, and expect no more than the drift allows."""

from __future__ import annotations

import numpy as np
import pytest

from when_to_invest.models.dynamics import Shape, Table
from when_to_invest.models.fall_odds import THRESHOLDS, HorizonOdds
from when_to_invest.models.futures import FALLS, SHARES, WAITS, Futures, Promised, simulate_futures
from when_to_invest.models.regimes import RegimeParameters
from when_to_invest.models.simulation import shrunk_drift
from when_to_invest.models.skill import UNPROVEN

TABLE = Table((Shape(0.03, 0.12, 0.88, 0.12),), RegimeParameters(0.05, 0.4, 0.99, -0.05, 2.5, 0.97))
CLOSE = 100.0 * np.cumprod(1.0 + 0.01 * np.random.default_rng(3).standard_t(5, 1500) / 1.29 + 2e-4)
DROPS = (
    HorizonOdds(5, (0.12, 0.03, 0.0004), (0.1, 0.02, 0.001), UNPROVEN),
    HorizonOdds(21, (0.40, 0.17, 0.02), (0.3, 0.1, 0.01), UNPROVEN),
    HorizonOdds(63, (0.55, 0.35, 0.10), (0.5, 0.3, 0.1), UNPROVEN),
)


def _futures(*, seed: int = 0, lean: float = 0.0, up: float = 0.6, up_days: int = 21) -> Futures:
    return _with_level(1e-4, Promised(DROPS, up, up_days, lean), seed=seed)


def _with_level(variance: float, promised: Promised, *, seed: int = 0) -> Futures:
    means = {5: variance, 21: 1.1 * variance, 63: 1.2 * variance}
    return simulate_futures(CLOSE, TABLE, variance=means, promised=promised, seed=seed)


@pytest.mark.parametrize("up_days", [1, 21, 100])
def test_they_have_every_odd_that_is_shown(up_days: int) -> None:
    found = _futures(up_days=up_days)
    assert found.fit.is_exact
    assert found.up_odds(up_days) == pytest.approx(0.6, abs=1e-6)
    for each in DROPS:
        for fall, value in zip(THRESHOLDS, each.values, strict=True):
            assert found.fall_odds(fall, each.horizon) == pytest.approx(value, abs=1e-6)


def test_a_fall_too_rare_for_plain_paths_has_its_odds_too() -> None:
    calm = (HorizonOdds(5, (0.005, 0.001, 0.0003), (0.005, 0.001, 0.0003), UNPROVEN),)
    found = _with_level(2e-5, Promised(calm, 0.55, 21, 0.0))
    plain = np.arange(found.paths.prices.shape[1]) % 20 != 0
    assert not (found.first_days[2][plain] <= 5).any()
    assert found.fall_odds(0.10, 5) == pytest.approx(0.0003, abs=1e-6)


def test_waiting_is_expected_to_cost_the_drift_whatever_the_odds_of_a_fall() -> None:
    drift = shrunk_drift(CLOSE[1:] / CLOSE[:-1] - 1.0)
    for days in WAITS:
        cost = _futures().waiting_cost(days)
        assert cost.cost_bps == pytest.approx(1e4 * ((1.0 + drift.ratio) ** days - 1.0), abs=0.5)
        assert cost.error_bps == pytest.approx(1e4 * days * drift.error)


def test_a_direction_forecast_with_skill_moves_the_cost_its_way() -> None:
    costs = [_futures(lean=lean, up=0.6 + lean).waiting_cost(21).cost_bps for lean in (-0.05, 0.0, 0.05)]
    assert costs == sorted(costs)
    assert costs[2] - costs[0] > 20.0


def test_first_days_agree_with_the_odds_of_their_day() -> None:
    found = _futures()
    for fall in FALLS:
        for share, day in zip(SHARES, found.passage_days(fall), strict=True):
            if day is None:
                assert found.fall_odds(fall, 63) < share
            else:
                assert found.fall_odds(fall, day) >= share - 1e-9
                assert day == 1 or found.fall_odds(fall, day - 1) < share


def test_a_fall_that_too_few_futures_see_has_no_day() -> None:
    assert _futures().passage_days(0.10)[1:] == (None, None)


def test_a_price_is_lower_higher_or_the_same() -> None:
    found = _futures()
    for days in WAITS:
        assert 0.99 < found.lower_odds(days) + found.up_odds(days) <= 1.0 + 1e-9


def test_the_seed_decides_the_paths_and_nothing_that_was_promised() -> None:
    one, again, other = _futures(seed=1), _futures(seed=1), _futures(seed=2)
    assert one.fit.weights.tobytes() == again.fit.weights.tobytes()
    assert one.paths.prices.tobytes() != other.paths.prices.tobytes()
    assert one.fall_odds(0.05, 21) == pytest.approx(other.fall_odds(0.05, 21), abs=1e-6)
    assert one.lower_odds(63) == pytest.approx(other.lower_odds(63), abs=0.04)
