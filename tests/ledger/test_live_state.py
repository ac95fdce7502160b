"""What live state says of the journal it followed: its home, its newest instant, what it passed over."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from datetime import timedelta

import pytest

from ledger.journal import EMPTY, GENESIS, Head, Recorded
from ledger.live import CLOCK_TOLERANCE, MOST_TOLD, LiveLedger
from tests.fakes.memory_journal import MemoryJournal
from tests.ledger.journals import drill
from tests.when_to_invest.samples import NOW, Story, one_of_each, order_intent
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import Event, OrderSettled, TradingResumed
from when_to_invest.orders import OrderState

MINUTE = timedelta(minutes=1)


def of_kind(kind: type[Event]) -> Event:
    return next(event for event in one_of_each() if isinstance(event, kind))


def live_on(*events: Event) -> LiveLedger:
    journal = MemoryJournal()
    journal.append(events)
    live = LiveLedger(journal)
    live.refresh()
    return live


def at(minutes: int) -> Event:
    return drill(minutes).model_copy(update={"at": NOW + minutes * MINUTE})


def test_before_anything_was_recorded_there_is_no_home_and_no_time() -> None:
    live = LiveLedger(MemoryJournal())
    assert live.refresh() == live.head == EMPTY
    assert (live.home_id, live.newest_at, live.passed_over_count) == (GENESIS, None, 0)
    live.demand_forward(NOW)


def test_a_home_is_known_by_its_first_event_whatever_follows() -> None:
    journal = MemoryJournal()
    journal.append([drill(1)])
    live = LiveLedger(journal)
    live.refresh()
    first = journal.recorded[0].hash
    assert live.home_id == first
    journal.append([drill(2), drill(3)])
    assert live.refresh() == journal.head()
    assert live.home_id == first


def test_the_newest_instant_is_the_latest_of_any_event_not_the_last_ones() -> None:
    live = live_on(at(2), at(5), at(3))
    assert live.newest_at == NOW + 5 * MINUTE
    live.demand_forward(NOW + 5 * MINUTE - CLOCK_TOLERANCE)
    with pytest.raises(Fault) as caught:
        live.demand_forward(NOW + 5 * MINUTE - CLOCK_TOLERANCE - timedelta(microseconds=1))
    assert caught.value.code is ErrorCode.CLOCK_BACK


def test_what_lacks_signatures_is_passed_over_and_told_with_its_place() -> None:
    settled = of_kind(OrderSettled)
    live = live_on(drill(1), of_kind(TradingResumed), drill(2), settled)
    assert live.passed_over_count == 2
    assert [(each.sequence, each.kind) for each in live.passed_over] == [
        (2, "trading_resumed"),
        (4, "order_settled"),
    ]
    assert [each.decision_id for each in live.passed_over] == [None, getattr(settled, "decision_id", "")]
    assert {each.why for each in live.passed_over} == {"it lacks the signatures that it needs"}
    assert live.head.sequence == 4


def test_what_was_signed_for_another_state_is_passed_over_with_that_reason() -> None:
    journal = MemoryJournal()
    journal.append([drill(1), of_kind(TradingResumed)])
    live = LiveLedger(journal, is_warranted=lambda _event, _home_id: True)
    live.refresh()
    assert [each.why for each in live.passed_over] == ["what it was signed for is not so, or no longer"]


def test_many_that_were_passed_over_are_counted_and_the_first_are_told() -> None:
    live = live_on(*[of_kind(TradingResumed)] * (MOST_TOLD + 7))
    assert live.passed_over_count == MOST_TOLD + 7
    assert [each.sequence for each in live.passed_over] == list(range(1, MOST_TOLD + 1))


class Failing(MemoryJournal):
    """A journal that raises once asked to read, as often as it is told to."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__()
        self.faults = list(faults)

    def read(self, *, after: int = 0) -> Iterator[Recorded]:
        if self.faults:
            raise self.faults.pop(0)
        return super().read(after=after)


def test_a_lock_that_passes_ends_nothing() -> None:
    journal = Failing(Fault(ErrorCode.JOURNAL_CONFLICT, "somebody writes", fix="wait"))
    journal.append([drill(1)])
    live = LiveLedger(journal)
    with pytest.raises(Fault):
        live.refresh()
    assert live.refresh() == journal.head()


def test_a_history_that_makes_no_sense_ends_the_state_even_if_it_reads_well_later() -> None:
    journal = Failing(Fault(ErrorCode.JOURNAL_CORRUPT, "a hole", fix="restore"))
    journal.append([drill(1)])
    live = LiveLedger(journal)
    for _ in range(2):
        with pytest.raises(Fault) as caught:
            live.refresh()
        assert caught.value.code is ErrorCode.JOURNAL_CORRUPT
    assert live.head == Head(0, GENESIS)


class Watching(MemoryJournal):
    """A journal that notes whether the cycle collector runs while it is read."""

    is_collecting: bool | None = None

    def read(self, *, after: int = 0) -> Iterator[Recorded]:
        for recorded in super().read(after=after):
            self.is_collecting = gc.isenabled()
            yield recorded


@pytest.mark.parametrize("was_on", [True, False])
def test_the_cycle_collector_rests_while_state_is_folded_and_is_left_as_it_was(was_on: bool) -> None:  # noqa: FBT001 - a column of the table
    journal = Watching()
    story = Story(order_intent())
    journal.append(story.until(OrderState.ACKNOWLEDGED))
    before = gc.isenabled()
    try:
        (gc.enable if was_on else gc.disable)()
        LiveLedger(journal).refresh()
        assert journal.is_collecting is False
        assert gc.isenabled() is was_on
    finally:
        (gc.enable if before else gc.disable)()
