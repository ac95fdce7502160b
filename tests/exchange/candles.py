"""Bars out of trades, as venues serve them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

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
        if trade.taker_side is Side.BUY:
            candle.taker_buy_volume += trade.quantity
            candle.taker_buy_cost += trade.price * trade.quantity
    return list(found.values())


def last_day(trades: list[Trade], *, now_ms: int) -> Candle | None:
    """Return the last 24 hours as one candle; None when nothing traded."""
    recent = [trade for trade in trades if trade.time_ms > now_ms - DAY_MS]
    whole = candles(recent, interval_ms=10**15)
    return whole[0] if whole else None
