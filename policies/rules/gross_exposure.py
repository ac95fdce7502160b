"""Everything held and on order is capped in one currency."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing, over_cap
from policies.sizing import fits_usd
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.verdicts import Reason

_ID: Final = "gross_exposure"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    if intent.side is Side.SELL:
        return None  # a spot sell cannot raise it
    cap_usd, before_usd = limits.max_gross_exposure_usd, facts.gross_exposure_usd
    if before_usd is None or facts.notional_usd is None:
        unpriced = [item.instrument for item in facts.exposures if item.notional_usd is None]
        names = ", ".join(unpriced or [intent.instrument])
        return missing(_ID, f"a price of {names}", fix=f"provide recent prices of {names}")
    stale = _stale_mark(facts, limits)
    if stale is not None:
        return stale
    after_usd = before_usd + facts.notional_usd
    if after_usd <= cap_usd:
        return None
    return over_cap(
        _ID,
        "gross_exposure_exceeded",
        limit=cap_usd,
        attempted=after_usd,
        unit="USD",
        fix=fits_usd(intent, facts, room_usd=cap_usd - before_usd, price_usd=facts.worst_price_usd),
    )


def _stale_mark(facts: Facts, limits: Limits) -> Reason | None:
    if facts.oldest_mark_at is None:
        return None
    age = facts.now - facts.oldest_mark_at
    if age <= timedelta(seconds=limits.max_reference_age_s):
        return None
    return Reason(
        code="stale_mark",
        rule=_ID,
        limit=str(limits.max_reference_age_s),
        attempted=f"{age.total_seconds():.0f}",
        overage=f"{age.total_seconds() - limits.max_reference_age_s:.0f}",
        unit="s",
        fix="provide recent prices of everything that is held",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="risk spread over instruments and accounts until it is too much",
    source="SEC 15c3-5; NI 23-103",
    codes={
        "gross_exposure_exceeded": "all positions and open buys together are worth more than allowed",
        "stale_mark": "a holding's price is older than allowed",
    },
    check=_check,
)
