"""The kill switch counts for an order before the journal has heard of it, and only tightens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.latched import is_from_before, may_go, under_latch
from tests.strategies.situations import NOW, Situation, book, order
from tests.when_to_invest.samples import chain_intent
from when_to_invest.breakers import STRICTNESS, Halt, TradingState
from when_to_invest.intents import Side

COVERING = ["system", "account:main", "venue:paper", "instrument:SPX"]
ELSEWHERE = ["account:second", "venue:elsewhere", "instrument:GLD"]
states = st.sampled_from(TradingState)


def halt(scope: str = "system", state: TradingState = TradingState.HALTED) -> Halt:
    return Halt(scope, state, NOW, "alice", "a drill", "latch-1")


@given(states, st.lists(st.tuples(st.sampled_from(COVERING + ELSEWHERE), states), max_size=4))
def test_a_latch_makes_the_state_as_strict_as_the_strictest_that_covers_the_order(
    known: TradingState, latched: list[tuple[str, TradingState]]
) -> None:
    facts = Situation().facts.model_copy(update={"trading_state": known})
    under = under_latch(facts, order(), [halt(scope, state) for scope, state in latched])
    covering = [known, *(state for scope, state in latched if scope in COVERING)]
    assert STRICTNESS[under.trading_state] == max(STRICTNESS[state] for state in covering)
    assert under == facts.model_copy(update={"trading_state": under.trading_state})


def test_no_halt_is_asked_about_a_write_on_a_chain_which_is_refused_anyway() -> None:
    write = chain_intent(proposed_at=NOW)
    facts = Situation().facts
    assert under_latch(facts, write, [halt()]) == facts


@pytest.mark.parametrize("scope", COVERING)
def test_what_passed_the_gate_stays_when_a_latch_falls_after_it(scope: str) -> None:
    buy, sell = order(), order(side=Side.SELL)
    assert may_go(buy, book(), [])
    assert not may_go(buy, book(), [halt(scope)])
    assert not may_go(sell, book(), [halt(scope)])
    reducing = [halt(scope, TradingState.REDUCING)]
    assert (may_go(buy, book(), reducing), may_go(sell, book(), reducing)) == (False, True)


@pytest.mark.parametrize("scope", COVERING)
def test_what_the_journal_says_counts_without_a_latch(scope: str) -> None:
    halted = book(trading_states={scope: TradingState.HALTED})
    assert not may_go(order(), halted, [])
    assert not may_go(order(), halted, [halt("venue:elsewhere", TradingState.REDUCING)])


@pytest.mark.parametrize("scope", ELSEWHERE)
def test_a_latch_elsewhere_stops_nothing(scope: str) -> None:
    assert may_go(order(), book(), [halt(scope)])


@pytest.mark.parametrize("scope", COVERING)
def test_an_order_sealed_before_a_halt_was_lifted_is_from_before_it(scope: str) -> None:
    known = book()
    known.standing.resumed_at[scope] = NOW
    assert is_from_before(order(), known, sealed_at=NOW - timedelta(seconds=1))
    assert is_from_before(order(), known, sealed_at=NOW)
    assert not is_from_before(order(), known, sealed_at=NOW + timedelta(seconds=1))


@pytest.mark.parametrize("scope", ELSEWHERE)
def test_a_halt_that_was_lifted_elsewhere_ages_no_order(scope: str) -> None:
    known = book()
    known.standing.resumed_at[scope] = NOW
    assert not is_from_before(order(), known, sealed_at=NOW - timedelta(days=1))
    assert not is_from_before(order(), book(), sealed_at=NOW)
