"""Only the throttle's own word, in its own hand, leaves open what was sealed before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from policies.throttle import outlives_throttle, throttle_why
from tests.strategies.situations import NOW, order
from when_to_invest import events as ev
from when_to_invest.breakers import Halt, TradingState
from when_to_invest.intents import Side
from when_to_invest.portfolio import AccountBook, fold
from when_to_invest.values import Mode

WHY = throttle_why(count=20, side=Side.BUY, most=20)
TRIP = Halt("instrument:SPX", TradingState.REDUCING, NOW, "executor", WHY)


def told(*halts: Halt) -> AccountBook:
    return fold(
        ev.TradingStateChanged(
            at=halt.at,
            mode=Mode.REPLAY,
            scope=halt.scope,
            state=halt.state,
            by=halt.by,
            why=halt.why,
            latch_id=halt.latch_id,
        )
        for halt in halts
    )


def stays(*halts: Halt, latches: tuple[Halt, ...] = (), age_s: float = 1) -> bool:
    return outlives_throttle(order(), told(*halts), latches, sealed_at=NOW - timedelta(seconds=age_s))


def test_it_says_how_many_there_were_and_how_many_are_allowed() -> None:
    assert WHY == "20 buy orders in an hour, 20 are allowed"


def test_what_was_sealed_before_the_trip_or_with_it_stays_and_nothing_later() -> None:
    assert [stays(TRIP, age_s=age_s) for age_s in (1, 0, -1)] == [True, True, False]


def test_a_throttle_of_something_else_beside_it_is_no_matter() -> None:
    other = replace(TRIP, scope="instrument:GLD", state=TradingState.HALTED)
    assert stays(TRIP, other)
    assert not stays(other), "nothing of its own says that it may stay"
    assert not stays()


@pytest.mark.parametrize(
    "changes",
    [
        {"state": TradingState.HALTED},
        {"by": "alice"},
        {"latch_id": "h-0000000000000001"},
        {"why": "drill"},
        {"why": WHY + " again"},
        {"why": "about " + WHY},
    ],
)
@pytest.mark.parametrize("scope", ["system", "account:main", "venue:paper", "instrument:SPX"])
def test_any_other_halt_that_covers_it_ends_it(scope: str, changes: dict[str, object]) -> None:
    other = replace(TRIP, scope=scope, **changes)  # type: ignore[arg-type]
    assert not stays(TRIP, other)
    assert not stays(other)


def test_a_latch_that_the_journal_does_not_know_ends_it() -> None:
    latch = Halt("system", TradingState.REDUCING, NOW, "alice", "drill", "h-0000000000000002")
    assert not stays(TRIP, latches=(latch,))
    assert stays(TRIP, latches=(replace(latch, scope="venue:elsewhere"),))
