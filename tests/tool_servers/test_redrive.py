"""A dead letter's decision is judged and sealed anew, or not at all; its old bytes never go again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from executor.inspection import Genuine, Superseded, inspect
from ledger.live import LiveLedger
from ledger.queue import ReceivedMessage
from signing.eip712 import typed_digest
from tests.tool_servers.bench import ALICE, BOB, MALLORY, NOW, Bench, proposal
from tests.when_to_invest.tightenings import halted
from tool_servers.orders.desk import ProposalDesk
from tool_servers.orders.redrive import LetterDesk
from when_to_invest import events as ev
from when_to_invest import keyholders as kh
from when_to_invest.envelopes import Envelope
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.letters import Answer, DeadLetterArrived, letterbox
from when_to_invest.motions import Endorsement, Motion, motion_typed_data
from when_to_invest.orders import OrderStep
from when_to_invest.values import Mode

LATER = NOW + timedelta(minutes=20)
"""After the first envelope's end."""


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def desk(bench: Bench) -> ProposalDesk:
    return bench.desk()


def dead(bench: Bench, desk: ProposalDesk, *, request_id: str = "r-1") -> str:
    """Propose, let the message die in the queue, and return the decision; its letter is `m-dead`."""
    decision_id = desk.propose(proposal("5000", request_id=request_id), caller="agent").decision_id
    arrive(bench, claimed=decision_id)
    bench.clock.move_to(LATER)
    return decision_id


def arrive(bench: Bench, *, claimed: str | None, message_id: str = "m-dead") -> None:
    letter = DeadLetterArrived(
        at=NOW,
        mode=Mode.REPLAY,
        message_id=message_id,
        group="main|paper|SPX",
        claimed_decision_id=claimed,
        body_hash="0" * 64,
        receive_count=5,
        code="undelivered",
        message="5 deliveries ended without an answer",
    )
    bench.journal.append([letter])


def record(bench: Bench, *happened: ev.Event) -> None:
    bench.journal.append(list(happened))


def refused(desk: ProposalDesk, message_id: str = "m-dead") -> Fault:
    with pytest.raises(Fault) as caught:
        LetterDesk(desk).redrive(message_id, by="operator", why="a drill")
    return caught.value


def intended(decision_id: str, bench: Bench) -> ev.SendIntended:
    ledger = LiveLedger(bench.journal)
    ledger.refresh()
    intent = ledger.decisions[decision_id].intent
    return ev.SendIntended(
        at=NOW,
        mode=Mode.REPLAY,
        decision_id=decision_id,
        client_order_id="o-1",
        attempt=1,
        venue="paper",
        instrument="SPX",
        side=intent.side,
        quantity=intent.quantity,
        limit_price_usd=intent.limit_price_usd,
    )


def moved(decision_id: str, step: OrderStep) -> ev.OrderMoved:
    return ev.OrderMoved(at=NOW, mode=Mode.REPLAY, decision_id=decision_id, client_order_id="o-1", step=step)


def test_the_decision_is_judged_on_fresh_facts_and_sealed_anew(bench: Bench, desk: ProposalDesk) -> None:
    decision_id = dead(bench, desk)
    old = bench.queue.held[0].message
    answer = LetterDesk(desk).redrive("m-dead", by="operator", why="the executor was down")
    assert (answer.decision_id, answer.state) == (decision_id, "queued")
    new = bench.queue.held[1].message
    assert new.body != old.body
    assert (old.deduplication_id, new.deduplication_id) == (decision_id, f"{decision_id}.2")
    assert Envelope.model_validate_json(new.body).content.sealed_at == LATER
    assert bench.kinds().count("intent_judged") == 2
    box = letterbox(item.event for item in bench.journal.recorded)
    answered = box.letters["m-dead"].answered
    assert answered is not None
    assert (answered.answer, answered.by) == (Answer.REDRIVEN, "operator")


def test_the_executor_takes_the_new_bytes_and_passes_over_the_old(bench: Bench, desk: ProposalDesk) -> None:
    dead(bench, desk)
    LetterDesk(desk).redrive("m-dead", by="operator", why="a drill")
    ledger = LiveLedger(bench.journal)
    ledger.refresh()
    old, new = (
        inspect(ReceivedMessage("m", "r", held.message.body, held.message.group, "d", 1), ledger.decisions)
        for held in bench.queue.held
    )
    assert isinstance(old, Superseded)
    assert isinstance(new, Genuine)


def test_a_letter_is_answered_once(bench: Bench, desk: ProposalDesk) -> None:
    dead(bench, desk)
    LetterDesk(desk).redrive("m-dead", by="operator", why="a drill")
    fault = refused(desk)
    assert fault.code is ErrorCode.UNKNOWN_MESSAGE
    assert "redriven already" in fault.message
    assert len(bench.queue.held) == 2


def test_an_unknown_letter_and_one_of_no_decision_are_refused(bench: Bench, desk: ProposalDesk) -> None:
    assert refused(desk).code is ErrorCode.UNKNOWN_MESSAGE
    arrive(bench, claimed=None)
    assert refused(desk).code is ErrorCode.REDRIVE_REFUSED
    arrive(bench, claimed="d-" + "0" * 24, message_id="m-2")
    assert refused(desk, "m-2").code is ErrorCode.UNKNOWN_DECISION


@pytest.mark.parametrize(
    "steps",
    [(), (OrderStep.LOST_SIGHT,), (OrderStep.ACKNOWLEDGED,), (OrderStep.ACKNOWLEDGED, OrderStep.CANCELLED)],
    ids=["intended", "unknown", "working", "cancelled"],
)
def test_what_may_have_been_executed_is_never_sealed_again(
    bench: Bench, desk: ProposalDesk, steps: tuple[OrderStep, ...]
) -> None:
    decision_id = dead(bench, desk)
    record(bench, intended(decision_id, bench), *(moved(decision_id, step) for step in steps))
    events = len(bench.journal.recorded)
    assert refused(desk).code is ErrorCode.REDRIVE_REFUSED
    assert len(bench.journal.recorded) == events
    assert len(bench.queue.held) == 1


def test_what_is_proven_absent_may_be_sealed_again(bench: Bench, desk: ProposalDesk) -> None:
    decision_id = dead(bench, desk)
    lost = [moved(decision_id, step) for step in (OrderStep.LOST_SIGHT, OrderStep.PROVEN_ABSENT)]
    record(bench, intended(decision_id, bench), *lost)
    assert LetterDesk(desk).redrive("m-dead", by="operator", why="a drill").state == "queued"


def test_a_rejected_decision_reserves_again_what_it_may_trade(bench: Bench, desk: ProposalDesk) -> None:
    decision_id = dead(bench, desk)
    record(
        bench,
        ev.EnvelopeRejected(
            at=LATER, mode=Mode.REPLAY, decision_id=decision_id, code="envelope_expired", message="too late"
        ),
    )
    LetterDesk(desk).redrive("m-dead", by="operator", why="a drill")
    ledger = LiveLedger(bench.journal)
    ledger.refresh()
    assert ledger.book.reservations[decision_id].quantity_open > 0


def test_while_its_group_is_halted_the_gate_objects_and_nothing_changes(
    bench: Bench, desk: ProposalDesk
) -> None:
    dead(bench, desk)
    record(
        bench,
        halted(LATER, scope="instrument:SPX", by="executor", why="x"),
    )
    events = len(bench.journal.recorded)
    fault = refused(desk)
    assert fault.code is ErrorCode.REDRIVE_REFUSED
    assert "trading_halted" in fault.message
    assert fault.fix
    assert len(bench.journal.recorded) == events


def test_a_cancelled_decision_stays_cancelled(bench: Bench, desk: ProposalDesk) -> None:
    decision_id = dead(bench, desk)
    desk.cancel(decision_id, caller="agent")
    assert refused(desk).code is ErrorCode.REDRIVE_REFUSED


def test_a_letter_is_thrown_away_with_a_reason_alone(bench: Bench, desk: ProposalDesk) -> None:
    decision_id = dead(bench, desk)
    letters = LetterDesk(desk)
    with pytest.raises(Fault) as caught:
        letters.discard("m-dead", by="operator", why="  ")
    assert caught.value.code is ErrorCode.BAD_ARGUMENT
    state = desk.get(decision_id).state
    letter = letters.discard("m-dead", by="operator", why="forged")
    assert letter.answered is not None
    assert letter.answered.why == "forged"
    assert desk.get(decision_id).state == state
    assert refused(desk).code is ErrorCode.UNKNOWN_MESSAGE


def test_two_redrives_at_once_seal_one_envelope(bench: Bench, desk: ProposalDesk) -> None:
    decision_id = dead(bench, desk)
    bench.journal.races = 3
    LetterDesk(desk).redrive("m-dead", by="operator", why="a drill")
    sealed = [
        item.event
        for item in bench.journal.recorded
        if isinstance(item.event, ev.EnvelopeSealed) and item.event.decision_id == decision_id
    ]
    assert len(sealed) == 2


def rejected(decision_id: str) -> ev.EnvelopeRejected:
    return ev.EnvelopeRejected(
        at=LATER, mode=Mode.REPLAY, decision_id=decision_id, code="envelope_expired", message="too late"
    )


def test_a_redriven_order_is_a_part_of_all_that_was_sealed_meanwhile(
    bench: Bench, desk: ProposalDesk
) -> None:
    first = desk.propose(proposal("9000"), caller="agent")
    arrive(bench, claimed=first.decision_id)
    bench.clock.move_to(LATER)
    record(bench, rejected(first.decision_id))
    second = desk.propose(proposal("9500", request_id="r-2"), caller="agent")
    assert (first.state, second.state) == ("queued", "queued")
    fault = refused(desk)
    assert fault.code is ErrorCode.REDRIVE_REFUSED
    assert "split_approval_needed" in fault.message


def test_the_executor_counts_for_it_what_was_sealed_meanwhile(bench: Bench, desk: ProposalDesk) -> None:
    decision_id = dead(bench, desk)
    record(bench, rejected(decision_id))
    second = desk.propose(proposal("4000", request_id="r-2"), caller="agent").decision_id
    LetterDesk(desk).redrive("m-dead", by="operator", why="a drill")
    desk.ledger.refresh()
    recent = desk.ledger.book.recent
    assert [item.decision_id for item in recent.before(decision_id)] == [second]
    assert [*recent.before(second)] == []


def test_on_a_clock_that_went_back_nothing_is_sealed_anew(bench: Bench, desk: ProposalDesk) -> None:
    dead(bench, desk)
    bench.clock.move_to(NOW + timedelta(hours=3))
    desk.propose(proposal("100", request_id="r-9"), caller="agent")
    events = len(bench.journal.recorded)
    bench.clock.move_to(LATER)
    assert refused(desk).code is ErrorCode.CLOCK_BACK
    assert len(bench.journal.recorded) == events


def test_answering_a_letter_counts_no_change_of_the_roll_twice(bench: Bench, desk: ProposalDesk) -> None:
    desk.ledger.refresh()
    roll, names = desk.court.roll, bench.settings.approvers
    founded = tuple(kh.Approver(name=name, address=address) for name, address in names.items())
    record(bench, kh.ApproversFounded(at=NOW, mode=Mode.REPLAY, approvers=founded))
    carol = kh.Approver(name="carol", address=MALLORY.address)
    record(bench, elected(desk, kh.ApproverEnrolled, kh.ENROL, kh.enrol_details(carol), approver=carol))
    arrive(bench, claimed=None)
    LetterDesk(desk).discard("m-dead", by="operator", why="junk")
    assert (roll.serial, sorted(roll.at(NOW))) == (1, ["alice", "bob", "carol"])
    gone = {"name": "carol", "address": carol.address}
    record(
        bench,
        elected(desk, kh.ApproverRemoved, kh.REMOVE, kh.remove_details(**gone), serial=1, **gone),
    )
    desk.ledger.refresh()
    assert sorted(roll.at(NOW)) == ["alice", "bob"]


def elected(
    desk: ProposalDesk, kind: Any, purpose: str, details: Any, *, serial: int = 0, **what: Any
) -> ev.Event:
    """Return a change of the roll that alice and bob signed."""
    motion = Motion(
        purpose=purpose,
        summary="a change",
        details=details,
        mode=Mode.REPLAY,
        requester="operator",
        serial=serial,
        expires_at=NOW + timedelta(hours=1),
        domain=desk.court.roll.domain,
    )
    digest = typed_digest(motion_typed_data(motion))
    endorsements = tuple(
        Endorsement(approver=name, address=key.address, signature=key.sign_digest(digest))
        for name, key in (("alice", ALICE), ("bob", BOB))
    )
    made: ev.Event = kind(at=NOW, mode=Mode.REPLAY, motion=motion, endorsements=endorsements, **what)
    return made


def test_a_second_ledger_cannot_fold_the_desks_roll(bench: Bench, desk: ProposalDesk) -> None:
    with pytest.raises(Fault) as refused_again:
        LiveLedger(bench.journal, is_warranted=desk.court.roll.follow())
    assert refused_again.value.code is ErrorCode.INTERNAL
