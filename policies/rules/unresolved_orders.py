"""While an order's outcome is unknown, its instrument may only shrink."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule
from policies.shrinking import can_only_shrink
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason

_ID: Final = "unresolved_orders"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    if facts.unresolved_orders <= limits.max_unresolved_orders or can_only_shrink(intent, facts):
        return None
    return Reason(
        code="unresolved_orders",
        rule=_ID,
        limit=str(limits.max_unresolved_orders),
        attempted=str(facts.unresolved_orders),
        overage=str(facts.unresolved_orders - limits.max_unresolved_orders),
        unit="orders",
        fix=f"wait until the executor has found out what became of {intent.instrument}'s open orders",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="adding to a position nobody can state",
    source="SEC Knight Capital order (2012); practice: quarantine is reduce-only",
    codes={"unresolved_orders": "orders of unknown outcome are open in the instrument"},
    check=_check,
)
