"""An old idea, one stamped in the future, or one whose recommendation expired is void."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason

_ID: Final = "intent_age"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    if intent.proposed_at.tzinfo is None:
        return missing(_ID, "when the intent was proposed", fix="stamp the intent in UTC")
    expiry = facts.recommendation_expires_at
    if expiry is None and intent.recommendation_id is not None:
        return missing(_ID, "until when the recommendation counts", fix="cite one that is recorded, or none")
    if expiry is not None and facts.now >= expiry:
        return _objection("recommendation_expired", expiry.isoformat(), facts.now.isoformat(), "instant")
    age = facts.now - intent.proposed_at
    if age > timedelta(seconds=limits.max_intent_age_s):
        return _objection("intent_expired", str(limits.max_intent_age_s), f"{age.total_seconds():.0f}", "s")
    if -age > timedelta(seconds=limits.max_clock_skew_s):
        skew = f"{-age.total_seconds():.0f}"
        return _objection("intent_from_future", str(limits.max_clock_skew_s), skew, "s ahead")
    return None


def _objection(code: str, limit: str, attempted: str, unit: str) -> Reason:
    return Reason(
        code=code,
        rule=_ID,
        limit=limit,
        attempted=attempted,
        overage="",
        unit=unit,
        fix="ask for a fresh recommendation and propose again",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="ideas executed after the reasons for them have gone",
    source="MiFID II RTS 6 art. 15; practice: expiry of every authorisation",
    codes={
        "intent_expired": "the intent is older than allowed",
        "intent_from_future": "the intent is stamped later than now",
        "recommendation_expired": "the recommendation behind the intent has expired",
    },
    check=_check,
)
