"""No chain intent passes until chain rules exist."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule
from when_to_invest.intents import ChainIntent
from when_to_invest.verdicts import Reason

_ID: Final = "chain_writes"


def _check(intent: ChainIntent, _facts: Facts, _limits: Limits) -> Reason | None:
    return Reason(
        code="chain_writes_not_enabled",
        rule=_ID,
        limit="none",
        attempted=f"chain {intent.chain_id}",
        overage="",
        unit="chain",
        fix="propose an order on an allowed venue; transfers cannot be proposed yet",
    )


RULE: Final[Rule[ChainIntent]] = Rule(
    id=_ID,
    guards="transfers, which no rule can judge yet",
    source="deny by default",
    codes={"chain_writes_not_enabled": "transfers on chains are not enabled"},
    check=_check,
)
