"""Orders go only to venues on the allow-list; an empty list means none."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason

_ID: Final = "venue_allowed"


def _check(intent: OrderIntent, _facts: Facts, limits: Limits) -> Reason | None:
    if intent.venue in limits.allowed_venues:
        return None
    allowed = ", ".join(sorted(limits.allowed_venues)) or "none"
    return Reason(
        code="venue_not_allowed",
        rule=_ID,
        limit=allowed,
        attempted=intent.venue,
        overage="",
        unit="venue",
        fix=f"use one of: {allowed}",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="orders sent to a venue nobody vetted",
    source="SEC 15c3-5; MiFID II RTS 6 art. 15",
    codes={"venue_not_allowed": "the venue is not on the allow-list"},
    check=_check,
)
