from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import Proof
from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.features.daily import DailyBars, daily_bars
from when_to_invest.models.fall_odds import THRESHOLDS, HorizonOdds, coherent, newest_odds
from when_to_invest.models.outcomes import worst_fall_ahead
from when_to_invest.models.past import FIRST_ROW, Past
from when_to_invest.models.prior import EMPTY, shipped_prior
from when_to_invest.models.skill import UNPROVEN


def _bars(seed: int, count: int = 1500) -> DailyBars:
    return daily_bars(daily_snapshot(count, seed=seed))


def _odds(bars: DailyBars, horizon: int) -> HorizonOdds:
    return newest_odds(Past(bars, shipped_prior()), horizon)


@pytest.mark.proof
def test_a_deeper_fall_is_never_likelier_nor_a_longer_wait_safer(proof: Proof) -> None:
    for seed in proof.seeds(ci=6, full=100):
        near, far = coherent(tuple(_odds(_bars(seed), horizon) for horizon in (21, 5)))
        for odds in (near, far):
            assert list(odds.values) == sorted(odds.values, reverse=True)
            assert all(0.0 <= value <= 1.0 for value in odds.values)
        assert all(longer >= shorter for longer, shorter in zip(far.values, near.values, strict=True))


def test_the_base_rate_is_the_frequency_among_finished_outcomes() -> None:
    bars = _bars(0)
    worst = worst_fall_ahead(bars.close, 21)[FIRST_ROW:-21]
    expected = [float((worst <= -threshold).mean()) for threshold in THRESHOLDS]
    assert _odds(bars, 21).baselines == pytest.approx(expected)


def test_spells_of_wild_trading_are_recognised_as_risk() -> None:
    odds = _odds(_bars(3, 4000), 5)
    assert odds.has_skill
    assert odds.skill.brier_skill > 0.02


def test_without_lessons_the_base_rate_is_the_answer() -> None:
    odds = newest_odds(Past(_bars(0), EMPTY), 21)
    assert odds.values == odds.baselines
    assert not odds.has_skill


def test_a_market_that_never_fell_is_given_next_to_no_odds_of_falling() -> None:
    generator = np.random.default_rng(0)
    bars = _bars(0, 900)
    rising = DailyBars(
        day=bars.day,
        open=bars.open,
        high=bars.high,
        low=bars.low,
        close=np.exp(np.cumsum(np.abs(0.001 * generator.standard_normal(900)))),
        has_range=False,
        days_per_year=bars.days_per_year,
        session=bars.session,
    )
    odds = _odds(rising, 5)
    assert odds.baselines == (0.0, 0.0, 0.0)
    assert max(odds.values) < 0.005


def test_longer_horizons_are_raised_to_the_shorter_ones() -> None:
    short = HorizonOdds(5, (0.4, 0.3, 0.1), (0.1, 0.1, 0.1), UNPROVEN)
    long = HorizonOdds(21, (0.3, 0.35, 0.05), (0.1, 0.1, 0.1), UNPROVEN)
    assert [odds.values for odds in coherent((long, short))] == [(0.4, 0.3, 0.1), (0.4, 0.35, 0.1)]
