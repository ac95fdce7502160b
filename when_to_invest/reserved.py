"""Holdings with what is reserved on top of them, and the orders behind it. Part of the account book.

# INVARIANT: what may still trade stays reserved. Without a plan an order's end frees the rest;
# with one, only the end of the plan does, and not while an order of it is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from when_to_invest import events as ev
from when_to_invest.entries import Reservation
from when_to_invest.governed import GovernedHoldings
from when_to_invest.holdings import ZERO
from when_to_invest.orders import TERMINAL, OrderState, OrderStep, demand_unsent, next_state
from when_to_invest.workings import ExecutionFinished, OrderAmended, demand_ended, out_of_order

OUT_OF_SIGHT: Final = frozenset({OrderState.UNKNOWN, OrderState.QUARANTINED})
"""States in which nobody knows what the venue did with an order."""
_ENDED: Final = TERMINAL - {OrderState.ABSENT}
TradeKey = tuple[str, str, str]
"""Venue, instrument and trade id."""


@dataclass(slots=True)
class ReservedHoldings(GovernedHoldings):
    """Holdings, reservations by decision, and the state of every order that was sent."""

    reservations: dict[str, Reservation] = field(default_factory=dict)
    order_states: dict[str, OrderState] = field(default_factory=dict)
    seen_trades: set[TradeKey] = field(default_factory=set)
    orders_of: dict[str, list[str]] = field(default_factory=dict)
    """Client order ids of each decision that was sent."""

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
        if OUT_OF_SIGHT.isdisjoint(self.order_states.values()):
            return 0
        return sum(
            self.order_states[order] in OUT_OF_SIGHT
            for decision_id, reservation in self.reservations.items()
            if reservation.instrument == instrument and decision_id != besides
            for order in self.orders_of.get(decision_id, ())
        )

    def reject(self, event: ev.EnvelopeRejected) -> None:
        """Free what was never sent; raises `illegal_transition` when an order of it was."""
        self.demand_unsent(event.decision_id, to_be="rejected")
        self.reservations.pop(event.decision_id, None)

    def demand_unsent(self, decision_id: str, *, to_be: str) -> None:
        """Return when no order of a decision may be at a venue; raises as `orders.demand_unsent`."""
        sent = self.orders_of.get(decision_id, ())
        demand_unsent(decision_id, map(self.order_states.__getitem__, sent), to_be=to_be)

    def send(self, event: ev.SendIntended) -> None:
        """Open an order."""
        self.move(event.client_order_id, OrderStep.SEND_INTENDED)
        self.orders_of.setdefault(event.decision_id, []).append(event.client_order_id)

    def step(self, event: ev.OrderMoved) -> None:
        """Move an order on; without a plan its end frees the reservation."""
        if self.move(event.client_order_id, event.step) in _ENDED:
            self.free(event.decision_id, ZERO, is_over=True)

    def finish(self, event: ExecutionFinished) -> None:
        """Free the rest of a plan; raises `illegal_transition` while an order of it may trade."""
        reservation = self.reservations.get(event.decision_id)
        if reservation is not None and reservation.wish is None:
            raise out_of_order(event.decision_id, "has no plan")
        # INVARIANT: what may still trade stays reserved.
        sent = self.orders_of.get(event.decision_id, ())
        demand_ended(event.decision_id, map(self.order_states.__getitem__, sent))
        self.reservations.pop(event.decision_id, None)

    def amend(self, event: OrderAmended) -> None:
        """Tighten what is wanted; nothing is freed by it."""
        reservation = self.reservations.get(event.decision_id)
        if reservation is not None and reservation.wish is not None:
            wish = reservation.wish.after(event)
            self.reservations[event.decision_id] = reservation._replace(wish=wish)

    def move(self, client_order_id: str, step: OrderStep) -> OrderState:
        """Return the state of an order after `step`; raises `illegal_transition` and changes nothing."""
        state = next_state(self.order_states.get(client_order_id, OrderState.NEW), step)
        self.order_states[client_order_id] = state
        return state

    def free(self, decision_id: str, quantity: Decimal, *, is_over: bool) -> None:
        """Take what has traded off a reservation; all of it when its order is over and no plan goes on."""
        reservation = self.reservations.get(decision_id)
        if reservation is None:
            return
        if reservation.wish is None and (is_over or quantity >= reservation.quantity_open):
            del self.reservations[decision_id]
        else:
            self.reservations[decision_id] = reservation.less(quantity)
