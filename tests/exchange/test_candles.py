"""Candles are what their trades make of them, at once and trade by trade."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.exchange.candles import MINUTE_MS, after_a_trade, candles
from tests.exchange.terms import Candle, Side, Trade

ticks = st.tuples(st.integers(0, 90_000), st.integers(90, 110), st.integers(1, 9), st.sampled_from(Side))


def trades(drawn: list[tuple[int, int, int, Side]]) -> list[Trade]:
    """Return trades that follow each other by the milliseconds drawn."""
    told, now = [], 0
    for number, (later_ms, price, quantity, side) in enumerate(drawn, start=1):
        now += later_ms
        told.append(Trade(number, "BTC/USD", Decimal(price), Decimal(quantity), side, now))
    return told


@given(st.lists(ticks, min_size=1, max_size=40))
def test_a_stream_of_candles_ends_at_what_is_found_at_once(drawn: list[tuple[int, int, int, Side]]) -> None:
    flow, followed = trades(drawn), dict[int, Candle]()
    for count in range(1, len(flow) + 1):
        for candle in after_a_trade(flow[:count], interval_ms=MINUTE_MS):
            followed[candle.start_ms] = candle
    found = candles(flow, interval_ms=MINUTE_MS)
    assert [candle.is_closed for candle in followed.values()] == [True] * (len(found) - 1) + [False]
    for candle in followed.values():
        candle.is_closed = False
    assert list(followed.values()) == found


@given(st.lists(ticks, min_size=1, max_size=40))
def test_every_trade_is_in_one_candle(drawn: list[tuple[int, int, int, Side]]) -> None:
    flow = trades(drawn)
    found = candles(flow, interval_ms=MINUTE_MS)
    ids = [number for candle in found for number in range(candle.first_id, candle.last_id + 1)]
    assert ids == [trade.id for trade in flow]
    assert sum(candle.volume for candle in found) == sum(trade.quantity for trade in flow)
    assert all(c.low <= min(c.open, c.close) <= max(c.open, c.close) <= c.high for c in found)
