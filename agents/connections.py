"""One connection a service, owned by one task from opening to closing.

Stage: gather and propose (LLM shell). Holds a caller's token and sends it nowhere but to
its service; what keeps a line from opening becomes a fault that names the service.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    import httpx2
    from mcp import Client, StdioServerParameters
    from mcp.server.mcpserver import MCPServer

CALL_TIMEOUT_S: Final = 60.0
CONNECT_TIMEOUT_S: Final = 15.0
_UNAUTHORISED_STATUS: Final = 401


@dataclass(frozen=True, slots=True)
class Remote:
    """A running service: its MCP address and the caller's bearer token."""

    url: str
    token: str = field(repr=False)


if TYPE_CHECKING:
    Target = Remote | MCPServer[Any] | StdioServerParameters
    """Where a service is: over HTTP, in this process (tests), or a program on stdio."""


@dataclass(slots=True)
class Line:
    """One service's connection: who owns it, when it is open, and why it is not."""

    service: str
    target: Target
    opened: asyncio.Future[Client]
    closing: asyncio.Event
    statuses: list[int] = field(default_factory=list)

    async def own(self) -> None:
        """Open and close the client in one task, as its cancel scopes demand."""
        import httpx2
        from mcp import MCPError

        try:
            async with AsyncExitStack() as stack:
                client = await self._enter(stack)
                self.opened.set_result(client)
                await self.closing.wait()
        except (ExceptionGroup, MCPError, httpx2.HTTPError, OSError) as error:
            # Once open, every call reports the broken line for itself.
            if not self.opened.done():
                self.opened.set_exception(self._fault(error))
        finally:
            self.opened.cancel()

    async def _enter(self, stack: AsyncExitStack) -> Client:
        import httpx2
        from mcp import Client
        from mcp.client.streamable_http import streamable_http_client

        if not isinstance(self.target, Remote):
            return await stack.enter_async_context(Client(self.target))
        http = await stack.enter_async_context(
            httpx2.AsyncClient(
                headers={"Authorization": f"Bearer {self.target.token}"},
                timeout=httpx2.Timeout(CALL_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
                trust_env=False,
                event_hooks={"response": [self._note_status]},
            )
        )
        transport = streamable_http_client(self.target.url, http_client=http)
        return await stack.enter_async_context(Client(transport))

    async def _note_status(self, response: httpx2.Response) -> None:
        self.statuses.append(response.status_code)

    def _fault(self, error: BaseException) -> Fault:
        if _UNAUTHORISED_STATUS in self.statuses:
            return Fault(
                ErrorCode.UNAUTHENTICATED,
                f"the {self.service} server does not know this caller's token",
                fix="start the services again with `when-to-invest up`",
            )
        return Fault(
            ErrorCode.SERVICE_UNAVAILABLE,
            f"the {self.service} server does not answer ({type(_innermost(error)).__name__})",
            fix="start the services with `when-to-invest up`",
        )


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
