"""A world whose orders carry plans: a quoted market, a clock that walks, and crashes at named points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from executor.probe import NoProbe, Point, Probe
from executor.venues.port import VenueStatus
from tests.executor.world import Executor, World
from tests.fakes.fake_market import AFTER_MONDAY
from when_to_invest import events as ev
from when_to_invest.execution import Execution, TwapPlan
from when_to_invest.history import OrderRecord
from when_to_invest.intents import TimeInForce
from when_to_invest.quotes import Quote
from when_to_invest.workings import ExecutionFinished, OrderAmended

TWAP = TwapPlan(duration_s=400, slices=4)
Market = Callable[["Planned"], None]
"""What happens at the venue after each step."""


class Killed(BaseException):
    """The process ends here."""


class KilledAt:
    """Ends the process when it comes to a point for the n-th time."""

    def __init__(self, point: Point, *, time: int = 1) -> None:
        self._point = point
        self._left = time

    def reached(self, point: Point) -> None:
        if point is self._point:
            self._left -= 1
            if not self._left:
                raise Killed


@dataclass
class Planned(World):
    """A world with a market that is quoted at every instant."""

    mid_usd: Decimal = Decimal(100)
    is_quoted: bool = True
    service: Executor | None = field(default=None, init=False)

    def propose(self, plan: Execution = TWAP, **changes: Any) -> str:
        """Propose 12 units of it at a limit of 101, and queue the envelope."""
        return self.gate.propose(execution=plan, **{"quantity": Decimal(12)} | changes)

    def quote(self) -> None:
        """Let the venue show the present price, one cent apart on either side."""
        self.venue.quotes.clear()
        if self.is_quoted:
            bid, ask = self.mid_usd - Decimal("0.01"), self.mid_usd + Decimal("0.01")
            some = Decimal(1000)
            self.venue.quotes["SPX"] = Quote("SPX", self.clock.now(), bid, some, ask, some)

    def restart(self, probe: Probe | None = None) -> Executor:
        """Put a fresh process in the place of the one before."""
        self.quote()
        self.service = self.executor(probe=probe or NoProbe())
        self.service.start()
        return self.service

    def step(self, *, times: int = 1) -> None:
        """Let the executor do so many rounds at this instant."""
        service = self.service or self.restart()
        self.queue.now_s = (self.clock.now() - AFTER_MONDAY).total_seconds()
        for _ in range(times):
            self.quote()
            service.step(wait_s=0)

    def work_plans_alone(self) -> None:
        """Look at the plans once, and at nothing else."""
        service = self.service or self.restart()
        service._work_plans_once()

    def walk(self, seconds: float, *, every_s: float = 5, then: Market | None = None) -> None:
        """Let time pass, with the executor at work all along, and the market after each step."""
        end = self.clock.now() + timedelta(seconds=seconds)
        while self.clock.now() < end:
            self.clock.move_to(min(self.clock.now() + timedelta(seconds=every_s), end))
            self.step()
            if then is not None:
                then(self)

    def pass_by(self, seconds: float) -> None:
        """Let time pass while no executor runs."""
        self.clock.move_to(self.clock.now() + timedelta(seconds=seconds))

    def fill_open(self) -> None:
        """Execute in full whatever rests at the venue."""
        for name in self.resting():
            left = self.venue.requests[name].quantity - self.venue.filled(name)
            self.venue.trade(name, left, price_usd=str(self.venue.requests[name].limit_price_usd))

    def end_immediate(self) -> None:
        """Cancel what does not rest, as a venue does at its next price."""
        for name in self.resting():
            if self.venue.requests[name].time_in_force is TimeInForce.IOC:
                self.venue.expire(name)

    def resting(self) -> list[str]:
        return [name for name, order in self.venue.orders.items() if order.status is VenueStatus.WORKING]

    def children(self, decision_id: str) -> list[OrderRecord]:
        return list(self.decision(decision_id).orders.values())

    def finished(self) -> list[ExecutionFinished]:
        return [event for event in self.events(ExecutionFinished) if isinstance(event, ExecutionFinished)]

    def cancel(self, decision_id: str) -> None:
        asked = ev.CancelRequested(
            at=self.clock.now(), mode=self.gate.mode, decision_id=decision_id, caller="agent"
        )
        self.journal.append([asked])

    def amend(self, decision_id: str, *, quantity: str = "12", limit_price_usd: str = "101") -> None:
        asked = OrderAmended(
            at=self.clock.now(),
            mode=self.gate.mode,
            decision_id=decision_id,
            caller="agent",
            quantity=Decimal(quantity),
            limit_price_usd=Decimal(limit_price_usd),
        )
        self.journal.append([asked])

    def demand_sound(self, decision_id: str) -> None:
        """Check what holds at any moment: nothing twice, never too much, all of it reserved."""
        record = self.decision(decision_id)
        names = self.venue.submits
        assert len(names) == len(set(names)), "an order was sent twice"
        executed = sum((self.venue.filled(name) for name in self.venue.orders), Decimal(0))
        open_ = sum(
            (self.venue.requests[name].quantity - self.venue.filled(name) for name in self.resting()),
            Decimal(0),
        )
        assert executed + open_ <= record.authorised_quantity
        held = self.book.position("main", "SPX").quantity
        reserved = self.book.reservations.get(decision_id)
        assert (reserved.quantity_open if reserved else Decimal(0)) >= executed - held + open_
