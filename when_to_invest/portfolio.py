"""The account book: a fold of events into cash, positions, reservations and counters.

The gate and the executor each fold the journal for themselves. An order whose outcome is
unknown stays reserved in full: UNKNOWN counts as filled for every limit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, assert_never

from when_to_invest import events as ev
from when_to_invest.breakers import TradingState, is_looser, scopes_of, strictest
from when_to_invest.holdings import ZERO, Holdings
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.keyholders import KeyholderEvent
from when_to_invest.letters import DeadLetterAnswered, DeadLetterArrived
from when_to_invest.marks import AccountMarked, VenueReported
from when_to_invest.orders import TERMINAL, OrderState, OrderStep, next_state
from when_to_invest.recent import WINDOW, Recent
from when_to_invest.standing import Standing
from when_to_invest.wealth import Wealth

OUT_OF_SIGHT: Final = frozenset({OrderState.UNKNOWN, OrderState.QUARANTINED})
"""States in which nobody knows what the venue did with an order."""


@dataclass(slots=True)
class Reservation:
    """Exposure of a sealed decision that may still trade, at its worst price."""

    account: str
    venue: str
    instrument: str
    side: Side
    quantity_open: Decimal
    worst_price_usd: Decimal

    @property
    def notional_usd(self) -> Decimal:
        """Return what it would cost or bring if all of it filled at the limit."""
        return self.quantity_open * self.worst_price_usd


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the duplicate and message-rate rules remember of an intent."""

    at: datetime
    decision_id: str
    proposer: str
    account: str
    venue: str
    instrument: str
    side: Side
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Turnover:
    """One addition to the rolling turnover: USD reserved when a decision was sealed."""

    at: datetime
    decision_id: str
    account: str
    instrument: str
    notional_usd: Decimal


@dataclass(slots=True)
class GovernedHoldings(Holdings):
    """Holdings, with the trading states of every scope that they stand in."""

    trading_states: dict[str, TradingState] = field(default_factory=dict)
    standing: Standing = field(default_factory=Standing)
    """The halts behind `trading_states`: since when, by whom and why."""

    def trading_state(self, *, account: str, venue: str, instrument: str) -> TradingState:
        """Return the strictest state of the system and the three scopes."""
        scopes = scopes_of(account=account, venue=venue, instrument=instrument)
        return strictest(*(self.trading_states.get(scope, TradingState.ACTIVE) for scope in scopes))

    def restate(self, event: ev.TradingStateChanged | ev.TradingResumed) -> bool:
        """Tighten, or lift exactly what a quorum named; everything else leaves the state as strict.

        Returns whether a scope was resumed.
        """
        if isinstance(event, ev.TradingStateChanged):
            self.standing.tighten(event)
            present = self.trading_states.get(event.scope, TradingState.ACTIVE)
            if is_looser(present, than=event.state):
                self.trading_states[event.scope] = event.state
            return False
        is_resumed = self.standing.resume(event)
        if is_resumed:
            self.trading_states.pop(event.scope, None)
        return is_resumed


@dataclass(slots=True)
class AccountBook(GovernedHoldings):
    """Mutable fold; `apply` events in journal order, never call it twice for one event."""

    reservations: dict[str, Reservation] = field(default_factory=dict)
    proposals: deque[Proposal] = field(default_factory=deque)
    turnover: deque[Turnover] = field(default_factory=deque)
    order_states: dict[str, OrderState] = field(default_factory=dict)
    seen_trades: set[tuple[str, str]] = field(default_factory=set)
    orders_of: dict[str, list[str]] = field(default_factory=dict)
    """Client order ids of each decision that was sent."""
    refused: set[str] = field(default_factory=set)
    """Recent decisions the gate refused: they count as messages, not as duplicates."""

    recent: Recent = field(default_factory=Recent)
    wealth: Wealth = field(default_factory=Wealth)

    def apply(self, event: ev.Event) -> None:
        """Advance by one event.

        Raises:
            Fault: `illegal_transition` when an order event does not fit its life.
        """
        is_repeated = isinstance(event, ev.OrderFilled) and (event.venue, event.trade_id) in self.seen_trades
        self._fold(event)
        if not is_repeated:
            self.recent.apply(event)
            self.wealth.apply(event)

    def _fold(self, event: ev.Event) -> None:
        match event:
            case ev.AccountFunded():
                self.add_cash(event.account, event.cash_usd)
            case ev.IntentProposed() | ev.IntentJudged():
                self._remember(event)
            case ev.EnvelopeSealed():
                self._reserve(event)
            case (
                ev.EnvelopeRejected()
                | ev.SendIntended()
                | ev.OrderMoved()
                | ev.OrderFilled()
                | ev.OrderSettled()
            ):
                self._advance_order(event)
            case ev.TradingStateChanged() | ev.TradingResumed():
                if self.restate(event):
                    self.wealth.start_anew(event.scope)
            case (
                ev.ApprovalGiven()
                | ev.ApprovalDeclined()
                | ev.EnvelopeQueued()
                | ev.EnvelopeReceived()
                | ev.CancelRequested()
                | ev.MessageRefused()
                | DeadLetterArrived()
                | DeadLetterAnswered()
                | AccountMarked()
                | VenueReported()
                | ev.RecoveryCompleted()
                | KeyholderEvent()
            ):
                pass  # moves neither money nor exposure
            case _:
                assert_never(event)

    def unresolved_orders(self, instrument: str, *, besides: str) -> int:
        """Return how many orders in `instrument` have an unknown outcome, one decision left out."""
        return sum(
            self.order_states[order] in OUT_OF_SIGHT
            for decision_id, reservation in self.reservations.items()
            if reservation.instrument == instrument and decision_id != besides
            for order in self.orders_of.get(decision_id, ())
        )

    def _remember(self, event: ev.IntentProposed | ev.IntentJudged) -> None:
        if isinstance(event, ev.IntentProposed):
            self._remember_proposal(event)
        elif event.outcome is ev.Outcome.REFUSED and event.judge is ev.Judge.GATE:
            self.refused.add(event.decision_id)

    def _remember_proposal(self, event: ev.IntentProposed) -> None:
        intent = event.intent
        self.refused.difference_update(_forget_before(self.proposals, event.at - WINDOW))
        if isinstance(intent, OrderIntent):
            self.proposals.append(_proposal_of(event, intent))

    def _reserve(self, event: ev.EnvelopeSealed) -> None:
        intent = event.envelope.content.intent
        _forget_before(self.turnover, event.at - WINDOW)
        if not isinstance(intent, OrderIntent):
            return
        reservation = _reservation_of(intent)
        self.reservations[event.decision_id] = reservation
        self.turnover.append(_turnover_of(event, reservation))

    def _advance_order(
        self,
        event: ev.EnvelopeRejected | ev.SendIntended | ev.OrderMoved | ev.OrderFilled | ev.OrderSettled,
    ) -> None:
        match event:
            case ev.EnvelopeRejected():
                self.reservations.pop(event.decision_id, None)
            case ev.SendIntended():
                self._move(event.client_order_id, OrderStep.SEND_INTENDED)
                self.orders_of.setdefault(event.decision_id, []).append(event.client_order_id)
            case ev.OrderMoved():
                if self._move(event.client_order_id, event.step) in TERMINAL - {OrderState.ABSENT}:
                    self.reservations.pop(event.decision_id, None)
            case ev.OrderFilled():
                self._fill(event)
            case ev.OrderSettled():
                self._settle(event)
            case _:
                assert_never(event)

    def _settle(self, event: ev.OrderSettled) -> None:
        self._move(event.client_order_id, OrderStep.SETTLED)
        self.reservations.pop(event.decision_id, None)
        if event.price_usd is not None:
            self._book(event, price_usd=event.price_usd)

    def _move(self, client_order_id: str, step: OrderStep) -> OrderState:
        state = next_state(self.order_states.get(client_order_id, OrderState.NEW), step)
        self.order_states[client_order_id] = state
        return state

    def _fill(self, event: ev.OrderFilled) -> None:
        trade = (event.venue, event.trade_id)
        if trade in self.seen_trades:
            return
        self._move(event.client_order_id, OrderStep.FILLED if event.is_last else OrderStep.PARTLY_FILLED)
        self.seen_trades.add(trade)
        self._book(event, price_usd=event.price_usd, fee_usd=event.fee_usd)
        self._release(event)

    def _book(
        self, event: ev.OrderFilled | ev.OrderSettled, *, price_usd: Decimal, fee_usd: Decimal = ZERO
    ) -> None:
        owner = (event.account, event.instrument)
        self.trade(
            owner=owner, side=event.side, quantity=event.quantity, price_usd=price_usd, fee_usd=fee_usd
        )

    def _release(self, event: ev.OrderFilled) -> None:
        reservation = self.reservations.get(event.decision_id)
        if reservation is None:
            return
        reservation.quantity_open -= event.quantity
        if event.is_last or reservation.quantity_open <= 0:
            del self.reservations[event.decision_id]


def _proposal_of(event: ev.IntentProposed, intent: OrderIntent) -> Proposal:
    return Proposal(
        at=event.at,
        decision_id=event.decision_id,
        proposer=event.caller,
        account=intent.account,
        venue=intent.venue,
        instrument=intent.instrument,
        side=intent.side,
        quantity=intent.quantity,
    )


def _reservation_of(intent: OrderIntent) -> Reservation:
    return Reservation(
        account=intent.account,
        venue=intent.venue,
        instrument=intent.instrument,
        side=intent.side,
        quantity_open=intent.quantity,
        worst_price_usd=intent.limit_price_usd,
    )


def _turnover_of(event: ev.EnvelopeSealed, reservation: Reservation) -> Turnover:
    owner, worth_usd = (reservation.account, reservation.instrument), reservation.notional_usd
    return Turnover(event.at, event.decision_id, *owner, worth_usd)


def _forget_before(window: deque[Proposal] | deque[Turnover], horizon: datetime) -> list[str]:
    forgotten = []
    while window and window[0].at <= horizon:
        forgotten.append(window.popleft().decision_id)
    return forgotten


def fold(happened: Iterable[ev.Event]) -> AccountBook:
    """Return the account book after `happened`, which is in journal order."""
    book = AccountBook()
    for event in happened:
        book.apply(event)
    return book
