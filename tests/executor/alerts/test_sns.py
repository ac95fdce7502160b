"""Notices on a topic of a real SNS-compatible server, read from a queue that is subscribed to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from executor.alerts.notice import Notice
from executor.alerts.sns import Topic, open_topic
from home.operations import OperationsSettings
from tests.contracts.sqs_server import sqs_server
from when_to_invest.errors import Fault

REGION = "us-east-1"
NOTICE = Notice("halted", "system", "halted, why a stranger", "read it", "2018-06-04T21:05:00Z")


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        with sqs_server(tmp_path_factory.mktemp("sns"), services="sns,sqs") as url:
            yield url


def client(name: str, endpoint: str) -> Any:
    return boto3.client(name, region_name=REGION, endpoint_url=endpoint)


def test_a_published_notice_reaches_who_subscribed(endpoint: str) -> None:
    sns, sqs = client("sns", endpoint), client("sqs", endpoint)
    arn = sns.create_topic(Name="alerts")["TopicArn"]
    url = sqs.create_queue(QueueName="people")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue)
    open_topic(OperationsSettings(sns_topic_arn=arn, sns_endpoint_url=endpoint)).deliver(NOTICE)
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    envelope = json.loads(message["Body"])
    assert envelope["Subject"] == "raised: halted"
    assert json.loads(envelope["Message"]) == NOTICE.as_json()


def test_a_topic_that_does_not_exist_is_no_matter_of_time(endpoint: str) -> None:
    arn = f"arn:aws:sns:{REGION}:000000000000:none"
    with pytest.raises(Fault) as caught:
        Topic(arn, client("sns", endpoint)).deliver(NOTICE)
    assert not caught.value.is_retryable


def test_a_server_that_is_gone_may_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    settings = OperationsSettings(
        sns_topic_arn=f"arn:aws:sns:{REGION}:000000000000:alerts", sns_endpoint_url="http://127.0.0.1:9"
    )
    with pytest.raises(Fault) as caught:
        open_topic(settings).deliver(NOTICE)
    assert caught.value.is_retryable


def test_a_fifo_topic_is_told_what_a_repetition_is() -> None:
    published: list[dict[str, str]] = []

    class Client:
        def publish(self, **given: str) -> None:
            published.append(given)

    Topic(f"arn:aws:sns:{REGION}:000000000000:alerts.fifo", Client()).deliver(NOTICE)
    assert published[0]["MessageDeduplicationId"] == NOTICE.idempotency_key
