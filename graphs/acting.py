"""The `gather` and `propose` stages: one task a tool call, each made at most once.

Every proposal carries the thread and the call as its request id. A resumed task therefore
meets its own first proposal instead of making a second one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agents.toolbox import Toolbox, refusal
from graphs.state import ThreadState, ToolTask
from when_to_invest.canonical import digest

if TYPE_CHECKING:
    from langchain_core.messages import ToolMessage
    from langchain_core.runnables import RunnableConfig

LONGEST_REQUEST_ID: Final = 80


def request_id_of(thread_id: str, call_id: str) -> str:
    """Return the idempotency key of a proposal: thread and call, hashed when too long."""
    joined = f"{thread_id}:{call_id}"
    return joined if len(joined) <= LONGEST_REQUEST_ID else f"h:{digest(joined)}"


class GatherStage:
    """Makes one reading call."""

    def __init__(self, toolbox: Toolbox) -> None:
        self._toolbox = toolbox

    async def __call__(self, state: ToolTask) -> ThreadState:
        """Return the call's result as a message; a failure is a message too."""
        return {"messages": [await _made(self._toolbox, state)]}


class ProposeStage:
    """Makes one proposal, or says why it is not made."""

    def __init__(self, toolbox: Toolbox) -> None:
        self._toolbox = toolbox

    async def __call__(self, state: ToolTask, config: RunnableConfig) -> ThreadState:
        """Return the gate's answer as a message."""
        call = state["call"]
        thread_id = str(config["configurable"]["thread_id"])
        arguments = {**call["args"], "request_id": request_id_of(thread_id, call["id"] or "")}
        keyed = ToolTask(call={**call, "args": arguments}, objection=state["objection"])
        return {"messages": [await _made(self._toolbox, keyed)]}


async def _made(toolbox: Toolbox, task: ToolTask) -> ToolMessage:
    """Make the call, unless there is an objection; the message's id follows from the call's."""
    call = task["call"]
    if task["objection"]:
        message = refusal(call, task["objection"], fix="answer with what is known")
    else:
        message = await toolbox.call(call)
    return message.model_copy(update={"id": f"t-{call['id']}"})
