"""Client order ids follow from decision, slice and attempt, in the shape that a venue wants."""

from __future__ import annotations

from itertools import product
from uuid import UUID

import pytest

from executor.identity import ClientIdShape, client_order_id, has_shape

PARTS = list(product(("d1", "d2"), range(30), range(1, 5)))


@pytest.mark.parametrize("shape", ClientIdShape)
def test_every_decision_slice_and_attempt_has_its_own_id_and_always_the_same(shape: ClientIdShape) -> None:
    ids = [client_order_id(d, slice_index=s, attempt=a, shape=shape) for d, s, a in PARTS]
    again = [client_order_id(d, slice_index=s, attempt=a, shape=shape) for d, s, a in PARTS]
    assert ids == again
    assert len(set(ids)) == len(PARTS)
    assert all(has_shape(name, shape) for name in ids)


def test_the_two_shapes_are_told_apart() -> None:
    plain = client_order_id("d1", slice_index=0, attempt=1)
    spelled = client_order_id("d1", slice_index=0, attempt=1, shape=ClientIdShape.UUID)
    assert not has_shape(spelled, ClientIdShape.PLAIN)
    assert not has_shape(plain, ClientIdShape.UUID)
    assert UUID(spelled).version == 4
    assert len(plain) == 32


@pytest.mark.parametrize("text", ["", "a b", "ä", "x" * 33, "w1\n"])
def test_what_a_venue_would_not_take_has_no_shape(text: str) -> None:
    assert not any(has_shape(text, shape) for shape in ClientIdShape)


def test_a_uuid_has_one_spelling() -> None:
    spelled = client_order_id("d1", slice_index=0, attempt=1, shape=ClientIdShape.UUID)
    for other in (spelled.upper(), spelled.replace("-", ""), "{" + spelled + "}"):
        assert not has_shape(other, ClientIdShape.UUID)
