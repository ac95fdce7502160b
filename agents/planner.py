"""The embedded planner: a language model's place taken by a table, without key or network.

Stage: plan (LLM shell, pure). Looks at the turn so far and names the next tool calls, or
writes the answer from the recommendation alone. No clock, no randomness: the same
transcript gives the same message. Text in tool results is never read at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolCall
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

from agents.entry import Entry, entry_of
from agents.evidence import RECOMMENDATION_TOOL
from agents.explanation import explain
from agents.holdings import PORTFOLIO_TOOL, held_fraction_of
from agents.proposals import PROPOSE_TOOL
from agents.request import Request
from agents.transcript import Turn
from when_to_invest.money import decimal_text

NAME: Final = "embedded-planner"
READS: Final = (
    RECOMMENDATION_TOOL,
    "market__get_risk",
    "market__get_breakers",
    PORTFOLIO_TOOL,
    "orders__explain_limits",
)
"""What is looked at before anything is said: with a budget the account first, then the rest at once."""
_NOTHING: Final = "There is no recommendation to report: the market server gave none."


def arguments_of(request: Request, *, held_fraction: float | None = None) -> dict[str, Any]:
    """Return what a reading tool may be asked with: the request's bounds, and what is held if known."""
    arguments: dict[str, Any] = {"instrument": request.instrument, "horizon_days": request.horizon_days}
    if held_fraction is not None:
        arguments["held_fraction"] = held_fraction
    return {**arguments, "as_of": request.as_of} if request.as_of is not None else arguments


def proposal_arguments(entry: Entry) -> dict[str, Any]:
    """Return the arguments of a proposal; the graph adds the request id."""
    return {
        "instrument": entry.instrument,
        "side": entry.side.value,
        "notional_usd": decimal_text(entry.notional_usd),
        "recommendation_id": entry.recommendation_id,
    }


class EmbeddedPlanner(BaseChatModel):
    """A chat model that plans by rule; `offered` maps tool names to their parameter names."""

    offered: Mapping[str, frozenset[str]] = Field(default_factory=dict)

    @property
    def _llm_type(self) -> str:
        return NAME

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> EmbeddedPlanner:
        """Return a planner that may call `tools`, given as name and JSON schema."""
        offered = {tool["name"]: frozenset(tool["input_schema"].get("properties", {})) for tool in tools}
        return self.model_copy(update={"offered": offered})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - the base class's signature
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - the base class's signature
        **_: Any,
    ) -> ChatResult:
        turn = Turn.latest(messages)  # type: ignore[arg-type]
        message = self._next(turn)
        message.id = f"a{turn.position}"
        message.usage_metadata = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _next(self, turn: Turn) -> AIMessage:
        if calls := [*self._reads(turn), *self._proposal(turn)]:
            return AIMessage(content="", tool_calls=calls)
        answer = turn.recommendation()
        if answer is None:
            return AIMessage(content=_NOTHING)
        return AIMessage(content=explain(answer, budget_usd=turn.request.budget_usd, orders=turn.orders()))

    def _reads(self, turn: Turn) -> list[ToolCall]:
        missing = [name for name in READS if name in self.offered and not turn.results(name)]
        if PORTFOLIO_TOOL in missing and turn.request.budget_usd is not None:
            missing = [PORTFOLIO_TOOL]
        arguments = arguments_of(turn.request, held_fraction=held_fraction_of(turn))
        return [self._call(turn, name, arguments) for name in missing]

    def _proposal(self, turn: Turn) -> list[ToolCall]:
        answer = turn.recommendation()
        if answer is None or turn.has_proposed() or not turn.request.can_act:
            return []
        entry = entry_of(answer, budget_usd=turn.request.budget_usd)
        if entry is None or PROPOSE_TOOL not in self.offered:
            return []
        return [self._call(turn, PROPOSE_TOOL, proposal_arguments(entry))]

    def _call(self, turn: Turn, name: str, arguments: Mapping[str, Any]) -> ToolCall:
        """Return a call with the arguments the tool takes; its id is unique in the thread."""
        known = {key: value for key, value in arguments.items() if key in self.offered[name]}
        return ToolCall(
            name=name, args=known, id=f"e{turn.position}-{name.rpartition('__')[2]}", type="tool_call"
        )
