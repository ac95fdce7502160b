"""One order's quantity is capped."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, over_cap
from policies.sizing import fits_quantity
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason

_ID: Final = "order_quantity"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    cap = limits.max_order_quantity
    if intent.quantity <= cap:
        return None
    largest = cap if facts.lot_size is None else cap // facts.lot_size * facts.lot_size
    return over_cap(
        _ID,
        "order_quantity_exceeded",
        limit=cap,
        attempted=intent.quantity,
        unit="base units",
        fix=fits_quantity(intent, largest),
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="fat-fingered quantities, and base units taken for dollars",
    source="SEC 15c3-5; MiFID II RTS 6 art. 15(1)(c)",
    codes={"order_quantity_exceeded": "the order holds more base units than allowed"},
    check=_check,
)
