"""Unmodified ccxt trades on the local exchange as it does on Kraken."""

from __future__ import annotations

from tests.exchange.meeting import meeting, on_a_loop, refused
from tests.exchange.unmodified import client
from tests.exchange.venues import TRADER, Credentials

PAIR = "BTC/USD"


@on_a_loop
async def test_markets_and_market_data_are_read() -> None:
    async with meeting("kraken") as (_, venue):
        market = venue.market(PAIR)
        assert (market["precision"]["price"], market["taker"]) == (0.1, 0.004)
        await venue.create_order(PAIR, "market", "buy", 0.4)
        assert (await venue.fetch_order_book(PAIR))["asks"][0][:2] == [100.5, 0.6]
        assert (await venue.fetch_ticker(PAIR))["last"] == 100.5
        assert (await venue.fetch_ohlcv(PAIR, "1m"))[0][4:] == [100.5, 0.4]
        assert [t["amount"] for t in await venue.fetch_trades(PAIR)] == [0.4]


@on_a_loop
async def test_a_new_order_comes_back_with_an_id_and_little_else() -> None:
    """A trap: neither status nor client id, so that an adapter must ask again."""
    async with meeting("kraken") as (_, venue):
        placed = await venue.create_order(PAIR, "limit", "buy", 0.5, 99, {"clientOrderId": "one"})
        assert (placed["status"], placed["clientOrderId"]) == (None, None)
        found = await venue.fetch_order(placed["id"], PAIR)
        assert (found["status"], found["clientOrderId"], found["amount"]) == ("open", "one", 0.5)


@on_a_loop
async def test_an_order_is_found_by_client_id_among_the_open_ones_only() -> None:
    async with meeting("kraken") as (_, venue):
        await venue.create_order(PAIR, "limit", "buy", 0.5, 99, {"clientOrderId": "one"})
        await venue.create_order(PAIR, "limit", "buy", 0.5, 98, {"clientOrderId": "two"})
        found = await venue.fetch_open_orders(PAIR, None, None, {"clientOrderId": "two"})
        assert [order["clientOrderId"] for order in found] == ["two"]
        await venue.cancel_order(None, PAIR, {"clientOrderId": "two"})
        assert await venue.fetch_open_orders(PAIR, None, None, {"clientOrderId": "two"}) == []
        closed = await venue.fetch_closed_orders(PAIR)
        assert [(o["clientOrderId"], o["status"]) for o in closed] == [("two", "canceled")]


@on_a_loop
async def test_fills_have_fees_in_dollars_and_money_is_held() -> None:
    async with meeting("kraken") as (_, venue):
        order = await venue.create_order(PAIR, "market", "buy", 1)
        trades = await venue.fetch_my_trades(PAIR)
        assert [(t["price"], t["amount"], t["order"]) for t in trades] == [(100.5, 1.0, order["id"])]
        assert trades[0]["fee"]["cost"] == 0.402
        await venue.create_order(PAIR, "limit", "buy", 1, 50)
        balance = await venue.fetch_balance()
        assert (balance["USD"]["used"], balance["BTC"]["total"]) == (50.2, 100_001)


@on_a_loop
async def test_refusals_come_as_the_errors_that_kraken_gives() -> None:
    async with meeting("kraken") as (_, venue):
        with refused("InsufficientFunds"):
            await venue.create_order(PAIR, "limit", "buy", 5000, 99)
        with refused("InvalidOrder", "minimum"):
            await venue.create_order(PAIR, "limit", "buy", 0.001, 99)
        with refused("ExchangeError", "Post only"):
            await venue.create_order(PAIR, "limit", "buy", 1, 102, {"postOnly": True})
        with refused("InvalidOrder", "Unknown order"):
            await venue.fetch_order("OABCDE-FGHIJ-KLMNOP", PAIR)
        with refused("OrderNotFound"):
            await venue.cancel_order("OABCDE-FGHIJ-KLMNOP", PAIR)
        assert await venue.fetch_open_orders(PAIR) == []


@on_a_loop
async def test_wrong_keys_secrets_and_old_nonces_are_refused() -> None:
    async with meeting("kraken") as (local, venue):
        for keys, kind in (
            (Credentials(key="other"), "AuthenticationError"),
            (Credentials(secret="b3RoZXI="), "ExchangeError"),  # noqa: S106
        ):
            stranger = client(local, credentials=keys)
            try:
                with refused(kind):
                    await stranger.fetch_balance()
            finally:
                await stranger.close()
        assert (await venue.fetch_balance())["free"]
        venue.incrementing_nonce = lambda: 1
        with refused("InvalidNonce"):
            await venue.fetch_balance()


@on_a_loop
async def test_orders_go_over_the_socket_too() -> None:
    async with meeting("kraken") as (local, venue):
        placed = await venue.create_order_ws(PAIR, "limit", "buy", 1, 96)
        assert [o.id for o in local.exchange.open_orders(TRADER)]
        await venue.cancel_order_ws(placed["id"])
        assert not local.exchange.open_orders(TRADER)
