from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.features.daily import DailyBars, daily_bars
from when_to_invest.models import newton_logit
from when_to_invest.models.direction import newest_direction, up_forecasts
from when_to_invest.models.past import FIRST_ROW, REFIT_DAYS, Past
from when_to_invest.models.prior import EMPTY, shipped_prior
from when_to_invest.models.volatility import LEVELS, central_ranges, forecast_variance

BARS = daily_bars(daily_snapshot(3000, seed=2))
PAST = Past(BARS, shipped_prior())


def _closes(bars: DailyBars, close: np.ndarray) -> DailyBars:
    return replace(bars, close=close, has_range=False)


def test_noise_gives_the_base_rate_and_says_so() -> None:
    claimed = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        close = np.exp(np.cumsum(0.01 * generator.standard_normal(1500)))
        found = newest_direction(Past(_closes(BARS.until(1500), close), shipped_prior()), 21)
        claimed += found.has_skill
        if not found.has_skill:
            assert found.value == found.baseline
    assert claimed <= 3


def test_the_base_rate_of_direction_leans_to_one_half() -> None:
    rising = _closes(BARS.until(1000), np.exp(0.001 * np.arange(1000.0)))
    found = newest_direction(Past(rising, EMPTY), 21)
    assert 0.5 < found.baseline < 1.0
    assert not found.has_skill


def test_a_momentum_market_is_recognised_when_the_lessons_say_momentum() -> None:
    generator = np.random.default_rng(0)
    drift = np.repeat(np.where(generator.random(60) < 0.5, -0.004, 0.004), 50)
    close = np.exp(np.cumsum(drift + 0.004 * generator.standard_normal(3000)))
    prior = shipped_prior()
    for by_horizon in prior.lessons.values():
        assert by_horizon[5].up.shape == (6,)
    momentum = {
        year: {h: replace(each, up=np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0])) for h, each in lessons.items()}
        for year, lessons in prior.lessons.items()
    }
    found = newest_direction(Past(_closes(BARS, close), replace(prior, lessons=momentum, _known={})), 5)
    assert found.has_skill
    assert found.trust > 0.3
    assert found.value != found.baseline


def test_the_variance_forecast_beats_the_long_run_mean_out_of_sample() -> None:
    rows = np.arange(1500, len(BARS) - 5)
    guess = forecast_variance(PAST, rows, 5).variance
    came = PAST.realised(5)[rows]
    mean = np.cumsum(PAST.panel.returns**2)[rows] / rows

    def qlike(forecast: np.ndarray) -> float:
        return float((came / forecast - np.log(came / forecast) - 1).mean())

    assert qlike(guess) < 0.9 * qlike(mean)


def test_the_variance_forecast_is_at_the_level_of_squared_returns() -> None:
    rows = np.arange(1000, len(BARS) - 21)
    guess = forecast_variance(PAST, rows, 21).variance
    assert guess.mean() == pytest.approx(PAST.realised(21)[rows].mean(), rel=0.25)


def test_ranges_are_nested_and_cover_what_they_promise() -> None:
    rows = np.arange(1500, len(BARS) - 5)
    found = forecast_variance(PAST, rows, 5).quantiles
    came = np.expm1(PAST.ahead(5)[rows])
    for column, level in enumerate(LEVELS):
        assert np.mean(came <= found[:, column]) == pytest.approx(level, abs=0.06)
    ranges = central_ranges(found[-1])
    assert [each.low for each in ranges] == sorted((each.low for each in ranges), reverse=True)
    assert [each.high for each in ranges] == sorted(each.high for each in ranges)


@pytest.mark.parametrize("row", [700, 1234, 2900])
def test_what_comes_after_a_day_changes_nothing_for_it(row: int) -> None:
    short = Past(BARS.until(row + 1), shipped_prior())
    rows = np.array([row])
    for horizon in (5, 21):
        assert (
            forecast_variance(short, rows, horizon).variance
            == forecast_variance(PAST, rows, horizon).variance
        )
        assert up_forecasts(short, rows, horizon).odds == up_forecasts(PAST, rows, horizon).odds


def test_refits_solved_together_are_those_solved_one_by_one() -> None:
    cuts = range(FIRST_ROW, len(BARS), REFIT_DAYS)
    together = Past(BARS, shipped_prior())
    forecast_variance(together, np.array(cuts), 5)
    for cut in cuts:
        alone = Past(BARS, shipped_prior())
        forecast_variance(alone, np.array([cut]), 5)
        one, other = (each.studies[5].refits([cut])[0] for each in (together, alone))
        assert np.array_equal(one.variance, other.variance)
        assert np.array_equal(one.spread, other.spread)


def test_newton_s_answer_is_scikit_learn_s() -> None:
    generator = np.random.default_rng(1)
    features = generator.standard_normal((500, 4))
    outcomes = (features[:, 0] + generator.standard_normal(500) > 0.3).astype(float)
    design = np.column_stack((np.ones(500), features))
    ours = newton_logit.fit(design, outcomes, penalty=np.array([0.0, 2.0, 2.0, 2.0, 2.0]))
    peer = LogisticRegression(C=0.5, solver="newton-cholesky", tol=1e-10, max_iter=100).fit(
        features, outcomes
    )
    assert ours == pytest.approx(np.concatenate((peer.intercept_, peer.coef_[0])), abs=1e-6)


def test_the_regression_gives_the_same_bits_every_time() -> None:
    generator = np.random.default_rng(1)
    design, outcomes = generator.standard_normal((400, 3)), generator.integers(0, 2, 400).astype(float)
    told = newton_logit.fit(design, outcomes, penalty=np.ones(3))
    assert np.array_equal(told, newton_logit.fit(design, outcomes, penalty=np.ones(3)))
