"""The shelf finds every card by what it is known by, however its keys lie and whenever they are sought."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import tracemalloc
from contextlib import suppress
from pathlib import Path
from threading import Thread

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


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """Return the files that a shelf opened, as they are opened."""
    found: list[sqlite3.Connection] = []
    real = shelves._unlinked

    def noted(directory: Path | None) -> sqlite3.Connection:
        found.append(real(directory))
        return found[-1]

    monkeypatch.setattr(shelves, "_unlinked", noted)
    return found


def of_kind(
    number: int, state: DecisionState, proposer: str, *, is_order: bool = True, late: bool = False
) -> Card:
    told = card(number)._replace(state=state, proposer=proposer, is_order=is_order)
    return told._replace(may_trade_late=late)


KINDS = [
    of_kind(0, DecisionState.FILLED, "agent"),
    of_kind(1, DecisionState.HELD, "agent"),
    of_kind(2, DecisionState.FILLED, "other", is_order=False),
    of_kind(3, DecisionState.CANCELLED, "other", late=True),
    of_kind(4, DecisionState.HELD, "third"),
]


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Wanted(), [0, 1, 2, 3, 4]),
        (Wanted(state=DecisionState.HELD), [1, 4]),
        (Wanted(state=DecisionState.FILLED), [0, 2]),
        (Wanted(proposers=frozenset({"agent"})), [0, 1]),
        (Wanted(proposers=frozenset({"other", "third"})), [2, 3, 4]),
        (Wanted(proposers=frozenset()), []),
        (Wanted(is_order=True), [0, 1, 3, 4]),
        (Wanted(is_order=False), [2]),
        (Wanted(may_trade_late=True), [3]),
        (Wanted(may_trade_late=False), [0, 1, 2, 4]),
        (Wanted(DecisionState.FILLED, frozenset({"agent", "other"}), is_order=True), [0]),
    ],
)
def test_only_what_is_wanted_is_told_and_counted(
    wanted: Wanted, numbers: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "_PAGE", 2)
    shelf = Shelf()
    for each in KINDS:
        shelf.put(each)
    assert list(shelf.cards(wanted)) == [KINDS[n] for n in numbers]
    assert list(shelf.cards(wanted, is_newest_first=True)) == [KINDS[n] for n in reversed(numbers)]
    assert shelf.count(wanted) == len(numbers)


def test_nothing_is_opened_for_a_shelf_on_which_nothing_lies(opened: list[sqlite3.Connection]) -> None:
    shelf = Shelf()
    shelf.take(card(1))
    assert (list(shelf.cards(Wanted())), shelf.count(Wanted())) == ([], 0)
    assert shelf.of_decision("d-1") is None
    assert opened == []


def test_cards_are_written_many_at_once(
    opened: list[sqlite3.Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "_AT_ONCE", 3)
    shelf = Shelf()

    def written() -> list[int]:
        return [row[0] for row in opened[0].execute("SELECT number FROM cards ORDER BY number")]

    shelf.put(card(0))
    shelf.put(card(1))
    assert opened == []
    shelf.put(card(2))
    assert written() == [0, 1, 2]
    shelf.put(card(3))
    assert written() == [0, 1, 2]


def test_what_waits_to_be_written_can_be_taken_away() -> None:
    shelf = Shelf()
    shelf.put(card(1))
    shelf.put(card(2))
    shelf.take(card(1))
    assert list(shelf.cards(Wanted())) == [card(2)]


def test_keys_are_put_in_order_once_and_their_loose_copies_go(opened: list[sqlite3.Connection]) -> None:
    shelf, said = Shelf(), list[str]()
    shelf.put(card(1))
    assert shelf.of_decision("d-1") == card(1)
    assert opened[0].execute("SELECT count(*) FROM loose_keys").fetchone() == (0,)
    opened[0].set_trace_callback(said.append)
    assert shelf.of_decision("d-1") == card(1)
    assert shelf.of_order("o-1") == card(1)
    assert [each.partition(" ")[0] for each in said] == ["SELECT", "SELECT"]


def test_cards_that_share_a_key_by_chance_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "hash", lambda _: 7, raising=False)
    shelf, trades = Shelf(), [("paper", "SPX", f"t-{n}") for n in range(4)]
    laid = [card(n)._replace(trades=(trades[n],)) for n in range(4)]
    for each in laid:
        shelf.put(each)
    assert [shelf.of_order(f"o-{n}") for n in range(5)] == [*laid, None]
    assert [shelf.of_decision(f"d-{n}") for n in range(5)] == [*laid, None]
    assert [shelf.of_trade(trade) for trade in [*trades, ("paper", "SPX", "none")]] == [*laid, None]


def test_the_file_is_not_read_for_what_cannot_lie_there(
    opened: list[sqlite3.Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two marks a key: the file is asked only where both were made."""
    keys = {"d-1": 5 << 32 | 3, "o-1": 5 << 32 | 3, "first": 7 << 32 | 3, "second": 5 << 32 | 4}
    keys |= {"neither": 6 << 32 | 2, "both": 1 << 60 | 5 << 32 | 3}
    monkeypatch.setattr(shelves, "hash", keys.__getitem__, raising=False)
    shelf, said = Shelf(), list[str]()
    shelf.put(card(1)._replace(orders=(("o-1", "filled"),)))
    assert shelf.of_decision("d-1") is not None
    opened[0].set_trace_callback(said.append)
    assert [shelf.of_decision(name) for name in ("first", "second", "neither")] == [None] * 3
    assert said == []
    assert shelf.of_decision("both") is None
    assert len(said) == 1


def test_the_marks_of_what_lies_there_take_a_megabyte() -> None:
    tracemalloc.start()
    try:
        shelf = Shelf()
        assert tracemalloc.get_traced_memory()[1] < 2**21
        assert shelf.of_decision("d-1") is None
    finally:
        tracemalloc.stop()


def test_a_closed_shelf_lets_its_file_go_and_what_waited(opened: list[sqlite3.Connection]) -> None:
    shelf = Shelf()
    shelf.put(card(1))
    assert shelf.of_decision("d-1") == card(1)
    shelf.put(card(2))
    shelf.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")
    assert shelf.of_decision("d-2") is None
    assert list(shelf.cards(Wanted())) == []


@pytest.mark.parametrize("is_given", [True, False])
def test_the_file_is_made_in_the_directory_that_is_given_and_only_the_shelf_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_given: bool
) -> None:
    made: list[tuple[Path, int]] = []
    closed: list[int] = []
    mkstemp, close = tempfile.mkstemp, os.close

    def noted(*, prefix: str, dir: Path) -> tuple[int, str]:  # noqa: A002 - the library's name
        handle, name = mkstemp(prefix=prefix, dir=dir)
        made.append((dir, handle))
        return handle, name

    def let_go(handle: int) -> None:
        closed.append(handle)
        close(handle)

    monkeypatch.setattr(tempfile, "mkstemp", noted)
    monkeypatch.setattr(os, "close", let_go)
    shelf = Shelf(tmp_path if is_given else None)
    shelf.put(card(1))
    assert shelf.of_decision("d-1") == card(1)
    assert [directory for directory, _ in made] == ([tmp_path] if is_given else [])
    assert closed == [handle for _, handle in made]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_given", [True, False])
def test_threads_share_a_shelf(tmp_path: Path, *, is_given: bool) -> None:
    shelf = Shelf(tmp_path if is_given else None)
    shelf.put(card(1))
    assert shelf.of_decision("d-1") == card(1)
    found: list[Card | None] = []

    def elsewhere() -> None:
        with suppress(Fault, sqlite3.Error):
            found.append(shelf.of_decision("d-1"))

    thread = Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [card(1)]
