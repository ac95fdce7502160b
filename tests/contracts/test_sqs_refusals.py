"""What SQS answers when it will not: translated into faults that say what to do."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from home.settings import QueueSettings
from ledger.queue import OutgoingMessage
from ledger.sqs_provision import dead_letter_attributes, provision_queue
from ledger.sqs_queue import SqsReceiver, SqsSender, ensure_queue, find_dead_letters
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


def test_both_queues_are_encrypted_and_hold_what_they_hold_for_days(sqs_client: Any) -> None:
    made = provision_queue(
        sqs_client, name="sealed", visibility_s=5, max_receives=3, kms_key="alias/order-queue"
    )
    for url, days in ((made.url, 4), (made.dead_letter_url, 14)):
        attributes = sqs_client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert attributes["KmsMasterKeyId"] == "alias/order-queue"
        assert attributes["KmsDataKeyReusePeriodSeconds"] == "300"
        assert attributes["MessageRetentionPeriod"] == str(days * 86_400)
        assert attributes["FifoQueue"] == "true"


def test_without_a_key_of_our_own_sqs_encrypts_with_its_own() -> None:
    assert dead_letter_attributes(kms_key=None)["SqsManagedSseEnabled"] == "true"


def test_a_queue_whose_dead_letters_go_nowhere_is_refused(sqs_client: Any) -> None:
    url = sqs_client.create_queue(QueueName="endless.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    with pytest.raises(Fault) as caught:
        find_dead_letters(url, sqs_client)
    assert caught.value.code is ErrorCode.QUEUE_MISSING
    assert "redrive policy" in caught.value.fix


def test_a_queue_that_keeps_no_order_is_refused(sqs_client: Any) -> None:
    url = sqs_client.create_queue(QueueName="any-order")["QueueUrl"]
    with pytest.raises(Fault) as caught:
        ensure_queue(url, sqs_client)
    assert caught.value.code is ErrorCode.BAD_CONFIG


class HalfTaken:
    """Stands for SQS taking some of a batch: the emulator takes all or nothing."""

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        return {
            "Successful": [{"Id": "1", "MessageId": "m-1"}],
            "Failed": [{"Id": "0", "Code": "AccessDenied"}],
        }


def test_what_a_batch_left_out_is_named_one_by_one() -> None:
    messages = [OutgoingMessage("a", f"g{number}", f"d-{number}") for number in range(3)]
    denied, taken, silent = SqsSender("url", HalfTaken()).send_batch(messages)
    assert taken == "m-1"
    assert isinstance(denied, Fault)
    assert denied.code is ErrorCode.UNAUTHENTICATED
    assert isinstance(silent, Fault)
    assert silent.code is ErrorCode.QUEUE_UNAVAILABLE


class Mute:
    """Stands for SQS taking one call and never answering the next."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        self.calls.append([entry["MessageDeduplicationId"] for entry in Entries])
        if len(self.calls) > 1:
            raise EndpointConnectionError(endpoint_url=QueueUrl)
        return {"Successful": [{"Id": entry["Id"], "MessageId": f"m-{entry['Id']}"} for entry in Entries]}


def test_what_was_taken_counts_though_a_later_call_got_no_answer() -> None:
    client = Mute()
    messages = [OutgoingMessage("a", "one group", f"d-{number}") for number in range(3)]
    taken, unknown, kept = SqsSender("https://queue.example", client).send_batch(messages)  # type: ignore[arg-type]
    assert taken == "m-0"
    assert client.calls == [["d-0"], ["d-1"]]
    for answer in (unknown, kept):
        assert isinstance(answer, Fault)
        assert answer.code is ErrorCode.QUEUE_UNAVAILABLE


def test_a_message_never_overtakes_one_of_its_group_that_was_left_out() -> None:
    class Refusing(Mute):
        def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
            super().send_message_batch(QueueUrl=QueueUrl, Entries=Entries)
            return {"Failed": [{"Id": "0", "Code": "InternalError"}]}

    client = Refusing()
    messages = [OutgoingMessage("a", "one group", f"d-{number}") for number in range(3)]
    answers = SqsSender("https://queue.example", client).send_batch(messages)  # type: ignore[arg-type]
    assert all(isinstance(answer, Fault) for answer in answers)
    assert client.calls == [["d-0"]]
