"""The desk's minutes: writes down what was decided, on the state it was decided on.

A decision is recorded only if nobody wrote in between; otherwise it is made again on the
newer state. It must never record a decision made on a state it did not see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from ledger.journal import Journal, turn_at
from ledger.live import LiveLedger
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import Event
from when_to_invest.history import DecisionRecord
from when_to_invest.intents import OrderIntent
from when_to_invest.loosening import GIVES_POWER, demand_no_loosening
from when_to_invest.writers import Writer, demand_own

MOST_ATTEMPTS: Final = 8
"""How often a decision is made again because another process wrote first."""
Decide = Callable[[], Sequence[Event]]
"""Looks at the refreshed ledger and returns what to record; nothing when all is said."""


def commit(journal: Journal, ledger: LiveLedger, decide: Decide, *, writer: Writer = Writer.ORDERS) -> None:
    """Refresh, decide and record, again while other processes write first.

    Raises:
        Fault: `journal_conflict` after `MOST_ATTEMPTS`; `clock_back` for what would give power
            on a clock behind the journal; or whatever `decide` raises.
    """
    for attempt in range(MOST_ATTEMPTS):
        with turn_at(journal, is_needed=attempt > 0):
            head = ledger.refresh()
            events = decide()
            if not events:
                return
            demand_own(events, writer)
            demand_no_loosening(events, ledger.book)
            _demand_timely(events, ledger)
            try:
                journal.append(events, expected=head)
            except Fault as fault:
                if fault.code is not ErrorCode.JOURNAL_CONFLICT:
                    raise
                continue
        ledger.refresh()
        return
    raise Fault(
        ErrorCode.JOURNAL_CONFLICT,
        f"other processes wrote first {MOST_ATTEMPTS} times; nothing was recorded",
        fix="send the same request again, with the same request_id",
    )


def _demand_timely(events: Sequence[Event], ledger: LiveLedger) -> None:
    for event in events:
        if isinstance(event, GIVES_POWER):
            ledger.demand_forward(event.at)


def record_of(ledger: LiveLedger, decision_id: str) -> DecisionRecord:
    """Return one order's decision.

    Raises:
        Fault: `unknown_decision` when there is none of that id, or it is no order.
    """
    record = ledger.decisions.get(decision_id)
    if record is None or not isinstance(record.intent, OrderIntent):
        raise Fault(
            ErrorCode.UNKNOWN_DECISION,
            f"no order decision {decision_id[:40]!r} is known here",
            fix="use a decision_id from list_orders",
        )
    return record


def order_intent(record: DecisionRecord) -> OrderIntent:
    """Return a decision's intent as an order.

    Raises:
        Fault: `unknown_decision` when it is none.
    """
    if isinstance(record.intent, OrderIntent):
        return record.intent
    raise Fault(
        ErrorCode.UNKNOWN_DECISION,
        f"{record.decision_id} is no order",
        fix="use a decision_id from list_orders",
    )
