"""Market breakers as a table: states of the market in which less, or nothing, is added.

Stage: risk (pure). A breaker caps what may be added now; it never sells, because falls of
this size were on average followed by rebounds (S&P 500 and NASDAQ, 2004-2018). The halt
levels are those of the US market-wide circuit breakers (NYSE rule 7.12). Thresholds are set
for stock indices; on continuous markets they grow with long-run volatility.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from when_to_invest.features.readings import SHOCK_DAYS, Readings
from when_to_invest.instruments import Session

_INDEX_VOLATILITY: Final = 0.20
"""Long-run volatility of a stock index, per year, for which the thresholds are set."""
_DEEPEST: Final = -0.9
_DECIMALS: Final = 6


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """On when `read` is at most `threshold` (falls) or at least it (`is_ceiling`).

    `cap`: largest fraction of the budget that may be added while it is on; 0 halts.
    """

    id: str
    read: Callable[[Readings], float]
    threshold: float
    cap: float
    clears_when: str
    is_ceiling: bool = False
    is_exchange_only: bool = False


@dataclass(frozen=True, slots=True)
class BreakerReading:
    """A rule applied to the market."""

    id: str
    is_on: bool
    value: float
    threshold: float
    cap: float
    clears_when: str


def _volatility_ratio(readings: Readings) -> float:
    median = readings.week_volatility_median
    return readings.week_volatility / median if median > 0.0 else 0.0


BREAKERS: Final[tuple[BreakerRule, ...]] = (
    BreakerRule(
        "one_day_fall",
        lambda seen: seen.worst_day,
        -0.03,
        0.5,
        f"no close of the last {SHOCK_DAYS} sessions fell this far in a day",
    ),
    BreakerRule(
        "five_day_fall", lambda seen: seen.week_return, -0.07, 0.25, "the five-day return is above it"
    ),
    BreakerRule(
        "volatility_spike",
        _volatility_ratio,
        2.0,
        0.5,
        "the week's volatility is below twice its five-year median",
        is_ceiling=True,
    ),
    BreakerRule(
        "drawdown", lambda seen: seen.drawdown, -0.20, 0.5, "the fall from the year's peak is smaller"
    ),
    BreakerRule(
        "halt_level_1",
        lambda seen: seen.intraday_fall,
        -0.07,
        0.0,
        "a session ends without touching it",
        is_exchange_only=True,
    ),
    BreakerRule(
        "halt_level_2",
        lambda seen: seen.intraday_fall,
        -0.13,
        0.0,
        "a session ends without touching it",
        is_exchange_only=True,
    ),
    BreakerRule(
        "halt_level_3",
        lambda seen: seen.intraday_fall,
        -0.20,
        0.0,
        "a session ends without touching it",
        is_exchange_only=True,
    ),
)
SHOCKS: Final = frozenset({"one_day_fall", "five_day_fall"})
"""Breakers on which one pauses and does not sell."""


def read_breakers(readings: Readings, session: Session) -> tuple[BreakerReading, ...]:
    """Return every breaker that applies to `session`, in the table's order."""
    is_exchange = session is Session.EXCHANGE
    growth = 1.0 if is_exchange else max(1.0, readings.long_run_volatility / _INDEX_VOLATILITY)
    return tuple(
        _apply(rule, readings, growth) for rule in BREAKERS if is_exchange or not rule.is_exchange_only
    )


def combined_cap(breakers: tuple[BreakerReading, ...]) -> float:
    """Return the smallest cap of the breakers that are on; 1 when none is."""
    return min((breaker.cap for breaker in breakers if breaker.is_on), default=1.0)


def _apply(rule: BreakerRule, readings: Readings, growth: float) -> BreakerReading:
    # Judged as shown: the last bits of a float decide nothing.
    value = round(rule.read(readings), _DECIMALS)
    limit = rule.threshold if rule.is_ceiling else max(rule.threshold * growth, _DEEPEST)
    threshold = round(limit, _DECIMALS)
    return BreakerReading(
        id=rule.id,
        is_on=value >= threshold if rule.is_ceiling else value <= threshold,
        value=value,
        threshold=threshold,
        cap=rule.cap,
        clears_when=rule.clears_when,
    )
