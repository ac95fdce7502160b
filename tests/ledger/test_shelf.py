"""The shelf finds every card by what it is known by, however its keys lie and whenever they are sought."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import shelf as shelves
from ledger.shelf import Card, Shelf, Wanted
from when_to_invest.errors import ErrorCode, Fault
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


@pytest.mark.parametrize("pages", [8, 12, 16, 24, 32])
def test_after_a_disk_that_was_full_for_a_moment_no_card_is_denied(
    pages: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[sqlite3.Connection] = []

    def small(_: Path | None) -> sqlite3.Connection:
        opened.append(sqlite3.connect("", isolation_level=None))
        return opened[-1]

    monkeypatch.setattr(shelves, "_unlinked", small)
    monkeypatch.setattr(shelves, "_SCHEMA", (*shelves._SCHEMA, f"PRAGMA max_page_count = {pages}"))
    monkeypatch.setattr(shelves, "_AT_ONCE", 100)
    shelf, laid = Shelf(), 0
    with pytest.raises(Fault) as first:  # noqa: PT012 - which card it is does not matter
        for laid in range(100_000):
            shelf.put(card(laid % 256)._replace(number=laid, decision_id=f"d-{laid}"))
            if laid % 250 == 0:
                shelf.of_decision(f"d-{laid}")
    with suppress(sqlite3.Error):
        opened[0].execute("PRAGMA max_page_count = 1000000")
    asked = [lambda n=n: shelf.of_decision(f"d-{n}") for n in range(laid)]
    for ask in (
        *asked,
        lambda: shelf.count(Wanted()),
        lambda: shelf.put(card(1)),
        lambda: shelf.take(card(1)),
    ):
        with pytest.raises(Fault) as again:
            ask()
        assert (again.value.code, again.value.message) == (ErrorCode.STORAGE_FAILED, first.value.message)
    shelf.close()
