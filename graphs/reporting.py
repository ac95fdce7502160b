"""The `recommend` and `report` stages: settle the analysis, then vet the prose about it.

Prose that fails the guard is repaired once by the model, and else replaced by the
analysis's own words. The thread keeps only what was shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.messages.ai import add_usage
from langgraph.graph import END

from agents.evidence import Evidence, evidence_of
from agents.explanation import explain
from agents.guards import Standing, check
from agents.models import LanguageModel
from agents.planner import NAME
from agents.prompts import REPAIR
from agents.toolbox import Toolbox
from agents.transcript import Turn
from graphs.planning import offers_of
from graphs.state import Report, ThreadState
from graphs.state import Standing as Outcome

if TYPE_CHECKING:
    from langchain_core.messages import AnyMessage

    from when_to_invest.decision.recommendation import Recommendation

CLEAN: Final[Outcome] = "clean"
REPAIRED: Final[Outcome] = "repaired"
REPLACED: Final[Outcome] = "replaced"


def settle_recommendation(state: ThreadState) -> ThreadState:
    """Check that the analysis arrived; what kept it from arriving ends the turn."""
    fault = Turn.latest(state["messages"]).recommendation_fault()
    if fault is None:
        return {}
    return {"fault": {"code": fault.code.value, "message": fault.message, "fix": fault.fix}}


def after_recommendation(state: ThreadState) -> str:
    """Go on planning, unless there is nothing to plan with."""
    return END if state.get("fault") else "plan"


@dataclass(frozen=True, slots=True)
class _Draft:
    """A text with what the guard says of it, and the message it came in."""

    message: AIMessage
    text: str
    standing: Standing


class ReportStage:
    """Vets the last message of a turn."""

    def __init__(self, toolbox: Toolbox, model: LanguageModel) -> None:
        self._toolbox = toolbox
        self._model = model

    async def __call__(self, state: ThreadState) -> ThreadState:
        """Return the answer that may be shown, and the message that the thread keeps."""
        turn = Turn.latest(state["messages"])
        answer = turn.recommendation()
        evidence = evidence_of(turn.messages, request=turn.request, recommendation=answer)
        last = state["messages"][-1]
        first = await _checked(_as_message(last), evidence, answer)
        draft, outcome = first, CLEAN
        if not first.standing.passed:
            draft, outcome = await self._mended(state, first, evidence, answer), REPAIRED
        if not draft.standing.passed:
            draft, outcome = await _replaced(draft, turn, evidence, answer), REPLACED
        report = Report(
            text=draft.text,
            standing=outcome,
            findings=[finding.message for finding in first.standing.findings],
            cited=list(draft.standing.cited),
        )
        kept = AIMessage(content=draft.text, id=last.id, usage_metadata=draft.message.usage_metadata)
        return {"messages": [kept], "report": report}

    async def _mended(
        self, state: ThreadState, first: _Draft, evidence: Evidence, answer: Recommendation | None
    ) -> _Draft:
        """Ask the model once for a version without the flaws."""
        if state.get("model") in {"", NAME}:
            return first
        asked = [*state["messages"], _objections(first.standing)]
        can_act = Turn.latest(state["messages"]).request.can_act
        offers = offers_of(self._toolbox, can_act=can_act)
        reply = await self._model.respond(asked, offers, may_call=False, degraded=state.get("degraded", ""))
        usage = add_usage(first.message.usage_metadata, reply.message.usage_metadata)
        message = reply.message.model_copy(update={"usage_metadata": usage})
        return await _checked(message, evidence, answer)


async def _checked(message: AIMessage, evidence: Evidence, answer: Recommendation | None) -> _Draft:
    """Guard a text away from the event loop, which the guard would block."""
    standing = await asyncio.to_thread(check, message.text, evidence=evidence, recommendation=answer)
    return _Draft(message, message.text, standing)


async def _replaced(draft: _Draft, turn: Turn, evidence: Evidence, answer: Recommendation | None) -> _Draft:
    if answer is None:
        return draft
    text = explain(answer, budget_usd=turn.request.budget_usd, orders=turn.orders())
    checked = await _checked(AIMessage(content=text), evidence, answer)
    return _Draft(draft.message, text, checked.standing)


def _objections(standing: Standing) -> AnyMessage:
    findings = "\n".join(f"- {finding.message}" for finding in standing.findings)
    return HumanMessage(content=REPAIR.format(findings=findings))


def _as_message(last: AnyMessage) -> AIMessage:
    return last if isinstance(last, AIMessage) else AIMessage(content="")


def turn_usage(messages: Sequence[AnyMessage]) -> tuple[int, int, int]:
    """Return input, output and cache-read tokens of these messages."""
    used = [message.usage_metadata for message in messages if isinstance(message, AIMessage)]
    known = [usage for usage in used if usage]
    return (
        sum(usage["input_tokens"] for usage in known),
        sum(usage["output_tokens"] for usage in known),
        sum(usage.get("input_token_details", {}).get("cache_read", 0) for usage in known),
    )
