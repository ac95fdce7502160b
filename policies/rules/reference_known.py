"""Without an independent price nothing is judged."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason

_ID: Final = "reference_known"


def _check(intent: OrderIntent, facts: Facts, _limits: Limits) -> Reason | None:
    price_usd = facts.reference_price_usd
    if price_usd is not None and price_usd > 0 and facts.reference_known_at and facts.reference_source:
        return None
    return missing(_ID, "the reference price", fix=f"provide recent prices of {intent.instrument}")


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="size guards that pass what they cannot price; a proposer's own price as its yardstick",
    source="NI 23-103; SEC 15c3-5",
    codes={},
    check=_check,
)
