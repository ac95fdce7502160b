"""What the local exchange says as Coinbase has the shape of what Coinbase was recorded to say."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from tests.exchange import coinbase_words as words
from tests.exchange.candles import MINUTE_MS, candles
from tests.exchange.coinbase import Asked, CoinbaseCalls
from tests.exchange.counter import Counter
from tests.exchange.desk import Desk
from tests.exchange.mishaps import Mishaps
from tests.exchange.recorded import differences, payload
from tests.exchange.streams import Hub
from tests.exchange.terms import DepthMoved
from tests.exchange.venues import COINBASE_BTC_USD, TRADER, Credentials, quote_both_sides, stocked

LEVEL = ((Decimal(100), Decimal(1)),)
OF_PAIR = Asked({"product": "BTC-USD"}, {"product_id": "BTC-USD"}, {})
NOTHING = Asked({}, {}, {})


def scene() -> CoinbaseCalls:
    """Return a venue's calls after one order traded and another rests."""
    clock = count(1_700_000_000_000).__next__
    exchange, mishaps = stocked(COINBASE_BTC_USD, now_ms=clock), Mishaps()
    quote_both_sides(exchange, "BTC/USD")
    desk = Desk(exchange, TRADER)
    calls = CoinbaseCalls(Counter(exchange, desk, Credentials(), mishaps, Hub(mishaps), clock))
    for price in ("100.5", "99"):
        sizes = {"base_size": "0.5", "limit_price": price, "post_only": False}
        body = {"product_id": "BTC-USD", "side": "BUY", "client_order_id": price}
        calls.create(Asked({}, {}, {**body, "order_configuration": {"limit_limit_gtc": sizes}}))
    return calls


def wrapped(channel: str, event: words.Payload) -> words.Payload:
    return words.message(channel, [event], sequence=1, now_ms=1)


def user_event(calls: CoinbaseCalls) -> words.Payload:
    told = [words.user_order(order) for order in calls._desk.open_orders()]
    return wrapped("user", {"type": "snapshot", "orders": told})


def trade_event(calls: CoinbaseCalls) -> words.Payload:
    told = [words.public_trade(trade) for trade in calls._exchange.trades["BTC/USD"]]
    return wrapped("market_trades", {"type": "update", "trades": told})


def candle_event(calls: CoinbaseCalls) -> words.Payload:
    found = candles(calls._exchange.trades["BTC/USD"], interval_ms=5 * MINUTE_MS)
    return wrapped("candles", words.candles("BTC/USD", found, kind="update"))


def levels(kind: str) -> words.Payload:
    moved = DepthMoved("BTC/USD", 1, LEVEL, LEVEL)
    return wrapped("l2_data", words.level_updates(moved, kind=kind, now_ms=1))


REPLIES: dict[str, Callable[[CoinbaseCalls], Any]] = {
    "http_accounts": lambda c: c.accounts(NOTHING),
    "http_candles": lambda c: c.candles(OF_PAIR),
    "http_fills": lambda c: c.fills(NOTHING),
    "http_order": lambda c: c.order(Asked({"order": words.order_uuid(1006)}, {}, {})),
    "http_orders_list": lambda c: c.orders(NOTHING),
    "http_product_book": lambda c: c.book(OF_PAIR),
    "http_products": lambda c: c.products(NOTHING),
    "http_ticker": lambda c: c.ticker(OF_PAIR),
    "ws_l2_data_snapshot": lambda c: levels("snapshot"),
    "ws_l2_data_update": lambda c: levels("update"),
    "ws_candles": candle_event,
    "ws_market_trades": trade_event,
    "ws_user": user_event,
}
CHOSEN_BY_THE_VENUE = (
    "user_id",
    "client_order_id",
    "order_id",
    "entry_id",
    "trade_id",
    "mid_market_price",
)


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_has_the_recorded_shape(name: str) -> None:
    ours = json.loads(json.dumps(REPLIES[name](scene())))
    found = differences(ours, payload("coinbase", f"{name}.json"))
    assert [d for d in found if not any(f".{free}:" in d for free in CHOSEN_BY_THE_VENUE)] == []
