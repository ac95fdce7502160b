"""A bridge for clients that speak stdio only: forwards tool calls to a running service.

It holds the caller's token and nothing else: no key, no journal, no queue. Every call
finds the service anew, so a restarted service is met at its new address.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import anyio
import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.types import (
    INTERNAL_ERROR,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
)

from tool_servers.failures import failed
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from home.paths import Home

TIMEOUT_S: Final = 60.0
_Context = ServerRequestContext[Any, Any]


@dataclass(frozen=True, slots=True)
class Bridge:
    """Forwards to one service of one home."""

    home: Home
    service: str

    async def list_tools(self, ctx: _Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        """Return the running service's tools."""
        del ctx, params
        try:
            async with self.client() as client:
                return await client.list_tools()
        except Fault as fault:
            raise MCPError(code=INTERNAL_ERROR, message=fault.message, data=fault.as_json()) from fault

    async def call_tool(self, ctx: _Context, params: CallToolRequestParams) -> CallToolResult:
        """Call the running service's tool; an unreachable service is an error result."""
        del ctx
        try:
            async with self.client() as client:
                return await client.call_tool(params.name, params.arguments or {})
        except Fault as fault:
            return failed(fault)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """Open a connection to the service.

        Raises:
            Fault: `service_unavailable` when it is not running or does not answer.
        """
        url, token = self._address(), self._token()
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with (
                httpx2.AsyncClient(headers=headers, timeout=TIMEOUT_S) as http,
                Client(streamable_http_client(url, http_client=http)) as client,
            ):
                yield client
        except* (MCPError, httpx2.HTTPError, OSError) as group:
            raise self._unavailable() from group

    def _address(self) -> str:
        try:
            services = json.loads((self.home.run / "services.json").read_text(encoding="utf-8"))
            return str(services[self.service]["url"])
        except (OSError, ValueError, KeyError, TypeError):
            raise self._unavailable() from None

    def _token(self) -> str:
        try:
            return (self.home.run / "agent.token").read_text(encoding="utf-8").strip()
        except OSError:
            raise self._unavailable() from None

    def _unavailable(self) -> Fault:
        return Fault(
            ErrorCode.SERVICE_UNAVAILABLE,
            f"the {self.service} service of this home does not answer",
            fix="start the services with `when-to-invest up`",
        )


def build(home: Home, service: str) -> Server[Any]:
    """Return the forwarding server."""
    bridge = Bridge(home, service)
    return Server(
        service,
        instructions=f"Bridge to the {service} service of this home.",
        on_list_tools=bridge.list_tools,
        on_call_tool=bridge.call_tool,
    )


def run(home: Home, service: str) -> int:
    """Bridge over stdio until the client goes away."""
    from tool_servers.assembly import configure_logging

    configure_logging()
    anyio.run(_serve, build(home, service))
    return 0


async def _serve(server: Server[Any]) -> None:
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options())
