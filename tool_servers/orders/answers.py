"""What the orders server answers: decisions, the account, the limits. Amounts are text."""

from __future__ import annotations

from when_to_invest.canonical import utc_text
from when_to_invest.execution import describe_execution
from when_to_invest.history import DecisionRecord
from when_to_invest.instruments import InstrumentId
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.money import ExactDecimal
from when_to_invest.values import DecisionId, Value
from when_to_invest.verdicts import Reason


class IntentRow(Value):
    """What was asked for, as it was sized and priced."""

    instrument: InstrumentId
    side: Side
    quantity: ExactDecimal
    limit_price_usd: ExactDecimal
    time_in_force: str
    account: str
    venue: str
    mode: str
    recommendation_id: str | None
    execution: str | None = None
    proposer: str


class FillRow(Value):
    """One execution, in base units and USD."""

    at: str
    quantity: ExactDecimal
    price_usd: ExactDecimal
    fee_usd: ExactDecimal


class EventRow(Value):
    """One step of a decision's history."""

    at: str
    kind: str


class DecisionAnswer(Value):
    """One decision: verdict with all reasons, approvals still missing, fills, history.

    `verdict` is `approved`, `held` or `refused`; only an approved one can be filled.
    """

    decision_id: DecisionId
    state: str
    verdict: str | None
    reasons: tuple[Reason, ...]
    intent: IntentRow
    approvals_needed: int
    approvals_given: int
    hold_expires_at: str | None
    is_cancel_requested: bool
    authorised_size: ExactDecimal
    filled_size: ExactDecimal
    fills: tuple[FillRow, ...]
    events: tuple[EventRow, ...]


class OrderRow(Value):
    """One decision in a list."""

    decision_id: DecisionId
    state: str
    instrument: InstrumentId
    side: Side
    quantity: ExactDecimal
    limit_price_usd: ExactDecimal
    filled_size: ExactDecimal
    proposed_at: str


class Orders(Value):
    """Decisions, newest first; `total` counts those that match, shown or not."""

    orders: tuple[OrderRow, ...]
    total: int


class PositionRow(Value):
    """One holding; `mark_usd` is the newest known price, none when there is none."""

    instrument: InstrumentId
    quantity: ExactDecimal
    cost_usd: ExactDecimal
    mark_usd: ExactDecimal | None
    value_usd: ExactDecimal | None
    marked_at: str | None


class ReservationRow(Value):
    """What an approved order may still trade, at its limit."""

    decision_id: DecisionId
    instrument: InstrumentId
    side: Side
    quantity_open: ExactDecimal
    notional_usd: ExactDecimal


class Portfolio(Value):
    """The account as the journal proves it; `equity_usd` none while a holding has no price."""

    as_of: str
    mode: str
    account: str
    trading_state: str
    halts: tuple[str, ...]
    cash_usd: ExactDecimal
    equity_usd: ExactDecimal | None
    positions: tuple[PositionRow, ...]
    reservations: tuple[ReservationRow, ...]


def decision_answer(record: DecisionRecord, intent: OrderIntent) -> DecisionAnswer:
    """Return what a caller is told of a decision."""
    verdict = record.verdict
    hold = None if verdict is None else verdict.hold_expires_at
    return DecisionAnswer(
        decision_id=record.decision_id,
        state=record.state.value,
        verdict=None if verdict is None else verdict.outcome.value,
        reasons=record.reasons,
        intent=_intent_row(intent),
        approvals_needed=0 if verdict is None else verdict.approvals_needed,
        approvals_given=len({approval.approver for approval in record.approvals}),
        hold_expires_at=None if hold is None else utc_text(hold),
        is_cancel_requested=record.is_cancel_requested,
        authorised_size=record.authorised_quantity,
        filled_size=record.filled_quantity,
        fills=tuple(
            FillRow(
                at=utc_text(fill.at), quantity=fill.quantity, price_usd=fill.price_usd, fee_usd=fill.fee_usd
            )
            for fill in record.fills
        ),
        events=tuple(EventRow(at=utc_text(event.at), kind=event.kind) for event in record.events),
    )


def order_row(record: DecisionRecord, intent: OrderIntent) -> OrderRow:
    """Return a decision as one row of a list."""
    return OrderRow(
        decision_id=record.decision_id,
        state=record.state.value,
        instrument=intent.instrument,
        side=intent.side,
        quantity=intent.quantity,
        limit_price_usd=intent.limit_price_usd,
        filled_size=record.filled_quantity,
        proposed_at=utc_text(intent.proposed_at),
    )


def _intent_row(intent: OrderIntent) -> IntentRow:
    return IntentRow(
        instrument=intent.instrument,
        side=intent.side,
        quantity=intent.quantity,
        limit_price_usd=intent.limit_price_usd,
        time_in_force=intent.time_in_force.value,
        account=intent.account,
        venue=intent.venue,
        mode=intent.mode.value,
        recommendation_id=intent.recommendation_id,
        execution=None if intent.execution is None else describe_execution(intent.execution),
        proposer=intent.proposer,
    )
