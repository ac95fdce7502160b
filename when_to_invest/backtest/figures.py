"""Figures of a course: growth, volatility, drawdown, costs.

Stage: backtest (pure). Ratios; a figure that the course is too short or too still for is None.
Sharpe (1994) ratio: mean over standard deviation of returns above cash, annualised by the bars
that the course really had a year.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.backtest.course import Course
from when_to_invest.backtest.terms import YEAR_US

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray, TimeArray

DAY_US: Final = 86_400e6
_STILL: Final = 1e-12
"""Volatility of a bar below which nothing moved."""


@dataclass(frozen=True, slots=True)
class Figures:
    """`total_return`, `cagr`, `volatility_annual` and `max_drawdown` are ratios; a drawdown is negative.

    `cagr` is None below a year. `under_water_days`: longest stretch between two peaks, in days;
    `under_water_share`: share of bars below an earlier peak. `turnover_per_year`: traded value
    over equity, buys and sells added. `fees`: in units of the budget.
    """

    total_return: float
    cagr: float | None
    volatility_annual: float | None
    sharpe: float | None
    max_drawdown: float
    under_water_days: float
    under_water_share: float
    mean_exposure: float
    turnover_per_year: float | None
    fees: float
    fills: int
    final_equity: float


@dataclass(frozen=True, slots=True)
class Edge:
    """Mean return over another course, a year, and its t statistic; None when they never differ.

    `t` takes the differences for independent: a guide, not a test.
    """

    annual: float
    t: float | None


def years_of(opened_us: TimeArray) -> float:
    """Return the length of a course in years, from its first to its last bar."""
    return float(opened_us[-1] - opened_us[0]) / YEAR_US


def figures_of(course: Course) -> Figures:
    """Return the figures of a course of at least two bars."""
    import numpy as np

    wealth = np.cumprod(1.0 + course.returns())
    years = years_of(course.opened_us)
    falls = wealth / np.maximum(np.maximum.accumulate(wealth), 1.0) - 1.0
    volatility, sharpe = _risk(course, years)
    return Figures(
        total_return=float(wealth[-1] - 1.0),
        cagr=float(wealth[-1] ** (1.0 / years) - 1.0) if years >= 1.0 else None,
        volatility_annual=volatility,
        sharpe=sharpe,
        max_drawdown=float(falls.min()),
        under_water_days=_longest_fall(falls, course.opened_us),
        under_water_share=float((falls < 0.0).mean()),
        mean_exposure=float(course.exposure.mean()),
        turnover_per_year=course.turnover / years if years > 0.0 else None,
        fees=course.fees,
        fills=course.fills,
        final_equity=float(course.equity[-1]),
    )


def edge_over(course: Course, other: Course) -> Edge:
    """Return what `course` earned a year over `other`, of the same bars, and how surely."""
    gap = course.returns() - other.returns()
    years = years_of(course.opened_us)
    bars_a_year = len(gap) / years if years > 0.0 else 0.0
    spread = float(gap.std(ddof=1))
    mean = float(gap.mean())
    return Edge(mean * bars_a_year, mean / spread * len(gap) ** 0.5 if spread > _STILL else None)


def _risk(course: Course, years: float) -> tuple[float | None, float | None]:
    """Return annual volatility and Sharpe ratio."""
    returns = course.returns()
    spread = float(returns.std(ddof=1))
    if years <= 0.0:
        return None, None
    to_year = (len(returns) / years) ** 0.5
    excess = returns - course.cash_returns()
    spread_excess = float(excess.std(ddof=1))
    sharpe = float(excess.mean()) / spread_excess * to_year if spread_excess > _STILL else None
    return spread * to_year, sharpe


def _longest_fall(falls: FloatArray, opened_us: TimeArray) -> float:
    """Return the days of the longest stretch below a peak, from the peak on."""
    longest, peak = 0.0, float(opened_us[0])
    for fall, opened in zip(falls.tolist(), opened_us.tolist(), strict=True):
        if fall < 0.0:
            longest = max(longest, opened - peak)
        else:
            peak = opened
    return longest / DAY_US
