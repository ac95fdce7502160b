"""Works the orders that have a plan: wakes each when its time has come, and does what is next.

Stage: journal → venue, beside the intake. A plan needs no message: what the journal says of it is all
there is, so a process that starts goes on where the last one was killed. What is remembered here is
only when to look again.

# INVARIANT: nothing of a group leaves while the fate of an order of it is unknown.
# INVARIANT: one look at a plan at a time; each one sends, cancels or ends at most one order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from executor.algos.moves import CancelChild, Wait
from executor.cancelling import ref_of
from executor.children import Children, Turn
from executor.diary import Diary
from executor.doors import Doors
from executor.lanes import Lanes
from executor.log import Log
from executor.quoting import market_for
from executor.recovery import Recovery, group_of
from executor.submission import Submission
from executor.venues.port import Venue
from executor.working import Working
from when_to_invest import events as ev
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionRecord
from when_to_invest.intents import OrderIntent
from when_to_invest.workings import ExecutionFinished

MOST_PLANS: Final = 32
"""Plans that are looked at side by side."""
PATIENCE: Final = timedelta(seconds=1)
"""When to look again at what a venue did not answer, or has not ended yet."""


@dataclass(frozen=True, slots=True)
class Due:
    """A plan whose time has come; its lane is its own."""

    group: str
    """The decision's id."""


@dataclass(frozen=True, slots=True)
class _Nap:
    """When to look again: at `until`, or as soon as the journal says more than `events` of it."""

    until: datetime | None
    events: int


@dataclass(frozen=True, slots=True)
class Means:
    """What a scheduler works with."""

    diary: Diary
    venue: Venue
    children: Children
    submission: Submission
    recovery: Recovery
    working: Working
    doors: Doors
    log: Log


class Scheduler:
    """Wakes plans and takes each one step on; steps of different plans go side by side."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._diary = means.diary
        self._naps: dict[str, _Nap] = {}
        self.lanes: Lanes[Due] = Lanes(self._work, most=MOST_PLANS)

    async def look(self) -> None:
        """Put every plan whose time has come into its lane.

        Raises:
            Fault: from the journal.
        """
        await self._diary.refresh()
        working = [record for record in self._diary.open_decisions() if is_being_worked(record)]
        for record in working:
            if self.lanes.has_room and self._is_due(record):
                self.lanes.put(Due(record.decision_id))
        known = {record.decision_id for record in working}
        self._naps = {name: nap for name, nap in self._naps.items() if name in known}

    def _is_due(self, record: DecisionRecord) -> bool:
        if self.lanes.has(record.decision_id) or record.decision_id in self._means.submission.in_flight:
            return False
        nap = self._naps.get(record.decision_id)
        if nap is None or nap.events != len(record.events):
            return True
        is_over = nap.until is not None and self._diary.now() >= nap.until
        return is_over or self._means.children.is_stopped(record)

    async def _work(self, due: Due) -> None:
        record = self._diary.decisions[due.group]
        async with self._means.doors.of(group := group_of(record)):
            if not self._means.recovery.is_clear(group):
                self._sleep(due.group, until=self._diary.now() + PATIENCE)
                return
            with self._means.submission.flight_of(due.group) as is_first:
                if is_first:
                    await self._step(due.group)

    async def _step(self, decision_id: str) -> None:
        """Decide on the newest state and a fresh quote, and do it."""
        record, turn = self._diary.decisions[decision_id], Turn()
        intent, working = record.intent, record.working
        if not isinstance(intent, OrderIntent) or working is None or working.planned is None:
            return
        seen = await market_for(intent, venue=self._means.venue, since=working.planned.starts_at)
        written = await self._diary.write(
            lambda: self._means.children.go_on(self._diary.decisions[decision_id], seen, turn=turn),
            about=(decision_id,),
        )
        for event in written:
            if isinstance(event, ev.SendIntended) and turn.order is not None:
                await self._means.submission.carry(event, turn.order, intent=intent)
            elif isinstance(event, ExecutionFinished):
                self._tell_end(event)
        if isinstance(turn.move, CancelChild):
            await self._cancel(decision_id, turn.move)
        elif isinstance(turn.move, Wait):
            self._sleep(decision_id, until=turn.move.until)

    async def _cancel(self, decision_id: str, move: CancelChild) -> None:
        order = self._diary.decisions[decision_id].orders[move.client_order_id]
        try:
            await self._means.venue.cancel(ref_of(order))
            await self._means.working.ask_about(decision_id, move.client_order_id)
        except Fault as fault:
            if fault.code is not ErrorCode.VENUE_UNAVAILABLE:
                raise
        self._means.log.say(
            "child_cancelled",
            at=self._diary.now(),
            decision_id=decision_id,
            client_order_id=move.client_order_id,
            why=move.why,
        )
        if self._diary.decisions[decision_id].orders[move.client_order_id].is_open:
            self._sleep(decision_id, until=self._diary.now() + PATIENCE)

    def _sleep(self, decision_id: str, *, until: datetime | None) -> None:
        self._naps[decision_id] = _Nap(until, len(self._diary.decisions[decision_id].events))

    def _tell_end(self, event: ExecutionFinished) -> None:
        self._means.log.say(
            "execution_finished",
            at=event.at,
            decision_id=event.decision_id,
            ending=event.ending.value,
            why=event.why,
        )


def is_being_worked(record: DecisionRecord) -> bool:
    """Whether a plan has begun and is not over."""
    working = record.working
    return working is not None and working.planned is not None and working.finished is None
