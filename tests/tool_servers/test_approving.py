"""Approvals lift a hold for the exact intent, by other people, on the facts of that moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from signing.eip712 import typed_digest
from signing.keystore import KeystoreSigner
from tests.fakes.fake_market import daily_bar
from tests.tool_servers.bench import ALICE, BOB, MALLORY, NOW, Bench, proposal, signed
from tool_servers.orders.answers import DecisionAnswer
from tool_servers.orders.declining import Refusal
from tool_servers.orders.desk import ProposalDesk
from when_to_invest.approvals import Approval, decline_typed_data
from when_to_invest.envelopes import Envelope
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import ApprovalDeclined
from when_to_invest.motions import Endorsement


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def desk(bench: Bench) -> ProposalDesk:
    return bench.desk()


@pytest.fixture
def held(desk: ProposalDesk) -> DecisionAnswer:
    answer = desk.propose(proposal("15000"), caller="agent")
    assert (answer.verdict, answer.approvals_needed) == ("held", 1)
    return answer


def code_of(desk: ProposalDesk, approval: Approval) -> ErrorCode:
    with pytest.raises(Fault) as error:
        desk.approve(approval)
    return error.value.code


def test_one_signature_releases_the_order_and_travels_with_it(
    bench: Bench, desk: ProposalDesk, held: DecisionAnswer
) -> None:
    assert not bench.queue.held
    answer = desk.approve(signed(desk, held))
    assert (answer.verdict, answer.state) == ("approved", "queued")
    (message,) = bench.queue.held
    envelope = Envelope.model_validate_json(message.message.body)
    assert [approval.approver for approval in envelope.content.approvals] == ["alice"]


def test_a_large_order_waits_for_a_second_person(desk: ProposalDesk) -> None:
    held = desk.propose(proposal("22000"), caller="agent")
    assert held.approvals_needed == 2
    after_one = desk.approve(signed(desk, held))
    assert (after_one.verdict, after_one.approvals_given) == ("held", 1)
    assert after_one.hold_expires_at == held.hold_expires_at
    assert desk.approve(signed(desk, held, name="bob", key=BOB)).verdict == "approved"


def test_the_same_approval_again_changes_nothing(bench: Bench, desk: ProposalDesk) -> None:
    held = desk.propose(proposal("22000"), caller="agent")
    approval = signed(desk, held)
    first = desk.approve(approval)
    events = bench.kinds()
    assert desk.approve(approval) == first
    assert bench.kinds() == events


def test_one_person_never_counts_twice(desk: ProposalDesk) -> None:
    held = desk.propose(proposal("22000"), caller="agent")
    desk.approve(signed(desk, held))
    again = signed(desk, held, lasting=timedelta(minutes=5))
    assert code_of(desk, again) is ErrorCode.BAD_APPROVAL


@pytest.mark.parametrize("caller", ["alice", "a-lice", "a_lice", "alice-"])
def test_the_proposer_cannot_approve_under_any_spelling(bench: Bench, caller: str) -> None:
    desk = bench.desk()
    held = desk.propose(proposal("15000"), caller=caller)
    assert code_of(desk, signed(desk, held)) is ErrorCode.BAD_APPROVAL


def test_a_stranger_cannot_approve(desk: ProposalDesk, held: DecisionAnswer) -> None:
    assert code_of(desk, signed(desk, held, name="mallory", key=MALLORY)) is ErrorCode.BAD_APPROVAL


def test_a_stranger_cannot_sign_in_an_approvers_name(desk: ProposalDesk, held: DecisionAnswer) -> None:
    assert code_of(desk, signed(desk, held, name="alice", key=MALLORY)) in {
        ErrorCode.BAD_APPROVAL,
        ErrorCode.BAD_SIGNATURE,
    }


def test_an_approval_of_another_intent_does_not_count(desk: ProposalDesk, held: DecisionAnswer) -> None:
    def altered(approval: Approval) -> Approval:
        return approval.model_copy(update={"intent_hash": "0" * 64})

    assert code_of(desk, signed(desk, held, altered=altered)) is ErrorCode.BAD_APPROVAL


def test_an_approval_of_another_decision_does_not_count(desk: ProposalDesk, held: DecisionAnswer) -> None:
    other = desk.propose(proposal("14000", request_id="r-2"), caller="agent")

    def altered(approval: Approval) -> Approval:
        return approval.model_copy(update={"decision_id": other.decision_id})

    assert code_of(desk, signed(desk, held, altered=altered)) in {
        ErrorCode.BAD_APPROVAL,
        ErrorCode.BAD_SIGNATURE,
    }
    assert desk.get(other.decision_id).state == "held"


def test_an_expired_approval_does_not_count(bench: Bench, desk: ProposalDesk, held: DecisionAnswer) -> None:
    approval = signed(desk, held)
    bench.clock.move_to(NOW + timedelta(hours=2))
    assert code_of(desk, approval) is ErrorCode.BAD_APPROVAL


def test_a_hold_that_ran_out_cannot_be_approved(
    bench: Bench, desk: ProposalDesk, held: DecisionAnswer
) -> None:
    bench.clock.move_to(NOW + timedelta(days=1))
    assert code_of(desk, signed(desk, held)) is ErrorCode.BAD_APPROVAL


def test_an_approval_after_the_price_fell_is_refused_and_says_why(
    bench: Bench, desk: ProposalDesk, held: DecisionAnswer
) -> None:
    approval = signed(desk, held, lasting=timedelta(hours=23, minutes=59))
    bench.market.bars["SPX"][1] = daily_bar(1, "80", "81", "79", "80")
    bench.clock.move_to(NOW + timedelta(hours=23, minutes=58))
    answer = desk.approve(approval)
    assert (answer.verdict, answer.state) == ("refused", "refused")
    assert any(reason.rule == "price_collar" for reason in answer.reasons)
    assert not bench.queue.held
    assert bench.kinds()[-2:] == ["approval_given", "intent_judged"]


def test_a_cancelled_hold_cannot_be_approved(desk: ProposalDesk, held: DecisionAnswer) -> None:
    approval = signed(desk, held)
    desk.cancel(held.decision_id, caller="agent")
    assert code_of(desk, approval) is ErrorCode.BAD_APPROVAL
    assert not desk.held()


def test_a_declined_order_is_over(bench: Bench, desk: ProposalDesk, held: DecisionAnswer) -> None:
    approval = signed(desk, held)
    assert desk.decline(held.decision_id, Refusal("alice", "no")).state == "declined"
    assert desk.decline(held.decision_id, Refusal("alice", "no")).state == "declined"
    assert bench.kinds().count("approval_declined") == 1
    assert code_of(desk, approval) is ErrorCode.BAD_APPROVAL


def test_only_enrolled_people_decline(desk: ProposalDesk, held: DecisionAnswer) -> None:
    for name in ("mallory", "al-ice", "agent"):
        with pytest.raises(Fault, match="cannot decline") as error:
            desk.decline(held.decision_id, Refusal(name, ""))
        assert error.value.code is ErrorCode.BAD_APPROVAL
    assert desk.get(held.decision_id).state == "held"


def refusal(
    desk: ProposalDesk, held: DecisionAnswer, *, key: KeystoreSigner = ALICE, shown: str = "no"
) -> Refusal:
    """Return alice's no for "no", signed by `key` over the reason `shown`."""
    (hold,) = desk.held()
    typed = decline_typed_data(
        decision_id=held.decision_id, intent=hold.intent, why=shown, domain=desk.court.roll.domain
    )
    signature = key.sign_digest(typed_digest(typed))
    return Refusal("alice", "no", Endorsement(approver="alice", address=key.address, signature=signature))


def test_the_journal_says_how_it_was_known_who_declined(
    bench: Bench, desk: ProposalDesk, held: DecisionAnswer
) -> None:
    said = refusal(desk, held)
    desk.decline(held.decision_id, said)
    event = bench.journal.recorded[-1].event
    assert isinstance(event, ApprovalDeclined)
    assert (event.approver, event.known_by, event.endorsement) == ("alice", "signature", said.endorsement)


@pytest.mark.parametrize("name", ["alice", "operator"])
def test_without_a_signature_the_operators_token_vouches(
    bench: Bench, desk: ProposalDesk, held: DecisionAnswer, name: str
) -> None:
    desk.decline(held.decision_id, Refusal(name, "no"))
    event = bench.journal.recorded[-1].event
    assert isinstance(event, ApprovalDeclined)
    assert (event.approver, event.known_by, event.endorsement) == (name, "operator_token", None)


@pytest.mark.parametrize("changes", [{"key": BOB}, {"key": MALLORY}, {"shown": "yes"}])
def test_a_decline_with_a_signature_that_does_not_hold_is_refused(
    desk: ProposalDesk, held: DecisionAnswer, changes: dict[str, Any]
) -> None:
    with pytest.raises(Fault) as error:
        desk.decline(held.decision_id, refusal(desk, held, **changes))
    assert error.value.code is ErrorCode.BAD_SIGNATURE
    assert desk.get(held.decision_id).state == "held"


def test_an_order_over_a_hard_limit_is_never_held(desk: ProposalDesk) -> None:
    answer = desk.propose(proposal("26000"), caller="agent")
    assert answer.verdict == "refused"
    assert not desk.held()


def test_approvers_see_the_document_they_sign(desk: ProposalDesk, held: DecisionAnswer) -> None:
    (hold,) = desk.held()
    told = hold.as_json(desk.court.roll.domain)
    assert told["decision_id"] == held.decision_id
    assert told["typed_data"]["message"]["intentHash"] == "0x" + hold.intent.digest()
    assert told["typed_data"]["message"]["action"] == "BUY"


def test_the_document_of_the_held_route_can_be_signed_as_it_is(
    desk: ProposalDesk, held: DecisionAnswer
) -> None:
    from signing.eip712 import typed_digest
    from when_to_invest.approvals import approval_typed_data

    (hold,) = desk.held()
    domain = desk.court.roll.domain
    ours = approval_typed_data(
        decision_id=held.decision_id, intent=hold.intent, expires_at=hold.expires_at, domain=domain
    )
    assert typed_digest(hold.as_json(domain)["typed_data"]) == typed_digest(ours)
    assert ALICE.address != BOB.address
