"""While the whole market has fallen through a halt level nothing is bought."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing
from policies.turbulence import INDEXES
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.money import BPS_PER_UNIT, decimal_text
from when_to_invest.verdicts import Reason

_ID: Final = "market_halt"


_LEVELS: Final = (Decimal(700), Decimal(1_300), Decimal(2_000))
"""NYSE rule 7.12, in bps below the close before; the first one refuses."""


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    if intent.side is Side.SELL:
        return None  # the way out stays open
    fall, growth = facts.market_fall_ratio, facts.market_growth
    if fall is None or growth is None:
        sources = f"{intent.instrument} and of one of {', '.join(INDEXES)}"
        return missing(_ID, "how far the market fell", fix=f"provide the newest session of {sources}")
    cap_bps, fallen_bps = limits.market_halt_bps * growth, fall * BPS_PER_UNIT
    if fallen_bps < cap_bps:
        return None
    level = max(1, sum(fallen_bps >= level_bps * growth for level_bps in _LEVELS))
    return Reason(
        code="market_halted",
        rule=_ID,
        limit=decimal_text(cap_bps),
        attempted=decimal_text(fallen_bps),
        overage=decimal_text(fallen_bps - cap_bps),
        unit=f"bps below the close before (level {level} of {len(_LEVELS)})",
        fix="buy after a session that ends above the halt level",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="buying in a market that has stopped, or should have",
    source="NYSE rule 7.12 (7, 13 and 20 %), scaled to the asset's volatility",
    codes={"market_halted": "the market fell through a market-wide halt level in its newest session"},
    check=_check,
)
