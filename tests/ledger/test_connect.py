"""A process gets the side of the queue it may hold, and no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from home.settings import QueueKind, QueueSettings
from ledger.connect import open_receiver, open_sender
from ledger.queue import OutgoingMessage
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
    (received,) = open_receiver(settings, tmp_path / "q").receive(max_messages=1, wait_s=0.0)
    assert received.body == "body"


@pytest.mark.parametrize("kind", QueueKind)
def test_a_sender_cannot_receive_and_a_receiver_cannot_send(
    kind: QueueKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _sqs(monkeypatch) if kind is QueueKind.SQS else QueueSettings()
    sender = open_sender(settings, tmp_path / "q")
    receiver = open_receiver(settings, tmp_path / "q")
    assert not any(hasattr(sender, name) for name in RECEIVING)
    assert not hasattr(receiver, "send")
    assert all(hasattr(receiver, name) for name in RECEIVING)


def test_a_queue_server_that_is_down_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.sqs_queue.ATTEMPTS", 1)
    sender = open_sender(_sqs(monkeypatch), tmp_path / "q")
    with pytest.raises(Fault) as caught:
        sender.send(OutgoingMessage("body", "group", "d-1"))
    assert caught.value.code is ErrorCode.QUEUE_UNAVAILABLE
    assert caught.value.is_retryable


def test_opening_the_embedded_queue_imports_no_boto3() -> None:
    program = "import sys, ledger.connect, ledger.sqlite_queue; print('boto3' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
