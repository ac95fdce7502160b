"""A tally counts each row when it comes and forgets it when it goes, and looks at no other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.when_to_invest.samples import NOW, order_intent
from when_to_invest import tallies
from when_to_invest.intents import Side
from when_to_invest.portfolio import Proposal
from when_to_invest.recent import SealedOrder
from when_to_invest.tallies import AskedTally, SealedTally

LONG_AGO = NOW - timedelta(days=9)
SCOPE = ("main", "paper", "SPX")
KIND = ("SPX", Side.BUY)
INTENT = order_intent()


def at(minute: int) -> datetime:
    return NOW + timedelta(minutes=minute)


def asked(n: int, *, decision: int | None = None) -> Proposal:
    decision_id = f"d-{n if decision is None else decision}"
    return Proposal(at(n), decision_id, "agent", *SCOPE, Side.BUY, INTENT.quantity)


def sealed(n: int, *, signatures: int = 0, is_rejected: bool = False) -> SealedOrder:
    return SealedOrder(
        at(n),
        f"d-{n}",
        "main",
        "paper",
        "SPX",
        Side.BUY,
        Decimal(10**n),
        Decimal(1),
        signatures=signatures,
        is_rejected=is_rejected,
    )


class Counting:
    """What a tally was told to add and to drop, in order."""

    def __init__(self, tally: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[tuple[str, str]] = []
        self.tally = tally
        for what in ("_add", "_drop"):
            monkeypatch.setattr(tally, what, self._noting(what, getattr(tally, what)))

    def _noting(self, what: str, real: Callable[[Any], None]) -> Callable[[Any], None]:
        def noted(row: Any) -> None:
            self.told.append((what.removeprefix("_"), row.decision_id))
            real(row)

        return noted

    def follow(self, rows: Sequence[Any]) -> list[tuple[str, str]]:
        self.told.clear()
        self.tally.follow(rows)
        assert list(self.tally.rows) == list(rows)
        return list(self.told)


MAKERS: list[tuple[type[Any], Callable[[int], Any]]] = [
    (AskedTally, asked),
    (SealedTally, sealed),
]


@pytest.mark.parametrize(("kind", "row"), MAKERS)
def test_only_what_came_is_added_and_only_what_went_is_dropped(
    kind: type[Any], row: Callable[[int], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "_TAIL", 0)
    rows = [row(n) for n in range(6)]
    counting = Counting(kind(), monkeypatch)
    assert counting.follow(rows[:4]) == [("add", f"d-{n}") for n in range(4)]
    assert counting.follow(rows[:4]) == []
    assert counting.follow(deque(rows)) == [("add", "d-4"), ("add", "d-5")]
    assert counting.follow(rows[:5]) == [("drop", "d-5")]
    assert sorted(counting.follow(rows[2:5])) == [("drop", "d-0"), ("drop", "d-1")]
    assert sorted(counting.follow(rows[3:])) == [("add", "d-5"), ("drop", "d-2")]
    assert sorted(counting.follow([])) == [("drop", f"d-{n}") for n in (3, 4, 5)]


@pytest.mark.parametrize(("kind", "row"), MAKERS)
def test_an_equal_row_that_is_another_is_taken_in_place_of_the_old_one(
    kind: type[Any], row: Callable[[int], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(kind(), monkeypatch)
    rows = [row(0), row(1)]
    counting.follow(rows)
    twin = row(1)
    counting.follow([rows[0], twin])
    assert counting.tally.rows[-1] is twin


def nothing_known(tally: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(tally).items() if name != "rows" and value}


@pytest.mark.parametrize(("kind", "row"), MAKERS)
def test_when_all_rows_are_gone_nothing_is_left_of_them(kind: type[Any], row: Callable[[int], Any]) -> None:
    tally = kind()
    tally.follow([row(n) for n in range(3)])
    tally.follow([])
    left = nothing_known(tally)
    worth = left.pop("_worth_usd", {})  # sums by who signed: one line for each kind there ever was
    lives = left.pop("_live", {})
    assert left == {}
    assert set(map(tuple, worth.values())) <= {(0, 0, 0)}
    assert not any(lives.values())


@pytest.mark.parametrize(("kind", "row"), MAKERS)
def test_a_row_that_cannot_be_counted_leaves_nothing_known(
    kind: type[Any], row: Callable[[int], Any]
) -> None:
    tally = kind()
    tally.follow([row(0)])
    with pytest.raises(AttributeError):
        tally.follow([row(0), None])
    assert not tally.rows
    assert nothing_known(tally) == {}


def test_a_decision_asked_for_twice_is_known_until_both_are_gone() -> None:
    tally = AskedTally()
    rows = [asked(0, decision=7), asked(1), asked(2, decision=7), asked(3)]
    tally.follow(rows)
    assert tally.since("d-7") == rows[::-1]
    assert tally.since("d-1") == rows[:0:-1]
    assert tally.since("d-9") == []
    tally.follow(rows[1:])
    assert tally.since("d-7") == rows[:1:-1]
    tally.follow(rows[3:])
    assert tally.since("d-7") == []


def test_rows_at_an_instant_came_not_after_it() -> None:
    tally = AskedTally()
    tally.follow([asked(n) for n in range(4)])
    for after, count in ((LONG_AGO, 4), (at(1), 2)):
        assert len(tally.in_scope(SCOPE, proposer="agent", after=after)) == count
        assert tally.by_proposer("agent", after=after) == count
    assert tally.in_scope(("main", "paper", "IXIC"), proposer="agent", after=LONG_AGO) == []
    assert tally.in_scope(SCOPE, proposer="other", after=LONG_AGO) == []
    assert tally.by_proposer("other", after=LONG_AGO) == 0
    assert list(tally.equal(INTENT, proposer="agent")) == [(at(n), f"d-{n}") for n in (3, 2, 1, 0)]
    assert list(tally.equal(INTENT, proposer="other")) == []


def test_worth_is_summed_without_rounding() -> None:
    tally = SealedTally()
    amounts = (Decimal(10) ** 40, Decimal(10) ** -20, Decimal(10) ** 40)
    rows = [sealed(n)._replace(quantity_open=Decimal(0), filled_usd=usd) for n, usd in enumerate(amounts)]
    tally.follow(rows)
    tally.follow(rows[1:2])
    assert tally.worth_usd(None) == (amounts[1], 0, 0)


def test_worth_is_told_by_signatures_and_more_than_two_count_as_two() -> None:
    tally = SealedTally()
    tally.follow([sealed(n, signatures=n) for n in range(4)])
    assert tally.worth_usd(KIND) == tally.worth_usd(None) == (1, 10, 1_100)
    assert tally.worth_usd(("IXIC", Side.BUY)) == (0, 0, 0)
    tally.follow([*tally.rows][:3])
    assert tally.worth_usd(KIND) == (1, 10, 100)


def test_what_was_rejected_is_worth_something_and_not_alive() -> None:
    tally = SealedTally()
    rows = [sealed(0), sealed(1, is_rejected=True), sealed(2)]
    tally.follow(rows)
    assert tally.worth_usd(None) == (111, 0, 0)
    assert list(tally.live(KIND)) == [(("main", "paper"), [at(0), at(2)])]
    assert tally.in_scope(SCOPE, after=LONG_AGO) == ["d-0", "d-2"]
    assert tally.in_scope(SCOPE, after=at(0)) == ["d-2"]
    assert tally.in_scope(SCOPE, after=at(2)) == tally.in_scope(("main", "x", "SPX"), after=at(0)) == []
    tally.follow([rows[0], rows[2]])
    assert list(tally.live(KIND)) == [(("main", "paper"), [at(0), at(2)])]
    assert tally.worth_usd(None) == (101, 0, 0)
    tally.follow([rows[2]])
    assert list(tally.live(KIND)) == [(("main", "paper"), [at(2)])]
    assert list(tally.live(("IXIC", Side.BUY))) == []


def test_what_was_sealed_until_an_instant_includes_it() -> None:
    tally = SealedTally()
    rows = [sealed(n) for n in range(3)]
    tally.follow(rows)
    assert tally.until(at(1)) == rows[:2]
    assert tally.until(LONG_AGO) == []


def test_a_row_replaced_in_the_middle_is_the_only_one_counted_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tallies, "_TAIL", 2)
    counting = Counting(SealedTally(), monkeypatch)
    rows = [sealed(n) for n in range(6)]
    counting.follow(rows)
    newer = sealed(1)._replace(quantity_open=Decimal(5))
    told = counting.follow([rows[0], newer, *rows[2:]])
    assert sorted(told) == [("add", "d-1"), ("drop", "d-1")]
    assert counting.tally.worth_usd(None) == (111_151, 0, 0)
    assert counting.tally.until(at(1)) == [rows[0], newer]
    assert counting.follow(rows[1:2] + rows[3:]) != []
    assert counting.tally.worth_usd(None) == (111_010, 0, 0)


def test_a_row_replaced_near_the_end_is_counted_again_with_what_follows_it_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And the rest is not even compared."""
    counting = Counting(SealedTally(), monkeypatch)
    monkeypatch.setattr(counting.tally, "_replace", None)
    rows = [sealed(n) for n in range(6)]
    counting.follow(rows)
    newer = sealed(5)._replace(quantity_open=Decimal(0))
    assert counting.follow([*rows[:5], newer]) == [("drop", "d-5"), ("add", "d-5")]
    assert counting.tally.worth_usd(None) == (11_111, 0, 0)


def test_a_row_that_becomes_another_of_its_decision_is_exchanged_where_it_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [sealed(n) for n in range(4)]
    counting = Counting(SealedTally(), monkeypatch)
    counting.follow(rows)
    sent = rows[1].after(quantity_open=Decimal(0), filled_usd=Decimal(7), sent_at=at(9))
    assert counting.follow([rows[0], sent, *rows[2:]]) == [("drop", "d-1"), ("add", "d-1")]
    assert counting.tally.rows[1] is sent
    anew = SealedTally()
    anew.follow([rows[0], sent, *rows[2:]])
    assert counting.tally.worth_usd(KIND) == anew.worth_usd(KIND)
