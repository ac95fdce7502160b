"""Whether what a quorum signed still fits the state it is folded on; what no longer fits loosens nothing.

Stage: every ledger, after the signatures were found good and before the event is folded.
Signatures prove who agreed; only the fold knows to what. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from when_to_invest.breakers import TradingState
from when_to_invest.errors import Fault
from when_to_invest.events import Event, OrderSettled, TradingResumed
from when_to_invest.history import DecisionRecord
from when_to_invest.intents import OrderIntent
from when_to_invest.portfolio import AccountBook
from when_to_invest.remedies import settleable


def fits(event: Event, *, book: AccountBook, decisions: Mapping[str, DecisionRecord]) -> bool:
    """Return whether a resumption or a settlement was made on exactly this state; True for all else.

    A resumption names the halts that stand in its scope and their number; a settlement the open
    order of a decision, how many events that decision had, and meets a scope that is not active.
    """
    match event:
        case TradingResumed():
            return book.standing.is_met_by(event)
        case OrderSettled():
            record = decisions.get(event.decision_id)
            return record is not None and _settles(event, record, book)
        case _:
            return True


def _settles(event: OrderSettled, record: DecisionRecord, book: AccountBook) -> bool:
    intent = record.intent
    if not isinstance(intent, OrderIntent):
        return False
    about = (intent.account, intent.venue, intent.instrument, intent.side)
    state = book.trading_state(account=intent.account, venue=intent.venue, instrument=intent.instrument)
    return (
        event.motion.serial == len(record.events)
        and (event.account, event.venue, event.instrument, event.side) == about
        and state is not TradingState.ACTIVE
        and _open_order(record) == event.client_order_id
    )


def _open_order(record: DecisionRecord) -> str | None:
    try:
        return settleable(record).sent.client_order_id
    except Fault:
        return None
