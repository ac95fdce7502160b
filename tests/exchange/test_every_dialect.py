"""What an unmodified client sees alike, whichever venue's dialect is spoken."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from tests.exchange.meeting import meeting, on_a_loop, refused, watched
from tests.exchange.mishaps import Kind, Mishap
from tests.exchange.server import DIALECTS, Local
from tests.exchange.terms import Ask, Side
from tests.exchange.venues import TRADER, offer

FIRST = {name: dialect.listings[0].symbol for name, dialect in DIALECTS.items()}


def sell(local: Local, quantity: str = "0.3") -> None:
    """Let the crowd sell into the best bid."""
    offer(local.exchange, FIRST[local.dialect], Side.SELL, price="99.5", quantity=quantity)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_trades_are_watched(dialect: str) -> None:
    @on_a_loop
    async def test() -> None:
        async with meeting(dialect) as (local, venue):
            pair = FIRST[dialect]
            seen = await watched(local, f"trade {pair}", venue.watch_trades(pair), lambda: sell(local))
            assert [(t["price"], t["amount"]) for t in seen] == [(99.5, 0.3)]

    test()


@pytest.mark.parametrize("dialect", ["kraken", "coinbase"])
def test_a_watched_book_follows_every_change(dialect: str) -> None:
    @on_a_loop
    async def test() -> None:
        async with meeting(dialect) as (local, venue):
            await venue.watch_order_book(FIRST[dialect])
            following = asyncio.ensure_future(venue.watch_order_book(FIRST[dialect]))
            sell(local)
            book, truth = await following, local.exchange.depth(FIRST[dialect])
            for side, levels in (("bids", truth.bids), ("asks", truth.asks)):
                assert [(Decimal(str(p)), Decimal(str(q))) for p, q in book[side]] == list(levels)

    test()


@pytest.mark.parametrize(
    ("dialect", "topic"),
    [("kraken", "ohlc BTC/USD 1"), ("binance", "kline_1m BTC/USDT")],
)
def test_candles_are_watched_as_they_grow(dialect: str, topic: str) -> None:
    @on_a_loop
    async def test() -> None:
        async with meeting(dialect) as (local, venue):
            pair = FIRST[dialect]
            seen = await watched(local, topic, venue.watch_ohlcv(pair, "1m"), lambda: sell(local))
            assert seen[-1][1:] == [99.5, 99.5, 99.5, 99.5, 0.3]

    test()


@pytest.mark.parametrize(("dialect", "where"), [("kraken", "POST */AddOrder"), ("coinbase", "POST */orders")])
def test_a_dropped_reply_looks_like_a_network_error_though_the_order_lives(dialect: str, where: str) -> None:
    @on_a_loop
    async def test() -> None:
        async with meeting(dialect) as (local, venue):
            local.mishaps.add(Mishap(Kind.DROP_REPLY, where))
            with refused("NetworkError"):
                await venue.create_order(FIRST[dialect], "limit", "buy", 0.5, 99)
            live = await venue.fetch_open_orders(FIRST[dialect])
            assert [(order["price"], order["amount"]) for order in live] == [(99, 0.5)]

    test()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_own_orders_are_watched_through_to_their_fills(dialect: str) -> None:
    """A trap: on Kraken ccxt takes another field for the client id."""

    @on_a_loop
    async def test() -> None:
        async with meeting(dialect) as (local, venue):
            pair = FIRST[dialect]
            ask = Ask(TRADER, pair, Side.BUY, Decimal(1), Decimal("99.7"), client_id="mine")
            seen = await watched(local, "user", venue.watch_orders(pair), lambda: local.exchange.place(ask))
            assert (seen[-1]["status"], seen[-1]["amount"]) == ("open", 1)
            sell(local, "5")
            while seen[-1]["status"] != "closed":
                seen = await venue.watch_orders(pair)
            name = "0" if dialect == "kraken" else "mine"
            assert (seen[-1]["clientOrderId"], seen[-1]["filled"]) == (name, 1)

    test()
