"""A key service that is slow or away costs seconds once, not every caller's patience each time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from signing.bounded import COOL_DOWN_S, BoundedSigner
from signing.eip712 import recover_address
from signing.keystore import KeystoreSigner
from when_to_invest.errors import ErrorCode, Fault

KEY = KeystoreSigner(bytes(31) + b"\x07")
DIGEST = bytes(range(32))
AT_ONCE = 0.05
"""Seconds that these tests let a late service have."""


@dataclass
class Service:
    """A key service that can hang, fail and work again; counts how often it was asked."""

    fault: Exception | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    asked: int = 0
    now_s: float = 100.0
    address: str = KEY.address

    def __post_init__(self) -> None:
        self.gate.set()

    def sign_digest(self, digest: bytes) -> str:
        self.asked += 1
        self.gate.wait(10)
        if self.fault is not None:
            raise self.fault
        return KEY.sign_digest(digest)

    def bounded(self, *, longest_s: float = 5.0) -> BoundedSigner:
        return BoundedSigner(self, longest_s=longest_s, monotonic=lambda: self.now_s)


def away() -> Fault:
    return Fault(ErrorCode.SERVICE_UNAVAILABLE, "away", fix="wait")


def unavailable(call: Callable[[], object]) -> str:
    with pytest.raises(Fault) as caught:
        call()
    assert (caught.value.code, caught.value.is_retryable) == (ErrorCode.SERVICE_UNAVAILABLE, True)
    return caught.value.message


def test_what_the_service_signs_is_passed_on() -> None:
    signer = Service().bounded()
    assert recover_address(DIGEST, signer.sign_digest(DIGEST)) == signer.address


def test_a_service_that_hangs_is_given_up_and_not_asked_again_while_it_owes_an_answer() -> None:
    service = Service()
    service.gate.clear()
    signer = service.bounded(longest_s=AT_ONCE)
    assert "did not answer within 0.05 s" in unavailable(lambda: signer.sign_digest(DIGEST))
    service.now_s += 10 * COOL_DOWN_S
    for _ in range(50):
        assert "still owes" in unavailable(lambda: signer.sign_digest(DIGEST))
    assert service.asked == 1
    service.gate.set()
    while threading.active_count() > 1 and any(each.name == "sealing" for each in threading.enumerate()):
        next(each for each in threading.enumerate() if each.name == "sealing").join(5)
    assert recover_address(DIGEST, signer.sign_digest(DIGEST)) == signer.address


def test_after_a_failure_nobody_waits_again_for_a_while_and_then_it_is_asked_again() -> None:
    service = Service(fault=away())
    signer = service.bounded()
    assert unavailable(lambda: signer.sign_digest(DIGEST)) == "away"
    assert "a moment ago" in unavailable(lambda: signer.sign_digest(DIGEST))
    assert service.asked == 1
    service.now_s += COOL_DOWN_S
    service.fault = None
    assert recover_address(DIGEST, signer.sign_digest(DIGEST)) == signer.address


def test_other_errors_are_passed_on_and_cost_no_pause() -> None:
    service = Service(fault=Fault(ErrorCode.BAD_SIGNATURE, "another key signed", fix="look"))
    signer = service.bounded()
    for _ in range(3):
        with pytest.raises(Fault, match="another key signed"):
            signer.sign_digest(DIGEST)
    service.fault = ValueError("a defect")
    with pytest.raises(ValueError, match="a defect"):
        signer.sign_digest(DIGEST)
    assert service.asked == 4
