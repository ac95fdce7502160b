"""What is written once, or put into what carries it, are the bytes that writing it whole gives."""

from __future__ import annotations

import copy
import gc
import pickle
from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.when_to_invest.samples import Story, chain_intent, one_of_each, order_intent
from when_to_invest import written
from when_to_invest.canonical import plain_canonical_bytes
from when_to_invest.envelopes import Envelope
from when_to_invest.events import Event
from when_to_invest.intents import OrderIntent
from when_to_invest.values import Value


def _whole(value: Value) -> bytes:
    return plain_canonical_bytes(value.model_dump(mode="json"))


def _envelope() -> Envelope:
    return Story(order_intent()).sealed().envelope


@pytest.mark.parametrize("event", one_of_each(), ids=lambda event: event.kind)
def test_every_event_is_written_as_it_would_be_whole(event: Event) -> None:
    assert event.canonical() == event.canonical() == _whole(event)


@pytest.mark.parametrize(
    "value",
    [order_intent(), chain_intent(), _envelope(), _envelope().content],
    ids=lambda v: type(v).__name__,
)
def test_what_is_carried_is_written_as_it_would_be_whole(value: Value) -> None:
    assert value.canonical() == value.canonical() == _whole(value)


def test_the_same_object_is_written_once() -> None:
    intent = order_intent()
    assert intent.canonical() is intent.canonical()


@pytest.mark.parametrize("carried", ["aa", "at", "zz"])
def test_a_field_stands_in_its_place_whether_first_between_or_last(carried: str) -> None:
    class Inner(Value):
        why: str

    fields = {"ab": (int, 1), "sum": (str, '","at":{}')} | {carried: (Inner, Inner(why='"\\ é'))}
    made = type(
        "Made",
        (Value,),
        {"__annotations__": {name: kind for name, (kind, _) in fields.items()}},
    )
    value = made(**{name: told for name, (_, told) in fields.items()})
    made.CARRIES = carried
    assert value.canonical() == _whole(value)


def test_a_value_that_carries_alone_needs_no_comma() -> None:
    class Inner(Value):
        why: str

    class Alone(Value):
        inner: Inner

    Alone.CARRIES = "inner"
    value = Alone(inner=Inner(why=""))
    assert value.canonical() == _whole(value) == b'{"inner":{"why":""}}'


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda item: pickle.loads(pickle.dumps(item))])  # noqa: S301
def test_a_copy_is_written_anew_and_equal(copied: Callable[[OrderIntent], OrderIntent]) -> None:
    intent = order_intent()
    first = intent.canonical()
    assert copied(intent).canonical() == first


def test_a_changed_copy_is_written_as_it_is() -> None:
    intent = order_intent()
    intent.canonical()
    changed = intent.model_copy(update={"quantity": Decimal("7.125")})
    assert changed.canonical() == _whole(changed) != intent.canonical()
    assert changed.digest() != intent.digest()


def test_an_envelope_with_other_content_is_another_one() -> None:
    envelope = _envelope()
    envelope.canonical()
    forged = envelope.content.intent.model_copy(update={"quantity": Decimal(1)})
    content = envelope.content.model_copy(update={"intent": forged})
    changed = envelope.model_copy(update={"content": content})
    assert changed.canonical() == _whole(changed) != envelope.canonical()


def test_an_identity_that_comes_again_is_never_mistaken() -> None:
    for number in range(3 * written._PLACES):
        intent = order_intent(quantity=Decimal(number + 1))
        assert OrderIntent.model_validate_json(intent.canonical()).quantity == number + 1
        del intent
    gc.collect()
    assert len(written._kept) == written._PLACES
