"""What is decided at the same moment is synced once, each decision on what the ones before it leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from executor.diary import Diary
from executor.offload import InPlace, OneThread, Result
from home.clock import FixedClock
from ledger.journal import Head
from tests.executor.by_hand import run
from tests.fakes.fake_market import AFTER_MONDAY
from tests.fakes.memory_journal import MemoryJournal
from tests.when_to_invest.tightenings import halted
from when_to_invest import events as ev
from when_to_invest.breakers import TradingState
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.values import Mode

HALT = halted(AFTER_MONDAY)


class Counting(MemoryJournal):
    """Counts appends; `races` of them lose against another writer."""

    def __init__(self, races: int = 0) -> None:
        super().__init__()
        self.appended: list[int] = []
        self.races = races

    def append(self, events: Sequence[ev.Event], *, expected: Head | None = None) -> Head:
        if self.races:
            self.races -= 1
            super().append([HALT])
        head = super().append(events, expected=expected)
        self.appended.append(len(events))
        return head


class Gated:
    """Blocks every call until it is let through."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.has_come = asyncio.Event()

    async def run(self, call: Callable[[], Result]) -> Result:
        self.has_come.set()
        await self.gate.wait()
        return call()


def diary_of(journal: MemoryJournal, offload: InPlace | Gated | None = None) -> Diary:
    return Diary(journal, clock=FixedClock(AFTER_MONDAY), mode=Mode.REPLAY, offload=offload)


def tightened(diary: Diary, scope: str) -> Callable[[], Sequence[ev.Event]]:
    """Halt a scope unless the book that is decided on says that it is."""

    def decide() -> Sequence[ev.Event]:
        if diary.book.trading_states.get(scope) is TradingState.HALTED:
            return ()
        return (HALT.model_copy(update={"scope": scope}),)

    return decide


async def at_once(diary: Diary, *writes: tuple[str, tuple[str, ...]]) -> list[Sequence[ev.Event]]:
    """Halt scopes at once, each write about what is named with it."""
    return await asyncio.gather(
        *(diary.write(tightened(diary, scope), about=about) for scope, about in writes)
    )


def test_those_who_come_during_an_append_share_the_next() -> None:
    journal = Counting()
    writes = [(f"account:a{number}", (f"d-{number}",)) for number in range(5)]
    told = run(at_once(diary_of(journal), *writes))
    assert journal.appended == [1, 4]
    assert [len(events) for events in told] == [1] * 5


def test_each_decides_on_what_the_ones_before_it_leave() -> None:
    journal = Counting()
    told = run(at_once(diary_of(journal), ("system", ("a",)), ("system", ("b",)), ("system", ("c",))))
    assert sorted(len(events) for events in told) == [0, 0, 1]
    assert len(journal.recorded) == 1


def test_the_book_is_the_folds_own_again_after_a_sitting() -> None:
    diary = diary_of(Counting())
    book = diary.book
    run(at_once(diary, ("account:a", ("a",)), ("account:b", ("b",)), ("account:c", ("c",))))
    assert diary.book is book
    assert set(book.trading_states) == {"account:a", "account:b", "account:c"}


def test_two_about_the_same_never_sit_together_and_keep_their_order() -> None:
    journal = Counting()
    run(at_once(diary_of(journal), *((f"account:a{number}", ("same",)) for number in range(3))))
    assert journal.appended == [1, 1, 1]
    assert [item.event.scope for item in journal.recorded] == [  # type: ignore[attr-defined]
        "account:a0",
        "account:a1",
        "account:a2",
    ]


def test_whoever_names_nothing_sits_alone() -> None:
    journal = Counting()
    run(at_once(diary_of(journal), ("account:a", ("a",)), ("account:b", ()), ("account:c", ("c",))))
    assert journal.appended == [1, 1, 1]


def test_what_fails_of_one_leaves_the_others() -> None:
    journal = Counting()
    diary = diary_of(journal)

    def breaks() -> Sequence[ev.Event]:
        raise ZeroDivisionError

    async def work() -> list[object]:
        return await asyncio.gather(
            diary.write(tightened(diary, "account:a"), about=("a",)),
            diary.write(breaks, about=("b",)),
            diary.write(tightened(diary, "account:c"), about=("c",)),
            return_exceptions=True,
        )

    first, second, third = run(work())
    assert isinstance(second, ZeroDivisionError)
    assert len(first) == len(third) == 1  # type: ignore[arg-type]
    assert len(journal.recorded) == 2


def test_a_lost_race_decides_all_of_them_again() -> None:
    journal = Counting(races=2)
    run(at_once(diary_of(journal), ("system", ("a",)), ("account:b", ("b",)), ("account:c", ("c",))))
    assert [item.event.scope for item in journal.recorded].count("system") == 2  # type: ignore[attr-defined]
    assert len(journal.recorded) == 4


def test_nobody_is_answered_before_it_is_appended() -> None:
    journal = Counting()

    async def work() -> None:
        offload = Gated()
        diary = diary_of(journal, offload)
        writing = asyncio.create_task(diary.write(tightened(diary, "system"), about=("a",)))
        await offload.has_come.wait()
        reading = asyncio.create_task(diary.refresh())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not writing.done()
        assert not reading.done()
        assert not diary.book.trading_states
        offload.gate.set()
        await writing
        assert diary.book.trading_states == {"system": TradingState.HALTED}
        await reading

    run(work())


def test_what_nobody_waits_for_any_more_is_not_recorded() -> None:
    journal = Counting()

    async def work() -> None:
        offload = Gated()
        diary = diary_of(journal, offload)
        first = asyncio.create_task(diary.write(tightened(diary, "account:a"), about=("a",)))
        await offload.has_come.wait()
        second = asyncio.create_task(diary.write(tightened(diary, "account:b"), about=("b",)))
        await asyncio.sleep(0)
        second.cancel()
        offload.gate.set()
        await first
        with pytest.raises(asyncio.CancelledError):
            await second

    run(work())
    assert [item.event.scope for item in journal.recorded] == ["account:a"]  # type: ignore[attr-defined]


def test_a_journal_that_fails_fails_all_that_wait() -> None:
    class Full(MemoryJournal):
        def append(self, events: Sequence[ev.Event], *, expected: Head | None = None) -> Head:
            raise Fault(ErrorCode.STORAGE_FAILED, "the disk is full", fix="make room")

    diary = diary_of(Full())

    async def work() -> list[object]:
        writes = (diary.write(tightened(diary, f"account:a{n}"), about=(str(n),)) for n in range(3))
        return await asyncio.gather(*writes, return_exceptions=True)

    assert all(isinstance(error, Fault) for error in run(work()))
    assert not diary.book.trading_states


def test_a_call_that_was_begun_is_waited_for_even_when_its_caller_is_cancelled() -> None:
    async def work() -> list[str]:
        thread = OneThread("test")
        told: list[str] = []
        loop, begun, ends = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

        def call() -> None:
            loop.call_soon_threadsafe(begun.set)
            asyncio.run_coroutine_threadsafe(ends.wait(), loop).result(timeout=10)
            told.append("ended")

        async def caller() -> None:
            await thread.run(call)
            told.append("taken note of")
            await asyncio.sleep(0)
            told.append("never")

        task = asyncio.create_task(caller())
        await begun.wait()
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        ends.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        thread.close()
        return told

    assert run(work()) == ["ended", "taken note of"]


def test_who_only_looks_waits_for_the_append_under_way_and_for_no_other() -> None:
    class EachGated(Gated):
        """Blocks the second call for good."""

        def __init__(self) -> None:
            super().__init__()
            self.calls = 0

        async def run(self, call: Callable[[], Result]) -> Result:
            self.calls += 1
            if self.calls > 1:
                await asyncio.Event().wait()
            return await super().run(call)

    async def work() -> Head:
        offload, journal = EachGated(), Counting()
        diary = diary_of(journal, offload)
        first = asyncio.create_task(diary.write(tightened(diary, "account:a"), about=("a",)))
        await offload.has_come.wait()
        second = asyncio.create_task(diary.write(tightened(diary, "account:b"), about=("b",)))
        await asyncio.sleep(0)
        looking = asyncio.create_task(diary.refresh())
        await asyncio.sleep(0)
        offload.gate.set()
        await first
        head = await asyncio.wait_for(looking, timeout=10)
        assert not second.done()
        assert head == journal.head()
        second.cancel()
        return head

    assert run(work()).sequence == 1


def test_who_looks_learns_what_is_wrong_with_the_journal() -> None:
    class Broken(Counting):
        is_broken = False

        def append(self, events: Sequence[ev.Event], *, expected: Head | None = None) -> Head:
            try:
                return super().append(events, expected=expected)
            finally:
                self.is_broken = True

        def head(self) -> Head:
            if self.is_broken:
                raise Fault(ErrorCode.JOURNAL_CORRUPT, "it does not check", fix="verify it")
            return super().head()

    async def work() -> list[object]:
        journal, offload = Broken(), Gated()
        diary = diary_of(journal, offload)
        writing = asyncio.create_task(diary.write(tightened(diary, "account:a"), about=("a",)))
        await offload.has_come.wait()
        looking = [asyncio.create_task(diary.refresh()) for _ in range(3)]
        await asyncio.sleep(0)
        looking[0].cancel()
        offload.gate.set()
        await writing
        return await asyncio.gather(*looking, return_exceptions=True)

    cancelled, *told = run(work())
    assert isinstance(cancelled, asyncio.CancelledError)
    assert [error.code for error in told] == [ErrorCode.JOURNAL_CORRUPT] * 2  # type: ignore[attr-defined]


def test_what_a_call_in_another_thread_raises_is_raised_where_it_was_asked_for() -> None:
    async def work() -> None:
        thread = OneThread("test")
        with pytest.raises(ZeroDivisionError):
            await thread.run(lambda: 1 // 0)
        assert await thread.run(lambda: 3) == 3
        thread.close()

    run(work())


@pytest.mark.parametrize("turns", range(8))
def test_who_is_broken_off_while_appending_for_others_leaves_them_to_decide_anew(turns: int) -> None:
    async def work() -> None:
        journal = Counting()
        diary = diary_of(journal)
        writes = [
            asyncio.create_task(diary.write(tightened(diary, f"account:{name}"), about=(name,)))
            for name in "abc"
        ]
        for _ in range(turns):
            await asyncio.sleep(0)
        writes[1].cancel()
        told = await asyncio.wait_for(asyncio.gather(*writes, return_exceptions=True), timeout=10)
        assert [len(told[0]), len(told[2])] == [1, 1]  # type: ignore[arg-type]
        assert sum(journal.appended) == len(journal.recorded) == len(set(diary.book.trading_states))

    run(work())
