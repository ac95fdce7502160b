"""What a tool call costs over each transport, and how long a fresh server takes to its first answer.

The peer is the MCP SDK's own server around the same function, without our audit log, rate
limits, error objects, and tokens. Clients are loaded before the clock starts; processes are not.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Final, TextIO

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.mcpserver import MCPServer

from benchmarks.row import Figure, Row, against, within
from cli.service_process import ServiceProcess, ServiceSpec
from home.paths import Home
from home.settings import Settings
from tool_servers.access import Callers, token_hash
from tool_servers.assembly import ServerCard, Terms, build_server
from tool_servers.market.answers import Instruments
from tool_servers.market.desk import analyst_of
from tool_servers.market.tools import market_tools
from tool_servers.rates import Rate
from tool_servers.serving import LaunchSecrets

TOOL: Final = "list_instruments"
Question = tuple[str, dict[str, Any]]
FIRST_QUESTION: Final[Question] = ("get_snapshot", {"instrument": "SPX"})
WARM: Final[Question] = ("get_recommendation", {"instrument": "SPX"})
"""Answered when our server has imported everything: no call after it shares the processor."""
CALLS: Final = 100
SPAWNS: Final = 3
TOKEN: Final = "measured"  # noqa: S105 - opens a server that lives for a second
PEER: Final = "the SDK's own server"
LEAST_RATIO: Final = 0.4
FIRST_ANSWER_S: Final = 2.0
MILLISECONDS: Final = "ms"
_BARE: Final = """
import sys
from pathlib import Path
from mcp.server.mcpserver import MCPServer
from benchmarks.mcp_calls import bare_server
from home.paths import Home
server = bare_server(Home(Path(sys.argv[1])))
if len(sys.argv) > 2:
    server.run("streamable-http", port=int(sys.argv[2]), stateless_http=True, json_response=True)
else:
    server.run()
"""
Connect = Callable[[], contextlib.AbstractAsyncContextManager[Client]]


def bare_server(home: Home) -> MCPServer[Any]:
    """Return the SDK's server around the same function, as its documentation builds one."""
    analyst = analyst_of(home, Settings())
    server: MCPServer[Any] = MCPServer("bare", log_level="ERROR")

    @server.tool()
    def list_instruments() -> Instruments:
        return analyst.instruments()

    return server


def rows() -> list[Row]:
    """Return latencies in memory, over stdio and over HTTP, then the times to a first answer."""
    with tempfile.TemporaryDirectory() as made:
        home = Home(Path(made)).make()
        return [_in_memory(home), _over_stdio(home), _over_http(home), *_first_answers(home)]


def _compared(transport: str, ours: Connect, theirs: Connect, *, warm: Question) -> Row:
    ours_ms, theirs_ms = asyncio.run(_latencies_ms(ours, theirs, warm=warm))
    return against(
        f"a tool call {transport}, p50",
        Figure(ours_ms, MILLISECONDS),
        peer=PEER,
        peer_value=theirs_ms,
        least_ratio=LEAST_RATIO,
    )


def _in_memory(home: Home) -> Row:
    tools = market_tools(analyst_of(home, Settings()))
    # As served, but for the rate limit: a hundred calls in a row are this measurement's alone.
    ours = build_server(ServerCard("market", ""), tools, terms=Terms(rate=Rate(1e9, 10**9)))
    bare = bare_server(home)
    with _silence() as silence, contextlib.redirect_stderr(silence):
        return _compared("in memory", lambda: Client(ours), lambda: Client(bare), warm=(TOOL, {}))


def _over_stdio(home: Home) -> Row:
    return _compared("over stdio", _ours_stdio(home), _bare_stdio(home), warm=WARM)


def _over_http(home: Home) -> Row:
    with _our_service(home) as ours, _bare_service(home) as bare:
        return _compared("over HTTP", lambda: _http_client(ours), lambda: _http_client(bare), warm=WARM)


async def _latencies_ms(ours: Connect, theirs: Connect, *, warm: Question) -> tuple[float, float]:
    """Return both medians; the calls alternate, so that both meet the same machine."""
    spent: tuple[list[float], list[float]] = ([], [])
    async with ours() as our_client, theirs() as their_client:
        await our_client.call_tool(*warm)
        await their_client.call_tool(TOOL, {})
        for _ in range(CALLS):
            for client, durations in zip((our_client, their_client), spent, strict=True):
                started = time.perf_counter()
                await client.call_tool(TOOL, {})
                durations.append(time.perf_counter() - started)
    return statistics.median(spent[0]) * 1e3, statistics.median(spent[1]) * 1e3


def _first_answers(home: Home) -> Iterator[Row]:
    for transport, spawned in (("stdio", _spawned_over_stdio), ("HTTP", _spawned_over_http)):
        # The least of several: what other programs do to the machine is not ours.
        spent_s = min(spawned(home) for _ in range(SPAWNS))
        yield within(f"spawn to first answer over {transport}", Figure(spent_s, "s"), bound=FIRST_ANSWER_S)


def _spawned_over_stdio(home: Home) -> float:
    return asyncio.run(_answered_s(_ours_stdio(home), since_s=time.perf_counter()))


def _spawned_over_http(home: Home) -> float:
    started_s = time.perf_counter()
    with _our_service(home) as url:
        return asyncio.run(_answered_s(lambda: _http_client(url), since_s=started_s))


async def _answered_s(connect: Connect, *, since_s: float) -> float:
    """Return the seconds until the first answer; how long the goodbye takes does not count."""
    async with connect() as client:
        await client.call_tool(*FIRST_QUESTION)
        return time.perf_counter() - since_s


def _ours_stdio(home: Home) -> Connect:
    return lambda: _stdio_client("-m", "cli", "serve", "market", "--home", str(home.root))


def _bare_stdio(home: Home) -> Connect:
    return lambda: _stdio_client("-c", _BARE, str(home.root))


@contextlib.asynccontextmanager
async def _stdio_client(*arguments: str) -> AsyncIterator[Client]:
    program = StdioServerParameters(command=sys.executable, args=list(arguments))
    with _silence() as silence:
        async with Client(stdio_client(program, errlog=silence)) as client:
            yield client


def _silence() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


@contextlib.asynccontextmanager
async def _http_client(url: str) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        yield client


@contextlib.contextmanager
def _our_service(home: Home) -> Iterator[str]:
    secrets = LaunchSecrets(Callers({token_hash(TOKEN): "agent"}))
    process = ServiceProcess.start(ServiceSpec("market", 0, secrets), home)
    try:
        yield str(process.wait_ready().url)
    finally:
        process.end()


@contextlib.contextmanager
def _bare_service(home: Home) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", _BARE, str(home.root), str(port)], stderr=subprocess.DEVNULL
    )
    try:
        while process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait()
