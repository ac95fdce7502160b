"""One decision's history: a fold of its events into what `status` and `get_order` show."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Final

from when_to_invest import events as ev
from when_to_invest.approvals import Approval
from when_to_invest.decision_states import FINAL_STATES, STATE_OF_ENDING, STATE_OF_ORDER, DecisionState
from when_to_invest.envelopes import Envelope
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.intents import ChainIntent, OrderIntent
from when_to_invest.orders import ORDER_LIFE, TERMINAL, OrderState, OrderStep, demand_unsent, next_state
from when_to_invest.verdicts import Reason
from when_to_invest.workings import (
    ExecutionFinished,
    ExecutionPlanned,
    OrderAmended,
    Working,
    WorkingFact,
    demand_sendable,
    out_of_order,
    wish_of,
)

__all__ = [
    "FINAL_STATES",
    "DecisionRecord",
    "DecisionState",
    "OrderRecord",
    "decisions",
    "proposed_twice",
]
_EXECUTOR: Final = ev.Judge.EXECUTOR
_REFUSED: Final = ev.Outcome.REFUSED
_HELD: Final = ev.Outcome.HELD
_ENDED_BEFORE_A_TRADE = frozenset(state for state in TERMINAL if OrderStep.FILLED in ORDER_LIFE[state])
"""How an order ends that a trade may have raced."""


@dataclass(slots=True)
class OrderRecord:
    """One order sent, or about to be sent, for a decision."""

    sent: ev.SendIntended
    state: OrderState
    venue_order_id: str = ""
    filled_quantity: Decimal = Decimal(0)

    @property
    def is_open(self) -> bool:
        """Whether the venue may still execute it."""
        return self.state not in TERMINAL


@dataclass(slots=True)
class _SoFar:
    """What is known of one decision."""

    decision_id: str
    intent: OrderIntent | ChainIntent
    caller: str
    state: DecisionState = DecisionState.PROPOSED
    verdict: ev.IntentJudged | None = None
    reasons: tuple[Reason, ...] = ()
    approvals: list[Approval] = field(default_factory=list)
    envelope: Envelope | None = None
    is_received: bool = False
    orders: dict[str, OrderRecord] = field(default_factory=dict)
    fills: list[ev.OrderFilled] = field(default_factory=list)
    settled_quantity: Decimal = Decimal(0)
    """What a quorum said was executed besides the fills."""
    is_cancel_requested: bool = False
    working: Working | None = None
    """How far its plan has come; none without a plan, or before it begins."""
    events: list[ev.Event] = field(default_factory=list)

    @property
    def authorised_quantity(self) -> Decimal:
        """Return how much may be executed: zero until an envelope is sealed."""
        if self.envelope is None or not isinstance(self.intent, OrderIntent):
            return Decimal(0)
        return self.intent.quantity

    @property
    def filled_quantity(self) -> Decimal:
        """Return how much was executed: what the venue reported, and what people settled."""
        return sum((fill.quantity for fill in self.fills), self.settled_quantity)

    @property
    def is_open(self) -> bool:
        """Whether an order of it may still come, or may still trade."""
        if self.envelope is not None and self.state not in FINAL_STATES:
            return True
        for order in self.orders.values():  # noqa: SIM110 - `any` of a generator takes twice as long
            if order.state not in TERMINAL:
                return True
        return False

    @property
    def may_trade_late(self) -> bool:
        """Whether an order ended that a trade may have raced."""
        for order in self.orders.values():  # noqa: SIM110 - as above
            if order.state in _ENDED_BEFORE_A_TRADE:
                return True
        return False


@dataclass(slots=True)
class DecisionRecord(_SoFar):
    """Everything that happened to one decision, in order."""

    def apply(self, event: ev.Event) -> None:
        """Advance by one event of this decision.

        Raises:
            Fault: `illegal_transition` when an order event does not fit its life.
        """
        step = self._STEPS.get(type(event))
        if step is not None:
            step(self, event)
        self.events.append(event)

    def _judged(self, event: ev.IntentJudged) -> None:
        self.verdict = event
        self.reasons = event.reasons
        if event.judge is _EXECUTOR:
            return
        if event.outcome is _REFUSED:
            self.state = DecisionState.REFUSED
        elif event.outcome is _HELD:
            self.state = DecisionState.HELD

    def _approved(self, event: ev.ApprovalGiven) -> None:
        self.approvals.append(event.approval)

    def _declined(self, event: ev.ApprovalDeclined) -> None:
        del event
        self.state = DecisionState.DECLINED

    def _sealed(self, event: ev.EnvelopeSealed) -> None:
        # INVARIANT: what is reserved and counted for a decision is what was proposed, until it has ended.
        demand_unsent(event.decision_id, [order.state for order in self.orders.values()], to_be="sealed")
        if event.envelope.content.intent != self.intent:
            raise _sealed_otherwise(event.decision_id)
        self.envelope = event.envelope
        self.state = DecisionState.SEALED

    def _queued(self, event: ev.EnvelopeQueued) -> None:
        del event
        # The executor may have been faster than the sender's own note.
        if self.state is DecisionState.SEALED:
            self.state = DecisionState.QUEUED

    def _received(self, event: ev.EnvelopeReceived) -> None:
        del event
        self.is_received = True
        self.state = DecisionState.RECEIVED

    def _rejected(self, event: ev.EnvelopeRejected) -> None:
        demand_unsent(event.decision_id, (order.state for order in self.orders.values()), to_be="rejected")
        self.state = DecisionState.REJECTED

    def _cancelling(self, event: ev.CancelRequested) -> None:
        del event
        self.is_cancel_requested = True

    def _sent(self, event: ev.SendIntended) -> None:
        known = self.orders.get(event.client_order_id)
        demand_sendable(event.decision_id, self.intent, self.working, slice_index=event.slice_index)
        state = next_state(known.state if known else OrderState.NEW, OrderStep.SEND_INTENDED)
        self.orders[event.client_order_id] = OrderRecord(event, state)
        self.state = STATE_OF_ORDER[state]

    def _stepped(self, event: ev.OrderMoved) -> None:
        self._moved(event.client_order_id, event.step, event.venue_order_id)

    def _settled(self, event: ev.OrderSettled) -> None:
        self._moved(event.client_order_id, OrderStep.SETTLED)
        self.settled_quantity += event.quantity

    def _moved(self, client_order_id: str, step: OrderStep, venue_order_id: str = "") -> None:
        order = self.orders.get(client_order_id)
        if order is None:
            raise _moved_too_early(client_order_id)
        order.state = next_state(order.state, step)
        order.venue_order_id = venue_order_id or order.venue_order_id
        goes_on = self.working is not None and self.working.finished is None and not order.is_open
        self.state = _between_children(self) if goes_on else STATE_OF_ORDER[order.state]

    def _worked(self, event: WorkingFact) -> None:
        if not isinstance(self.intent, OrderIntent) or self.intent.execution is None:
            raise out_of_order(self.decision_id, "has no plan")
        if self.envelope is None:
            raise out_of_order(self.decision_id, "was never sealed")
        working = self.working or Working(wish_of(self.intent))
        working.apply(event, orders=[order.state for order in self.orders.values()])
        self.working = working
        if isinstance(event, ExecutionFinished):
            self.state = STATE_OF_ENDING[event.ending]

    def _filled(self, event: ev.OrderFilled) -> None:
        if self.fills and any(fill.trade == event.trade for fill in self.fills):
            return
        self._moved(event.client_order_id, OrderStep.FILLED if event.is_last else OrderStep.PARTLY_FILLED)
        self.orders[event.client_order_id].filled_quantity += event.quantity
        self.fills.append(event)

    _STEPS: ClassVar[dict[type[Any], Callable[[Any, Any], None]]] = {
        ev.IntentJudged: _judged,
        ev.ApprovalGiven: _approved,
        ev.ApprovalDeclined: _declined,
        ev.EnvelopeSealed: _sealed,
        ev.EnvelopeQueued: _queued,
        ev.EnvelopeReceived: _received,
        ev.EnvelopeRejected: _rejected,
        ev.SendIntended: _sent,
        ev.OrderMoved: _stepped,
        ev.OrderFilled: _filled,
        ev.OrderSettled: _settled,
        ev.CancelRequested: _cancelling,
        ExecutionPlanned: _worked,
        ExecutionFinished: _worked,
        OrderAmended: _worked,
    }
    """What moves a decision on; an event of any other kind belongs to none, or opened it."""


def _between_children(record: DecisionRecord) -> DecisionState:
    """Return where a planned decision stands while none of its orders is open, or one has just ended."""
    for order in record.orders.values():
        if order.filled_quantity or order.state is OrderState.FILLED:
            return DecisionState.PARTLY_FILLED
    return DecisionState.PARTLY_FILLED if record.settled_quantity else DecisionState.WORKING


def _sealed_otherwise(decision_id: str) -> Fault:
    return Fault(
        ErrorCode.ILLEGAL_TRANSITION,
        f"what was sealed as {decision_id} is not what was proposed as it",
        fix="find out who writes to the journal; verify it",
    )


def _moved_too_early(client_order_id: str) -> Fault:
    return Fault(
        ErrorCode.ILLEGAL_TRANSITION,
        f"order {client_order_id} moved before its sending was intended",
        fix="verify the journal; an event was recorded out of order",
    )


def decisions(happened: Iterable[ev.Event]) -> dict[str, DecisionRecord]:
    """Fold events in journal order into one record a decision, oldest first.

    Raises:
        Fault: `illegal_transition` when an event cannot have happened.
    """
    records: dict[str, DecisionRecord] = {}
    for event in happened:
        if isinstance(event, ev.IntentProposed):
            if event.decision_id in records:
                raise proposed_twice(event.decision_id)
            record = DecisionRecord(event.decision_id, event.intent, event.caller, events=[event])
            records[event.decision_id] = record
        elif (decision_id := getattr(event, "decision_id", None)) in records:
            records[decision_id].apply(event)
    return records


def proposed_twice(decision_id: str) -> Fault:
    """Return the fault of a history in which one decision is opened again."""
    return Fault(
        ErrorCode.ILLEGAL_TRANSITION,
        f"{decision_id} was proposed a second time",
        fix="verify the journal; an event was recorded out of order",
    )
