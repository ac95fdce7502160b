"""Bars made from a seed: a random walk with calm and wild spells, and snapshots of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from when_to_invest.instruments import Instrument, Interval, Session
from when_to_invest.market import BarSeries, Snapshot

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_DAY = datetime(2010, 1, 4, tzinfo=UTC)
DAY_US = 86_400_000_000


def instrument(*, interval: Interval = Interval.DAY, session: Session = Session.EXCHANGE) -> Instrument:
    return Instrument(
        id="FAKE",
        name="a made-up index",
        interval=interval,
        session=session,
        has_range=True,
        has_volume=True,
        lot_size=Decimal("0.001"),
        tick_size_usd=Decimal("0.01"),
        min_notional_usd=Decimal(10),
    )


def weekdays(count: int, *, start: datetime = FIRST_DAY) -> np.ndarray:
    """Return the opening instants of `count` weekdays in microseconds."""
    first = (start - EPOCH).days
    days = first + np.arange(count * 7 // 5 + 7)
    return days[(days + 3) % 7 < 5][:count] * DAY_US


def series(opened_us: np.ndarray, *, seed: int = 0, drift: float = 0.0003) -> BarSeries:
    """Return a random walk whose volatility switches between calm and wild spells."""
    generator = np.random.default_rng(seed)
    count = len(opened_us)
    spells = np.repeat(generator.random(count // 40 + 1) < 0.3, 40)[:count]
    moves = drift + np.where(spells, 0.02, 0.006) * generator.standard_normal(count)
    close = 100.0 * np.exp(np.cumsum(moves))
    opening = np.concatenate(([100.0], close[:-1])) * np.exp(0.001 * generator.standard_normal(count))
    spread = np.abs(moves) * 0.5 + 0.002
    return BarSeries(
        opened_us=np.asarray(opened_us, dtype=np.int64),
        open=opening,
        high=np.maximum(opening, close) * (1 + spread * generator.random(count)),
        low=np.minimum(opening, close) * (1 - spread * generator.random(count)),
        close=close,
        volume=np.round(1e6 * (1 + generator.random(count))),
    )


def snapshot_of(
    bars: BarSeries, known: Instrument | None = None, *, later: timedelta = timedelta()
) -> Snapshot:
    """Return the snapshot of all `bars`, taken `later` after the newest one closed."""
    found = Snapshot(instrument=known or instrument(), as_of=EPOCH, bars=bars)
    return Snapshot(instrument=found.instrument, as_of=found.data_as_of + later, bars=bars)


def daily_snapshot(count: int = 900, *, seed: int = 0) -> Snapshot:
    """Return `count` weekdays of a made-up index as of the last close."""
    return snapshot_of(series(weekdays(count), seed=seed))
