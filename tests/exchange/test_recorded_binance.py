"""What the local exchange says as Binance has the shape of what Binance was recorded to say."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from tests.exchange import binance_events as events
from tests.exchange import binance_words as words
from tests.exchange.binance import BinanceCalls
from tests.exchange.candles import MINUTE_MS, candles
from tests.exchange.counter import Counter
from tests.exchange.desk import Desk
from tests.exchange.mishaps import Mishaps
from tests.exchange.recorded import data_file, differences, payload
from tests.exchange.streams import Hub
from tests.exchange.terms import DepthMoved, OrderTurned, Trade, Turn
from tests.exchange.venues import BTC, TRADER, Credentials, quote_both_sides, stocked

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}


class Scene:
    """A venue on which an order rests and another has traded, and all that it told."""

    def __init__(self) -> None:
        clock = count(1_700_000_000_000).__next__
        exchange = stocked(BTC, now_ms=clock)
        quote_both_sides(exchange, "BTC/USDT")
        mishaps = Mishaps()
        counter = Counter(exchange, Desk(exchange, TRADER), Credentials(), mishaps, Hub(mishaps), clock)
        self.told: list[Any] = []
        exchange.listeners.append(self.told.append)
        self.exchange, self.calls = exchange, BinanceCalls(counter)
        self.traded = self.order("100.5", "first")
        self.resting = self.order("99", "second")

    def order(self, price: str, name: str) -> Any:
        return self.calls.new_order({**ORDER, "price": price, "quantity": "1", "newClientOrderId": name})

    def report(self, turn: Turn) -> words.Payload:
        turned = next(t for t in self.told if isinstance(t, OrderTurned) and t.turn is turn)
        return events.execution_report(turned, now_ms=1)


SYMBOL = {"symbol": "BTCUSDT"}
REPLIES: dict[str, Callable[[Scene], Any]] = {
    "http_json/account_response.json": lambda s: s.calls.account({}),
    "http_json/account_trades_response.json": lambda s: s.calls.my_trades(SYMBOL),
    "http_json/all_orders_response.json": lambda s: s.calls.all_orders(SYMBOL),
    "http_json/cancel_order_response.json": lambda s: s.calls.cancel_order({"origClientOrderId": "second"}),
    "http_json/depth_response.json": lambda s: s.calls.depth(SYMBOL),
    "http_json/exchange_info_response.json": lambda s: {**s.calls.exchange_info({}), "sors": []},
    "http_json/klines_response.json": lambda s: s.calls.klines(SYMBOL),
    "http_json/new_order_full_response.json": lambda s: s.traded,
    "http_json/open_orders_response.json": lambda s: s.calls.open_orders(SYMBOL),
    "http_json/order_response.json": lambda s: s.calls.get_order({"origClientOrderId": "second"}),
    "http_json/ping_response.json": lambda s: s.calls.ping({}),
    "http_json/server_time_response.json": lambda s: s.calls.time({}),
    "http_json/ticker_24hr_response.json": lambda s: s.calls.ticker(SYMBOL),
    "http_json/trades_response.json": lambda s: s.calls.trades(SYMBOL),
    "user_data_json/execution_report_new.json": lambda s: s.report(Turn.ACCEPTED),
    "user_data_json/execution_report_trade.json": lambda s: s.report(Turn.TRADED),
    "user_data_json/execution_report_wrapped.json": lambda s: {
        "subscriptionId": 0,
        "event": s.report(Turn.ACCEPTED),
    },
}


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_has_the_recorded_shape(name: str) -> None:
    assert (
        differences(json.loads(json.dumps(REPLIES[name](Scene()))), payload("binance", f"spot/{name}")) == []
    )


def test_the_comparison_sees_what_is_missing_or_of_another_kind() -> None:
    ours, theirs = {"a": "1.0", "b": [{"c": 1}]}, {"a": 1, "b": [{"c": 1, "d": 2}], "e": "x"}
    assert differences(ours, theirs) == [
        ".e is missing",
        ".a: number as text, not number",
        ".b[0].d is missing",
    ]


@pytest.mark.parametrize("kind", ["depthUpdate", "trade"])
def test_a_stream_has_the_shape_of_the_recorded_one(kind: str) -> None:
    recorded = next(
        m for m in _recorded_stream() if m.get("e") == kind and (kind == "trade" or (m["b"] and m["a"]))
    )
    assert (
        differences(
            json.loads(json.dumps(_told(kind))),
            {k: v for k, v in recorded.items() if k != "b" or kind != "trade"},
        )
        == []
    )


def _recorded_stream() -> list[dict[str, Any]]:
    found = []
    with gzip.open(data_file("l2_raw", "binance_spot_btcusdt_20240808.ws.gz"), "rt") as lines:
        for _, line in zip(range(400), lines, strict=False):
            start = line.find("{")
            if start >= 0:
                message = json.loads(line[start:])
                found.append(message.get("data", message))
    return found


def _told(kind: str) -> words.Payload:
    level = ((Decimal(100), Decimal(1)),)
    if kind == "depthUpdate":
        return events.depth_event(DepthMoved("BTC/USDT", 1, level, level), now_ms=1)
    told = next(t for t in Scene().told if isinstance(t, Trade))
    return events.trade_event(told, now_ms=1)


@pytest.mark.parametrize("name", ["kline_stream_open", "kline_stream_closed"])
def test_a_kline_event_has_the_recorded_shape(name: str) -> None:
    """Recorded on the futures market, whose kline stream is the spot market's."""
    (candle,) = candles(Scene().exchange.trades["BTC/USDT"], interval_ms=MINUTE_MS)
    ours = events.kline_event("BTC/USDT", candle, interval="1m", now_ms=1)
    assert differences(ours, payload("binance", f"{name}.json")) == []
