"""The journal learns what a venue says of itself, once for each change."""

from __future__ import annotations

import io

import pytest

from executor.diary import Diary
from executor.log import Log
from executor.venue_watch import VenueWatch
from home.clock import FixedClock
from tests.executor.by_hand import ByHand
from tests.fakes.fake_market import AFTER_MONDAY
from tests.fakes.fake_venue import FakeVenue
from tests.fakes.memory_journal import MemoryJournal
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.marks import VenueReported
from when_to_invest.values import Mode
from when_to_invest.venue_status import TradingStatus


class Post:
    """A watch over one fake venue."""

    def __init__(self) -> None:
        self.venue, self.journal = FakeVenue(), MemoryJournal()
        diary = Diary(self.journal, clock=FixedClock(AFTER_MONDAY), mode=Mode.REPLAY)
        self.watch = ByHand(VenueWatch(diary=diary, venue=self.venue, log=Log(io.StringIO())))

    @property
    def told(self) -> list[TradingStatus]:
        events = [item.event for item in self.journal.recorded]
        return [event.status for event in events if isinstance(event, VenueReported)]


def test_an_open_venue_needs_no_word() -> None:
    post = Post()
    assert not post.watch.look()
    assert post.told == []


def test_each_change_is_told_once() -> None:
    post = Post()
    for status in (TradingStatus.HALTED, TradingStatus.HALTED, TradingStatus.OPEN, TradingStatus.OPEN):
        post.venue.trading_status = status
        post.watch.look()
    assert post.told == [TradingStatus.HALTED, TradingStatus.OPEN]


def test_a_venue_that_does_not_answer_is_down_until_it_does() -> None:
    post = Post()
    post.venue.is_deaf = True
    assert post.watch.look()
    post.venue.is_deaf = False
    assert post.watch.look()
    assert post.told == [TradingStatus.DOWN, TradingStatus.OPEN]


def test_any_other_failure_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_: FakeVenue) -> TradingStatus:
        raise Fault(ErrorCode.INTERNAL, "a bug", fix="none")

    post = Post()
    monkeypatch.setattr(FakeVenue, "status", fail)
    with pytest.raises(Fault):
        post.watch.look()
    assert post.told == []
