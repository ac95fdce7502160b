"""Members that are at hand are the same members."""

from __future__ import annotations

import copy
from enum import StrEnum, unique

import pytest

from when_to_invest.decision_states import DecisionState
from when_to_invest.enums import at_hand
from when_to_invest.intents import Side
from when_to_invest.orders import OrderState, OrderStep


@at_hand
@unique
class Light(StrEnum):
    RED = "red"
    GREEN = "green"


@pytest.mark.parametrize("kind", [Light, DecisionState, OrderState, OrderStep, Side])
def test_a_member_is_named_looked_up_and_told_apart_as_before(kind: type[StrEnum]) -> None:
    assert [*kind.__members__.values()] == [*kind]
    for name, member in kind.__members__.items():
        assert kind.__dict__[name] is member
        assert getattr(kind, name) is kind[name] is kind(member.value) is member
        assert copy.deepcopy(member) is member
        assert (member.name, str(member)) == (name, member.value)


def test_no_member_can_be_put_in_the_place_of_another() -> None:
    with pytest.raises(AttributeError):
        Light.RED = Light.GREEN  # type: ignore[misc,assignment]
    assert Light.RED is Light("red")
