"""A market of made-up daily bars. Instruments follow the exchange's hours, as SPX does.

`bars` may be changed between calls; like the real one it never shows a bar too early.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import Instrument, Interval, Session
from when_to_invest.market import Bar, ReferencePrice, SessionRange, closed_at, tradable_from

SPX = Instrument(
    id="SPX",
    name="made-up index",
    interval=Interval.DAY,
    session=Session.EXCHANGE,
    has_range=True,
    has_volume=True,
    lot_size=Decimal("0.001"),
    tick_size_usd=Decimal("0.01"),
    min_notional_usd=Decimal(10),
)
MONDAY = datetime(2018, 6, 4, tzinfo=UTC)
AFTER_MONDAY = MONDAY + timedelta(hours=21, minutes=5)
"""Monday's bar has closed; Tuesday's has not opened."""
TUESDAY_OPEN = MONDAY + timedelta(days=1, hours=14, minutes=30)
TUESDAY_CLOSE = MONDAY + timedelta(days=1, hours=21)


def daily_bar(day: int, *prices: str, of: Instrument = SPX) -> Bar:
    """Return the bar `day` days after Monday with open, high, low and close as given."""
    opened_at = MONDAY + timedelta(days=day)
    opening, high, low, close = (Decimal(price) for price in prices)
    return Bar(
        opened_at=opened_at,
        closed_at=closed_at(opened_at, interval=of.interval, session=of.session),
        open_usd=opening,
        high_usd=high,
        low_usd=low,
        close_usd=close,
        volume=Decimal(1000),
    )


def quiet_week() -> list[Bar]:
    """Return five days around 100 USD."""
    return [daily_bar(day, "100", "101", "99", "100") for day in range(5)]


@dataclass
class FakeMarket:
    """Implements the executor's `Market` and the paper venue's `Prices`."""

    instruments: Sequence[Instrument] = (SPX,)
    bars: dict[str, list[Bar]] = field(default_factory=lambda: {"SPX": quiet_week()})
    recommended_until: dict[str, datetime] = field(default_factory=dict)
    """Until when each recorded recommendation counts."""

    def instrument(self, instrument_id: str) -> Instrument:
        for known in self.instruments:
            if known.id == instrument_id:
                return known
        raise Fault(ErrorCode.UNKNOWN_INSTRUMENT, "no such instrument", fix="choose another")

    def reference(self, instrument_id: str, *, now: datetime) -> ReferencePrice | None:
        self.instrument(instrument_id)
        closed = [bar for bar in self.bars.get(instrument_id, []) if bar.closed_at <= now]
        if not closed:
            return None
        newest = closed[-1]
        went = SessionRange(
            previous_close_usd=closed[-2].close_usd if len(closed) > 1 else newest.open_usd,
            low_usd=newest.low_usd,
            high_usd=newest.high_usd,
            volatility=Decimal("0.15"),
            session=self.instrument(instrument_id).session,
        )
        return ReferencePrice(newest.close_usd, newest.closed_at, "made-up", went)

    def recommendation_expiry(self, recommendation_id: str, *, instrument: str) -> datetime:
        self.instrument(instrument)
        if recommendation_id not in self.recommended_until:
            raise Fault(ErrorCode.UNKNOWN_RECOMMENDATION, "no such recommendation", fix="ask for one")
        return self.recommended_until[recommendation_id]

    def next_bar(self, instrument_id: str, *, after: datetime, until: datetime) -> Bar | None:
        known = self.instrument(instrument_id)
        for bar in self.bars.get(instrument_id, []):
            starts_at = tradable_from(bar.opened_at, interval=known.interval, session=known.session)
            if after < starts_at <= until:
                return bar
        return None
