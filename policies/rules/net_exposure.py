"""Longs less shorts are capped, of one instrument and of all together."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing, over_cap
from policies.sizing import fits_usd
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.verdicts import Reason

_ID: Final = "net_exposure"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    if intent.side is Side.SELL:
        return None  # what is sold is held: it takes off the longs
    own_usd, all_usd, order_usd = facts.net_of(intent.instrument), facts.net_exposure_usd, facts.notional_usd
    if own_usd is None or all_usd is None or order_usd is None:
        return missing(_ID, "what is held is worth", fix="provide recent prices of everything that is held")
    levels = (
        ("net_position_exceeded", own_usd, limits.max_net_position_usd),
        ("net_exposure_exceeded", all_usd, limits.max_net_exposure_usd),
    )
    for code, before_usd, cap_usd in levels:
        if before_usd + order_usd > cap_usd:
            return over_cap(
                _ID,
                code,
                limit=cap_usd,
                attempted=before_usd + order_usd,
                unit="USD",
                fix=fits_usd(intent, facts, room_usd=cap_usd - before_usd, price_usd=facts.worst_price_usd),
            )
    return None


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="a bet in one direction that gross figures alone do not show",
    source="SEC 15c3-5; MiFID II RTS 6 art. 15",
    codes={
        "net_position_exceeded": "the instrument's longs less shorts would be worth more than allowed",
        "net_exposure_exceeded": "all longs less shorts together would be worth more than allowed",
    },
    check=_check,
)
