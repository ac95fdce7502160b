"""The order queue as the executor's loop sees it: what blocks runs elsewhere.

Stage: queue → executor. A receive may wait for seconds, so it has a thread of its own: nobody
who deletes or keeps a message waits behind it. Nothing here reads a message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from executor.offload import InPlace, Offload
from ledger.queue import MAX_BATCH, DeadLetterBox, QueueReceiver, ReceivedMessage


@dataclass(slots=True, eq=False)
class _Leaving:
    """A message that is to be deleted, and what became of it."""

    receipt: str
    error: Exception | None = None
    is_over: bool = False


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
        self._leaving: list[_Leaving] = []
        self._door = asyncio.Lock()
        """Held while messages are deleted; who comes meanwhile leaves with the next."""

    async def receive(self, *, max_messages: int, wait_s: float) -> tuple[ReceivedMessage, ...]:
        """See `QueueReceiver.receive`."""
        return await self._receives.run(
            lambda: self._receiver.receive(max_messages=max_messages, wait_s=wait_s)
        )

    async def delete(self, receipt: str) -> None:
        """See `QueueReceiver.delete`; what is deleted at the same time is deleted together."""
        own = _Leaving(receipt)
        self._leaving.append(own)
        try:
            async with self._door:
                while not own.is_over:
                    await self._delete_some()
        except BaseException:
            with suppress(ValueError):
                self._leaving.remove(own)
            raise
        if own.error is not None:
            raise own.error

    async def _delete_some(self) -> None:
        together = self._leaving[:MAX_BATCH]
        receipts = [each.receipt for each in together]
        answers: Sequence[Exception | None]
        try:
            answers = await self._answers.run(lambda: self._receiver.delete_batch(receipts))
        except Exception as error:  # noqa: BLE001 - raised again in the tasks that asked
            answers = [error] * len(together)
        for each, answer in zip(together, answers, strict=True):
            each.error, each.is_over = answer, True
        self._leaving = [each for each in self._leaving if not each.is_over]

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
