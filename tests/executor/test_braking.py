"""A halt cancels what is open, whatever else the process waits for: its journal, or its own start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from executor.offload import Result
from executor.probe import Point
from executor.venues.port import OrderRef, VenueOrder, VenueStatus
from tests.executor.test_serving import Halting, Stage, Turns, two_instruments
from tests.executor.world import World
from tests.fakes.fake_venue import FakeVenue
from when_to_invest.breakers import Halt, TradingState
from when_to_invest.history import DecisionState


@dataclass
class Stuck:
    """Runs calls in place until it is told to hold them back."""

    is_stuck: bool = False
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, call: Callable[[], Result]) -> Result:
        if self.is_stuck:
            await self.goes_on.wait()
        await asyncio.sleep(0)
        return call()


def test_an_order_that_arrives_after_a_halt_is_cancelled_while_the_journal_hangs() -> None:
    venue, offload = Halting(holds="SPX"), Stuck()
    stage = Stage(venue)
    stage.parts = replace(stage.world.parts(offload=offload), patience=stage.patience)
    # Only the journal hangs.
    stage.parts = replace(stage.parts, queue=stage.world.parts().queue)
    stage.world.gate.propose(1, instrument="SPX")

    async def scene() -> None:
        await venue.has_come.wait()
        offload.is_stuck = True
        stage.halt()
        for _ in range(200):
            await asyncio.sleep(0)
        venue.goes_on.set()
        await stage.until(lambda: bool(venue.orders))
        try:
            await stage.until(
                lambda: {order.status for order in venue.orders.values()} == {VenueStatus.CANCELLED}
            )
        finally:
            offload.goes_on.set()

    stage.play(scene)


class KilledError(BaseException):
    """Ends a process, as far as it can be ended in a test."""


class Killing:
    """Ends the process once an intention to send is durable."""

    def reached(self, point: Point) -> None:
        if point is Point.SEND_INTENDED:
            raise KilledError


@dataclass
class Opening(FakeVenue):
    """Lets nobody hear of the orders of one instrument until it is let go."""

    hides: str = ""
    has_been_asked: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def find(self, order: OrderRef) -> VenueOrder | None:
        if order.instrument == self.hides:
            self.has_been_asked.set()
            await self.goes_on.wait()
        return await super().find(order)


def _left_behind(venue: Opening) -> tuple[World, str]:
    """Return a home whose executor died with one order open and the intention to send another."""
    world = World(venue=venue, market=two_instruments())
    is_open = world.gate.propose(1, instrument="IXIC")
    world.run(rounds=3)
    assert world.decision(is_open).state is DecisionState.WORKING
    lost = world.gate.propose(2, instrument="SPX")
    with pytest.raises(KilledError):
        world.run(probe=Killing())
    assert world.decision(lost).state is DecisionState.SENDING
    venue.hides = "SPX"
    return world, is_open


def test_a_halt_cancels_what_is_open_while_the_start_still_looks_for_a_lost_order() -> None:
    venue = Opening()
    world, is_open = _left_behind(venue)
    stage = Stage(venue)
    stage.world, stage.patience = world, Turns()
    stage.parts = replace(world.parts(), patience=stage.patience)
    name = world.working_order(is_open)

    async def scene() -> None:
        await venue.has_been_asked.wait()
        stage.halt()
        try:
            await stage.until(lambda: venue.orders[name].status is VenueStatus.CANCELLED)
        finally:
            venue.goes_on.set()

    stage.play(scene)


def test_a_cancel_that_hangs_holds_up_no_later_halt() -> None:
    @dataclass
    class Clinging(FakeVenue):
        """Keeps whoever cancels in one instrument waiting until it is let go."""

        has_come: asyncio.Event = field(default_factory=asyncio.Event)
        has_gone: asyncio.Event = field(default_factory=asyncio.Event)
        goes_on: asyncio.Event = field(default_factory=asyncio.Event)

        async def cancel(self, order: OrderRef) -> None:
            if order.instrument == "SPX":
                self.has_come.set()
                await self.goes_on.wait()
            await super().cancel(order)
            self.has_gone.set()

    venue = Clinging()
    stage = Stage(venue)
    clings, goes = (stage.world.gate.propose(n, instrument=name) for n, name in enumerate(("SPX", "IXIC")))

    async def scene() -> None:
        await stage.until(lambda: stage.state(clings) is DecisionState.WORKING)
        await stage.until(lambda: stage.state(goes) is DecisionState.WORKING)
        now = stage.world.clock.now()
        stage.world.latch.drop(Halt("instrument:SPX", TradingState.HALTED, now, "operator", "drill"))
        await venue.has_come.wait()
        for _ in range(200):
            await asyncio.sleep(0)
        stage.halt()
        name = stage.world.working_order(goes)
        try:
            await venue.has_gone.wait()
            assert venue.orders[name].status is VenueStatus.CANCELLED
        finally:
            venue.goes_on.set()

    stage.play(scene, at_most_s=5.0)
