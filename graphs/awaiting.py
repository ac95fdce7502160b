"""The `await` stage: follow a proposal until it rests, is final, or a person must decide.

Only reads. A held proposal pauses the whole thread (an interrupt, kept in the checkpoint);
every resume reads its state again, in whatever process that happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import ToolCall
from langgraph.types import interrupt

from agents.proposals import PROPOSE_TOOL, STATUS_TOOL, ProposedOrder, proposed_order
from agents.toolbox import Toolbox, shown_as_data, structured_of
from agents.transcript import Turn
from graphs.state import ThreadState

if TYPE_CHECKING:
    from langchain_core.messages import ToolMessage

KEEP_WAITING: Final = "wait"
REPORT_NOW: Final = "report"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a proposal is followed: `most_reads` reads, `between_s` seconds apart."""

    most_reads: int = 10
    between_s: float = 0.5
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep


class AwaitStage:
    """Follows the proposals of the turn in progress."""

    def __init__(self, toolbox: Toolbox, patience: Patience) -> None:
        self._toolbox = toolbox
        self._patience = patience

    async def __call__(self, state: ThreadState) -> ThreadState:
        """Return the proposals' messages with their newest state."""
        turn = Turn.latest(state["messages"])
        made = [message for message in turn.results(PROPOSE_TOOL) if structured_of(message) is not None]
        followed = [await self._followed(message) for message in made]
        while held := [told for told in followed if proposed_order(told).is_held]:
            answer = interrupt({"kind": "held", "decisions": [told["decision_id"] for told in held]})
            if answer == REPORT_NOW:
                break
            followed = [await self._followed(message) for message in made]
        return {"messages": [_updated(message, told) for message, told in zip(made, followed, strict=True)]}

    async def _followed(self, message: ToolMessage) -> dict[str, Any]:
        """Read the state until it is settled or held, or patience ends."""
        told: dict[str, Any] = dict(structured_of(message) or {})
        order = proposed_order(told)
        for reads in range(self._patience.most_reads):
            if order.is_settled or (order.is_held and reads > 0):
                break
            if reads > 0:
                await self._patience.pause(self._patience.between_s)
            told = {**told, **await self._status(order)}
            order = proposed_order(told)
        return told

    async def _status(self, order: ProposedOrder) -> dict[str, Any]:
        call = ToolCall(
            name=STATUS_TOOL, args={"decision_id": order.decision_id}, id="status", type="tool_call"
        )
        return structured_of(await self._toolbox.call(call)) or {}


def _updated(message: ToolMessage, told: dict[str, Any]) -> ToolMessage:
    """Return the proposal's own message with its newest state; the same id replaces it."""
    shown = shown_as_data(PROPOSE_TOOL, "", told)
    return message.model_copy(update={"content": shown, "artifact": {"structured": told}})
