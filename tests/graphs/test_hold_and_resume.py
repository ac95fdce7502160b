"""A held proposal pauses its thread; a person decides; the thread goes on, anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.agent_services import FakeOrders
from tests.graphs.threads_at_hand import Desk
from when_to_invest.history import DecisionState


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, orders=FakeOrders(verdict="held"))


def test_a_held_proposal_is_told_and_waited_for(desk: Desk) -> None:
    answer = desk.ask()
    assert answer.held == answer.decisions
    assert "held until a person approves it" in answer.text
    assert "A person must approve this proposal" in answer.text


def test_asking_again_before_anybody_decided_tells_the_same(desk: Desk) -> None:
    assert desk.ask() == desk.ask() == desk.ask()
    assert len(desk.orders.proposals) == 1


def test_after_the_approval_the_same_question_hears_the_outcome(desk: Desk) -> None:
    held = desk.ask()
    desk.orders.approve()
    answer = desk.ask()
    assert answer.decisions == held.decisions
    assert answer.orders[0].state is DecisionState.FILLED
    assert answer.held == ()
    assert len(desk.orders.proposals) == 1


def test_an_approval_between_two_waits_is_seen(desk: Desk) -> None:
    desk.ask()
    desk.ask()
    desk.orders.approve()
    assert desk.ask().orders[0].state is DecisionState.FILLED


def test_another_question_does_not_wait_for_the_person(desk: Desk) -> None:
    held = desk.ask()
    answer = desk.ask("What is the risk?", may_propose=False)
    assert answer.orders == ()
    assert "Verdict: invest now" in answer.text
    assert [proposal["request_id"] for proposal in desk.orders.proposals] == ["t1:e8-propose_order"]
    assert held.held


def test_reading_calls_are_not_repeated_by_a_resume(desk: Desk) -> None:
    desk.ask()
    before = list(desk.market.calls)
    desk.orders.approve()
    desk.ask()
    assert desk.market.calls == before
