"""A latch goes when a quorum lifted that latch, in that scope and state, and not before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ledger.halting import in_force, take_away_lifted, told, untold
from tests.fakes.memory_latch import MemoryLatch
from tests.when_to_invest.samples import NOW, motion
from when_to_invest import events as ev
from when_to_invest.breakers import SYSTEM, Halt, TradingState
from when_to_invest.portfolio import AccountBook
from when_to_invest.values import Mode

NARROW = "instrument:ZZZ"


def pulled(latch: MemoryLatch, scope: str = SYSTEM, state: TradingState = TradingState.HALTED) -> Halt:
    return latch.drop(Halt(scope, state, NOW, "alice", "stop"))


def tell(book: AccountBook, scope: str, state: TradingState, latch_id: str) -> None:
    halt: dict[str, Any] = {"scope": scope, "state": state, "by": "x", "why": "y", "latch_id": latch_id}
    book.apply(ev.TradingStateChanged(at=NOW, mode=Mode.REPLAY, **halt))


def resume(book: AccountBook, scope: str) -> None:
    """Fold a resumption as a ledger does that found its signatures good."""
    signed = motion("Resume").model_copy(update={"serial": book.standing.serial})
    about: dict[str, Any] = {"at": NOW + timedelta(seconds=1), "mode": Mode.REPLAY, "scope": scope}
    halts_hash = book.standing.hash_of(scope)
    book.apply(ev.TradingResumed(**about, halts_hash=halts_hash, motion=signed, endorsements=()))


def test_a_latch_named_under_another_scope_stands_when_that_scope_resumes() -> None:
    latch, book = MemoryLatch(), AccountBook()
    halt = pulled(latch)
    tell(book, NARROW, TradingState.REDUCING, halt.latch_id)
    resume(book, NARROW)
    assert book.trading_states == {}
    assert take_away_lifted(latch, book) == 0
    assert in_force(latch, book) == untold(latch, book) == (halt,)


def test_a_latch_named_less_strict_is_told_as_strict_as_it_is() -> None:
    latch, book = MemoryLatch(), AccountBook()
    halt = pulled(latch)
    tell(book, SYSTEM, TradingState.REDUCING, halt.latch_id)
    for event in told(untold(latch, book), at=NOW, mode=Mode.REPLAY):
        book.apply(event)
    assert book.trading_states == {SYSTEM: TradingState.HALTED}
    assert untold(latch, book) == ()


def test_a_lifted_latch_goes_and_the_others_stay() -> None:
    latch, book = MemoryLatch(), AccountBook()
    pulled(latch)
    other = pulled(latch, NARROW)
    for event in told(untold(latch, book), at=NOW, mode=Mode.REPLAY):
        book.apply(event)
    resume(book, SYSTEM)
    assert take_away_lifted(latch, book) == 1
    assert latch.read() == (other,)


def test_a_lifted_latch_told_once_more_halts_nothing_that_nobody_could_lift() -> None:
    latch, book = MemoryLatch(), AccountBook()
    halt = pulled(latch)
    tell(book, SYSTEM, TradingState.HALTED, halt.latch_id)
    resume(book, SYSTEM)
    tell(book, SYSTEM, TradingState.HALTED, halt.latch_id)
    assert (book.trading_states, book.standing.standing()) == ({}, ())


def test_a_halt_without_a_latch_is_in_force_and_is_told_by_nobody() -> None:
    latch, book = MemoryLatch(), AccountBook()
    nameless = Halt(SYSTEM, TradingState.HALTED, NOW, "alice", "stop")
    latch.halts = [nameless]
    assert untold(latch, book) == ()
    assert in_force(latch, book) == (nameless,)


def test_where_nothing_was_lifted_the_latch_is_left_alone() -> None:
    class Untouchable(MemoryLatch):
        def lift(self, latch_ids: object) -> int:
            raise AssertionError(latch_ids)

    latch = Untouchable()
    pulled(latch)
    assert take_away_lifted(latch, AccountBook()) == 0
