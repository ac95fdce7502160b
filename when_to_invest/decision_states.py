"""Where a decision stands, by the order that moved last and by how its plan ended."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Final

from when_to_invest.enums import at_hand
from when_to_invest.execution import Ending
from when_to_invest.orders import OrderState


@at_hand
@unique
class DecisionState(StrEnum):
    """Where a decision stands between proposal and last fill."""

    PROPOSED = "proposed"
    REFUSED = "refused"
    HELD = "held"
    DECLINED = "declined"
    SEALED = "sealed"
    QUEUED = "queued"
    RECEIVED = "received"
    REJECTED = "rejected"
    SENDING = "sending"
    WORKING = "working"
    PARTLY_FILLED = "partly_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    QUARANTINED = "quarantined"
    SETTLED = "settled"

    __hash__ = str.__hash__


STATE_OF_ORDER: Final = {
    OrderState.SEND_INTENDED: DecisionState.SENDING,
    OrderState.ACKNOWLEDGED: DecisionState.WORKING,
    OrderState.PARTLY_FILLED: DecisionState.PARTLY_FILLED,
    OrderState.FILLED: DecisionState.FILLED,
    OrderState.CANCELLED: DecisionState.CANCELLED,
    OrderState.EXPIRED: DecisionState.EXPIRED,
    OrderState.REJECTED: DecisionState.REJECTED,
    OrderState.UNKNOWN: DecisionState.UNKNOWN,
    OrderState.ABSENT: DecisionState.RECEIVED,
    OrderState.QUARANTINED: DecisionState.QUARANTINED,
    OrderState.SETTLED: DecisionState.SETTLED,
}
STATE_OF_ENDING: Final = {
    Ending.FILLED: DecisionState.FILLED,
    Ending.WINDOW_ENDED: DecisionState.EXPIRED,
    Ending.CANCELLED: DecisionState.CANCELLED,
    Ending.UNFILLED: DecisionState.CANCELLED,
    Ending.DECLINED: DecisionState.REJECTED,
    Ending.EXHAUSTED: DecisionState.EXPIRED,
    Ending.REFUSED: DecisionState.REJECTED,
}
"""How a decision stands after its plan; what traded of it is told apart."""
FINAL_STATES: Final = frozenset(
    {
        DecisionState.REFUSED,
        DecisionState.DECLINED,
        DecisionState.REJECTED,
        DecisionState.FILLED,
        DecisionState.CANCELLED,
        DecisionState.EXPIRED,
        DecisionState.SETTLED,
    }
)
"""States after which nothing more is expected to happen."""
