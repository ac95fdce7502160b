"""What became of a proposal, as the orders server tells it: verdict, state, reasons, fills.

Stage: propose and await (LLM shell, pure). Reads results; decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import Field, ValidationError

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import FINAL_STATES, DecisionState
from when_to_invest.values import DecisionId, Value
from when_to_invest.verdicts import Reason

PROPOSE_TOOL: Final = "orders__propose_order"
STATUS_TOOL: Final = "orders__get_order"
_STATE_OF_VERDICT: Final = {
    "approved": DecisionState.QUEUED,
    "held": DecisionState.HELD,
    "refused": DecisionState.REFUSED,
}
_FIGURES: Final = ("instrument", "side", "quantity", "limit_price_usd")


_RESTING: Final = frozenset({DecisionState.WORKING, DecisionState.PARTLY_FILLED, DecisionState.QUARANTINED})


class ProposedOrder(Value):
    """One proposal as it stands; amounts are exact text, none where not told."""

    decision_id: DecisionId
    state: DecisionState
    verdict: str
    reasons: tuple[Reason, ...] = ()
    instrument: str = ""
    side: str = ""
    quantity: str = ""
    limit_price_usd: str = ""
    filled_quantity: str = Field(default="0")

    @property
    def is_final(self) -> bool:
        """Whether nothing more is expected to happen."""
        return self.state in FINAL_STATES

    @property
    def is_settled(self) -> bool:
        """Whether waiting brings nothing: it ended, or it rests at the venue until the market moves."""
        return self.is_final or self.state in _RESTING

    @property
    def is_held(self) -> bool:
        """Whether a person must approve it first."""
        return self.state is DecisionState.HELD


def proposed_order(told: Mapping[str, Any]) -> ProposedOrder:
    """Read the result of `propose_order` or `get_order`.

    Raises:
        Fault: `internal` when the result names no decision or no known state.
    """
    verdict = str(told.get("verdict") or "")
    intent = told.get("intent") or {}
    try:
        state = DecisionState(told["state"]) if told.get("state") else _STATE_OF_VERDICT[verdict]
        return ProposedOrder(
            decision_id=told["decision_id"],
            state=state,
            verdict=verdict,
            reasons=tuple(_reason(item) for item in told.get("reasons") or ()),
            filled_quantity=str(told.get("filled_size") or "0"),
            **{name: str(intent.get(name) or "") for name in _FIGURES},
        )
    except (KeyError, ValueError, ValidationError) as error:
        raise Fault(
            ErrorCode.INTERNAL,
            "the orders server answered in a shape this agent cannot read",
            fix="run the same version of both",
        ) from error


def _reason(told: Mapping[str, Any]) -> Reason:
    return Reason(**{name: str(told.get(name) or "") for name in Reason.model_fields})
