"""The same idea is not executed again and again without people looking."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason

_ID: Final = "repeated_executions"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    most, attempted = limits.max_repeated_executions, facts.repeated_last_hour + 1
    if attempted <= most:
        return None
    return Reason(
        code="repeated_executions_exceeded",
        rule=_ID,
        limit=str(most),
        attempted=str(attempted),
        overage=str(attempted - most),
        unit=f"{intent.side.value} orders of {intent.instrument} in an hour",
        fix="have people look at the strategy and resume the instrument",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="a strategy that loops within every other limit",
    source="MiFID II RTS 6 art. 15(3) (repeated automated execution throttle)",
    codes={"repeated_executions_exceeded": "too many orders of one instrument and side in an hour"},
    check=_check,
)
