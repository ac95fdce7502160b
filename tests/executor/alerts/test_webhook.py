"""Notices over HTTP: signed, told once, and sent nowhere that could read along."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket

import pytest

from executor.alerts.announcer import Announcer, Patience
from executor.alerts.notice import Notice
from executor.alerts.webhook import Webhook
from tests.executor.alerts.receiver import Receiver, receiving
from when_to_invest.errors import ErrorCode, Fault

SECRET = "sixteen signs, and more"  # noqa: S105 - checks signatures of this file alone
NOTICE = Notice("halted", "system", "halted, why a stranger", "read it", "2018-06-04T21:05:00Z")


def test_a_notice_arrives_as_json_with_a_signature_that_its_secret_proves() -> None:
    with receiving(Receiver()) as receiver:
        Webhook(f"{receiver.url}/hook?team=a", secret=SECRET, now_s=lambda: 1_700_000_000.9).deliver(NOTICE)
    (posted,) = receiver.posted
    assert posted.path == "/hook?team=a"
    assert json.loads(posted.body) == NOTICE.as_json()
    stamp, _, proof = posted.headers["X-Signature"].partition(",v1=")
    assert stamp == "t=1700000000"
    expected = hmac.new(SECRET.encode(), b"1700000000." + posted.body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(proof, expected)
    assert posted.headers["Idempotency-Key"] == NOTICE.idempotency_key
    assert SECRET not in str(posted)


def test_a_receiver_that_fails_first_gets_the_same_notice_with_the_same_key_again() -> None:
    with receiving(Receiver(statuses=[503, 429, 200])) as receiver:
        webhook = Webhook(receiver.url, secret=SECRET)
        announcer = Announcer([webhook], quiet_s=1.0, patience=Patience(pause=lambda *_: None))
        assert announcer._lines[0]._is_delivered(NOTICE)
    keys = [posted.headers["Idempotency-Key"] for posted in receiver.posted]
    assert keys == [NOTICE.idempotency_key] * 3
    assert len({posted.body for posted in receiver.posted}) == 1


@pytest.mark.parametrize(("status", "is_retryable"), [(500, True), (429, True), (400, False), (401, False)])
def test_which_answers_are_worth_another_attempt(status: int, is_retryable: bool) -> None:  # noqa: FBT001 - drawn
    with receiving(Receiver(statuses=[status])) as receiver, pytest.raises(Fault) as caught:
        Webhook(receiver.url, secret=SECRET).deliver(NOTICE)
    assert caught.value.is_retryable is is_retryable


def test_a_redirection_is_not_followed() -> None:
    with receiving(Receiver()) as elsewhere:
        moved = Receiver(statuses=[307], headers={"Location": elsewhere.url})
        with receiving(moved) as receiver, pytest.raises(Fault):
            Webhook(receiver.url, secret=SECRET).deliver(NOTICE)
    assert not elsewhere.posted


def test_nobody_there_is_a_fault_that_time_can_heal() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Fault) as caught:
            Webhook(url, secret=SECRET).deliver(NOTICE)
    assert caught.value.is_retryable
    assert "127.0.0.1" not in caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "http://127.0.0.1.example.com/",
        "http://10.0.0.1/",
        "ftp://127.0.0.1/",
        "https://user:word@example.com/",
        "https:///nowhere",
        "https://example.com/a b",
        "https://example.com:99999/",
        "",
    ],
)
def test_an_address_that_others_could_read_along_is_refused(url: str) -> None:
    with pytest.raises(Fault) as caught:
        Webhook(url, secret=SECRET)
    assert caught.value.code is ErrorCode.BAD_CONFIG


@pytest.mark.parametrize("secret", ["", "short"])
def test_without_a_secret_nothing_is_sent(secret: str) -> None:
    with pytest.raises(Fault, match="secret"):
        Webhook("https://example.com/", secret=secret)
