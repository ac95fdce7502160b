"""How often a venue may be asked: token buckets with a reserve for cancels, and its own word to wait.

Stage: executor → venue. What would have to wait too long is not begun. A cancel may use what
is kept for it, passes whoever waits, and still obeys a venue that asked to be left alone: one
that is asked on bans for longer.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

CANCEL: Final = 0
"""Passes everything else that waits."""
ORDER: Final = 1
QUESTION: Final = 2
SHORTEST_PAUSE_S: Final = 0.001

Monotonic = Callable[[], float]
Pause = Callable[[float], Awaitable[None]]


class NotNowError(Exception):
    """Nothing was begun: the venue may not be asked before too long; the message is shown to people."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Weight that may be spent: `per_s` each second, saved up to `burst`, the last `reserve` for cancels."""

    per_s: float
    burst: float
    reserve: float = 0.0


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a venue allows: `requests` by address or key, in its own weights; `orders` by key, each 1."""

    requests: Rate
    orders: Rate


class Bucket:
    """A rate with what is left of it; `monotonic` tells seconds on a clock that never goes back."""

    def __init__(self, rate: Rate, *, monotonic: Monotonic) -> None:
        self._rate = rate
        self._monotonic = monotonic
        self._left = rate.burst
        self._seen_at = monotonic()

    def wait_s(self, weight: float, *, is_cancel: bool) -> float:
        """Return for how many seconds `weight` must wait; 0 when it may be spent now."""
        self._refill()
        kept = 0.0 if is_cancel else self._rate.reserve
        # What is heavier than everything that can be saved up waits for all of it.
        needed = min(weight + kept, self._rate.burst)
        return max(0.0, (needed - self._left) / self._rate.per_s)

    def spend(self, weight: float) -> None:
        """Take `weight`; more than there is leaves a debt."""
        self._refill()
        self._left -= weight

    def _refill(self) -> None:
        now = self._monotonic()
        self._left = min(self._rate.burst, self._left + (now - self._seen_at) * self._rate.per_s)
        self._seen_at = now


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request takes: its weight, how urgent it is, and how long it may wait to begin."""

    weight: float
    urgency: int
    most_s: float


class Pacing:
    """All requests of one key at one venue."""

    def __init__(self, allowance: Allowance, *, monotonic: Monotonic, pause: Pause) -> None:
        self._requests = Bucket(allowance.requests, monotonic=monotonic)
        self._orders = Bucket(allowance.orders, monotonic=monotonic)
        self._monotonic = monotonic
        self._pause = pause
        self._closed_until = monotonic()

    async def take(self, cost: Cost) -> None:
        """Wait until `cost` may be spent, and spend it.

        Raises:
            NotNowError: that would take longer than it may wait.
        """
        ends_at = self._monotonic() + cost.most_s
        while (wait_s := self._wait_s(cost)) > 0:
            if self._monotonic() + wait_s > ends_at:
                raise NotNowError(f"the venue may not be asked for another {wait_s:.1f} s")
            # Never so short that a clock might not move at all.
            await self._pause(max(wait_s, SHORTEST_PAUSE_S))
        self._requests.spend(cost.weight)
        if cost.urgency == ORDER:
            self._orders.spend(1)

    def leave_alone(self, seconds: float) -> None:
        """Let nothing begin for `seconds`: the venue asked for it."""
        self._closed_until = max(self._closed_until, self._monotonic() + seconds)

    def _wait_s(self, cost: Cost) -> float:
        is_cancel = cost.urgency == CANCEL
        waits = [
            self._closed_until - self._monotonic(),
            self._requests.wait_s(cost.weight, is_cancel=is_cancel),
        ]
        if cost.urgency == ORDER:
            waits.append(self._orders.wait_s(1, is_cancel=False))
        return max(0.0, *waits)


class Turnstile:
    """Lets at most `places` requests be under way, the most urgent one that waits first."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: list[tuple[int, int, Callable[[], bool]]] = []
        self._count = 0

    @asynccontextmanager
    async def passing(self, urgency: int) -> AsyncIterator[None]:
        """Hold a place for the length of the block."""
        await self._enter(urgency)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, urgency: int) -> None:
        if self._free > 0:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def give() -> bool:
            if turn.done():
                return False
            turn.set_result(None)
            return True

        self._count += 1
        heapq.heappush(self._waiting, (urgency, self._count, give))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            raise

    def _leave(self) -> None:
        while self._waiting:
            _, _, give = heapq.heappop(self._waiting)
            if give():
                return
        self._free += 1
