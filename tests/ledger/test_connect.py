"""A process gets the side of the queue it may hold, and no more."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from home.settings import QueueKind, QueueSettings
from ledger.connect import open_receiving, open_sender
from ledger.queue import OutgoingMessage
from ledger.sqs_client import ensure_encrypted
from ledger.sqs_queue import SqsReceiver, SqsSender
from when_to_invest.errors import ErrorCode, Fault

RECEIVING = ("receive", "delete", "extend")


def _sqs(monkeypatch: pytest.MonkeyPatch) -> QueueSettings:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    # Port 9 (discard) has no listener here: a connection is refused at once.
    return QueueSettings(kind=QueueKind.SQS, url="http://127.0.0.1:9/q", endpoint_url="http://127.0.0.1:9")


def test_what_the_gate_sends_the_executor_receives(tmp_path: Path) -> None:
    settings = QueueSettings()
    open_sender(settings, tmp_path / "q").send(OutgoingMessage("body", "group", "d-1"))
    (received,) = open_receiving(settings, tmp_path / "q").receiver.receive(max_messages=1, wait_s=0.0)
    assert received.body == "body"


def test_a_sender_cannot_receive_and_a_receiver_cannot_send(tmp_path: Path) -> None:
    sides = [
        (
            open_sender(QueueSettings(), tmp_path / "q"),
            open_receiving(QueueSettings(), tmp_path / "q").receiver,
        ),
        (SqsSender("url", object()), SqsReceiver("url", object(), visibility_s=1)),
    ]
    for sender, receiver in sides:
        assert not any(hasattr(sender, name) for name in RECEIVING)
        assert not hasattr(receiver, "send")
        assert not hasattr(receiver, "send_batch")
        assert all(hasattr(receiver, name) for name in RECEIVING)


@pytest.mark.parametrize("opening", [open_sender, open_receiving])
def test_a_queue_server_that_is_down_is_named_before_anything_is_promised(
    opening: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.sqs_client.ATTEMPTS", 1)
    with pytest.raises(Fault) as caught:
        opening(_sqs(monkeypatch), tmp_path / "q")
    assert caught.value.code is ErrorCode.QUEUE_UNAVAILABLE
    assert caught.value.is_retryable


@pytest.mark.parametrize("key", ["endpoint_url", "url"])
@pytest.mark.parametrize(
    "address",
    [
        "http://sqs.us-east-1.amazonaws.com/1/q.fifo",
        "http://10.0.0.7:9324/q",
        "http://127.0.0.1.example.com/q",
        "http://localhost.example.com",
        "http://user@example.com/127.0.0.1",
        "http://0x7f000001.example/q",
        "ftp://127.0.0.1/q",
        "//127.0.0.1/q",
        "http://[::ffff:8.8.8.8]/q",
        "http://[broken",
        "sqs",
    ],
)
@pytest.mark.parametrize("opening", [open_sender, open_receiving])
def test_an_address_that_is_not_encrypted_is_refused_by_name(
    opening: Callable[..., object], key: str, address: str, tmp_path: Path
) -> None:
    settings = QueueSettings(kind=QueueKind.SQS, **{"url": "https://sqs.example.com/1/q.fifo", key: address})
    with pytest.raises(Fault) as caught:
        opening(settings, tmp_path / "q")
    assert caught.value.code is ErrorCode.BAD_CONFIG
    assert f"queue.{key}" in caught.value.message
    assert "https://" in caught.value.fix


@pytest.mark.parametrize(
    "address", ["https://sqs.eu-west-1.amazonaws.com", "http://127.0.0.1:9324", "http://[::1]:1/q", None]
)
def test_an_encrypted_address_and_a_server_of_this_machine_are_reached(address: str | None) -> None:
    ensure_encrypted(address, key="queue.url")  # what it refuses, it raises


@pytest.mark.parametrize("address", ["http://127.0.0.1.example.com:9324", "http://10.0.0.7:9324"])
def test_an_address_in_the_open_elsewhere_is_not(address: str) -> None:
    with pytest.raises(Fault):
        ensure_encrypted(address, key="queue.url")


def test_opening_the_embedded_queue_imports_no_boto3() -> None:
    program = "import sys, ledger.connect, ledger.sqlite_queue; print('boto3' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
