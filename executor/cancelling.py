"""Cancels what nobody wants any more: asked for, or stopped. Cancels always pass.

Stage: executor → venue. A halted scope keeps no order open, one that only reduces no purchase,
besides what the throttle of repeated orders let through before it tripped.
What is stopped is cancelled by what this process knows in memory, so that a journal which is
locked or broken keeps no order alive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from executor.brake import Brake
from executor.diary import Diary
from executor.log import Log
from executor.together import together
from executor.venues.port import OrderRef, Venue
from policies.throttle import outlives_throttle
from when_to_invest.breakers import Halt
from when_to_invest.errors import Fault
from when_to_invest.history import DecisionRecord, OrderRecord
from when_to_invest.intents import OrderIntent
from when_to_invest.orders import UNRESOLVED, OrderState

FOLLOWED: Final = frozenset({OrderState.ACKNOWLEDGED, OrderState.PARTLY_FILLED, OrderState.QUARANTINED})
"""States in which the venue may still tell something new."""
MAY_BE_OPEN: Final = FOLLOWED | UNRESOLVED
"""States in which the venue may hold the order; what it does not know, a cancel does not hurt."""
MOST_AT_ONCE: Final = 16
"""Cancels under way at the venue at one time."""
LONGEST_CANCEL_S: Final = 0.5
"""How long the brake waits for a cancel before it looks for other halts; the cancel itself goes on."""


def orders_in(records: Iterable[DecisionRecord], states: frozenset[OrderState]) -> list[tuple[str, str]]:
    """Return decision and client order id of every order in one of `states`."""
    return [
        (record.decision_id, client_order_id)
        for record in records
        for client_order_id, order in record.orders.items()
        if order.state in states
    ]


def ref_of(order: OrderRecord) -> OrderRef:
    """Return what a venue is asked about an order with."""
    return OrderRef(order.sent.client_order_id, order.sent.instrument, order.venue_order_id)


class Canceller:
    """Sends cancels, side by side; what comes of them is followed like everything else at the venue."""

    def __init__(self, *, diary: Diary, venue: Venue, brake: Brake, log: Log) -> None:
        self._diary = diary
        self._venue = venue
        self._brake = brake
        self._log = log
        self._cancelled: set[str] = set()
        self._under_way: dict[str, asyncio.Task[bool]] = {}
        """Cancels of what is stopped that the venue has not answered, by client order id."""
        self._places = asyncio.Semaphore(MOST_AT_ONCE)

    async def cancel_unwanted(self) -> None:
        """Cancel before anything is asked, so that no later trouble keeps an order alive.

        Raises:
            Fault: `venue_unavailable`, for a cancel that somebody asked for.
        """
        await self.cancel_stopped()
        followed = orders_in(self._diary.open_decisions(), FOLLOWED)
        records = [(self._diary.decisions[decision_id], name) for decision_id, name in followed]
        unwanted = [ref_of(record.orders[name]) for record, name in records if record.is_cancel_requested]
        await together(map(self._venue.cancel, unwanted), at_once=MOST_AT_ONCE)

    async def cancel_stopped(self, *, most_s: float | None = None) -> None:
        """Cancel every order that may be open and may not be, by what this process knows.

        Needs no journal: it works while that is locked or broken. One order that cannot be
        cancelled keeps no other alive; it is tried again at the next call.

        `most_s`: how long to wait for the venue; what takes longer goes on, and is asked for once only.
        """
        stopped = {order.client_order_id: order for order in self._stopped()}
        for name, order in stopped.items():
            if name not in self._under_way:
                self._under_way[name] = task = asyncio.create_task(self._cancel(order), name=f"cancel {name}")
                task.add_done_callback(partial(self._answered, name))
        if not (asked := [self._under_way[name] for name in stopped]):
            return
        done, _ = await asyncio.wait(asked, timeout=most_s)
        if first := sum(task.result() for task in done if not task.cancelled()):
            self._log.say("stopped_orders_cancelled", orders=first)

    def _answered(self, name: str, _: asyncio.Task[bool]) -> None:
        self._under_way.pop(name, None)

    def _stopped(self) -> list[OrderRef]:
        halts = self._brake.switch.read()
        stopped: list[OrderRef] = []
        for decision_id, client_order_id in orders_in(self._diary.open_decisions(), MAY_BE_OPEN):
            record = self._diary.decisions[decision_id]
            if self._brake.objection(record.intent, halts) and not self.may_stay(record, halts):
                stopped.append(ref_of(record.orders[client_order_id]))
        return stopped

    def may_stay(self, record: DecisionRecord, halts: Sequence[Halt]) -> bool:
        """Return whether only the throttle objects, after it let this order through.

        A quarantine does not say so again where the throttle has reduced already, so it is looked for.
        """
        intent, envelope = record.intent, record.envelope
        if envelope is None or not isinstance(intent, OrderIntent):
            return False
        quarantined = orders_in(self._diary.open_decisions(), frozenset({OrderState.QUARANTINED}))
        doubted = {
            self._diary.decisions[decision].orders[name].sent.instrument for decision, name in quarantined
        }
        return intent.instrument not in doubted and outlives_throttle(
            intent, self._diary.book, halts, sealed_at=envelope.content.sealed_at
        )

    async def _cancel(self, order: OrderRef) -> bool:
        """Cancel one order; return whether that was asked for the first time."""
        try:
            async with self._places:
                await self._venue.cancel(order)
        except Exception as error:  # noqa: BLE001 - one order, whatever is wrong with it, keeps no other alive
            code = error.code.value if isinstance(error, Fault) else type(error).__name__
            self._log.say("cancel_failed", client_order_id=order.client_order_id, code=code)
            return False
        is_first = order.client_order_id not in self._cancelled
        self._cancelled.add(order.client_order_id)
        return is_first
