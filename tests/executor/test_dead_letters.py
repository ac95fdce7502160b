"""What the queue sets aside is journalled once, halts its group at once, and goes when it is answered."""

from __future__ import annotations

import pytest

from tests.executor.world import World
from tests.fakes.fake_market import SPX as SPX_INDEX
from tests.fakes.memory_queue import MemoryQueue
from tests.when_to_invest.tightenings import halted
from when_to_invest import events as ev
from when_to_invest.breakers import SYSTEM, TradingState
from when_to_invest.history import DecisionState
from when_to_invest.letters import (
    Answer,
    DeadLetterAnswered,
    DeadLetterArrived,
    halted_scope,
    letterbox,
)

SPX = "instrument:SPX"


@pytest.fixture
def world() -> World:
    return World()


def letters(world: World) -> list[DeadLetterArrived]:
    return [event for event in world.events(DeadLetterArrived) if isinstance(event, DeadLetterArrived)]


def poison(world: World, *, body: str = "{") -> str:
    """Put an unreadable message into SPX's group, in the name of a sealed decision."""
    envelope = world.gate.sealed()
    world.gate.queue(envelope, body=body)
    return envelope.content.decision_id


def test_a_letter_is_journalled_once_with_what_is_wrong_and_whom_it_names(world: World) -> None:
    decision_id = poison(world)
    world.run()
    world.run()
    (letter,) = letters(world)
    assert (letter.code, letter.claimed_decision_id) == ("unreadable_message", decision_id)
    assert (letter.group, letter.receive_count) == ("main|paper|SPX", world.queue.max_receives)
    assert letter.body_hash != "0" * 64


def test_its_group_halts_and_the_log_says_so(world: World) -> None:
    poison(world)
    world.run()
    assert world.book.trading_states[SPX] is TradingState.HALTED
    assert SYSTEM not in world.book.trading_states
    assert '"event": "dead_letter"' in world.log.getvalue()
    (halt,) = [event for event in world.events(ev.TradingStateChanged) if event.scope == SPX]
    assert halt.by == "executor"


def test_what_follows_in_the_group_is_not_sent_and_other_groups_go_on(world: World) -> None:
    world.market.instruments = (SPX_INDEX, SPX_INDEX.model_copy(update={"id": "IXIC"}))
    world.market.bars["IXIC"] = world.market.bars["SPX"]
    poison(world)
    behind = world.gate.propose(2)
    beside = world.gate.propose(3, instrument="IXIC")
    world.run()
    assert world.decision(behind).state is DecisionState.REJECTED
    assert world.decision(beside).state is DecisionState.WORKING
    assert len(world.venue.submits) == 1


def test_what_died_while_no_executor_lived_halts_its_group_before_the_next_is_taken(world: World) -> None:
    poison(world)
    behind = world.gate.propose(2)
    for _ in range(world.queue.max_receives):
        world.queue.receive(max_messages=1, wait_s=0.0)  # taken by somebody who died over it
        world.queue.now_s += world.queue.visibility_s
    world.run()
    assert world.decision(behind).state is DecisionState.REJECTED
    assert not world.venue.submits
    assert world.book.trading_states[SPX] is TradingState.HALTED


def test_a_group_that_no_gate_gave_halts_everything(world: World) -> None:
    envelope = world.gate.sealed()
    for group in ("", "main|paper", "a|b|c|d", "main|paper|S P", "main|paper|\x00", "||"):
        assert halted_scope(group) == SYSTEM
    assert halted_scope(envelope.content.message_group) == SPX
    assert halted_scope("main|chain|1") == "venue:chain"


def test_a_good_envelope_that_nobody_could_deliver_is_told_apart(world: World) -> None:
    decision_id = world.gate.propose()
    for _ in range(world.queue.max_receives):
        world.queue.receive(max_messages=1, wait_s=0.0)
        world.queue.now_s += world.queue.visibility_s
    world.run()
    (letter,) = letters(world)
    assert (letter.code, letter.claimed_decision_id) == ("undelivered", decision_id)


def test_an_answered_letter_is_removed_and_an_unanswered_one_stays(world: World) -> None:
    poison(world)
    world.run()
    (letter,) = letters(world)
    assert world.queue.letters
    answered = DeadLetterAnswered(
        at=letter.at, mode=letter.mode, message_id=letter.message_id, answer=Answer.DISCARDED,
        by="operator", why="a drill",
    )  # fmt: skip
    world.journal.append([answered])
    world.run()
    assert not world.queue.letters
    box = letterbox(item.event for item in world.journal.read())
    assert box.waiting() == ()
    assert box.letters[letter.message_id].answered == answered


def test_a_halt_by_people_is_never_loosened_nor_repeated_by_a_letter(world: World) -> None:
    poison(world)
    now = world.clock.now()
    world.journal.append([halted(now, mode=world.gate.mode, scope=SPX, why="x")])
    world.run()
    assert len([event for event in world.events(ev.TradingStateChanged) if event.scope == SPX]) == 1


def test_the_last_delivery_halts_before_the_message_is_given_back() -> None:
    world = World(queue=MemoryQueue(max_receives=1))
    poison(world)
    behind = world.gate.propose(2)
    service = world.executor()
    service.start()
    service.step(wait_s=0.0)
    assert world.decision(behind).state is DecisionState.REJECTED
    assert not world.venue.submits
