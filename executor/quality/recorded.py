"""Reads the recorded market of a home as tapes. Shell; it must never show a bar that had not closed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from executor.quality.tape import Tape, TapeBar
from home.paths import Home
from market_data import catalogue
from market_data.session_range import exact_price
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import Instrument
from when_to_invest.market import BarSeries, closed_at

BEFORE: Final = timedelta(days=6)
"""How far before the first order a tape begins: prices older than that are none."""
_SILENT: Final = frozenset({ErrorCode.UNKNOWN_INSTRUMENT, ErrorCode.NO_DATA})


def read_tapes(home: Home, instruments: Iterable[str], *, start: datetime, now: datetime) -> dict[str, Tape]:
    """Return one tape an instrument, from before `start` to what had closed at `now`.

    Raises:
        Fault: `corrupt_data`; an instrument without data has an empty tape.
    """
    return {name: _tape(home, name, start=start - BEFORE, now=now) for name in sorted(set(instruments))}


def _tape(home: Home, name: str, *, start: datetime, now: datetime) -> Tape:
    try:
        known, series = catalogue.instrument(home, name), catalogue.bars_of(home, name)
    except Fault as fault:
        if fault.code not in _SILENT:
            raise
        return Tape()
    begun = datetime.fromtimestamp(0, tz=start.tzinfo)
    first = int(series.opened_us.searchsorted((start - begun) // timedelta(microseconds=1)))
    bars = (_bar(series, known, place) for place in range(first, len(series)))
    return Tape(tuple(bar for bar in bars if bar.closed_at <= now))


def _bar(series: BarSeries, known: Instrument, place: int) -> TapeBar:
    opened_at = series.opened_at(place)
    close_usd = exact_price(float(series.close[place]))
    high, low = (series.high, series.low) if known.has_range else (series.close, series.close)
    volume = Decimal(repr(float(series.volume[place]))) if known.has_volume else None
    return TapeBar(
        opened_at=opened_at,
        closed_at=closed_at(opened_at, interval=known.interval, session=known.session),
        high_usd=exact_price(float(high[place])),
        low_usd=exact_price(float(low[place])),
        close_usd=close_usd,
        volume=volume if volume is not None and volume.is_finite() else None,
    )
