"""The same proposer does not ask for the same thing twice in a short while."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason

_ID: Final = "duplicate"


def _check(_intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    if facts.proposed_at is None:
        return missing(_ID, "when the intent was proposed", fix="propose again")
    if facts.duplicate_at is None:
        return None
    gap = facts.proposed_at - facts.duplicate_at
    window = timedelta(seconds=limits.duplicate_window_s)
    if gap >= window:
        return None
    gap_s = gap.total_seconds()
    return Reason(
        code="duplicate_intent",
        rule=_ID,
        limit=str(limits.duplicate_window_s),
        attempted=f"{gap_s:.0f}",
        overage=f"{limits.duplicate_window_s - gap_s:.0f}",
        unit="s since the same proposal",
        fix=f"look at the earlier decision; wait {(window - gap).total_seconds():.0f} s to repeat it",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="retries and loops that place one idea many times",
    source="SEC 15c3-5 (duplicative orders)",
    codes={"duplicate_intent": "the same proposer asked for the same order moments ago"},
    check=_check,
)
