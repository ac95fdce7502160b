"""What every venue promises, as a class of tests that each venue's own tests inherit.

`Stage` is a venue with a hand on its market. What needs an exchange at the other end of a
socket is promised by `exchange_contract.py` on top.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from executor.identity import client_order_id
from executor.venues.port import (
    Accepted,
    Declined,
    NewOrder,
    OrderRef,
    Unknown,
    Venue,
    VenueOrder,
    VenueStatus,
    send,
)
from when_to_invest.intents import Side, TimeInForce
from when_to_invest.values import Mode
from when_to_invest.venue_status import TradingStatus

LONGEST_S = 30


@dataclass(frozen=True)
class Scene:
    """A venue in a quoted market: 1 and 2 units are bid and offered, half and one beyond 100.00."""

    venue: Venue
    instrument: str
    base: str
    quote: str
    order: Callable[..., NewOrder]
    """An order by its number; keyword arguments change it."""
    fill: Callable[[str, Decimal], Awaitable[None]]
    """Let the market sell that many units to the best bid: the venue's id of it, or ours, is named."""
    mode: Mode
    name: str

    def ref(self, order: NewOrder, venue_order_id: str = "") -> OrderRef:
        return OrderRef(order.client_order_id, order.instrument, venue_order_id)

    async def placed(self, number: int = 1, **changes: Any) -> tuple[NewOrder, VenueOrder]:
        order = self.order(number, **changes)
        outcome = await send(self.venue, order)
        assert isinstance(outcome, Accepted), outcome
        return order, outcome.order

    async def found(self, order: NewOrder) -> VenueOrder:
        found = await self.venue.find(self.ref(order))
        assert found is not None
        return found


Staging = Callable[[], AbstractAsyncContextManager[Scene]]


def new_id(number: int, shape: Any) -> str:
    return client_order_id(f"decision-{number}", slice_index=0, attempt=1, shape=shape)


def on_stage(test: Callable[[Any, Any], Awaitable[None]]) -> Callable[[Any], None]:
    """Run a test of a contract on a scene of its class, on a loop of its own."""

    def run(self: Any) -> None:
        async def play() -> None:
            async with self.staged() as scene:
                await test(self, scene)

        asyncio.run(asyncio.wait_for(play(), LONGEST_S))

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


class VenueContract:
    """Inherit, and say how a scene is staged."""

    def staged(self) -> AbstractAsyncContextManager[Scene]:
        raise NotImplementedError

    @on_stage
    async def test_it_says_what_it_is(self, scene: Scene) -> None:
        assert (scene.venue.profile.name, scene.venue.profile.mode) == (scene.name, scene.mode)
        assert await scene.venue.status() is TradingStatus.OPEN

    @on_stage
    async def test_an_accepted_order_is_found_by_our_id_and_by_the_venues(self, scene: Scene) -> None:
        order, answer = await scene.placed()
        found = await scene.venue.find(scene.ref(order))
        assert found == await scene.venue.find(scene.ref(order, answer.venue_order_id))
        assert found is not None
        assert (found.client_order_id, found.venue_order_id) == (order.client_order_id, answer.venue_order_id)
        assert (found.status, found.filled_quantity) == (VenueStatus.WORKING, 0)

    @on_stage
    async def test_an_unknown_id_is_found_nowhere(self, scene: Scene) -> None:
        nobody = scene.ref(scene.order(99))
        assert await scene.venue.find(nobody) is None
        assert await scene.venue.trades(nobody) == ()

    @on_stage
    async def test_a_second_submit_of_one_id_makes_no_second_order(self, scene: Scene) -> None:
        order, answer = await scene.placed()
        outcome = await send(scene.venue, order)
        assert isinstance(outcome, Unknown) or outcome == Accepted(answer)
        assert len(await scene.venue.open_orders()) == 1

    @pytest.mark.parametrize(
        "changes",
        [
            {"quantity": Decimal(0)},
            {"quantity": Decimal(-1)},
            {"quantity": Decimal("NaN")},
            {"quantity": Decimal("0.00000000001")},
            {"limit_price_usd": Decimal("99.0000000001")},
            {"limit_price_usd": Decimal(0)},
            {"instrument": "NOWHERE"},
        ],
        ids=str,
    )
    def test_what_breaks_a_filter_is_declined_and_does_not_exist(self, changes: dict[str, Any]) -> None:
        async def play() -> None:
            async with self.staged() as scene:
                order = scene.order(1, **changes)
                assert isinstance(await send(scene.venue, order), Declined)
                assert await scene.venue.find(OrderRef(order.client_order_id, scene.instrument)) is None

        asyncio.run(asyncio.wait_for(play(), LONGEST_S))

    @on_stage
    async def test_a_filled_order_says_how_much_in_the_same_trades_on_every_call(self, scene: Scene) -> None:
        order, answer = await scene.placed()
        await scene.fill(order.client_order_id, order.quantity)
        found = await scene.found(order)
        assert (found.status, found.filled_quantity) == (VenueStatus.FILLED, order.quantity)
        trades = await scene.venue.trades(scene.ref(order))
        assert trades == await scene.venue.trades(scene.ref(order, answer.venue_order_id))
        assert sum(trade.quantity for trade in trades) == order.quantity
        assert all(trade.price_usd <= order.limit_price_usd and trade.fee_usd > 0 for trade in trades)
        assert len({trade.trade_id for trade in trades}) == len(trades)

    @on_stage
    async def test_trade_ids_of_two_orders_differ(self, scene: Scene) -> None:
        orders = [(await scene.placed(number))[0] for number in (1, 2)]
        for order in orders:
            await scene.fill(order.client_order_id, order.quantity)
        ids = [trade.trade_id for order in orders for trade in await scene.venue.trades(scene.ref(order))]
        assert len(set(ids)) == len(ids) >= 2

    @on_stage
    async def test_a_cancelled_order_stays_cancelled(self, scene: Scene) -> None:
        order, answer = await scene.placed()
        for number in ("", answer.venue_order_id):
            await scene.venue.cancel(scene.ref(order, number))
            assert (await scene.found(order)).status is VenueStatus.CANCELLED
        assert await scene.venue.open_orders() == ()

    @on_stage
    async def test_cancelling_what_never_was_or_has_ended_is_no_error(self, scene: Scene) -> None:
        await scene.venue.cancel(scene.ref(scene.order(99)))
        order, answer = await scene.placed()
        await scene.fill(order.client_order_id, order.quantity)
        for number in ("", answer.venue_order_id):
            await scene.venue.cancel(scene.ref(order, number))
        assert (await scene.found(order)).status is VenueStatus.FILLED

    @on_stage
    async def test_open_orders_are_those_that_still_rest(self, scene: Scene) -> None:
        orders = [(await scene.placed(number))[0] for number in (1, 2, 3)]
        await scene.venue.cancel(scene.ref(orders[1]))
        told = await scene.venue.open_orders()
        assert {order.client_order_id for order in told} == {orders[n].client_order_id for n in (0, 2)}
        assert {(order.instrument, order.status) for order in told} == {
            (scene.instrument, VenueStatus.WORKING)
        }

    @on_stage
    async def test_balances_move_by_what_traded(self, scene: Scene) -> None:
        before = await scene.venue.balances()
        order, _ = await scene.placed()
        assert await scene.venue.balances() == before
        await scene.fill(order.client_order_id, order.quantity)
        after, trades = await scene.venue.balances(), await scene.venue.trades(scene.ref(order))
        paid = sum(trade.quantity * trade.price_usd for trade in trades)
        fees = sum(trade.fee_usd for trade in trades)
        bought = after[scene.base] - before.get(scene.base, Decimal(0))
        spent = before[scene.quote] - after[scene.quote]
        # A fee is taken in dollars, or in what was bought: here told at the trade's own price.
        in_base = fees / (paid / order.quantity)
        assert (bought, spent) in {(order.quantity, paid + fees), (order.quantity - in_base, paid)}

    @on_stage
    async def test_a_quote_has_two_sides(self, scene: Scene) -> None:
        quote = await scene.venue.quote(scene.instrument)
        assert quote is not None
        assert quote.instrument == scene.instrument
        assert quote.bid_usd < 100 < quote.ask_usd
        assert await scene.venue.quote("NOWHERE") is None

    @on_stage
    async def test_an_ioc_order_never_rests(self, scene: Scene) -> None:
        order, _ = await scene.placed(time_in_force=TimeInForce.IOC, limit_price_usd=Decimal("98.00"))
        await self.let_ioc_end(scene)
        found = await scene.found(order)
        assert found.status in {VenueStatus.CANCELLED, VenueStatus.EXPIRED}
        assert found.filled_quantity == 0

    async def let_ioc_end(self, scene: Scene) -> None:
        """A venue that trades at once has ended it already."""

    @on_stage
    async def test_it_can_be_closed_twice(self, scene: Scene) -> None:
        await scene.venue.close()
        await scene.venue.close()

    @on_stage
    async def test_sells_are_orders_too(self, scene: Scene) -> None:
        order, _ = await scene.placed(side=Side.SELL, limit_price_usd=Decimal("150.00"))
        assert (await scene.found(order)).status is VenueStatus.WORKING


Scenes = AsyncIterator[Scene]
