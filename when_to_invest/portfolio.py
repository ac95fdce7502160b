"""The account book: a fold of events into cash, positions, reservations and counters.

The gate and the executor each fold the journal for themselves. An order whose outcome is
unknown stays reserved in full: UNKNOWN counts as filled for every limit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from when_to_invest import events as ev
from when_to_invest.entries import Proposal, Reservation, Turnover
from when_to_invest.governed import GovernedHoldings
from when_to_invest.holdings import ZERO
from when_to_invest.intents import OrderIntent
from when_to_invest.orders import TERMINAL, OrderState, OrderStep, demand_unsent, next_state
from when_to_invest.recent import WINDOW, Recent
from when_to_invest.wealth import Wealth
from when_to_invest.workings import ExecutionFinished, OrderAmended, demand_ended, out_of_order, wish_of

__all__ = ["OUT_OF_SIGHT", "AccountBook", "Proposal", "Reservation", "TradeKey", "Turnover", "fold"]

OUT_OF_SIGHT: Final = frozenset({OrderState.UNKNOWN, OrderState.QUARANTINED})
"""States in which nobody knows what the venue did with an order."""
_ENDED: Final = TERMINAL - {OrderState.ABSENT}
_STRAY_REFUSALS: Final = 1_000
"""Refusals remembered without a proposal of the last 24 hours: of no use, and cleared in time."""
TradeKey = tuple[str, str, str]
"""Venue, instrument and trade id."""
_Plan = tuple[Callable[[Any, Any], bool | None] | None, bool, bool]
"""How the book itself advances by an event, and whether `Recent` and `Wealth` look at it."""


@dataclass(slots=True)
class AccountBook(GovernedHoldings):
    """Mutable fold; `apply` events in journal order, never call it twice for one event."""

    reservations: dict[str, Reservation] = field(default_factory=dict)
    proposals: deque[Proposal] = field(default_factory=deque)
    turnover: deque[Turnover] = field(default_factory=deque)
    order_states: dict[str, OrderState] = field(default_factory=dict)
    seen_trades: set[TradeKey] = field(default_factory=set)
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
        advance, looks_back, values = _PLANS.get(type(event), _NO_PLAN)
        if advance is not None and advance(self, event) is False:
            return
        if looks_back:
            self.recent.apply(event)
        if values:
            self.wealth.apply(event)

    def forget(self, decision_id: str, *, trades: Iterable[TradeKey]) -> None:
        """Drop what is known of the orders of a decision that has ended, and of its trades.

        They must be given back (`recall`) before an event about one of them is applied.
        """
        for client_order_id in self.orders_of.pop(decision_id, ()):
            self.order_states.pop(client_order_id, None)
        self.seen_trades.difference_update(trades)

    def recall(self, decision_id: str, *, orders: Mapping[str, str], trades: Iterable[TradeKey]) -> None:
        """Take back what was forgotten: states by client order id, and trades."""
        if orders:
            self.orders_of[decision_id] = [*orders]
        self.order_states.update({name: OrderState(state) for name, state in orders.items()})
        self.seen_trades.update(trades)

    def orders_known(self, decision_id: str) -> tuple[tuple[str, str], ...]:
        """Return client order id and state of every order of a decision, oldest first."""
        return tuple([(name, self.order_states[name].value) for name in self.orders_of.get(decision_id, ())])

    def unresolved_orders(self, instrument: str, *, besides: str) -> int:
        """Return how many orders in `instrument` have an unknown outcome, one decision left out."""
        return sum(
            self.order_states[order] in OUT_OF_SIGHT
            for decision_id, reservation in self.reservations.items()
            if reservation.instrument == instrument and decision_id != besides
            for order in self.orders_of.get(decision_id, ())
        )

    def _fund(self, event: ev.AccountFunded) -> None:
        self.add_cash(event.account, event.cash_usd)

    def _remember_refusal(self, event: ev.IntentJudged) -> None:
        if event.outcome is ev.Outcome.REFUSED and event.judge is ev.Judge.GATE:
            self.refused.add(event.decision_id)
            if len(self.refused) > len(self.proposals) + _STRAY_REFUSALS:
                self.refused.intersection_update([item.decision_id for item in self.proposals])

    def _remember_proposal(self, event: ev.IntentProposed) -> None:
        intent = event.intent
        self.refused.difference_update(_forget_before(self.proposals, event.at - WINDOW))
        if isinstance(intent, OrderIntent):
            self.proposals.append(_proposal_of(event, intent))

    def _reserve(self, event: ev.EnvelopeSealed) -> None:
        intent = event.envelope.content.intent
        self._demand_unsent(event.decision_id, to_be="sealed")
        _forget_before(self.turnover, event.at - WINDOW)
        if not isinstance(intent, OrderIntent):
            return
        reservation = _reservation_of(intent)
        if event.decision_id in self.recent.sealed:
            # Sealed anew it still trades once at most, so it counts once, from now on.
            self.turnover = deque(item for item in self.turnover if item.decision_id != event.decision_id)
        self.reservations[event.decision_id] = reservation
        self.turnover.append(_turnover_of(event, reservation))

    def _restate(self, event: ev.TradingStateChanged | ev.TradingResumed) -> None:
        if self.restate(event):
            self.wealth.start_anew(event.scope)

    def _reject(self, event: ev.EnvelopeRejected) -> None:
        self._demand_unsent(event.decision_id, to_be="rejected")
        self.reservations.pop(event.decision_id, None)

    def _demand_unsent(self, decision_id: str, *, to_be: str) -> None:
        sent = self.orders_of.get(decision_id, ())
        demand_unsent(decision_id, map(self.order_states.__getitem__, sent), to_be=to_be)

    def _send(self, event: ev.SendIntended) -> None:
        self._move(event.client_order_id, OrderStep.SEND_INTENDED)
        self.orders_of.setdefault(event.decision_id, []).append(event.client_order_id)

    def _step(self, event: ev.OrderMoved) -> None:
        if self._move(event.client_order_id, event.step) in _ENDED:
            self._free(event.decision_id, ZERO, is_over=True)

    def _finish(self, event: ExecutionFinished) -> None:
        reservation = self.reservations.get(event.decision_id)
        if reservation is not None and reservation.wish is None:
            raise out_of_order(event.decision_id, "has no plan")
        # INVARIANT: what may still trade stays reserved.
        sent = self.orders_of.get(event.decision_id, ())
        demand_ended(event.decision_id, map(self.order_states.__getitem__, sent))
        self.reservations.pop(event.decision_id, None)

    def _amend(self, event: OrderAmended) -> None:
        reservation = self.reservations.get(event.decision_id)
        if reservation is not None and reservation.wish is not None:
            wish = reservation.wish.after(event)
            self.reservations[event.decision_id] = reservation._replace(wish=wish)

    def _settle(self, event: ev.OrderSettled) -> None:
        self._move(event.client_order_id, OrderStep.SETTLED)
        self._free(event.decision_id, event.quantity, is_over=True)
        if event.price_usd is not None:
            self._book(event, price_usd=event.price_usd)

    def _move(self, client_order_id: str, step: OrderStep) -> OrderState:
        state = next_state(self.order_states.get(client_order_id, OrderState.NEW), step)
        self.order_states[client_order_id] = state
        return state

    def _fill(self, event: ev.OrderFilled) -> bool:
        """Book a trade; return whether it was new."""
        trade = event.trade
        if trade in self.seen_trades:
            return False
        self._move(event.client_order_id, OrderStep.FILLED if event.is_last else OrderStep.PARTLY_FILLED)
        self.seen_trades.add(trade)
        self._book(event, price_usd=event.price_usd, fee_usd=event.fee_usd)
        self._free(event.decision_id, event.quantity, is_over=event.is_last)
        return True

    def _book(
        self, event: ev.OrderFilled | ev.OrderSettled, *, price_usd: Decimal, fee_usd: Decimal = ZERO
    ) -> None:
        owner = (event.account, event.instrument)
        self.trade(
            owner=owner, side=event.side, quantity=event.quantity, price_usd=price_usd, fee_usd=fee_usd
        )

    def _free(self, decision_id: str, quantity: Decimal, *, is_over: bool) -> None:
        """Take what has traded off a reservation; all of it when its order is over and no plan goes on."""
        reservation = self.reservations.get(decision_id)
        if reservation is None:
            return
        if reservation.wish is None and (is_over or quantity >= reservation.quantity_open):
            del self.reservations[decision_id]
        else:
            self.reservations[decision_id] = reservation.less(quantity)

    _ADVANCES: ClassVar[dict[type[Any], Callable[[Any, Any], bool | None]]] = {
        ev.AccountFunded: _fund,
        ev.IntentProposed: _remember_proposal,
        ev.IntentJudged: _remember_refusal,
        ev.EnvelopeSealed: _reserve,
        ev.EnvelopeRejected: _reject,
        ev.SendIntended: _send,
        ev.OrderMoved: _step,
        ev.OrderFilled: _fill,
        ev.OrderSettled: _settle,
        ev.TradingStateChanged: _restate,
        ev.TradingResumed: _restate,
        ExecutionFinished: _finish,
        OrderAmended: _amend,
    }
    """What moves money, exposure or trading states; every other kind of event moves none of them."""


def _plans(advances: dict[type[Any], Callable[[Any, Any], bool | None]]) -> dict[type[Any], _Plan]:
    """Return what each kind of event moves: the book itself, what is recent, what it is worth."""
    kinds = (*advances, *Recent.KINDS, *Wealth.KINDS)
    return {kind: (advances.get(kind), kind in Recent.KINDS, kind in Wealth.KINDS) for kind in kinds}


_PLANS: Final = _plans(AccountBook._ADVANCES)  # noqa: SLF001 - in its own module
_NO_PLAN: Final[_Plan] = (None, False, False)


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
        wish=wish_of(intent) if intent.execution is not None else None,
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
