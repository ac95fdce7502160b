"""A rule that lacks something it must know refuses; what a rule does not need does not stop it."""

from __future__ import annotations

import pytest

from policies.gate import judge
from policies.limits import HARD_LIMITS
from policies.rule import MISSING_FACT, Hold
from policies.rules import ORDER_HOLD_RULES, ORDER_RULES
from tests.strategies.situations import D, Situation, book
from when_to_invest.intents import Side
from when_to_invest.verdicts import Approved

EITHER_SIDE = {
    "instrument_known": {"is_tradable"},
    "reference_known": {"reference_price_usd", "reference_known_at", "reference_source"},
    "reference_age": {"reference_known_at"},
    "price_collar": {"reference_price_usd"},
    "lot_size": {"lot_size"},
    "tick_size": {"tick_size_usd"},
    "min_notional": {"min_notional_usd", "cost_usd"},
    "order_notional": {"notional_usd"},
    "open_orders": {"notional_usd", "open_orders_usd"},
    "turnover": {"notional_usd"},
    "duplicate": {"proposed_at"},
    "approvals": {"notional_usd"},
    "split_orders": {"notional_usd"},
}
BUYS = EITHER_SIDE | {
    "position": {"notional_usd"},
    "gross_exposure": {"notional_usd", "gross_exposure_usd"},
    "net_exposure": {"notional_usd", "net_exposure_usd"},
    "spot_cash": {"cost_usd", "cash_usd"},
    "daily_loss": {"equity_usd", "day_start_equity_usd", "peak_equity_usd"},
    "drawdown": {"equity_usd", "day_start_equity_usd", "peak_equity_usd"},
    "price_band": {"session_fall_ratio", "session_rise_ratio", "price_band_ratio"},
    "market_halt": {"market_fall_ratio", "market_growth"},
    "print_anomaly": {"print_outside_ratio", "market_growth"},
}
NEEDED = {Side.BUY: BUYS, Side.SELL: EITHER_SIDE}
USUAL = Situation(book=book(held={"SPX": "50"}))
PRINTED = {"last_print_usd": D(100), "print_outside_ratio": D(0)}
FACTS = sorted(set().union(*BUYS.values()))
ALL_RULES = (*ORDER_RULES, *ORDER_HOLD_RULES)
SPOKEN = [pytest.param(side, rule, id=f"{side.value}-{rule.id}") for side in Side for rule in ALL_RULES]


@pytest.mark.parametrize(("side", "rule"), SPOKEN)
def test_a_rule_refuses_without_each_fact_it_needs(side: Side, rule: object) -> None:
    situation = USUAL.asking(side=side)
    facts = situation.facts.model_copy(update=PRINTED)
    silenced = set()
    for fact in FACTS:
        said = rule.check(situation.intent, facts.model_copy(update={fact: None}), HARD_LIMITS)
        reason = said.reason if isinstance(said, Hold) else said
        if reason is not None:
            assert (reason.code, reason.rule, reason.attempted) == (MISSING_FACT, rule.id, "unknown")
            silenced.add(fact)
    assert silenced == NEEDED[side].get(rule.id, set())


@pytest.mark.parametrize("fact", FACTS)
def test_no_buy_passes_while_anything_it_depends_on_is_unknown(fact: str) -> None:
    facts = USUAL.facts.model_copy(update=PRINTED)
    assert isinstance(judge(USUAL.intent, facts, HARD_LIMITS), Approved)
    verdict = judge(USUAL.intent, facts.model_copy(update={fact: None}), HARD_LIMITS)
    assert not isinstance(verdict, Approved)


def test_an_order_of_unknown_size_needs_as_many_signatures_as_the_largest() -> None:
    facts = USUAL.facts.model_copy(update={"notional_usd": None})
    for rule in ORDER_HOLD_RULES:
        said = rule.check(USUAL.intent, facts, HARD_LIMITS)
        assert isinstance(said, Hold)
        assert said.approvals_needed == 2


def test_a_reference_of_zero_is_none() -> None:
    facts = USUAL.facts.model_copy(update={"reference_price_usd": D(0)})
    said = next(rule for rule in ORDER_RULES if rule.id == "price_collar").check(
        USUAL.intent, facts, HARD_LIMITS
    )
    assert said is not None
    assert said.code == MISSING_FACT
