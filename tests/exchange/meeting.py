"""A test's way to a local exchange: the venue, a ccxt client of it, both closed at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.exchange.server import Local, serving
from tests.exchange.unmodified import client
from tests.exchange.venues import Credentials, quote_both_sides

Test = Callable[[], None]
LONGEST_S = 10


@asynccontextmanager
async def meeting(
    dialect: str, *, credentials: Credentials | None = None, **config: Any
) -> AsyncIterator[tuple[Local, Any]]:
    """Serve a dialect with a quoted first pair, and yield it with a client that knows its markets."""
    async with serving(dialect, credentials=credentials) as local:
        quote_both_sides(local.exchange, next(iter(local.exchange.listings)))
        venue = client(local, **config)
        try:
            await venue.load_markets()
            yield local, venue
        finally:
            await venue.close()


def on_a_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Test:
    """Run an async test on a loop of its own, for at most ten seconds."""

    def run() -> None:
        asyncio.run(asyncio.wait_for(test(), LONGEST_S))

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


def refused(kind: str, text: str | None = None) -> Any:
    """Return the block that must end in ccxt's error of that name, and in words that match."""
    from ccxt.base import errors

    return pytest.raises(getattr(errors, kind), match=text)


async def watched(local: Local, topic: str, watch: Awaitable[Any], act: Callable[[], object]) -> Any:
    """Start to watch, act as soon as the venue knows, and return what was seen first."""
    seeing = asyncio.ensure_future(watch)
    await local.counter.hub.followed(topic)
    act()
    return await seeing
