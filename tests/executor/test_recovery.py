"""After a lost answer an order is found, proven absent or quarantined; never sent again blindly."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from executor.probe import Point
from executor.recovery import MAX_ROUNDS, Recovery
from executor.service import Service
from executor.venues.port import OrderRef, VenueOrder, VenueStatus
from ledger.journal import Head
from tests.executor.by_hand import run
from tests.executor.world import World
from tests.fakes.fake_market import SPX
from tests.fakes.fake_venue import FakeVenue, Mishap
from tests.fakes.memory_journal import MemoryJournal
from when_to_invest import events as ev
from when_to_invest.breakers import TradingState
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionState
from when_to_invest.orders import OrderState, OrderStep


class DiedError(BaseException):
    """Stands for SIGKILL: nothing in the executor may catch it."""


class DiesAt:
    """Ends the "process" the first time a point is reached."""

    def __init__(self, point: Point) -> None:
        self.point: Point | None = point

    def reached(self, point: Point) -> None:
        if point is self.point:
            self.point = None
            raise DiedError


@pytest.fixture
def world() -> World:
    return World()


def steps(world: World) -> list[OrderStep]:
    return [event.step for event in world.events(ev.OrderMoved) if isinstance(event, ev.OrderMoved)]


def dies(world: World, point: Point) -> None:
    with pytest.raises(DiedError):
        world.run(probe=DiesAt(point))


def test_an_order_whose_answer_was_lost_is_found(world: World) -> None:
    world.venue.plan.append(Mishap.LOST_AFTER)
    decision_id = world.gate.propose()
    world.run()
    assert steps(world) == [OrderStep.LOST_SIGHT, OrderStep.ACKNOWLEDGED]
    assert world.decision(decision_id).state is DecisionState.WORKING
    assert len(world.venue.submits) == 1
    assert world.queue.is_empty()


def test_two_executors_that_recover_at_once_lose_sight_of_an_order_once(world: World) -> None:
    decision_id = world.gate.propose()
    dies(world, Point.SEND_INTENDED)
    (order,) = world.decision(decision_id).orders.values()
    first, second = world.executor(), world.executor()
    for executor in (first, second):  # each saw it before the other wrote
        run(executor.real._recovery._doubt(order, why="the venue does not answer"))
    assert steps(world) == [OrderStep.LOST_SIGHT]
    assert world.decision(decision_id).state is DecisionState.UNKNOWN


def test_an_unlisted_exception_is_ambiguous_and_the_order_is_found(world: World) -> None:
    world.venue.plan.append(Mishap.FOREIGN_AFTER)
    decision_id = world.gate.propose()
    world.run()
    assert world.decision(decision_id).state is DecisionState.WORKING
    assert len(world.venue.submits) == 1


def test_a_request_that_never_arrived_is_proven_absent_before_the_next_attempt(world: World) -> None:
    world.venue.plan.append(Mishap.LOST_BEFORE)
    decision_id = world.gate.propose()
    world.run()
    assert steps(world) == [OrderStep.LOST_SIGHT, OrderStep.PROVEN_ABSENT, OrderStep.ACKNOWLEDGED]
    first, second = world.decision(decision_id).orders.values()
    assert (first.state, second.state) == (OrderState.ABSENT, OrderState.ACKNOWLEDGED)
    assert (first.sent.attempt, second.sent.attempt) == (1, 2)
    assert first.sent.client_order_id != second.sent.client_order_id


def test_a_new_attempt_is_judged_again(world: World) -> None:
    world.venue.plan.append(Mishap.LOST_BEFORE)
    world.gate.propose()
    world.run()
    judged = [event for event in world.events(ev.IntentJudged) if isinstance(event, ev.IntentJudged)]
    assert [event.judge for event in judged] == [ev.Judge.EXECUTOR, ev.Judge.EXECUTOR]


def test_a_provably_unsent_request_is_tried_again_under_a_new_id(world: World) -> None:
    world.venue.plan.append(Mishap.UNSENT)
    decision_id = world.gate.propose()
    world.run()
    assert steps(world)[:2] == [OrderStep.LOST_SIGHT, OrderStep.PROVEN_ABSENT]
    assert len(set(world.venue.submits)) == 2
    assert world.decision(decision_id).state is DecisionState.WORKING


def test_no_new_attempt_once_the_envelope_expired(world: World) -> None:
    decision_id = world.gate.propose()
    dies(world, Point.SEND_INTENDED)
    world.clock.move_to(world.clock.now() + timedelta(seconds=900))
    world.queue.now_s += 60
    world.run()
    assert steps(world) == [OrderStep.LOST_SIGHT, OrderStep.PROVEN_ABSENT]
    assert world.decision(decision_id).state is DecisionState.REJECTED
    assert not world.venue.submits
    assert not world.book.reservations
    assert world.queue.is_empty()


def test_a_declined_order_is_over(world: World) -> None:
    world.venue.plan.append(Mishap.DECLINED)
    decision_id = world.gate.propose()
    world.run()
    assert world.decision(decision_id).state is DecisionState.REJECTED
    assert len(world.venue.submits) == 1
    assert not world.book.reservations
    assert world.queue.is_empty()


@pytest.mark.parametrize("point", Point)
def test_a_death_at_any_point_loses_nothing_and_repeats_nothing(world: World, point: Point) -> None:
    decision_id = world.gate.propose()
    fills = {Point.FILLED_AT_VENUE, Point.FILL_RECORDED}
    if point in fills:
        world.run()
        world.venue.trade(world.working_order(decision_id), world.decision(decision_id).authorised_quantity)
    dies(world, point)
    world.queue.now_s += 60
    world.run()
    record = world.decision(decision_id)
    assert record.state is (DecisionState.FILLED if point in fills else DecisionState.WORKING)
    assert len(world.venue.orders) == 1
    assert world.queue.is_empty()


@pytest.mark.parametrize("request_life_s", [30.0, 120.0])
def test_at_a_venue_whose_silence_proves_nothing_absence_takes_the_requests_life(
    world: World, request_life_s: float
) -> None:
    world.venue.absence_is_authoritative = False
    world.venue.request_life_s = request_life_s
    world.venue.plan.append(Mishap.LOST_BEFORE)
    decision_id = world.gate.propose()
    began = world.clock.now()
    world.run()
    assert world.clock.now() - began > timedelta(seconds=request_life_s)
    assert world.decision(decision_id).state is DecisionState.WORKING
    assert len(world.venue.submits) == 2


def test_a_clock_that_was_set_ahead_proves_no_absence(world: World) -> None:
    world.venue.absence_is_authoritative = False
    decision_id = world.gate.propose()
    dies(world, Point.SEND_INTENDED)
    world.clock.move_to(world.clock.now() + timedelta(hours=1))
    world.run()
    assert world.decision(decision_id).state is DecisionState.REJECTED
    assert world.patience.waited_s > world.venue.request_life_s


def test_an_undecidable_order_is_quarantined_and_its_instrument_only_reduces(world: World) -> None:
    world.venue.plan.append(Mishap.LOST_AFTER)
    decision_id = world.gate.propose()
    service = world.executor()
    service.start()
    service.step(wait_s=0)
    world.venue.is_deaf = True
    quarantine(world)
    record = world.decision(decision_id)
    assert record.state is DecisionState.QUARANTINED
    assert world.book.trading_states == {"instrument:SPX": TradingState.REDUCING}
    assert world.book.reservations[decision_id].quantity_open == record.intent.quantity


def quarantine(world: World) -> None:
    """Let a fresh executor despair of a deaf venue."""
    service = world.executor()
    recovery: Recovery = service._recovery
    run(recovery.resolve())
    assert recovery.quarantined == 1
    assert recovery._rounds.total() == MAX_ROUNDS


def test_a_quarantined_order_that_turns_up_again_is_followed(world: World) -> None:
    world.venue.plan.append(Mishap.LOST_AFTER)
    decision_id = world.gate.propose()
    service = world.executor()
    service.start()
    service.step(wait_s=0)
    world.venue.is_deaf = True
    quarantine(world)
    world.venue.is_deaf = False
    world.venue.trade(world.working_order(decision_id), world.decision(decision_id).authorised_quantity)
    world.queue.now_s += 60
    world.run()
    assert world.decision(decision_id).state is DecisionState.FILLED
    assert len(world.venue.submits) == 1
    assert world.queue.is_empty()


def test_rounds_without_an_answer_prove_nothing(world: World) -> None:
    class Stammering(FakeVenue):
        """Answers twice, is deaf once, and so on."""

        asked = 0

        async def find(self, order: OrderRef) -> VenueOrder | None:
            self.asked += 1
            self.is_deaf = self.asked % 3 == 0
            return await super().find(order)

    world.venue = Stammering(plan=deque([Mishap.LOST_BEFORE]))
    decision_id = world.gate.propose()
    world.run(rounds=2)
    assert world.decision(decision_id).state is DecisionState.QUARANTINED
    assert len(world.venue.submits) == 1


def test_nothing_is_received_while_a_doubt_is_open(world: World) -> None:
    other = SPX.model_copy(update={"id": "IXIC"})
    world.market.instruments = (SPX, other)
    world.market.bars["IXIC"] = world.market.bars["SPX"]
    service = world.run()
    world.venue.plan.append(Mishap.LOST_BEFORE)
    world.gate.propose(1)
    service.step(wait_s=0)
    waiting = world.gate.propose(2, instrument="IXIC")
    world.queue.shuffle_first_to_last()
    world.patience.is_over = True
    service.step(wait_s=0)
    assert not world.decision(waiting).is_received
    world.patience.is_over = False
    world.run()
    assert world.decision(waiting).state is DecisionState.WORKING


def test_an_intention_that_slips_in_before_the_epoch_is_resolved_first(world: World) -> None:
    older = world.executor(probe=DiesAt(Point.SEND_INTENDED))
    older.start()

    class TheOlderOneStillWorks:
        has_worked = False

        def reached(self, point: Point) -> None:
            if point is Point.RECOVERED and not self.has_worked:
                self.has_worked = True
                with pytest.raises(DiedError):
                    older.step(wait_s=0)

    world.gate.propose()
    world.executor(probe=TheOlderOneStillWorks()).start()
    kinds = [type(event) for event in world.events(ev.OrderMoved, ev.RecoveryCompleted)]
    assert kinds == [ev.RecoveryCompleted, ev.OrderMoved, ev.OrderMoved, ev.RecoveryCompleted]


def test_recovery_announces_a_growing_epoch(world: World) -> None:
    for _ in range(3):
        world.run()
    epochs = [event.epoch for event in world.events(ev.RecoveryCompleted)]  # type: ignore[union-attr]
    assert epochs == [1, 2, 3]


def test_a_trade_that_raced_a_cancel_is_still_recorded_at_the_next_start(world: World) -> None:
    decision_id = world.gate.propose()
    service = world.run()
    order = world.working_order(decision_id)
    world.journal.append(
        [
            ev.CancelRequested(
                at=world.clock.now(),
                mode=world.gate.mode,
                decision_id=decision_id,
                caller="agent",
            )
        ]
    )
    service.step(wait_s=0)
    assert world.decision(decision_id).state is DecisionState.CANCELLED
    world.venue.trade(order, world.decision(decision_id).authorised_quantity / 2)
    world.venue.orders[order] = replace(world.venue.orders[order], status=VenueStatus.CANCELLED)
    world.run()
    record = world.decision(decision_id)
    assert record.filled_quantity == record.authorised_quantity / 2
    assert record.state is DecisionState.CANCELLED


def test_rounds_that_failed_are_no_waiting() -> None:
    """The clock jumped and the journal was locked: nobody waited, and the order may still arrive."""

    class Locked(MemoryJournal):
        locked = 0

        def append(self, events: Sequence[ev.Event], *, expected: Head | None = None) -> Head:
            if self.locked:
                self.locked -= 1
                raise Fault(ErrorCode.STORAGE_FAILED, "told to be locked", fix="wait")
            return super().append(events, expected=expected)

    class Still:
        is_over = False

        async def pause(self, seconds: float) -> None:
            self.is_over = True

    journal = Locked()
    world = World(venue=FakeVenue(absence_is_authoritative=False), journal=journal)
    decision_id = world.gate.propose(1)
    with pytest.raises(DiedError):
        world.run(probe=DiesAt(Point.SEND_INTENDED))
    world.clock.move_to(world.clock.now() + timedelta(hours=1))
    recovery = Service(replace(world.parts(), patience=Still()))._recovery
    journal.locked = 8
    for _ in range(8):
        with pytest.raises(Fault):
            run(recovery.resolve())
    run(recovery.resolve())
    (order,) = world.decision(decision_id).orders.values()
    assert order.state is not OrderState.ABSENT
