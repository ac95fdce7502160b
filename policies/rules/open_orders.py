"""The worth of all open orders is capped as if every one of them filled."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing, over_cap
from policies.sizing import fits_usd
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason

_ID: Final = "open_orders"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    cap_usd = limits.max_open_orders_usd
    before_usd = facts.open_orders_usd
    if before_usd is None or facts.notional_usd is None:
        return missing(
            _ID, "what the open orders are worth", fix=f"provide recent prices of {intent.instrument}"
        )
    after_usd = before_usd + facts.notional_usd
    if after_usd <= cap_usd:
        return None
    return over_cap(
        _ID,
        "open_orders_exceeded",
        limit=cap_usd,
        attempted=after_usd,
        unit="USD",
        fix=fits_usd(intent, facts, room_usd=cap_usd - before_usd, price_usd=facts.worst_price_usd),
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="many small orders that add up before any of them fills",
    source="NI 23-103; SEC Knight Capital order (2012)",
    codes={"open_orders_exceeded": "all open orders together are worth more than allowed"},
    check=_check,
)
