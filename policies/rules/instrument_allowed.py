"""Only instruments on the allow-list, and on no deny-list, may be traded."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason

_ID: Final = "instrument_allowed"


def _check(intent: OrderIntent, _facts: Facts, limits: Limits) -> Reason | None:
    permitted = limits.allowed_instruments - limits.denied_instruments
    if intent.instrument in permitted:
        return None
    is_denied = intent.instrument in limits.denied_instruments
    names = ", ".join(sorted(permitted)) or "none"
    return Reason(
        code="instrument_denied" if is_denied else "instrument_not_allowed",
        rule=_ID,
        limit=names,
        attempted=intent.instrument,
        overage="",
        unit="instrument",
        fix=f"choose one of: {names}",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="orders in instruments nobody vetted",
    source="SEC 15c3-5; MiFID II RTS 6 art. 15",
    codes={
        "instrument_not_allowed": "the instrument is not on the allow-list",
        "instrument_denied": "the instrument is on the deny-list",
    },
    check=_check,
)
