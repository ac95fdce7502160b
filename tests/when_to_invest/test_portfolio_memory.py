"""What the book remembers for the gate: refusals, and orders nobody can see."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.when_to_invest.samples import NOW, Story, funded, order_intent
from when_to_invest import events as ev
from when_to_invest.orders import OrderState, OrderStep
from when_to_invest.portfolio import AccountBook, fold
from when_to_invest.recent import WINDOW


def asked(n: int, **changes: object) -> Story:
    return Story(order_intent(request_id=f"r-{n}", **changes), n=n)


@pytest.mark.parametrize(
    ("outcome", "judge", "is_remembered"),
    [
        (ev.Outcome.REFUSED, ev.Judge.GATE, True),
        (ev.Outcome.HELD, ev.Judge.GATE, False),
        (ev.Outcome.APPROVED, ev.Judge.GATE, False),
        (ev.Outcome.REFUSED, ev.Judge.EXECUTOR, False),
    ],
)
def test_only_the_gates_refusals_are_remembered(
    outcome: ev.Outcome,
    judge: ev.Judge,
    is_remembered: bool,  # noqa: FBT001 - a column of the table
) -> None:
    story = asked(1)
    book = fold([story.proposed(), story.judged(outcome, judge)])
    assert (story.decision_id in book.refused) is is_remembered


def test_a_refusal_is_forgotten_with_its_proposal() -> None:
    story = asked(1)
    later = Story(order_intent(request_id="r-2"), n=2, at=NOW + WINDOW)
    book = fold([story.proposed(), story.judged(ev.Outcome.REFUSED), later.proposed()])
    assert book.refused == set()
    just_before = Story(order_intent(request_id="r-2"), n=2, at=NOW + WINDOW - timedelta(seconds=1))
    book = fold([story.proposed(), story.judged(ev.Outcome.REFUSED), just_before.proposed()])
    assert book.refused == {story.decision_id}


def lost(n: int, state: OrderState, **changes: object) -> list[ev.Event]:
    return asked(n, **changes).until(state)


def unresolved(events: list[ev.Event], *, besides: str = "") -> int:
    return fold([funded(), *events]).unresolved_orders("SPX", besides=besides)


@pytest.mark.parametrize("state", OrderState)
def test_orders_of_unknown_outcome_are_counted_until_they_are_found(state: OrderState) -> None:
    is_lost = state in {OrderState.UNKNOWN, OrderState.QUARANTINED}
    assert unresolved(lost(1, state)) == (1 if is_lost else 0)


def test_other_instruments_and_the_decision_itself_are_left_out() -> None:
    both = [*lost(1, OrderState.UNKNOWN), *lost(2, OrderState.UNKNOWN, instrument="GLD")]
    assert unresolved(both) == 1
    assert unresolved(both, besides=asked(1).decision_id) == 0
    assert unresolved([*both, *lost(3, OrderState.QUARANTINED)]) == 2


def test_an_order_that_is_found_again_no_longer_counts() -> None:
    story = asked(1)
    assert unresolved([*story.until(OrderState.UNKNOWN), story.moved(OrderStep.ACKNOWLEDGED)]) == 0


def test_an_illegal_step_leaves_no_order_behind() -> None:
    story, book = asked(1), AccountBook()
    for event in story.until(OrderState.SEND_INTENDED):
        book.apply(event)
    before = dict(book.orders_of)
    with pytest.raises(Exception, match="cannot become"):
        book.apply(story.sending())
    assert book.orders_of == before
