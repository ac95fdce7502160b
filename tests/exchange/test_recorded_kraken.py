"""What the local exchange says as Kraken has the shape of what Kraken was recorded to say."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from tests.exchange import kraken_messages as messages
from tests.exchange import kraken_words as words
from tests.exchange.candles import MINUTE_MS, candles
from tests.exchange.counter import Counter
from tests.exchange.desk import Desk
from tests.exchange.exact import exact_json
from tests.exchange.kraken import KrakenCalls
from tests.exchange.mishaps import Mishaps
from tests.exchange.recorded import differences, payload
from tests.exchange.streams import Hub
from tests.exchange.terms import DepthMoved
from tests.exchange.venues import BTC_USD, TRADER, Credentials, quote_both_sides, stocked

LEVEL = ((Decimal(100), Decimal(1)),)
PAIR = {"pair": "XXBTZUSD"}
KEYED_BY_ID = {"open", "closed", "trades"}


def scene() -> KrakenCalls:
    """Return a venue's calls after one order traded and another rests."""
    clock = count(1_700_000_000_000).__next__
    exchange, mishaps = stocked(BTC_USD, now_ms=clock), Mishaps()
    quote_both_sides(exchange, "BTC/USD")
    calls = KrakenCalls(
        Counter(exchange, Desk(exchange, TRADER), Credentials(), mishaps, Hub(mishaps), clock)
    )
    for price in ("100.5", "99"):
        calls.add_order(order(price))
    return calls


def order(price: str) -> dict[str, str]:
    return {**PAIR, "type": "buy", "ordertype": "limit", "volume": "1", "price": price}


def first(named: Any) -> Any:
    """Return the first entry, whatever it is called."""
    return next(iter(named.values()))


REPLIES: dict[str, Callable[[KrakenCalls], Any]] = {
    "add_order_spot": lambda c: c.add_order(order("98")),
    "asset_pairs": lambda c: c.asset_pairs({}),
    "cancel_order_spot": lambda c: c.cancel_order({"txid": words.order_txid(1006)}),
    "closed_orders": lambda c: c.closed_orders({}),
    "ohlc": lambda c: c.ohlc(PAIR),
    "open_orders": lambda c: c.open_orders({}),
    "order_book": lambda c: c.depth(PAIR),
    "server_time": lambda c: c.time({}),
    "system_status": lambda c: c.system_status({}),
    "ticker": lambda c: c.ticker(PAIR),
    "trades": lambda c: c.trades(PAIR),
    "trades_history": lambda c: c.trades_history({}),
}
NAMED_BY_PAIR = {"asset_pairs", "ohlc", "order_book", "ticker", "trades"}


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_has_the_recorded_shape(name: str) -> None:
    ours: Any = json.loads(json.dumps(REPLIES[name](scene())))
    theirs = payload("kraken", f"http_{name}.json")["result"]
    if name in NAMED_BY_PAIR:
        ours, theirs = first(ours), first(theirs)
    for key in KEYED_BY_ID & set(theirs if isinstance(theirs, dict) else ()):
        assert differences(first(ours[key]), first(theirs[key])) == []
        ours, theirs = {**ours, key: None}, {**theirs, key: None}
    assert differences(ours, theirs) == []


@pytest.mark.parametrize("kind", ["snapshot", "update"])
def test_a_book_message_has_the_recorded_shape(kind: str) -> None:
    moved = DepthMoved("BTC/USD", 1, LEVEL, LEVEL)
    told = messages.book_message(moved, BTC_USD, now_ms=1, kind=kind, checksum=1)
    ours = json.loads(exact_json(told))
    assert differences(ours, payload("kraken", f"ws_book_{kind}.json")) == []


def test_a_trade_message_has_the_recorded_shape() -> None:
    trade = scene()._exchange.trades["BTC/USD"][0]
    assert differences(messages.trade_message(trade), payload("kraken", "ws_trade_update.json")) == []


def test_a_candle_message_has_the_recorded_shape() -> None:
    found = candles(scene()._exchange.trades["BTC/USD"], interval_ms=MINUTE_MS)
    ours = messages.candle_message("BTC/USD", found, minutes=1, kind="update")
    assert differences(ours, payload("kraken", "ws_ohlc_update.json")) == []
