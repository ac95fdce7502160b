"""A year's money put in by the staged advice, against all at once and twelve equal parts.

Stage: evaluation (pure), on monthly prices. The rule is that of the staged advice: with the
trend up everything left goes in (its trigger); with it down a twelfth a month while the rule
tree stages (most momenta positive, or the price back in the band), else nothing; what is left
at the end of the window stays in cash. Volatility does not shrink a deployment that is to be
complete. Money waiting earns nothing, every purchase costs 5 bp, and a signal is bought at the
price that follows it. Source of the comparison: Vanguard (2012), "Dollar-cost averaging just
means taking risk later".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.decision.sizing import STAGED_FLOOR
from when_to_invest.evaluation.report import (
    FEWEST,
    FEWEST_BLOCKS,
    UNKNOWN_INTERVAL,
    DeploymentScore,
    Interval90,
    known,
)
from when_to_invest.evaluation.sizing_history import monthly_trend
from when_to_invest.honesty.scores import block_of, bootstrap_ci
from when_to_invest.signals.trend import BAND_RATIO

if TYPE_CHECKING:
    from collections.abc import Callable

    from when_to_invest.evaluation.monthly import Months
    from when_to_invest.market import FloatArray

MONTHS: Final = 12
PARTS: Final = 12
COST_RATIO: Final = 5e-4
WORST_SHARE: Final = 0.05
_STEPS: Final = 3
PACE: Final = STAGED_FLOOR / _STEPS
"""Fraction of the budget a month while the advice is to stage: three such steps make the floor."""
_RECOVERING: Final = 2
_PP: Final = 100.0
_DRAWS: Final = 1000
_FEWEST_WINDOWS: Final = FEWEST_BLOCKS * block_of(MONTHS)
"""With fewer, neither an interval nor a mean of the worst twentieth has a basis."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Wealth after 12 months from 1 of budget, for each rolling start, by way of investing."""

    staged: FloatArray
    dca: FloatArray
    lump: FloatArray

    def __len__(self) -> int:
        return len(self.staged)


def no_outcomes() -> Outcomes:
    """Return the outcomes of no start at all."""
    import numpy as np

    return Outcomes(*(np.zeros(0) for _ in range(3)))


def deployment_score(found: Outcomes, notes: list[str]) -> DeploymentScore:
    """Return the differences in hundredths of the budget, with block-bootstrap intervals."""
    count = len(found)
    if count < FEWEST:
        notes.append(f"deployment: {count} windows of {MONTHS} months are too few")
        return DeploymentScore(
            vs_dca_pp=None,
            vs_lump_pp=None,
            es5_vs_lump_pp=None,
            vs_dca_ci90=UNKNOWN_INTERVAL,
            vs_lump_ci90=UNKNOWN_INTERVAL,
            es5_vs_lump_ci90=UNKNOWN_INTERVAL,
            n=count,
        )
    has_interval = count >= _FEWEST_WINDOWS
    if not has_interval:
        notes.append(
            f"deployment: {count} windows of {MONTHS} months overlap too much for an interval, or to "
            f"know the worst twentieth; {_FEWEST_WINDOWS} are needed"
        )
    notes.append(
        "deployment: waiting money earns nothing; with interest both mean differences would be smaller"
    )
    return DeploymentScore(
        vs_dca_pp=known(_mean_gap(found.staged, found.dca)),
        vs_lump_pp=known(_mean_gap(found.staged, found.lump)),
        es5_vs_lump_pp=known(_shortfall_gap(found.staged, found.lump)) if has_interval else None,
        vs_dca_ci90=_interval(_mean_gap, found.staged, found.dca),
        vs_lump_ci90=_interval(_mean_gap, found.staged, found.lump),
        es5_vs_lump_ci90=_interval(_shortfall_gap, found.staged, found.lump),
        n=count,
    )


def rolling_outcomes(months: Months, *, first: int, last: int) -> Outcomes:
    """Return the wealth from every start `first` to `last` (rows) whose 12 months are known.

    Args:
        months: see `Months`; a year before `first` is needed for the trend.
        first: first row money may go in at `months.price`.
        last: last such row, inclusive.
    """
    import numpy as np

    shares = _monthly_shares(months)
    starts = range(max(first, MONTHS + 1), min(last + 1, len(months.price) - MONTHS))
    found = [
        _window(months.price[start : start + MONTHS + 1], shares[start : start + MONTHS]) for start in starts
    ]
    columns = np.array(found, dtype=np.float64).reshape(-1, 3)
    return Outcomes(staged=columns[:, 0], dca=columns[:, 1], lump=columns[:, 2])


def _monthly_shares(months: Months) -> FloatArray:
    """Return the largest fraction of the budget to put in at each row, decided before it."""
    import numpy as np

    trend = monthly_trend(months.close)
    is_staging = (trend.rising >= _RECOVERING) | (trend.distance >= -BAND_RATIO)
    decided = np.where(trend.is_up, 1.0, np.where(is_staging, PACE, 0.0))
    # A signal of the month that ended is bought at the first price after it.
    return np.append(0.0, decided[:-1])


def _window(price: FloatArray, shares: FloatArray) -> tuple[float, float, float]:
    """Return the final wealth of the three ways, from 13 prices and 12 monthly decisions."""
    growth = price[-1] / price[:-1] * (1.0 - COST_RATIO)
    left, staged = 1.0, 0.0
    for share, factor in zip(shares, growth, strict=True):
        part = min(left, float(share))
        staged += part * float(factor)
        left -= part
    return staged + left, float(growth.mean()), float(growth[0])


def _mean_gap(ours: FloatArray, theirs: FloatArray) -> float:
    return _PP * float((ours - theirs).mean())


def _shortfall_gap(ours: FloatArray, theirs: FloatArray) -> float:
    return _PP * (_shortfall(ours) - _shortfall(theirs))


def _shortfall(wealth: FloatArray) -> float:
    """Return the mean of the worst twentieth."""
    import numpy as np

    worst = max(1, int(len(wealth) * WORST_SHARE))
    return float(np.partition(wealth, worst - 1)[:worst].mean())


def _interval(statistic: Callable[..., float], ours: FloatArray, theirs: FloatArray) -> Interval90:
    if len(ours) < _FEWEST_WINDOWS:
        return UNKNOWN_INTERVAL
    found = bootstrap_ci((ours, theirs), statistic, block=block_of(MONTHS), n=_DRAWS)
    return known(found.low), known(found.high)
