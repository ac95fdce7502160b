from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss

from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.features.daily import daily_bars
from when_to_invest.features.risk_frame import WARM_UP, risk_frame
from when_to_invest.features.variance import log_returns
from when_to_invest.models.har import fit_har
from when_to_invest.models.interval import LEVELS, return_ranges
from when_to_invest.models.logit import fit_logit
from when_to_invest.models.outcomes import log_return_ahead, mean_ahead
from when_to_invest.models.up_odds import up_odds

BARS = daily_bars(daily_snapshot(3000, seed=2))
FRAME = risk_frame(BARS)
RETURNS = log_returns(BARS.close)


def test_noise_gives_the_base_rate_and_says_so() -> None:
    claimed = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        close = np.exp(np.cumsum(0.01 * generator.standard_normal(1500)))
        found = up_odds(generator.standard_normal((1500, 5)), close, horizon=21)
        claimed += found.has_skill
        if not found.has_skill:
            assert found.value == found.baseline
    assert claimed <= 3


def test_a_planted_signal_is_found() -> None:
    generator = np.random.default_rng(0)
    close = np.exp(np.cumsum(0.01 * generator.standard_normal(3000)))
    hint = np.nan_to_num(log_return_ahead(close, 5))[:, None] + 0.01 * generator.standard_normal((3000, 5))
    found = up_odds(hint, close, horizon=5)
    assert found.has_skill
    assert found.value != found.baseline
    assert found.shrinkage > 0.3


def test_the_base_rate_of_direction_leans_to_one_half() -> None:
    rising = np.exp(0.001 * np.arange(1000.0))
    found = up_odds(np.random.default_rng(0).standard_normal((1000, 5)), rising, horizon=21)
    assert 0.5 < found.baseline < 1.0
    assert not found.has_skill


def test_the_variance_forecast_beats_the_long_run_mean_out_of_sample() -> None:
    model = fit_har(FRAME, RETURNS, horizon=5, until=1500)
    rows = slice(1500, -5)
    came = mean_ahead(RETURNS**2, 5)[rows]
    guess = model.forecast(FRAME.log_variance[rows])
    mean = (RETURNS[:1500] ** 2).mean()

    def qlike(forecast: np.ndarray | float) -> float:
        return float((came / forecast - np.log(came / forecast) - 1).mean())

    assert qlike(guess) < 0.9 * qlike(mean)


def test_the_variance_forecast_is_at_the_level_of_squared_returns() -> None:
    model = fit_har(FRAME, RETURNS, horizon=21, until=len(BARS))
    rows = slice(WARM_UP, -21)
    fitted = model.forecast(FRAME.log_variance[rows])
    assert fitted.mean() == pytest.approx(mean_ahead(RETURNS**2, 21)[rows].mean())


def test_rows_from_until_on_teach_nothing() -> None:
    changed = RETURNS.copy()
    changed[1500:] *= 5
    told = fit_har(FRAME, RETURNS, horizon=21, until=1500)
    retold = fit_har(FRAME, changed, horizon=21, until=1500)
    assert np.array_equal(told.coefficients, retold.coefficients)
    assert told.scale == retold.scale


def test_ranges_are_nested_and_cover_what_they_promise() -> None:
    forecast = np.full(len(BARS), np.nan)
    forecast[WARM_UP:] = fit_har(FRAME, RETURNS, horizon=5, until=2000).forecast(FRAME.log_variance[WARM_UP:])
    came = np.expm1(log_return_ahead(BARS.close, 5))
    inside = {level: [] for level in LEVELS}
    for row in range(2000, len(BARS) - 5, 5):
        found = return_ranges(BARS.close[: row + 1], forecast[: row + 1], horizon=5)
        lows, highs = [each.low for each in found], [each.high for each in found]
        assert lows == sorted(lows, reverse=True)
        assert highs == sorted(highs)
        for each in found:
            inside[each.level].append(each.low <= came[row] <= each.high)
    for level, hits in inside.items():
        assert np.mean(hits) == pytest.approx(level, abs=0.1)


def test_the_regression_stands_where_no_small_change_makes_it_better() -> None:
    generator = np.random.default_rng(1)
    features = generator.standard_normal((400, 3))
    outcomes = (features[:, 0] + generator.standard_normal(400) > 0).astype(float)
    model = fit_logit(features, outcomes, strength=1.0)
    weights = model.fitted.coef_[0]
    scaled = np.clip((features - model.centre) / model.spread, -5, 5)

    def penalised(change: np.ndarray) -> float:
        odds = 1 / (1 + np.exp(-(scaled @ (weights + change) + model.fitted.intercept_[0])))
        return 400 * log_loss(outcomes, odds) + 0.5 * float((weights + change) @ (weights + change))

    best = penalised(np.zeros(3))
    for change in np.vstack((np.eye(3), -np.eye(3))) * 1e-3:
        assert penalised(change) > best


def test_the_regression_gives_the_same_bits_every_time() -> None:
    generator = np.random.default_rng(1)
    features, outcomes = generator.standard_normal((400, 3)), generator.integers(0, 2, 400).astype(float)
    told = fit_logit(features, outcomes, strength=1.0).probability(features)
    assert np.array_equal(told, fit_logit(features, outcomes, strength=1.0).probability(features))
