"""Unmodified ccxt trades on the local exchange as it does on Binance spot."""

from __future__ import annotations

from decimal import Decimal

from tests.exchange.meeting import meeting, on_a_loop, refused, watched
from tests.exchange.terms import Side
from tests.exchange.unmodified import client
from tests.exchange.venues import Credentials, offer

PAIR = "BTC/USDT"


@on_a_loop
async def test_markets_and_their_precision_are_read() -> None:
    async with meeting("binance") as (_, venue):
        market = venue.market(PAIR)
        assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
        assert market["limits"]["cost"]["min"] == 5
        assert list(venue.markets) == [PAIR, "ETH/USDT"]


@on_a_loop
async def test_market_data_is_read() -> None:
    async with meeting("binance") as (_, venue):
        await venue.create_order(PAIR, "market", "buy", 0.4)
        book = await venue.fetch_order_book(PAIR)
        assert book["asks"] == [[100.5, 0.6], [101.0, 2.0]]
        assert (await venue.fetch_ticker(PAIR))["last"] == 100.5
        assert (await venue.fetch_ohlcv(PAIR, "1m"))[0][1:] == [100.5, 100.5, 100.5, 100.5, 0.4]
        assert [t["amount"] for t in await venue.fetch_trades(PAIR)] == [0.4]
        assert abs(await venue.fetch_time() - venue.milliseconds()) < 1_000


@on_a_loop
async def test_a_limit_order_rests_is_found_by_client_id_and_is_cancelled() -> None:
    async with meeting("binance") as (_, venue):
        placed = await venue.create_order(PAIR, "limit", "buy", 0.5, 99, {"clientOrderId": "one"})
        assert (placed["status"], placed["clientOrderId"], placed["filled"]) == ("open", "one", 0)
        found = await venue.fetch_order(None, PAIR, {"clientOrderId": "one"})
        assert (found["id"], found["status"]) == (placed["id"], "open")
        assert [o["id"] for o in await venue.fetch_open_orders(PAIR)] == [placed["id"]]
        assert (await venue.fetch_balance())["USDT"]["used"] == 49.5
        assert (await venue.cancel_order(None, PAIR, {"clientOrderId": "one"}))["status"] == "canceled"
        assert (await venue.fetch_order(placed["id"], PAIR))["status"] == "canceled"


@on_a_loop
async def test_a_market_order_fills_with_fees_and_shows_in_my_trades() -> None:
    async with meeting("binance") as (_, venue):
        order = await venue.create_order(PAIR, "market", "buy", 1.5)
        assert (order["status"], order["filled"], order["cost"]) == ("closed", 1.5, 151)
        trades = await venue.fetch_my_trades(PAIR)
        assert [(t["price"], t["amount"], t["order"]) for t in trades] == [
            (100.5, 1.0, order["id"]),
            (101.0, 0.5, order["id"]),
        ]
        assert trades[0]["fee"] == {"cost": 0.001, "currency": "BTC"}


@on_a_loop
async def test_immediate_or_cancel_expires_with_what_it_filled() -> None:
    async with meeting("binance") as (_, venue):
        order = await venue.create_order(PAIR, "limit", "buy", 5, 100.5, {"timeInForce": "IOC"})
        assert (order["status"], order["filled"]) == ("expired", 1)


@on_a_loop
async def test_refusals_come_as_the_errors_that_binance_gives() -> None:
    async with meeting("binance") as (_, venue):
        await venue.create_order(PAIR, "limit", "buy", 0.5, 99, {"clientOrderId": "one"})
        for kind, text, args in (
            ("InvalidOrder", "Duplicate", ("limit", "buy", 0.5, 99, {"clientOrderId": "one"})),
            ("InsufficientFunds", None, ("limit", "buy", 5000, 99)),
            ("BadRequest", "NOTIONAL", ("limit", "buy", 0.001, 99)),
            ("OrderImmediatelyFillable", None, ("limit", "buy", 1, 102, {"postOnly": True})),
        ):
            with refused(kind, text):
                await venue.create_order(PAIR, *args)
        with refused("OrderNotFound"):
            await venue.fetch_order(None, PAIR, {"clientOrderId": "none"})
        with refused("OrderNotFound"):
            await venue.cancel_order("4711", PAIR)
        assert [order["clientOrderId"] for order in await venue.fetch_open_orders(PAIR)] == ["one"]


@on_a_loop
async def test_a_finished_client_id_may_be_used_again() -> None:
    """As on Binance: the venue's memory of ids guards nothing once an order is done."""
    async with meeting("binance") as (_, venue):
        ids = [
            (await venue.create_order(PAIR, "market", "buy", 0.5, None, {"clientOrderId": "same"}))["id"]
            for _ in range(2)
        ]
        assert ids[0] != ids[1]


@on_a_loop
async def test_wrong_keys_and_secrets_are_refused() -> None:
    async with meeting("binance") as (local, venue):
        for keys in (Credentials(key="other"), Credentials(secret="other")):  # noqa: S106
            stranger = client(local, credentials=keys)
            try:
                with refused("AuthenticationError"):
                    await stranger.fetch_balance()
            finally:
                await stranger.close()
        assert (await venue.fetch_balance())["free"]


@on_a_loop
async def test_a_request_from_another_time_is_refused() -> None:
    async with meeting("binance") as (local, venue):
        for skew_ms in (-60_000, 60_000):
            local.mishaps.skew_ms = skew_ms
            with refused("InvalidNonce"):
                await venue.fetch_balance()
        local.mishaps.skew_ms = 0
        assert (await venue.fetch_balance())["free"]


@on_a_loop
async def test_a_watched_book_follows_every_change() -> None:
    async with meeting("binance") as (local, venue):
        crowd = lambda: offer(local.exchange, PAIR, Side.SELL, price="100.10", quantity="3")  # noqa: E731
        await watched(local, f"depth {PAIR}", venue.watch_order_book(PAIR), crowd)
        offer(local.exchange, PAIR, Side.BUY, price="100.10", quantity="1")
        book = await venue.watch_order_book(PAIR)
        truth = local.exchange.depth(PAIR)
        assert [Decimal(str(p)) for p, _ in book["asks"]] == [p for p, _ in truth.asks]
        assert [Decimal(str(q)) for _, q in book["asks"]] == [q for _, q in truth.asks]


@on_a_loop
async def test_orders_go_over_the_socket_too() -> None:
    async with meeting("binance") as (_, venue):
        placed = await venue.create_order_ws(PAIR, "limit", "buy", 1, 96, {"clientOrderId": "wire"})
        assert placed["status"] == "open"
        found = await venue.fetch_order_ws(placed["id"], PAIR)
        assert found["clientOrderId"] == "wire"
        assert (await venue.cancel_order_ws(placed["id"], PAIR))["status"] == "canceled"
        with refused("OrderNotFound"):
            await venue.cancel_order_ws("4711", PAIR)
