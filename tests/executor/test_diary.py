"""One pen: decided on the newest state, and dry once a newer executor has begun."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from executor.diary import Diary
from executor.probe import Point
from ledger.journal import Head
from tests.executor.by_hand import run
from tests.executor.world import World
from tests.fakes.memory_journal import MemoryJournal
from tests.when_to_invest.tightenings import halted
from when_to_invest import events as ev
from when_to_invest.breakers import TradingState
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionState
from when_to_invest.values import Mode


@pytest.fixture
def world() -> World:
    return World()


class Busy(MemoryJournal):
    """Another process writes just before each of the next appends."""

    def __init__(self, races: int, other: ev.Event) -> None:
        super().__init__()
        self.races = races
        self.other = other

    def append(self, events: Sequence[ev.Event], *, expected: Head | None = None) -> Head:
        if expected is not None and self.races:
            self.races -= 1
            super().append([self.other])
        return super().append(events, expected=expected)


def halt(world: World) -> ev.TradingStateChanged:
    return halted(world.clock.now())


def test_what_was_decided_on_an_old_head_is_decided_again(world: World) -> None:
    journal = Busy(races=3, other=halt(world))
    diary = Diary(journal, clock=world.clock, mode=Mode.REPLAY)
    decided_at: list[int] = []

    def decide() -> Sequence[ev.Event]:
        decided_at.append(len(journal.recorded))
        return (halt(world),)

    run(diary.write(decide))
    assert decided_at == [0, 1, 2, 3]


def test_a_halt_that_wins_the_race_stops_the_order(world: World) -> None:
    class HaltsWhileJudging:
        def reached(self, point: Point) -> None:
            if point is Point.JUDGED and not world.events(ev.TradingStateChanged):
                world.journal.append([halt(world)])

    decision_id = world.gate.propose()
    world.run(probe=HaltsWhileJudging())
    assert world.decision(decision_id).state is DecisionState.REJECTED
    assert not world.venue.submits


def test_who_looks_while_the_epoch_is_announced_takes_it_for_no_other_executor(world: World) -> None:
    diary = Diary(world.journal, clock=world.clock, mode=Mode.REPLAY)

    async def look() -> None:
        for _ in range(20):
            await diary.refresh()
            await asyncio.sleep(0)

    async def announce() -> None:
        looking = [asyncio.create_task(look()) for _ in range(3)]
        assert await diary.begin_epoch(is_clear=lambda: True, resolved=0, quarantined=0)
        assert diary.epoch == 1
        await asyncio.gather(*looking)

    run(announce())


def test_endless_races_end_in_a_retryable_fault(world: World) -> None:
    diary = Diary(Busy(races=1000, other=halt(world)), clock=world.clock, mode=Mode.REPLAY)
    with pytest.raises(Fault) as caught:
        run(diary.write(lambda: (halt(world),)))
    assert caught.value.code is ErrorCode.JOURNAL_CONFLICT
    assert caught.value.is_retryable


def test_an_older_executor_can_neither_write_nor_send_once_a_newer_began(world: World) -> None:
    older = world.run()
    world.run()
    world.gate.propose()
    with pytest.raises(Fault) as caught:
        older.step(wait_s=0)
    assert caught.value.code is ErrorCode.ALREADY_RUNNING
    assert not world.venue.submits
    assert not world.events(ev.SendIntended)


def test_a_takeover_between_intention_and_socket_stops_the_send(world: World) -> None:
    class TakesOver:
        def reached(self, point: Point) -> None:
            if point is Point.SEND_INTENDED:
                world.executor().start()

    world.gate.propose()
    with pytest.raises(Fault) as caught:
        world.run(probe=TakesOver())
    assert caught.value.code is ErrorCode.ALREADY_RUNNING
    assert not world.venue.submits


def test_two_executors_that_recover_at_once_do_not_both_begin(world: World) -> None:
    one, two = world.executor(), world.executor()
    one.start()
    with pytest.raises(Fault) as caught:
        two.start()
    assert caught.value.code is ErrorCode.ALREADY_RUNNING


def test_automation_only_tightens(world: World) -> None:
    diary = Diary(world.journal, clock=world.clock, mode=Mode.REPLAY)
    for state in (TradingState.HALTED, TradingState.REDUCING, TradingState.ACTIVE, TradingState.HALTED):
        run(diary.tighten("system", state=state, why="test"))
    states = [event.state for event in world.events(ev.TradingStateChanged)]  # type: ignore[union-attr]
    assert states == [TradingState.HALTED]


def test_the_executor_does_not_write_what_is_not_its_own(world: World) -> None:
    diary = Diary(MemoryJournal(), clock=world.clock, mode=Mode.REPLAY)
    (funded,) = world.events(ev.AccountFunded)
    with pytest.raises(Fault) as refused:
        run(diary.write(lambda: (funded,)))
    assert refused.value.code is ErrorCode.ILLEGAL_TRANSITION
