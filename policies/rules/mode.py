"""An intent of one mode is never judged, or executed, in another."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason

_ID: Final = "mode"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    if intent.mode is facts.mode and intent.mode in limits.allowed_modes:
        return None
    allowed = facts.mode.value if facts.mode in limits.allowed_modes else "none"
    return Reason(
        code="wrong_mode",
        rule=_ID,
        limit=allowed,
        attempted=intent.mode.value,
        overage="",
        unit="mode",
        fix=f"propose in mode {allowed}" if allowed != "none" else "this process may not trade in its mode",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="replayed or paper ideas that reach real money, or the other way round",
    source="practice: dry-run flags that reached real capital",
    codes={"wrong_mode": "the intent's mode is not this process's, or is not allowed"},
    check=_check,
)
