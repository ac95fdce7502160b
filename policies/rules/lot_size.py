"""Quantities are whole lots."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing
from policies.sizing import fits_quantity
from when_to_invest.intents import OrderIntent
from when_to_invest.money import decimal_text
from when_to_invest.verdicts import Reason

_ID: Final = "lot_size"


def _check(intent: OrderIntent, facts: Facts, _limits: Limits) -> Reason | None:
    if facts.lot_size is None:
        return missing(_ID, "the lot size", fix=f"import data of {intent.instrument} first")
    excess = intent.quantity % facts.lot_size
    if not excess:
        return None
    return Reason(
        code="off_lot",
        rule=_ID,
        limit=decimal_text(facts.lot_size),
        attempted=decimal_text(intent.quantity),
        overage=decimal_text(excess),
        unit="base units",
        fix=fits_quantity(intent, intent.quantity - excess),
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="quantities the venue would round or reject",
    source="venue rules; SEC 15c3-5 (erroneous orders)",
    codes={"off_lot": "the quantity is no multiple of the lot size"},
    check=_check,
)
