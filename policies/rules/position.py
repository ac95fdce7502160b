"""One instrument's position is capped, counting every open buy as filled."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing, over_cap
from policies.sizing import fits_usd
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.verdicts import Reason

_ID: Final = "position"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    if intent.side is Side.SELL:
        return None  # a spot sell cannot raise it
    cap_usd = limits.max_position_notional_usd
    before_usd = facts.exposure_of(intent.instrument)
    if before_usd is None or facts.notional_usd is None:
        return missing(_ID, "what the position is worth", fix=f"provide recent prices of {intent.instrument}")
    after_usd = before_usd + facts.notional_usd
    if after_usd <= cap_usd:
        return None
    return over_cap(
        _ID,
        "position_exceeded",
        limit=cap_usd,
        attempted=after_usd,
        unit="USD",
        fix=fits_usd(intent, facts, room_usd=cap_usd - before_usd, price_usd=facts.worst_price_usd),
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="a position built out of orders that each look harmless",
    source="SEC 15c3-5; MiFID II RTS 6 art. 15",
    codes={"position_exceeded": "the position would be worth more than allowed"},
    check=_check,
)
