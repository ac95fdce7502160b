"""Asks the venue whether it trades, and journals what has changed. Stage: venue → journal.

A venue that was never reported is taken to be open, because the executor asks before it takes
anything from the queue; one that does not answer is down until it does.
"""

from __future__ import annotations

from collections.abc import Sequence

from executor.diary import Diary
from executor.log import Log
from executor.venues.port import Venue
from when_to_invest import events as ev
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.marks import VenueReported
from when_to_invest.venue_status import TradingStatus


class VenueWatch:
    """Keeps the journal's word on the venue up to date."""

    def __init__(self, *, diary: Diary, venue: Venue, log: Log) -> None:
        self._diary = diary
        self._venue = venue
        self._log = log

    async def look(self) -> bool:
        """Ask once; return whether anything had changed.

        Raises:
            Fault: from the journal, or a failure of the venue other than silence.
        """
        name, status = self._venue.profile.name, await self._ask()

        def decide() -> Sequence[ev.Event]:
            if self._diary.book.recent.venue_statuses.get(name, TradingStatus.OPEN) is status:
                return ()
            return (VenueReported(at=self._diary.now(), mode=self._diary.mode, venue=name, status=status),)

        has_changed = bool(await self._diary.write(decide, about=(name,)))
        if has_changed:
            self._log.say("venue_reported", at=self._diary.now(), venue=name, status=status.value)
        return has_changed

    async def _ask(self) -> TradingStatus:
        try:
            return await self._venue.status()
        except Fault as fault:
            if fault.code is not ErrorCode.VENUE_UNAVAILABLE:
                raise
            return TradingStatus.DOWN
