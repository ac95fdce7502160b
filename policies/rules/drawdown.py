"""An account that fell too far from its peak buys nothing more."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.losses import doubt_about_worth, loss_reason
from policies.rule import Rule
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.verdicts import Reason

_ID: Final = "drawdown"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    if intent.side is Side.SELL:
        return None  # the way out stays open
    doubt = doubt_about_worth(_ID, intent=intent, facts=facts, limits=limits)
    if doubt is not None or facts.equity_usd is None or facts.peak_equity_usd is None:
        return doubt
    return loss_reason(
        _ID,
        "drawdown_exceeded",
        before_usd=facts.peak_equity_usd,
        now_usd=facts.equity_usd,
        cap_bps=limits.max_drawdown_bps,
        fix="sell, or have people resume the account, from where losses are counted anew",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="a slow bleed that no single day shows",
    source="practice: drawdown limits; FIA guide to automated trading controls",
    codes={
        "drawdown_exceeded": "the account is worth too much less than at its highest",
        "drawdown_stale": "the account's worth, or a price in it, is older than allowed",
    },
    check=_check,
)
