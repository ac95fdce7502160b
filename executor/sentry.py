"""Answers strangers in the journal: halts everything, and asks the venue what is true of their orders.

Stage: executor → venue. An order that the journal calls ended and the venue still works on is
told, halts everything and is cancelled, until the venue says that it is gone; one of which it
executed more or less than is booked halts everything. So somebody who can write to the journal,
also while no executor runs, frees no limit without being noticed. It must never book anything,
nor loosen.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from enum import Enum, auto, unique
from typing import Final

from executor.brake import Brake
from executor.cancelling import ref_of
from executor.diary import Diary
from executor.log import Log
from executor.venues.port import Venue, VenueOrder, VenueStatus
from executor.working import ENDED
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import OrderRecord
from when_to_invest.orders import TERMINAL, OrderState

STRANGER: Final = "somebody else wrote events that only the executor may write"
STILL_WORKING: Final = "the venue still works on an order that the journal calls ended"
EXECUTED_OTHERWISE: Final = "the venue executed more or less of an ended order than the journal says"
_CALLED_ENDED: Final = TERMINAL - {OrderState.SETTLED}
"""Without what a quorum settled: it took the blame."""


@unique
class _Truth(Enum):
    """What the venue says of an order that the journal calls ended."""

    UNKNOWN = auto()
    AS_TOLD = auto()
    LATE = auto()
    """A trade followed its end; whoever looks back books it."""
    WORKING = auto()
    OTHERWISE = auto()


_ASKED_AGAIN: Final = frozenset({_Truth.UNKNOWN, _Truth.WORKING})
_ALARMS: Final = (
    (_Truth.WORKING, STILL_WORKING, "ended_orders_working"),
    (_Truth.OTHERWISE, EXECUTED_OTHERWISE, "ended_orders_executed_otherwise"),
)


class Sentry:
    """Looks after what somebody may have called ended."""

    def __init__(self, *, diary: Diary, venue: Venue, brake: Brake, log: Log) -> None:
        self._diary = diary
        self._venue = venue
        self._brake = brake
        self._log = log
        self._doubted: dict[str, str] = {}
        """Decisions by client order id."""

    async def answer(self) -> bool:
        """Halt when strangers were heard, and doubt what they wrote about; return whether any were.

        Raises:
            Fault: from latch and journal, when nothing could be halted.
        """
        with self._diary.answering() as strangers:
            if strangers.first is None:
                return False
            self._log.say(
                "strangers_heard",
                at=self._diary.now_or_last(),
                sequence=strangers.first.sequence,
                kind=strangers.first.event.kind,
                events=strangers.count,
            )
            self._doubt(strangers.decision_ids)
            # Its latch is down before anybody else goes on.
            await self._brake.pull(why=STRANGER, is_news=True)
        return True

    def doubt_recent(self) -> None:
        """Doubt every order of the last 24 hours that the journal calls ended."""
        self._doubt(self._diary.book.recent.sealed)

    async def look(self) -> bool:
        """Ask the venue about every doubted order; return whether any is not as the journal says.

        One that gives no answer, or works, is asked about again.

        Raises:
            Fault: a failure of the venue other than silence, or from the journal.
        """
        doubted = tuple(self._doubted.items())
        truths = {name: await self._truth_about(decision_id, name) for name, decision_id in doubted}
        for name, truth in truths.items():
            if truth not in _ASKED_AGAIN:
                self._doubted.pop(name, None)
        for alarm, why, what in _ALARMS:
            if told := [name for name, truth in truths.items() if truth is alarm]:
                self._log.say(what, at=self._diary.now_or_last(), orders=len(told), first=told[0])
                await self._brake.pull(why=why, is_news=True)
        return any(truth not in {_Truth.UNKNOWN, _Truth.AS_TOLD} for truth in truths.values())

    def _doubt(self, decision_ids: Iterable[str]) -> None:
        for decision_id in decision_ids:
            record = self._diary.decisions.get(decision_id)
            for name, order in record.orders.items() if record is not None else ():
                if order.state in _CALLED_ENDED:
                    self._doubted[name] = decision_id

    async def _truth_about(self, decision_id: str, client_order_id: str) -> _Truth:
        """Ask about one order, and cancel it if the venue works on it."""
        # As it was before the question: what is booked meanwhile is no contradiction.
        order = copy(self._diary.decisions[decision_id].orders[client_order_id])
        try:
            found = await self._venue.find(ref_of(order))
            if found is not None and found.status is VenueStatus.WORKING:
                await self._venue.cancel(ref_of(order))
                return _Truth.WORKING
        except Fault as fault:
            if fault.code is not ErrorCode.VENUE_UNAVAILABLE:
                raise
            return _Truth.UNKNOWN
        return _Truth.AS_TOLD if found is None else _compared(order, found)


def _compared(order: OrderRecord, found: VenueOrder) -> _Truth:
    """Compare what was executed of an order that is over at the venue, too."""
    if found.filled_quantity == order.filled_quantity:
        return _Truth.AS_TOLD
    is_late = found.filled_quantity > order.filled_quantity and order.state in ENDED
    return _Truth.LATE if is_late else _Truth.OTHERWISE
