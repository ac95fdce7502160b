"""Buys are paid with cash at hand, fees included: no leverage."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule, missing, over_cap
from policies.sizing import fits_usd
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.money import BPS_PER_UNIT
from when_to_invest.verdicts import Reason

_ID: Final = "spot_cash"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    if intent.side is Side.SELL:
        return None
    if facts.cash_usd is None or facts.cost_usd is None:
        return missing(_ID, "the account's cash", fix=f"fund the account {intent.account!r} first")
    with_fees = (BPS_PER_UNIT + limits.fee_reserve_bps) / BPS_PER_UNIT
    room_usd = facts.cash_usd - facts.reserved_buys_usd * with_fees
    needed_usd = facts.cost_usd * with_fees
    if needed_usd <= room_usd:
        return None
    return over_cap(
        _ID,
        "cash_insufficient",
        limit=max(room_usd, Decimal(0)),
        attempted=needed_usd,
        unit="USD",
        fix=fits_usd(intent, facts, room_usd=room_usd, price_usd=intent.limit_price_usd * with_fees),
    )


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="borrowing: buying with money that is not there or already promised",
    source="SEC 15c3-5 (capital thresholds); spot only",
    codes={"cash_insufficient": "cash, less open buys and fees, does not cover the order"},
    check=_check,
)
