"""Tools as data over plain functions: what a server offers is a tuple anyone can read.

Shell of the proposing and reading servers. A definition holds no transport and no
protocol; `assembly` turns it into MCP. It must never describe a tool that places an
order or loosens a limit.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tool_servers.watch import ARGUMENT
from when_to_invest.values import Value

MOST_TOOLS: Final = 7
"""A server with more tools makes a model choose worse."""
MOST_ARGUMENTS: Final = 6


@dataclass(frozen=True, slots=True)
class Conduct:
    """What a call may do: hints for a client's permission dialog, never a control.

    `read_only`: changes nothing. `destructive`: may end something that exists.
    `idempotent`: the same call twice has the effect of one. `open_world`: reaches beyond
    this machine.
    """

    read_only: bool
    destructive: bool = False
    idempotent: bool = True
    open_world: bool = False


READS: Final = Conduct(read_only=True)


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """One tool: a typed function, what the model reads about it, and its conduct.

    `function` returns a `Value`; long work also takes `watch` and runs in a thread. `summarise`
    says the value in one short line. With
    `is_schema_published` unset the result is announced as an object only, which saves the
    model thousands of tokens on a value whose keys are documented elsewhere.
    """

    name: str
    function: Callable[..., Value]
    description: str
    conduct: Conduct
    summarise: Callable[[Any], str]
    is_schema_published: bool = True

    @property
    def arguments(self) -> tuple[str, ...]:
        """Return the names of the caller's arguments in order."""
        taken = inspect.signature(self.function).parameters
        return tuple(name for name in taken if name != ARGUMENT)

    @property
    def is_watched(self) -> bool:
        """Whether it is long work that tells its progress and may be ended."""
        return ARGUMENT in inspect.signature(self.function).parameters


def checked(tools: Sequence[ToolDefinition]) -> tuple[ToolDefinition, ...]:
    """Return the tools of one server after checking their number, names and arguments.

    Raises:
        ValueError: too many tools or arguments, or one name twice.
    """
    if len(tools) > MOST_TOOLS:
        raise ValueError(f"a server offers at most {MOST_TOOLS} tools, not {len(tools)}")
    names = [tool.name for tool in tools]
    if len(set(names)) != len(names):
        raise ValueError(f"two tools share a name in {names}")
    for tool in tools:
        if len(tool.arguments) > MOST_ARGUMENTS:
            raise ValueError(f"{tool.name} takes more than {MOST_ARGUMENTS} arguments")
    return tuple(tools)
