"""A plain socket to a local exchange, for what no client of ccxt looks at."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp

from tests.exchange.server import Local


class Ear:
    """Sends JSON, and hears it with numbers as exact Decimals."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def say(self, message: object) -> None:
        await self._socket.send_json(message)

    async def hear(self, is_meant: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the next message that is meant; what comes before it is passed over."""
        while True:
            heard: dict[str, Any] = json.loads(await self._socket.receive_str(), parse_float=Decimal)
            if is_meant(heard):
                return heard


@asynccontextmanager
async def listening(local: Local, path: str) -> AsyncIterator[Ear]:
    """Open a socket at a path of the venue."""
    async with aiohttp.ClientSession() as session, session.ws_connect(local.url + path) as socket:
        yield Ear(socket)
