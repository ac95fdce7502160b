"""After a session that left the instrument's price band nothing is bought."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.money import BPS_PER_UNIT, decimal_text
from when_to_invest.verdicts import Reason

_ID: Final = "price_band"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    if intent.side is Side.SELL:
        return None  # the way out stays open
    fall, rise, band = facts.session_fall_ratio, facts.session_rise_ratio, facts.price_band_ratio
    if fall is None or rise is None or band is None:
        return missing(_ID, "how far the session went", fix=f"provide two sessions of {intent.instrument}")
    cap_bps = min(band * BPS_PER_UNIT, limits.max_price_band_bps)
    moved_bps = max(fall, rise) * BPS_PER_UNIT
    if moved_bps < cap_bps:
        return None
    return Reason(
        code="price_band_touched",
        rule=_ID,
        limit=decimal_text(cap_bps),
        attempted=decimal_text(moved_bps),
        overage=decimal_text(moved_bps - cap_bps),
        unit=f"bps {'below' if fall >= rise else 'above'} the close before",
        fix="buy after a session that stays within the band",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="buying into a price that is running away",
    source="US limit-up-limit-down plan (5, 10 and 20 %), scaled to the asset's volatility",
    codes={"price_band_touched": "the newest session left the instrument's price band"},
    check=_check,
)
