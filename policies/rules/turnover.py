"""What is traded in any 24 hours is capped."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing, over_cap
from policies.sizing import fits_usd
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason

_ID: Final = "turnover"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    cap_usd = limits.max_turnover_24h_usd
    before_usd = facts.turnover_24h_usd
    if facts.notional_usd is None:
        return missing(_ID, "what the order is worth", fix=f"provide recent prices of {intent.instrument}")
    after_usd = before_usd + facts.notional_usd
    if after_usd <= cap_usd:
        return None
    return over_cap(
        _ID,
        "turnover_exceeded",
        limit=cap_usd,
        attempted=after_usd,
        unit="USD",
        fix=fits_usd(intent, facts, room_usd=cap_usd - before_usd, price_usd=facts.worst_price_usd),
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="churning, and loops that buy and sell all day",
    source="MiFID II RTS 6 art. 15; practice: rolling turnover",
    codes={"turnover_exceeded": "24 hours' turnover would exceed its cap"},
    check=_check,
)
