"""A connection that says nothing is closed: requests must begin soon and arrive at once.

uvicorn waits without end for the head of a request; a caller who opens connections and
sends a letter a minute would hold them all. The body's time is the guard's business.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

LONGEST_HEAD_S: Final = 10.0


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, patient for `longest_head_s` with each request's head."""

    longest_head_s: float = LONGEST_HEAD_S
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Start waiting for the first head."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what came; go on waiting while the head is not whole."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._waiting is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self.longest_head_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.close()


def patient(longest_head_s: float) -> type[PatientProtocol]:
    """Return the protocol with another patience."""
    attributes: dict[str, Any] = {"longest_head_s": longest_head_s}
    return type("PatientProtocol", (PatientProtocol,), attributes)
