"""The process's own catalogue must know the instrument as tradable."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason

_ID: Final = "instrument_known"


def _check(intent: OrderIntent, facts: Facts, _limits: Limits) -> Reason | None:
    if facts.is_tradable is None:
        return missing(_ID, "the instrument", fix=f"import data of {intent.instrument} first")
    if facts.is_tradable:
        return None
    return Reason(
        code="not_tradable",
        rule=_ID,
        limit="tradable instruments",
        attempted=intent.instrument,
        overage="",
        unit="instrument",
        fix=f"{intent.instrument} can be analysed only; choose a tradable instrument",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="orders whose lot, tick and session nobody knows",
    source="SEC 15c3-5 (erroneous orders)",
    codes={"not_tradable": "the instrument is for analysis only"},
    check=_check,
)
