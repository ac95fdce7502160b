"""What SQS answers when it will not: translated into faults that say what to do."""

from __future__ import annotations

from typing import Any

import pytest

from home.settings import QueueSettings
from ledger.queue import OutgoingMessage
from ledger.sqs_queue import SqsReceiver, SqsSender, provision_queue
from when_to_invest.errors import ErrorCode, Fault


def test_a_queue_that_does_not_exist_is_named_missing(sqs_client: Any, sqs_settings: QueueSettings) -> None:
    url = f"{sqs_settings.endpoint_url}/000000000000/nowhere.fifo"
    with pytest.raises(Fault) as caught:
        SqsSender(url, sqs_client).send(OutgoingMessage("body", "group", "d-1"))
    assert caught.value.code is ErrorCode.QUEUE_MISSING
    with pytest.raises(Fault) as caught:
        SqsReceiver(url, sqs_client, visibility_s=1).receive(max_messages=1, wait_s=0.0)
    assert caught.value.code is ErrorCode.QUEUE_MISSING


def test_making_a_queue_twice_is_making_it_once(sqs_client: Any) -> None:
    first = provision_queue(sqs_client, name="twice", visibility_s=5, max_receives=3)
    assert provision_queue(sqs_client, name="twice", visibility_s=5, max_receives=3) == first
    assert first.url.endswith("/twice.fifo")
    assert first.dead_letter_url.endswith("/twice-dead.fifo")
