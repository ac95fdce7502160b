"""The gate as a whole: all rules, all reasons, fixed order, and never around a rule."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, getcontext
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies import gate
from policies.facts import Facts
from policies.gate import judge
from policies.limits import HARD_LIMITS, Limits
from policies.rule import Hold
from policies.rules import ORDER_HOLD_RULES, ORDER_RULES, RULES
from tests.policies.naive_gate import naive_judge
from tests.strategies.situations import NOW, D, Situation, order, rank
from tests.strategies.spoilers import passable, situations, tightened, too_old_or_early, unusable_prices
from tests.when_to_invest.samples import chain_intent
from when_to_invest.intents import OrderIntent
from when_to_invest.values import Mode
from when_to_invest.verdicts import Approved, Held, Reason, Refused

ORDER_OF_RULES = [rule.id for rule in (*ORDER_RULES, *ORDER_HOLD_RULES)]
slow_draws = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
EVERYTHING_WRONG = (
    Situation()
    .asking(
        mode=Mode.PAPER,
        venue="elsewhere",
        instrument="DOGE",
        quantity=D("1000000.001"),
        limit_price_usd=D("999.999"),
    )
    .but(reference=None, instrument=None)
)


def test_a_plain_order_is_approved_with_the_hashes_of_what_it_was_judged_by() -> None:
    plain = Situation()
    verdict = plain.verdict()
    assert isinstance(verdict, Approved)
    assert verdict.intent == plain.intent
    assert verdict.facts_hash == plain.facts.digest()
    assert verdict.limits_hash == HARD_LIMITS.digest()
    assert verdict.judged_at == NOW


@pytest.mark.proof
@slow_draws
@given(situations(), tightened())
def test_the_gate_agrees_with_a_second_naive_gate(situation: Situation, limits: Limits) -> None:
    verdict, naive = situation.verdict(limits), naive_judge(situation, limits)
    assert ["approved", "held", "refused"][rank(verdict)] == naive.outcome
    assert [(reason.rule, reason.code) for reason in situation.reasons(limits)] == list(naive.reasons)
    assert (verdict.approvals_needed if isinstance(verdict, Held) else 0) == naive.approvals_needed


@pytest.mark.proof
@slow_draws
@given(situations() | passable(), st.data())
def test_tightening_any_limit_never_lets_more_through(situation: Situation, data: st.DataObject) -> None:
    limits = data.draw(tightened())
    tighter = data.draw(tightened(limits))
    assert rank(situation.verdict(tighter)) >= rank(situation.verdict(limits))
    said = {reason.rule for reason in situation.reasons(limits)}
    assert said <= {reason.rule for reason in situation.reasons(tighter)}


@pytest.mark.proof
@slow_draws
@given(situations() | passable(), unusable_prices | too_old_or_early)
def test_without_a_usable_and_recent_price_nothing_passes(situation: Situation, reference: Any) -> None:
    assert isinstance(situation.but(reference=reference).verdict(), Refused)


@pytest.mark.proof
@slow_draws
@given(passable(), st.sampled_from(["is_tradable", "lot_size", "tick_size_usd", "min_notional_usd"]))
def test_a_missing_fact_of_the_instrument_always_refuses(situation: Situation, fact: str) -> None:
    facts = situation.facts.model_copy(update={fact: None})
    assert isinstance(judge(situation.intent, facts, HARD_LIMITS), Refused)


@pytest.mark.proof
@slow_draws
@given(situations() | passable(), st.frozensets(st.sampled_from(["alice", "bob", "carol"])))
def test_signatures_never_lift_a_hard_rule(situation: Situation, approvers: frozenset[str]) -> None:
    hard = {rule.id for rule in ORDER_RULES}
    is_refused = any(reason.rule in hard for reason in situation.but(approvers=frozenset()).reasons())
    assert isinstance(situation.but(approvers=approvers).verdict(), Refused) == is_refused


@slow_draws
@given(situations())
def test_judging_twice_says_the_same(situation: Situation) -> None:
    facts = Facts.model_validate_json(situation.facts.canonical())
    again = judge(situation.intent, facts, HARD_LIMITS)
    assert again == situation.verdict()


def test_every_reason_returns_in_the_order_of_the_rules() -> None:
    said = [reason.rule for reason in EVERYTHING_WRONG.reasons()]
    assert said == sorted(said, key=ORDER_OF_RULES.index)
    assert {"mode", "venue_allowed", "instrument_allowed", "reference_known", "approvals"} <= set(said)
    assert len(said) == len(set(said))


def _plant(monkeypatch: pytest.MonkeyPatch, tuple_name: str, index: int, check: Any) -> str:
    """Replace the check of one rule, and return its id."""
    rules = list(getattr(gate, tuple_name))
    rules[index] = replace(rules[index], check=check)
    monkeypatch.setattr(gate, tuple_name, tuple(rules))
    return str(rules[index].id)


def _raise(*_: object) -> None:
    raise OverflowError("the secret is 0xdeadbeef")


@pytest.mark.parametrize("index", range(len(ORDER_RULES)))
def test_a_rule_that_raises_refuses_and_shows_nothing(monkeypatch: pytest.MonkeyPatch, index: int) -> None:
    rule = _plant(monkeypatch, "ORDER_RULES", index, _raise)
    verdict = Situation().verdict()
    assert isinstance(verdict, Refused)
    assert [(reason.code, reason.rule) for reason in verdict.reasons] == [("rule_error", rule)]
    assert "deadbeef" not in repr(verdict)


@pytest.mark.parametrize("answer", [True, False, "fine", 0, Approved])
@pytest.mark.parametrize("tuple_name", ["ORDER_RULES", "ORDER_HOLD_RULES"])
def test_a_rule_that_answers_anything_but_a_reason_or_none_refuses(
    monkeypatch: pytest.MonkeyPatch, tuple_name: str, answer: object
) -> None:
    rule = _plant(monkeypatch, tuple_name, 0, lambda *_: answer)
    verdict = Situation().verdict()
    assert isinstance(verdict, Refused)
    assert [(reason.code, reason.rule) for reason in verdict.reasons] == [("rule_error", rule)]


def test_a_hold_rule_that_raises_refuses_rather_than_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    _plant(monkeypatch, "ORDER_HOLD_RULES", 0, _raise)
    assert isinstance(Situation().asking(quantity=D(150)).verdict(), Refused)


def test_of_several_holds_the_one_that_needs_most_people_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = ORDER_HOLD_RULES[0]
    reason = Reason(code="x", rule="x", limit="", attempted="", overage="", unit="", fix="x")
    stricter = replace(alone, id="stricter", check=lambda *_: Hold(reason, approvals_needed=3))
    monkeypatch.setattr(gate, "ORDER_HOLD_RULES", (alone, stricter))
    verdict = Situation().asking(quantity=D(150)).verdict()
    assert isinstance(verdict, Held)
    assert verdict.approvals_needed == 3
    assert [item.rule for item in verdict.reasons] == ["approvals", "x"]


def test_without_rules_nothing_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "ORDER_RULES", ())
    assert isinstance(Situation().verdict(), Refused)


def test_an_intent_that_only_looks_like_an_order_is_refused() -> None:
    class Trojan(OrderIntent):
        """An order that could answer each rule differently."""

    intent = Trojan(**dict(order()))
    verdict = judge(intent, Situation().facts, HARD_LIMITS)
    assert isinstance(verdict, Refused)
    assert [reason.code for reason in verdict.reasons] == ["unknown_intent"]


@pytest.mark.parametrize("intent", [None, "buy", {"kind": "order"}, 7])
def test_what_is_no_intent_is_refused(intent: Any) -> None:
    verdict = judge(intent, Situation().facts, HARD_LIMITS)
    assert isinstance(verdict, Refused)


def test_a_transfer_is_refused_by_a_rule_that_says_so() -> None:
    intent = chain_intent(proposed_at=NOW)
    verdict = judge(intent, Situation(intent=intent).facts, HARD_LIMITS)  # type: ignore[arg-type]
    assert isinstance(verdict, Refused)
    assert [reason.code for reason in verdict.reasons] == ["chain_writes_not_enabled"]


def test_the_callers_decimal_context_neither_matters_nor_changes() -> None:
    quantity = D("100000000000000.000000000000000001")
    hostile = Situation().asking(quantity=quantity)
    getcontext().prec = 5
    try:
        assert hostile.codes() >= {"order_quantity_exceeded", "order_notional_exceeded", "off_lot"}
        assert getcontext().prec == 5
    finally:
        getcontext().prec = 28


def test_every_reason_code_stands_in_its_rules_catalogue() -> None:
    codes = [code for rule in RULES for code in rule.codes]
    assert len(codes) == len(set(codes))
    for reason in EVERYTHING_WRONG.reasons():
        rule = next(rule for rule in RULES if rule.id == reason.rule)
        assert reason.code in {*rule.codes, "missing_fact"}


@slow_draws
@given(situations())
def test_every_reason_says_what_would_pass_and_quotes_plain_figures(situation: Situation) -> None:
    for reason in situation.reasons():
        rule = next(rule for rule in RULES if rule.id == reason.rule)
        assert reason.code in {*rule.codes, "missing_fact"}
        assert reason.fix
        assert "E" not in reason.overage or reason.code == "missing_fact"
        if reason.unit == "USD":
            assert Decimal(reason.attempted).is_finite()


def test_only_the_gate_can_make_an_approved() -> None:
    verdict = Situation().verdict()
    assert isinstance(verdict, Approved)
    with pytest.raises(TypeError):
        Approved(
            intent=verdict.intent,
            facts_hash=verdict.facts_hash,
            limits_hash=verdict.limits_hash,
            judged_at=NOW,
            approvers=(),
            token=object(),
        )
    with pytest.raises(TypeError):
        replace(verdict, token=None)
