"""Which decisions stay in memory, in which order they leave it, and where they are then found."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from decimal import Decimal

import pytest

from ledger.decisions import Decisions
from ledger.journal import Recorded
from ledger.shelf import Card, Shelf
from tests.fakes.memory_journal import MemoryJournal
from tests.when_to_invest.samples import Story, order_intent
from when_to_invest import events as ev
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionState
from when_to_invest.orders import OrderState
from when_to_invest.portfolio import AccountBook


def story(n: int) -> Story:
    return Story(order_intent(request_id=f"r-{n}"), n=n)


def cancel(n: int) -> ev.Event:
    at = story(n).proposed().at
    return ev.CancelRequested(
        at=at, mode=story(n).proposed().mode, decision_id=story(n).decision_id, caller="agent"
    )


class Memory:
    """Decisions over a journal, fed one event after another."""

    def __init__(self, *, kept: int | None) -> None:
        self.journal, self.book, self.shelf = MemoryJournal(), AccountBook(), Shelf()
        self.decisions = Decisions(self.journal, self.book, kept=kept, shelf=self.shelf)

    def take(self, *events: ev.Event) -> None:
        for event in events:
            self.journal.append([event])
            self.decisions.apply(self.journal.recorded[-1])

    def shelved(self) -> set[int]:
        return {n for n in range(1, 12) if self.shelf.of_decision(story(n).decision_id) is not None}


def test_a_decision_leaves_when_there_is_one_too_many_and_lies_on_the_shelf_given() -> None:
    memory = Memory(kept=2)
    for n in (1, 2):
        memory.take(*story(n).until(OrderState.FILLED))
    assert (memory.decisions.in_memory, memory.shelved()) == (2, set())
    memory.take(*story(3).until(OrderState.FILLED))
    assert (memory.decisions.in_memory, memory.shelved()) == (2, {1})
    assert [*memory.decisions] == [story(n).decision_id for n in (1, 2, 3)]


def test_without_a_bound_none_leaves() -> None:
    memory = Memory(kept=None)
    for n in range(1, 8):
        memory.take(*story(n).until(OrderState.FILLED))
    assert (memory.decisions.in_memory, memory.shelved()) == (7, set())


def test_what_was_touched_longest_ago_leaves_first() -> None:
    memory = Memory(kept=2)
    for n in (1, 2):
        memory.take(*story(n).until(OrderState.CANCELLED))
    memory.take(story(1).filled(Decimal(1), trade="late", is_last=False))
    memory.take(*story(3).until(OrderState.FILLED))
    assert 2 in memory.shelved()
    assert 1 not in memory.shelved()


def test_what_is_open_is_told_once_and_anew_after_every_event() -> None:
    memory = Memory(kept=None)
    memory.take(*story(1).until(OrderState.ACKNOWLEDGED))
    (told,) = memory.decisions.open()
    assert told.decision_id == story(1).decision_id
    assert memory.decisions.open() is memory.decisions.open()
    memory.take(story(1).filled())
    assert memory.decisions.open() == ()


def test_a_proposal_reaches_the_book_and_an_event_of_a_decision_nobody_proposed_does_not() -> None:
    memory = Memory(kept=None)
    memory.take(story(1).proposed(), story(2).sealed())
    assert [item.decision_id for item in memory.book.proposals] == [story(1).decision_id]
    assert not memory.book.reservations
    assert [*memory.decisions] == [story(1).decision_id]


def test_a_decision_that_comes_back_from_the_shelf_is_on_it_no_more() -> None:
    memory = Memory(kept=0)
    memory.take(*story(1).until(OrderState.CANCELLED), *story(2).until(OrderState.FILLED))
    assert memory.shelved() == {1, 2}
    memory.take(story(1).filled(Decimal(1), trade="late", is_last=False))
    assert memory.decisions[story(1).decision_id].state is DecisionState.PARTLY_FILLED
    assert memory.shelved() == {2}
    assert len(memory.decisions) == 2


def test_a_shelved_decision_whose_first_event_opens_none_is_not_believed() -> None:
    memory = Memory(kept=0)
    memory.take(*story(1).until(OrderState.FILLED))
    first = memory.journal.recorded[0]
    memory.journal.recorded[0] = Recorded(first.sequence, first.previous_hash, first.hash, story(1).sealed())
    with pytest.raises(Fault, match="event 1 of the journal does not check: it opens no decision") as caught:
        memory.decisions[story(1).decision_id]
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT


def test_a_shelved_decision_that_reads_otherwise_now_is_named_by_its_first_event() -> None:
    memory = Memory(kept=0)
    memory.take(story(2).proposed(), *story(1).until(OrderState.FILLED))
    last = memory.journal.recorded[-1]
    memory.journal.recorded[-1] = Recorded(last.sequence, last.previous_hash, "ef" * 32, last.event)
    with pytest.raises(Fault, match="event 2 of the journal does not check"):
        memory.decisions[story(1).decision_id]


def test_what_was_only_asked_about_lately_stays_longer_than_what_was_not() -> None:
    memory = Memory(kept=2)
    for n in (1, 2):
        memory.take(*story(n).until(OrderState.FILLED))
    memory.take(cancel(1))
    memory.take(*story(3).until(OrderState.FILLED))
    assert memory.shelved() == {2}


@pytest.mark.parametrize("kept", [0, None])
def test_whether_anybody_had_proposed_it_is_answered(kept: int | None) -> None:
    memory = Memory(kept=kept)
    memory.journal.append([story(1).proposed(), story(2).sealed(), cancel(1)])
    assert [memory.decisions.apply(item) for item in memory.journal.recorded] == [True, False, True]


@pytest.mark.parametrize("kept", [0, None])
def test_the_newest_are_counted_wherever_they_lie(kept: int | None) -> None:
    memory = Memory(kept=kept)
    for n in (1, 2, 3):
        memory.take(*story(n).until(OrderState.FILLED))
    found = memory.decisions.newest(limit=2)
    assert [record.decision_id for record in found.records] == [story(n).decision_id for n in (3, 2)]
    assert found.total == 3


@pytest.mark.parametrize("kept", [0, None])
def test_a_trade_of_a_decision_laid_aside_is_not_booked_again_for_another(kept: int | None) -> None:
    memory = Memory(kept=kept)
    first = story(1).filled()
    memory.take(*story(1).until(OrderState.ACKNOWLEDGED), first)
    memory.take(*story(2).until(OrderState.ACKNOWLEDGED))
    held = deepcopy(memory.book.positions)
    with suppress(Fault):
        memory.take(story(2).filled().model_copy(update={"trade_id": first.trade_id}))
    assert memory.book.positions == held


def test_while_catching_up_what_ends_leaves_at_once_and_what_is_open_stays() -> None:
    memory = Memory(kept=64)
    memory.decisions.is_catching_up = True
    memory.take(*story(1).until(OrderState.ACKNOWLEDGED), *story(2).until(OrderState.FILLED))
    assert (memory.decisions.in_memory, memory.shelved()) == (1, {2})


def test_while_catching_up_without_a_bound_nothing_leaves() -> None:
    memory = Memory(kept=None)
    memory.decisions.is_catching_up = True
    memory.take(*story(1).until(OrderState.FILLED))
    assert (memory.decisions.in_memory, memory.shelved()) == (1, set())


def catching_up(*, kept: int | None) -> Memory:
    memory = Memory(kept=kept)
    memory.decisions.is_catching_up = True
    return memory


def test_while_catching_up_what_was_only_proposed_or_held_stays() -> None:
    memory = catching_up(kept=64)
    memory.take(story(1).proposed())
    assert (memory.decisions.in_memory, memory.shelved()) == (1, set())
    memory.take(story(1).judged(ev.Outcome.HELD))
    assert (memory.decisions.in_memory, memory.shelved()) == (1, set())
    memory.take(story(1).declined())
    assert (memory.decisions.in_memory, memory.shelved()) == (0, {1})


def test_while_catching_up_proposals_make_room_and_nothing_else_does() -> None:
    memory = catching_up(kept=2)
    memory.take(*(story(n).proposed() for n in (1, 2)))
    assert (memory.decisions.in_memory, memory.shelved()) == (2, set())
    memory.take(story(3).proposed())
    assert (memory.decisions.in_memory, memory.shelved()) == (2, {1})
    memory.take(story(1).judged(ev.Outcome.HELD))
    assert (memory.decisions.in_memory, memory.shelved()) == (3, set())


def test_when_it_has_caught_up_all_room_is_made_at_once() -> None:
    memory = catching_up(kept=1)
    memory.take(*story(1).until_sealed(), story(2).proposed(), story(3).proposed())
    memory.take(*(story(n).judged(ev.Outcome.HELD) for n in (2, 3)))
    assert (memory.decisions.in_memory, memory.shelved()) == (3, set())
    memory.decisions.is_catching_up = False
    memory.take(cancel(1))
    assert (memory.decisions.in_memory, memory.shelved()) == (1, {2, 3})


def test_only_a_few_are_looked_at_for_each_event_and_others_next_time() -> None:
    memory = Memory(kept=1)
    for n in range(1, 6):
        memory.take(*story(n).until(OrderState.ACKNOWLEDGED))
    memory.take(*story(6).until(OrderState.FILLED))
    assert (memory.decisions.in_memory, memory.shelved()) == (6, set())
    memory.take(cancel(1))
    assert (memory.decisions.in_memory, memory.shelved()) == (5, {6})


def test_an_order_that_the_book_knows_is_not_sought_on_the_shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    memory, sought = Memory(kept=0), list[str]()
    real = memory.shelf.of_order

    def noted(client_order_id: str) -> Card | None:
        sought.append(client_order_id)
        return real(client_order_id)

    monkeypatch.setattr(memory.shelf, "of_order", noted)
    memory.take(*story(1).until(OrderState.ACKNOWLEDGED), story(1).filled())
    assert sought == [story(1).client_order_id]  # before it was sent for the first time
