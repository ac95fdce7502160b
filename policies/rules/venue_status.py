"""A venue that does not trade gets no buys."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.venue_status import TradingStatus
from when_to_invest.verdicts import Reason

_ID: Final = "venue_status"


_TRADING: Final = frozenset({TradingStatus.OPEN, TradingStatus.CLOSED})


def _check(intent: OrderIntent, facts: Facts, _limits: Limits) -> Reason | None:
    status = facts.venue_status
    if intent.side is Side.SELL or status is None or status in _TRADING:
        return None
    return Reason(
        code="venue_not_trading",
        rule=_ID,
        limit="open or closed for the night",
        attempted=status.value,
        overage="",
        unit="status",
        fix=f"wait until {intent.venue} trades again",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="orders into a venue that has halted or does not answer",
    source="SEC 15c3-5; MiFID II RTS 6 art. 16 (real-time monitoring)",
    codes={"venue_not_trading": "the venue has halted trading or does not answer"},
    check=_check,
)
