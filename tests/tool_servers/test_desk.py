"""The desk: one request one decision, judged on what is true now, recorded or not done."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ledger.live import LiveLedger
from policies.verify import verify_envelope
from signing.eip712 import recover_address, typed_digest
from tests.tool_servers.bench import NOW, SEAL, Bench, proposal, signed
from tests.when_to_invest.tightenings import halted
from tool_servers.orders.minutes import MOST_ATTEMPTS, commit
from when_to_invest.envelopes import Envelope
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import EnvelopeRejected, Judge
from when_to_invest.history import DecisionState
from when_to_invest.values import Mode

OPENING = ["intent_proposed", "intent_judged", "envelope_sealed", "envelope_queued"]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_approved_proposal_is_sealed_and_queued(bench: Bench) -> None:
    answer = bench.desk().propose(proposal("5000"), caller="agent")
    assert (answer.verdict, answer.state) == ("approved", "queued")
    assert bench.kinds() == ["account_funded", *OPENING]
    assert answer.intent.proposer == "agent"
    assert answer.intent.limit_price_usd == Decimal("101.00")
    assert answer.intent.quantity == Decimal("49.504")


def test_what_the_queue_carries_is_the_sealed_envelope(bench: Bench) -> None:
    desk = bench.desk()
    answer = desk.propose(proposal("5000"), caller="agent")
    (held,) = bench.queue.held
    envelope = Envelope.model_validate_json(held.message.body)
    content = verify_envelope(
        envelope,
        seal_addresses=frozenset({SEAL.address}),
        approvers={},
        limits_hash=desk.court.limits.digest(),
        now=NOW,
        mode=Mode.REPLAY,
        domain=desk.court.roll.domain,
        typed_digest=typed_digest,
        recover=recover_address,
    )
    assert content.decision_id == answer.decision_id == held.message.deduplication_id
    assert held.message.group == "main|paper|SPX"


def test_the_same_request_again_is_the_same_decision(bench: Bench) -> None:
    desk = bench.desk()
    first = desk.propose(proposal("5000"), caller="agent")
    events = bench.kinds()
    assert desk.propose(proposal("5000"), caller="agent") == first
    assert bench.kinds() == events
    assert len(bench.queue.held) == 1


def test_the_same_request_after_the_price_moved_is_still_the_same_decision(bench: Bench) -> None:
    desk = bench.desk()
    first = desk.propose(proposal("5000"), caller="agent")
    bench.clock.move_to(NOW + timedelta(days=1))
    again = desk.propose(proposal("5000"), caller="agent")
    assert again.decision_id == first.decision_id
    assert again.intent == first.intent


@pytest.mark.parametrize(
    "other",
    [
        proposal("5100"),
        proposal("5000", side="sell"),
        proposal("5000", limit="100.50"),
        proposal("5000", recommendation_id="r-" + "1" * 24),
    ],
    ids=["amount", "side", "limit", "recommendation"],
)
def test_a_used_request_id_for_another_order_is_an_error(bench: Bench, other: object) -> None:
    desk = bench.desk()
    desk.propose(proposal("5000"), caller="agent")
    with pytest.raises(Fault, match="used for another order") as error:
        desk.propose(other, caller="agent")  # type: ignore[arg-type]
    assert error.value.code is ErrorCode.BAD_ARGUMENT


def test_two_callers_with_one_request_id_make_two_decisions(bench: Bench) -> None:
    desk = bench.desk()
    first = desk.propose(proposal("5000"), caller="agent")
    second = desk.propose(proposal("4000"), caller="another")
    assert first.decision_id != second.decision_id


def test_a_refused_proposal_is_recorded_with_all_reasons_and_never_queued(bench: Bench) -> None:
    answer = bench.desk().propose(proposal("150000"), caller="agent")
    assert (answer.verdict, answer.state) == ("refused", "refused")
    codes = {reason.code for reason in answer.reasons}
    assert {"order_notional_exceeded", "cash_insufficient", "position_exceeded"} <= codes
    assert bench.kinds() == ["account_funded", *OPENING[:2]]
    assert not bench.queue.held


def test_a_conflict_makes_the_desk_judge_again(bench: Bench) -> None:
    desk = bench.desk()
    bench.journal.races = 3
    answer = desk.propose(proposal("5000"), caller="agent")
    assert answer.state == "queued"
    assert bench.kinds().count("intent_proposed") == 1


def test_the_second_judgement_sees_what_the_other_process_wrote(bench: Bench) -> None:
    desk = bench.desk()
    bench.journal.append([halted(NOW, by="alice", why="test")])
    answer = desk.propose(proposal("5000"), caller="agent")
    assert answer.verdict == "refused"
    assert "trading_halted" in {reason.code for reason in answer.reasons}


def test_endless_conflicts_end_in_an_error_and_no_decision(bench: Bench) -> None:
    desk = bench.desk()
    bench.journal.races = MOST_ATTEMPTS
    with pytest.raises(Fault) as error:
        desk.propose(proposal("5000"), caller="agent")
    assert error.value.code is ErrorCode.JOURNAL_CONFLICT
    assert error.value.is_retryable
    assert "intent_proposed" not in bench.kinds()


def test_while_the_queue_is_down_an_approved_order_waits_sealed(bench: Bench) -> None:
    desk = bench.desk()
    bench.queue.is_down = True
    answer = desk.propose(proposal("5000"), caller="agent")
    assert (answer.verdict, answer.state) == ("approved", "sealed")
    bench.queue.is_down = False
    assert desk.relay() == 1
    assert desk.get(answer.decision_id).state == "queued"
    assert desk.relay() == 0


def test_a_fresh_process_sends_what_the_dead_one_had_sealed(bench: Bench) -> None:
    bench.queue.is_down = True
    answer = bench.desk().propose(proposal("5000"), caller="agent")
    bench.queue.is_down = False
    fresh = bench.desk()
    assert fresh.relay() == 1
    assert fresh.get(answer.decision_id).state == "queued"


def test_an_expired_envelope_is_never_sent(bench: Bench) -> None:
    bench.queue.is_down = True
    desk = bench.desk()
    desk.propose(proposal("5000"), caller="agent")
    bench.queue.is_down = False
    bench.clock.move_to(NOW + timedelta(seconds=desk.court.limits.envelope_ttl_s))
    assert desk.relay() == 0
    assert not bench.queue.held


def test_a_cancel_is_recorded_once_and_only_while_it_can_matter(bench: Bench) -> None:
    desk = bench.desk()
    sent = desk.propose(proposal("5000"), caller="agent")
    refused = desk.propose(proposal("150000", request_id="r-2"), caller="agent")
    assert desk.cancel(sent.decision_id, caller="agent").is_cancel_requested
    desk.cancel(sent.decision_id, caller="agent")
    assert not desk.cancel(refused.decision_id, caller="agent").is_cancel_requested
    assert bench.kinds().count("cancel_requested") == 1


def test_an_unknown_decision_is_named(bench: Bench) -> None:
    with pytest.raises(Fault) as error:
        bench.desk().get("d-" + "0" * 24)
    assert error.value.code is ErrorCode.UNKNOWN_DECISION


def test_a_recommendation_that_was_never_made_cannot_be_cited(bench: Bench) -> None:
    with pytest.raises(Fault) as error:
        bench.desk().propose(proposal("5000", recommendation_id="r-" + "2" * 24), caller="agent")
    assert error.value.code is ErrorCode.UNKNOWN_RECOMMENDATION
    assert "intent_proposed" not in bench.kinds()


def test_an_expired_recommendation_is_refused_by_the_gate(bench: Bench) -> None:
    bench.clock.move_to(NOW + timedelta(days=2))
    answer = bench.desk().propose(proposal("5000", recommendation_id="r-" + "1" * 24), caller="agent")
    assert answer.verdict == "refused"


def test_without_a_reference_price_nothing_is_proposed_at_the_default_limit(bench: Bench) -> None:
    bench.market.bars = {"SPX": []}
    with pytest.raises(Fault) as error:
        bench.desk().propose(proposal("5000"), caller="agent")
    assert error.value.code is ErrorCode.NO_DATA


def test_without_a_reference_price_the_gate_refuses_an_own_limit(bench: Bench) -> None:
    bench.market.bars = {"SPX": []}
    answer = bench.desk().propose(proposal("5000", limit="100"), caller="agent")
    assert answer.verdict == "refused"


def test_the_journal_holds_the_facts_each_verdict_was_based_on(bench: Bench) -> None:
    bench.desk().propose(proposal("5000"), caller="agent")
    ledger = LiveLedger(bench.journal)
    ledger.refresh()
    (record,) = ledger.decisions.values()
    assert record.verdict is not None
    assert record.verdict.judge is Judge.GATE
    assert '"reference_price_usd":"100"' in record.verdict.facts_json


def test_lists_are_newest_first_and_by_state(bench: Bench) -> None:
    desk = bench.desk()
    desk.propose(proposal("5000"), caller="agent")
    desk.propose(proposal("150000", request_id="r-2"), caller="agent")
    everything = desk.list_orders(state=None, limit=1)
    assert (everything.total, len(everything.orders)) == (2, 1)
    assert everything.orders[0].state == "refused"
    queued = desk.list_orders(state=DecisionState.QUEUED, limit=10)
    assert [row.state for row in queued.orders] == ["queued"]


def test_the_portfolio_shows_cash_and_what_is_reserved(bench: Bench) -> None:
    desk = bench.desk()
    desk.propose(proposal("5000"), caller="agent")
    told = desk.portfolio()
    assert told.cash_usd == told.equity_usd == Decimal(100_000)
    assert [row.notional_usd for row in told.reservations] == [Decimal("4999.904")]


def test_on_a_clock_that_went_back_nothing_is_decided_and_everything_can_be_cancelled(bench: Bench) -> None:
    desk = bench.desk()
    sent = desk.propose(proposal(), caller="agent")
    waiting = desk.propose(proposal("15000", request_id="r-held"), caller="agent")
    bench.clock.move_to(NOW - timedelta(seconds=6))
    for decide in (
        lambda: desk.propose(proposal(request_id="r-2"), caller="agent"),
        lambda: desk.approve(signed(desk, waiting)),
    ):
        with pytest.raises(Fault) as error:
            decide()
        assert error.value.code is ErrorCode.CLOCK_BACK
    assert desk.propose(proposal(), caller="agent").decision_id == sent.decision_id
    assert desk.cancel(sent.decision_id, caller="agent").is_cancel_requested
    bench.clock.move_to(NOW - timedelta(seconds=5))
    assert desk.propose(proposal("1000", request_id="r-3"), caller="agent").verdict == "approved"


def test_a_seal_of_a_decision_that_nobody_proposed_stops_nobody(bench: Bench) -> None:
    desk = bench.desk()
    desk.propose(proposal("5000"), caller="agent")
    (sealed,) = (item.event for item in bench.journal.recorded if item.event.kind == "envelope_sealed")
    bench.journal.append([sealed.model_copy(update={"decision_id": "d-" + "9" * 24})])
    for restarted in (desk, bench.desk()):
        assert restarted.relay() == 0
        assert len(restarted.portfolio(proposers=frozenset({"agent"})).reservations) == 1
    assert desk.propose(proposal("100", request_id="r-2"), caller="agent").state == "queued"


def test_the_orders_server_does_not_write_what_is_the_executors(bench: Bench) -> None:
    desk = bench.desk()
    decision_id = desk.propose(proposal("5000"), caller="agent").decision_id
    rejected = EnvelopeRejected(at=NOW, mode=Mode.REPLAY, decision_id=decision_id, code="x", message="x")
    before = bench.kinds()
    with pytest.raises(Fault, match="may not write envelope_rejected"):
        desk.sittings.settle(decision_id, lambda _: (rejected,))
    with pytest.raises(Fault, match="may not write envelope_rejected"):
        commit(bench.journal, desk.ledger, lambda: (rejected,))
    assert bench.kinds() == before
