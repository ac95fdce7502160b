"""Whatever fails, wherever: what leaves a doubt leaves a latch, and nothing stays open at the venue.

The clock among it: a halt needs no right time, only to fall.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from executor.main import NOTHING_IN_DOUBT, keep_working
from executor.receiving import Receiving
from executor.service import Parts, Service
from executor.venues.port import OrderRef, VenueStatus
from home.clock import ReplayClock
from home.paths import Home
from tests.conftest import Proof
from tests.executor.by_hand import run
from tests.executor.world import Executor, World
from when_to_invest.breakers import SYSTEM, TradingState
from when_to_invest.errors import ErrorCode, Fault

CALLS = (
    ("clock", "now"),
    ("journal", "read"),
    ("journal", "append"),
    ("queue", "receive"),
    ("queue", "extend"),
    ("queue", "delete"),
    ("queue", "is_empty"),
    ("letters", "look"),
    ("venue", "status"),
    ("venue", "find"),
    ("venue", "trades"),
    ("venue", "submit"),
    ("venue", "cancel"),
    ("market", "reference"),
    ("market", "instrument"),
)
DEFECTS = (ZeroDivisionError, KeyError, OSError, RuntimeError)


def faults() -> list[Exception]:
    """One of every fault there is, and some of what nobody translated."""
    return [*(Fault(code, "told to fail", fix="none") for code in ErrorCode), *(kind() for kind in DEFECTS)]


@dataclass
class Trouble:
    """From one call of one method of one port on, that call fails."""

    port: str = ""
    method: str = ""
    nth: int = 1
    error: Exception = field(default_factory=ZeroDivisionError)
    calls: int = 0
    has_struck: bool = False

    def strike(self, port: str, method: str) -> None:
        if (port, method) != (self.port, self.method):
            return
        self.calls += 1
        if self.calls >= self.nth:
            self.has_struck = True
            raise self.error


class Troubled:
    """A port as the executor holds it."""

    def __init__(self, real: object, port: str, trouble: Trouble) -> None:
        self._real, self._port, self._trouble = real, port, trouble

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        return self._watched(name, value) if callable(value) else value

    def _watched(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            self._trouble.strike(self._port, name)
            return act(*given, **named)

        return call


def troubled(world: World, trouble: Trouble) -> Parts:
    """Return what an executor is made of, every port of it in trouble once it starts."""
    quiet = Trouble()
    clock: Any = Troubled(world.clock, "clock", quiet)
    journal: Any = Troubled(world.journal, "journal", quiet)
    queue: Any = Troubled(world.queue, "queue", quiet)
    parts = world.parts(clock=clock, journal=journal, queue=queue)
    venue: Any = Troubled(world.venue, "venue", trouble)
    market: Any = Troubled(world.market, "market", trouble)
    letters: Any = Troubled(world.queue, "letters", trouble)
    for port in (clock, journal, queue):
        port._trouble = trouble
    return replace(parts, venue=venue, market=market, queue=Receiving(queue, letters))


def open_world() -> World:
    """A purchase that rests at the venue with a part just traded, and another in the queue."""
    world = World()
    resting = world.gate.propose(1)
    world.run()
    world.venue.trade(world.working_order(resting), Decimal(4))
    world.gate.propose(2)
    return world


def halted_by(world: World, parts: Parts) -> Fault | None:
    """Work until something ends it; return what."""
    try:
        run(keep_working(Service(parts), parts=parts, until_idle=True))
    except Fault as fault:
        return fault
    return None


def assert_halted(world: World, *, but: str = "") -> None:
    """By a latch; no order is open, and the journal tells, except where `but` is what fails."""
    assert [(halt.scope, halt.state) for halt in world.latch.read()] == [(SYSTEM, TradingState.HALTED)]
    if but != "cancel":
        states = {order.status for order in world.venue.orders.values()}
        assert VenueStatus.WORKING not in states
    if but not in {"append", "read"}:
        assert world.book.trading_states == {SYSTEM: TradingState.HALTED}


@pytest.mark.proof
def test_whatever_fails_at_whatever_step_a_doubt_leaves_a_latch(proof: Proof) -> None:
    halted = 0
    for seed in proof.seeds(ci=150, full=6000):
        dice = random.Random(seed)  # noqa: S311 - a seeded schedule, no secret
        (port, method), error = dice.choice(CALLS), dice.choice(faults())
        world = open_world()
        trouble = Trouble(port, method, dice.choice([1, 1, 2, 3, 5, 8, 13]), error)
        fault = halted_by(world, troubled(world, trouble))
        said = f"seed {seed}: {port}.{method} call {trouble.nth}: {error!r}"
        assert trouble.has_struck or fault is None, said
        if fault is not None and fault.code not in NOTHING_IN_DOUBT:
            halted += 1
            assert_halted(world, but=method)
    assert halted >= 30, halted


@pytest.mark.parametrize("error", faults(), ids=lambda error: getattr(error, "code", type(error).__name__))
def test_a_venue_that_fills_too_much_is_halted_whatever_the_clock_does(error: Exception) -> None:
    world = World()
    decision_id = world.gate.propose(1)
    world.run()
    world.venue.trade(world.working_order(decision_id), Decimal(1000))
    parts = troubled(world, Trouble("clock", "now", 1, error))
    with pytest.raises(Fault) as caught:
        run(keep_working(Service(parts), parts=parts, until_idle=True))
    assert caught.value.code is ErrorCode.FILL_EXCEEDS_ORDER
    assert_halted(world)


def test_a_halt_falls_while_the_clock_is_back_and_is_told_with_the_journals_newest_time() -> None:
    world = open_world()
    error = Fault(ErrorCode.CLOCK_BACK, "set back", fix="wait")
    newest_at = world.journal.recorded[-1].event.at
    service = Executor(troubled(world, Trouble("clock", "now", 1, error)))
    service.brake.pull(why="drill")
    (latch,) = world.latch.read()
    assert latch.at == newest_at
    assert world.book.standing.standing() == (latch,)
    service.cancel_stopped()
    assert_halted(world)


def test_a_replay_clock_that_cannot_be_read_keeps_no_halt_from_falling(tmp_path: Path) -> None:
    world, home = open_world(), Home(tmp_path)
    home.clock.parent.mkdir(parents=True, exist_ok=True)
    home.clock.write_text("{")
    service = world.executor(clock=ReplayClock(home.clock))
    service.brake.pull(why="drill")
    service.cancel_stopped()
    assert_halted(world)


def test_an_instrument_is_tightened_whatever_the_clock_says() -> None:
    world = World()
    parts = troubled(world, Trouble("clock", "now", 1, Fault(ErrorCode.CLOCK_AHEAD, "ahead", fix="wait")))
    run(parts.diary.tighten("instrument:SPX", state=TradingState.REDUCING, why="a drill"))
    assert world.book.trading_states == {"instrument:SPX": TradingState.REDUCING}


def test_a_cancel_that_breaks_keeps_no_other_order_alive() -> None:
    world = open_world()
    world.run()
    first, *_ = world.venue.orders
    cancel = world.venue.cancel

    async def breaks(order: OrderRef) -> None:
        if order.client_order_id == first:
            raise ZeroDivisionError
        await cancel(order)

    world.venue.cancel = breaks  # type: ignore[method-assign]
    service = world.executor()
    service.brake.pull(why="drill")
    service.cancel_stopped()
    open_still = [name for name, order in world.venue.orders.items() if order.status is VenueStatus.WORKING]
    assert open_still == [first]
    assert "ZeroDivisionError" in world.log.getvalue()
