"""Orders that together are large wait for the signatures that one large order would need."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Hold, HoldRule, missing
from policies.signers import signers_besides
from policies.sizing import fits_usd
from when_to_invest.intents import OrderIntent
from when_to_invest.money import decimal_text
from when_to_invest.verdicts import Reason

_ID: Final = "split_orders"


@dataclass(frozen=True, slots=True)
class _Level:
    """Above `threshold_usd`, `needed` people sign what fewer had signed before."""

    needed: int
    before_usd: Decimal
    threshold_usd: Decimal
    code: str


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Hold | None:
    if facts.notional_usd is None:
        reason = missing(_ID, "what the order is worth", fix=f"provide recent prices of {intent.instrument}")
        return Hold(reason, approvals_needed=2)
    signed = len(signers_besides(facts.approvers, {intent.proposer}))
    for level in _levels(facts, limits):
        after_usd = level.before_usd + facts.notional_usd
        # An order that is too large by itself is the business of `approvals`.
        if level.before_usd and after_usd > level.threshold_usd and signed < level.needed:
            return _hold(level, intent=intent, facts=facts, after_usd=after_usd, signed=signed)
    return None


def _levels(facts: Facts, limits: Limits) -> tuple[_Level, ...]:
    """Return the levels, those that need most people first."""
    own, every = "split_approval_needed", "total_approval_needed"
    return (
        _Level(2, facts.own_undersigned_24h_usd, limits.second_approval_notional_usd, own),
        _Level(2, facts.all_undersigned_24h_usd, limits.second_approval_total_24h_usd, every),
        _Level(1, facts.own_unsigned_24h_usd, limits.approval_notional_usd, own),
        _Level(1, facts.all_unsigned_24h_usd, limits.approval_total_24h_usd, every),
    )


def _hold(level: _Level, *, intent: OrderIntent, facts: Facts, after_usd: Decimal, signed: int) -> Hold:
    room_usd = level.threshold_usd - level.before_usd
    unsigned = fits_usd(intent, facts, room_usd=room_usd, price_usd=facts.worst_price_usd)
    return Hold(
        Reason(
            code=level.code,
            rule=_ID,
            limit=decimal_text(level.threshold_usd),
            attempted=decimal_text(after_usd),
            overage=decimal_text(after_usd - level.threshold_usd),
            unit="USD in 24 h",
            fix=f"{level.needed - signed} more signature(s) by people other than {intent.proposer}; "
            f"without: {unsigned}",
        ),
        approvals_needed=level.needed,
    )


RULE: Final[HoldRule[OrderIntent]] = HoldRule(
    id=_ID,
    guards="one large order split into many small ones that no person sees",
    source="practice: wallets' policy engines (cumulative limits); MiFID II RTS 6 art. 15",
    codes={
        "split_approval_needed": "with the day's other orders of this instrument and side, people must sign",
        "total_approval_needed": "with all of the day's other orders, people must sign",
    },
    check=_check,
)
