"""Takes messages from the queue, never more than one of a group, and puts each into its lane.

Stage: queue → executor. What follows a message that is given back is still the queue's, in its
order and with its own count of deliveries.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from executor.dead_letters import DeadLetterWatch
from executor.intake import Intake
from executor.lanes import Lanes
from executor.patience import Patience
from executor.receiving import Receiving
from ledger.queue import ReceivedMessage

MESSAGES_A_ROUND: Final = 20
"""Most messages taken before the open orders are looked at again."""
MOST_LANES: Final = 32
"""Groups with a message in hand at one time."""


class Taking:
    """Everything between the queue and the lanes of one executor."""

    def __init__(
        self, *, queue: Receiving, intake: Intake, watch: DeadLetterWatch, patience: Patience
    ) -> None:
        self._queue = queue
        self._intake = intake
        self._watch = watch
        self._patience = patience
        self.lanes: Lanes[ReceivedMessage] = Lanes(intake.handle, most=MOST_LANES)

    async def next(self, *, wait_s: float, before_it_goes: Callable[[], Awaitable[None]]) -> bool:
        """Put the next message into its lane, waiting up to `wait_s` for one; return whether one came.

        Whoever is to stop gives it back.
        """
        messages = await self._queue.receive(max_messages=1, wait_s=wait_s)
        await before_it_goes()
        for message in messages:
            if self._patience.is_over:
                await self._intake.give_back(message)
            else:
                self.lanes.put(message)
        return bool(messages)

    async def round(self, *, wait_s: float, may_go_on: Callable[[], bool]) -> bool:
        """Handle up to `MESSAGES_A_ROUND`, groups side by side; return whether any came."""
        taken, has_noted = 0, False
        while taken < MESSAGES_A_ROUND and may_go_on() and not self._patience.is_over:
            messages = await self._first_of_each_group(wait_s=0.0 if taken else wait_s)
            # A receive is what sets spent messages aside; their groups halt before anything else goes.
            has_noted = has_noted or (taken == 0 and await self._watch.look())
            if not messages:
                break
            taken += len(messages)
            for message in messages:
                self.lanes.put(message)
            await self.lanes.settle()
        return taken > 0 or has_noted

    async def _first_of_each_group(self, *, wait_s: float) -> list[ReceivedMessage]:
        """Return what a queue gives that keeps a group back while a message of it is in flight."""
        found: list[ReceivedMessage] = []
        while len(found) < MOST_LANES:
            more = await self._queue.receive(max_messages=1, wait_s=0.0 if found else wait_s)
            if not more:
                break
            found += more
        return found
