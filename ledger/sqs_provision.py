"""Makes the order queue on SQS: FIFO, encrypted at rest, with a queue for its dead letters.

For one machine and for tests; in production the same attributes stand in the stack. No
process that sends or receives may call this.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.sqs_client import translated

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

RETENTION_S: Final = 4 * 24 * 3600
"""How long an undelivered message is kept; its envelope has expired long before."""
DEAD_LETTER_RETENTION_S: Final = 14 * 24 * 3600
DATA_KEY_REUSE_S: Final = 300
"""How long SQS uses one data key before it asks KMS for another."""


@dataclass(frozen=True, slots=True)
class ProvisionedQueue:
    """Addresses of a queue and of the queue its dead letters go to."""

    url: str
    dead_letter_url: str


def queue_attributes(
    *, visibility_s: int, max_receives: int, dead_letter_arn: str, kms_key: str | None
) -> dict[str, str]:
    """Return the attributes of the order queue; `kms_key` is an id or ARN, None SQS's own key."""
    redrive = {"deadLetterTargetArn": dead_letter_arn, "maxReceiveCount": max_receives}
    return {
        "FifoQueue": "true",
        "ContentBasedDeduplication": "false",
        "VisibilityTimeout": str(visibility_s),
        "MessageRetentionPeriod": str(RETENTION_S),
        "RedrivePolicy": json.dumps(redrive),
        **_encryption(kms_key),
    }


def dead_letter_attributes(*, kms_key: str | None) -> dict[str, str]:
    """Return the attributes of the queue that dead letters go to."""
    return {
        "FifoQueue": "true",
        "MessageRetentionPeriod": str(DEAD_LETTER_RETENTION_S),
        **_encryption(kms_key),
    }


def _encryption(kms_key: str | None) -> dict[str, str]:
    if kms_key is None:
        return {"SqsManagedSseEnabled": "true"}
    return {"KmsMasterKeyId": kms_key, "KmsDataKeyReusePeriodSeconds": str(DATA_KEY_REUSE_S)}


def provision_queue(
    client: SQSClient, *, name: str, visibility_s: int, max_receives: int, kms_key: str | None = None
) -> ProvisionedQueue:
    """Make the FIFO queue `name` (without `.fifo`) and its dead-letter queue; repeatable.

    Raises:
        Fault: `queue_unavailable`, `unauthenticated`, `bad_config` when a queue of that name
            has other attributes.
    """
    with translated("make the queue"):
        dead_url = client.create_queue(
            QueueName=f"{name}-dead.fifo",
            Attributes=dead_letter_attributes(kms_key=kms_key),  # type: ignore[arg-type] # keys are literals
        )["QueueUrl"]
        answer = client.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])
        attributes = queue_attributes(
            visibility_s=visibility_s,
            max_receives=max_receives,
            dead_letter_arn=answer["Attributes"]["QueueArn"],
            kms_key=kms_key,
        )
        url = client.create_queue(
            QueueName=f"{name}.fifo",
            Attributes=attributes,  # type: ignore[arg-type] # as above
        )["QueueUrl"]
    return ProvisionedQueue(url, dead_url)
