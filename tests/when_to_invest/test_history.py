"""A decision's history: where it stands, what it may do, and what it has done."""

from __future__ import annotations

import copy
import itertools
from decimal import Decimal

import pytest

from tests.when_to_invest.samples import Story, chain_intent, funded, order_intent
from when_to_invest import events as ev
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import FINAL_STATES, DecisionRecord, DecisionState, decisions
from when_to_invest.orders import ORDER_LIFE, OrderState, OrderStep

STORY = Story(order_intent())
ILLEGAL = [
    (state, step) for state, step in itertools.product(OrderState, OrderStep) if step not in ORDER_LIFE[state]
]
STATE_OF_ORDER = {
    OrderState.NEW: DecisionState.RECEIVED,
    OrderState.SEND_INTENDED: DecisionState.SENDING,
    OrderState.ACKNOWLEDGED: DecisionState.WORKING,
    OrderState.PARTLY_FILLED: DecisionState.PARTLY_FILLED,
    OrderState.FILLED: DecisionState.FILLED,
    OrderState.CANCELLED: DecisionState.CANCELLED,
    OrderState.EXPIRED: DecisionState.EXPIRED,
    OrderState.REJECTED: DecisionState.REJECTED,
    OrderState.UNKNOWN: DecisionState.UNKNOWN,
    OrderState.ABSENT: DecisionState.RECEIVED,
    OrderState.QUARANTINED: DecisionState.QUARANTINED,
    OrderState.SETTLED: DecisionState.SETTLED,
}


def record_of(*events: ev.Event) -> DecisionRecord:
    return decisions(events)[STORY.decision_id]


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ([], DecisionState.PROPOSED),
        ([STORY.judged(ev.Outcome.REFUSED)], DecisionState.REFUSED),
        ([STORY.judged(ev.Outcome.HELD)], DecisionState.HELD),
        ([STORY.judged(ev.Outcome.HELD), STORY.approved()], DecisionState.HELD),
        ([STORY.judged(ev.Outcome.HELD), STORY.declined()], DecisionState.DECLINED),
        ([STORY.judged(), STORY.sealed()], DecisionState.SEALED),
        ([STORY.judged(), STORY.sealed(), STORY.queued()], DecisionState.QUEUED),
        ([STORY.judged(), STORY.sealed(), STORY.queued(), STORY.received()], DecisionState.RECEIVED),
        ([STORY.judged(), STORY.sealed(), STORY.received(), STORY.queued()], DecisionState.RECEIVED),
        ([STORY.judged(), STORY.sealed(), STORY.queued(), STORY.rejected()], DecisionState.REJECTED),
    ],
)
def test_a_decision_stands_where_its_last_event_left_it(told: list[ev.Event], state: DecisionState) -> None:
    assert record_of(STORY.proposed(), *told).state is state


@pytest.mark.parametrize("state", list(OrderState))
def test_a_decision_shows_the_state_of_its_order(state: OrderState) -> None:
    assert record_of(*STORY.until(state)).state is STATE_OF_ORDER[state]


@pytest.mark.parametrize(("state", "step"), ILLEGAL)
def test_an_illegal_step_raises_and_changes_nothing(state: OrderState, step: OrderStep) -> None:
    record = record_of(*STORY.until(state))
    before = copy.deepcopy(record)
    with pytest.raises(Fault) as refused:
        record.apply(STORY.step(step))
    assert refused.value.code is ErrorCode.ILLEGAL_TRANSITION
    assert record == before


def test_nothing_is_authorised_before_the_seal() -> None:
    assert record_of(STORY.proposed(), STORY.judged()).authorised_quantity == 0
    assert record_of(*STORY.until_sealed()).authorised_quantity == Decimal("3.5")


def test_a_transfer_authorises_no_quantity_at_a_venue() -> None:
    transfer = Story(chain_intent())
    assert decisions(transfer.until_sealed())[transfer.decision_id].authorised_quantity == 0


def test_filled_is_what_the_venue_reported_counted_once() -> None:
    part = STORY.filled(Decimal("1.5"), is_last=False)
    record = record_of(
        *STORY.until(OrderState.ACKNOWLEDGED), part, part, STORY.filled(Decimal(2), trade="t-2")
    )
    assert record.filled_quantity == Decimal("3.5")
    assert record.orders[STORY.client_order_id].filled_quantity == Decimal("3.5")
    assert record.state is DecisionState.FILLED


def test_the_executors_verdict_is_kept_but_moves_nothing() -> None:
    again = STORY.judged(ev.Outcome.REFUSED, ev.Judge.EXECUTOR)
    record = record_of(*STORY.until(OrderState.NEW), again)
    assert record.state is DecisionState.RECEIVED
    assert (record.verdict, record.reasons) == (again, again.reasons)


def test_asking_to_cancel_is_remembered_until_the_venue_answers() -> None:
    at, mode = STORY.at, STORY.intent.mode
    asked = ev.CancelRequested(at=at, mode=mode, decision_id=STORY.decision_id, caller="operator")
    record = record_of(*STORY.until(OrderState.ACKNOWLEDGED), asked)
    assert record.is_cancel_requested
    assert record.state is DecisionState.WORKING
    assert record.orders[STORY.client_order_id].is_open


def test_decisions_are_kept_apart_and_in_order() -> None:
    other = Story(order_intent(request_id="r-2"), n=2)
    first, second = STORY.until(OrderState.FILLED), other.until(OrderState.UNKNOWN)
    mixed = [event for pair in itertools.zip_longest(first, second) for event in pair if event]
    records = decisions([funded(), *mixed])
    assert [record.state for record in records.values()] == [DecisionState.FILLED, DecisionState.UNKNOWN]
    assert records[STORY.decision_id].events == first


def test_events_of_a_decision_nobody_proposed_make_no_record() -> None:
    assert decisions([STORY.sealed(), STORY.queued()]) == {}


def test_doubt_is_never_final() -> None:
    doubts = {DecisionState.UNKNOWN, DecisionState.QUARANTINED, DecisionState.SENDING}
    assert not doubts & FINAL_STATES


def test_what_was_told_of_a_decision_stands_in_its_record() -> None:
    record = record_of(STORY.proposed(), STORY.judged(ev.Outcome.HELD), STORY.approved())
    assert record.approvals == [STORY.approval()]
    assert not record.is_received
    assert record_of(*STORY.until_sealed(), STORY.received()).is_received
    assert record_of(STORY.proposed(), STORY.judged()).state is DecisionState.PROPOSED


def test_what_people_settled_counts_as_executed_besides_the_fills() -> None:
    part = STORY.filled(Decimal("1.5"), is_last=False)
    record = record_of(*STORY.until(OrderState.ACKNOWLEDGED), part, STORY.settled(Decimal(1)))
    assert record.settled_quantity == Decimal(1)
    assert record.filled_quantity == Decimal("2.5")


def test_the_venues_name_of_an_order_is_kept_once_it_is_known() -> None:
    named = STORY.moved(OrderStep.ACKNOWLEDGED).model_copy(update={"venue_order_id": "v-7"})
    record = record_of(*STORY.until(OrderState.SEND_INTENDED), named)
    assert record.orders[STORY.client_order_id].venue_order_id == "v-7"
    record.apply(STORY.moved(OrderStep.CANCELLED))
    assert record.orders[STORY.client_order_id].venue_order_id == "v-7"


@pytest.mark.parametrize("state", list(OrderState))
def test_a_trade_may_come_late_where_an_order_ended_that_a_trade_may_have_raced(state: OrderState) -> None:
    raced = {OrderState.CANCELLED, OrderState.EXPIRED}
    assert record_of(*STORY.until(state)).may_trade_late is (state in raced)


def test_a_decision_is_proposed_once() -> None:
    with pytest.raises(Fault) as refused:
        decisions([STORY.proposed(), STORY.proposed()])
    assert refused.value.code is ErrorCode.ILLEGAL_TRANSITION


@pytest.mark.parametrize("state", sorted(set(OrderState) - {OrderState.NEW, OrderState.ABSENT}))
def test_a_decision_with_an_order_cannot_be_rejected(state: OrderState) -> None:
    record = record_of(*STORY.until(state))
    before = copy.deepcopy(record)
    with pytest.raises(Fault) as refused:
        record.apply(STORY.rejected())
    assert refused.value.code is ErrorCode.ILLEGAL_TRANSITION
    assert record == before


def test_a_decision_whose_order_was_proven_absent_can_be_rejected() -> None:
    assert record_of(*STORY.until(OrderState.ABSENT), STORY.rejected()).state is DecisionState.REJECTED


ENDED = {
    OrderState.FILLED,
    OrderState.CANCELLED,
    OrderState.EXPIRED,
    OrderState.REJECTED,
    OrderState.SETTLED,
}


@pytest.mark.parametrize("state", list(OrderState))
def test_a_sealed_decision_is_open_until_its_order_ended(state: OrderState) -> None:
    assert record_of(*STORY.until(state)).is_open is (state not in ENDED)


@pytest.mark.parametrize("told", [[], [STORY.judged()], [STORY.judged(ev.Outcome.HELD)]])
def test_before_the_seal_nothing_of_a_decision_is_open(told: list[ev.Event]) -> None:
    assert record_of(STORY.proposed(), *told).is_open is False


def test_an_order_that_nobody_sealed_is_open_all_the_same() -> None:
    sent = record_of(STORY.proposed(), STORY.sending())
    assert sent.envelope is None
    assert sent.is_open is True
    assert record_of(STORY.proposed(), STORY.sending(), STORY.moved(OrderStep.REJECTED)).is_open is False


def test_an_event_that_moves_no_decision_is_only_kept_among_the_others() -> None:
    record, same = record_of(*STORY.until_sealed()), record_of(*STORY.until_sealed())
    record.apply(funded())
    assert record.events.pop() == funded()
    assert record == same
