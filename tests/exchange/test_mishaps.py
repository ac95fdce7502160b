"""What unmodified ccxt makes of each fault, and what is true behind it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.exchange.meeting import meeting, on_a_loop, watched
from tests.exchange.mishaps import Kind, Mishap, Mishaps
from tests.exchange.server import Local
from tests.exchange.terms import Side
from tests.exchange.venues import offer

PAIR = "BTC/USDT"
ORDER = "POST /api/v3/order"


def error(kind: str) -> type[Exception]:
    from ccxt.base import errors

    found: type[Exception] = getattr(errors, kind)
    return found


async def buy(venue: Any, client_id: str = "one") -> Any:
    return await venue.create_order(PAIR, "limit", "buy", 1, 97, {"clientOrderId": client_id})


async def look(venue: Any, client_id: str = "one") -> Any:
    return await venue.fetch_order(None, PAIR, {"clientOrderId": client_id})


async def follow_book(venue: Any) -> None:
    while True:
        await venue.watch_order_book(PAIR)


async def trade_ids(local: Local, venue: Any, *, until: str) -> list[str]:
    """Let one more trade happen and return the ids of all that came, down to the one named."""
    _hit(local)
    while venue.trades[PAIR][-1]["id"] != until:
        await venue.watch_trades(PAIR)
    return [trade["id"] for trade in venue.trades[PAIR]]


def live(local: Local) -> list[str]:
    return [order.client_id for order in local.exchange.open_orders("trader")]


@on_a_loop
async def test_a_dropped_reply_looks_like_a_network_error_though_the_order_lives() -> None:
    async with meeting("binance") as (local, venue):
        local.mishaps.add(Mishap(Kind.DROP_REPLY, ORDER))
        with pytest.raises(error("NetworkError")):
            await buy(venue)
        assert (await look(venue))["status"] == "open"


@on_a_loop
async def test_a_cancel_whose_reply_is_dropped_comes_back_as_an_unknown_order() -> None:
    """A trap: the HTTP client below ccxt repeats a DELETE by itself, and the repetition finds nothing."""
    async with meeting("binance") as (local, venue):
        await buy(venue)
        local.mishaps.add(Mishap(Kind.DROP_REPLY, "DELETE *"))
        with pytest.raises(error("OrderNotFound")):
            await venue.cancel_order(None, PAIR, {"clientOrderId": "one"})
        assert (await look(venue))["status"] == "canceled"


@on_a_loop
async def test_an_order_may_be_unknown_at_first_and_appear_later() -> None:
    async with meeting("binance") as (local, venue):
        local.mishaps.add(Mishap(Kind.APPEAR_LATE, ORDER, reads=2))
        with pytest.raises(error("NetworkError")):
            await buy(venue)
        with pytest.raises(error("OrderNotFound")):
            await look(venue)
        assert await venue.fetch_open_orders(PAIR) == []
        assert (await look(venue))["status"] == "open"


@on_a_loop
async def test_a_reply_later_than_the_patience_is_a_timeout_though_the_order_lives() -> None:
    async with meeting("binance", timeout=150) as (local, venue):
        local.mishaps.add(Mishap(Kind.DELAY, ORDER, seconds=1))
        with pytest.raises(error("RequestTimeout")):
            await buy(venue)
        assert live(local) == ["one"]


@on_a_loop
async def test_a_request_that_arrives_twice_is_answered_as_a_duplicate_while_the_first_lives() -> None:
    async with meeting("binance") as (local, venue):
        local.mishaps.add(Mishap(Kind.DUPLICATE, ORDER))
        with pytest.raises(error("InvalidOrder"), match="Duplicate"):
            await buy(venue)
        assert live(local) == ["one"]


@on_a_loop
async def test_two_requests_may_be_carried_out_in_the_other_order() -> None:
    async with meeting("binance") as (local, venue):
        local.mishaps.add(Mishap(Kind.REORDER, ORDER))
        first = asyncio.create_task(buy(venue, "first"))
        await asyncio.wait({first}, timeout=0.1)
        await buy(venue, "second")
        await first
        assert live(local) == ["second", "first"]


@on_a_loop
async def test_rate_limits_and_bans_are_refusals_at_the_door() -> None:
    async with meeting("binance") as (local, venue):
        for kind in (Kind.RATE_LIMITED, Kind.BANNED):
            local.mishaps.add(Mishap(kind, ORDER, retry_after_s=7))
            with pytest.raises(error("DDoSProtection")):
                await buy(venue)
            assert venue.last_response_headers["Retry-After"] == "7"
        assert live(local) == []


@pytest.mark.parametrize(("kind", "alive"), [(Kind.SERVER_ERROR, ["one"]), (Kind.UNAVAILABLE, [])])
def test_a_server_error_says_nothing_of_what_was_done(kind: Kind, alive: list[str]) -> None:
    @on_a_loop
    async def meets() -> None:
        async with meeting("binance") as (local, venue):
            local.mishaps.add(Mishap(kind, ORDER, status=503))
            with pytest.raises(error("BaseError")):
                await buy(venue)
            assert live(local) == alive

    meets()


@on_a_loop
async def test_a_page_of_html_instead_of_a_reply_is_no_order() -> None:
    """ccxt hands back an order without an id or status: only an adapter can tell."""
    async with meeting("binance") as (local, venue):
        local.mishaps.add(Mishap(Kind.GARBAGE, ORDER))
        order = await buy(venue)
        assert (order["id"], order["status"], order["clientOrderId"]) == (None, None, None)
        assert live(local) == ["one"]


@on_a_loop
async def test_a_half_open_connection_times_out_and_nothing_was_done() -> None:
    async with meeting("binance", timeout=150) as (local, venue):
        local.mishaps.add(Mishap(Kind.HALF_OPEN, ORDER))
        with pytest.raises(error("RequestTimeout")):
            await buy(venue)
        assert live(local) == []


@on_a_loop
async def test_a_lost_depth_message_is_noticed_by_its_number() -> None:
    async with meeting("binance") as (local, venue):
        local.mishaps.add(Mishap(Kind.LOSE, "depth *", after=1))
        await watched(local, f"depth {PAIR}", venue.watch_order_book(PAIR), lambda: _stir(local))
        _stir(local)
        _stir(local)
        with pytest.raises(error("ChecksumError")):
            await follow_book(venue)


@on_a_loop
async def test_duplicated_trades_come_twice_under_one_id() -> None:
    async with meeting("binance") as (local, venue):
        local.mishaps.add(Mishap(Kind.DUPLICATE, "trade *"))
        await watched(local, f"trade {PAIR}", venue.watch_trades(PAIR), lambda: _hit(local))
        assert await trade_ids(local, venue, until="2") == ["1", "1", "2"]


@on_a_loop
async def test_reordered_trades_come_in_the_other_order() -> None:
    async with meeting("binance") as (local, venue):
        local.mishaps.add(Mishap(Kind.REORDER, "trade *"))
        both = lambda: (_hit(local), _hit(local))  # noqa: E731
        await watched(local, f"trade {PAIR}", venue.watch_trades(PAIR), both)
        assert await trade_ids(local, venue, until="3") == ["2", "1", "3"]


@on_a_loop
async def test_a_cut_stream_is_a_network_error() -> None:
    async with meeting("binance") as (local, venue):
        local.mishaps.add(Mishap(Kind.DISCONNECT, "trade *"))
        with pytest.raises(error("NetworkError")):
            await watched(local, f"trade {PAIR}", venue.watch_trades(PAIR), lambda: _hit(local))


@on_a_loop
async def test_a_half_open_stream_stays_silent() -> None:
    async with meeting("binance") as (local, venue):
        local.mishaps.add(Mishap(Kind.HALF_OPEN, "trade *"))
        seeing = asyncio.ensure_future(venue.watch_trades(PAIR))
        await local.counter.hub.followed(f"trade {PAIR}")
        _hit(local)
        done, _ = await asyncio.wait({seeing}, timeout=0.2)
        seeing.cancel()
        assert not done
        assert [h.kind for h in local.mishaps.happened] == [Kind.HALF_OPEN]


def _stir(local: Local) -> None:
    offer(local.exchange, PAIR, Side.BUY, price="98", quantity="1")


def _hit(local: Local) -> None:
    offer(local.exchange, PAIR, Side.SELL, price="99.50", quantity="0.1")


def test_a_script_happens_in_its_place_as_often_as_it_says() -> None:
    plan = Mishaps([Mishap(Kind.LOSE, "trade *", times=2, after=1)])
    drawn = [plan.at(place) for place in ("depth X", "trade X", "trade X", "trade Y", "trade X")]
    assert [bool(mishap) for mishap in drawn] == [False, False, True, True, False]


def test_the_same_seed_draws_the_same_mishaps() -> None:
    def drawn(seed: int) -> list[Kind | None]:
        plan = Mishaps()
        plan.roll({Kind.DROP_REPLY: 0.3, Kind.DELAY: 0.3}, seed=seed, where="POST *")
        return [m.kind if (m := plan.at("POST /order")) else None for _ in range(50)]

    assert drawn(3) == drawn(3) != drawn(4)
    assert {Kind.DROP_REPLY, Kind.DELAY, None} == set(drawn(3))
