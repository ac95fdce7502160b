"""The order queue on SQS FIFO through boto3, and the making of such a queue.

A sender only sends and a receiver only receives; in production each runs under a role
that allows nothing else. Calls are tried again only because ids make a repetition
harmless. boto3 is imported when a client is made, never before.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.queue import MAX_BATCH, MAX_WAIT_S, OutgoingMessage, ReceivedMessage
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from home.settings import QueueSettings

CONNECT_TIMEOUT_S: Final = 3.0
READ_TIMEOUT_S: Final = MAX_WAIT_S + 5.0
ATTEMPTS: Final = 3
"""Tries a call. Each is safe to repeat: a send by its deduplication id, a receive by its
attempt id, a delete or extension by its receipt."""
RETENTION_S: Final = 4 * 24 * 3600
"""How long an undelivered message is kept; its envelope has expired long before."""
DEAD_LETTER_RETENTION_S: Final = 14 * 24 * 3600
_ATTRIBUTES: Final = ("ApproximateReceiveCount", "MessageGroupId", "MessageDeduplicationId")
_COUNTS: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
)
_MISSING: Final = frozenset({"QueueDoesNotExist", "NonExistentQueue", "QueueDeletedRecently"})
_EXPIRED: Final = frozenset({"ReceiptHandleIsInvalid", "InvalidParameterValue", "MessageNotInflight"})
_DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "InvalidClientTokenId", "SignatureDoesNotMatch"}
)


@dataclass(frozen=True, slots=True)
class ProvisionedQueue:
    """Addresses of a queue and of the queue its dead letters go to."""

    url: str
    dead_letter_url: str


def connect_sqs(settings: QueueSettings) -> SQSClient:
    """Return a client with short timeouts; no message is exchanged yet.

    Raises:
        Fault: `queue_unavailable` when no client can be made from the settings.
    """
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        parameter_validation=False,
    )
    with _translated("reach the queue"):
        return boto3.session.Session().client(
            "sqs", region_name=settings.region, endpoint_url=settings.endpoint_url, config=config
        )


class SqsSender:
    """The gate's side: `sqs:SendMessage` and nothing else."""

    __slots__ = ("_client", "_url")

    def __init__(self, url: str, client: SQSClient) -> None:
        self._url = url
        self._client = client

    def send(self, message: OutgoingMessage) -> str:
        """Send and return the message's id, the first one's when it is a repetition.

        Raises:
            Fault: `queue_missing`, `queue_unavailable`, `unauthenticated`.
        """
        with _translated("send"):
            answer = self._client.send_message(
                QueueUrl=self._url,
                MessageBody=message.body,
                MessageGroupId=message.group,
                MessageDeduplicationId=message.deduplication_id,
            )
        return answer["MessageId"]


class SqsReceiver:
    """The executor's side: receive, delete, extend and count, nothing else."""

    __slots__ = ("_client", "_url", "_visibility_s")

    def __init__(self, url: str, client: SQSClient, *, visibility_s: int) -> None:
        self._url = url
        self._client = client
        self._visibility_s = visibility_s

    def receive(self, *, max_messages: int, wait_s: float) -> tuple[ReceivedMessage, ...]:
        """Return up to `max_messages`, waiting up to `wait_s` (in whole seconds, at most 20).

        Raises:
            Fault: `queue_missing`, `queue_unavailable`, `unauthenticated`.
        """
        with _translated("receive"):
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(max_messages, MAX_BATCH),
                WaitTimeSeconds=math.ceil(min(wait_s, MAX_WAIT_S)),
                VisibilityTimeout=self._visibility_s,
                MessageSystemAttributeNames=list(_ATTRIBUTES),
                ReceiveRequestAttemptId=uuid.uuid4().hex,
            )
        return tuple(_received(message) for message in answer.get("Messages", []))

    def delete(self, receipt: str) -> None:
        """Remove a message that was dealt with.

        Raises:
            Fault: `receipt_expired` when another receiver may hold the message by now.
        """
        with _translated("delete", expired=_EXPIRED):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)

    def extend(self, receipt: str, *, visibility_s: int) -> None:
        """Keep a message for `visibility_s` from now; 0 gives it back at once.

        Raises:
            Fault: `receipt_expired` when another receiver may hold the message by now.
        """
        with _translated("extend", expired=_EXPIRED):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=visibility_s
            )

    def is_empty(self) -> bool:
        """Whether nothing waits and nothing is in flight, as far as SQS counts (approximately).

        Raises:
            Fault: `queue_missing`, `queue_unavailable`, `unauthenticated`.
        """
        with _translated("count"):
            answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=list(_COUNTS))
        return not any(int(answer["Attributes"][name]) for name in _COUNTS)


def provision_queue(
    client: SQSClient, *, name: str, visibility_s: int, max_receives: int
) -> ProvisionedQueue:
    """Make the FIFO queue `name` (without `.fifo`) and its dead-letter queue; repeatable.

    Raises:
        Fault: `queue_unavailable`, `unauthenticated`.
    """
    with _translated("make the queue"):
        dead_url = client.create_queue(
            QueueName=f"{name}-dead.fifo",
            Attributes={"FifoQueue": "true", "MessageRetentionPeriod": str(DEAD_LETTER_RETENTION_S)},
        )["QueueUrl"]
        dead_arn = client.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        redrive = {"deadLetterTargetArn": dead_arn, "maxReceiveCount": max_receives}
        url = client.create_queue(
            QueueName=f"{name}.fifo",
            Attributes={
                "FifoQueue": "true",
                "ContentBasedDeduplication": "false",
                "VisibilityTimeout": str(visibility_s),
                "MessageRetentionPeriod": str(RETENTION_S),
                "RedrivePolicy": json.dumps(redrive),
            },
        )["QueueUrl"]
    return ProvisionedQueue(url, dead_url)


def _received(message: MessageTypeDef) -> ReceivedMessage:
    attributes = message.get("Attributes", {})
    return ReceivedMessage(
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        group=attributes["MessageGroupId"],
        deduplication_id=attributes["MessageDeduplicationId"],
        receive_count=int(attributes["ApproximateReceiveCount"]),
    )


@contextmanager
def _translated(doing: str, *, expired: frozenset[str] = frozenset()) -> Iterator[None]:
    """Turn botocore's errors into faults; `expired` lists codes that mean a stale receipt."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "").rpartition(".")[2]
        raise _fault(code, doing, expired) from error
    except NoCredentialsError as error:
        raise _fault("AccessDenied", doing, expired) from error
    except (BotoCoreError, ValueError) as error:
        raise _unavailable(doing, type(error).__name__) from error


def _fault(code: str, doing: str, expired: frozenset[str]) -> Fault:
    if code in expired:
        return Fault(
            ErrorCode.RECEIPT_EXPIRED,
            "the message's visibility ended before it was dealt with",
            fix="do nothing; the message is delivered again and the journal says what was done",
        )
    if code in _MISSING:
        return Fault(
            ErrorCode.QUEUE_MISSING,
            f"cannot {doing}: the queue does not exist",
            fix="create it, or correct queue.url in config.toml",
        )
    if code in _DENIED:
        return Fault(
            ErrorCode.UNAUTHENTICATED,
            f"cannot {doing}: the queue refuses this process's credentials ({code})",
            fix="give this process the role its side of the queue needs",
        )
    return _unavailable(doing, code)


def _unavailable(doing: str, why: str) -> Fault:
    return Fault(
        ErrorCode.QUEUE_UNAVAILABLE,
        f"cannot {doing}: the queue does not answer ({why})",
        fix="check queue.endpoint_url and the network, then try again",
    )
