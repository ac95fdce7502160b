"""Orders are worth at least what the venue accepts."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing
from when_to_invest.intents import OrderIntent
from when_to_invest.money import decimal_text
from when_to_invest.verdicts import Reason

_ID: Final = "min_notional"


def _check(intent: OrderIntent, facts: Facts, _limits: Limits) -> Reason | None:
    least_usd = facts.min_notional_usd
    if least_usd is None or facts.cost_usd is None:
        return missing(_ID, "the smallest order", fix=f"import data of {intent.instrument} first")
    if facts.cost_usd >= least_usd:
        return None
    return Reason(
        code="below_min_notional",
        rule=_ID,
        limit=decimal_text(least_usd),
        attempted=decimal_text(facts.cost_usd),
        overage=decimal_text(least_usd - facts.cost_usd),
        unit="USD",
        fix=f"at least {decimal_text(least_usd)} USD at the limit price",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="dust that the venue rejects and fees eat",
    source="venue rules",
    codes={"below_min_notional": "the order is worth less than the venue's minimum"},
    check=_check,
)
