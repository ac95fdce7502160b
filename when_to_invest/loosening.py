"""No process writes a looser state: what every writer of the journal asks before it appends.

Stage: right before an append, on the fold that it was decided on. People loosen by a
`TradingResumed` with a quorum's signatures, which is another event.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from when_to_invest import events as ev
from when_to_invest.breakers import TradingState, is_looser
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.keyholders import ApproverEnrolled, SealKeyAdded
from when_to_invest.portfolio import AccountBook
from when_to_invest.workings import OrderAmended

GIVES_POWER: Final = (ev.TradingResumed, ev.OrderSettled, ApproverEnrolled, SealKeyAdded)
"""What only a quorum loosens. On a clock that went back, ended votes and motions would count again."""


def demand_no_loosening(events: Iterable[ev.Event], book: AccountBook) -> None:
    """Return when no event would put a scope in a looser state, or ask for more of an order.

    Raises:
        Fault: `illegal_transition`, naming what; nothing may be appended.
    """
    for event in events:
        if isinstance(event, OrderAmended):
            _demand_tightening(event, book)
        if not isinstance(event, ev.TradingStateChanged):
            continue
        present = book.trading_states.get(event.scope, TradingState.ACTIVE)
        if event.state is TradingState.ACTIVE or (
            not event.latch_id and is_looser(event.state, than=present)
        ):
            raise Fault(
                ErrorCode.ILLEGAL_TRANSITION,
                f"{event.scope} is {present.value}; {event.by} may not make it {event.state.value}",
                fix="loosen it with `when-to-invest resume` and the approvers' signatures",
            )


def _demand_tightening(event: OrderAmended, book: AccountBook) -> None:
    reservation = book.reservations.get(event.decision_id)
    wish = reservation.wish if reservation is not None else None
    if wish is None or not wish.is_tightened_by(event):
        raise Fault(
            ErrorCode.ILLEGAL_TRANSITION,
            f"{event.decision_id} is not being worked, or {event.caller} asks for no less of it",
            fix="ask for less, or a stricter limit, of an order with a plan; for more, propose an order",
        )
