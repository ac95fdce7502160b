"""The judgement: all rules run, all reasons return, and only this module makes an `Approved`.

Stage: gate, between a proposal and its seal; the executor judges a second time with it.

# INVARIANT: an exception refuses, an unknown intent refuses, and nothing skips a rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import localcontext
from typing import Final

from policies.exactness import EXACT
from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Hold, HoldRule, IntentT, Rule
from policies.rules import CHAIN_HOLD_RULES, CHAIN_RULES, ORDER_HOLD_RULES, ORDER_RULES
from when_to_invest.intents import ChainIntent, OrderIntent
from when_to_invest.verdicts import GATE_TOKEN, Approved, Held, Reason, Refused, Verdict

RULE_ERROR: Final = "rule_error"
UNKNOWN_INTENT: Final = "unknown_intent"
GATE_CODES: Final = {
    RULE_ERROR: "a rule could not finish, so it refuses",
    UNKNOWN_INTENT: "the gate knows no rules for this kind of intent",
}


def judge(intent: OrderIntent | ChainIntent, facts: Facts, limits: Limits) -> Verdict:
    """Return `Refused` with every objection (holds last), else `Held`, else `Approved`. Pure.

    `Held` only when no hard rule objects: signatures lift a hold, never a limit.
    """
    # Exact types: a subclass could answer each rule differently.
    with localcontext(EXACT):
        if type(intent) is OrderIntent:
            return _judge_by(intent, facts, limits, ORDER_RULES, ORDER_HOLD_RULES)
        if type(intent) is ChainIntent:
            return _judge_by(intent, facts, limits, CHAIN_RULES, CHAIN_HOLD_RULES)
    return Refused((_gate_reason("gate", UNKNOWN_INTENT, "propose an order"),))


def _judge_by(
    intent: IntentT,
    facts: Facts,
    limits: Limits,
    rules: Sequence[Rule[IntentT]],
    hold_rules: Sequence[HoldRule[IntentT]],
) -> Verdict:
    answers = [_answer(rule, Reason, intent, facts, limits) for rule in rules]
    answers += [_answer(rule, Hold, intent, facts, limits) for rule in hold_rules]
    holds = [answer for answer in answers if isinstance(answer, Hold)]
    if not rules or any(isinstance(answer, Reason) for answer in answers):
        return Refused(tuple(_reason_of(answer) for answer in answers if answer is not None))
    if holds:
        return Held(
            reasons=tuple(hold.reason for hold in holds),
            approvals_needed=max(hold.approvals_needed for hold in holds),
        )
    return Approved(
        intent=intent,
        facts_hash=facts.digest(),
        limits_hash=limits.digest(),
        judged_at=facts.now,
        approvers=facts.approvers,
        token=GATE_TOKEN,
    )


def _answer(
    rule: Rule[IntentT] | HoldRule[IntentT],
    objection: type[Reason | Hold],
    intent: IntentT,
    facts: Facts,
    limits: Limits,
) -> Reason | Hold | None:
    """Return the rule's objection or None; anything else it does is a refusal."""
    try:
        answer = rule.check(intent, facts, limits)
    except Exception:  # noqa: BLE001 - INVARIANT: a rule that raises refuses
        return _rule_error(rule.id)
    if answer is None or type(answer) is objection:
        return answer
    return _rule_error(rule.id)


def _reason_of(answer: Reason | Hold) -> Reason:
    return answer.reason if isinstance(answer, Hold) else answer


def _rule_error(rule: str) -> Reason:
    return _gate_reason(rule, RULE_ERROR, "report this: the rule met a value it cannot judge")


def _gate_reason(rule: str, code: str, fix: str) -> Reason:
    return Reason(code=code, rule=rule, limit="", attempted="", overage="", unit="", fix=fix)
