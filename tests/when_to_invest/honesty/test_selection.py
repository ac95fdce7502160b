"""Picking the best of many is charged for everything that was tried."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from when_to_invest.canonical import digest
from when_to_invest.honesty.selection import select, sharpe_ratios
from when_to_invest.honesty.trials import Trial, TrialLedger

BARS = 2_000
YEAR = 252.0


def noise(count: int, *, seed: int = 0, bars: int = BARS) -> np.ndarray:
    return 0.01 * np.random.default_rng(seed).standard_normal((count, bars))


def ledger_of(ratios: list[float], *, family: str = "sweep") -> TrialLedger:
    ledger = TrialLedger()
    for number, ratio in enumerate(ratios):
        trial = Trial(
            id=f"t-{family}-{number}",
            at=datetime(2018, 1, 2, tzinfo=UTC),
            family=family,
            instrument="FAKE",
            parameters_hash=digest([family, number]),
            sharpe_per_bar=ratio,
            bars=BARS,
            previous=ledger.head,
        )
        ledger = ledger.append(trial)
    return ledger


def judged(table: np.ndarray, *, earlier: int = 0, best: int = 3):  # noqa: ANN201 - a test's shorthand
    tried = [float(ratio) for ratio in sharpe_ratios(table)] + [0.0] * earlier
    return select(table, ledger_of(tried), family="sweep", bars_per_year=YEAR, best=best)


def test_the_best_come_first() -> None:
    table = noise(20)
    found = judged(table)
    assert [one.place for one in found.best] == list(np.argsort(-sharpe_ratios(table))[:3])
    assert found.best[0].sharpe == pytest.approx(sharpe_ratios(table).max() * YEAR**0.5)


def test_the_best_of_pure_noise_is_luck() -> None:
    beyond = [judged(noise(100, seed=seed, bars=500)).is_beyond_luck for seed in range(20)]
    assert sum(beyond) <= 1


def test_a_true_edge_is_beyond_luck() -> None:
    table = noise(30)
    table[7] += 0.002
    found = judged(table)
    assert found.best[0].place == 7
    assert found.is_beyond_luck


def test_more_trials_raise_the_hurdle_and_lower_the_odds() -> None:
    table = noise(30)
    few, many = judged(table), judged(table, earlier=1000)
    assert (few.trials, many.trials) == (30, 1030)
    assert many.hurdle > few.hurdle
    assert many.best[0].deflated is not None
    assert few.best[0].deflated is not None
    assert many.best[0].deflated < few.best[0].deflated


def test_only_the_same_family_competes() -> None:
    table = noise(5)
    ledger = ledger_of([0.0] * 9, family="overlay")
    assert select(table, ledger, family="sweep", bars_per_year=YEAR, best=1).trials == 1


def test_what_never_moves_has_no_figure() -> None:
    found = judged(np.zeros((2, BARS)))
    assert found.best[0].sharpe == 0.0
    assert found.best[0].deflated is None
    assert not found.is_beyond_luck


@pytest.mark.parametrize("table", [noise(1), noise(5, bars=31)], ids=["one", "short"])
def test_too_little_for_splits_has_no_probability_of_overfitting(table: np.ndarray) -> None:
    assert judged(table).overfitting is None
