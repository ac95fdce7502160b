"""Bounds how long a key elsewhere may take: one clear, retryable error, and soon.

Stage: sealing. Everybody's decisions wait while one is sealed, so a service that is slow or
away must be noticed in seconds and not be waited for again at once. A signature that comes
too late is dropped; nobody gets it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NoReturn

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from signing.signer import DigestSigner

LONGEST_S: Final = 3.0
"""Both services usually answer within 50 ms."""
COOL_DOWN_S: Final = 2.0
"""After a failure nobody is made to wait again for so long."""


class BoundedSigner:
    """Asks another signer, each time in a thread that it waits for at most `longest_s` seconds.

    `monotonic` tells seconds on a clock that never goes back.
    """

    __slots__ = ("_failed_at", "_longest_s", "_monotonic", "_signer", "_state", "_unanswered")

    def __init__(
        self,
        signer: DigestSigner,
        *,
        longest_s: float = LONGEST_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._signer = signer
        self._longest_s = longest_s
        self._monotonic = monotonic
        self._failed_at: float | None = None
        self._unanswered = 0
        self._state = threading.Lock()

    @property
    def address(self) -> str:
        """Return the checksummed address that signatures recover to."""
        return self._signer.address

    def sign_digest(self, digest: bytes) -> str:
        """Return the signature of `digest`.

        Raises:
            Fault: `service_unavailable` when the service is late, or was late or away moments
                ago; whatever else the signer raises.
        """
        self._demand_readiness()
        call = _Call(self._signer, digest)
        threading.Thread(target=self._run, args=(call,), name="sealing", daemon=True).start()
        if not call.is_over.wait(self._longest_s) and self._gives_up(call):
            raise _late(f"it did not answer within {self._longest_s:g} s")
        if call.error is not None:
            raise call.error
        return call.signature

    def _demand_readiness(self) -> None:
        with self._state:
            if self._unanswered:
                raise _late("it still owes an earlier answer")
            now = self._monotonic()
            if self._failed_at is not None and 0 <= now - self._failed_at < COOL_DOWN_S:
                raise _late("it failed a moment ago")

    def _gives_up(self, call: _Call) -> bool:
        """Stop waiting for a call, unless its answer came at this very moment."""
        with self._state:
            if call.is_over.is_set():
                return False
            call.is_late = True
            self._unanswered += 1
            self._failed_at = self._monotonic()
            return True

    def _run(self, call: _Call) -> None:
        call.make()
        error = call.error
        with self._state:
            self._unanswered -= call.is_late
            if isinstance(error, Fault) and error.code is ErrorCode.SERVICE_UNAVAILABLE:
                self._failed_at = self._monotonic()
            call.is_over.set()

    def __repr__(self) -> str:
        return f"BoundedSigner({self.address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer is never copied or pickled")


class _Call:
    """One signature that is being made in a thread of its own."""

    __slots__ = ("digest", "error", "is_late", "is_over", "signature", "signer")

    def __init__(self, signer: DigestSigner, digest: bytes) -> None:
        self.signer = signer
        self.digest = digest
        self.signature = ""
        self.error: Exception | None = None
        self.is_over = threading.Event()
        self.is_late = False

    def make(self) -> None:
        try:
            self.signature = self.signer.sign_digest(self.digest)
        except Exception as error:  # noqa: BLE001 - raised again in the thread that asked
            self.error = error


def _late(why: str) -> Fault:
    return Fault(
        ErrorCode.SERVICE_UNAVAILABLE,
        f"the key service cannot sign now: {why}; nothing was signed",
        fix="try again in a few seconds; if it stays so, check the service that [signing] seal names",
    )
