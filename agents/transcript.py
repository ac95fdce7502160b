"""The turn in progress, read from the messages: which calls were made and what came back.

Stage: plan to report (LLM shell, pure). A turn begins with a person's message, which
carries the typed request beside its text; nothing a model writes can change that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from pydantic import ValidationError

from agents.evidence import RECOMMENDATION_TOOL
from agents.proposals import PROPOSE_TOOL, ProposedOrder, proposed_order
from agents.request import Request
from agents.toolbox import error_of, fault_of, structured_of
from when_to_invest.canonical import canonical_bytes
from when_to_invest.decision.recommendation import Recommendation
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from langchain_core.messages import AnyMessage, HumanMessage, ToolMessage

_REQUEST: Final = "request"


def opening_message(request: Request) -> HumanMessage:
    """Return the message that begins a turn: the question, its bounds, the typed request."""
    from langchain_core.messages import HumanMessage

    budget = f"{request.budget_usd:f} USD" if request.budget_usd is not None else "not given"
    bounds = (
        f"instrument: {request.instrument}\nhorizon: {request.horizon_days} trading days\n"
        f"budget: {budget}\nas of: {request.as_of or 'now'}\n"
        f"may propose an order: {'yes' if request.can_act else 'no'}"
    )
    return HumanMessage(
        content=f"{request.question}\n\n<bounds>\n{bounds}\n</bounds>",
        additional_kwargs={_REQUEST: request.canonical().decode()},
    )


@dataclass(frozen=True, slots=True)
class Turn:
    """One question: its request, and the messages since it was asked."""

    request: Request
    messages: tuple[AnyMessage, ...]
    begins_at: int
    """How many messages of the thread came before."""

    @classmethod
    def latest(cls, messages: Sequence[AnyMessage]) -> Self:
        """Return the newest turn of a thread.

        Raises:
            Fault: `bad_argument` when no message carries a request.
        """
        for index in range(len(messages) - 1, -1, -1):
            told = messages[index].additional_kwargs.get(_REQUEST)
            if messages[index].type == "human" and isinstance(told, str):
                return cls(Request.model_validate_json(told), tuple(messages[index + 1 :]), index)
        raise Fault(ErrorCode.BAD_ARGUMENT, "the thread holds no question", fix="ask one first")

    @property
    def position(self) -> int:
        """Return where the next message stands in the thread: unique, and the same on replay."""
        return self.begins_at + len(self.messages) + 1

    def results(self, tool: str) -> list[ToolMessage]:
        """Return the results of one tool in this turn, oldest first, failed ones too."""
        return [message for message in self.messages if message.type == "tool" and message.name == tool]

    def structured(self, tool: str) -> list[dict[str, Any]]:
        """Return the structured content of one tool's successful results."""
        found = (structured_of(message) for message in self.results(tool))
        return [item for item in found if item is not None]

    def recommendation(self) -> Recommendation | None:
        """Return the analysis of the instrument asked about; none before it was fetched.

        Raises:
            Fault: `internal` when the market server sent something else.
        """
        for told in reversed(self.structured(RECOMMENDATION_TOOL)):
            try:
                answer = Recommendation.model_validate_json(canonical_bytes(told))
            except ValidationError as error:
                raise Fault(
                    ErrorCode.INTERNAL,
                    "the market server sent a recommendation that this agent cannot read",
                    fix="run the same version of both",
                ) from error
            if answer.instrument == self.request.instrument:
                return answer
        return None

    def recommendation_fault(self) -> Fault | None:
        """Return why there is no recommendation, when fetching it failed."""
        errors = [error for message in self.results(RECOMMENDATION_TOOL) if (error := error_of(message))]
        return fault_of(errors[-1]) if errors and self.recommendation() is None else None

    def orders(self) -> tuple[ProposedOrder, ...]:
        """Return what became of this turn's proposals."""
        return tuple(proposed_order(told) for told in self.structured(PROPOSE_TOOL))

    def has_proposed(self) -> bool:
        """Whether a proposal was made in this turn, whatever came of it."""
        return bool(self.results(PROPOSE_TOOL))


def conversation(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """Return a thread as a model should see it: of earlier turns only question and answer.

    Their tool results are stale, and would be paid for again in every turn.
    """
    begins_at = Turn.latest(messages).begins_at
    earlier = [
        message
        for message in messages[:begins_at]
        if message.type == "human" or (message.type == "ai" and not getattr(message, "tool_calls", None))
    ]
    return [*earlier, *messages[begins_at:]]
