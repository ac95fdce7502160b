"""Everything side by side: what hangs holds up nothing else, and a stop finishes what is in hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest

from executor.main import keep_working
from executor.service import Parts, Service
from executor.venues.port import NewOrder, OrderRef, OutcomeUnknownError, VenueOrder, VenueStatus
from tests.executor.by_hand import run
from tests.executor.world import World
from tests.fakes.fake_market import SPX, FakeMarket, quiet_week
from tests.fakes.fake_venue import FakeVenue, Mishap
from when_to_invest import events as ev
from when_to_invest.breakers import SYSTEM, Halt, TradingState
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionState
from when_to_invest.orders import OrderState

INSTRUMENTS = ("SPX", "IXIC")
MOST_TURNS = 5_000
"""Turns of the loop after which a test has waited in vain."""


@dataclass
class Turns:
    """Waits a turn of the loop, however long is asked for, until told to stop."""

    is_over: bool = False

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(0)


@dataclass
class Halting(FakeVenue):
    """Holds back the answers about one instrument until it is let go."""

    holds: str = ""
    has_come: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def submit(self, order: NewOrder) -> VenueOrder:
        if order.instrument == self.holds:
            self.has_come.set()
            await self.goes_on.wait()
        return await super().submit(order)


def two_instruments() -> FakeMarket:
    instruments = tuple(SPX.model_copy(update={"id": name}) for name in INSTRUMENTS)
    return FakeMarket(instruments=instruments, bars=dict.fromkeys(INSTRUMENTS, quiet_week()))


class Stage:
    """A world that is served, and a hand on it."""

    def __init__(self, venue: FakeVenue) -> None:
        self.world = World(venue=venue, market=two_instruments())
        self.patience = Turns()
        self.parts: Parts = replace(self.world.parts(), patience=self.patience)

    def play(self, scene: Callable[[], Awaitable[None]], *, at_most_s: float = 30.0) -> None:
        """Serve while the scene goes on; stop when it has ended."""

        async def work() -> None:
            serving = asyncio.create_task(
                keep_working(Service(self.parts), parts=self.parts, until_idle=False)
            )
            try:
                await asyncio.wait_for(scene(), timeout=at_most_s)
            finally:
                self.patience.is_over = True
            await asyncio.wait_for(serving, timeout=at_most_s)

        run(work())

    def state(self, decision_id: str) -> DecisionState:
        return self.world.decision(decision_id).state

    async def until(self, is_so: Callable[[], bool]) -> None:
        for _ in range(MOST_TURNS):
            if is_so():
                return
            await asyncio.sleep(0)
        raise AssertionError("waited in vain")

    def halt(self) -> None:
        self.world.latch.drop(Halt(SYSTEM, TradingState.HALTED, self.world.clock.now(), "operator", "drill"))


def test_an_order_that_hangs_at_the_venue_holds_up_no_other_group() -> None:
    venue = Halting(holds="SPX")
    stage = Stage(venue)
    slow, quick = (stage.world.gate.propose(n, instrument=name) for n, name in enumerate(INSTRUMENTS))
    after = stage.world.gate.propose(7, instrument="SPX")

    async def scene() -> None:
        await venue.has_come.wait()
        await stage.until(lambda: stage.state(quick) is DecisionState.WORKING)
        assert stage.state(slow) is DecisionState.SENDING
        assert not stage.world.decision(after).is_received
        venue.goes_on.set()
        await stage.until(lambda: stage.state(after) is DecisionState.WORKING)

    stage.play(scene)
    assert stage.state(slow) is DecisionState.WORKING
    assert stage.world.queue.is_empty()


def test_nobody_proves_absent_what_is_still_on_its_way() -> None:
    venue = Halting(holds="SPX")
    stage = Stage(venue)
    slow = stage.world.gate.propose(1, instrument="SPX")

    async def scene() -> None:
        await venue.has_come.wait()
        for _ in range(500):
            await asyncio.sleep(0)
        (order,) = stage.world.decision(slow).orders.values()
        assert order.state is OrderState.SEND_INTENDED
        venue.goes_on.set()
        await stage.until(lambda: stage.state(slow) is DecisionState.WORKING)

    stage.play(scene)
    assert len(venue.submits) == 1


def test_a_halt_cancels_what_is_open_while_an_order_hangs() -> None:
    venue = Halting(holds="SPX")
    stage = Stage(venue)
    slow, quick = (stage.world.gate.propose(n, instrument=name) for n, name in enumerate(INSTRUMENTS))

    async def scene() -> None:
        await venue.has_come.wait()
        await stage.until(lambda: stage.state(quick) is DecisionState.WORKING)
        stage.halt()
        await stage.until(lambda: stage.state(quick) is DecisionState.CANCELLED)
        assert stage.state(slow) is DecisionState.SENDING
        assert stage.world.book.trading_states == {SYSTEM: TradingState.HALTED}
        venue.goes_on.set()
        await stage.until(lambda: stage.state(slow) is DecisionState.CANCELLED)

    stage.play(scene)
    assert {order.status for order in venue.orders.values()} == {VenueStatus.CANCELLED}


def test_an_unknown_outcome_stops_its_own_group_only() -> None:
    class Forgetful(FakeVenue):
        """Loses the first answer about SPX, and says nothing of that order for as long as it likes."""

        is_silent = True

        async def submit(self, order: NewOrder) -> VenueOrder:
            answer = await super().submit(order)
            if order.instrument == "SPX" and len(self.submits) == 1:
                raise OutcomeUnknownError("told to lose the answer")
            return answer

        async def find(self, order: OrderRef) -> VenueOrder | None:
            if order.instrument == "SPX" and self.is_silent:
                await asyncio.sleep(0)
                raise Fault(ErrorCode.VENUE_UNAVAILABLE, "told to be silent", fix="wait")
            return await super().find(order)

    venue = Forgetful()
    stage = Stage(venue)
    stage.parts = replace(stage.parts, patience=(patience := Slow()))
    stage.patience = patience
    lost = stage.world.gate.propose(1, instrument="SPX")

    async def scene() -> None:
        await stage.until(lambda: bool(venue.submits))
        behind = stage.world.gate.propose(2, instrument="SPX")
        beside = stage.world.gate.propose(3, instrument="IXIC")
        await stage.until(lambda: stage.state(beside) is DecisionState.WORKING)
        assert stage.state(lost) is DecisionState.UNKNOWN
        assert not stage.world.decision(behind).is_received
        venue.is_silent = False
        patience.may_wait_long.set()
        await stage.until(lambda: stage.state(behind) is DecisionState.WORKING)

    stage.play(scene)
    assert stage.state(lost) is DecisionState.WORKING
    assert len(venue.submits) == 3


@dataclass
class Slow(Turns):
    """As `Turns`, but a wait between two rounds of recovery lasts until it is let go."""

    may_wait_long: asyncio.Event = field(default_factory=asyncio.Event)

    async def pause(self, seconds: float) -> None:
        if seconds >= 5.0:
            await self.may_wait_long.wait()
        await asyncio.sleep(0)


def test_a_stop_finishes_what_is_in_hand_and_takes_nothing_more() -> None:
    venue = Halting(holds="SPX")
    stage = Stage(venue)
    slow = stage.world.gate.propose(1, instrument="SPX")
    left: list[str] = []

    async def scene() -> None:
        await venue.has_come.wait()
        stage.patience.is_over = True
        for _ in range(50):
            await asyncio.sleep(0)
        left.append(stage.world.gate.propose(2, instrument="IXIC"))
        venue.goes_on.set()

    stage.play(scene)
    assert stage.state(slow) is DecisionState.WORKING
    assert not stage.world.decision(left[0]).is_received
    assert not stage.world.events(ev.TradingStateChanged)


def test_a_stop_waits_no_longer_than_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("executor.serving.DRAIN_S", 0.05)
    venue = Halting(holds="SPX")
    stage = Stage(venue)
    slow = stage.world.gate.propose(1, instrument="SPX")

    async def scene() -> None:
        await venue.has_come.wait()

    stage.play(scene)
    assert stage.state(slow) is DecisionState.SENDING
    assert "broken_off" in stage.world.log.getvalue()
    stage.world.queue.now_s += 60
    venue.goes_on.set()
    stage.world.run()
    assert len(venue.orders) == 1
    assert stage.state(slow) is DecisionState.WORKING


def test_a_venue_that_is_silent_for_a_while_ends_nothing() -> None:
    venue = FakeVenue()
    stage = Stage(venue)
    first = stage.world.gate.propose(1, instrument="SPX")

    async def scene() -> None:
        await stage.until(lambda: stage.state(first) is DecisionState.WORKING)
        venue.is_deaf = True
        await stage.until(lambda: "retrying" in stage.world.log.getvalue())
        venue.is_deaf = False
        stage.world.venue.trade(
            stage.world.working_order(first), venue.requests[next(iter(venue.orders))].quantity
        )
        await stage.until(lambda: stage.state(first) is DecisionState.FILLED)

    stage.play(scene)
    assert not stage.world.latch.read()


@pytest.mark.parametrize("mishap", [Mishap.LOST_AFTER, Mishap.LOST_BEFORE, Mishap.DECLINED])
def test_a_mishap_ends_like_in_single_steps(mishap: Mishap) -> None:
    venue = FakeVenue()
    venue.plan.append(mishap)
    stage = Stage(venue)
    decision_id = stage.world.gate.propose(1, instrument="SPX")
    ends = {DecisionState.WORKING, DecisionState.REJECTED}

    async def scene() -> None:
        await stage.until(lambda: stage.state(decision_id) in ends)

    stage.play(scene)
    assert len(venue.orders) <= 1
    assert (stage.state(decision_id) is DecisionState.REJECTED) is (mishap is Mishap.DECLINED)


def test_a_defect_drops_the_latch_before_what_is_in_hand_ends() -> None:
    class Broken(Halting):
        async def find(self, order: OrderRef) -> VenueOrder | None:
            raise ZeroDivisionError

    venue = Broken(holds="IXIC")
    stage = Stage(venue)
    stage.world.gate.propose(1, instrument="IXIC")

    async def scene() -> None:
        await venue.has_come.wait()
        stage.world.gate.propose(2, instrument="SPX")
        await stage.until(lambda: bool(stage.world.latch.read()))
        venue.goes_on.set()

    with pytest.raises(Fault) as caught:
        stage.play(scene)
    assert caught.value.code is ErrorCode.INTERNAL
    assert VenueStatus.WORKING not in {order.status for order in venue.orders.values()}
    assert stage.world.book.trading_states == {SYSTEM: TradingState.HALTED}
