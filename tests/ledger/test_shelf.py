"""The shelf finds every card by what it is known by, however its keys lie and whenever they are sought."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import shelf as shelves
from ledger.shelf import Card, Shelf, Wanted
from when_to_invest.history import DecisionState

COUNT = 12


def card(number: int, *, round_: int = 0) -> Card:
    state = DecisionState.CANCELLED if round_ else DecisionState.FILLED
    return Card(
        number=number,
        decision_id=f"d-{number}",
        state=state,
        proposer="agent",
        is_order=True,
        may_trade_late=bool(round_),
        places=(number * 10, number * 10 + 2**40, number * 10 + 2**62),
        digest=bytes([number]) * 32,
        orders=((f"o-{number}", state.value), (f'"o"\u00e9-{number}', "absent")),
    )


@pytest.mark.parametrize("at_once", [1, 5, 2_000])
@given(
    told=st.lists(
        st.tuples(st.sampled_from(["put", "take", "decision", "order"]), st.integers(0, COUNT - 1)),
        max_size=40,
    )
)
def test_a_shelf_answers_like_a_dict(at_once: int, told: list[tuple[str, int]]) -> None:
    shelf, known = Shelf(), dict[int, Card]()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(shelves, "_AT_ONCE", at_once)
        for round_, (what, number) in enumerate(told):
            match what:
                case "put":
                    known[number] = card(number, round_=round_ % 2)
                    shelf.put(known[number])
                case "take" if number in known:
                    shelf.take(known.pop(number))
                case "decision":
                    assert shelf.of_decision(f"d-{number}") == known.get(number)
                case _:
                    assert shelf.of_order(f'"o"\u00e9-{number}') == known.get(number)
        assert list(shelf.cards(Wanted())) == [known[number] for number in sorted(known)]
        assert [shelf.of_decision(f"d-{n}") for n in range(COUNT)] == [known.get(n) for n in range(COUNT)]
        assert [shelf.of_order(f"o-{n}") for n in range(COUNT)] == [known.get(n) for n in range(COUNT)]
    shelf.close()
