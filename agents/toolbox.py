"""MCP clients as LangChain tools: one open connection a service, shared by a whole run.

Stage: gather and propose (LLM shell). A tool that fails becomes a tool message with the
error object; it never ends a run. This module starts no service that holds a secret.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agents.connections import CALL_TIMEOUT_S, Line
from when_to_invest.canonical import canonical_bytes
from when_to_invest.errors import ERROR_KINDS, ErrorCode, Fault

if TYPE_CHECKING:
    from langchain_core.messages import ToolCall, ToolMessage
    from langchain_core.tools import BaseTool
    from mcp import Client
    from mcp.types import CallToolResult, Tool

    from agents.connections import Target


SEPARATOR: Final = "__"


def error_object(code: str, message: str, *, fix: str) -> dict[str, Any]:
    """Return the error object of a failed call, as every surface of the system writes it."""
    known = ErrorCode(code) if code in set(ErrorCode) else ErrorCode.INTERNAL
    retryable = ERROR_KINDS[known].is_retryable
    return {"code": known.value, "message": message, "fix": fix, "retryable": retryable}


def fault_of(error: Mapping[str, Any]) -> Fault:
    """Turn an error object back into the fault that it came from."""
    code = str(error.get("code", ""))
    known = ErrorCode(code) if code in set(ErrorCode) else ErrorCode.INTERNAL
    return Fault(known, str(error.get("message", "")), fix=str(error.get("fix", "")))


def structured_of(message: ToolMessage) -> dict[str, Any] | None:
    """Return a tool message's structured content, or none when the call failed."""
    artifact = message.artifact
    return artifact.get("structured") if isinstance(artifact, dict) else None


def error_of(message: ToolMessage) -> dict[str, Any] | None:
    """Return a tool message's error object, or none when the call succeeded."""
    artifact = message.artifact
    return artifact.get("error") if isinstance(artifact, dict) else None


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools of all open services, by their full name `service__tool`."""

    tools: Mapping[str, BaseTool]

    def reads(self, name: str) -> bool:
        """Whether there is such a tool and its server says that it only reads."""
        tool = self.tools.get(name)
        return tool is not None and bool((tool.metadata or {}).get("is_read_only"))

    async def call(self, call: ToolCall) -> ToolMessage:
        """Run one tool call; whatever goes wrong comes back as an error message."""
        from langchain_core.messages import ToolMessage

        tool = self.tools.get(call["name"])
        if tool is None:
            return refusal(call, f"there is no tool {call['name']!r}", fix=f"use one of {sorted(self.tools)}")
        message = await tool.ainvoke({**call, "type": "tool_call"})
        if not isinstance(message, ToolMessage):
            return refusal(call, f"{call['name']} gave no message", fix="this is a defect of the tool")
        return message.model_copy(update={"status": "error"}) if error_of(message) else message


def refusal(call: ToolCall, message: str, *, fix: str) -> ToolMessage:
    """Answer a call that is not made at all with an error object."""
    from langchain_core.messages import ToolMessage

    error = error_object(ErrorCode.BAD_ARGUMENT, message, fix=fix)
    return ToolMessage(
        content=shown_as_data(call["name"], "", {"error": error}),
        artifact={"error": error},
        tool_call_id=call["id"] or "",
        name=call["name"],
        status="error",
    )


_UNSHOWN: Final = frozenset({"snapshot", "source", "code_version", "facts_hash", "limits_hash", "seed"})
"""Provenance that a model cannot use; it stays in the artifact, and costs no tokens."""


def _slim(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _slim(item) for key, item in value.items() if key not in _UNSHOWN}
    return [_slim(item) for item in value] if isinstance(value, list) else value


def shown_as_data(tool: str, text: str, structured: Mapping[str, Any] | None) -> str:
    """Write a result for the model: short text, then the data, marked as data."""
    body = [text] if text else []
    if structured is not None:
        body.append(canonical_bytes(_slim(structured)).decode())
    joined = "\n".join(body).replace("</tool_data>", "")
    return f'<tool_data source="{tool}">\n{joined}\n</tool_data>'


def _text_of(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if block.type == "text")


def _error_in(result: CallToolResult) -> dict[str, Any]:
    """Find the error object of a failed result: structured, as JSON text, or as plain text."""
    text = _text_of(result)
    found: object = (result.structured_content or {}).get("error")
    if found is None:
        try:
            parsed = json.loads(text)
            found = parsed.get("error", parsed) if isinstance(parsed, dict) else None
        except ValueError:
            found = None
    if not isinstance(found, dict):
        return error_object(ErrorCode.BAD_ARGUMENT, text or "the tool failed", fix="correct the arguments")
    return error_object(
        str(found.get("code", "")), str(found.get("message", text)), fix=str(found.get("fix", ""))
    )


async def _call_service(client: Client, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call one tool and return the artifact: `structured` and `text`, or `error`."""
    import httpx2
    from mcp import MCPError

    try:
        result = await client.call_tool(name, arguments, read_timeout_seconds=CALL_TIMEOUT_S)
    except (MCPError, httpx2.HTTPError, ConnectionError, RuntimeError) as error:
        why = getattr(error, "message", "") or type(error).__name__
        return {"error": error_object(ErrorCode.SERVICE_UNAVAILABLE, f"{name}: {why}", fix="see `ps`")}
    if result.is_error:
        return {"error": _error_in(result)}
    text = _text_of(result)
    structured = result.structured_content
    if structured is not None and text.lstrip().startswith("{"):
        text = ""
    return {"structured": structured, "text": text}


def _as_tool(client: Client, service: str, tool: Tool) -> BaseTool:
    from langchain_core.tools import StructuredTool

    full_name = f"{service}{SEPARATOR}{tool.name}"

    async def run(**arguments: object) -> tuple[str, dict[str, Any]]:
        artifact = await _call_service(client, tool.name, arguments)
        text = artifact.pop("text", "")
        shown = {"error": artifact["error"]} if "error" in artifact else artifact["structured"]
        return shown_as_data(full_name, text, shown), artifact

    return StructuredTool(
        name=full_name,
        description=tool.description or "",
        args_schema=tool.input_schema,
        coroutine=run,
        response_format="content_and_artifact",
        metadata={
            "service": service,
            "is_read_only": bool(tool.annotations and tool.annotations.read_only_hint),
        },
    )


@asynccontextmanager
async def open_toolbox(targets: Mapping[str, Target]) -> AsyncIterator[Toolbox]:
    """Connect to all services at once and offer their tools as `service__tool`.

    Raises:
        Fault: `service_unavailable` or `unauthenticated`, naming the service.
    """
    loop, closing = asyncio.get_running_loop(), asyncio.Event()
    lines = [Line(name, target, loop.create_future(), closing) for name, target in targets.items()]
    owners = [asyncio.create_task(line.own(), name=f"mcp:{line.service}") for line in lines]
    try:
        clients = await asyncio.gather(*(line.opened for line in lines), return_exceptions=True)
        yield Toolbox(await _tools_of(lines, clients))
    finally:
        closing.set()
        await asyncio.gather(*owners)


async def _tools_of(lines: list[Line], clients: list[Client | BaseException]) -> dict[str, BaseTool]:
    """List every service's tools; the first line that did not open is the fault.

    Raises:
        Fault: see `open_toolbox`.
    """
    from mcp import MCPError

    tools: dict[str, BaseTool] = {}
    for line, client in zip(lines, clients, strict=True):
        if isinstance(client, BaseException):
            raise client
        try:
            listed = (await client.list_tools()).tools
        except MCPError as error:
            raise Fault(
                ErrorCode.SERVICE_UNAVAILABLE,
                f"the {line.service} server does not list its tools",
                fix="start the services with `when-to-invest up`",
            ) from error
        for tool in listed:
            bridged = _as_tool(client, line.service, tool)
            tools[bridged.name] = bridged
    return tools
