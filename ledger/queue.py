"""The order queue's two ports and its messages: first in, first out within a group.

The gate's process holds a sender and nothing else; the executor's holds a receiver and
nothing else. Delivery is at least once: a message that is not deleted before its
visibility ends is delivered again, and after too many deliveries set aside as a dead
letter. Deduplication (five minutes) saves work; the journal alone is the authority on
whether a decision was acted upon.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

DEDUPLICATION_S: Final = 300.0
"""How long a deduplication id is remembered, also after its message was deleted."""
MAX_BATCH: Final = 10
"""Most messages one receive hands out."""
MAX_WAIT_S: Final = 20.0
"""Longest a receive waits for a first message."""


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message to send. Messages of one `group` are received in order, one batch at a time."""

    body: str
    group: str
    deduplication_id: str


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message in flight. `receipt` is good until its visibility ends or it is deleted."""

    message_id: str
    receipt: str
    body: str
    group: str
    deduplication_id: str
    receive_count: int


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages wait, are in flight, and were set aside."""

    waiting: int
    in_flight: int
    dead: int


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
