"""The `plan` stage: ask the model for the next step, and hold it to the request's bounds.

A model chooses what else to look at and how to explain; that the analysis is fetched, for
the instrument, horizon and date asked about, and what may be proposed from it, is decided
here by rule.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from langchain_core.messages import AIMessage, ToolCall
from langgraph.graph import END
from langgraph.types import Send

from agents.entry import Entry, entry_of
from agents.evidence import RECOMMENDATION_TOOL
from agents.holdings import PORTFOLIO_TOOL, held_fraction_of
from agents.models import LanguageModel, ToolOffer
from agents.planner import arguments_of, proposal_arguments
from agents.proposals import PROPOSE_TOOL
from agents.toolbox import Toolbox
from agents.transcript import Turn
from graphs.state import ThreadState, ToolTask
from when_to_invest.errors import ErrorCode
from when_to_invest.money import exact_decimal

_KEPT_FROM_MODEL: Final = frozenset({"request_id"})
"""Arguments that the graph fills in itself."""
_MODEL_MAY_CHOOSE: Final = frozenset({"limit_price_usd"})


def offers_of(toolbox: Toolbox, *, can_act: bool) -> list[ToolOffer]:
    """Return the tools a model may call: all that only read, and proposing when allowed."""
    return [
        {"name": name, "description": tool.description, "input_schema": _schema_of(tool.args_schema)}
        for name, tool in sorted(toolbox.tools.items())
        if toolbox.reads(name) or (can_act and name == PROPOSE_TOOL)
    ]


def _schema_of(schema: Any) -> dict[str, Any]:
    properties = {k: v for k, v in schema.get("properties", {}).items() if k not in _KEPT_FROM_MODEL}
    required = [name for name in schema.get("required", ()) if name not in _KEPT_FROM_MODEL]
    return {**schema, "properties": properties, "required": required}


class PlanStage:
    """Asks one model, over one toolbox, at most `most_steps` times a turn."""

    def __init__(self, toolbox: Toolbox, model: LanguageModel, *, most_steps: int) -> None:
        self._toolbox = toolbox
        self._model = model
        self._most_steps = most_steps

    async def __call__(self, state: ThreadState) -> ThreadState:
        """Return the model's next message, with the calls it may make and those it must."""
        if state.get("fault"):
            return {}
        turn = Turn.latest(state["messages"])
        steps = state.get("steps", 0) + 1
        if steps > self._most_steps:
            return self._enough(turn, steps)
        offers = offers_of(self._toolbox, can_act=turn.request.can_act)
        reply = await self._model.respond(state["messages"], offers, degraded=state.get("degraded", ""))
        message = _within_bounds(reply.message, turn)
        return {"messages": [message], "steps": steps, "degraded": reply.degraded, "model": reply.model}

    def _enough(self, turn: Turn, steps: int) -> ThreadState:
        """Stop asking: report what is known, or why nothing is."""
        if turn.recommendation() is None:
            told = f"no recommendation after {self._most_steps} steps"
            return {
                "steps": steps,
                "fault": {"code": ErrorCode.INTERNAL.value, "message": told, "fix": "ask again"},
            }
        return {"messages": [AIMessage(content="", id=f"a{turn.position}")], "steps": steps}

    def route(self, state: ThreadState) -> list[Send] | str:
        """Fan every call out on its own, so that a resume repeats none; without calls, report."""
        if state.get("fault"):
            return END
        last = state["messages"][-1]
        calls = last.tool_calls if isinstance(last, AIMessage) else []
        if not calls:
            return "report"
        turn = Turn.latest(state["messages"][:-1])
        return [self._task(call, turn, is_first=_is_first(call, calls)) for call in calls]

    def _task(self, call: ToolCall, turn: Turn, *, is_first: bool) -> Send:
        if call["name"] != PROPOSE_TOOL:
            known = self._toolbox.reads(call["name"])
            objection = "" if known else f"{call['name']!r} is not among the tools on offer"
            return Send("gather", ToolTask(call=call, objection=objection))
        settled, objection = settled_proposal(call, turn, is_first=is_first)
        return Send("propose", ToolTask(call=settled, objection=objection))


def _is_first(call: ToolCall, calls: list[ToolCall]) -> bool:
    return next(item["id"] for item in calls if item["name"] == call["name"]) == call["id"]


def _within_bounds(message: AIMessage, turn: Turn) -> AIMessage:
    """Give the message a stable id, the bounds' arguments, and the analysis it must fetch."""
    asked = turn.request.instrument
    calls = [_bounded(call, turn) for call in message.tool_calls]
    fetches = [
        call["args"].get("instrument") == asked for call in calls if call["name"] == RECOMMENDATION_TOOL
    ]
    if turn.recommendation() is None and not any(fetches) and not _looks_at_holdings(calls, turn):
        calls.append(
            ToolCall(
                name=RECOMMENDATION_TOOL,
                args=_asked(turn),
                id=f"r{turn.position}-get_recommendation",
                type="tool_call",
            )
        )
    identity = message.id or f"a{turn.position}"
    return message.model_copy(update={"tool_calls": calls, "id": identity})


def _looks_at_holdings(calls: list[ToolCall], turn: Turn) -> bool:
    """Whether what is held is being looked up, so that the analysis can start from it next."""
    has_budget = turn.request.budget_usd is not None
    return has_budget and any(call["name"] == PORTFOLIO_TOOL for call in calls)


def _bounded(call: ToolCall, turn: Turn) -> ToolCall:
    """Hold a fetch of the instrument asked about to the horizon and date asked about."""
    if call["name"] != RECOMMENDATION_TOOL or call["args"].get("instrument") != turn.request.instrument:
        return call
    return {**call, "args": _asked(turn)}


def _asked(turn: Turn) -> dict[str, Any]:
    """Return the bounds' arguments, with what the account holds once that is known."""
    return arguments_of(turn.request, held_fraction=held_fraction_of(turn))


def settled_proposal(call: ToolCall, turn: Turn, *, is_first: bool) -> tuple[ToolCall, str]:
    """Return a proposal with the analysis's own figures, and the objection to making it.

    A smaller amount than the analysis calls for is a caller's right, a larger one is not.
    """
    answer = turn.recommendation()
    if not turn.request.can_act:
        return call, "nobody asked to act: the bounds allow no proposal"
    if answer is None:
        return call, "fetch the recommendation first"
    if turn.has_proposed() or not is_first:
        return call, "one proposal a question: report what became of it"
    entry = entry_of(answer, budget_usd=turn.request.budget_usd)
    if entry is None:
        return call, f"the action is {answer.action.value}: nothing is to be bought now"
    return _with_figures(call, entry)


def _with_figures(call: ToolCall, entry: Entry) -> tuple[ToolCall, str]:
    asked = call["args"]
    own = proposal_arguments(entry)
    if asked.get("instrument") != entry.instrument or asked.get("side") != own["side"]:
        return call, f"only {own['side']} {entry.instrument} follows from the recommendation"
    amount_usd = _amount(asked.get("notional_usd"))
    if amount_usd is None or not 0 < amount_usd <= entry.notional_usd:
        return call, f"notional_usd must be {own['notional_usd']}, which the recommendation calls for now"
    chosen = {key: value for key, value in asked.items() if key in _MODEL_MAY_CHOOSE}
    return {**call, "args": {**own, **chosen, "notional_usd": str(asked["notional_usd"])}}, ""


def _amount(given: object) -> Decimal | None:
    try:
        return exact_decimal(given)
    except ValueError:
        return None
