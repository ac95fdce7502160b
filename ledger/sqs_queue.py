"""The order queue on SQS FIFO: a side for the gate, one for the executor, and the dead letters.

A sender only sends and a receiver only receives; in production each runs under a role
that allows nothing else. Calls are tried again only because ids make a repetition
harmless.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from home.tracing import valid
from ledger.queue import MAX_BATCH, MAX_WAIT_S, OutgoingMessage, ReceivedMessage, batches
from ledger.sqs_client import EXPIRED, fault_of, translated
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef, MessageTypeDef

TRACEPARENT: Final = "traceparent"
"""The message attribute that carries the W3C trace context, by its own name."""
LOOK_S: Final = 30
"""How long a dead letter that was looked at stays hidden, so that others of its queue show."""
_ATTRIBUTES: Final = ("ApproximateReceiveCount", "MessageGroupId", "MessageDeduplicationId")
_COUNTS: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
)


def ensure_queue(url: str, client: SQSClient) -> None:
    """Check that the queue answers and is FIFO, before anything relies on it.

    Raises:
        Fault: `queue_missing`, `queue_unavailable`, `unauthenticated`, `bad_config`.
    """
    with translated("open the queue"):
        answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["FifoQueue"])
    if answer.get("Attributes", {}).get("FifoQueue") != "true":
        raise Fault(
            ErrorCode.BAD_CONFIG,
            "the order queue is no FIFO queue, so orders could overtake each other",
            fix="make a FIFO queue and name it in queue.url",
        )


def find_dead_letters(url: str, client: SQSClient) -> SqsDeadLetters:
    """Return the queue that the dead letters of the queue at `url` go to.

    Raises:
        Fault: `queue_missing` when they go nowhere, `queue_unavailable`, `unauthenticated`.
    """
    with translated("find the dead letters"):
        answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
        policy = json.loads(answer.get("Attributes", {}).get("RedrivePolicy", "{}"))
    name = str(policy.get("deadLetterTargetArn", "")).rpartition(":")[2]
    if not name:
        raise Fault(
            ErrorCode.QUEUE_MISSING,
            "the order queue has no queue for dead letters",
            fix="give it a redrive policy; a message nobody can read would block its group",
        )
    return SqsDeadLetters(f"{url.rpartition('/')[0]}/{name}", client)


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
        with translated("send"):
            answer = self._client.send_message(
                QueueUrl=self._url,
                MessageBody=message.body,
                MessageGroupId=message.group,
                MessageDeduplicationId=message.deduplication_id,
                MessageAttributes=_attributes(message),
            )
        return answer["MessageId"]

    def send_batch(self, messages: Sequence[OutgoingMessage]) -> tuple[str | Fault, ...]:
        """Send in as few calls as order allows; return each message's id, or its fault.

        After a call that left one out nothing more is sent, or a later message of its group
        could overtake it.

        Raises:
            Fault: `queue_missing`, `queue_unavailable`, `unauthenticated`, from the first call.
        """
        answers: list[str | Fault] = []
        for batch in batches(messages):
            answers += self._sent(batch) if not answers else self._sent_next(batch)
            if any(isinstance(answer, Fault) for answer in answers):
                break
        held_back = Fault(
            ErrorCode.QUEUE_UNAVAILABLE, "an earlier message was not taken", fix="send it again after that"
        )
        return (*answers, *(held_back for _ in messages[len(answers) :]))

    def _sent_next(self, batch: Sequence[OutgoingMessage]) -> Sequence[str | Fault]:
        """Send a batch after others, whose answers its own fault must not take away."""
        try:
            return self._sent(batch)
        except Fault as fault:
            return (fault,) * len(batch)

    def _sent(self, messages: Sequence[OutgoingMessage]) -> Sequence[str | Fault]:
        with translated("send"):
            answer = self._client.send_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {
                        "Id": str(index),
                        "MessageBody": message.body,
                        "MessageGroupId": message.group,
                        "MessageDeduplicationId": message.deduplication_id,
                        "MessageAttributes": _attributes(message),
                    }
                    for index, message in enumerate(messages)
                ],
            )
        taken = {entry["Id"]: entry["MessageId"] for entry in answer.get("Successful", [])}
        failed = {entry["Id"]: entry["Code"] for entry in answer.get("Failed", [])}
        return tuple(
            taken.get(str(index)) or fault_of(failed.get(str(index), "NoAnswer"), "send")
            for index in range(len(messages))
        )


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
        with translated("receive"):
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(max_messages, MAX_BATCH),
                WaitTimeSeconds=math.ceil(min(wait_s, MAX_WAIT_S)),
                VisibilityTimeout=self._visibility_s,
                MessageSystemAttributeNames=list(_ATTRIBUTES),
                MessageAttributeNames=[TRACEPARENT],
                ReceiveRequestAttemptId=uuid.uuid4().hex,
            )
        return tuple(_received(message) for message in answer.get("Messages", []))

    def delete(self, receipt: str) -> None:
        """Remove a message that was dealt with.

        Raises:
            Fault: `receipt_expired` when another receiver may hold the message by now.
        """
        with translated("delete", expired=EXPIRED):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)

    def delete_batch(self, receipts: Sequence[str]) -> tuple[Fault | None, ...]:
        """Remove up to 10 messages in one call; return for each nothing, or why it was not removed.

        Raises:
            Fault: `queue_missing`, `queue_unavailable`, `unauthenticated`.
        """
        with translated("delete"):
            answer = self._client.delete_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": receipt} for index, receipt in enumerate(receipts)
                ],
            )
        gone = {entry["Id"] for entry in answer.get("Successful", [])}
        failed = {entry["Id"]: entry["Code"] for entry in answer.get("Failed", [])}
        return tuple(
            None
            if str(index) in gone
            else fault_of(failed.get(str(index), "NoAnswer"), "delete", expired=EXPIRED)
            for index in range(len(receipts))
        )

    def extend(self, receipt: str, *, visibility_s: int) -> None:
        """Keep a message for `visibility_s` from now; 0 gives it back at once.

        Raises:
            Fault: `receipt_expired` when another receiver may hold the message by now.
        """
        with translated("extend", expired=EXPIRED):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=visibility_s
            )

    def is_empty(self) -> bool:
        """Whether nothing waits and nothing is in flight, as far as SQS counts (approximately).

        Raises:
            Fault: `queue_missing`, `queue_unavailable`, `unauthenticated`.
        """
        with translated("count"):
            answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=list(_COUNTS))
        return not any(int(answer["Attributes"][name]) for name in _COUNTS)


class SqsDeadLetters:
    """The dead letters on SQS. A group's first ten show; the rest when those are answered."""

    __slots__ = ("_receiver",)

    def __init__(self, url: str, client: SQSClient) -> None:
        self._receiver = SqsReceiver(url, client, visibility_s=LOOK_S)

    def look(self, *, max_messages: int) -> tuple[ReceivedMessage, ...]:
        """Return some letters; each shows again after `LOOK_S`."""
        return self._receiver.receive(max_messages=max_messages, wait_s=0.0)

    def remove(self, receipt: str) -> None:
        """Throw one away."""
        self._receiver.delete(receipt)


def _attributes(message: OutgoingMessage) -> dict[str, MessageAttributeValueTypeDef]:
    """Return the trace context beside the body, where nothing is sealed; nothing when there is none."""
    if not message.traceparent:
        return {}
    return {TRACEPARENT: {"DataType": "String", "StringValue": message.traceparent}}


def _received(message: MessageTypeDef) -> ReceivedMessage:
    attributes = message.get("Attributes", {})
    context = message.get("MessageAttributes", {}).get(TRACEPARENT)
    return ReceivedMessage(
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        group=attributes["MessageGroupId"],
        deduplication_id=attributes["MessageDeduplicationId"],
        receive_count=int(attributes["ApproximateReceiveCount"]),
        traceparent=valid(context.get("StringValue", "")) if context else "",
    )
