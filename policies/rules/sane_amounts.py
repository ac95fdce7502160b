"""Amounts are positive, finite numbers, whatever built the intent."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule
from when_to_invest.intents import OrderIntent
from when_to_invest.money import LARGEST_AMOUNT
from when_to_invest.verdicts import Reason

_ID: Final = "sane_amounts"


def _check(intent: OrderIntent, _facts: Facts, _limits: Limits) -> Reason | None:
    for name, amount in (("quantity", intent.quantity), ("limit_price_usd", intent.limit_price_usd)):
        is_number = type(amount) is Decimal and amount.is_finite()
        if not is_number or not 0 < amount <= LARGEST_AMOUNT:
            return Reason(
                code="insane_amount",
                rule=_ID,
                limit=f"above 0, at most {LARGEST_AMOUNT:f}",
                attempted=str(amount)[:40],
                overage="",
                unit=name,
                fix=f"give {name} as a positive, finite number",
            )
    return None


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="NaN, infinite, zero or negative amounts that pass comparisons by accident",
    source="practice: a comparison with NaN is false both ways",
    codes={"insane_amount": "quantity or price is no positive, finite number"},
    check=_check,
)
