"""A server of ours behind a real socket, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tool_servers.assembly import ToolServer
from tool_servers.serving import Address, _web_config, listen, url_of


@contextmanager
def opened(build: Callable[[str], ToolServer], **changes: Any) -> Iterator[str]:
    """Serve what `build` makes of its own address; give that address."""
    listener = listen(Address("127.0.0.1", 0))
    url = url_of(listener)
    config = _web_config(build(url))
    for name, value in changes.items():
        setattr(config, name, value)
    web = uvicorn.Server(config)
    serving = threading.Thread(target=lambda: asyncio.run(web.serve(sockets=[listener])), daemon=True)
    serving.start()
    try:
        yield url
    finally:
        web.should_exit = True
        serving.join(10)
        listener.close()


def with_client(url: str, token: str, work: Callable[[Client], Any], *, mode: str = "auto") -> Any:
    """Run `work` with a real MCP client that sends `token`."""

    async def once() -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=20) as http,
            Client(streamable_http_client(url, http_client=http), mode=mode) as client,
        ):
            return await work(client)

    return asyncio.run(once())


def call_tool(url: str, token: str, name: str, *, mode: str = "auto", **arguments: Any) -> Any:
    """Call one tool with a real MCP client."""
    return with_client(url, token, lambda client: client.call_tool(name, arguments), mode=mode)


def knock(url: str, token: str | None, body: Any = None, **headers: str) -> httpx2.Response:
    """Send one raw JSON-RPC request."""
    bearer = {} if token is None else {"authorization": f"Bearer {token}"}
    accept = {"accept": "application/json, text/event-stream"}
    sent = body or {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    return httpx2.post(url, json=sent, headers=accept | bearer | headers, timeout=20)
