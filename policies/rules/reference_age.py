"""A price that is too old, or from the future, is no price."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason

_ID: Final = "reference_age"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    fix = f"wait for, or import, newer prices of {intent.instrument}"
    if facts.reference_known_at is None:
        return missing(_ID, "the age of the reference price", fix=fix)
    age = facts.now - facts.reference_known_at
    if -age > timedelta(seconds=limits.max_clock_skew_s):
        return _objection("reference_from_future", limits.max_clock_skew_s, -age, "s ahead", fix)
    if age > timedelta(seconds=limits.max_reference_age_s):
        return _objection("stale_reference", limits.max_reference_age_s, age, "s", fix)
    return None


def _objection(code: str, limit_s: int, attempted: timedelta, unit: str, fix: str) -> Reason:
    seconds = attempted.total_seconds()
    return Reason(
        code=code,
        rule=_ID,
        limit=str(limit_s),
        attempted=f"{seconds:.0f}",
        overage=f"{seconds - limit_s:.0f}",
        unit=unit,
        fix=fix,
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="sizes and collars measured against yesterday's market",
    source="NI 23-103; practice: maximum age per source",
    codes={
        "stale_reference": "the reference price is older than allowed",
        "reference_from_future": "the reference price is stamped later than now",
    },
    check=_check,
)
