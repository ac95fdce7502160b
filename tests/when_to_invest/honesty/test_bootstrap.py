"""Intervals: seeded, as wide as dependence demands, and right about as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.bootstrap import block_of, bootstrap_ci, bootstrap_means, interval_of, skill_ci


def mean(values: np.ndarray) -> float:
    return float(values.mean())


def test_equal_seeds_give_equal_intervals_and_others_do_not() -> None:
    values = np.random.default_rng(0).normal(size=300)
    one = bootstrap_ci(values, mean, block=9, n=200, seed=4)
    assert bootstrap_ci(values, mean, block=9, n=200, seed=4) == one
    assert bootstrap_ci(values, mean, block=9, n=200, seed=5) != one


def test_the_interval_of_a_mean_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(0).normal(size=2_000)
    found = bootstrap_ci(values, mean, block=1, n=2_000)
    assert found.high - found.low == pytest.approx(2 * 1.645 / np.sqrt(2_000), rel=0.1)


def test_blocks_see_the_dependence_that_single_rows_miss() -> None:
    noise = np.random.default_rng(0).normal(size=3_020)
    overlapping = np.convolve(noise, np.ones(21), mode="valid")
    single = bootstrap_ci(overlapping, mean, block=1, n=500)
    blocks = bootstrap_ci(overlapping, mean, block=block_of(21), n=500)
    assert blocks.high - blocks.low > 3 * (single.high - single.low)


def test_nine_intervals_in_ten_hold_the_truth() -> None:
    chance = np.random.default_rng(11)
    held = 0
    for seed in range(600):
        values = np.convolve(chance.normal(size=1_004), np.ones(5) / 5, mode="valid")
        means = bootstrap_means((values,), block=block_of(5), n=400, seed=seed)[:, 0]
        found = interval_of(means, level=0.9)
        held += found.low <= 0.0 <= found.high
    assert 0.84 <= held / 600 <= 0.94


def test_pairs_are_resampled_together() -> None:
    values = np.random.default_rng(0).normal(size=100)
    found = bootstrap_ci((values, values), lambda one, two: float((one - two).sum()), block=5, n=50)
    assert (found.low, found.high) == (0.0, 0.0)


@pytest.mark.parametrize(("count", "block"), [(100, 7), (100, 10), (99, 63), (50, 63), (1, 1)])
def test_block_sums_draw_the_same_histories_as_rows_do(count: int, block: int) -> None:
    values = np.random.default_rng(0).normal(size=(2, count))
    by_rows: list[tuple[float, float]] = []

    def note(one: np.ndarray, two: np.ndarray) -> float:
        by_rows.append((float(one.mean()), float(two.mean())))
        return 0.0

    bootstrap_ci(tuple(values), note, block=block, n=40, seed=3)
    assert bootstrap_means(tuple(values), block=block, n=40, seed=3) == pytest.approx(np.array(by_rows))


def test_the_skill_interval_equals_the_slow_one() -> None:
    chance = np.random.default_rng(1)
    loss, base = chance.random(400), chance.random(400) + 0.2
    slow = bootstrap_ci((loss, base), lambda a, b: float(1 - a.mean() / b.mean()), block=15, n=300, seed=2)
    quick = skill_ci(loss, base, block=15, n=300, seed=2)
    assert (quick.low, quick.high) == pytest.approx((slow.low, slow.high))


def test_a_statistic_that_is_mostly_undefined_has_no_interval() -> None:
    found = skill_ci(np.ones(50), np.zeros(50), block=5, n=50)
    assert np.isnan(found.low)
    assert not found.is_above(-1e9)


@pytest.mark.parametrize(
    "arguments",
    [{"block": 0}, {"block": 3, "n": 0}, {"block": 3, "level": 1.0}, {"block": 3, "level": 0.0}],
)
def test_nonsense_is_refused(arguments: dict[str, float]) -> None:
    with pytest.raises(Fault) as caught:
        bootstrap_ci(np.ones(10), mean, **arguments)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(Fault):
        bootstrap_ci((np.ones(3), np.ones(4)), mean, block=1)
    with pytest.raises(Fault):
        bootstrap_ci(np.ones(0), mean, block=1)
