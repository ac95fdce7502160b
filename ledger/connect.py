"""Opens the side of the order queue that a process may hold, as its settings say.

A queue that cannot be reached refuses here, before the process promises anything to anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from home.settings import QueueKind, QueueSettings
from ledger.queue import DeadLetterBox, QueueReceiver, QueueSender
from ledger.sqlite_queue import SqliteDeadLetters, SqliteQueue, SqliteReceiver, SqliteSender


@dataclass(frozen=True, slots=True)
class ReceivingEnd:
    """Everything of the queue that the executor may hold."""

    receiver: QueueReceiver
    dead_letters: DeadLetterBox


def open_sender(settings: QueueSettings, path: Path) -> QueueSender:
    """Return the sending side; `path` is the embedded queue's file.

    Raises:
        Fault: `queue_missing` when there is no such queue, `queue_unavailable` when it does
            not answer, `unauthenticated`, `bad_config`.
    """
    match settings.kind:
        case QueueKind.SQLITE:
            return SqliteSender(_embedded(settings, path))
        case QueueKind.SQS:
            from ledger.sqs_client import connect_sqs
            from ledger.sqs_queue import SqsSender, ensure_queue

            client = connect_sqs(settings)
            ensure_queue(settings.url, client)
            return SqsSender(settings.url, client)


def open_receiving(settings: QueueSettings, path: Path) -> ReceivingEnd:
    """Return the receiving side and the dead letters; `path` is the embedded queue's file.

    Raises:
        Fault: `queue_missing` when there is no such queue or its dead letters go nowhere,
            `queue_unavailable` when it does not answer, `unauthenticated`, `bad_config`.
    """
    match settings.kind:
        case QueueKind.SQLITE:
            queue = _embedded(settings, path)
            return ReceivingEnd(SqliteReceiver(queue), SqliteDeadLetters(queue))
        case QueueKind.SQS:
            from ledger.sqs_client import connect_sqs
            from ledger.sqs_queue import SqsReceiver, ensure_queue, find_dead_letters

            client = connect_sqs(settings)
            ensure_queue(settings.url, client)
            receiver = SqsReceiver(settings.url, client, visibility_s=settings.visibility_s)
            return ReceivingEnd(receiver, find_dead_letters(settings.url, client))


def _embedded(settings: QueueSettings, path: Path) -> SqliteQueue:
    return SqliteQueue(path, visibility_s=settings.visibility_s, max_receives=settings.max_receives)
