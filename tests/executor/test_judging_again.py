"""The executor asks again for itself, on the very state it writes to: nobody's word carries over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from executor.probe import Point
from policies.limits import HARD_LIMITS, tighten
from tests.executor.gatehouse import approver_signer, seal_signer
from tests.executor.test_whose_keys_count import LARGE, motion, signed, tell
from tests.executor.world import World
from when_to_invest import events as ev
from when_to_invest import keyholders as kh
from when_to_invest.envelopes import Envelope
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionState
from when_to_invest.values import Mode

CITED = "r-" + "1" * 24


@pytest.fixture
def world() -> World:
    people = {name: approver_signer(name).address for name in ("alice", "bob")}
    world = World(approvers=people)
    founders = tuple(kh.Approver(name=name, address=address) for name, address in people.items())
    tell(world, kh.ApproversFounded(at=world.clock.now(), mode=Mode.REPLAY, approvers=founders))
    return world


class Meanwhile:
    """Lets something happen once, after a message was received and before anything is decided."""

    def __init__(self, happen: Callable[[], object]) -> None:
        self._happen = happen
        self.is_over = False

    def reached(self, point: Point) -> None:
        if point is Point.RECEIVED and not self.is_over:
            self.is_over = True
            self._happen()


def codes(world: World) -> list[str]:
    return [
        event.code for event in world.events(ev.EnvelopeRejected) if isinstance(event, ev.EnvelopeRejected)
    ]


def test_a_seal_retired_meanwhile_counts_no_more(world: World) -> None:
    decision_id, now = world.gate.propose(), world.clock.now()
    retired = kh.SealKeyRetired(
        at=now,
        mode=Mode.REPLAY,
        address=seal_signer().address,
        not_after=now - timedelta(seconds=1),
        by="operator",
    )
    world.run(probe=Meanwhile(lambda: tell(world, retired)))
    assert codes(world) == ["bad_signature"]
    assert not world.decision(decision_id).orders


def test_an_approver_removed_meanwhile_signed_in_vain(world: World) -> None:
    world.gate.approvals = ("alice",)
    decision_id = world.gate.propose(**LARGE)
    address = approver_signer("alice").address
    asked = motion(world, kh.REMOVE, kh.remove_details("alice", address))
    removed = kh.ApproverRemoved(
        at=world.clock.now(),
        mode=Mode.REPLAY,
        name="alice",
        address=address,
        motion=asked,
        endorsements=signed(asked, "alice", "bob"),
    )
    world.run(probe=Meanwhile(lambda: tell(world, removed)))
    assert codes(world) == ["bad_approval"]
    assert not world.decision(decision_id).orders


def test_an_envelope_sealed_anew_meanwhile_is_passed_over(world: World) -> None:
    old = world.gate.sealed()
    world.gate.queue(old)

    def seal_anew() -> None:
        world.clock.move_to(world.clock.now() + timedelta(seconds=2))
        content = old.content.model_copy(update={"sealed_at": world.clock.now()})
        newer = Envelope(content=content, seal_address=old.seal_address, seal=old.seal)
        about = {"at": world.clock.now(), "mode": Mode.REPLAY, "decision_id": content.decision_id}
        world.journal.append([ev.EnvelopeSealed(**about, envelope=newer)])

    world.run(probe=Meanwhile(seal_anew))
    assert not world.venue.submits
    assert codes(world) == []
    assert world.queue.is_empty()


def test_on_a_clock_that_went_back_nothing_is_taken_up_and_nothing_is_lost(world: World) -> None:
    decision_id, start = world.gate.propose(), world.clock.now()
    world.clock.move_to(start + timedelta(hours=2))
    world.gate.fund()
    world.clock.move_to(start + timedelta(minutes=1))
    with pytest.raises(Fault) as stopped:
        world.run()
    assert stopped.value.code is ErrorCode.CLOCK_BACK
    assert world.decision(decision_id).state is DecisionState.SEALED
    assert not world.queue.is_empty()
    world.clock.move_to(start + timedelta(hours=2))
    world.run()
    assert codes(world) == ["envelope_expired"]
    assert not world.venue.submits


def test_a_clock_that_goes_back_between_receiving_and_deciding_sends_nothing(world: World) -> None:
    decision_id, start = world.gate.propose(), world.clock.now()

    def go_back() -> None:
        world.clock.move_to(start + timedelta(hours=2))
        world.gate.fund()
        world.clock.move_to(start + timedelta(minutes=1))

    with pytest.raises(Fault) as stopped:
        world.run(probe=Meanwhile(go_back))
    assert stopped.value.code is ErrorCode.CLOCK_BACK
    assert world.decision(decision_id).state is DecisionState.SEALED
    assert not world.venue.submits


def test_open_orders_are_followed_even_on_a_clock_that_went_back(world: World) -> None:
    decision_id, start = world.gate.propose(), world.clock.now()
    service = world.run()
    world.clock.move_to(start + timedelta(hours=2))
    world.gate.fund()
    world.clock.move_to(start + timedelta(minutes=1))
    order = world.working_order(decision_id)
    world.venue.trade(order, world.venue.requests[order].quantity)
    with pytest.raises(Fault):
        service.step(wait_s=0)
    assert world.decision(decision_id).state is DecisionState.FILLED


def test_the_callers_own_limits_hold_here_too(world: World) -> None:
    world.callers = {"agent": tighten(HARD_LIMITS, {"max_order_notional_usd": "500"})}
    decision_id = world.gate.propose()
    world.run()
    assert codes(world) == ["order_notional_exceeded"]
    judged = world.events(ev.IntentJudged)[-1]
    assert isinstance(judged, ev.IntentJudged)
    assert judged.limits_hash == world.callers["agent"].digest()
    assert not world.decision(decision_id).orders


def test_within_the_callers_own_limits_an_order_goes(world: World) -> None:
    world.callers = {"agent": tighten(HARD_LIMITS, {"max_order_notional_usd": "2000"})}
    decision_id = world.gate.propose()
    world.run()
    assert world.decision(decision_id).orders


def test_the_order_of_a_caller_that_nobody_enrolled_here_is_refused(world: World) -> None:
    world.callers = {"another": HARD_LIMITS}
    decision_id = world.gate.propose()
    world.run()
    assert codes(world) == ["forbidden"]
    assert not world.decision(decision_id).orders


def test_nobody_proposes_in_the_name_of_another(world: World) -> None:
    world.callers = {"agent": HARD_LIMITS, "another": HARD_LIMITS}
    world.gate.seal_unjudged(world.gate.intent(1, proposer="another"))
    world.run()
    assert codes(world) == ["forbidden"]
    assert not world.venue.submits


@pytest.mark.parametrize(("lasts_s", "objections"), [(31, []), (30, ["recommendation_expired"])])
def test_the_recommendation_behind_an_order_must_still_count(
    world: World, lasts_s: int, objections: list[str]
) -> None:
    world.market.recommended_until[CITED] = world.clock.now() + timedelta(seconds=lasts_s)
    decision_id = world.gate.propose(recommendation_id=CITED)
    world.clock.move_to(world.clock.now() + timedelta(seconds=30))
    world.run()
    assert codes(world) == objections
    assert bool(world.decision(decision_id).orders) is not bool(objections)


def test_a_recommendation_that_the_executor_does_not_know_counts_as_none(world: World) -> None:
    world.market.recommended_until[CITED] = world.clock.now() + timedelta(days=1)
    world.gate.propose(recommendation_id=CITED)
    world.market.recommended_until.clear()
    world.run()
    assert codes(world) == ["missing_fact"]
    assert not world.venue.submits
