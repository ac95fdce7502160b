"""A plan begins once, ends once when nothing is open, and an amendment only tightens."""

from __future__ import annotations

import copy
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.when_to_invest.samples import NOW, Story, chain_intent, funded, order_intent
from when_to_invest import events as ev
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.execution import Ending, TwapPlan
from when_to_invest.history import FINAL_STATES, DecisionRecord, DecisionState, decisions
from when_to_invest.intents import Side
from when_to_invest.loosening import demand_no_loosening
from when_to_invest.orders import OrderState, OrderStep
from when_to_invest.portfolio import AccountBook, fold
from when_to_invest.workings import OrderAmended, Wish
from when_to_invest.writers import Writer, demand_own, writers_of

D = Decimal
PLAN = TwapPlan(duration_s=600, slices=7)
STORY = Story(order_intent(execution=PLAN))
PLAIN = Story(order_intent())
BEGUN = [*STORY.until_sealed(), STORY.queued(), STORY.received(), STORY.planned()]
ONE = STORY.sending(quantity=D("0.5"))
TWO = STORY.sending(quantity=D("0.5"), client_order_id="o-1b", slice_index=1)
ENDS = [OrderStep.CANCELLED, OrderStep.EXPIRED, OrderStep.REJECTED]


def record_of(*told: ev.Event) -> DecisionRecord:
    return decisions(told)[STORY.decision_id]


def reserved(*told: ev.Event) -> Decimal | None:
    held = fold(told).reservations.get(STORY.decision_id)
    return None if held is None else held.quantity_open


def working(*told: ev.Event) -> list[ev.Event]:
    return [*BEGUN, ONE, STORY.moved(OrderStep.ACKNOWLEDGED), *told]


@pytest.mark.parametrize("ending", Ending)
def test_a_worked_decision_is_final_when_its_plan_ends_and_not_before(ending: Ending) -> None:
    told = working(STORY.filled(D("0.5")))
    assert record_of(*told).state is DecisionState.PARTLY_FILLED
    assert record_of(*told).is_open
    ended = record_of(*told, STORY.finished(ending))
    assert ended.state in FINAL_STATES
    assert not ended.is_open


@pytest.mark.parametrize("step", ENDS)
def test_an_ended_child_ends_neither_decision_nor_reservation(step: OrderStep) -> None:
    told = working(STORY.moved(step))
    assert record_of(*told).state is DecisionState.WORKING
    assert reserved(*told) == D("3.5")
    assert reserved(*told, STORY.finished()) is None


def test_fills_are_taken_off_the_reservation_and_the_last_of_a_child_frees_no_more() -> None:
    told = working(STORY.filled(D("0.2"), is_last=False), STORY.filled(D("0.3"), trade="t-2"))
    assert reserved(*told) == D(3)
    assert fold(told).recent.sealed[STORY.decision_id].quantity_open == D(3)


def test_all_of_it_filled_stays_reserved_at_nothing_until_the_plan_ends() -> None:
    told = working(STORY.filled(D("3.5"), is_last=True))
    assert reserved(*told) == 0
    assert reserved(*told, STORY.finished(Ending.FILLED)) is None


def test_what_people_settled_of_a_child_leaves_the_rest_reserved() -> None:
    told = working(STORY.settled(D("0.4"), price_usd=D(2700)))
    assert (reserved(*told), record_of(*told).filled_quantity) == (D("3.1"), D("0.4"))
    sealed = fold(told).recent.sealed[STORY.decision_id]
    assert (sealed.quantity_open, sealed.filled_usd) == (D("3.1"), D(1080))


def test_what_is_worked_counts_in_full_for_split_orders_until_it_ends() -> None:
    told = working(STORY.moved(OrderStep.CANCELLED))
    assert fold(told).recent.sealed[STORY.decision_id].quantity_open == D("3.5")
    ended = fold([*told, STORY.finished()]).recent.sealed[STORY.decision_id]
    assert ended.quantity_open == 0
    assert not ended.is_rejected


def test_children_are_kept_apart() -> None:
    told = working(STORY.filled(D("0.5")), TWO, STORY.moved(OrderStep.LOST_SIGHT, order="o-1b"))
    record = record_of(*told)
    assert record.state is DecisionState.UNKNOWN
    assert [order.sent.slice_index for order in record.orders.values()] == [0, 1]
    assert fold(told).unresolved_orders("SPX", besides="") == 1


OUT_OF_ORDER = {
    "a plan for an order without one": [*PLAIN.until_sealed(), PLAIN.planned()],
    "an end for an order without a plan": [*PLAIN.until_sealed(), PLAIN.finished()],
    "a slice of an order without a plan": [*PLAIN.until_sealed(), PLAIN.sending(slice_index=1)],
    "an order before the plan begins": [*STORY.until_sealed(), ONE],
    "an order after the plan has ended": [*BEGUN, STORY.finished(), ONE],
    "a plan before the seal": [STORY.proposed(), STORY.judged(), STORY.planned()],
    "a plan that begins twice": [*BEGUN, STORY.planned()],
    "an end before the beginning": [*STORY.until_sealed(), STORY.finished()],
    "a plan that ends twice": [*BEGUN, STORY.finished(), STORY.finished()],
    "an end while an order is intended": [*BEGUN, ONE, STORY.finished()],
    "an end while an order works": [*working(), STORY.finished()],
    "an end while an order is unknown": [*BEGUN, ONE, STORY.moved(OrderStep.LOST_SIGHT), STORY.finished()],
}


@pytest.mark.parametrize("told", OUT_OF_ORDER.values(), ids=OUT_OF_ORDER.keys())
def test_what_cannot_have_happened_raises_and_changes_nothing(told: list[ev.Event]) -> None:
    record = record_of(*told[:-1])
    before = copy.deepcopy(record)
    with pytest.raises(Fault) as refused:
        record.apply(told[-1])
    assert refused.value.code is ErrorCode.ILLEGAL_TRANSITION
    assert record == before


@pytest.mark.parametrize("case", [name for name in OUT_OF_ORDER if name.startswith("an end while")])
def test_no_end_frees_what_may_still_trade(case: str) -> None:
    *before, end = OUT_OF_ORDER[case]
    book = fold(before)
    with pytest.raises(Fault, match="is open"):
        book.apply(end)
    assert book == fold(before)


def test_an_end_frees_no_order_without_a_plan() -> None:
    book = fold(PLAIN.until_sealed())
    with pytest.raises(Fault, match="has no plan"):
        book.apply(PLAIN.finished())
    assert book == fold(PLAIN.until_sealed())


def test_a_late_fill_after_the_end_is_booked_and_reserves_nothing() -> None:
    told = working(STORY.moved(OrderStep.CANCELLED), STORY.finished(), STORY.filled(D("0.5")))
    book = fold([funded(), *told])
    assert (book.position("main", "SPX").quantity, book.reservations) == (D("0.5"), {})


def test_a_late_fill_frees_nothing_of_what_was_sent_since() -> None:
    whole = STORY.sending(client_order_id="o-1b", slice_index=1)
    told = [*BEGUN, STORY.sending(), STORY.moved(OrderStep.ACKNOWLEDGED), STORY.moved(OrderStep.CANCELLED)]
    late = [
        *told,
        whole,
        STORY.moved(OrderStep.ACKNOWLEDGED, order="o-1b"),
        STORY.filled(D(1), is_last=False),
    ]
    assert reserved(*late) == D("3.5")
    assert fold(late).position("main", "SPX").quantity == 1


amendments = st.builds(
    lambda quantity, limit: STORY.amended(str(quantity), str(limit)),
    st.decimals("0.01", 5, places=2),
    st.decimals(2600, 2800, places=2),
)


@given(st.sampled_from(Side), st.lists(amendments, max_size=5))
def test_amendments_only_ever_tighten(side: Side, told: list[OrderAmended]) -> None:
    wish = Wish(side, D("3.5"), D(2700))
    for event in told:
        after = wish.after(event)
        assert after.quantity <= wish.quantity
        assert side.sign * after.limit_price_usd <= side.sign * wish.limit_price_usd
        assert wish.is_tightened_by(event) == (
            (after.quantity, after.limit_price_usd) == (event.quantity, event.limit_price_usd)
            and after != wish
        )
        wish = after


def test_an_amendment_changes_the_wish_and_keeps_authority_and_reservation() -> None:
    told = working(STORY.amended("2", "2700"))
    record = record_of(*told)
    assert record.working is not None
    assert record.working.wish == Wish(Side.BUY, D(2), D(2700))
    assert record.authorised_quantity == D("3.5")
    assert reserved(*told) == D("3.5")


@pytest.mark.parametrize(
    ("quantity", "limit_usd", "is_tighter"),
    [
        ("2", "2750.25", True),
        ("3.5", "2700", True),
        ("3.5", "2750.25", False),
        ("3.6", "2700", False),
        ("2", "2750.26", False),
    ],
)
def test_a_looser_amendment_is_not_written(quantity: str, limit_usd: str, *, is_tighter: bool) -> None:
    book, event = fold(BEGUN), STORY.amended(quantity, limit_usd)
    if is_tighter:
        demand_no_loosening([event], book)
        book.apply(event)
    with pytest.raises(Fault) as refused:
        demand_no_loosening([event], book)
    assert refused.value.code is ErrorCode.ILLEGAL_TRANSITION


@pytest.mark.parametrize(
    "book", [AccountBook(), fold(PLAIN.until_sealed()), fold([*BEGUN, STORY.finished()])]
)
def test_nothing_is_amended_that_is_not_worked(book: AccountBook) -> None:
    with pytest.raises(Fault, match="not being worked"):
        demand_no_loosening([STORY.amended()], book)


@pytest.mark.parametrize("event", [STORY.planned(), STORY.finished()], ids=lambda event: event.kind)
def test_only_the_executor_begins_and_ends_a_plan(event: ev.Event) -> None:
    assert writers_of(event) == {Writer.EXECUTOR}
    with pytest.raises(Fault):
        demand_own([event], Writer.ORDERS)


def test_the_executor_amends_nothing() -> None:
    assert writers_of(STORY.amended()) == {Writer.ORDERS}


@pytest.mark.parametrize(
    "change",
    [
        {"ends_at": NOW},
        {"ends_at": NOW - timedelta(seconds=1)},
        {"ends_at": NOW + timedelta(days=1, seconds=1)},
        {"bid_usd": D(2751)},
        {"bid_usd": D(0)},
        {"lot_size": D(0)},
        {"min_quantity": D(-1)},
    ],
)
def test_a_beginning_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        STORY.planned(**change)


def test_the_price_at_arrival_is_the_middle() -> None:
    assert STORY.planned().arrival_usd == D(2750)


def test_a_first_slice_is_written_as_before_and_a_later_one_with_its_number() -> None:
    assert b"slice_index" not in ONE.canonical()
    assert b'"slice_index":1' in TWO.canonical()
    assert all(ev.event_from_json(event.canonical()) == event for event in (ONE, TWO))


def test_a_transfer_is_not_worked() -> None:
    story = Story(chain_intent())
    record = decisions(story.until_sealed())[story.decision_id]
    with pytest.raises(Fault, match="has no plan"):
        record.apply(story.planned())


def test_an_unsent_worked_decision_can_be_rejected() -> None:
    told = [*BEGUN, STORY.rejected()]
    assert (record_of(*told).state, reserved(*told)) == (DecisionState.REJECTED, None)


@pytest.mark.parametrize("state", [OrderState.UNKNOWN, OrderState.QUARANTINED])
def test_a_child_in_doubt_stays_reserved(state: OrderState) -> None:
    steps = [OrderStep.LOST_SIGHT, OrderStep.QUARANTINED][: 1 + (state is OrderState.QUARANTINED)]
    told = [*BEGUN, ONE, *map(STORY.moved, steps)]
    assert record_of(*told).orders[STORY.client_order_id].state is state
    assert reserved(*told) == D("3.5")
