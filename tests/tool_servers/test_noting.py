"""What the queue took is noted once: with the sitting that waits already, at once, or after a crash."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from ledger.journal import Head, Journal
from ledger.live import LiveLedger
from ledger.queue import OutgoingMessage, QueueSender
from ledger.sqlite_journal import open_journal
from ledger.sqlite_queue import SqliteQueue, SqliteSender
from ledger.verify import verify_journal
from tests.tool_servers.bench import Bench, funding, proposal
from tool_servers.orders.answers import DecisionAnswer
from tool_servers.orders.desk import ProposalDesk
from tool_servers.orders.outbox import Outbox
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import EnvelopeQueued, EnvelopeSealed, Event

DEADLINE_S = 20.0
NOTE = "envelope_queued"


@pytest.fixture
def bench() -> Bench:
    return Bench()


def _counted(bench: Bench) -> list[list[str]]:
    """Return the list into which every later append writes the kinds it was given."""
    appended: list[list[str]] = []
    append = bench.journal.append

    def counted(events: Sequence[Event], *, expected: Head | None = None) -> Head:
        appended.append([event.kind for event in events])
        return append(events, expected=expected)

    bench.journal.append = counted  # type: ignore[method-assign]
    return appended


def _one_behind_the_other(
    bench: Bench, desk: ProposalDesk, meanwhile: Callable[[], DecisionAnswer]
) -> tuple[DecisionAnswer, DecisionAnswer]:
    """Propose; `meanwhile` comes while the first one's message is being sent. Return both answers."""
    send = bench.queue.send
    is_sending = threading.Event()

    def wait_for_another(message: OutgoingMessage) -> str:
        bench.queue.send = send  # type: ignore[method-assign]
        is_sending.set()
        deadline = time.monotonic() + DEADLINE_S
        while not desk.sittings._waiting:
            assert time.monotonic() < deadline
        return send(message)

    bench.queue.send = wait_for_another  # type: ignore[method-assign]
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(desk.propose, proposal("3000", request_id="r-1"), caller="agent")
        assert is_sending.wait(DEADLINE_S)
        second = pool.submit(meanwhile)
        return first.result(DEADLINE_S), second.result(DEADLINE_S)


def test_the_note_rides_with_the_sitting_that_waits(bench: Bench) -> None:
    desk = bench.desk()
    appended = _counted(bench)
    answers = _one_behind_the_other(
        bench, desk, lambda: desk.propose(proposal("3100", request_id="r-2"), caller="agent")
    )
    assert [answer.state for answer in answers] == ["queued"] * 2
    assert [answer.events[-1].kind for answer in answers] == [NOTE] * 2
    opened = ["intent_proposed", "intent_judged", "envelope_sealed"]
    assert appended == [opened, [NOTE, *opened], [NOTE]]


def test_alone_it_is_noted_at_once(bench: Bench) -> None:
    desk = bench.desk()
    desk.propose(proposal("3000"), caller="agent")
    assert bench.kinds()[-1] == NOTE


def test_a_sitting_that_records_nothing_leaves_no_note_behind(bench: Bench) -> None:
    desk = bench.desk()
    first, again = _one_behind_the_other(
        bench, desk, lambda: desk.propose(proposal("3000", request_id="r-1"), caller="agent")
    )
    assert first == again
    assert bench.kinds().count(NOTE) == 1


def test_what_was_answered_and_not_noted_is_told_by_the_next_process(bench: Bench) -> None:
    desk = bench.desk()
    _without_notes(desk)
    answer = desk.propose(proposal("3000"), caller="agent")
    assert answer.state == "queued"
    assert NOTE not in bench.kinds()
    restarted = bench.desk()
    assert restarted.relay() == 1
    assert restarted.get(answer.decision_id).state == "queued"
    assert bench.kinds().count(NOTE) == len(bench.queue.held) == 1


def test_a_note_that_failed_is_told_later_and_nothing_is_sent_again(bench: Bench) -> None:
    desk = bench.desk()
    append = bench.journal.append

    def full(events: Sequence[Event], *, expected: Head | None = None) -> Head:
        if any(isinstance(event, EnvelopeQueued) for event in events):
            raise Fault(ErrorCode.STORAGE_FAILED, "the disk is full", fix="make room")
        return append(events, expected=expected)

    bench.journal.append = full  # type: ignore[method-assign]
    answer = desk.propose(proposal("3000"), caller="agent")
    assert answer.state == desk.get(answer.decision_id).state == "queued"
    assert desk.list_orders(state=None, limit=5).total == len(desk.portfolio().reservations) == 1
    with pytest.raises(Fault):
        desk.propose(proposal("3100", request_id="r-2"), caller="agent")
    bench.journal.append = append  # type: ignore[method-assign]
    assert desk.relay() == 0
    assert desk.get(answer.decision_id).state == "queued"
    assert bench.kinds().count(NOTE) == len(bench.queue.held) == 1


def test_whoever_looks_sees_what_was_answered(bench: Bench) -> None:
    desk = bench.desk()
    assert desk.outbox.send() == 0
    _without_notes(desk)
    answer = desk.propose(proposal("3000"), caller="agent")
    desk.sittings.outbox = desk.outbox
    (row,) = desk.list_orders(state=None, limit=5).orders
    assert row.state == answer.state == "queued"
    assert desk.relay() == 0


def test_what_was_sealed_anew_meanwhile_is_sent_and_its_old_note_is_dropped(bench: Bench) -> None:
    desk = bench.desk()
    _without_notes(desk)
    answer = desk.propose(proposal("3000"), caller="agent")
    (sealed,) = [row.event for row in bench.journal.recorded if isinstance(row.event, EnvelopeSealed)]
    bench.journal.append([sealed])
    assert desk.relay() == 1
    assert desk.outbox.unnoted() == []
    assert bench.kinds().count(NOTE) == 1
    assert len(bench.queue.held) == 2
    assert desk.get(answer.decision_id).state == "queued"


def test_power_lost_after_the_answer_and_before_the_note_loses_and_doubles_nothing(tmp_path: Path) -> None:
    running, found = tmp_path / "running", tmp_path / "found"
    running.mkdir()
    with closing(open_journal(running / "journal.sqlite")) as journal, closing(_queue(running)) as queue:
        journal.append([funding()])
        desk = _desk_on(journal, SqliteSender(queue))
        _without_notes(desk)
        answer = desk.propose(proposal("3000"), caller="agent")
        assert answer.state == "queued"
        # Nothing was written since the last sync, so this is what a power cut leaves.
        shutil.copytree(running, found)
    checked = verify_journal(found / "journal.sqlite")
    assert checked.ok, checked
    assert checked.is_tail_witnessed
    with closing(open_journal(found / "journal.sqlite")) as journal, closing(_queue(found)) as queue:
        desk = _desk_on(journal, SqliteSender(queue))
        desk.relay()
        assert desk.get(answer.decision_id).state == "queued"
        noted = [row for row in journal.read() if isinstance(row.event, EnvelopeQueued)]
        assert len(noted) == queue.depth().waiting == 1
    assert verify_journal(found / "journal.sqlite").ok


def test_a_tail_that_is_cut_behind_the_answer_still_shows(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with closing(open_journal(path)) as journal, closing(_queue(tmp_path)) as queue:
        journal.append([funding()])
        journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        earlier = path.read_bytes()
        desk = _desk_on(journal, SqliteSender(queue))
        _without_notes(desk)
        assert desk.propose(proposal("3000"), caller="agent").state == "queued"
    path.write_bytes(earlier)
    path.with_name("journal.sqlite-wal").unlink(missing_ok=True)
    assert not verify_journal(path).ok
    with pytest.raises(Fault) as caught:
        open_journal(path)
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT


class _NeverNoting(Outbox):
    """Sends as ever; the process ends before it notes anything."""

    def note(self) -> None:
        """Do nothing."""


def _without_notes(desk: ProposalDesk) -> None:
    """Let sittings end without noting, as when another one waits or the power goes."""
    whole = desk.outbox
    cut = _NeverNoting(whole.journal, whole.ledger, whole.sender, whole.clock, whole.switch, whole._unnoted)
    desk.sittings.outbox = cut


def _queue(directory: Path) -> SqliteQueue:
    return SqliteQueue(directory / "queue.sqlite", visibility_s=30, max_receives=5)


def _desk_on(journal: Journal, sender: QueueSender) -> ProposalDesk:
    bench = Bench()
    ledger = LiveLedger(journal)
    outbox = Outbox(journal, ledger, sender, bench.clock, bench.latch)
    return ProposalDesk(journal, ledger, bench.desk().court, outbox)
