"""How long it takes to say how lucky the best of 1,000 configurations was, exactly."""

from __future__ import annotations

import time
from itertools import combinations, islice
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks.row import Figure, Row, against, median_s, within
from when_to_invest.honesty.bootstrap import block_of, bootstrap_ci, skill_ci
from when_to_invest.honesty.overfitting import BLOCKS, probability_of_overfitting

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

CONFIGURATIONS: Final = 1_000
BARS: Final = 3_780
"""Fifteen years of sessions."""
PLAIN_SPLITS: Final = 20


def _plain_s_per_split(returns: FloatArray) -> float:
    """Return the duration of one split by the definition, on the returns themselves."""
    parts = returns[len(returns) % BLOCKS :].reshape(BLOCKS, -1, returns.shape[1])
    started = time.perf_counter()
    for picked in islice(combinations(range(BLOCKS), BLOCKS // 2), PLAIN_SPLITS):
        rest = [block for block in range(BLOCKS) if block not in picked]
        halves = [parts[list(each)].reshape(-1, returns.shape[1]) for each in (picked, rest)]
        inside, outside = (half.mean(axis=0) / half.std(axis=0) for half in halves)
        _ = (outside < outside[inside.argmax()]).sum()
    return (time.perf_counter() - started) / PLAIN_SPLITS


def rows() -> list[Row]:
    """Measure PBO and the skill interval, each beside the plain way to compute it."""
    chance = np.random.default_rng(0)
    returns = chance.normal(0.0002, 0.01, (BARS, CONFIGURATIONS))
    started = time.perf_counter()
    found = probability_of_overfitting(returns)
    pbo_s = time.perf_counter() - started
    loss, base = chance.random(BARS), chance.random(BARS)
    block = block_of(21)
    quick_s = median_s(lambda: skill_ci(loss, base, block=block), repeats=9)
    slow_s = median_s(
        lambda: bootstrap_ci((loss, base), lambda a, b: 1.0 - float(a.mean() / b.mean()), block=block),
        repeats=5,
    )
    plain_s = _plain_s_per_split(returns) * found.splits
    return [
        within(
            f"luck.pbo.{CONFIGURATIONS}_configurations_{found.splits}_splits", Figure(pbo_s, "s"), bound=10.0
        ),
        against(
            "luck.pbo",
            Figure(pbo_s, "s"),
            peer="by rows, scaled from 20 splits",
            peer_value=plain_s,
            least_ratio=10.0,
        ),
        against(
            "luck.skill_interval", Figure(quick_s, "s"), peer="row by row", peer_value=slow_s, least_ratio=2.0
        ),
    ]
