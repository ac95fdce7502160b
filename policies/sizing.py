"""The largest order that would pass a rule, in words. Stage: gate, for the reasons' `fix`."""

from __future__ import annotations

from decimal import Decimal

from policies.facts import Facts
from when_to_invest.intents import OrderIntent
from when_to_invest.money import decimal_text


def fits_usd(intent: OrderIntent, facts: Facts, *, room_usd: Decimal, price_usd: Decimal | None) -> str:
    """Say how many base units at `price_usd` fit into `room_usd`."""
    if facts.lot_size is None or not price_usd:
        return "ask again when instrument and reference price are known"
    step_usd = price_usd * facts.lot_size
    return fits_quantity(intent, max(room_usd, Decimal(0)) // step_usd * facts.lot_size)


def fits_quantity(intent: OrderIntent, quantity: Decimal) -> str:
    """Say that at most `quantity` base units fit."""
    if quantity <= 0:
        return f"no {intent.side.value} of {intent.instrument} fits now"
    return f"at most {decimal_text(quantity)} of {intent.instrument} at this price"
