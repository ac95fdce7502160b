"""Whether this executor lives, may be relied on, and what it has in hand.

Stage: executor → orchestrator, people. It is ready when it has recovered, is not stopping, journal and
queue answered a moment ago (a journal with an unanswered stranger does not) and the venue does.
What is asked from outside is answered from the last look, so that nobody can load the journal by
asking. It must never decide anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.orders import UNRESOLVED
from when_to_invest.venue_status import TradingStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from executor.service import Parts, Service
    from when_to_invest.history import DecisionRecord

LOOKS_EVERY_S: Final = 2.0
STALE_AFTER_S: Final = 15.0
"""A part that has not answered for so long does not answer."""
STARTED: Final = "started"
Seconds = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Report:
    """What is told of one moment; `checks` by name, each fine or why not."""

    checks: dict[str, str]
    epoch: int
    lanes_in_hand: int
    unknown_orders: int
    oldest_unknown_age_s: float | None

    @property
    def is_ready(self) -> bool:
        """Whether every check is fine."""
        return all(found == "ok" for found in self.checks.values())

    def as_json(self) -> dict[str, object]:
        """Return what is answered, with fixed keys."""
        return {
            "ready": self.is_ready,
            "checks": self.checks,
            "epoch": self.epoch,
            "lanes_in_hand": self.lanes_in_hand,
            "unknown_orders": self.unknown_orders,
            "oldest_unknown_age_s": self.oldest_unknown_age_s,
        }


@dataclass(frozen=True, slots=True)
class Sources:
    """What is looked at; each is one part of a running executor."""

    journal: Callable[[], Awaitable[object]]
    queue: Callable[[], Awaitable[object]]
    venue: Callable[[], TradingStatus]
    is_stopping: Callable[[], bool]
    has_recovered: Callable[[], bool]
    epoch: Callable[[], int]
    lanes_in_hand: Callable[[], int]
    open_decisions: Callable[[], Iterable[DecisionRecord]]
    now: Callable[[], datetime]


@dataclass(slots=True)
class _Answer:
    at_s: float = float("-inf")
    failure: str = ""


@dataclass(slots=True)
class Health:
    """Looks now and then, and reports from what it saw."""

    sources: Sources
    monotonic_s: Seconds
    _journal: _Answer = field(default_factory=_Answer)
    _queue: _Answer = field(default_factory=_Answer)

    async def keep_looking(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Look at journal and queue, one beside the other, until cancelled."""
        await asyncio.gather(
            self._keep_asking(self.sources.journal, self._journal, pause),
            self._keep_asking(self.sources.queue, self._queue, pause),
        )

    async def look(self) -> None:
        """Look once."""
        await self._ask(self.sources.journal, self._journal)
        await self._ask(self.sources.queue, self._queue)

    def report(self) -> Report:
        """Return what is known now."""
        ages_s = self._unknown_ages_s()
        return Report(
            checks={
                "recovered": "ok" if self.sources.has_recovered() else "not yet",
                "serving": "stopping" if self.sources.is_stopping() else "ok",
                "journal": self._found(self._journal),
                "queue": self._found(self._queue),
                "venue": "down" if self.sources.venue() is TradingStatus.DOWN else "ok",
            },
            epoch=self.sources.epoch(),
            lanes_in_hand=self.sources.lanes_in_hand(),
            unknown_orders=len(ages_s),
            oldest_unknown_age_s=max(ages_s, default=None),
        )

    async def _keep_asking(
        self,
        ask: Callable[[], Awaitable[object]],
        answer: _Answer,
        pause: Callable[[float], Awaitable[None]],
    ) -> None:
        while True:
            await self._ask(ask, answer)
            await pause(LOOKS_EVERY_S)

    async def _ask(self, ask: Callable[[], Awaitable[object]], answer: _Answer) -> None:
        try:
            await ask()
        except Fault as fault:
            answer.failure = fault.code.value
        else:
            answer.at_s, answer.failure = self.monotonic_s(), ""

    def _found(self, answer: _Answer) -> str:
        if answer.failure:
            return answer.failure
        is_fresh = self.monotonic_s() - answer.at_s <= STALE_AFTER_S
        return "ok" if is_fresh else "no answer"

    def _unknown_ages_s(self) -> list[float]:
        try:
            now = self.sources.now()
        except Fault as fault:
            if fault.code not in {ErrorCode.CLOCK_BACK, ErrorCode.CLOCK_AHEAD, ErrorCode.BAD_CONFIG}:
                raise
            return []
        return [
            max((now - order.sent.at).total_seconds(), 0.0)
            for record in self.sources.open_decisions()
            for order in record.orders.values()
            if order.state in UNRESOLVED
        ]


def sources_of(service: Service, parts: Parts, *, has_recovered: Callable[[], bool]) -> Sources:
    """Return what to look at of a running executor."""
    diary, venue = parts.diary, parts.venue.profile.name
    return Sources(
        journal=diary.refresh,
        queue=parts.queue.is_empty,
        venue=lambda: diary.book.recent.venue_statuses.get(venue, TradingStatus.OPEN),
        is_stopping=lambda: parts.patience.is_over,
        has_recovered=has_recovered,
        epoch=lambda: diary.epoch,
        lanes_in_hand=lambda: service.taking.lanes.in_hand,
        open_decisions=diary.open_decisions,
        now=diary.now,
    )
