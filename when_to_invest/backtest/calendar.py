"""How many bars a year has, and which month a bar ends.

Stage: backtest (pure). Knows sessions and intervals, not holidays.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from when_to_invest.instruments import Instrument, Interval, Session
from when_to_invest.market import EXCHANGE_CLOSE

MONTHS_PER_YEAR: Final = 12
_SESSIONS: Final = 252
_SESSION_MINUTES: Final = 390
_DAYS: Final = 365
_DAY_MINUTES: Final = 1440
_MINUTES: Final = {
    Interval.MINUTE: 1,
    Interval.FIVE_MINUTES: 5,
    Interval.QUARTER_HOUR: 15,
    Interval.HOUR: 60,
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def bars_per_year(instrument: Instrument) -> float:
    """Return the number of bars a year, by which volatility is annualised."""
    is_exchange = instrument.session is Session.EXCHANGE
    if instrument.interval is Interval.MONTH:
        return float(MONTHS_PER_YEAR)
    if instrument.interval is Interval.DAY:
        return float(_SESSIONS if is_exchange else _DAYS)
    a_year = _SESSIONS * _SESSION_MINUTES if is_exchange else _DAYS * _DAY_MINUTES
    return a_year / _MINUTES[instrument.interval]


def bars_per_day(instrument: Instrument) -> float:
    """Return the number of bars a trading day; of monthly bars, below 1."""
    return bars_per_year(instrument) / (_SESSIONS if instrument.session is Session.EXCHANGE else _DAYS)


def month_of(opened_us: int) -> int:
    """Return the UTC month of an instant, counted from year 0."""
    instant = _EPOCH + timedelta(microseconds=opened_us)
    return instant.year * MONTHS_PER_YEAR + instant.month - 1


def closing_month(opened_us: int, instrument: Instrument) -> int:
    """Return the UTC month in which a bar closes: the next one for a bar that ends its month."""
    if instrument.interval is Interval.MONTH:
        return month_of(opened_us) + 1
    if instrument.interval is Interval.DAY:
        is_exchange = instrument.session is Session.EXCHANGE
        length = EXCHANGE_CLOSE if is_exchange else timedelta(days=1)
    else:
        length = timedelta(minutes=_MINUTES[instrument.interval])
    return month_of(opened_us + length // _MICROSECOND)
