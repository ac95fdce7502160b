"""One way to hold each queue, so that the same tests run on all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from ledger.queue import (
    DEDUPLICATION_S,
    DeadLetterBox,
    OutgoingMessage,
    QueueReceiver,
    QueueSender,
    ReceivedMessage,
)
from ledger.sqlite_queue import SqliteDeadLetters, SqliteQueue, SqliteReceiver, SqliteSender
from ledger.sqs_provision import provision_queue
from ledger.sqs_queue import SqsReceiver, SqsSender, find_dead_letters
from tests.fakes.memory_queue import MemoryQueue

VISIBILITY_S = 1
"""Short, because a real server lets it pass in real time."""
MAX_RECEIVES = 3
ROUNDS = 6
_numbers = count(1)


@dataclass(frozen=True)
class HeldQueue:
    """Both sides of a fresh queue. `pass_time` does nothing where time passes by itself."""

    sender: QueueSender
    receiver: QueueReceiver
    pass_time: Callable[[float], None]
    dead_letters: DeadLetterBox
    lives_in_real_time: bool = False

    def send(self, *bodies: str, group: str = "main|paper|SPX") -> None:
        for body in bodies:
            self.sender.send(OutgoingMessage(body, group, f"id of {body}"))

    def receive_all(self) -> tuple[ReceivedMessage, ...]:
        return self.receiver.receive(max_messages=10, wait_s=0.0)

    def receive_after_visibility(self) -> tuple[ReceivedMessage, ...]:
        """Return what comes back once visibility has ended, asking for a few seconds."""
        self.pass_time(VISIBILITY_S + 0.1)
        for _ in range(ROUNDS):
            if received := self.receiver.receive(max_messages=10, wait_s=1.0):
                return received
        return ()


def in_memory() -> HeldQueue:
    queue = MemoryQueue(VISIBILITY_S, MAX_RECEIVES, DEDUPLICATION_S)

    def pass_time(seconds: float) -> None:
        queue.now_s += seconds

    return HeldQueue(queue, queue, pass_time, queue)


def embedded(directory: Path) -> HeldQueue:
    clock = {"now": 1_000.0}

    def pass_time(seconds: float) -> None:
        clock["now"] += seconds

    queue = SqliteQueue(
        directory / "queue.sqlite",
        visibility_s=VISIBILITY_S,
        max_receives=MAX_RECEIVES,
        now=lambda: clock["now"],
        pause=pass_time,
    )
    return HeldQueue(SqliteSender(queue), SqliteReceiver(queue), pass_time, SqliteDeadLetters(queue))


def on_sqs(client: Any) -> HeldQueue:
    made = provision_queue(
        client, name=f"contract-{next(_numbers)}", visibility_s=VISIBILITY_S, max_receives=MAX_RECEIVES
    )
    return HeldQueue(
        SqsSender(made.url, client),
        SqsReceiver(made.url, client, visibility_s=VISIBILITY_S),
        lambda _seconds: None,
        find_dead_letters(made.url, client),
        lives_in_real_time=True,
    )
