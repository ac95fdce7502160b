"""The doors of the HTTP transport: from where, by whom, how much and how fast.

Two layers around the SDK's own. The porter stands outside: it turns away foreign web pages
before a token is looked at, and rewrites every refusal into one error object. The guard
stands behind the token check: rates, size, slowness and scopes. What they let through is
checked again where the tool is called.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import Headers

from tool_servers.access import REFUSAL, RefusalNote
from tool_servers.rates import RateLimiter
from tool_servers.refusals import (
    MCP_PATH,
    Challenge,
    Refusal,
    is_error_object,
    lacks_scope,
    plain_refusal,
    refusal_of,
)
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_REQUEST_BYTES: Final = 256 * 1024
DEEPEST_REQUEST: Final = 64
"""Levels of nesting in a request; parsers in C can be brought down by thousands."""
LONGEST_BODY_S: Final = 10.0
"""How long a caller may take to send one request's body."""
_CALL: Final = "tools/call"
_TEXTS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS: Final = re.compile(rb"[\[\]{}]")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Under which `Host` values a server answers, and which web pages may ask."""

    hosts: frozenset[str]
    origins: frozenset[str]


@dataclass(frozen=True, slots=True)
class Porter:
    """The outermost layer: foreign hosts, foreign pages, doubled credentials; plain refusals."""

    app: ASGIApp
    addresses: Addresses
    challenge: Challenge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it with an error object."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self._foreign(Headers(scope=scope))
        if refusal is not None:
            await answer(refusal, send, path=scope["path"])
            return
        note = RefusalNote()
        held = REFUSAL.set(note)
        try:
            await self.app(scope, receive, _Rewriter(send, self.challenge, note, scope["path"]))
        finally:
            REFUSAL.reset(held)

    def _foreign(self, headers: Headers) -> Refusal | None:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0].lower() not in self.addresses.hosts:
            return _turned_away("it names another host", status=HTTPStatus.MISDIRECTED_REQUEST)
        if any(origin.lower() not in self.addresses.origins for origin in origins):
            return _turned_away("it comes from a foreign web page", status=HTTPStatus.FORBIDDEN)
        if len(headers.getlist("authorization")) > 1:
            return _turned_away("it carries two credentials", status=HTTPStatus.BAD_REQUEST)
        return None


class _Rewriter:
    """Passes answers on; a refusal without our error object becomes one with it."""

    def __init__(self, send: Send, challenge: Challenge, note: RefusalNote, path: str) -> None:
        self._send = send
        self._challenge = challenge
        self._note = note
        self._path = path
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        """Take one message of an answer."""
        if message["type"] == "http.response.start" and message["status"] >= HTTPStatus.BAD_REQUEST:
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        if is_error_object(self._body):
            await self._send(start)
            await self._send({"type": "http.response.body", "body": self._body})
            return
        is_noted = self._note.fault is not None and start["status"] == HTTPStatus.UNAUTHORIZED
        refusal = (
            refusal_of(self._note.fault, self._challenge)
            if is_noted and self._note.fault is not None
            else plain_refusal(start["status"], self._challenge)
        )
        await answer(refusal, self._send, path=self._path)


@dataclass(frozen=True, slots=True)
class Guard:
    """The layer behind the token check: rates, size, slowness, scopes."""

    app: ASGIApp
    limiter: RateLimiter
    scopes_by_tool: Mapping[str, str]
    challenge: Challenge
    longest_body_s: float = LONGEST_BODY_S

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of an authenticated caller; others are refused further in."""
        user = scope.get("user") if scope["type"] == "http" else None
        if user is None or not user.is_authenticated:
            await self.app(scope, receive, send)
            return
        if not self.limiter.admits(user.display_name):
            await answer(self._too_often(user.display_name), send, path=scope["path"])
            return
        try:
            body = await asyncio.wait_for(_whole_body(scope, receive), self.longest_body_s)
        except TimeoutError:
            await answer(self._refused(_too_slow()), send, path=scope["path"])
        except Fault as fault:
            refusal = refusal_of(fault, self.challenge, status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            await answer(refusal, send, path=scope["path"])
        else:
            if is_nested_too_deep(body):
                await answer(self._refused(_too_deep()), send, path=scope["path"])
                return
            await self._scoped(scope, _Replay(body, receive), send, body=body)

    async def _scoped(self, scope: Scope, receive: Receive, send: Send, *, body: bytes) -> None:
        missing = self._missing(body, held=frozenset(scope["auth"].scopes))
        if scope["path"] == MCP_PATH and missing:
            await answer(lacks_scope(self.challenge, needed=missing), send, path=MCP_PATH)
            return
        await self.app(scope, receive, send)

    def _missing(self, body: bytes, *, held: frozenset[str]) -> tuple[str, ...]:
        """Return the scopes of which one is needed and none held; none when all is well."""
        if not held & set(self.challenge.scopes):
            return self.challenge.scopes
        needed = self.scopes_by_tool.get(called_tool(body))
        return (needed,) if needed is not None and needed not in held else ()

    def _too_often(self, caller: str) -> Refusal:
        rate = self.limiter.rate_of(caller)
        return self._refused(
            Fault(
                ErrorCode.RATE_LIMITED,
                f"more than {rate.per_minute:g} requests a minute",
                fix="wait a few seconds and ask less often",
            )
        )

    def _refused(self, fault: Fault) -> Refusal:
        return refusal_of(fault, self.challenge)


def called_tool(body: bytes) -> str:
    """Return which tool a JSON-RPC request calls; empty for anything else."""
    try:
        told: Any = json.loads(body)
        name = told["params"]["name"] if told["method"] == _CALL else ""
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return name if isinstance(name, str) else ""


def is_nested_too_deep(body: bytes, *, deepest: int = DEEPEST_REQUEST) -> bool:
    """Return whether JSON is nested deeper than `deepest` levels, without parsing it."""
    if body.count(b"[") + body.count(b"{") <= deepest:
        return False
    depth = 0
    for bracket in _BRACKETS.findall(_TEXTS.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > deepest:
            return True
    return False


async def answer(refusal: Refusal, send: Send, *, path: str) -> None:
    """Send a refusal."""
    for message in refusal.message(path=path):
        await send(message)


async def _whole_body(scope: Scope, receive: Receive) -> bytes:
    """Return the request's body.

    Raises:
        Fault: `bad_argument` when it is longer than `LARGEST_REQUEST_BYTES`.
    """
    declared = Headers(scope=scope).get("content-length", "0")
    if declared.isdigit() and int(declared[:12]) > LARGEST_REQUEST_BYTES:
        raise _too_long()
    body = bytearray()
    is_whole = False
    while not is_whole:
        message = await receive()
        body += message.get("body", b"")
        is_whole = not message.get("more_body", False)
        if len(body) > LARGEST_REQUEST_BYTES:
            raise _too_long()
    return bytes(body)


class _Replay:
    """Hands out a body that was read already, then whatever comes."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        """Return the next message of the request."""
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def _too_long() -> Fault:
    return Fault(
        ErrorCode.BAD_ARGUMENT,
        f"the request is longer than {LARGEST_REQUEST_BYTES} bytes",
        fix="send one call, with arguments as its schema describes them",
    )


def _too_deep() -> Fault:
    return Fault(
        ErrorCode.BAD_ARGUMENT,
        f"the request is nested deeper than {DEEPEST_REQUEST} levels",
        fix="send one call, with arguments as its schema describes them",
    )


def _too_slow() -> Fault:
    return Fault(
        ErrorCode.TIME_LIMIT,
        f"the request did not arrive within {LONGEST_BODY_S:g} seconds",
        fix="send the request at once",
    )


def _turned_away(why: str, *, status: int) -> Refusal:
    code = ErrorCode.BAD_ARGUMENT if status == HTTPStatus.BAD_REQUEST else ErrorCode.FORBIDDEN
    fault = Fault(code, f"the request is turned away: {why}", fix="call the address in run/services.json")
    return Refusal(fault, status)
