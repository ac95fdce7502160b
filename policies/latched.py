"""Facts under a local latch: the kill switch counts before the journal has heard of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from policies.facts import Facts
from when_to_invest.breakers import Halt, TradingState, permits, scopes_of, state_under, strictest
from when_to_invest.intents import ChainIntent, OrderIntent, Side
from when_to_invest.portfolio import AccountBook


def under_latch(facts: Facts, intent: OrderIntent | ChainIntent, halts: Iterable[Halt]) -> Facts:
    """Return `facts` with a trading state as strict as the strictest of `halts` that covers `intent`."""
    if not isinstance(intent, OrderIntent):
        return facts
    latched = state_under(halts, scopes=_scopes(intent))
    return facts.model_copy(update={"trading_state": strictest(facts.trading_state, latched)})


def may_go(intent: OrderIntent, book: AccountBook, halts: Iterable[Halt]) -> bool:
    """Return whether an order that passed the gate may leave, under the journal's state and `halts`.

    What passed the gate sells no more than is held, so a sale shrinks and a purchase does not.
    """
    return permits(state_of(intent, book, halts), is_shrinking=intent.side is Side.SELL)


def state_of(intent: OrderIntent, book: AccountBook, halts: Iterable[Halt]) -> TradingState:
    """Return the state of everything that an order stands in, by the journal or by `halts`."""
    present = book.trading_state(account=intent.account, venue=intent.venue, instrument=intent.instrument)
    return strictest(present, state_under(halts, scopes=_scopes(intent)))


def is_from_before(intent: OrderIntent, book: AccountBook, *, sealed_at: datetime) -> bool:
    """Return whether a halt that covers `intent` was lifted after it was sealed."""
    resumed = (book.standing.resumed_at.get(scope) for scope in _scopes(intent))
    return any(at is not None and at >= sealed_at for at in resumed)


def _scopes(intent: OrderIntent) -> tuple[str, ...]:
    return scopes_of(account=intent.account, venue=intent.venue, instrument=intent.instrument)
