"""The recorded market of one instrument: closed bars, asked as of an instant. Pure.

# INVARIANT: no answer uses a bar that had not closed by the instant that is asked for.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from executor.quality.figures import Figure, Missing, seconds_between


@dataclass(frozen=True, slots=True)
class TapeBar:
    """One bar; prices in USD, volume in base units, unknown where the source tells none."""

    opened_at: datetime
    closed_at: datetime
    high_usd: Decimal
    low_usd: Decimal
    close_usd: Decimal
    volume: Decimal | None


@dataclass(frozen=True, slots=True)
class Tape:
    """Bars by time, oldest first; none where nothing was recorded."""

    bars: tuple[TapeBar, ...] = ()

    def close_at(self, at: datetime, *, since: datetime) -> Figure:
        """Return the newest close that was known at `at`, if it became known after `since`."""
        count = bisect_right(self.bars, at, key=lambda bar: bar.closed_at)
        if not count or self.bars[count - 1].closed_at <= since:
            return Missing("no bar closed in that time")
        return self.bars[count - 1].close_usd

    def vwap_usd(self, start: datetime, end: datetime) -> Figure:
        """Return the volume-weighted average price of the bars that lie wholly within.

        A bar's own price is the mean of high, low and close: trades are not recorded.
        """
        first = bisect_left(self.bars, start, key=lambda bar: bar.opened_at)
        last = bisect_right(self.bars, end, key=lambda bar: bar.closed_at)
        within = self.bars[first:last]
        if not within:
            return Missing(f"no bar lies wholly within its {seconds_between(start, end)} s")
        if any(bar.volume is None for bar in within):
            return Missing("the bars tell no volume")
        volume = sum((bar.volume or Decimal(0) for bar in within), Decimal(0))
        if not volume:
            return Missing("nothing traded in that time")
        worth = (
            (bar.high_usd + bar.low_usd + bar.close_usd) * (bar.volume or Decimal(0)) / 3 for bar in within
        )
        return sum(worth, Decimal(0)) / volume
