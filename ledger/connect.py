"""Opens the side of the order queue that a process may hold, as its settings say."""

from __future__ import annotations

from pathlib import Path

from home.settings import QueueKind, QueueSettings
from ledger.queue import QueueReceiver, QueueSender
from ledger.sqlite_queue import SqliteQueue, SqliteReceiver, SqliteSender


def open_sender(settings: QueueSettings, path: Path) -> QueueSender:
    """Return the sending side; `path` is the embedded queue's file.

    Raises:
        Fault: `queue_missing` when there is no such queue, `queue_unavailable` when it does
            not answer.
    """
    match settings.kind:
        case QueueKind.SQLITE:
            return SqliteSender(_embedded(settings, path))
        case QueueKind.SQS:
            from ledger.sqs_queue import SqsSender, connect_sqs

            return SqsSender(settings.url, connect_sqs(settings))


def open_receiver(settings: QueueSettings, path: Path) -> QueueReceiver:
    """Return the receiving side; `path` is the embedded queue's file.

    Raises:
        Fault: `queue_missing` when there is no such queue, `queue_unavailable` when it does
            not answer.
    """
    match settings.kind:
        case QueueKind.SQLITE:
            return SqliteReceiver(_embedded(settings, path))
        case QueueKind.SQS:
            from ledger.sqs_queue import SqsReceiver, connect_sqs

            return SqsReceiver(settings.url, connect_sqs(settings), visibility_s=settings.visibility_s)


def _embedded(settings: QueueSettings, path: Path) -> SqliteQueue:
    return SqliteQueue(path, visibility_s=settings.visibility_s, max_receives=settings.max_receives)
