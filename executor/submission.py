"""Carries one durable intention to the venue, once, and writes down what came of it.

Stage: executor → venue. It must never decide what is sent, nor send anything twice: the intention
is in the journal before it begins, and whatever the venue answers is classified and recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import assert_never

from executor.brake import Brake
from executor.diary import Diary
from executor.log import Log
from executor.probe import Point, Probe
from executor.telemetry.port import NoTelemetry, Telemetry
from executor.venues.port import Accepted, Declined, NewOrder, Sending, Unknown, Unsent, Venue, send
from when_to_invest import events as ev
from when_to_invest.intents import OrderIntent
from when_to_invest.orders import OrderState, OrderStep


class Submission:
    """The last step before the venue, for orders of messages and children of plans alike."""

    def __init__(
        self,
        *,
        diary: Diary,
        venue: Venue,
        brake: Brake,
        probe: Probe,
        log: Log,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._telemetry = telemetry or NoTelemetry()
        self._diary = diary
        self._venue = venue
        self._brake = brake
        self._probe = probe
        self._log = log
        self.in_flight: set[str] = set()
        """Decisions of which an order is on its way; who sends it learns the outcome."""

    @contextmanager
    def flight_of(self, decision_id: str) -> Iterator[bool]:
        """Yield whether this is the only flight of a decision; while it lasts nobody looks for its orders.

        # INVARIANT: nobody looks for an order, and proves it absent, before its answer is recorded.
        """
        is_first = decision_id not in self.in_flight
        self.in_flight.add(decision_id)
        try:
            yield is_first
        finally:
            if is_first:
                self.in_flight.discard(decision_id)

    async def carry(self, intended: ev.SendIntended, order: NewOrder, *, intent: OrderIntent) -> None:
        """Send what the journal intends, unless it was halted meanwhile, and record the outcome.

        Raises:
            Fault: from the journal alone; the venue's failures are classified and recorded.
        """
        self._probe.reached(Point.SEND_INTENDED)
        # The last look before the venue hears of it: has a newer executor taken over?
        await self._diary.refresh()
        with self._telemetry.span("venue.submit", decision_id=intended.decision_id):
            outcome = await self._sent_unless_halted(order, intent)
        self._probe.reached(Point.SUBMITTED)
        with self._telemetry.span("executor.record", decision_id=intended.decision_id):
            await self._record(intended, outcome)
        self._probe.reached(Point.ACKNOWLEDGED)

    async def _sent_unless_halted(self, order: NewOrder, intent: OrderIntent) -> Sending:
        """Send inside the latch's block, so that whoever drops it knows when the last write has ended."""
        with self._brake.switch.writing() as halts:
            if not self._brake.may_go(intent, halts):
                return Unsent("trading was halted before it was sent")
            self._probe.reached(Point.CLEARED)
            return await send(self._venue, order)

    async def _record(self, intended: ev.SendIntended, outcome: Sending) -> None:
        steps = _steps_of(outcome)

        def decide() -> Sequence[ev.Event]:
            record = self._diary.decisions[intended.decision_id]
            if record.orders[intended.client_order_id].state is not OrderState.SEND_INTENDED:
                return ()
            return [
                moved(self._diary, intended, step=step, why=steps.why, venue_order_id=steps.venue_order_id)
                for step in steps.steps
            ]

        await self._diary.write(decide, about=(intended.decision_id,))
        self._log.say(
            "order_sent",
            at=self._diary.now(),
            decision_id=intended.decision_id,
            client_order_id=intended.client_order_id,
            outcome=type(outcome).__name__.lower(),
            why=steps.why,
        )


@dataclass(frozen=True, slots=True)
class _Steps:
    steps: tuple[OrderStep, ...]
    why: str = ""
    venue_order_id: str = ""


def _steps_of(outcome: Sending) -> _Steps:
    match outcome:
        case Accepted():
            return _Steps((OrderStep.ACKNOWLEDGED,), venue_order_id=outcome.order.venue_order_id)
        case Declined():
            return _Steps((OrderStep.REJECTED,), outcome.why)
        case Unsent():
            return _Steps((OrderStep.LOST_SIGHT, OrderStep.PROVEN_ABSENT), f"never sent: {outcome.why}")
        case Unknown():
            return _Steps((OrderStep.LOST_SIGHT,), outcome.why)
        case _:
            assert_never(outcome)


def moved(
    diary: Diary, order: ev.SendIntended, *, step: OrderStep, why: str = "", venue_order_id: str = ""
) -> ev.OrderMoved:
    """Return the event that an order took `step` now."""
    return ev.OrderMoved(
        at=diary.now(),
        mode=diary.mode,
        decision_id=order.decision_id,
        client_order_id=order.client_order_id,
        step=step,
        venue_order_id=venue_order_id,
        why=why[:500],
    )
