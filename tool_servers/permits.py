"""Who may call which tool: what the token opens, less what settings take away.

Checked where the tool is called, whichever way the call came in. It must never add a tool
to what a token opens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from home.callers import CallerSettings
from tool_servers.access import Scope, caller_name, held_scopes
from when_to_invest.errors import ErrorCode, Fault


@dataclass(frozen=True, slots=True)
class Permits:
    """The permits of one server."""

    scope_of_tool: Mapping[str, Scope] = field(default_factory=dict)
    tools_of_caller: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Callers whose tools settings list; for all others every tool that their token opens."""

    def objection(self, tool: str) -> Fault | None:
        """Return why the caller of the call in progress may not call `tool`; none when it may."""
        held, needed = held_scopes(), self.scope_of_tool.get(tool)
        if held is not None and needed is not None and needed not in held:
            return Fault(
                ErrorCode.FORBIDDEN,
                f"the token lacks the scope {needed.value}",
                fix=f"ask for a token with the scope {needed.value}",
            )
        name = caller_name()
        listed = self.tools_of_caller.get(name)
        if listed is not None and tool not in listed:
            return Fault(
                ErrorCode.FORBIDDEN,
                f"settings do not let {name} call this tool",
                fix=f"use a tool that tools/list shows, or have it added to callers.{name}.tools",
            )
        return None

    def allows(self, tool: str) -> bool:
        """Return whether the caller of the call in progress may call `tool`."""
        return self.objection(tool) is None


def tools_of_callers(
    callers: Mapping[str, CallerSettings], *, server: str, offered: Iterable[str]
) -> dict[str, frozenset[str]]:
    """Return the tools of `server` that each restricted caller may call.

    Raises:
        Fault: `bad_config` when settings name a tool of this server that it does not have.
    """
    known = {f"{server}.{name}" for name in offered}
    found: dict[str, frozenset[str]] = {}
    for name, settings in callers.items():
        if settings.tools is None:
            continue
        own = {tool for tool in settings.tools if tool.startswith(f"{server}.")}
        if unknown := own - known:
            raise Fault(
                ErrorCode.BAD_CONFIG,
                f"callers.{name}.tools names {min(unknown)}, which does not exist",
                fix=f"use some of: {', '.join(sorted(known))}",
            )
        found[name] = frozenset(tool.removeprefix(f"{server}.") for tool in own)
    return found
