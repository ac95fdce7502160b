"""Calls a server in memory, as either generation of the protocol does."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from mcp import Client
from mcp.server.mcpserver import MCPServer
from mcp.types import CallToolResult, Tool

MODES = ("auto", "legacy")


def call(
    server: MCPServer[Any], name: str, arguments: dict[str, Any] | None = None, *, mode: str
) -> CallToolResult:
    async def once() -> CallToolResult:
        async with Client(server, mode=mode) as client:
            return await client.call_tool(name, arguments or {})

    return asyncio.run(once())


def answer_of(result: CallToolResult) -> dict[str, Any]:
    """Return the structured answer of a call that succeeded."""
    assert not result.is_error, result.content
    assert result.structured_content is not None
    (block,) = result.content
    assert block.type == "text"
    assert 0 < len(block.text) < 1000
    return result.structured_content


def error_of(result: CallToolResult) -> dict[str, Any]:
    """Return the error object, which stands in the text and in the structured content."""
    assert result.is_error
    (block,) = result.content
    assert block.type == "text"
    assert result.structured_content == json.loads(block.text)
    error: dict[str, Any] = result.structured_content["error"]
    assert set(error) == {"code", "message", "fix", "retryable"}
    return error


def tools_of(server: MCPServer[Any]) -> list[Tool]:
    async def listed() -> list[Tool]:
        async with Client(server) as client:
            return (await client.list_tools()).tools

    return asyncio.run(listed())
