"""Breakers: automation only tightens, and the strictest scope wins."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from when_to_invest.breakers import AUTOMATIC_MOVES, STRICTNESS, TradingState, strictest

states = st.lists(st.sampled_from(TradingState))


@given(states)
def test_the_strictest_of_all_scopes_wins(given_states: list[TradingState]) -> None:
    assert STRICTNESS[strictest(*given_states)] == max(map(STRICTNESS.__getitem__, given_states), default=0)


def test_automation_never_loosens() -> None:
    for state, reachable in AUTOMATIC_MOVES.items():
        assert all(STRICTNESS[other] > STRICTNESS[state] for other in reachable)


def test_automation_can_always_halt_what_is_not_halted() -> None:
    assert all(
        TradingState.HALTED in AUTOMATIC_MOVES[s] for s in TradingState if s is not TradingState.HALTED
    )
    assert not AUTOMATIC_MOVES[TradingState.HALTED]
