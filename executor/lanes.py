"""Lanes: the messages of one group one after the other, the groups side by side.

Stage: queue → executor. Whatever holds one group up, a slow venue, an order of unknown outcome or
a poisoned message, holds up no other. It must never handle two messages of one group at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from when_to_invest.errors import Fault


class Grouped(Protocol):
    """What may wait in a lane: a message of the queue, or a plan whose time has come."""

    @property
    def group(self) -> str:
        """Return what it must not be handled beside."""
        ...


ItemT = TypeVar("ItemT", bound=Grouped)


class Lanes(Generic[ItemT]):
    """One task for each group that has messages in hand."""

    def __init__(self, handle: Callable[[ItemT], Awaitable[None]], *, most: int) -> None:
        self._handle = handle
        self._most = most
        self._lanes: dict[str, deque[ItemT]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []
        self._defects: list[BaseException] = []
        self._is_breaking_off = False
        self._has_changed = asyncio.Event()

    @property
    def is_busy(self) -> bool:
        """Whether any message is in hand."""
        return bool(self._tasks)

    @property
    def in_hand(self) -> int:
        """Return how many lanes have something in hand."""
        return len(self._tasks)

    def put(self, message: ItemT) -> None:
        """Handle `message` after those of its group that are in hand."""
        lane = self._lanes.get(message.group)
        if lane is not None:
            lane.append(message)
            return
        self._lanes[message.group] = lane = deque((message,))
        task = asyncio.create_task(self._work(message.group, lane), name=f"lane {message.group}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def has(self, group: str) -> bool:
        """Whether anything of a group is in hand."""
        return group in self._lanes

    @property
    def has_room(self) -> bool:
        """Whether another group may have a lane."""
        return len(self._tasks) < self._most

    async def room(self) -> None:
        """Wait until another group may have a lane."""
        while not self.has_room:
            await self.change()

    async def change(self) -> None:
        """Wait until a lane ends."""
        self._has_changed.clear()
        await self._has_changed.wait()

    async def failed(self) -> None:
        """Wait until lanes have failed for a reason that time can heal.

        Raises:
            BaseException: what the first of them raised; their messages are left to the queue.
        """
        while not self._failures:
            await self.change()
        raise _first_of(self._failures)

    async def broken(self) -> None:
        """Wait until a lane has failed for a reason that time cannot heal.

        Raises:
            BaseException: what it raised; its message is left to the queue.
        """
        while not self._defects:
            await self.change()
        raise _first_of(self._defects)

    async def settle(self) -> None:
        """Wait until nothing is in hand.

        Raises:
            BaseException: what the first lane that failed raised, once all have ended.
        """
        while self._tasks:
            await asyncio.wait(self._tasks)
            # What a lane's end sets off, `_ended`, runs after it.
            await asyncio.sleep(0)
        failures = [*self._defects, *self._failures]
        self._defects.clear()
        self._failures.clear()
        if failures:
            raise _first_of(failures)

    async def abandon(self) -> None:
        """Break off what is in hand: what was sent and not answered is looked for at the next start."""
        self._is_breaking_off = True
        for task in tuple(self._tasks):
            task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await self.settle()

    async def _work(self, group: str, lane: deque[ItemT]) -> None:
        try:
            while lane:
                await self._handle(lane.popleft())
        finally:
            del self._lanes[group]

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        failure = self._failure_of(task)
        if failure is not None:
            can_heal = isinstance(failure, Fault) and failure.is_retryable
            (self._failures if can_heal else self._defects).append(failure)
        self._has_changed.set()

    def _failure_of(self, task: asyncio.Task[None]) -> BaseException | None:
        if not task.cancelled():
            return task.exception()
        return None if self._is_breaking_off else RuntimeError("a lane was broken off by nobody")


def _first_of(failures: list[BaseException]) -> BaseException:
    """Return the gravest of what failed at the same time, and forget the others."""
    first = min(failures, key=lambda error: isinstance(error, Exception))
    failures.clear()
    return first
