"""Unmodified ccxt trades on the local exchange as it does on Coinbase."""

from __future__ import annotations

from typing import Any

import pytest

from tests.exchange.coinbase_streams import PATH
from tests.exchange.listening import listening
from tests.exchange.meeting import meeting, on_a_loop, refused
from tests.exchange.terms import Side
from tests.exchange.unmodified import client
from tests.exchange.venues import TRADER, Credentials, offer

PAIR = "BTC/USD"


async def buy(venue: Any, price: float = 99, client_id: str = "one") -> Any:
    return await venue.create_order(PAIR, "limit", "buy", 0.5, price, {"client_order_id": client_id})


@on_a_loop
async def test_markets_and_market_data_are_read() -> None:
    async with meeting("coinbase") as (local, venue):
        market = venue.market(PAIR)
        assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.000001)
        offer(local.exchange, PAIR, Side.BUY, price="100.5", quantity="0.4")
        assert (await venue.fetch_order_book(PAIR))["asks"] == [[100.5, 0.6], [101.0, 2.0]]
        assert (await venue.fetch_ticker(PAIR))["bid"] == 99.5
        assert (await venue.fetch_ohlcv(PAIR, "1m"))[0][1:] == [100.5, 100.5, 100.5, 100.5, 0.4]
        assert [t["amount"] for t in await venue.fetch_trades(PAIR)] == [0.4]


@on_a_loop
async def test_a_limit_order_rests_and_is_cancelled() -> None:
    async with meeting("coinbase") as (_, venue):
        placed = await buy(venue)
        found = await venue.fetch_order(placed["id"], PAIR)
        assert (found["status"], found["clientOrderId"], found["amount"]) == ("open", "one", 0.5)
        assert [o["id"] for o in await venue.fetch_open_orders(PAIR)] == [placed["id"]]
        assert (await venue.fetch_balance({"v3": True}))["USD"]["used"] == pytest.approx(49.797)
        assert (await venue.fetch_balance())["USD"]["total"] == 100_000
        await venue.cancel_order(placed["id"], PAIR)
        assert (await venue.fetch_order(placed["id"], PAIR))["status"] == "canceled"
        assert await venue.fetch_open_orders(PAIR) == []


@on_a_loop
async def test_a_known_client_id_gives_its_order_back_and_places_nothing() -> None:
    async with meeting("coinbase") as (local, venue):
        assert (await buy(venue))["id"] == (await buy(venue))["id"]
        assert len(local.exchange.open_orders(TRADER)) == 1


@on_a_loop
async def test_a_market_order_buys_for_an_amount_of_money() -> None:
    async with meeting("coinbase") as (_, venue):
        order = await venue.create_order(PAIR, "market", "buy", 0.5, 101)
        found = await venue.fetch_order(order["id"], PAIR)
        assert (found["status"], found["average"]) == ("closed", 100.5)
        trades = await venue.fetch_my_trades(PAIR)
        assert sum(t["amount"] for t in trades) == found["filled"]
        spent = found["cost"] + sum(t["fee"]["cost"] for t in trades)
        assert 50.4 < spent <= 50.5


@on_a_loop
async def test_immediate_or_cancel_ends_with_what_it_filled() -> None:
    async with meeting("coinbase") as (_, venue):
        placed = await venue.create_order(PAIR, "limit", "buy", 5, 100.5, {"timeInForce": "IOC"})
        found = await venue.fetch_order(placed["id"], PAIR)
        assert (found["status"], found["filled"]) == ("canceled", 1)


@on_a_loop
async def test_refusals_come_as_the_errors_that_coinbase_gives() -> None:
    async with meeting("coinbase") as (_, venue):
        with refused("InsufficientFunds"):
            await venue.create_order(PAIR, "limit", "buy", 5000, 99)
        with refused("ExchangeError", "POST_ONLY"):
            await venue.create_order(PAIR, "limit", "buy", 1, 102, {"postOnly": True})
        with refused("BaseError", "not found"):
            await venue.fetch_order("00000000-0000-0000-0000-000000004711", PAIR)
        with refused("BadRequest"):
            await venue.cancel_order("00000000-0000-0000-0000-000000004711", PAIR)
        assert await venue.fetch_open_orders(PAIR) == []


@on_a_loop
async def test_wrong_keys_and_other_times_are_refused() -> None:
    async with meeting("coinbase") as (local, venue):
        stranger = client(local, credentials=Credentials(secret="other"))  # noqa: S106
        try:
            with refused("AuthenticationError"):
                await stranger.fetch_balance()
        finally:
            await stranger.close()
        local.mishaps.skew_ms = 60_000
        with refused("AuthenticationError", "expired"):
            await venue.fetch_balance()
        local.mishaps.skew_ms = 0
        assert (await venue.fetch_balance())["free"]


@on_a_loop
async def test_candles_of_five_minutes_are_told() -> None:
    """On a plain socket: ccxt watches no candles of Coinbase."""
    async with meeting("coinbase") as (local, _), listening(local, PATH) as ear:
        await ear.say({"type": "subscribe", "channel": "candles", "product_ids": ["BTC-USD"]})
        first = await ear.hear(lambda m: m["channel"] == "candles")
        assert first["events"] == [{"type": "snapshot", "candles": []}]
        offer(local.exchange, PAIR, Side.SELL, price="99.5", quantity="0.3")
        (event,) = (await ear.hear(lambda m: m["channel"] == "candles"))["events"]
        assert (event["type"], event["candles"][0]["volume"]) == ("update", "0.3")
