"""The life of one order at a venue, as a table. Illegal transitions raise, change nothing."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from when_to_invest.enums import at_hand
from when_to_invest.errors import ErrorCode, Fault


@at_hand
@unique
class OrderState(StrEnum):
    """Where an order stands. `UNKNOWN` counts as filled for every limit."""

    NEW = "new"
    SEND_INTENDED = "send_intended"
    ACKNOWLEDGED = "acknowledged"
    PARTLY_FILLED = "partly_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    ABSENT = "absent"
    QUARANTINED = "quarantined"
    SETTLED = "settled"

    __hash__ = str.__hash__  # a fold looks states up all the time, and an enum's own hash is slow


@at_hand
@unique
class OrderStep(StrEnum):
    """What can happen to an order, in the past tense."""

    SEND_INTENDED = "send_intended"
    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    LOST_SIGHT = "lost_sight"
    PROVEN_ABSENT = "proven_absent"
    QUARANTINED = "quarantined"
    PARTLY_FILLED = "partly_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SETTLED = "settled"

    __hash__ = str.__hash__


_S: Final = OrderState
_E: Final = OrderStep

_OUTCOMES: Final = {
    _E.PARTLY_FILLED: _S.PARTLY_FILLED,
    _E.FILLED: _S.FILLED,
    _E.CANCELLED: _S.CANCELLED,
    _E.EXPIRED: _S.EXPIRED,
}
# A fill can be reported after the cancel that raced it, and after we gave up looking.
_LATE_FILLS: Final = {_E.PARTLY_FILLED: _S.PARTLY_FILLED, _E.FILLED: _S.FILLED}
_BY_PEOPLE: Final = {_E.SETTLED: _S.SETTLED}

ORDER_LIFE: Final = MappingProxyType(
    {
        _S.NEW: {_E.SEND_INTENDED: _S.SEND_INTENDED},
        _S.SEND_INTENDED: {
            _E.ACKNOWLEDGED: _S.ACKNOWLEDGED,
            _E.REJECTED: _S.REJECTED,
            _E.LOST_SIGHT: _S.UNKNOWN,
        },
        _S.UNKNOWN: {
            _E.ACKNOWLEDGED: _S.ACKNOWLEDGED,
            _E.REJECTED: _S.REJECTED,
            _E.PROVEN_ABSENT: _S.ABSENT,
            _E.QUARANTINED: _S.QUARANTINED,
        },
        _S.ACKNOWLEDGED: {**_OUTCOMES, _E.REJECTED: _S.REJECTED, **_BY_PEOPLE},
        _S.PARTLY_FILLED: {**_OUTCOMES, **_BY_PEOPLE},
        _S.CANCELLED: dict(_LATE_FILLS),
        _S.EXPIRED: dict(_LATE_FILLS),
        _S.QUARANTINED: {**_OUTCOMES, _E.ACKNOWLEDGED: _S.ACKNOWLEDGED, **_BY_PEOPLE},
        _S.FILLED: {},
        _S.REJECTED: {},
        # Proven not to have reached the venue: the next attempt is a new order.
        _S.ABSENT: {},
        # A quorum said how it ended, and takes the blame: no later report is booked on top.
        _S.SETTLED: {},
    }
)

TERMINAL: Final = frozenset({_S.FILLED, _S.CANCELLED, _S.EXPIRED, _S.REJECTED, _S.ABSENT, _S.SETTLED})
TOLD_ELSEWHERE: Final = frozenset({_E.SEND_INTENDED, _E.PARTLY_FILLED, _E.FILLED, _E.SETTLED})
"""Steps that have their own event, which carries price and quantity."""
UNRESOLVED: Final = frozenset({_S.SEND_INTENDED, _S.UNKNOWN})
"""States that recovery must resolve before anything is received."""


def told_by_moving(step: OrderStep) -> OrderStep:
    """Return a step that has no event of its own.

    Raises:
        ValueError: it is one of `TOLD_ELSEWHERE`.
    """
    if step in TOLD_ELSEWHERE:
        raise ValueError(f"{step.value} has its own event, which carries price and quantity")
    return step


def next_state(state: OrderState, step: OrderStep) -> OrderState:
    """Return the state after `step`.

    Raises:
        Fault: `illegal_transition` when the table has no such edge.
    """
    following = ORDER_LIFE[state].get(step)
    if following is None:
        raise Fault(
            ErrorCode.ILLEGAL_TRANSITION,
            f"an order that is {state.value} cannot become {step.value}",
            fix="verify the journal; an event was recorded out of order",
        )
    return following


def demand_unsent(decision_id: str, states: Iterable[OrderState], *, to_be: str) -> None:
    """Return when a decision whose orders are in `states` may still be rejected, or sealed anew.

    Only what was proven absent leaves a decision as if nothing had been sent. `to_be` names
    what would become of it.

    Raises:
        Fault: `illegal_transition` when an order of it may be, or was, at a venue.
    """
    if any(state is not OrderState.ABSENT for state in states):
        raise Fault(
            ErrorCode.ILLEGAL_TRANSITION,
            f"{decision_id} cannot be {to_be}: an order of it was sent",
            fix="verify the journal; an event was recorded out of order",
        )
