"""Resolves orders whose fate is unknown, before anything is received: found, absent, quarantined.

Stage: executor, at start and whenever an outcome was lost. Each order is looked for by its
client order id. It is never sent again from here.

Absence is proven by three negative rounds, and by the end of the request's validity: by the clock,
and by this process's own waiting, which nobody can set. Where the venue declares that its absence
is authoritative no request can be under way, and rounds may follow each other at once. What
`MAX_ROUNDS` rounds cannot decide is quarantined: it stays reserved in full and its instrument may
only be reduced.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import Final

from executor.cancelling import ref_of
from executor.diary import Diary
from executor.log import Log
from executor.patience import Patience
from executor.sending import REQUEST_VALIDITY, moved
from executor.together import together
from executor.venues.port import Venue, VenueOrder
from when_to_invest import events as ev
from when_to_invest.breakers import TradingState
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionRecord, OrderRecord
from when_to_invest.orders import UNRESOLVED, OrderState, OrderStep

NEGATIVE_ROUNDS: Final = 3
MAX_ROUNDS: Final = 12
ROUND_PAUSE_S: Final = 5.0
"""At least, between rounds at a venue whose silence proves nothing."""
MOST_GROUPS: Final = 8
"""Groups looked after at one time."""


def group_of(record: DecisionRecord) -> str:
    """Return the message group of a decision that was sealed; empty for any other."""
    return "" if record.envelope is None else record.envelope.content.message_group


class Recovery:
    """Looks for lost orders, round by round; counts of rounds live as long as the process."""

    def __init__(
        self, *, diary: Diary, venue: Venue, log: Log, patience: Patience, in_flight: Collection[str] = ()
    ) -> None:
        self._in_flight = in_flight
        """Decisions of which an order is on its way: who sends it learns the outcome."""
        self._diary = diary
        self._venue = venue
        self._log = log
        self._patience = patience
        self._at_work: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._rounds: Counter[str] = Counter()
        self._negatives: Counter[str] = Counter()
        self._waited_s: defaultdict[str, float] = defaultdict(float)
        self.resolved = 0
        self.quarantined = 0

    def is_clear(self, group: str | None = None) -> bool:
        """Whether, on the diary's present fold, no order's fate is unknown: in a group, or at all."""
        return not self._unresolved(group)

    async def resolve(self) -> None:
        """Look for every unresolved order until each is found, proven absent or quarantined.

        Groups are looked after side by side. Returns early, with doubts left, only when the
        process was asked to stop.
        """
        await self._diary.refresh()
        groups = dict.fromkeys(group for group, _ in self._doubtful())
        await together(map(self.resolve_group, groups), at_once=MOST_GROUPS)

    async def resolve_group(self, group: str) -> None:
        """Do what `resolve` does for one message group, unless somebody does it already; then wait."""
        async with self._at_work[group]:
            while not self.is_clear(group) and not self._patience.is_over:
                answers = [await self._look_for(order) for order in self._unresolved(group)]
                may_hurry = self._venue.profile.absence_is_authoritative and all(answers)
                if not self.is_clear(group) and not may_hurry:
                    await self._patience.pause(self._round_pause_s)
                    # Only what was really waited counts: a round that failed is tried again at once.
                    for order in self._unresolved(group):
                        self._waited_s[order.sent.client_order_id] += self._round_pause_s

    @property
    def _round_pause_s(self) -> float:
        """Return seconds between rounds, so that all of them outlast a request's life by half of it."""
        return max(ROUND_PAUSE_S, 1.5 * self._venue.profile.request_life_s / MAX_ROUNDS)

    def _unresolved(self, group: str | None = None) -> list[OrderRecord]:
        return [order for of_group, order in self._doubtful() if group in {None, of_group}]

    def _doubtful(self) -> Iterator[tuple[str, OrderRecord]]:
        for record in self._diary.open_decisions():
            if not record.orders or record.decision_id in self._in_flight:
                continue
            for order in record.orders.values():
                if order.state in UNRESOLVED:
                    yield group_of(record), order

    async def _look_for(self, order: OrderRecord) -> bool:
        """Look once; return whether the venue answered."""
        client_order_id = order.sent.client_order_id
        self._rounds[client_order_id] += 1
        try:
            found = await self._venue.find(ref_of(order))
        except Fault as fault:
            if fault.code is not ErrorCode.VENUE_UNAVAILABLE:
                raise
            self._negatives[client_order_id] = 0
            await self._doubt(order, why=fault.message)
            return False
        if found is not None:
            await self._found(order, found)
            return True
        self._negatives[client_order_id] += 1
        if self._is_proven_absent(order):
            await self._absent(order)
        else:
            await self._doubt(order, why="the venue does not know it, which proves nothing yet")
        return True

    def _is_proven_absent(self, order: OrderRecord) -> bool:
        if self._negatives[order.sent.client_order_id] < NEGATIVE_ROUNDS:
            return False
        life = max(REQUEST_VALIDITY, timedelta(seconds=self._venue.profile.request_life_s))
        is_too_late = self._diary.now() > order.sent.at + life and self._looked_for(order) > life
        return self._venue.profile.absence_is_authoritative or is_too_late

    def _looked_for(self, order: OrderRecord) -> timedelta:
        """Return how long this process has waited for it, whatever a clock says that was set meanwhile."""
        return timedelta(seconds=self._waited_s[order.sent.client_order_id])

    async def _found(self, order: OrderRecord, found: VenueOrder) -> None:
        # However it ended, it is followed first: what traded of it is booked before its end is.
        await self._move(
            order,
            OrderStep.ACKNOWLEDGED,
            why="found after a lost answer",
            venue_order_id=found.venue_order_id,
        )
        self.resolved += 1

    async def _absent(self, order: OrderRecord) -> None:
        rounds = self._negatives[order.sent.client_order_id]
        await self._move(order, OrderStep.PROVEN_ABSENT, why=f"absent in {rounds} rounds")
        self.resolved += 1

    async def _doubt(self, order: OrderRecord, *, why: str) -> None:
        if order.state is OrderState.SEND_INTENDED:
            await self._move(order, OrderStep.LOST_SIGHT, why=why)
        if self._rounds[order.sent.client_order_id] >= MAX_ROUNDS:
            await self._diary.tighten(
                f"instrument:{order.sent.instrument}",
                state=TradingState.REDUCING,
                why=f"order {order.sent.client_order_id} is in quarantine",
            )
            await self._move(order, OrderStep.QUARANTINED, why=f"undecided after {MAX_ROUNDS} rounds: {why}")
            self.quarantined += 1

    async def _move(self, order: OrderRecord, step: OrderStep, *, why: str, venue_order_id: str = "") -> None:
        sent = order.sent

        def decide() -> Sequence[ev.Event]:
            present = self._diary.decisions[sent.decision_id].orders[sent.client_order_id]
            # Another executor may have looked at the same time, and written first.
            is_known = step is OrderStep.LOST_SIGHT and present.state is not OrderState.SEND_INTENDED
            if present.state not in UNRESOLVED or is_known:
                return ()
            if step is OrderStep.PROVEN_ABSENT and present.state is OrderState.SEND_INTENDED:
                lost = moved(self._diary, sent, step=OrderStep.LOST_SIGHT, why=why)
                return (lost, moved(self._diary, sent, step=step, why=why))
            return (moved(self._diary, sent, step=step, why=why, venue_order_id=venue_order_id),)

        await self._diary.write(decide, about=(sent.decision_id,))
        self._log.say(
            "order_resolved",
            at=self._diary.now(),
            decision_id=sent.decision_id,
            client_order_id=sent.client_order_id,
            step=step.value,
        )
