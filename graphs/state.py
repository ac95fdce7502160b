"""What a thread remembers between its stages: plain data, so that any process can resume it.

Messages carry the tool results; everything else that matters is derived from them.
Nothing here is a secret, and nothing is a type that a checkpoint would have to revive.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from langchain_core.messages import AnyMessage, ToolCall
from langgraph.graph.message import add_messages

Standing = Literal["clean", "repaired", "replaced"]


class FaultNote(TypedDict):
    """An error object that ended the turn."""

    code: str
    message: str
    fix: str


class Report(TypedDict):
    """What the report stage settled on.

    `standing`: `clean`, `repaired` by the model, or `replaced` by the analysis's own words.
    `findings`: what the guard objected to in the first version. `cited`: evidence ids.
    """

    text: str
    standing: Standing
    findings: list[str]
    cited: list[str]


class ThreadState(TypedDict, total=False):
    """The channels of the graph. A new question resets all but the messages."""

    messages: Annotated[list[AnyMessage], add_messages]
    steps: int
    """How often the model was asked in this turn."""
    degraded: str
    """Why the embedded planner took over; empty while it did not."""
    model: str
    fault: FaultNote | None
    report: Report | None


class ToolTask(TypedDict):
    """What one fanned-out task is handed: a call, and why it must not be made (or "")."""

    call: ToolCall
    objection: str


def new_turn(opening: AnyMessage) -> ThreadState:
    """Return the input that begins a turn."""
    return ThreadState(messages=[opening], steps=0, degraded="", model="", fault=None, report=None)
