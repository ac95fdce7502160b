"""Halts stand until exactly they are lifted, and nothing that is told twice stands twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.when_to_invest.samples import NOW, motion
from when_to_invest import events as ev
from when_to_invest.breakers import TradingState
from when_to_invest.standing import Standing
from when_to_invest.values import Mode

VENUE = "venue:paper"
LATCH, OTHER = "h-" + "1" * 16, "h-" + "2" * 16
LATER = NOW + timedelta(minutes=1)


def halt(scope: str = "system", state: TradingState = TradingState.HALTED, **changes: Any) -> Any:
    given = {"scope": scope, "state": state, "by": "alice", "why": "a drill"}
    return ev.TradingStateChanged(at=NOW, mode=Mode.REPLAY, **given | changes)


def resumption(standing: Standing, scope: str = "system", **changes: Any) -> ev.TradingResumed:
    """Return one that is made on exactly what stands, unless `changes` say otherwise."""
    given: dict[str, Any] = {"serial": standing.serial, "halts_hash": standing.hash_of(scope)} | changes
    signed = motion("Resume").model_copy(update={"serial": given["serial"]})
    about: dict[str, Any] = {"at": LATER, "mode": Mode.REPLAY, "scope": scope}
    return ev.TradingResumed(**about, halts_hash=given["halts_hash"], motion=signed, endorsements=())


def standing(*events: Any) -> Standing:
    made = Standing()
    for event in events:
        made.tighten(event)
    return made


def test_each_halt_stands_by_itself_and_the_strictest_counts() -> None:
    made = standing(halt(state=TradingState.REDUCING), halt(why="worse"), halt(VENUE))
    assert made.serial == 3
    assert made.state("system") is TradingState.HALTED
    assert [each.why for each in made.standing("system")] == ["a drill", "worse"]
    assert [each.scope for each in made.standing(VENUE)] == [VENUE]
    assert [each.scope for each in made.standing()] == ["system", "system", VENUE]
    assert made.standing("venue:elsewhere") == ()
    assert made.state("venue:elsewhere") is TradingState.ACTIVE


def test_a_loosening_is_no_halt() -> None:
    made = Standing()
    assert made.tighten(halt(state=TradingState.ACTIVE)) is False
    assert (made.serial, made.standing()) == (0, ())
    assert made.tighten(halt()) is True


def test_a_latch_told_twice_is_one_halt_and_one_without_a_name_is_two() -> None:
    made = standing(halt(latch_id=LATCH), halt(latch_id=LATCH), halt(latch_id=OTHER))
    assert (made.serial, len(made.standing())) == (2, 2)
    assert len(standing(halt(), halt()).standing()) == 2


def test_a_resumption_lifts_exactly_the_halts_that_it_names() -> None:
    made = standing(halt(latch_id=LATCH), halt(), halt(VENUE, latch_id=OTHER))
    assert made.resume(resumption(made)) is True
    assert [each.scope for each in made.standing()] == [VENUE]
    assert made.serial == 4
    assert made.resumed_at == {"system": LATER}
    assert made.lifted_latches == {(LATCH, "system", TradingState.HALTED)}


@pytest.mark.parametrize("changes", [{"serial": 0}, {"serial": 2}, {"halts_hash": "ab" * 32}])
def test_a_resumption_made_on_another_state_lifts_nothing(changes: dict[str, Any]) -> None:
    made = standing(halt())
    assert made.resume(resumption(made, **changes)) is False
    assert made.state("system") is TradingState.HALTED
    assert made.serial == 2
    assert (made.resumed_at, made.lifted_latches) == ({}, set())


def test_a_scope_without_a_halt_cannot_be_resumed() -> None:
    made = standing(halt(VENUE))
    assert made.resume(resumption(made)) is False
    assert made.resumed_at == {}
    assert made.state(VENUE) is TradingState.HALTED
