"""Limit prices are whole ticks."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing
from when_to_invest.intents import OrderIntent
from when_to_invest.money import decimal_text
from when_to_invest.verdicts import Reason

_ID: Final = "tick_size"


def _check(intent: OrderIntent, facts: Facts, _limits: Limits) -> Reason | None:
    tick_usd = facts.tick_size_usd
    if tick_usd is None:
        return missing(_ID, "the tick size", fix=f"import data of {intent.instrument} first")
    excess_usd = intent.limit_price_usd % tick_usd
    if not excess_usd:
        return None
    below_usd = intent.limit_price_usd - excess_usd
    passing = (decimal_text(usd) for usd in (below_usd, below_usd + tick_usd) if usd)
    return Reason(
        code="off_tick",
        rule=_ID,
        limit=decimal_text(tick_usd),
        attempted=decimal_text(intent.limit_price_usd),
        overage=decimal_text(excess_usd),
        unit="USD",
        fix=f"a limit price of {' or '.join(passing)} USD",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="prices the venue would round or reject",
    source="venue rules; SEC 15c3-5 (erroneous orders)",
    codes={"off_tick": "the limit price is no multiple of the tick size"},
    check=_check,
)
