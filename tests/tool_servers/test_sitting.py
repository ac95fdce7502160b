"""What is asked at the same moment is decided one after the other and synced once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.journal import Head
from ledger.live import LiveLedger
from tests.ledger.test_live import histories
from tests.tool_servers.bench import Bench, proposal
from tool_servers.orders import sitting
from tool_servers.orders.answers import DecisionAnswer
from tool_servers.orders.desk import ProposalDesk
from tool_servers.orders.sitting import MOST_AT_ONCE
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import Event
from when_to_invest.portfolio import AccountBook
from when_to_invest.twin import twin_of

DEADLINE_S = 20.0


def _together(
    desk: ProposalDesk, calls: Sequence[Callable[[], DecisionAnswer]]
) -> list[Future[DecisionAnswer]]:
    """Let every call arrive while a sitting is going on, so that the next one takes them all."""
    sittings = desk.sittings
    with ThreadPoolExecutor(len(calls)) as pool:
        with sittings.room:
            asked = [pool.submit(call) for call in calls]
            deadline = time.monotonic() + DEADLINE_S
            while len(sittings._waiting) < len(calls):
                assert time.monotonic() < deadline
        return asked


def _asking(desk: ProposalDesk, *usd: str) -> list[Callable[[], DecisionAnswer]]:
    return [
        lambda usd=usd, n=n: desk.propose(proposal(usd, request_id=f"r-{n}"), caller="agent")  # type: ignore[misc]
        for n, usd in enumerate(usd)
    ]


def test_proposals_that_come_at_once_share_one_record_and_one_note() -> None:
    bench = Bench()
    desk = bench.desk()
    appended: list[int] = []
    append = bench.journal.append

    def counted(events: Sequence[Event], *, expected: Head | None = None) -> Head:
        appended.append(len(events))
        return append(events, expected=expected)

    bench.journal.append = counted  # type: ignore[method-assign]
    answers = [asked.result() for asked in _together(desk, _asking(desk, "3000", "3100", "3200"))]
    assert [answer.state for answer in answers] == ["queued"] * 3
    assert appended == [9, 3]
    assert len(bench.queue.held) == 3


def test_each_decision_sees_the_ones_before_it() -> None:
    bench = Bench()
    desk = bench.desk()
    calls = _asking(desk, *(str(9_000 + n) for n in range(12)))
    verdicts = [asked.result().verdict for asked in _together(desk, calls)]
    reserved_usd = sum(row.notional_usd for row in desk.portfolio().reservations)
    assert verdicts.count("approved") < len(calls)
    assert 0 < reserved_usd <= desk.court.limits.max_open_orders_usd
    one_by_one = Bench().desk()
    alone = [call().verdict for call in _asking(one_by_one, *(str(9_000 + n) for n in range(12)))]
    assert verdicts.count("approved") == alone.count("approved")


def test_ones_error_is_not_its_neighbours() -> None:
    desk = Bench().desk()
    calls = [
        *_asking(desk, "3000"),
        lambda: desk.propose(proposal("3000", request_id="r-x", instrument="NOPE"), caller="agent"),
        lambda: desk.get("d-" + "0" * 24),
    ]
    good, unknown, absent = _together(desk, calls)
    assert good.result().state == "queued"
    for asked in (unknown, absent):
        assert isinstance(asked.exception(), Fault)


def test_the_same_request_twice_at_once_is_one_decision() -> None:
    bench = Bench()
    desk = bench.desk()
    again = [*_asking(desk, "3000"), *_asking(desk, "3000")]
    first, second = (asked.result() for asked in _together(desk, again))
    assert first.decision_id == second.decision_id
    assert bench.kinds().count("intent_proposed") == 1


def test_a_conflict_makes_all_of_them_decide_again() -> None:
    bench = Bench()
    desk = bench.desk()
    bench.journal.races = 3
    answers = [asked.result() for asked in _together(desk, _asking(desk, "3000", "3100"))]
    assert [answer.state for answer in answers] == ["queued"] * 2
    assert bench.kinds().count("envelope_sealed") == 2


def test_a_disk_that_fails_answers_nobody_and_records_nothing() -> None:
    bench = Bench()
    desk = bench.desk()

    def full(events: Sequence[Event], *, expected: Head | None = None) -> Head:
        raise Fault(ErrorCode.STORAGE_FAILED, "the disk is full", fix="make room")

    before = bench.kinds()
    bench.journal.append = full  # type: ignore[method-assign]
    for asked in _together(desk, _asking(desk, "3000", "3100")):
        error = asked.exception()
        assert isinstance(error, Fault)
        assert error.code is ErrorCode.STORAGE_FAILED
    assert bench.kinds() == before
    assert not bench.queue.held
    assert LiveLedger(bench.journal).refresh() == desk.ledger.refresh()


def test_more_than_fit_in_one_sitting_sit_in_the_next() -> None:
    desk = Bench().desk()
    calls = [lambda: desk.get("d-" + "0" * 24)] * (MOST_AT_ONCE + 3)
    assert all(isinstance(asked.exception(), Fault) for asked in _together(desk, calls))


def test_whoever_finds_too_many_waiting_is_turned_away_and_nothing_is_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sitting, "MOST_WAITING", 3)
    bench = Bench()
    desk = bench.desk()
    sittings = desk.sittings
    with ThreadPoolExecutor(3) as pool:
        with sittings.room:
            asked = [pool.submit(call) for call in _asking(desk, "1000", "1100", "1200")]
            deadline = time.monotonic() + DEADLINE_S
            while len(sittings._waiting) < len(asked):
                assert time.monotonic() < deadline
            with pytest.raises(Fault) as caught:
                desk.propose(proposal("500", request_id="late"), caller="agent")
            assert bench.kinds() == ["account_funded"]
        assert [each.result().state for each in asked] == ["queued"] * 3
    assert caught.value.code is ErrorCode.OVERLOADED
    assert "3 calls wait" in caught.value.message
    assert desk.propose(proposal("500", request_id="late"), caller="agent").state == "queued"


@pytest.mark.proof
@given(happened=histories(), at=st.integers(0, 60))
def test_nothing_done_to_a_twin_reaches_the_book(happened: list[Event], at: int) -> None:
    book = AccountBook()
    for event in happened[:at]:
        book.apply(event)
    before, twin = deepcopy(book), twin_of(book)
    assert twin == book
    for event in happened[at:]:
        twin.apply(event)
    assert book == before
    for event in happened[at:]:
        book.apply(event)
    assert twin == book
