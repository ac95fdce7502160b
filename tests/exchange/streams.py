"""Sockets that listen: who follows which topic, in order, with the mishaps of streams."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable

from aiohttp import WSMsgType, web

from tests.exchange.exact import exact_json
from tests.exchange.mishaps import Kind, Mishaps


class Listener:
    """One socket; what is sent leaves in the order it was sent, unless the line is dead."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        self.is_dead = False

    def send(self, message: object) -> None:
        """Queue a JSON message."""
        if not self.is_dead:
            self._queue.put_nowait(exact_json(message))

    def hang_up(self) -> None:
        self._queue.put_nowait(None)

    async def pump(self) -> None:
        """Write what is queued until the socket closes or is hung up."""
        while (text := await self._queue.get()) is not None and not self._socket.closed:
            if not self.is_dead:
                await self._socket.send_str(text)
        if self._socket._req is not None and self._socket._req.transport is not None:
            self._socket._req.transport.abort()

    async def pong(self, data: bytes) -> None:
        if not self.is_dead:
            await self._socket.pong(data)


class Hub:
    """Topics and their listeners."""

    def __init__(self, mishaps: Mishaps) -> None:
        self._mishaps = mishaps
        self._followers: defaultdict[str, dict[Listener, None]] = defaultdict(dict)
        self._kept: dict[str, object] = {}
        self._first: dict[str, asyncio.Event] = {}
        self._sockets: set[web.WebSocketResponse] = set()

    def follow(self, listener: Listener, topic: str) -> None:
        self._followers[topic][listener] = None
        self._event(topic).set()

    async def followed(self, topic: str) -> None:
        """Return as soon as somebody has ever followed a topic."""
        await self._event(topic).wait()

    def _event(self, topic: str) -> asyncio.Event:
        return self._first.setdefault(topic, asyncio.Event())

    def leave(self, listener: Listener, topic: str) -> None:
        self._followers[topic].pop(listener, None)

    def has(self, topic: str) -> bool:
        return bool(self._followers.get(topic))

    def tell(self, topic: str, message: object) -> None:
        """Send a message to a topic's followers, unless something goes wrong on the way."""
        if not self.has(topic):
            return
        for text in self._after_mishaps(topic, message):
            for listener in list(self._followers[topic]):
                listener.send(text)

    def _after_mishaps(self, topic: str, message: object) -> list[object]:
        mishap = self._mishaps.at(topic)
        kept = [self._kept.pop(topic)] if topic in self._kept else []
        match mishap.kind if mishap else None:
            case Kind.LOSE:
                return kept
            case Kind.DUPLICATE:
                return [message, message, *kept]
            case Kind.REORDER:
                self._kept[topic] = message
                return kept
            case Kind.HALF_OPEN:
                for listener in self._followers[topic]:
                    listener.is_dead = True
            case Kind.DISCONNECT:
                for listener in self._followers[topic]:
                    listener.hang_up()
                return []
        return [message, *kept]

    async def converse(self, request: web.Request, answer: Answer) -> web.WebSocketResponse:
        """Accept a socket and answer each of its messages until it closes."""
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        listener = Listener(socket)
        self._sockets.add(socket)
        pump = asyncio.create_task(listener.pump())
        try:
            async for message in socket:
                if message.type is WSMsgType.PING:
                    await listener.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    answer(listener, message.data)
        finally:
            self._sockets.discard(socket)
            for followers in self._followers.values():
                followers.pop(listener, None)
            pump.cancel()
        return socket

    async def close(self) -> None:
        """Close every socket."""
        for socket in list(self._sockets):
            await socket.close()


Answer = Callable[[Listener, str], None]
"""What a dialect does with a message that a client sends."""
