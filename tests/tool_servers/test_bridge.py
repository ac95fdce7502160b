"""Without a service the bridge says so, in the words every surface uses."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from mcp import Client, MCPError

from home.paths import Home
from tests.tool_servers.calling import MODES, error_of
from tool_servers.bridge import build

NOBODY_LISTENS = "http://127.0.0.1:9/mcp"


@pytest.fixture(params=["nothing", "no token", "no listener", "damaged"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    made = Home(tmp_path)
    made.run.mkdir()
    services = {"orders": {"url": NOBODY_LISTENS, "pid": 1}}
    if request.param in {"no token", "no listener"}:
        (made.run / "services.json").write_text(json.dumps(services))
    if request.param == "no listener":
        (made.run / "agent.token").write_text("token\n")
    if request.param == "damaged":
        (made.run / "services.json").write_text("{")
    return made


@pytest.mark.parametrize("mode", MODES)
def test_a_call_without_a_service_is_an_error_object(home: Home, mode: str) -> None:
    async def once() -> dict[str, object]:
        async with Client(build(home, "orders"), mode=mode) as client:
            return error_of(await client.call_tool("get_portfolio", {}))

    error = asyncio.run(once())
    assert error["code"] == "service_unavailable"
    assert "when-to-invest up" in str(error["fix"])


def test_a_list_without_a_service_is_a_protocol_error_that_says_why(home: Home) -> None:
    async def once() -> None:
        async with Client(build(home, "orders")) as client:
            with pytest.raises(MCPError, match="does not answer"):
                await client.list_tools()

    asyncio.run(once())
