from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import Proof
from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.features.daily import DailyBars, daily_bars
from when_to_invest.features.risk_frame import WARM_UP, risk_frame
from when_to_invest.models.drop_odds import THRESHOLDS, HorizonOdds, coherent, drop_odds, walk_forward
from when_to_invest.models.outcomes import worst_fall_ahead
from when_to_invest.models.skill import UNPROVEN, Fold


def _bars(seed: int, count: int = 1500) -> DailyBars:
    return daily_bars(daily_snapshot(count, seed=seed))


def _odds(bars: DailyBars, horizon: int) -> HorizonOdds:
    return drop_odds(risk_frame(bars).log_variance, bars.close, horizon=horizon)


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
    worst = worst_fall_ahead(bars.close, 21)[WARM_UP:-21]
    expected = [float((worst <= -threshold).mean()) for threshold in THRESHOLDS]
    assert _odds(bars, 21).baselines == pytest.approx(expected)


def test_spells_of_wild_trading_are_recognised_as_risk() -> None:
    odds = _odds(_bars(3, 4000), 5)
    assert odds.has_skill
    assert odds.skill.brier_skill > 0.02


def test_without_a_gain_in_validation_the_base_rate_is_the_answer() -> None:
    bars = _bars(0)
    noise = np.random.default_rng(0).standard_normal((len(bars), 4))
    odds = drop_odds(noise, bars.close, horizon=21)
    assert not odds.has_skill
    assert odds.skill.brier_skill <= 0.0
    assert odds.values == odds.baselines


def test_a_market_that_never_fell_gets_its_base_rate() -> None:
    rising = np.exp(0.001 * np.arange(900.0))
    odds = drop_odds(np.random.default_rng(0).standard_normal((900, 4)), rising, horizon=5)
    assert odds.values == odds.baselines == (0.0, 0.0, 0.0)
    assert not odds.has_skill


@pytest.mark.proof
def test_what_comes_after_the_first_judged_day_changes_nothing_for_it(proof: Proof) -> None:
    bars = _bars(5)
    lines = risk_frame(bars).log_variance
    for seed in proof.seeds(ci=10, full=200):
        generator = np.random.default_rng(seed)
        start, horizon = int(generator.integers(700, 1400)), int(generator.integers(1, 22))
        fold = Fold(known=start - horizon, start=start, stop=start + 1)
        changed = bars.close.copy()
        changed[start + 1 :] *= np.exp(generator.standard_normal(len(changed) - start - 1))
        told = walk_forward(lines, bars.close, horizon=horizon, fold=fold)
        retold = walk_forward(lines, changed, horizon=horizon, fold=fold)
        assert np.array_equal(told[0], retold[0])
        assert np.array_equal(told[1], retold[1])


def test_longer_horizons_are_raised_to_the_shorter_ones() -> None:
    short = HorizonOdds(5, (0.4, 0.3, 0.1), (0.1, 0.1, 0.1), UNPROVEN)
    long = HorizonOdds(21, (0.3, 0.35, 0.05), (0.1, 0.1, 0.1), UNPROVEN)
    assert [odds.values for odds in coherent((long, short))] == [(0.4, 0.3, 0.1), (0.4, 0.35, 0.1)]
