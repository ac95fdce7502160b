"""Publishes notices to an SNS topic. Stage: adapter, on its channel's own thread, never on the loop.

Under its role the executor may publish to this one topic and do nothing else with it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from executor.alerts.notice import Notice
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from home.operations import OperationsSettings

_LONGEST_SUBJECT: Final = 100
_FIFO: Final = ".fifo"


class Topic:
    """Publishes each notice as JSON to one topic; one that is FIFO drops repetitions by itself."""

    name = "sns"

    def __init__(self, arn: str, client: Any) -> None:
        self._arn = arn
        self._client = client

    def deliver(self, notice: Notice) -> None:
        """See `Channel.deliver`."""
        from botocore.exceptions import BotoCoreError, ClientError

        ordering = {}
        if self._arn.endswith(_FIFO):
            ordering = {
                "MessageDeduplicationId": notice.idempotency_key,
                "MessageGroupId": f"{notice.kind}",
            }
        try:
            self._client.publish(
                TopicArn=self._arn,
                Subject=f"{notice.phase.value}: {notice.kind}"[:_LONGEST_SUBJECT],
                Message=json.dumps(notice.as_json(), sort_keys=True),
                **ordering,
            )
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
            is_worth_it = status >= 500 or "Throttl" in error.response.get("Error", {}).get("Code", "")  # noqa: PLR2004
            raise _fault(type(error).__name__, is_worth_it=is_worth_it) from error
        except BotoCoreError as error:
            raise _fault(type(error).__name__, is_worth_it=True) from error


def _fault(what: str, *, is_worth_it: bool) -> Fault:
    return Fault(
        ErrorCode.SERVICE_UNAVAILABLE if is_worth_it else ErrorCode.BAD_CONFIG,
        f"the topic did not take the notice: {what}",
        fix="check operations.sns_topic_arn and the executor's role",
    )


def open_topic(settings: OperationsSettings) -> Topic:
    """Return the configured topic; nothing is asked of it before the first notice."""
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})
    client = boto3.client(
        "sns",
        region_name=settings.sns_topic_arn.split(":")[3],
        endpoint_url=settings.sns_endpoint_url,
        config=config,
    )
    return Topic(settings.sns_topic_arn, client)
