"""Answers strangers in the journal: halts everything, and asks the venue what is true of their orders.

Stage: executor → venue. An order that the journal calls ended and the venue still works on is
told, halts everything and is cancelled, until the venue says that it is gone. So somebody who
can write to the journal, also while no executor runs, frees no limit without being noticed. It
must never book anything, nor loosen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from executor.brake import Brake
from executor.diary import Diary
from executor.log import Log
from executor.venues.port import Venue, VenueStatus
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.orders import TERMINAL, OrderState

STRANGER: Final = "somebody else wrote events that only the executor may write"
STILL_WORKING: Final = "the venue still works on an order that the journal calls ended"
_CALLED_ENDED: Final = TERMINAL - {OrderState.SETTLED}
"""Without what a quorum settled: it took the blame."""


class Sentry:
    """Looks after what somebody may have called ended."""

    def __init__(self, *, diary: Diary, venue: Venue, brake: Brake, log: Log) -> None:
        self._diary = diary
        self._venue = venue
        self._brake = brake
        self._log = log
        self._doubted: dict[str, None] = {}

    def answer(self) -> bool:
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
            self._brake.pull(why=STRANGER, is_news=True)
        return True

    def doubt_recent(self) -> None:
        """Doubt every order of the last 24 hours that the journal calls ended."""
        self._doubt(self._diary.book.recent.sealed)

    def look(self) -> bool:
        """Ask the venue about every doubted order; return whether it still worked on any.

        One that gives no answer is asked about again.

        Raises:
            Fault: a failure of the venue other than silence, or from the journal.
        """
        answers = {name: self._still_works(name) for name in self._doubted}
        self._doubted = {name: None for name, answer in answers.items() if answer is not False}
        alive = [name for name, answer in answers.items() if answer]
        if alive:
            self._log.say(
                "ended_orders_working", at=self._diary.now_or_last(), orders=len(alive), first=alive[0]
            )
            self._brake.pull(why=STILL_WORKING, is_news=True)
        return bool(alive)

    def _doubt(self, decision_ids: Iterable[str]) -> None:
        for decision_id in decision_ids:
            record = self._diary.decisions.get(decision_id)
            for name, order in record.orders.items() if record is not None else ():
                if order.state in _CALLED_ENDED:
                    self._doubted[name] = None

    def _still_works(self, client_order_id: str) -> bool | None:
        """Ask about one order, and cancel it if the venue works on it; none without an answer."""
        try:
            found = self._venue.find(client_order_id)
            if found is None or found.status is not VenueStatus.WORKING:
                return False
            self._venue.cancel(client_order_id)
        except Fault as fault:
            if fault.code is not ErrorCode.VENUE_UNAVAILABLE:
                raise
            return None
        return True
