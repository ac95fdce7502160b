"""One line a call on stderr: who called what, how it ended, how long it took.

The lines never hold arguments or results, so no secret can enter the log through them.
The same middleware refuses callers that call too often, and calls that there is no room for.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any, TextIO

from mcp.server.context import HandlerResult, ServerRequestContext

from home.clock import WallClock
from tool_servers.access import caller_name
from tool_servers.failures import failed
from tool_servers.rates import RateLimiter
from tool_servers.untrusted import plain_text
from tool_servers.waiting_room import WaitingRoom
from when_to_invest.canonical import utc_text
from when_to_invest.errors import ErrorCode, Fault

CALL: str = "tools/call"
_Context = ServerRequestContext[Any, Any]
_Next = Callable[[_Context], Awaitable[HandlerResult]]


class Audit:
    """Middleware of every server: admission by rate and by room, then one log line a tool call."""

    def __init__(
        self, *, server: str, limiter: RateLimiter, room: WaitingRoom, stream: TextIO | None = None
    ) -> None:
        self._server = server
        self._limiter = limiter
        self._room = room
        self._stream = stream

    async def __call__(self, ctx: _Context, call_next: _Next) -> HandlerResult:
        """Pass everything but tool calls straight on."""
        if ctx.method != CALL:
            return await call_next(ctx)
        caller = caller_name()
        started_s = time.perf_counter()
        outcome = "failed"
        try:
            result = await self._admitted(ctx, call_next, caller=caller)
            outcome = outcome_of(result)
        finally:
            self._write(ctx, caller=caller, outcome=outcome, took_s=time.perf_counter() - started_s)
        return result

    async def _admitted(self, ctx: _Context, call_next: _Next, *, caller: str) -> HandlerResult:
        if self._limiter.admits(caller):
            return await self._housed(ctx, call_next, caller=caller)
        return failed(
            Fault(
                ErrorCode.RATE_LIMITED,
                f"{plain_text(caller, longest=40)} calls more often than "
                f"{self._limiter.rate_of(caller).per_minute:g} "
                "times a minute",
                fix="wait a few seconds and call less often",
            )
        )

    async def _housed(self, ctx: _Context, call_next: _Next, *, caller: str) -> HandlerResult:
        with ExitStack() as held:
            try:
                held.enter_context(self._room.place(caller))
            except Fault as fault:
                return failed(fault)
            return await call_next(ctx)

    def _write(self, ctx: _Context, *, caller: str, outcome: str, took_s: float) -> None:
        line = {
            "at": utc_text(WallClock().now()),
            "server": self._server,
            "caller": plain_text(caller, longest=40),
            "tool": plain_text(str((ctx.params or {}).get("name", "")), longest=60),
            "outcome": outcome,
            "took_ms": round(took_s * 1000, 2),
        }
        stream = self._stream or sys.stderr
        stream.write(json.dumps(line) + "\n")
        stream.flush()


def outcome_of(result: HandlerResult) -> str:
    """Return `ok`, or the error code a tool result carries."""
    if result is None:
        return "ok"
    told = result if isinstance(result, dict) else result.model_dump(by_alias=True)
    if not told.get("isError"):
        return "ok"
    error = (told.get("structuredContent") or {}).get("error") or {}
    return str(error.get("code", "failed"))
