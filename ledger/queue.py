"""The order queue's two ports and its messages: first in, first out within a group.

The gate's process holds a sender and nothing else; the executor's holds a receiver and
nothing else. Delivery is at least once: a message that is not deleted before its
visibility ends is delivered again, and after too many deliveries set aside as a dead
letter. Deduplication (five minutes) saves work; the journal alone is the authority on
whether a decision was acted upon.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from when_to_invest.errors import Fault

DEDUPLICATION_S: Final = 300.0
"""How long a deduplication id is remembered, also after its message was deleted."""
MAX_BATCH: Final = 10
"""Most messages one receive hands out, one send takes or one delete removes."""
MAX_BATCH_BYTES: Final = 262_144
"""Most bytes of bodies in one send."""
MAX_WAIT_S: Final = 20.0
"""Longest a receive waits for a first message."""


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message to send. Messages of one `group` are received in order, one batch at a time.

    `traceparent`: where it comes from, for whoever follows traces; it is no part of what was sealed.
    """

    body: str
    group: str
    deduplication_id: str
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message in flight. `receipt` is good until its visibility ends or it is deleted.

    `traceparent` is anybody's word, empty where it is none: good for tracing and nothing else.
    """

    message_id: str
    receipt: str
    body: str
    group: str
    deduplication_id: str
    receive_count: int
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages wait, are in flight, and were set aside."""

    waiting: int
    in_flight: int
    dead: int


def batches(messages: Sequence[OutgoingMessage]) -> Iterator[tuple[OutgoingMessage, ...]]:
    """Cut `messages` into sends of at most `MAX_BATCH` and `MAX_BATCH_BYTES`, in their order.

    A batch holds one message of a group at most: the queue may take some of a batch and not
    others, and a later message of a group must never overtake an earlier one.
    """
    batch: list[OutgoingMessage] = []
    size = 0
    for message in messages:
        length = len(message.body.encode())
        is_full = len(batch) == MAX_BATCH or size + length > MAX_BATCH_BYTES
        if batch and (is_full or message.group in {earlier.group for earlier in batch}):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(message)
        size += length
    if batch:
        yield tuple(batch)


class QueueSender(Protocol):
    """The gate's side of the queue."""

    def send(self, message: OutgoingMessage) -> str:
        """Send durably and return the message's id.

        A deduplication id that was sent within `DEDUPLICATION_S` sends nothing and returns
        the first message's id.

        Raises:
            Fault: `queue_missing`, or `queue_unavailable` when it is not known whether the
                message was taken; sending the same message again is safe.
        """
        ...

    def send_batch(self, messages: Sequence[OutgoingMessage]) -> tuple[str | Fault, ...]:
        """Send any number in their order; return each one's id, or the fault that kept it out.

        No message overtakes an earlier one of its group: what follows one that was not taken
        may be left out too. Sending the same messages again is safe.

        Raises:
            Fault: as `send`, when it is not known what became of any of them.
        """
        ...


class QueueReceiver(Protocol):
    """The executor's side of the queue."""

    def receive(self, *, max_messages: int, wait_s: float) -> tuple[ReceivedMessage, ...]:
        """Return up to `max_messages` (at most 10), waiting up to `wait_s` for the first.

        A group with a message in flight gives nothing until that message is deleted or
        visible again.

        Raises:
            Fault: `queue_missing`, `queue_unavailable`.
        """
        ...

    def delete(self, receipt: str) -> None:
        """Remove a message that was dealt with.

        Raises:
            Fault: `receipt_expired` when another receiver may hold the message by now.
        """
        ...

    def delete_batch(self, receipts: Sequence[str]) -> tuple[Fault | None, ...]:
        """Remove up to `MAX_BATCH` messages; return for each nothing, or why it was not removed.

        Raises:
            Fault: `queue_missing`, `queue_unavailable` when nothing is known of any of them.
        """
        ...

    def extend(self, receipt: str, *, visibility_s: int) -> None:
        """Keep a message for `visibility_s` from now; 0 gives it back at once.

        Raises:
            Fault: `receipt_expired` when another receiver may hold the message by now.
        """
        ...

    def is_empty(self) -> bool:
        """Whether nothing waits and nothing is in flight; dead letters do not count.

        Raises:
            Fault: `queue_missing`, `queue_unavailable`.
        """
        ...


class DeadLetterBox(Protocol):
    """What the queue set aside, as the executor's process sees it. Nothing is ever sent from here."""

    def look(self, *, max_messages: int) -> tuple[ReceivedMessage, ...]:
        """Return some of what lies here, others by and by when called again; nothing moves.

        Raises:
            Fault: `queue_missing`, `queue_unavailable`.
        """
        ...

    def remove(self, receipt: str) -> None:
        """Throw away one letter that a person has answered.

        Raises:
            Fault: `receipt_expired` when it has to be looked at again first.
        """
        ...
