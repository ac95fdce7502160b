"""A limit price stays near the independent reference, on both sides."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from policies.exactness import bps_beyond
from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.money import BPS_PER_UNIT, decimal_text
from when_to_invest.verdicts import Reason

_ID: Final = "price_collar"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    reference_usd = facts.reference_price_usd
    if reference_usd is None or reference_usd <= 0:
        return missing(_ID, "the reference price", fix=f"provide recent prices of {intent.instrument}")
    is_buy = intent.side is Side.BUY
    above_bps = limits.price_collar_bps if is_buy else limits.passive_collar_bps
    below_bps = limits.passive_collar_bps if is_buy else limits.price_collar_bps
    highest_usd = reference_usd * (BPS_PER_UNIT + above_bps) / BPS_PER_UNIT
    lowest_usd = reference_usd * (BPS_PER_UNIT - below_bps) / BPS_PER_UNIT
    price_usd = intent.limit_price_usd
    if lowest_usd <= price_usd <= highest_usd:
        return None
    is_above = price_usd > highest_usd
    beyond_bps = bps_beyond(price_usd, reference_usd) * (1 if is_above else -1)
    limit_bps = above_bps if is_above else below_bps
    return Reason(
        code="price_worse_than_collar" if is_above is is_buy else "price_far_from_market",
        rule=_ID,
        limit=decimal_text(limit_bps),
        attempted=decimal_text(beyond_bps),
        overage=decimal_text(beyond_bps - limit_bps),
        unit=f"bps {'above' if is_above else 'below'} reference",
        fix=_fix(lowest_usd, highest_usd, facts.tick_size_usd),
    )


def _fix(lowest_usd: Decimal, highest_usd: Decimal, tick_usd: Decimal | None) -> str:
    if tick_usd is None:
        return "ask again when the instrument's tick size is known"
    # Rounded inwards to the tick, so that both ends pass.
    beyond_usd = lowest_usd % tick_usd
    lowest_usd += tick_usd - beyond_usd if beyond_usd else Decimal(0)
    highest_usd -= highest_usd % tick_usd
    if lowest_usd > highest_usd:
        return (
            f"no price passes: the instrument's tick of {decimal_text(tick_usd)} USD is wider than the collar"
        )
    return f"a limit price between {decimal_text(lowest_usd)} and {decimal_text(highest_usd)} USD"


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="fat-fingered prices, and prices set by whoever wants the trade",
    source="SEC 15c3-5; MiFID II RTS 6 art. 15(1)(a)",
    codes={
        "price_worse_than_collar": "the limit gives away more than the collar allows",
        "price_far_from_market": "the limit lies absurdly far on the passive side",
    },
    check=_check,
)
