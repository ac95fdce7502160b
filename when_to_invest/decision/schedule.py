"""When the steps of a staged entry fall due, and how long a recommendation lasts.

Stage: decision (pure), sixth step. Dates know weekends, not holidays: a due instant is the
earliest one, and the executor's venue decides when it opens.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from when_to_invest.decision.evidence import EvidenceBook
from when_to_invest.decision.recommendation import Predicate, Tranche
from when_to_invest.decision.rounding import stable_ratio
from when_to_invest.instruments import Session
from when_to_invest.signals.trend import BAND_RATIO

_STEPS: Final = 3
_STEP_LENGTH: Final = timedelta(days=30)
_SATURDAY: Final = 5
_LIFETIME_DAYS: Final = 3
"""Trading days (weekdays on an exchange) after which fresh bars must be looked at."""


def staged(
    book: EvidenceBook, *, size_fraction: float, as_of: datetime, session: Session
) -> tuple[Tranche, ...]:
    """Split `size_fraction` into three monthly steps, the first due at once.

    Later steps come early when their trigger holds: a trend that turns up, or volatility
    back at the level that the sizing aims for. What holds already is no trigger.
    """
    each = stable_ratio(size_fraction / _STEPS)
    fractions = [each] * (_STEPS - 1)
    fractions.append(stable_ratio(size_fraction - sum(fractions)))
    trigger = _early_trigger(book)
    early = "" if trigger is None else f", or as soon as {trigger.text}"
    return tuple(
        Tranche(
            fraction=fraction,
            due_at=_trading_day(as_of + _STEP_LENGTH * index, session),
            trigger=None if index == 0 else trigger,
            text="now" if index == 0 else f"by its date{early}",
        )
        for index, fraction in enumerate(fractions)
    )


def expires_at(as_of: datetime, session: Session) -> datetime:
    """Return when the recommendation must be made again: three trading days later."""
    return days_later(as_of, _LIFETIME_DAYS, session)


def days_later(instant: datetime, days: int, session: Session) -> datetime:
    """Return the instant so many trading days (weekdays on an exchange) later."""
    for _ in range(days):
        instant = _trading_day(instant + timedelta(days=1), session)
    return instant


def _early_trigger(book: EvidenceBook) -> Predicate | None:
    trigger = _trigger(book)
    return None if trigger.holds(book[trigger.metric]) else trigger


def _trigger(book: EvidenceBook) -> Predicate:
    if not book["trend.is_up"]:
        return Predicate(
            metric="chart.close",
            operator=">",
            value=book["trend.sma200"] * (1.0 + BAND_RATIO),
            unit="usd",
            text="the close leaves the band around its 200-day average upwards",
        )
    return Predicate(
        metric="volatility.sigma_annual",
        operator="<=",
        value=book["sizing.target_sigma_annual"],
        unit="ratio_per_year",
        text="the volatility forecast is back at the target",
    )


def _trading_day(instant: datetime, session: Session) -> datetime:
    """Move an instant off the weekend where the market is closed then."""
    while session is Session.EXCHANGE and instant.weekday() >= _SATURDAY:
        instant += timedelta(days=1)
    return instant
