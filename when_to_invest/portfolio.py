"""The account book: a fold of events into cash, positions, reservations and counters.

The gate and the executor each fold the journal for themselves. An order whose outcome is
unknown stays reserved in full: UNKNOWN counts as filled for every limit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from when_to_invest import events as ev
from when_to_invest.entries import Proposal, Reservation
from when_to_invest.holdings import ZERO
from when_to_invest.intents import OrderIntent
from when_to_invest.orders import TERMINAL, OrderStep
from when_to_invest.recent import WINDOW, Recent
from when_to_invest.reserved import OUT_OF_SIGHT, ReservedHoldings, TradeKey
from when_to_invest.wealth import Wealth
from when_to_invest.workings import ExecutionFinished, OrderAmended, wish_of

__all__ = ["OUT_OF_SIGHT", "AccountBook", "Proposal", "Reservation", "TradeKey", "fold"]

_REFUSED: Final = ev.Outcome.REFUSED
_STRAY_REFUSALS: Final = 1_000
"""Refusals remembered without a proposal of the last 24 hours: of no use, and cleared in time."""
_Advance = Callable[[Any, Any], bool | None]
_Plan = tuple[_Advance | None, _Advance | None, _Advance | None]
"""How the book itself, what is recent and what it is worth advance by a kind of event."""


@dataclass(slots=True)
class AccountBook(ReservedHoldings):
    """Mutable fold; `apply` events in journal order, never call it twice for one event."""

    proposals: deque[Proposal] = field(default_factory=deque)
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
        if looks_back is not None:
            looks_back(self.recent, event)
        if values is not None:
            values(self.wealth, event)

    def _fund(self, event: ev.AccountFunded) -> None:
        self.add_cash(event.account, event.cash_usd)

    def _remember_refusal(self, event: ev.IntentJudged) -> None:
        if event.outcome is _REFUSED and event.judge is ev.Judge.GATE:
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
        self.demand_unsent(event.decision_id, to_be="sealed")
        if isinstance(intent, OrderIntent):
            self.reservations[event.decision_id] = _reservation_of(intent)

    def _restate(self, event: ev.TradingStateChanged | ev.TradingResumed) -> None:
        if self.restate(event):
            self.wealth.start_anew(event.scope)

    def _settle(self, event: ev.OrderSettled) -> None:
        self.move(event.client_order_id, OrderStep.SETTLED)
        self.free(event.decision_id, event.quantity, is_over=True)
        if event.price_usd is not None:
            self._book(event, price_usd=event.price_usd)

    def _fill(self, event: ev.OrderFilled) -> bool:
        """Book a trade; return whether it was new."""
        trade = event.trade
        if trade in self.seen_trades:
            return False
        # What a plan sent since an order of it ended is still reserved, whatever that one traded late.
        is_late = self.order_states.get(event.client_order_id) in TERMINAL
        self.move(event.client_order_id, OrderStep.FILLED if event.is_last else OrderStep.PARTLY_FILLED)
        self.seen_trades.add(trade)
        self._book(event, price_usd=event.price_usd, fee_usd=event.fee_usd)
        self.free(event.decision_id, ZERO if is_late else event.quantity, is_over=event.is_last)
        return True

    def _book(
        self, event: ev.OrderFilled | ev.OrderSettled, *, price_usd: Decimal, fee_usd: Decimal = ZERO
    ) -> None:
        owner = (event.account, event.instrument)
        self.trade(
            owner=owner, side=event.side, quantity=event.quantity, price_usd=price_usd, fee_usd=fee_usd
        )

    _ADVANCES: ClassVar[dict[type[Any], Callable[[Any, Any], bool | None]]] = {
        ev.AccountFunded: _fund,
        ev.IntentProposed: _remember_proposal,
        ev.IntentJudged: _remember_refusal,
        ev.EnvelopeSealed: _reserve,
        ev.EnvelopeRejected: ReservedHoldings.reject,
        ev.SendIntended: ReservedHoldings.send,
        ev.OrderMoved: ReservedHoldings.step,
        ev.OrderFilled: _fill,
        ev.OrderSettled: _settle,
        ev.TradingStateChanged: _restate,
        ev.TradingResumed: _restate,
        ExecutionFinished: ReservedHoldings.finish,
        OrderAmended: ReservedHoldings.amend,
    }
    """What moves money, exposure or trading states; every other kind of event moves none of them."""


def _plans(advances: dict[type[Any], Callable[[Any, Any], bool | None]]) -> dict[type[Any], _Plan]:
    """Return what each kind of event moves: the book itself, what is recent, what it is worth."""
    recent, wealth = Recent.ADVANCES, Wealth.ADVANCES
    kinds = (*advances, *recent, *wealth)
    return {kind: (advances.get(kind), recent.get(kind), wealth.get(kind)) for kind in kinds}


_PLANS: Final = _plans(AccountBook._ADVANCES)  # noqa: SLF001 - in its own module
_NO_PLAN: Final[_Plan] = (None, None, None)


def _proposal_of(event: ev.IntentProposed, intent: OrderIntent) -> Proposal:
    scope = (intent.account, intent.venue, intent.instrument)
    return Proposal(event.at, event.decision_id, event.caller, *scope, intent.side, intent.quantity)


def _reservation_of(intent: OrderIntent) -> Reservation:
    scope = (intent.account, intent.venue, intent.instrument)
    wish = wish_of(intent) if intent.execution is not None else None
    return Reservation(*scope, intent.side, intent.quantity, intent.limit_price_usd, wish)


def _forget_before(window: deque[Proposal], horizon: datetime) -> list[str]:
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
