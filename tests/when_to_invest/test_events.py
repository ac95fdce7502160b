"""Events: every kind reads back as it was written, and an unknown kind is refused."""

from __future__ import annotations

import typing

import pytest
from pydantic import ValidationError

from tests.when_to_invest.samples import Story, one_of_each, order_intent
from when_to_invest import events as ev
from when_to_invest.orders import OrderStep


def _every_kind() -> set[type]:
    union = typing.get_args(ev.Event)[0]
    return set(typing.get_args(union))


def test_the_samples_hold_every_kind() -> None:
    assert {type(event) for event in one_of_each()} == _every_kind()


@pytest.mark.parametrize("event", one_of_each(), ids=lambda event: event.kind)
def test_an_event_reads_back_as_it_was_written(event: ev.Event) -> None:
    again = ev.event_from_json(event.canonical())
    assert again == event
    assert again.canonical() == event.canonical()


@pytest.mark.parametrize("event", one_of_each(), ids=lambda event: event.kind)
def test_every_event_says_when_and_how_real(event: ev.Event) -> None:
    assert {"at", "mode"} <= set(event.model_dump())


@pytest.mark.parametrize(
    "text",
    ['{"kind":"limit_raised"}', "{}", "[]", "null", '{"kind":"account_funded"}'],
)
def test_what_is_no_event_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        ev.event_from_json(text)


def test_an_event_with_something_extra_is_refused() -> None:
    text = Story(order_intent()).queued().canonical().replace(b"{", b'{"bypass":true,', 1)
    with pytest.raises(ValidationError):
        ev.event_from_json(text)


@pytest.mark.parametrize("step", [OrderStep.SEND_INTENDED, OrderStep.PARTLY_FILLED, OrderStep.FILLED])
def test_a_fill_cannot_be_told_without_its_price(step: OrderStep) -> None:
    with pytest.raises(ValidationError, match="its own event"):
        Story(order_intent()).moved(step)
