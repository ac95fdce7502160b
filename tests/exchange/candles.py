"""Bars out of trades, as venues serve them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from tests.exchange.terms import Candle, Side, Trade

MINUTE_MS = 60_000
DAY_MS = 86_400_000


def candles(trades: Iterable[Trade], *, interval_ms: int) -> list[Candle]:
    """Return one candle for every interval in which something traded, oldest first."""
    found: dict[int, Candle] = {}
    for trade in trades:
        start = trade.time_ms // interval_ms * interval_ms
        candle = found.setdefault(start, Candle(start, *(trade.price,) * 4))
        candle.high, candle.low = max(candle.high, trade.price), min(candle.low, trade.price)
        candle.close = trade.price
        candle.volume += trade.quantity
        candle.cost += trade.price * trade.quantity
        candle.trades += 1
        candle.first_id = trade.id if candle.first_id < 0 else candle.first_id
        candle.last_id = trade.id
        if trade.taker_side is Side.BUY:
            candle.taker_buy_volume += trade.quantity
            candle.taker_buy_cost += trade.price * trade.quantity
    return list(found.values())


def after_a_trade(trades: Sequence[Trade], *, interval_ms: int) -> list[Candle]:
    """Return what a stream of candles tells after the newest trade: what it closed, if anything, and its own.

    Venues tell of a closed candle when its time is over; here that is when the next one begins.
    """
    newest = _newest(trades, interval_ms=interval_ms)
    if newest.trades > 1 or len(trades) == 1:
        return [newest]
    closed = _newest(trades[:-1], interval_ms=interval_ms)
    closed.is_closed = True
    return [closed, newest]


def _newest(trades: Sequence[Trade], *, interval_ms: int) -> Candle:
    start = trades[-1].time_ms // interval_ms * interval_ms
    recent = list(takewhile(lambda trade: trade.time_ms >= start, reversed(trades)))
    return candles(reversed(recent), interval_ms=interval_ms)[0]


def last_day(trades: list[Trade], *, now_ms: int) -> Candle | None:
    """Return the last 24 hours as one candle; None when nothing traded."""
    recent = [trade for trade in trades if trade.time_ms > now_ms - DAY_MS]
    whole = candles(recent, interval_ms=10**15)
    return whole[0] if whole else None
