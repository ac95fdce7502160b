"""One order's worth is capped, at the worse of its limit and the reference."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing, over_cap
from policies.sizing import fits_usd
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason

_ID: Final = "order_notional"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    cap_usd = limits.max_order_notional_usd
    if facts.notional_usd is None:
        fix = f"provide recent prices of {intent.instrument}"
        return missing(_ID, "what the order is worth", fix=fix)
    if facts.notional_usd <= cap_usd:
        return None
    return over_cap(
        _ID,
        "order_notional_exceeded",
        limit=cap_usd,
        attempted=facts.notional_usd,
        unit="USD",
        fix=fits_usd(intent, facts, room_usd=cap_usd, price_usd=facts.worst_price_usd),
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="one order that is too large; limit orders priced at a lower quote",
    source="SEC 15c3-5; MiFID II RTS 6 art. 15(1)(b)",
    codes={"order_notional_exceeded": "the order is worth more than allowed"},
    check=_check,
)
