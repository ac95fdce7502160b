"""What one call really put on the wire and what came back, beside what ccxt makes of it.

Stage: executor → venue. ccxt turns a refused connection and a lost reply into the same error;
only the connection knows whether a byte had left. It must never be asked across tasks: what
is heard belongs to the call that is under way in this one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from aiohttp import TraceConfig

LONGEST_RETRY_AFTER_S: Final = 86_400.0


@dataclass(slots=True)
class Heard:
    """One call at a venue."""

    is_sent: bool = False
    """Whether a request's first line was about to be written; true before its first byte is."""
    status: int = 0
    """Of the last reply; 0 when none came."""
    retry_after_s: float | None = None
    is_garbled: bool = False
    """Whether a reply was no JSON at all, such as a gateway's page, whatever its status."""


_HEARD: ContextVar[Heard | None] = ContextVar("heard", default=None)


@contextmanager
def hearing() -> Iterator[Heard]:
    """Note what is heard in this block, in this task."""
    heard = Heard()
    token = _HEARD.set(heard)
    try:
        yield heard
    finally:
        _HEARD.reset(token)


def note_reply(status: int, headers: Mapping[str, str], body: str) -> None:
    """Note a reply's status, whether it is JSON, and how long the venue asked to be left alone."""
    heard = _HEARD.get()
    if heard is None:
        return
    heard.status = status
    heard.is_garbled = heard.is_garbled or not body.startswith(("{", "["))
    named = {name.lower(): value for name, value in headers.items()}
    heard.retry_after_s = retry_after(named.get("retry-after"))


def retry_after(text: str | None) -> float | None:
    """Return the seconds of a Retry-After header, at most a day; none for a date or nonsense (RFC 9110)."""
    if text is None or not text.strip().isdecimal():
        return None
    return min(float(text.strip()), LONGEST_RETRY_AFTER_S)


def wire_trace() -> TraceConfig:
    """Return what tells a connection pool's calls from each other, and lets none be redirected.

    A redirect would carry a signed order to another address, perhaps after the first took it.
    """
    from aiohttp import ClientError, TraceConfig

    async def note_sending(*_: Any) -> None:
        heard = _HEARD.get()
        if heard is not None:
            heard.is_sent = True

    async def refuse_redirect(*_: Any) -> None:
        raise ClientError("the venue redirected a request")

    trace = TraceConfig()
    trace.on_request_headers_sent.append(note_sending)
    trace.on_request_redirect.append(refuse_redirect)
    return trace
