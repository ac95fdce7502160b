"""An order never meets one of our own at the venue."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.money import decimal_text
from when_to_invest.verdicts import Reason

_ID: Final = "self_trade"


def _check(intent: OrderIntent, facts: Facts, _limits: Limits) -> Reason | None:
    is_buy = intent.side is Side.BUY
    other_usd = facts.lowest_own_sell_usd if is_buy else facts.highest_own_buy_usd
    if other_usd is None:
        return None
    beyond_usd = intent.limit_price_usd - other_usd if is_buy else other_usd - intent.limit_price_usd
    if beyond_usd < 0:
        return None
    return Reason(
        code="would_trade_with_itself",
        rule=_ID,
        limit=decimal_text(other_usd),
        attempted=decimal_text(intent.limit_price_usd),
        overage=decimal_text(beyond_usd),
        unit="USD a unit",
        fix=f"a limit price {'below' if is_buy else 'above'} {decimal_text(other_usd)} USD, or cancel the "
        f"open {'sell' if is_buy else 'buy'} of {intent.instrument} first",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="wash trades: buying from oneself, at a fee and with a false print",
    source="FIA guide to automated trading controls (self-match prevention); MAR art. 12 (wash trades)",
    codes={"would_trade_with_itself": "an open order of ours on the other side would match it"},
    check=_check,
)
