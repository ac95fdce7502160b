"""The shared assembly: tool definitions in, one MCP server out.

Every server of ours is built here, so that faults, unknown arguments, result schemas,
rates and the audit log behave alike. It never adds a tool of its own.
"""

from __future__ import annotations

import functools
import importlib.metadata
import inspect
import json
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import anyio.to_thread
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.context import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, InputRequiredResult, TextContent, ToolAnnotations
from mcp.types import Tool as ListedTool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from home.callers import CallerSettings
from tool_servers.access import Scope, scope_for
from tool_servers.admission import Access, authentication, furnished, transport_security
from tool_servers.audit import Audit
from tool_servers.failures import failed, fault_of, unknown_arguments
from tool_servers.permits import Permits, tools_of_callers
from tool_servers.rates import Rate, RateLimiter, rate_within
from tool_servers.toolspec import ToolDefinition, checked
from tool_servers.waiting_room import WaitingRoom
from tool_servers.watch import ARGUMENT, LONGEST_CALL_S, watch_of
from when_to_invest.values import Value

DISTRIBUTION: Final = "when-to-invest"
_ANY_OBJECT: Final = {"type": "object", "additionalProperties": True}
_NOISE: Final = frozenset({"title", "description"})
"""Keys that pydantic writes into result schemas and no reader of them needs."""


@dataclass(frozen=True, slots=True)
class ServerCard:
    """What a server says of itself."""

    name: str
    instructions: str
    version: str = field(default_factory=lambda: importlib.metadata.version(DISTRIBUTION))


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which conditions a server answers."""

    access: Access | None = None
    rate: Rate = field(default_factory=Rate)
    longest_call_s: float = LONGEST_CALL_S
    """How long watched work may take."""
    callers: Mapping[str, CallerSettings] = field(default_factory=dict)
    """What settings take away from single callers."""
    room: WaitingRoom = field(default_factory=WaitingRoom)
    """How many calls may be inside at once, over all callers."""


class ToolServer(MCPServer[Any]):
    """The SDK's server, except that every failure of a call is our error object.

    `has_long_calls`: whether it offers work that tells its progress.
    """

    has_long_calls: bool = False
    access: Access | None = None
    permits: Permits = Permits()
    limiter: RateLimiter

    def streamable_http_app(self, **options: Any) -> Starlette:
        """Return the HTTP application behind its doors; `options` are the SDK's."""
        if self.access is None:
            return super().streamable_http_app(**options)
        app = super().streamable_http_app(transport_security=transport_security(self.access), **options)
        return furnished(app, access=self.access, permits=self.permits, limiter=self.limiter)

    async def list_tools(self) -> list[ListedTool]:
        """Return the tools that the caller may call."""
        return [tool for tool in await super().list_tools() if self.permits.allows(tool.name)]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool; a failure is a result with `is_error` set, never an exception."""
        try:
            self._refuse_unpermitted(name)
            self._refuse_unknown_arguments(name, set(arguments))
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            return failed(fault_of(error, tool=name))

    def _refuse_unpermitted(self, name: str) -> None:
        fault = self.permits.objection(name)
        if fault is not None:
            raise ToolError(name) from fault

    def _refuse_unknown_arguments(self, name: str, given: set[str]) -> None:
        tool = self._tool_manager.get_tool(name)
        unknown = given - set(tool.parameters.get("properties", {})) if tool else set()
        if unknown:
            raise ToolError(name) from unknown_arguments(unknown, tool=name)


def configure_logging() -> None:
    """Send plain warnings to stderr, before the SDK installs a handler of its own."""
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s", force=True
    )


def build_server(
    card: ServerCard, tools: Sequence[ToolDefinition], *, terms: Terms | None = None
) -> ToolServer:
    """Return the MCP server that offers `tools` under `terms`.

    Raises:
        ValueError: the tools break the rules of `toolspec.checked`.
    """
    terms = terms or Terms()
    offered = checked(tools)
    if not logging.getLogger().handlers:
        configure_logging()
    rates = {
        name: rate_within(terms.rate, per_minute=item.calls_per_minute)
        for name, item in terms.callers.items()
    }
    limiter = RateLimiter(terms.rate, by_caller=rates)
    server = ToolServer(
        card.name,
        version=card.version,
        instructions=card.instructions,
        tools=[_registered(tool, terms) for tool in offered],
        log_level="WARNING",
        middleware=[Audit(server=card.name, limiter=limiter, room=terms.room)],
        **authentication(terms.access),
    )
    server.access = terms.access
    server.permits = _permits(card, offered, terms)
    server.limiter = _request_limiter(terms, rates)
    server.has_long_calls = any(tool.is_watched for tool in offered)
    server.custom_route("/healthz", methods=["GET"])(_healthy)
    return server


async def _healthy(request: Request) -> Response:
    """Say that this process answers; needs no token and tells nothing else."""
    del request
    return JSONResponse({"ok": True})


def _permits(card: ServerCard, offered: Sequence[ToolDefinition], terms: Terms) -> Permits:
    """Return who may call what; without HTTP there are no tokens, hence no scopes."""
    scopes = {} if terms.access is None else {tool.name: _scope(card, tool) for tool in offered}
    names = [tool.name for tool in offered]
    return Permits(scopes, tools_of_callers(terms.callers, server=card.name, offered=names))


def _scope(card: ServerCard, tool: ToolDefinition) -> Scope:
    return scope_for(card.name, is_read_only=tool.conduct.read_only)


def _request_limiter(terms: Terms, by_caller: Mapping[str, Rate]) -> RateLimiter:
    """Return the limiter of HTTP requests: one call may take several (connect, list, call, close).

    Roomier than the limiter of calls, so that a model that calls too often is told so by the
    tool, in words it can act on.
    """
    rates = {name: _tenfold(rate) for name, rate in by_caller.items()}
    return RateLimiter(_tenfold(terms.rate), by_caller=rates)


def _tenfold(rate: Rate) -> Rate:
    return Rate(per_minute=10 * rate.per_minute, burst=10 * rate.burst)


def _registered(tool: ToolDefinition, terms: Terms) -> Tool:
    registered = Tool.from_function(
        _watched(tool, terms) if tool.is_watched else _answering(tool),
        name=tool.name,
        description=tool.description,
        annotations=ToolAnnotations(
            read_only_hint=tool.conduct.read_only,
            destructive_hint=tool.conduct.destructive,
            idempotent_hint=tool.conduct.idempotent,
            open_world_hint=tool.conduct.open_world,
        ),
        structured_output=False,
    )
    registered.parameters = {**without(registered.parameters, {"title"}), "additionalProperties": False}
    # The value was validated when it was made; the schema is published, not applied again.
    registered.fn_metadata.output_schema = _result_schema(tool)
    return registered


def _answering(tool: ToolDefinition) -> Callable[..., Awaitable[CallToolResult]]:
    """Wrap the plain function: off the event loop, its value as structured content."""

    @functools.wraps(tool.function)
    async def answer(**arguments: Any) -> CallToolResult:
        value: Value
        if inspect.iscoroutinefunction(tool.function):
            value = await tool.function(**arguments)
        else:
            value = await anyio.to_thread.run_sync(functools.partial(tool.function, **arguments))
        return _told(tool, value)

    return answer


def _watched(tool: ToolDefinition, terms: Terms) -> Callable[..., Awaitable[CallToolResult]]:
    """Wrap long work: in a thread that tells how far it is, and ends with its caller or its time."""
    asked = inspect.signature(tool.function, eval_str=True)
    taken = [parameter for name, parameter in asked.parameters.items() if name != ARGUMENT]

    async def answer(*, context: Context[Any, Any], **arguments: Any) -> CallToolResult:
        watch = watch_of(context, longest_s=terms.longest_call_s)
        work = functools.partial(tool.function, **arguments, **{ARGUMENT: watch})
        try:
            return _told(tool, await anyio.to_thread.run_sync(work))
        finally:
            # A call may be torn away from its thread, which then has to notice by itself.
            watch.end()

    caller = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=Context[Any, Any])
    # The SDK reads both: what a caller may give, and where it puts the call's context.
    answer.__signature__ = inspect.Signature([*taken, caller])  # type: ignore[attr-defined] # read by `inspect`
    answer.__annotations__ = {"context": Context[Any, Any]} | {each.name: each.annotation for each in taken}
    return answer


def _told(tool: ToolDefinition, value: Value) -> CallToolResult:
    return CallToolResult(
        content=[TextContent(type="text", text=tool.summarise(value))],
        structured_content=json.loads(value.model_dump_json()),
    )


def _result_schema(tool: ToolDefinition) -> dict[str, Any]:
    if not tool.is_schema_published:
        return dict(_ANY_OBJECT)
    hints = inspect.signature(tool.function, eval_str=True)
    answer: type[Value] = hints.return_annotation
    return without(answer.model_json_schema(mode="serialization"), _NOISE)


def without(schema: dict[str, Any], noise: frozenset[str] | set[str]) -> dict[str, Any]:
    """Return `schema` without its annotation keys in `noise`, at every depth."""
    slim: dict[str, Any] = {}
    for key, item in schema.items():
        if key in noise and isinstance(item, str):
            continue
        if key in {"properties", "$defs"}:
            slim[key] = {name: without(part, noise) for name, part in item.items()}
        elif isinstance(item, dict):
            slim[key] = without(item, noise)
        elif isinstance(item, list):
            slim[key] = [without(part, noise) if isinstance(part, dict) else part for part in item]
        else:
            slim[key] = item
    return slim
