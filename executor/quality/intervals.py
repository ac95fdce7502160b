"""How sure a share or a mean is: 95 % intervals, or none where there is too little. Pure, seeded.

Shares: Wilson (1927). Means: the percentile bootstrap (Efron 1979) over decisions, not orders: the
children of one decision share its market, and counting each as news would promise too much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final

from executor.quality.figures import Missing

FEWEST: Final = 5
"""A mean of fewer decisions has no interval."""
RESAMPLES: Final = 1_000
_AT_ONCE: Final = 50
_Z: Final = Decimal("1.959963984540054")
_LOW, _HIGH = 0.025, 0.975


@dataclass(frozen=True, slots=True)
class Interval:
    """Both ends of a 95 % interval."""

    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Cluster:
    """One decision's part of a weighted mean: the sum of weight times value, and of the weights."""

    weighted: Decimal
    weight: Decimal


def wilson(hits: int, count: int) -> Interval | Missing:
    """Return the interval of a share of `hits` among `count`."""
    if not count:
        return Missing("there is nothing to count")
    n, share, z2 = Decimal(count), Decimal(hits) / count, _Z * _Z
    centre = share + z2 / (2 * n)
    spread = _Z * (share * (1 - share) / n + z2 / (4 * n * n)).sqrt()
    scale = 1 + z2 / n
    low = Decimal(0) if hits == 0 else max((centre - spread) / scale, Decimal(0))
    high = Decimal(1) if hits == count else min((centre + spread) / scale, Decimal(1))
    return Interval(low, high)


def weighted_mean(clusters: Sequence[Cluster]) -> Decimal | Missing:
    """Return the mean over all clusters."""
    weight = sum((each.weight for each in clusters), Decimal(0))
    if not weight:
        return Missing("there is nothing to average")
    return sum((each.weighted for each in clusters), Decimal(0)) / weight


def bootstrap(clusters: Sequence[Cluster], *, seed: int) -> Interval | Missing:
    """Return the interval of the weighted mean, by drawing whole clusters anew."""
    parts = [(float(each.weighted), float(each.weight)) for each in clusters if each.weight]
    if len(parts) < FEWEST:
        return Missing(f"fewer than {FEWEST} decisions")
    means = sorted(_resampled(parts, seed=seed))
    low, high = (means[round(end * (RESAMPLES - 1))] for end in (_LOW, _HIGH))
    return Interval(Decimal(repr(low)), Decimal(repr(high)))


def _resampled(parts: Sequence[tuple[float, float]], *, seed: int) -> list[float]:
    """Return the mean of each resample; few at a time, so that memory does not grow with them."""
    import numpy as np

    draw = np.random.default_rng(seed)
    weighted, weight = np.asarray(parts, dtype=np.float64).T
    means: list[float] = []
    for _ in range(RESAMPLES // _AT_ONCE):
        chosen = draw.integers(0, len(parts), size=(_AT_ONCE, len(parts)))
        means += (weighted[chosen].sum(axis=1) / weight[chosen].sum(axis=1)).tolist()
    return means


def quantile(values: Sequence[Decimal], share: Decimal, *, fewest: int) -> Decimal | Missing:
    """Return the smallest value that at least `share` of all are not above (nearest rank)."""
    if len(values) < fewest:
        return Missing(f"fewer than {fewest} are known")
    rank = int((len(values) * share).to_integral_value(ROUND_CEILING))
    return sorted(values)[max(rank, 1) - 1]
