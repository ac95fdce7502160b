"""Executors that are broken on purpose, to show that the simulation notices each.

Every one leaves out or turns round one thing that an invariant rests on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

from executor import working
from executor.brake import Brake
from executor.diary import Diary
from executor.recorder import Decide
from executor.recovery import Recovery
from executor.working import Working
from ledger.decisions import Decisions
from ledger.journal import Head
from when_to_invest import events as ev
from when_to_invest.orders import OrderState
from when_to_invest.reserved import ReservedHoldings

Break = Callable[[], Any]


async def _answered_early(self: Diary, decide: Decide, *, about: Collection[str] = ()) -> Sequence[ev.Event]:
    decided = decide()
    if any(isinstance(event, ev.SendIntended) for event in decided):
        _LATER.append(asyncio.ensure_future(_WRITE(self, decide, about=about)))
        return decided
    return await _WRITE(self, decide, about=about)


async def _not_looked_again(self: Diary) -> Head:
    is_about_to_send = any(
        order.state is OrderState.SEND_INTENDED
        for record in self.open_decisions()
        for order in record.orders.values()
    )
    return self._ledger.head if is_about_to_send else await _REFRESH(self)


async def _ended_before_booked(self: Working, decision_id: str, found: Any) -> None:
    if found.status in working._ENDS:
        await self._end(decision_id, found)
    await _FOLLOW(self, decision_id, found)


def _knowing_nothing_in_flight(self: Recovery, **parts: Any) -> None:
    _MAKE(self, **parts)
    self._in_flight = frozenset()


def _freed_at_any_fill(self: ReservedHoldings, decision_id: str, quantity: Any, *, is_over: bool) -> None:
    del quantity, is_over
    self.reservations.pop(decision_id, None)


def _followed_whoever_leads(self: Diary) -> Any:
    head = self._ledger.refresh()
    self._epoch = max(self._epoch, self._journal.epoch)
    return head


_FOLLOW: Final = Working._follow
_WRITE: Final = Diary.write
_REFRESH: Final = Diary.refresh
_MAKE: Final = Recovery.__init__
_LATER: Final[deque[asyncio.Future[Any]]] = deque(maxlen=64)
BREAKS: Final[dict[str, tuple[Break, ...]]] = {
    "sends before it appends": (lambda: patch.object(Diary, "write", _answered_early),),
    "sends without a last look": (lambda: patch.object(Diary, "refresh", _not_looked_again),),
    "takes one look for absence": (
        lambda: patch.object(Recovery, "_is_proven_absent", lambda self, order: True),
    ),
    "books a trade at every telling": (
        lambda: patch.object(working, "is_booked", lambda *trade, **of: False),
        lambda: patch.object(Decisions, "has_trade", lambda self, *trade: False),
    ),
    "ends an order before its trades are booked": (
        lambda: patch.object(Working, "_follow", _ended_before_booked),
    ),
    "frees a reservation at the first fill": (
        lambda: patch.object(ReservedHoldings, "free", _freed_at_any_fill),
    ),
    "heeds no halt": (lambda: patch.object(Brake, "may_go", lambda self, intent, halts: True),),
    "goes on after another took over": (lambda: patch.object(Diary, "follow", _followed_whoever_leads),),
    "looks for what is on its way": (lambda: patch.object(Recovery, "__init__", _knowing_nothing_in_flight),),
}

OFTEN_NOTICED: Final = (
    "sends before it appends",
    "takes one look for absence",
    "books a trade at every telling",
    "frees a reservation at the first fill",
    "heeds no halt",
    "goes on after another took over",
)
"""What a few dozen seeds show."""


@contextmanager
def broken(name: str) -> Iterator[None]:
    """Break the executor in one way for the length of the block."""
    breaks: Sequence[Break] = BREAKS[name]
    patches = [make() for make in breaks]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()
