"""What a question gets back: the vetted text, the analysis, and what became of proposals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.explanation import explain
from agents.proposals import ProposedOrder
from agents.request import ThreadId
from agents.transcript import Turn
from graphs.reporting import turn_usage
from graphs.state import Standing, ThreadState
from when_to_invest.decision.recommendation import Recommendation
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionState
from when_to_invest.values import DecisionId, Value

if TYPE_CHECKING:
    from langchain_core.messages import AnyMessage


class Usage(Value):
    """Tokens of the turn; `input_tokens` includes what was read from the cache."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int


class AgentAnswer(Value):
    """One answered question.

    `standing`: `clean`, `repaired` by the model, or `replaced` by the analysis's own words;
    `findings` says why. `degraded`: the language model did not answer and the embedded
    planner did. `evidence`: ids of the facts that the text cites.
    """

    thread_id: ThreadId
    text: str
    recommendation: Recommendation
    orders: tuple[ProposedOrder, ...]
    standing: Standing
    findings: tuple[str, ...]
    evidence: tuple[str, ...]
    degraded: bool
    model: str
    usage: Usage

    @property
    def decisions(self) -> tuple[DecisionId, ...]:
        """Return the ids of the decisions that the gate took on this turn's proposals."""
        return tuple(order.decision_id for order in self.orders)

    @property
    def held(self) -> tuple[DecisionId, ...]:
        """Return the decisions that wait for a person's approval."""
        return tuple(order.decision_id for order in self.orders if order.is_held)

    @property
    def is_refused(self) -> bool:
        """Whether the gate or the executor refused what was proposed."""
        ended = {DecisionState.REFUSED, DecisionState.REJECTED, DecisionState.DECLINED}
        return any(order.state in ended for order in self.orders)


def answer_of(thread_id: str, state: ThreadState) -> AgentAnswer:
    """Return the answer that a finished or paused thread holds.

    Raises:
        Fault: the one that ended the turn.
    """
    if (fault := state.get("fault")) is not None:
        raise Fault(ErrorCode(fault["code"]), fault["message"], fix=fault["fix"])
    turn = Turn.latest(state["messages"])
    answer = turn.recommendation()
    if answer is None:
        raise Fault(ErrorCode.INTERNAL, "the turn ended without a recommendation", fix="ask again")
    orders = turn.orders()
    degraded = state.get("degraded", "")
    report = state.get("report")
    text = report["text"] if report else explain(answer, budget_usd=turn.request.budget_usd, orders=orders)
    return AgentAnswer(
        thread_id=thread_id,
        text=_with_notes(text, degraded=degraded, orders=orders),
        recommendation=answer,
        orders=orders,
        standing=report["standing"] if report else "clean",
        findings=tuple(report["findings"]) if report else (),
        evidence=tuple(report["cited"]) if report else (),
        degraded=bool(degraded),
        model=state.get("model", ""),
        usage=_usage(turn.messages),
    )


def _usage(messages: tuple[AnyMessage, ...]) -> Usage:
    read, written, cached = turn_usage(messages)
    return Usage(input_tokens=read, output_tokens=written, cache_read_tokens=cached)


def _with_notes(text: str, *, degraded: str, orders: tuple[ProposedOrder, ...]) -> str:
    notes = [text]
    if any(order.is_held for order in orders):
        notes.append("A person must approve this proposal; ask again in the same thread to hear the outcome.")
    if degraded:
        notes.append(f"The language model did not answer ({degraded}); the embedded planner wrote this.")
    return "\n\n".join(notes)
