"""The order queue as the executor's loop sees it: what blocks runs elsewhere.

Stage: queue → executor. A receive may wait for seconds, so it has a thread of its own: nobody
who deletes or keeps a message waits behind it. Nothing here reads a message.
"""

from __future__ import annotations

from executor.offload import InPlace, Offload
from ledger.queue import DeadLetterBox, QueueReceiver, ReceivedMessage


class Receiving:
    """One queue with its dead letters, asked without blocking the loop."""

    def __init__(
        self,
        receiver: QueueReceiver,
        dead_letters: DeadLetterBox,
        *,
        receives: Offload | None = None,
        answers: Offload | None = None,
    ) -> None:
        self._receiver = receiver
        self._dead_letters = dead_letters
        self._receives = receives or InPlace()
        self._answers = answers or self._receives

    async def receive(self, *, max_messages: int, wait_s: float) -> tuple[ReceivedMessage, ...]:
        """See `QueueReceiver.receive`."""
        return await self._receives.run(
            lambda: self._receiver.receive(max_messages=max_messages, wait_s=wait_s)
        )

    async def delete(self, receipt: str) -> None:
        """See `QueueReceiver.delete`."""
        await self._answers.run(lambda: self._receiver.delete(receipt))

    async def extend(self, receipt: str, *, visibility_s: int) -> None:
        """See `QueueReceiver.extend`."""
        await self._answers.run(lambda: self._receiver.extend(receipt, visibility_s=visibility_s))

    async def is_empty(self) -> bool:
        """See `QueueReceiver.is_empty`."""
        return await self._answers.run(self._receiver.is_empty)

    async def look(self, *, max_messages: int) -> tuple[ReceivedMessage, ...]:
        """See `DeadLetterBox.look`."""
        return await self._answers.run(lambda: self._dead_letters.look(max_messages=max_messages))

    async def remove(self, receipt: str) -> None:
        """See `DeadLetterBox.remove`."""
        await self._answers.run(lambda: self._dead_letters.remove(receipt))
