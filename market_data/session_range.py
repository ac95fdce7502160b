"""How far the newest session of a series went, for the gate's market rules.

Shell. Only bars before `count` are looked at. Long-run volatility is the root mean square of
the newest returns (up to ten years of days, or as many shorter bars), per year.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from when_to_invest.instruments import Instrument, Interval, Session
from when_to_invest.market import BarSeries, SessionRange
from when_to_invest.money import MAX_DECIMALS

if TYPE_CHECKING:
    from when_to_invest.market import TimeArray

_DAY_US: Final = 86_400_000_000
_MOST_RETURNS: Final = 20_000
_LEAST_RETURNS: Final = 20
_DAYS_PER_YEAR: Final = {Session.EXCHANGE: 252, Session.CONTINUOUS: 365}
_MONTHS_PER_YEAR: Final = 12


def session_range(series: BarSeries, known: Instrument, *, count: int) -> SessionRange | None:
    """Return the range of the newest UTC day within the first `count` bars.

    None when no earlier day is known, or too little of it to know the volatility.
    """
    start = _first_of_day(series, count)
    volatility = _volatility(series, known, count=count)
    if start == 0 or volatility is None:
        return None
    low = series.low if known.has_range else series.close
    high = series.high if known.has_range else series.close
    before, lowest, highest = series.close[start - 1], low[start:count].min(), high[start:count].max()
    if not all(math.isfinite(figure) for figure in (before, lowest, highest, volatility)):
        return None
    return SessionRange(
        previous_close_usd=exact_price(float(before)),
        low_usd=exact_price(float(lowest)),
        high_usd=exact_price(float(highest)),
        volatility=Decimal(f"{volatility:.6f}"),
        session=known.session,
    )


def exact_price(value: float) -> Decimal:
    """Return the decimal that a float was read from (its shortest form, at most 18 decimals)."""
    exact = Decimal(repr(value))
    exponent = exact.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > MAX_DECIMALS:
        return exact.quantize(Decimal(1).scaleb(-MAX_DECIMALS))
    return exact


def _first_of_day(series: BarSeries, count: int) -> int:
    midnight = int(series.opened_us[count - 1]) // _DAY_US * _DAY_US
    return int(series.opened_us[:count].searchsorted(midnight))


def _volatility(series: BarSeries, known: Instrument, *, count: int) -> float | None:
    import numpy as np

    closes = series.close[max(0, count - _MOST_RETURNS) : count]
    if len(closes) <= _LEAST_RETURNS:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        moves = np.diff(np.log(closes))
    opened = series.opened_us[count - len(closes) : count]
    a_year = _DAYS_PER_YEAR[known.session] * (len(moves) / max(1, _days(opened)))
    if known.interval is Interval.MONTH:
        a_year = _MONTHS_PER_YEAR
    return math.sqrt(float(np.mean(moves**2)) * a_year)


def _days(opened_us: TimeArray) -> int:
    """Return on how many UTC days bars after the first one opened."""
    import numpy as np

    days = opened_us[1:] // _DAY_US
    return 1 + int(np.count_nonzero(np.diff(days)))
