"""Over HTTP long calls tell their progress too, and end when their caller hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from mcp import Client

from tests.tool_servers.calling import MODES, answer_of
from tests.tool_servers.test_watch import Counter, server
from tool_servers.serving import Address, _web_config, listen, url_of


@asynccontextmanager
async def served(counter: Counter) -> AsyncIterator[str]:
    listener = listen(Address("127.0.0.1", 0))
    web = uvicorn.Server(_web_config(server(counter)))
    serving = asyncio.create_task(web.serve(sockets=[listener]))
    try:
        yield url_of(listener)
    finally:
        web.should_exit = True
        await serving


@pytest.mark.parametrize("mode", MODES)
def test_progress_arrives_before_the_answer(mode: str) -> None:
    told: list[tuple[float, float | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total))

    async def once() -> None:
        async with served(Counter()) as url, Client(url, mode=mode) as client:
            asked = await client.call_tool("count", {"limit": 5}, progress_callback=hear)
            assert answer_of(asked) == {"count": 5}
            assert told == [(0.0, 5.0)]

    asyncio.run(once())


def test_work_ends_when_its_caller_hangs_up() -> None:
    counter = Counter()

    async def leave() -> None:
        begun = asyncio.Event()

        async def hear(*told: Any) -> None:
            begun.set()

        async with served(counter) as url, Client(url) as client:
            asked = asyncio.create_task(client.call_tool("count", {"limit": 0}, progress_callback=hear))
            await asyncio.wait_for(begun.wait(), 20)
            asked.cancel()
            await asyncio.wait([asked])
            assert await asyncio.to_thread(counter.is_over.wait, 20)

    asyncio.run(leave())
