"""Several gate processes on one journal, and one that dies at the worst moments."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from ledger.journal import Head
from ledger.live import LiveLedger
from ledger.sqlite_journal import SqliteJournal, open_journal
from tests.tool_servers.bench import ALICE, Bench, funding, proposal, signed
from tool_servers.orders.answers import DecisionAnswer
from tool_servers.orders.court import Court
from tool_servers.orders.desk import ProposalDesk
from tool_servers.orders.outbox import Outbox
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import EnvelopeQueued, EnvelopeSealed, Event

DESKS = 3
REQUESTS = 8


class DyingJournal:
    """Lets events through until one of `kind`; then the process is gone before it is written."""

    def __init__(self, bench: Bench, kind: type) -> None:
        self.inner = bench.journal
        self.kind = kind

    def append(self, events: Sequence[Event], *, expected: Head | None = None) -> Head:
        if any(isinstance(event, self.kind) for event in events):
            raise Fault(ErrorCode.STORAGE_FAILED, "the disk is gone", fix="replace it")
        return self.inner.append(events, expected=expected)

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


def dying_desk(bench: Bench, kind: type) -> ProposalDesk:
    desk = bench.desk()
    journal = DyingJournal(bench, kind)
    outbox = Outbox(journal, desk.ledger, bench.queue, bench.clock, bench.latch)  # type: ignore[arg-type]
    return ProposalDesk(journal, desk.ledger, desk.court, outbox)  # type: ignore[arg-type]


def test_an_envelope_sent_but_not_noted_is_sent_again_and_queued_once() -> None:
    bench = Bench()
    dying_desk(bench, EnvelopeQueued).propose(proposal("5000"), caller="agent")
    assert bench.kinds()[-1] == "envelope_sealed"
    assert len(bench.queue.held) == 1
    assert bench.desk().relay() == 1
    assert bench.kinds()[-1] == "envelope_queued"
    assert len(bench.queue.held) == 1


def test_what_could_not_be_recorded_was_not_decided_and_not_sent() -> None:
    bench = Bench()
    with pytest.raises(Fault) as error:
        dying_desk(bench, EnvelopeSealed).propose(proposal("5000"), caller="agent")
    assert error.value.code is ErrorCode.STORAGE_FAILED
    assert bench.kinds() == ["account_funded"]
    assert not bench.queue.held
    assert bench.desk().propose(proposal("5000"), caller="agent").state == "queued"


def test_an_approval_that_could_not_be_recorded_leaves_the_hold_as_it_was() -> None:
    bench = Bench()
    desk = bench.desk()
    held = desk.propose(proposal("15000"), caller="agent")
    approval = signed(desk, held, key=ALICE)
    with pytest.raises(Fault):
        dying_desk(bench, EnvelopeSealed).approve(approval)
    assert desk.get(held.decision_id).approvals_given == 0
    assert desk.approve(approval).state == "queued"


def desks_on(path: Path, bench: Bench) -> list[ProposalDesk]:
    """Return desks as separate processes have them: own connection, own ledger."""
    court: Court = bench.desk().court
    journals: list[SqliteJournal] = [open_journal(path / "journal.sqlite") for _ in range(DESKS)]
    journals[0].append([funding()])
    ledgers = [LiveLedger(journal) for journal in journals]
    return [
        ProposalDesk(journal, ledger, court, Outbox(journal, ledger, bench.queue, bench.clock, bench.latch))
        for journal, ledger in zip(journals, ledgers, strict=True)
    ]


def patiently(desk: ProposalDesk, number: int) -> DecisionAnswer:
    """Propose one request as an agent does: again while the error says that may help."""
    while True:
        try:
            return desk.propose(proposal(str(9_000 + number), request_id=f"r-{number}"), caller="agent")
        except Fault as fault:
            if not fault.is_retryable:
                raise


def test_racing_desks_make_one_decision_of_one_request_and_never_pass_a_limit(tmp_path: Path) -> None:
    desks = desks_on(tmp_path, Bench())

    def work(desk: ProposalDesk) -> list[DecisionAnswer]:
        return [patiently(desk, number) for number in range(REQUESTS)]

    with ThreadPoolExecutor(DESKS) as pool:
        answers = [answer for told in pool.map(work, desks) for answer in told]
    assert len({(answer.decision_id, answer.verdict) for answer in answers}) == REQUESTS
    assert {answer.verdict for answer in answers} == {"approved", "held"}
    reserved_usd = sum(row.notional_usd for row in desks[0].portfolio().reservations)
    assert 0 < reserved_usd <= desks[0].court.limits.approval_notional_usd
    for desk in desks:
        desk.journal.close()


def test_who_wrote_first_waits_the_second_time_and_then_goes_on(tmp_path: Path) -> None:
    bench = Bench()
    path = tmp_path / "journal.sqlite"
    desk, *others = desks_on(tmp_path, bench)
    other = open_journal(path)
    other._connection.execute("PRAGMA busy_timeout = 0")
    written: list[str] = []
    instrument = bench.market.instrument

    def intruding(name: str) -> object:
        try:
            other.append([funding(account="another")])
            written.append("written")
        except Fault as fault:
            written.append(fault.code.value)
        return instrument(name)

    bench.market.instrument = intruding  # type: ignore[method-assign, assignment]
    assert desk.propose(proposal("1000"), caller="agent").state == "queued"
    assert written[0] == "written"
    assert written[-1] == "journal_conflict"
    bench.market.instrument = instrument  # type: ignore[method-assign]
    assert other.append([funding(account="another")]).sequence > 1
    for journal in (other, *(each.journal for each in (desk, *others))):
        journal.close()


def test_a_process_that_writes_all_the_time_keeps_no_proposal_from_its_answer(tmp_path: Path) -> None:
    bench = Bench()
    path = tmp_path / "journal.sqlite"
    desk, *others = desks_on(tmp_path, bench)
    is_over = threading.Event()

    def write() -> None:
        with closing(open_journal(path)) as other:
            while not is_over.is_set():
                other.append([funding(account="another")])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with ThreadPoolExecutor(4) as pool:
            asked = pool.map(
                lambda n: desk.propose(proposal("500", request_id=f"busy-{n}"), caller=f"c{n}").verdict,
                range(8),
            )
            assert set(asked) <= {"approved", "held", "refused"}
    finally:
        is_over.set()
        writer.join()
        for each in (desk, *others):
            each.journal.close()
