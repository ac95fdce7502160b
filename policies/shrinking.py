"""Whether an order can only make a position smaller. Stage: gate, for reduce-only states."""

from __future__ import annotations

from policies.facts import Facts
from when_to_invest.intents import OrderIntent, Side


def can_only_shrink(intent: OrderIntent, facts: Facts) -> bool:
    """Return whether it sells no more than is held and not yet promised."""
    free = facts.held_quantity - facts.reserved_sells_quantity
    return intent.side is Side.SELL and 0 < intent.quantity <= free
