"""What really happened, read from the journal and the venue's own books, judged naively.

Shares nothing with the gate but the journal's events and the figures of the hard limits.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from home.paths import Home
from ledger.sqlite_journal import open_journal
from policies.limits import HARD_LIMITS
from when_to_invest import events as ev
from when_to_invest.holdings import ZERO
from when_to_invest.intents import OrderIntent
from when_to_invest.orders import OrderStep
from when_to_invest.portfolio import AccountBook

DAY = timedelta(days=1)
_ENDS = (OrderStep.CANCELLED, OrderStep.EXPIRED, OrderStep.REJECTED)


@dataclass(frozen=True)
class Truth:
    """Everything that the home's files say."""

    events: tuple[ev.Event, ...]
    orders: tuple[tuple[str, Decimal], ...]
    """Client order id and quantity of each order at the venue."""
    traded: Counter[str]
    """Units executed by client order id."""


def read_truth(home: Home) -> Truth:
    journal = open_journal(home.journal, is_read_only=True)
    try:
        events = tuple(row.event for row in journal.read())
    finally:
        journal.close()
    orders, traded = (), Counter[str]()
    if home.paper_venue.exists():
        venue = sqlite3.connect(f"file:{home.paper_venue}?mode=ro", uri=True)
        rows = venue.execute("SELECT client_order_id, quantity FROM orders").fetchall()
        orders = tuple((name, Decimal(quantity)) for name, quantity in rows)
        for name, quantity in venue.execute("SELECT client_order_id, quantity FROM trades"):
            traded[name] += Decimal(quantity)  # type: ignore[assignment] # exact, not a count
        venue.close()
    return Truth(events, orders, traded)


def breaches(truth: Truth) -> list[str]:
    """Return everything that a limit, an approval or a seal should have prevented."""
    return [*_unproven_orders(truth), *_unlawful_approvals(truth), *_exposures(truth), *_turnover(truth)]


def _unproven_orders(truth: Truth) -> Iterator[str]:
    sent = {event.client_order_id: event for event in truth.events if isinstance(event, ev.SendIntended)}
    sealed = {event.decision_id: event for event in truth.events if isinstance(event, ev.EnvelopeSealed)}
    authorised: Counter[str] = Counter()
    for name, quantity in truth.orders:
        event = sent.get(name)
        if event is None or event.decision_id not in sealed:
            yield f"{name} reached the venue without a journalled sending of a sealed decision"
            continue
        intent = sealed[event.decision_id].envelope.content.intent
        assert isinstance(intent, OrderIntent)
        authorised[event.decision_id] += truth.traded[name]
        if quantity > intent.quantity or authorised[event.decision_id] > intent.quantity:
            yield f"{name} trades more than {event.decision_id} was authorised to"


def _unlawful_approvals(truth: Truth) -> Iterator[str]:
    for event in truth.events:
        if not isinstance(event, ev.EnvelopeSealed):
            continue
        content = event.envelope.content
        intent = content.intent
        assert isinstance(intent, OrderIntent)
        notional_usd = intent.quantity * intent.limit_price_usd
        signers = {approval.approver for approval in content.approvals} - {intent.proposer}
        needed = (notional_usd > HARD_LIMITS.approval_notional_usd) + (
            notional_usd > HARD_LIMITS.second_approval_notional_usd
        )
        if notional_usd > HARD_LIMITS.max_order_notional_usd:
            yield f"{event.decision_id} is larger than any order may be"
        if len(signers) < needed:
            yield f"{event.decision_id} was sealed with {len(signers)} of {needed} approvals"
        if intent.instrument not in HARD_LIMITS.allowed_instruments or intent.venue != "paper":
            yield f"{event.decision_id} names what no order may name"


def _exposures(truth: Truth) -> Iterator[str]:
    book = AccountBook()
    for event in truth.events:
        book.apply(event)
        open_usd = sum((item.notional_usd for item in book.reservations.values()), Decimal(0))
        if open_usd > HARD_LIMITS.max_open_orders_usd:
            yield f"{open_usd} USD were open at once"
        if any(position.quantity < 0 for position in book.positions.values()):
            yield "something was sold that was not held"


def _turnover(truth: Truth) -> Iterator[str]:
    """Tell of each seal after which a day's orders had traded, and still might trade, too much."""
    orders: dict[str, _Sealed] = {}
    for event in truth.events:
        match event:
            case ev.EnvelopeSealed():
                intent = event.envelope.content.intent
                assert isinstance(intent, OrderIntent)
                orders[event.decision_id] = _Sealed(event.at, intent.quantity, intent.limit_price_usd)
                day = [order for order in orders.values() if event.at - DAY < order.at <= event.at]
                total_usd = sum((order.traded_usd + order.left * order.limit_usd for order in day), ZERO)
                if total_usd > HARD_LIMITS.max_turnover_24h_usd:
                    yield f"{total_usd} USD of a day's orders traded or might"
            case ev.OrderFilled():
                order = orders[event.decision_id]
                order.traded_usd += event.quantity * event.price_usd
                order.left = ZERO if event.is_last else order.left - event.quantity
            case ev.EnvelopeRejected():
                orders[event.decision_id].left = ZERO
            case ev.OrderMoved() if event.step in _ENDS:
                orders[event.decision_id].left = ZERO
            case _:
                pass


@dataclass
class _Sealed:
    """One sealed order: base units that may still trade, at its limit, and USD traded."""

    at: datetime
    left: Decimal
    limit_usd: Decimal
    traded_usd: Decimal = ZERO
