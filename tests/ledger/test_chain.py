"""A chain's rows are taken for events only where every one follows the one before."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.chain import Broken, StoredLink, corrupt, follow, follow_all, links_after, picked
from ledger.checking import check_links
from ledger.journal import EMPTY, Head, Recorded
from ledger.verify import FirstBad, Verification
from tests.ledger.journals import drill
from when_to_invest.errors import ErrorCode, Fault

EVENTS = [drill(number) for number in range(1, 5)]
ROWS: list[StoredLink] = [*links_after(EMPTY, [event.canonical() for event in EVENTS])[0]]
THIRD = Head(2, bytes(ROWS[1][2]).hex())  # type: ignore[arg-type]
UNKNOWN = links_after(THIRD, [b'{"kind":"nobody knows this"}'])[0][0]


class OddBytes(bytes):
    """Bytes that a driver might hand out, and that are not quite bytes."""


def spoilt(**changes: Any) -> StoredLink:
    """Return the third row with other columns."""
    place, named, claimed, event = ROWS[2]
    found = {"place": place, "named": named, "claimed": claimed, "event": event} | changes
    return found["place"], found["named"], found["claimed"], found["event"]


SPOILT = [
    (spoilt(place=4), "event 4 stands in its place"),
    (spoilt(place=2), "event 2 stands in its place"),
    (spoilt(named=b"\x00" * 32), "it names another predecessor"),
    (spoilt(claimed=b"\x00" * 32), "its hash is not that of its content"),
    (spoilt(event=ROWS[3][3]), "its hash is not that of its content"),
    (spoilt(named=None), "its row has other columns"),
    (spoilt(claimed="ab"), "its row has other columns"),
    (spoilt(event=7), "its row has other columns"),
    (UNKNOWN, "it is no event this version knows"),
]


def fault_of(rows: list[StoredLink]) -> Fault:
    with pytest.raises(Fault) as caught:
        list(follow_all(EMPTY, rows))
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT
    return caught.value


def test_a_sound_chain_is_read_alike_row_by_row_and_in_one_go() -> None:
    head, one_by_one = EMPTY, []
    for row in ROWS:
        followed = follow(head, row)
        assert isinstance(followed, Recorded)
        one_by_one.append(followed)
        head = followed.head
    assert list(follow_all(EMPTY, ROWS)) == one_by_one
    assert [recorded.event for recorded in one_by_one] == EVENTS
    assert [recorded.sequence for recorded in one_by_one] == [1, 2, 3, 4]
    assert list(follow_all(one_by_one[1].head, ROWS[2:])) == one_by_one[2:]


@pytest.mark.parametrize(("row", "why"), SPOILT)
def test_the_first_row_that_does_not_follow_is_named_with_the_reason(row: StoredLink, why: str) -> None:
    assert follow(THIRD, row) == Broken(why)
    read = follow_all(EMPTY, [*ROWS[:2], row, ROWS[3]])
    assert [next(read).event, next(read).event] == EVENTS[:2]
    assert str(fault_of([*ROWS[:2], row, ROWS[3]])) == str(corrupt(3, why))


def test_what_only_looks_like_a_row_in_one_of_two_ways_of_reading_is_none() -> None:
    odd = spoilt(event=OddBytes(ROWS[2][3]))  # type: ignore[call-overload]
    assert str(fault_of([*ROWS[:2], odd])) == str(corrupt(3, "it was read in two ways"))


def test_a_chain_whose_middle_was_taken_out_ends_there() -> None:
    assert str(fault_of([ROWS[0], *ROWS[2:]])) == str(corrupt(2, "event 3 stands in its place"))


def test_an_event_in_hand_is_handed_out_for_the_row_that_hashes_as_it() -> None:
    in_hand = {bytes(ROWS[1][2]): EVENTS[1]}  # type: ignore[call-overload]
    read = list(follow_all(EMPTY, ROWS, in_hand=in_hand))
    assert read == list(follow_all(EMPTY, ROWS))
    assert [one.event is held for one, held in zip(read, EVENTS, strict=True)] == [False, True, False, False]


@pytest.mark.parametrize(("row", "why"), SPOILT)
def test_an_event_in_hand_lets_no_spoilt_row_pass(row: StoredLink, why: str) -> None:
    in_hand = {bytes(sound[2]): event for sound, event in zip(ROWS, EVENTS, strict=True)}  # type: ignore[call-overload]
    read = follow_all(EMPTY, [*ROWS[:2], row, ROWS[3]], in_hand=in_hand)
    assert [next(read).event, next(read).event] == EVENTS[:2]
    with pytest.raises(Fault) as caught:
        next(read)
    assert str(caught.value) == str(corrupt(3, why))


def test_single_events_are_picked_where_they_stand() -> None:
    sound = list(follow_all(EMPTY, ROWS))
    assert list(picked([2, 4], [ROWS[1], ROWS[3]])) == [sound[1], sound[3]]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "it is missing though it was read before"),
        ([ROWS[3]], "event 4 stands in its place"),
        ([spoilt(event=ROWS[3][3])], "its hash is not that of its content"),
        ([spoilt(named=None)], "its row has other columns"),
    ],
)
def test_an_event_that_is_not_where_it_stood_is_named(rows: list[StoredLink], why: str) -> None:
    with pytest.raises(Fault) as caught:
        list(picked([3], rows))
    assert str(caught.value) == str(corrupt(3, why))


ENDED = links_after(EMPTY, [event.canonical() for event in EVENTS])[1]


def test_links_that_follow_and_reach_the_witness_are_whole() -> None:
    assert check_links(ROWS, witness=None) == Verification(True, 4, ENDED, None, is_tail_witnessed=False)
    assert check_links(ROWS, witness=ENDED) == Verification(True, 4, ENDED, None, is_tail_witnessed=True)
    assert check_links(ROWS, witness=THIRD).ok
    assert check_links([], witness=None).ok


@pytest.mark.parametrize(("row", "why"), SPOILT)
def test_the_first_link_that_does_not_follow_is_told_with_what_checks_before_it(
    row: StoredLink, why: str
) -> None:
    found = check_links([*ROWS[:2], row, ROWS[3]], witness=ENDED, problems=["a trigger is missing"])
    assert found == Verification(False, 2, THIRD, FirstBad(3, why), is_tail_witnessed=True)


@pytest.mark.parametrize(
    ("witness", "bad"),
    [
        (Head(2, "ab" * 32), FirstBad(2, "the witness saw another event in its place")),
        (Head(4, "ab" * 32), FirstBad(4, "the witness saw another event in its place")),
        (Head(5, "ab" * 32), FirstBad(5, "it is missing though the witness saw it")),
        (Head(9, "ab" * 32), FirstBad(5, "it is missing though the witness saw it")),
    ],
)
def test_links_that_the_witness_contradicts_are_not_whole(witness: Head, bad: FirstBad) -> None:
    assert check_links(ROWS, witness=witness).first_bad == bad


def test_what_is_wrong_outside_the_events_is_told_when_they_check() -> None:
    found = check_links(ROWS, witness=ENDED, problems=["a trigger is missing", "another too"])
    assert (found.ok, found.events, found.first_bad) == (False, 4, FirstBad(None, "a trigger is missing"))
