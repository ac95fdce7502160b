"""Market breakers as a table: states of the market in which less, or nothing, is added.

Stage: risk (pure). A breaker caps what may be added now; it never sells, because falls of
this size were on average followed by rebounds (S&P 500 and NASDAQ, 2004-2018). The halt
levels are those of the US market-wide circuit breakers (NYSE rule 7.12), the price bands those
of the limit-up-limit-down plan (`price_bands`). Thresholds are set for stock indices; on
continuous markets they grow with long-run volatility, bands included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from when_to_invest.features.readings import SHOCK_DAYS, Readings
from when_to_invest.instruments import Session
from when_to_invest.risk.price_bands import TIER_1, band_ratio

_INDEX_VOLATILITY: Final = 0.20
"""Long-run volatility of a stock index, per year, for which the thresholds are set."""
_DEEPEST: Final = -0.9
_DECIMALS: Final = 6


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """On when `read` is at most `threshold` (falls) or at least it (`is_ceiling`).

    `cap`: largest fraction of the budget that may be added while it is on; 0 halts.
    `is_band`: on exchanges the threshold is the instrument's own price band.
    `is_relative`: `read` is in units of own volatility already, so the threshold never grows.
    """

    id: str
    read: Callable[[Readings], float]
    threshold: float
    cap: float
    clears_when: str
    is_ceiling: bool = False
    is_exchange_only: bool = False
    is_band: bool = False
    is_relative: bool = False


@dataclass(frozen=True, slots=True)
class BreakerReading:
    """A rule applied to the market; `since`: when the unbroken spell began, None while off."""

    id: str
    is_on: bool
    value: float
    threshold: float
    cap: float
    clears_when: str
    since: datetime | None = None


def _volatility_ratio(readings: Readings) -> float:
    median = readings.week_volatility_median
    return readings.week_volatility / median if median > 0.0 else 0.0


_UNTOUCHED: Final = "a session ends without touching it"
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
        is_relative=True,
    ),
    BreakerRule(
        "drawdown", lambda seen: seen.drawdown, -0.20, 0.5, "the fall from the year's peak is smaller"
    ),
    BreakerRule("price_band_down", lambda seen: seen.intraday_fall, -TIER_1, 0.5, _UNTOUCHED, is_band=True),
    BreakerRule(
        "price_band_up",
        lambda seen: seen.intraday_rise,
        TIER_1,
        0.5,
        _UNTOUCHED,
        is_ceiling=True,
        is_band=True,
    ),
    *(
        BreakerRule(
            f"halt_level_{level}",
            lambda seen: seen.intraday_fall,
            threshold,
            0.0,
            _UNTOUCHED,
            is_exchange_only=True,
        )
        for level, threshold in enumerate((-0.07, -0.13, -0.20), start=1)
    ),
)
VOLATILITY_SPIKE: Final = "volatility_spike"
SHOCKS: Final = frozenset({"one_day_fall", "five_day_fall"})
"""Breakers on which one pauses and does not sell."""


def read_breakers(readings: Readings, session: Session) -> tuple[BreakerReading, ...]:
    """Return every breaker that applies to `session`, in the table's order."""
    return tuple(read_breaker(rule, readings, session) for rule in rules_of(session))


def rules_of(session: Session) -> tuple[BreakerRule, ...]:
    """Return the rules that apply where trading follows `session`."""
    return tuple(rule for rule in BREAKERS if session is Session.EXCHANGE or not rule.is_exchange_only)


def combined_cap(breakers: tuple[BreakerReading, ...]) -> float:
    """Return the smallest cap of the breakers that are on; 1 when none is."""
    return min((breaker.cap for breaker in breakers if breaker.is_on), default=1.0)


def read_breaker(rule: BreakerRule, readings: Readings, session: Session) -> BreakerReading:
    """Apply one rule. Judged as shown: the last bits of a float decide nothing."""
    value = round(rule.read(readings), _DECIMALS)
    threshold = round(_threshold(rule, readings, session), _DECIMALS)
    return BreakerReading(
        id=rule.id,
        is_on=value >= threshold if rule.is_ceiling else value <= threshold,
        value=value,
        threshold=threshold,
        cap=rule.cap,
        clears_when=rule.clears_when,
    )


def _threshold(rule: BreakerRule, readings: Readings, session: Session) -> float:
    if rule.is_relative or (session is Session.EXCHANGE and not rule.is_band):
        return rule.threshold
    if session is Session.EXCHANGE:
        band = band_ratio(readings.reference, volatility=readings.long_run_volatility)
        return band if rule.is_ceiling else max(-band, _DEEPEST)
    growth = max(1.0, readings.long_run_volatility / _INDEX_VOLATILITY)
    return max(rule.threshold * growth, _DEEPEST)
