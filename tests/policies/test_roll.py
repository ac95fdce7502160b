"""Who has a vote and which seals count: founded by configuration, changed by a quorum alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.policies.electing import FOUNDING_SEAL, KEYS, NEXT_SEAL, Hustings, anchors, approver
from tests.strategies.situations import NOW
from when_to_invest import keyholders as kh
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.values import Mode

LATER = NOW + timedelta(minutes=10)
MUCH_LATER = NOW + timedelta(days=40)


@pytest.fixture
def home() -> Hustings:
    return Hustings().founded()


def refusal(home: Hustings, change: kh.KeyholderChange) -> Fault:
    with pytest.raises(Fault) as caught:
        home.roll().demand(change)
    assert not home.roll().admits(change, home.home_id)
    return caught.value


def voters(home: Hustings, own: kh.Anchors | None = None) -> set[str]:
    return set(home.roll(own).at(NOW))


def test_a_quorum_enrols_and_removes(home: Hustings) -> None:
    home.tell(home.enrolment(approver("carol"), "alice", "bob"))
    assert voters(home) == {"alice", "bob", "carol"}
    home.tell(home.removal("alice", "bob", "carol"))
    assert voters(home) == {"bob", "carol"}


def test_whoever_was_enrolled_counts_in_the_next_quorum(home: Hustings) -> None:
    home.tell(home.enrolment(approver("carol"), "alice", "bob"))
    home.tell(home.enrolment(approver("dave"), "carol", "bob"))
    assert "dave" in voters(home)


@pytest.mark.parametrize("by", [(), ("alice",), ("alice", "alice"), ("alice", "carol"), ("carol", "dave")])
def test_fewer_than_a_quorum_changes_nothing(home: Hustings, by: tuple[str, ...]) -> None:
    fault = refusal(home, home.enrolment(approver("carol"), *by))
    assert fault.code is ErrorCode.BAD_APPROVAL
    assert voters(home.tell(home.enrolment(approver("carol"), *by))) == {"alice", "bob"}


def test_whoever_asks_does_not_sign(home: Hustings) -> None:
    asked = home.enrolment(approver("carol"), "alice", "bob", requester="alice")
    assert "cannot sign" in refusal(home, asked).message


def test_one_of_two_cannot_take_the_others_vote_and_then_rule_alone(home: Hustings) -> None:
    assert "1 of the 2" in refusal(home, home.removal("bob", "alice")).message


def test_a_home_of_one_decides_alone_and_from_then_on_together() -> None:
    home = Hustings().founded("alice")
    own = anchors(["alice"])
    assert home.roll(own).needed == 1
    home.tell(home.enrolment(approver("bob"), "alice"))
    roll = home.roll(own)
    assert (set(roll.at(NOW)), roll.needed) == ({"alice", "bob"}, 2)


def test_nobody_enrols_before_a_home_was_founded() -> None:
    home = Hustings()
    assert "first approvers" in refusal(home, home.enrolment(approver("carol"), "alice", "bob")).message


@pytest.mark.parametrize(
    "who",
    [
        approver("alice"),
        kh.Approver(name="carol", address=KEYS["alice"].address),
        kh.Approver(name="carol", address=KEYS["alice"].address.lower()),
    ],
)
def test_one_name_and_one_key_are_one_vote(home: Hustings, who: kh.Approver) -> None:
    assert "already" in refusal(home, home.enrolment(who, "alice", "bob")).message


def test_nobody_is_removed_who_is_not_there(home: Hustings) -> None:
    assert "nobody" in refusal(home, home.removal("carol", "alice", "bob")).message


def test_the_document_signed_must_be_the_change_made(home: Hustings) -> None:
    asked = home.enrolment(approver("carol"), "alice", "bob")
    for other in (
        asked.model_copy(update={"approver": approver("dave")}),
        asked.model_copy(update={"approver": approver("carol", until=MUCH_LATER)}),
        asked.model_copy(update={"mode": Mode.PAPER}),
    ):
        assert "not what would be done" in refusal(home, other).message


def test_a_motion_takes_effect_once(home: Hustings) -> None:
    asked = home.enrolment(approver("carol"), "alice", "bob")
    home.tell(asked, home.removal("carol", "alice", "bob"))
    home.tell(home.removal("carol", "alice", "bob"))
    assert refusal(home, asked).code is ErrorCode.BAD_APPROVAL


def test_signatures_of_one_home_change_nothing_in_another(home: Hustings) -> None:
    other = Hustings(home_id="ef" * 32).founded()
    assert "another home" in refusal(home, other.enrolment(approver("carol"), "alice", "bob")).message


def test_the_wrong_chain_id_is_named(home: Hustings) -> None:
    domain = home.roll().domain.model_copy(update={"chain_id": 1})
    asked = home.enrolment(approver("carol"), "alice", "bob", domain=domain)
    assert "chain id 1," in refusal(home, asked).message


def test_a_vote_ends_when_it_was_given_to_end(home: Hustings) -> None:
    home.tell(home.enrolment(approver("carol", until=LATER), "alice", "bob"))
    roll = home.roll()
    assert "carol" in roll.at(LATER - timedelta(seconds=1))
    assert "carol" not in roll.at(LATER)
    with pytest.raises(Fault, match="expired") as caught:
        roll.demand_vote("carol", LATER)
    assert caught.value.code is ErrorCode.BAD_APPROVAL


def test_a_vote_that_ended_does_not_lower_the_quorum(home: Hustings) -> None:
    home.tell(home.enrolment(approver("carol", until=LATER), "alice", "bob"))
    assert home.roll().needed == 2
    late = home.enrolment(approver("dave"), "alice", "carol").model_copy(update={"at": LATER})
    assert "no approver now" in refusal(home, late).message


def test_configuration_takes_votes_away_and_gives_none(home: Hustings) -> None:
    assert voters(home, anchors(["alice", "bob", "carol"])) == {"alice", "bob"}
    assert voters(home, anchors(["alice"])) == {"alice"}
    assert voters(home, anchors(approvers_until={"bob": NOW})) == {"alice"}
    replaced = {"alice": KEYS["alice"].address, "bob": KEYS["erin"].address}
    assert voters(home, anchors(approvers=replaced)) == {"alice"}


def test_ending_a_vote_leaves_what_was_signed_before_standing(home: Hustings) -> None:
    home.tell(home.enrolment(approver("carol"), "alice", "bob"))
    ended = anchors(approvers_until={"bob": NOW + timedelta(seconds=1)})
    assert set(home.roll(ended).at(LATER)) == {"alice", "carol"}
    with pytest.raises(Fault, match="the vote of bob expired"):
        home.roll(ended).demand_vote("bob", LATER)


def test_nobody_signs_in_the_past_when_their_vote_still_counted(home: Hustings) -> None:
    ended = anchors(approvers_until={"bob": NOW + timedelta(seconds=1)})
    later = kh.HomeFounded(at=LATER, mode=Mode.REPLAY, chance="ab" * 32)
    backdated = home.enrolment(approver("carol"), "alice", "bob")
    home.tell(later, backdated)
    assert "carol" not in home.roll(ended).at(LATER)


def test_striking_somebody_out_takes_what_rests_on_them_too(home: Hustings) -> None:
    home.tell(home.enrolment(approver("carol"), "alice", "bob"))
    home.tell(home.enrolment(approver("dave"), "alice", "carol"))
    assert voters(home, anchors(["alice"])) == {"alice"}


def test_a_forged_founding_gives_nobody_a_vote_elsewhere() -> None:
    home = Hustings().founded("dave", "erin")
    home.tell(home.enrolment(approver("carol"), "dave", "erin"))
    assert voters(home, anchors(["alice", "bob"])) == set()


def test_a_home_is_founded_once(home: Hustings) -> None:
    home.founded("alice", "bob", "carol")
    assert voters(home, anchors(["alice", "bob", "carol"])) == {"alice", "bob"}


def test_before_it_is_founded_configuration_alone_says_who_votes() -> None:
    assert voters(Hustings(), anchors(["alice", "bob"])) == {"alice", "bob"}


def sealed_by(home: Hustings, address: str, **when: Any) -> bool:
    given = {"now": NOW, "sealed_at": NOW} | when
    return address.lower() in home.roll().seals.trusted(given["now"], sealed_at=given["sealed_at"])


def next_key(**changes: Any) -> kh.SealKey:
    return kh.SealKey(**{"address": NEXT_SEAL.address, "not_before": LATER} | changes)


def retired(address: str, *, after: Any) -> kh.SealKeyRetired:
    return kh.SealKeyRetired(at=NOW, mode=Mode.REPLAY, address=address, not_after=after, by="operator")


def test_a_new_sealing_key_counts_from_its_beginning_while_the_old_one_still_does(home: Hustings) -> None:
    home.tell(home.seal_key(next_key(), "alice", "bob"))
    assert not sealed_by(home, NEXT_SEAL.address)
    assert sealed_by(home, NEXT_SEAL.address, now=LATER, sealed_at=LATER)
    assert sealed_by(home, FOUNDING_SEAL.address, now=LATER, sealed_at=LATER)


def test_the_old_key_seals_in_its_window_and_not_after(home: Hustings) -> None:
    home.tell(home.seal_key(next_key(not_before=NOW), "alice", "bob"))
    home.tell(retired(FOUNDING_SEAL.address, after=LATER))
    assert sealed_by(home, FOUNDING_SEAL.address, now=LATER, sealed_at=NOW)
    after = LATER + timedelta(microseconds=1)
    assert not sealed_by(home, FOUNDING_SEAL.address, now=after, sealed_at=after)
    assert not sealed_by(home, FOUNDING_SEAL.address, now=after, sealed_at=NOW)
    assert sealed_by(home, NEXT_SEAL.address, now=after, sealed_at=after)


def test_a_retired_key_does_not_come_back(home: Hustings) -> None:
    home.tell(home.seal_key(next_key(not_before=NOW), "alice", "bob"))
    home.tell(retired(NEXT_SEAL.address, after=LATER), retired(NEXT_SEAL.address.lower(), after=MUCH_LATER))
    assert not sealed_by(home, NEXT_SEAL.address, now=MUCH_LATER, sealed_at=MUCH_LATER)
    again = home.seal_key(next_key(), "alice", "bob")
    assert "before" in refusal(home, again).message


def test_a_key_ends_where_its_window_says(home: Hustings) -> None:
    home.tell(home.seal_key(next_key(not_before=NOW, not_after=LATER), "alice", "bob"))
    assert sealed_by(home, NEXT_SEAL.address, now=LATER, sealed_at=LATER)
    assert not sealed_by(home, NEXT_SEAL.address, now=MUCH_LATER, sealed_at=LATER)


@pytest.mark.parametrize("by", [(), ("alice",), ("alice", "carol")])
def test_no_sealing_key_is_trusted_without_a_quorum(home: Hustings, by: tuple[str, ...]) -> None:
    asked = home.seal_key(next_key(not_before=NOW), *by)
    refusal(home, asked)
    assert not sealed_by(home.tell(asked), NEXT_SEAL.address)


def test_striking_a_name_out_does_not_lower_how_many_must_sign(home: Hustings) -> None:
    struck = anchors(["alice"])
    assert (home.roll().needed, home.roll(struck).needed) == (2, 2)
    alone = home.enrolment(approver("carol"), "alice")
    assert voters(home.tell(alone), struck) == {"alice"}
    with pytest.raises(Fault, match="only 1 approver") as caught:
        home.roll(struck).demand(home.enrolment(approver("carol"), "alice"))
    assert "Too few approvers" in caught.value.fix


def test_a_removal_that_this_process_does_not_believe_leaves_the_roll_as_large(home: Hustings) -> None:
    """Else the key of somebody struck out would help one of the rest to rule alone."""
    home.tell(home.removal("bob", "alice", "bob"))
    home.tell(home.enrolment(approver("erin"), "alice"))
    assert voters(home) == {"alice", "erin"}
    assert (voters(home, anchors(["alice"])), home.roll(anchors(["alice"])).needed) == ({"alice"}, 2)


def test_a_name_struck_out_stays_taken_until_a_quorum_removes_it(home: Hustings) -> None:
    home.tell(home.enrolment(approver("carol"), "alice", "bob"))
    struck = anchors(["alice", "carol"])
    twin = kh.Approver(name="bob", address=KEYS["erin"].address)
    with pytest.raises(Fault, match="on the roll already"):
        home.roll(struck).demand(home.enrolment(twin, "alice", "carol"))


def test_without_first_approvers_nothing_is_changed() -> None:
    home = Hustings()
    for change in (home.removal("bob", "alice", "bob"), home.seal_key(next_key(), "alice", "bob")):
        assert "first approvers" in refusal(home, change).message


def forward(home: Hustings) -> kh.SealKeyRetired:
    """Return an event that anybody who can append may plant: a stranger's key ends in a century."""
    then = NOW + timedelta(days=36_500)
    stranger = KEYS["erin"].address
    return kh.SealKeyRetired(at=then, mode=Mode.REPLAY, address=stranger, not_after=then, by="x")


def test_an_event_from_the_future_keeps_nobody_from_taking_power_away(home: Hustings) -> None:
    home.tell(home.enrolment(approver("carol"), "alice", "bob"), forward(home))
    home.tell(retired(FOUNDING_SEAL.address, after=NOW), home.removal("bob", "alice", "carol"))
    assert not sealed_by(home, FOUNDING_SEAL.address, now=LATER, sealed_at=LATER)
    assert voters(home) == {"alice", "carol"}


def test_behind_an_event_from_the_future_nothing_gives_power(home: Hustings) -> None:
    home.tell(home.enrolment(approver("carol"), "alice", "bob"), forward(home))
    home.tell(home.enrolment(approver("dave"), "alice", "bob"))
    home.tell(home.seal_key(next_key(not_before=NOW), "alice", "bob"))
    assert voters(home) == {"alice", "bob", "carol"}
    assert not sealed_by(home, NEXT_SEAL.address, now=LATER, sealed_at=LATER)
    for name in ("carol", "bob"):
        home.tell(home.removal(name, "alice", "bob"))
    assert (voters(home), home.roll().needed) == ({"alice"}, 2), "a late removal makes no quorum smaller"


@pytest.mark.parametrize(
    "at", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)]
)
def test_a_date_at_the_end_of_time_is_no_instant(at: datetime) -> None:
    """A window taken from it, or added, would leave the calendar and end whoever folds it."""
    with pytest.raises(ValueError, match="between the years"):
        kh.HomeFounded(at=at, mode=Mode.REPLAY, chance="ab" * 32)
