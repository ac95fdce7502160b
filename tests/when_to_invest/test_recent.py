"""What was sealed lately: what has traded of it and what still may, and who had signed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.when_to_invest.samples import NOW, Story, order_intent
from when_to_invest import events as ev
from when_to_invest.marks import VenueReported
from when_to_invest.orders import OrderStep
from when_to_invest.portfolio import fold
from when_to_invest.recent import LastPrint, Recent, SealedOrder
from when_to_invest.values import Mode
from when_to_invest.venue_status import TradingStatus

D = Decimal
STORY = Story(order_intent(quantity=D(10), limit_price_usd=D(100)))
SENT = [*STORY.until_sealed(), STORY.sending()]
WORKING = [*SENT, STORY.moved(OrderStep.ACKNOWLEDGED)]
HALF = STORY.filled(D(5), price_usd=D(98), is_last=False)


def recent(*events: ev.Event) -> Recent:
    return fold(events).recent


def only(*events: ev.Event) -> SealedOrder:
    (item,) = recent(*events).sealed.values()
    return item


def test_a_sealed_order_is_worth_its_limit_and_keeps_who_signed() -> None:
    item = only(*STORY.until_sealed())
    assert (item.worth_usd, item.signatures, item.sent_at) == (D(1000), 1, None)
    assert (item.account, item.venue, item.instrument, item.at) == ("main", "paper", "SPX", NOW)


def test_it_is_sent_once() -> None:
    later = Story(STORY.intent, at=NOW + timedelta(seconds=9)).sending()
    again = later.model_copy(update={"client_order_id": "o-2"})
    assert only(*SENT, again).sent_at == NOW


def test_a_fill_counts_at_its_price_and_the_rest_at_the_limit() -> None:
    assert only(*WORKING, HALF).worth_usd == D(5 * 98 + 5 * 100)
    assert only(*WORKING, STORY.filled(price_usd=D(99))).worth_usd == D(990)


@pytest.mark.parametrize("step", [OrderStep.CANCELLED, OrderStep.EXPIRED])
def test_what_ended_counts_only_what_has_traded(step: OrderStep) -> None:
    item = only(*WORKING, HALF, STORY.moved(step))
    assert (item.worth_usd, item.is_rejected) == (D(490), False)
    assert only(*WORKING, STORY.moved(OrderStep.REJECTED)).worth_usd == D(0)


def test_a_late_fill_counts_again() -> None:
    late = STORY.filled(D(5), trade="t-2", price_usd=D(99), is_last=True)
    assert only(*WORKING, HALF, STORY.moved(OrderStep.CANCELLED), late).worth_usd == D(490 + 495)


def test_a_trade_told_twice_counts_once() -> None:
    assert only(*WORKING, HALF, HALF).worth_usd == D(990)


def test_what_nobody_knows_the_fate_of_counts_in_full() -> None:
    assert only(*SENT, STORY.moved(OrderStep.LOST_SIGHT)).worth_usd == D(1000)


def test_a_rejected_envelope_counts_nothing() -> None:
    item = only(*STORY.until_sealed(), STORY.rejected())
    assert (item.worth_usd, item.is_rejected) == (D(0), True)


def test_the_window_ends_after_a_day() -> None:
    old, new = Story(order_intent(), n=2), Story(order_intent(), n=3, at=NOW + timedelta(hours=24))
    assert list(recent(*old.until_sealed(), *new.until_sealed()).sealed) == [new.decision_id]
    almost = Story(order_intent(), n=4, at=NOW + timedelta(hours=24, seconds=-1))
    assert len(recent(*old.until_sealed(), *almost.until_sealed()).sealed) == 2


def test_before_a_decision_stands_what_was_sealed_earlier() -> None:
    stories = [Story(order_intent(), n=n) for n in (1, 2, 3)]
    known = recent(*(event for story in stories for event in story.until_sealed()))
    assert [item.decision_id for item in known.before(stories[1].decision_id)] == [stories[0].decision_id]
    assert len([*known.before("d-" + "0" * 24)]) == 3


def test_what_is_sealed_anew_stands_behind_all_that_was_sealed_meanwhile() -> None:
    first, second = Story(order_intent(), n=1), Story(order_intent(), n=2)
    known = recent(*first.until_sealed(), *second.until_sealed(), first.rejected(), first.sealed())
    assert [item.decision_id for item in known.before(first.decision_id)] == [second.decision_id]
    assert [*known.before(second.decision_id)] == []
    assert known.sealed[first.decision_id].worth_usd > 0


def test_besides_a_decision_stands_everything_else_whenever_it_was_sealed() -> None:
    stories = [Story(order_intent(), n=n) for n in (1, 2, 3)]
    known = recent(*(event for story in stories for event in story.until_sealed()))
    others = [item.decision_id for item in known.besides(stories[1].decision_id)]
    assert others == [stories[0].decision_id, stories[2].decision_id]


def test_the_newest_print_of_each_venue_and_instrument_is_kept() -> None:
    late = STORY.filled(D(5), trade="t-2", price_usd=D(99), is_last=True)
    assert recent(*WORKING, HALF, late).prints == {("paper", "SPX"): LastPrint(D(99), NOW)}


def test_the_last_word_of_a_venue_is_kept() -> None:
    told = [
        VenueReported(at=NOW, mode=Mode.REPLAY, venue="paper", status=status)
        for status in (TradingStatus.OPEN, TradingStatus.HALTED)
    ]
    assert recent(*told).venue_statuses == {"paper": TradingStatus.HALTED}


def test_a_fill_of_what_was_sealed_long_ago_is_a_print_and_nothing_else() -> None:
    known = recent(*WORKING)
    known.sealed.clear()
    known.apply(HALF)
    assert known.sealed == {}
    assert known.prints == {("paper", "SPX"): LastPrint(D(98), NOW)}
    known.apply(STORY.settled(D(1), price_usd=D(90)))
    assert known.sealed == {}


def test_more_traded_than_was_open_leaves_nothing_open() -> None:
    too_much = STORY.filled(D(12), price_usd=D(98), is_last=False)
    assert only(*WORKING, too_much).quantity_open == D(0)
    assert only(*WORKING, STORY.filled(D(5), is_last=True)).quantity_open == D(0)
    assert only(*WORKING, HALF).quantity_open == D(5)


def test_what_people_settled_counts_as_traded_and_nothing_more_may_come() -> None:
    item = only(*WORKING, HALF, STORY.settled(D(2), price_usd=D(90)))
    assert (item.filled_usd, item.quantity_open) == (D(5 * 98 + 2 * 90), D(0))
    nothing = only(*WORKING, HALF, STORY.settled(D(0)))
    assert (nothing.filled_usd, nothing.quantity_open) == (D(5 * 98), D(0))
