"""An order may carry a plan only of a kind that the executor works by; an empty list means none."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule
from when_to_invest.execution import WORKED_KINDS
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason

_ID: Final = "execution_worked"


def _check(intent: OrderIntent, _facts: Facts, _limits: Limits) -> Reason | None:
    if intent.execution is None or intent.execution.kind in WORKED_KINDS:
        return None
    worked = ", ".join(sorted(WORKED_KINDS)) or "none"
    return Reason(
        code="execution_not_worked",
        rule=_ID,
        limit=worked,
        attempted=intent.execution.kind,
        overage="",
        unit="kind of plan",
        fix=f"leave the plan out, or use one of: {worked}",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="orders with a plan that nobody would follow: all at once what was to be spread",
    source="MiFID II RTS 6 art. 5",
    codes={"execution_not_worked": "the executor works no orders by this kind of plan"},
    check=_check,
)
