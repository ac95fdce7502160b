"""Somebody else writes as the executor: it halts everything and asks the venue what is true."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from executor.sentry import EXECUTED_OTHERWISE, STILL_WORKING, STRANGER
from executor.venues.port import VenueStatus
from ledger.journal import Head
from tests.executor.world import Executor, World
from tests.fakes.memory_journal import MemoryJournal
from when_to_invest import events as ev
from when_to_invest.breakers import TradingState
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionState
from when_to_invest.orders import OrderStep
from when_to_invest.values import Mode


@pytest.fixture
def world() -> World:
    return World()


def working(world: World) -> tuple[Executor, str]:
    """Return an executor that has an order at the venue, and the decision."""
    service = world.executor()
    service.start()
    decision_id = world.gate.propose()
    service.step(wait_s=0)
    assert world.decision(decision_id).state is DecisionState.WORKING
    return service, decision_id


def said_to_be(world: World, decision_id: str, step: OrderStep) -> ev.OrderMoved:
    order = world.working_order(decision_id)
    about = {"at": world.clock.now(), "mode": Mode.REPLAY, "decision_id": decision_id}
    return ev.OrderMoved(**about, client_order_id=order, step=step)


def system(world: World) -> TradingState:
    return world.book.trading_states.get("system", TradingState.ACTIVE)


def reasons(world: World) -> list[str]:
    return [halt.why for halt in world.latch.halts]


@pytest.mark.parametrize("step", [OrderStep.CANCELLED, OrderStep.EXPIRED, OrderStep.REJECTED])
def test_an_end_that_the_executor_did_not_write_halts_everything(world: World, step: OrderStep) -> None:
    service, decision_id = working(world)
    world.journal.append([said_to_be(world, decision_id, step)])
    second = world.gate.propose(2)
    for _ in range(3):
        service.step(wait_s=0)
    assert system(world) is TradingState.HALTED
    assert reasons(world) == [STRANGER, STILL_WORKING]
    assert len(world.venue.submits) == 1
    assert world.venue.orders[world.working_order(decision_id)].status is VenueStatus.CANCELLED
    assert world.decision(second).state is DecisionState.REJECTED
    assert "ended_orders_working" in world.log.getvalue()


def test_a_rejection_that_the_executor_did_not_write_halts_everything(world: World) -> None:
    service = world.executor()
    service.start()
    decision_id = world.gate.propose()
    about = {"at": world.clock.now(), "mode": Mode.REPLAY, "decision_id": decision_id}
    world.journal.append([ev.EnvelopeRejected(**about, code="x", message="x")])
    service.step(wait_s=0)
    assert reasons(world) == [STRANGER]
    assert not world.venue.submits


def test_a_rejection_of_an_order_at_the_venue_halts_and_is_believed_by_nobody(world: World) -> None:
    service, decision_id = working(world)
    order = world.working_order(decision_id)
    about = {"at": world.clock.now(), "mode": Mode.REPLAY, "decision_id": decision_id}
    world.journal.append([ev.EnvelopeRejected(**about, code="x", message="x")])
    with pytest.raises(Fault, match="an order of it was sent"):
        service.step(wait_s=0)
    service.cancel_stopped()
    assert reasons(world) == [STRANGER]
    assert world.venue.orders[order].status is VenueStatus.CANCELLED


def test_a_stranger_between_intention_and_sending_keeps_the_venue_silent(world: World) -> None:
    service, decision_id = working(world)
    sends = world.journal.append

    def append(events: Sequence[ev.Event], *, expected: Head | None = None) -> Head:
        head = sends(events, expected=expected)
        if any(isinstance(event, ev.SendIntended) for event in events):
            return sends([said_to_be(world, decision_id, OrderStep.CANCELLED)])
        return head

    world.gate.propose(2)
    world.journal.append = append  # type: ignore[method-assign]
    service.step(wait_s=0)
    assert len(world.venue.submits) == 1
    assert reasons(world) == [STRANGER]


def test_what_was_called_ended_while_nobody_ran_is_found_at_the_start(world: World) -> None:
    _, decision_id = working(world)
    world.journal.append([said_to_be(world, decision_id, OrderStep.CANCELLED)])
    world.executor().start()
    assert reasons(world) == [STILL_WORKING]
    assert system(world) is TradingState.HALTED
    assert world.venue.orders[world.working_order(decision_id)].status is VenueStatus.CANCELLED


def in_a_successors_name(world: World) -> ev.RecoveryCompleted:
    """Return what makes a running executor give way, so that nobody hears who writes on."""
    begun = world.events(ev.RecoveryCompleted)[-1]
    assert isinstance(begun, ev.RecoveryCompleted)
    return begun.model_copy(update={"epoch": begun.epoch + 1})


def test_what_was_called_rejected_and_executed_is_found_at_the_start(world: World) -> None:
    service, decision_id = working(world)
    order = world.working_order(decision_id)
    world.venue.trade(order, world.venue.requests[order].quantity)
    world.journal.append([in_a_successors_name(world), said_to_be(world, decision_id, OrderStep.REJECTED)])
    with pytest.raises(Fault) as ended:
        service.step(wait_s=0)
    assert ended.value.code is ErrorCode.ALREADY_RUNNING
    world.executor().start()
    assert reasons(world) == [EXECUTED_OTHERWISE]
    assert system(world) is TradingState.HALTED


def test_an_execution_that_the_venue_knows_nothing_of_is_found_at_the_start(world: World) -> None:
    _, decision_id = working(world)
    order = world.decision(decision_id).orders[world.working_order(decision_id)].sent
    world.venue.expire(order.client_order_id)
    made_up = ev.OrderFilled(
        at=world.clock.now(),
        mode=Mode.REPLAY,
        decision_id=decision_id,
        client_order_id=order.client_order_id,
        account="main",
        venue=order.venue,
        trade_id="made up",
        instrument=order.instrument,
        side=order.side,
        quantity=order.quantity,
        price_usd=order.limit_price_usd,
        fee_usd=Decimal(0),
        is_last=True,
    )
    world.journal.append([in_a_successors_name(world), made_up])
    world.executor().start()
    assert reasons(world) == [EXECUTED_OTHERWISE]


def test_a_trade_after_an_end_that_a_stranger_wrote_is_booked_at_once(world: World) -> None:
    service, decision_id = working(world)
    order = world.working_order(decision_id)
    world.venue.trade(order, world.venue.requests[order].quantity)
    world.journal.append([said_to_be(world, decision_id, OrderStep.CANCELLED)])
    for _ in range(2):
        service.step(wait_s=0)
    assert reasons(world) == [STRANGER]
    assert world.decision(decision_id).filled_quantity == world.venue.requests[order].quantity


def test_a_trade_that_raced_an_end_is_booked_at_the_start_and_halts_nothing(world: World) -> None:
    service, decision_id = working(world)
    order = world.working_order(decision_id)
    world.venue.expire(order)
    service.step(wait_s=0)
    assert world.decision(decision_id).state is DecisionState.EXPIRED
    world.venue.trade(order, Decimal(1))
    world.venue.expire(order)
    world.run()
    assert world.decision(decision_id).filled_quantity == Decimal(1)
    assert not world.latch.halts


def test_people_who_halted_before_still_read_of_strangers(world: World) -> None:
    service, decision_id = working(world)
    service.brake.pull(why="drill")
    world.journal.append([said_to_be(world, decision_id, OrderStep.CANCELLED)])
    service.step(wait_s=0)
    assert reasons(world)[:2] == ["drill", STRANGER]


def test_the_same_words_elsewhere_keep_no_alarm_untold(world: World) -> None:
    service, decision_id = working(world)
    service.brake.pull(why="drill")
    words = ev.TradingStateChanged(
        at=world.clock.now(),
        mode=Mode.REPLAY,
        scope="instrument:ZZZ",
        state=TradingState.HALTED,
        by="agent",
        why=STRANGER,
    )
    world.journal.append([words, said_to_be(world, decision_id, OrderStep.CANCELLED)])
    service.step(wait_s=0)
    assert reasons(world)[:2] == ["drill", STRANGER]


def test_restarts_and_other_writers_are_no_strangers(world: World) -> None:
    service, decision_id = working(world)
    about = {"at": world.clock.now(), "mode": Mode.REPLAY, "decision_id": decision_id}
    world.journal.append([ev.CancelRequested(**about, caller="agent")])
    world.gate.propose(2)
    service.step(wait_s=0)
    world.run()
    assert not world.latch.halts


def test_a_successor_is_no_stranger(world: World) -> None:
    service, decision_id = working(world)
    world.venue.trade(world.working_order(decision_id), Decimal(1))
    world.run()
    assert world.events(ev.OrderFilled)
    world.gate.propose(2)
    with pytest.raises(Fault) as ended:
        service.step(wait_s=0)
    assert ended.value.code is ErrorCode.ALREADY_RUNNING
    assert not world.latch.halts


def test_an_old_epoch_announced_again_is_a_strangers(world: World) -> None:
    service, _ = working(world)
    (begun,) = world.events(ev.RecoveryCompleted)
    world.journal.append([begun])
    service.step(wait_s=0)
    assert reasons(world) == [STRANGER]


def test_what_a_failed_append_left_behind_is_ones_own(world: World) -> None:
    class Answerless(MemoryJournal):
        """Takes what it is given and breaks down before it says so, once."""

        fails = False

        def append(self, events: Sequence[ev.Event], *, expected: Head | None = None) -> Head:
            head = super().append(events, expected=expected)
            if self.fails and any(isinstance(event, ev.SendIntended) for event in events):
                self.fails = False
                raise Fault(ErrorCode.STORAGE_FAILED, "no answer", fix="try again")
            return head

    journal = Answerless()
    journal.append([item.event for item in world.journal.recorded])
    world.journal = world.gate.journal = journal
    service = world.executor()
    service.start()
    world.gate.propose()
    journal.fails = True
    with pytest.raises(Fault) as failed:
        service.step(wait_s=0)
    assert failed.value.code is ErrorCode.STORAGE_FAILED
    service.step(wait_s=0)
    assert not world.latch.halts
