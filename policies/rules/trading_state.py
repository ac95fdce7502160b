"""A halted scope trades nothing; a reducing one only sells what is held."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule
from policies.shrinking import can_only_shrink
from when_to_invest.breakers import TradingState
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason

_ID: Final = "trading_state"


def _check(intent: OrderIntent, facts: Facts, _limits: Limits) -> Reason | None:
    match facts.trading_state:
        case TradingState.ACTIVE:
            return None
        case TradingState.REDUCING:
            if can_only_shrink(intent, facts):
                return None
            return _objection("only_reducing", "reducing", "sell at most what is held")
        case _:
            return _objection("trading_halted", "halted", "no order passes in this home while it is halted")


def _objection(code: str, state: str, fix: str) -> Reason:
    return Reason(code=code, rule=_ID, limit=state, attempted="order", overage="", unit="state", fix=fix)


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="trading on after a breaker tripped or a person pulled the kill switch",
    source="MiFID II RTS 6 art. 12; SEC 15c3-5",
    codes={
        "trading_halted": "system, account, venue or instrument is halted: only cancels pass",
        "only_reducing": "only orders that shrink a position pass",
    },
    check=_check,
)
