"""Large orders wait for people's signatures; two above the second threshold."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Hold, HoldRule, missing
from policies.signers import signers_besides
from when_to_invest.intents import OrderIntent
from when_to_invest.money import decimal_text
from when_to_invest.verdicts import Reason

_ID: Final = "approvals"


def _check(intent: OrderIntent, facts: Facts, limits: Limits) -> Hold | None:
    thresholds_usd = (limits.approval_notional_usd, limits.second_approval_notional_usd)
    if facts.notional_usd is None:
        reason = missing(_ID, "what the order is worth", fix=f"provide recent prices of {intent.instrument}")
        return Hold(reason, approvals_needed=len(thresholds_usd))
    passed = [(n, usd) for n, usd in enumerate(thresholds_usd, start=1) if facts.notional_usd > usd]
    if not passed:
        return None
    needed, threshold_usd = passed[-1]
    signed = len(signers_besides(facts.approvers, {intent.proposer}))
    if signed >= needed:
        return None
    return Hold(
        Reason(
            code="approval_needed",
            rule=_ID,
            limit=decimal_text(threshold_usd),
            attempted=decimal_text(facts.notional_usd),
            overage=decimal_text(facts.notional_usd - threshold_usd),
            unit="USD",
            fix=f"{needed - signed} more signature(s) by people other than {intent.proposer}",
        ),
        approvals_needed=needed,
    )


RULE: Final[HoldRule[OrderIntent]] = HoldRule(
    id=_ID,
    guards="large orders that no person has seen",
    source="practice: wallets' policy engines, m-of-n; MiFID II RTS 6 art. 15",
    codes={"approval_needed": "people other than the proposer must sign first"},
    check=_check,
)
