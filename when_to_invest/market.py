"""Bars, series and snapshots: what was known at one instant, and its hash.

# INVARIANT: a snapshot holds only bars that had closed at `as_of`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Final

from when_to_invest.canonical import canonical_bytes, utc_text
from when_to_invest.instruments import Instrument, Interval, Session

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    TimeArray = NDArray[np.int64]

_INTERVAL_LENGTH: Final = {
    Interval.MINUTE: timedelta(minutes=1),
    Interval.FIVE_MINUTES: timedelta(minutes=5),
    Interval.QUARTER_HOUR: timedelta(minutes=15),
    Interval.HOUR: timedelta(hours=1),
    Interval.DAY: timedelta(days=1),
}
EXCHANGE_CLOSE: Final = timedelta(hours=21)
"""From midnight UTC of the session date to the moment its daily bar is final."""
EXCHANGE_OPEN: Final = timedelta(hours=14, minutes=30)
"""From midnight UTC of the session date to the opening auction (9:30 New York, winter)."""


def closed_at(opened_at: datetime, *, interval: Interval, session: Session) -> datetime:
    """Return the instant from which a bar that opened at `opened_at` may be used."""
    if interval is Interval.MONTH:
        return (opened_at.replace(day=1) + timedelta(days=32)).replace(day=1)
    if interval is Interval.DAY and session is Session.EXCHANGE:
        return opened_at + EXCHANGE_CLOSE
    return opened_at + _INTERVAL_LENGTH[interval]


def tradable_from(opened_at: datetime, *, interval: Interval, session: Session) -> datetime:
    """Return the instant at which a bar's opening price can first be traded."""
    if interval is Interval.DAY and session is Session.EXCHANGE:
        return opened_at + EXCHANGE_OPEN
    return opened_at


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; prices in the instrument's quote currency (USD), as read, exact."""

    opened_at: datetime
    closed_at: datetime
    open_usd: Decimal
    high_usd: Decimal
    low_usd: Decimal
    close_usd: Decimal
    volume: Decimal


@dataclass(frozen=True)
class BarSeries:
    """Columns of equal length n, oldest first; floats are for model mathematics only.

    `opened_us`: int64 microseconds since 1970 UTC, strictly increasing. `open`, `high`,
    `low`, `close`, `volume`: float64 of shape (n,); unknown columns are NaN throughout.
    """

    opened_us: TimeArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def __len__(self) -> int:
        return len(self.opened_us)

    def opened_at(self, index: int) -> datetime:
        """Return the opening instant of bar `index` (negative counts from the end)."""
        return datetime.fromtimestamp(0, tz=UTC) + timedelta(microseconds=int(self.opened_us[index]))

    def tail(self, count: int) -> BarSeries:
        """Return the newest `count` bars (all of them when there are fewer)."""
        return self.between(max(0, len(self) - count), len(self))

    def between(self, start: int, stop: int) -> BarSeries:
        """Return bars `start` (inclusive) to `stop` (exclusive)."""
        cut = slice(start, stop)
        return BarSeries(
            opened_us=self.opened_us[cut],
            open=self.open[cut],
            high=self.high[cut],
            low=self.low[cut],
            close=self.close[cut],
            volume=self.volume[cut],
        )


@dataclass(frozen=True)
class Snapshot:
    """Everything an analysis may look at: one instrument's closed bars as of an instant."""

    instrument: Instrument
    as_of: datetime
    bars: BarSeries

    @cached_property
    def hash(self) -> str:
        """SHA-256 over instrument, as-of and every bar, as 64 hex digits."""
        return self._hash(utc_text(self.as_of).encode())

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 over instrument and every bar: the same however late the same bars are looked at."""
        return self._hash(b"")

    def _hash(self, seen_at: bytes) -> str:
        hasher = hashlib.sha256()
        hasher.update(canonical_bytes(self.instrument.model_dump()))
        hasher.update(seen_at)
        columns = self.bars
        hasher.update(columns.opened_us.astype("<i8").tobytes())
        for column in (columns.open, columns.high, columns.low, columns.close, columns.volume):
            hasher.update(column.astype("<f8").tobytes())
        return hasher.hexdigest()

    @property
    def data_as_of(self) -> datetime:
        """Return when the newest bar closed."""
        return closed_at(
            self.bars.opened_at(-1), interval=self.instrument.interval, session=self.instrument.session
        )


@dataclass(frozen=True, slots=True)
class SessionRange:
    """How far the newest session (UTC day) went, in USD, beside the close before it.

    `volatility`: long-run, as a ratio per year, at most 6 decimals.
    """

    previous_close_usd: Decimal
    low_usd: Decimal
    high_usd: Decimal
    volatility: Decimal
    session: Session


@dataclass(frozen=True, slots=True)
class ReferencePrice:
    """An independent price with its age's origin: never the one a proposer sent.

    `range`: of the session that the price comes from; None when there was none before it.
    """

    price_usd: Decimal
    known_at: datetime
    source: str
    range: SessionRange | None = None
