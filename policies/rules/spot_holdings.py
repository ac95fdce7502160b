"""Sells are covered by what is held and not yet promised: no short selling."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, over_cap
from policies.sizing import fits_quantity
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.verdicts import Reason

_ID: Final = "spot_holdings"


def _check(intent: OrderIntent, facts: Facts, _limits: Limits) -> Reason | None:
    if intent.side is Side.BUY:
        return None
    free = max(facts.held_quantity - facts.reserved_sells_quantity, Decimal(0))
    if intent.quantity <= free:
        return None
    largest = free if facts.lot_size is None else free // facts.lot_size * facts.lot_size
    return over_cap(
        _ID,
        "holdings_insufficient",
        limit=free,
        attempted=intent.quantity,
        unit="base units",
        fix=fits_quantity(intent, largest),
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="short selling, and selling the same holding twice",
    source="SEC Regulation SHO; spot only",
    codes={"holdings_insufficient": "holdings, less open sells, do not cover the order"},
    check=_check,
)
