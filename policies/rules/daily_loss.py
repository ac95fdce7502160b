"""An account that lost too much today buys nothing more today."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.losses import doubt_about_worth, loss_reason
from policies.rule import Rule
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.verdicts import Reason

_ID: Final = "daily_loss"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    if intent.side is Side.SELL:
        return None  # the way out stays open
    doubt = doubt_about_worth(_ID, intent=intent, facts=facts, limits=limits)
    if doubt is not None or facts.equity_usd is None or facts.day_start_equity_usd is None:
        return doubt
    return loss_reason(
        _ID,
        "daily_loss_exceeded",
        before_usd=facts.day_start_equity_usd,
        now_usd=facts.equity_usd,
        cap_bps=limits.max_daily_loss_bps,
        fix="sell, or wait for the next UTC day and have people resume the account",
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="throwing money after a bad day, or after a model that has broken",
    source="practice: daily loss limits; FIA guide to automated trading controls",
    codes={
        "daily_loss_exceeded": "the account is worth too much less than when the UTC day began",
        "daily_loss_stale": "the account's worth, or a price in it, is older than allowed",
    },
    check=_check,
)
