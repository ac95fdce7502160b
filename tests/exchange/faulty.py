"""Carries mishaps out on requests: the middleware between a socket and a dialect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from tests.exchange.counter import Counter
from tests.exchange.mishaps import Kind, Mishap

CONTROL = "/control"
LONGEST_WAIT_S = 2.0
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HTML = "<html><head><title>502</title></head><body>Bad gateway</body></html>"


class Faults:
    """Does to a request what the plan says."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._next_done: dict[str, asyncio.Event] = {}
        self.closing = asyncio.Event()

    def middleware(self) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
        @web.middleware
        async def stand_between(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith(CONTROL) or request.headers.get("Upgrade"):
                return await handler(request)
            place = f"{request.method} {request.path}"
            mishap = self._counter.mishaps.at(place)
            if mishap is None:
                reply = await handler(request)
            else:
                reply = await self._go_wrong(mishap, place, request, handler)
            if mishap is None or mishap.kind is not Kind.REORDER:
                self._done(place)
            return reply

        return stand_between

    async def _go_wrong(
        self, mishap: Mishap, place: str, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        match mishap.kind:
            case Kind.RATE_LIMITED | Kind.BANNED | Kind.UNAVAILABLE:
                return _refused_at_the_door(mishap)
            case Kind.HALF_OPEN:
                await self.closing.wait()
                return _cut(request)
            case Kind.REORDER:
                await self._wait_for_next(place)
            case Kind.DUPLICATE:
                await handler(request)
        before = self._newest()
        reply = await handler(request)
        return await self._after(mishap, reply, before, request)

    async def _after(
        self, mishap: Mishap, reply: web.StreamResponse, before: int, request: web.Request
    ) -> web.StreamResponse:
        """Spoil the reply to a request that was carried out."""
        match mishap.kind:
            case Kind.DROP_REPLY | Kind.DISCONNECT | Kind.LOSE:
                return _cut(request)
            case Kind.APPEAR_LATE:
                for order_id in range(before + 1, self._newest() + 1):
                    self._counter.desk.hide(order_id, reads=mishap.reads)
                return _cut(request)
            case Kind.SERVER_ERROR:
                return web.json_response({"code": -1000, "msg": "Internal error"}, status=mishap.status)
            case Kind.GARBAGE:
                return web.Response(text=HTML, content_type="text/html")
            case Kind.DELAY:
                await asyncio.sleep(mishap.seconds)
        return reply

    def _newest(self) -> int:
        return max(self._counter.exchange.orders, default=0)

    async def _wait_for_next(self, place: str) -> None:
        event = self._next_done.setdefault(place, asyncio.Event())
        try:
            await asyncio.wait_for(event.wait(), LONGEST_WAIT_S)
        except TimeoutError:
            self._next_done.pop(place, None)

    def _done(self, place: str) -> None:
        event = self._next_done.pop(place, None)
        if event is not None:
            event.set()


def _refused_at_the_door(mishap: Mishap) -> web.Response:
    status = {Kind.RATE_LIMITED: 429, Kind.BANNED: 418}.get(mishap.kind, mishap.status)
    headers = {} if mishap.kind is Kind.UNAVAILABLE else {"Retry-After": str(mishap.retry_after_s)}
    payload = {"code": -1003, "msg": "Too many requests."}
    return web.json_response(payload, status=status, headers=headers)


def _cut(request: web.Request) -> web.Response:
    """Close the connection under the reply."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
