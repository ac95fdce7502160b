"""Who is on the roll, and whose vote counts in one process, as people come and go."""

from __future__ import annotations

from datetime import timedelta

import pytest

from policies.electors import Electors
from tests.policies.electing import KEYS, approver
from tests.strategies.situations import NOW
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.keyholders import Approver

ALICE, BOB, CAROL = (KEYS[name].address for name in ("alice", "bob", "carol"))


def home() -> Electors:
    return Electors.configured({"alice": ALICE, "bob": BOB})


def test_whoever_was_removed_has_no_vote_and_is_remembered_as_removed() -> None:
    electors = home()
    electors.remove("bob", is_believed=True)
    assert electors.at(NOW) == {"alice": ALICE}
    assert (electors.believed, electors.counted, electors.removed) == ({"alice"}, {"alice"}, {"bob"})


def test_a_removal_that_is_not_believed_takes_the_vote_and_leaves_the_roll_as_large() -> None:
    electors = home()
    electors.remove("bob", is_believed=False)
    assert electors.at(NOW) == {"alice": ALICE}
    assert (electors.believed, electors.counted) == ({"alice"}, {"alice", "bob"})


def test_whoever_comes_back_with_another_key_is_known_by_both() -> None:
    electors = home()
    electors.remove("bob", is_believed=True)
    electors.enrol(Approver(name="bob", address=ALICE), is_believed=False)
    assert electors.removed == set()
    assert electors.believed == {"alice"}
    assert electors.counted == {"alice", "bob"}
    assert electors.keys_of["bob"] == {ALICE.lower(), BOB.lower()}
    electors.enrol(Approver(name="bob", address=BOB), is_believed=True)
    assert electors.believed == {"alice", "bob"}


def test_a_key_that_was_theirs_before_is_no_strangers_and_is_told_of() -> None:
    electors = home()
    assert electors.exchanged({"alice": ALICE, "bob": BOB}) == ()
    electors.remove("bob", is_believed=True)
    assert electors.exchanged({"bob": BOB}) == ()
    electors.enrol(Approver(name="bob", address=CAROL), is_believed=True)
    for configured in ({"bob": BOB}, {"bob": BOB.lower()}, {"bob": CAROL}):
        electors.demand_no_stranger(configured)
    assert electors.exchanged({"bob": BOB, "alice": ALICE, "mallory": BOB}) == ("bob",)
    assert electors.exchanged({"bob": CAROL}) == ()
    assert electors.at(NOW)["bob"] == CAROL


@pytest.mark.parametrize("configured", [{"bob": ALICE}, {"alice": BOB}, {"mallory": BOB}])
def test_a_key_that_never_was_theirs_is_a_strangers(configured: dict[str, str]) -> None:
    with pytest.raises(Fault) as caught:
        home().demand_no_stranger(configured)
    assert caught.value.code is ErrorCode.LOOSER_LIMIT


@pytest.mark.parametrize(("after_s", "names"), [(-1, {"alice", "bob"}), (0, {"bob"}), (1, {"bob"})])
def test_a_vote_ends_at_its_instant(after_s: int, names: set[str]) -> None:
    electors = home()
    electors.enrol(approver("alice", until=NOW), is_believed=True)
    assert set(electors.at(NOW + timedelta(seconds=after_s))) == names


def test_the_journal_alone_needs_one_of_one_and_two_of_more() -> None:
    alone = Electors.configured({"alice": ALICE})
    assert (Electors().needed, alone.needed, home().needed) == (1, 1, 2)
    many = Electors.configured({f"p{n}": ALICE for n in range(5)})
    assert many.needed == 2
