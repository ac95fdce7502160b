"""Serves until told to stop: messages, orders, accounts, doubts and halts side by side.

Stage: executor. Each duty has a loop of its own, so that none waits for another: a halt is noticed
and cancels while a venue keeps ten orders waiting. A duty that fails for a reason that time can
heal is tried again; whatever else fails ends all of them. When it stops, nothing more is taken and
what is in hand is finished.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from executor.braking import braked
from executor.service import Parts, Service
from when_to_invest.errors import Fault

WAIT_S: Final = 1.0
"""Longest wait for a message; a process that is told to stop waits as long at most."""
HALTS_EVERY_S: Final = 0.25
ORDERS_EVERY_S: Final = 1.0
ACCOUNTS_EVERY_S: Final = 1.0
DOUBTS_EVERY_S: Final = 1.0
PLANS_EVERY_S: Final = 0.25
RECONCILED_EVERY_S: Final = 30.0
"""Seldom: a look takes requests from the rate that orders are followed and sent by."""
LETTERS_EVERY_S: Final = 0.25
WATCHES: Final = 4
"""The last duties, which only wait for a lane to fail."""
DRAIN_S: Final = 20.0
"""Longest that what is in hand may take to end; then it is broken off, for the next start to look for."""
MAX_FAILURES: Final = 10
LONGEST_PAUSE_S: Final = 5.0
FORGOTTEN_AFTER_S: Final = 60.0
"""Failures of a duty that are farther apart do not add up."""
Duty = Callable[[], Awaitable[object]]


class Serving:
    """The duties of one service that has started."""

    def __init__(self, service: Service, parts: Parts) -> None:
        self._service = service
        self._parts = parts
        self._letters_seen_at_s = float("-inf")
        self._reconciled_at_s = float("-inf")

    async def until_stopped(self, *, on_failure: Callable[[Exception], Awaitable[None]]) -> None:
        """Do every duty again and again; `on_failure` is called at once, before what is in hand ends.

        Raises:
            Fault: what ended a duty, after all others have ended.
        """
        # Nothing is taken from the queue before it is known whether the venue trades at all.
        first = self._attempt(self._look_after_everything)
        await braked(first, service=self._service, patience=self._parts.patience)
        taking, plans = self._service.taking.lanes, self._service.scheduler.lanes
        duties = [
            asyncio.create_task(self._again_and_again(duty, every_s=every_s), name=duty.__name__)
            for duty, every_s in (
                # Apart, so that a journal which hangs with a halt to be told keeps no order alive.
                (self._service.keep_stopped, HALTS_EVERY_S),
                (self._service.brake.note, HALTS_EVERY_S),
                (self._service.follow_orders, ORDERS_EVERY_S),
                (self._service.look_after_accounts, ACCOUNTS_EVERY_S),
                (self._service.recover, DOUBTS_EVERY_S),
                (self._service.work_plans, PLANS_EVERY_S),
                (self._reconcile, RECONCILED_EVERY_S),
                (self._take, 0.0),
                # Apart, so that a defect is answered at once while what time can heal is waited for.
                *((lanes.failed, 0.0) for lanes in (taking, plans)),
                *((lanes.broken, 0.0) for lanes in (taking, plans)),
            )
        ]
        try:
            await self._watch_over(duties, on_failure=on_failure)
        finally:
            await self._drain()

    async def _watch_over(
        self, duties: list[asyncio.Task[None]], *, on_failure: Callable[[Exception], Awaitable[None]]
    ) -> None:
        """Wait until a duty ends, by failure or because the process is to stop; then end the others."""
        try:
            await asyncio.wait(duties, return_when=asyncio.FIRST_COMPLETED)
            if failure := _failure_of(duties):
                await on_failure(failure)
            else:
                # A message that is being received is still handled or given back.
                await asyncio.wait(duties[:-WATCHES], timeout=DRAIN_S)
        finally:
            for task in duties:
                task.cancel()
            await asyncio.gather(*duties, return_exceptions=True)
        if failure := failure or _failure_of(duties):
            raise failure

    async def _drain(self) -> None:
        """Finish what is in hand, within a bound.

        Raises:
            Fault: what a lane ended with.
        """
        taking, plans = self._service.taking.lanes, self._service.scheduler.lanes
        settling = [asyncio.create_task(lanes.settle()) for lanes in (taking, plans)]
        _, unsettled = await asyncio.wait(settling, timeout=DRAIN_S)
        if unsettled:
            self._parts.log.say("broken_off", after_s=int(DRAIN_S))
            for task in unsettled:
                task.cancel()
            await asyncio.gather(taking.abandon(), plans.abandon())
        for task in settling:
            if task not in unsettled:
                task.result()

    async def _take(self) -> None:
        await self._service.taking.lanes.room()
        self._parts.diary.demand_forward()
        await self._service.taking.next(wait_s=WAIT_S, before_it_goes=self._see_letters)

    async def _see_letters(self) -> None:
        """Halt the groups of dead letters; a receive is what sets spent messages aside."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._letters_seen_at_s >= LETTERS_EVERY_S:
            await self._service.look_at_dead_letters()
            self._letters_seen_at_s = now_s

    async def _reconcile(self) -> None:
        """Compare with the venue, never sooner than is due: what differs needs time to go away."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._reconciled_at_s >= RECONCILED_EVERY_S:
            self._reconciled_at_s = now_s
            await self._service.reconcile()

    async def _look_after_everything(self) -> None:
        await self._service.stop()
        await self._service.follow_orders()
        await self._service.look_after_accounts()

    async def _again_and_again(self, duty: Duty, *, every_s: float) -> None:
        while not self._parts.patience.is_over:
            await self._attempt(duty)
            await self._parts.patience.pause(every_s)

    async def _attempt(self, duty: Duty) -> None:
        """Do a duty once; after what time can heal, again until it succeeds or the process is to stop.

        Raises:
            Fault: what time cannot heal, or has not healed after `MAX_FAILURES` attempts.
        """
        failures, failed_at_s = 0, 0.0
        while not self._parts.patience.is_over:
            try:
                await duty()
            except Fault as fault:
                if await self._service.answer():
                    continue
                now_s = asyncio.get_running_loop().time()
                failures = 1 if now_s - failed_at_s > FORGOTTEN_AFTER_S else failures + 1
                failed_at_s = now_s
                if not fault.is_retryable or failures >= MAX_FAILURES:
                    raise
                self._parts.log.say("retrying", code=fault.code.value, failures=failures)
                await self._service.cancel_stopped()
                await self._parts.patience.pause(min(LONGEST_PAUSE_S, 0.1 * 2**failures))
            else:
                return


def _failure_of(duties: Iterable[asyncio.Task[None]]) -> Exception | None:
    """Return what the first failed duty ended with.

    Raises:
        BaseException: when that is nothing a process may go on from.
    """
    for task in duties:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, Exception):
                return error
            raise error
    return None
