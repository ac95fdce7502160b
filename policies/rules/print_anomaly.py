"""Where the venue's last trade disagrees with independent data nothing is bought."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.money import BPS_PER_UNIT, decimal_text
from when_to_invest.verdicts import Reason

_ID: Final = "print_anomaly"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    if intent.side is Side.SELL or facts.last_print_usd is None:
        return None  # without a trade of the last day there is nothing to compare
    outside, growth = facts.print_outside_ratio, facts.market_growth
    if outside is None or growth is None:
        return missing(_ID, "the range to compare with", fix=f"provide two sessions of {intent.instrument}")
    cap_bps, outside_bps = limits.max_print_deviation_bps * growth, outside * BPS_PER_UNIT
    if outside_bps <= cap_bps:
        return None
    return Reason(
        code="print_disagrees",
        rule=_ID,
        limit=decimal_text(cap_bps),
        attempted=decimal_text(outside_bps),
        overage=decimal_text(outside_bps - cap_bps),
        unit="bps outside the session's range",
        fix=f"have people compare {intent.venue} with the data, or provide newer data",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="trading on a feed or a venue that has gone wrong",
    source="MiFID II RTS 6 art. 13 and 16; practice: own anomaly breaker",
    codes={"print_disagrees": "our last trade at the venue lies far outside the independent range"},
    check=_check,
)
