"""What a roll admits of a journal: everything, but for what lacks its quorum or comes from the past."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from policies.requesters import OPERATOR, demand_known
from policies.roll import SKEW
from tests.ledger.journals import drill
from tests.policies.electing import Hustings, anchors, approver, signatures
from tests.strategies.situations import NOW
from when_to_invest import keyholders as kh
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import TradingResumed
from when_to_invest.remedies import RESUME, resume_details
from when_to_invest.values import Mode

HASH = "ab" * 32


def resumption(home: Hustings, *by: str) -> TradingResumed:
    details = resume_details(scope="system", halts_hash=HASH, lifts="a halt")
    motion = home.motion(RESUME, details)
    given: dict[str, Any] = {"at": NOW, "mode": Mode.REPLAY, "scope": "system", "halts_hash": HASH}
    return TradingResumed(**given, motion=motion, endorsements=signatures(motion, *by))


def test_what_loosens_nothing_is_admitted() -> None:
    home = Hustings().founded()
    assert home.roll().admits(drill(1), home.home_id) is True


def test_a_change_of_the_roll_is_admitted_with_its_quorum_alone() -> None:
    home = Hustings().founded()
    good, lonely = (home.enrolment(approver("carol"), *by) for by in (("alice", "bob"), ("alice",)))
    assert home.roll().admits(lonely, home.home_id) is False
    assert home.roll().admits(good, home.home_id) is True


def test_a_resumption_is_admitted_with_its_quorum_alone() -> None:
    home = Hustings().founded()
    assert home.roll().admits(resumption(home, "alice"), home.home_id) is False
    assert home.roll().admits(resumption(home, "alice", "bob"), home.home_id) is True


@pytest.mark.parametrize(
    ("late_by", "is_admitted"), [(SKEW, True), (SKEW + timedelta(microseconds=1), False)]
)
def test_nobody_resumes_in_the_past(late_by: timedelta, is_admitted: bool) -> None:  # noqa: FBT001 - a column of the table
    home = Hustings().founded()
    roll = home.roll()
    roll.admits(drill(1).model_copy(update={"at": NOW + late_by}), home.home_id)
    assert roll.admits(resumption(home, "alice", "bob"), home.home_id) is is_admitted


@pytest.mark.parametrize("requester", [OPERATOR, "alice"])
def test_a_motion_is_asked_for_by_somebody_the_home_knows(requester: str) -> None:
    home = Hustings().founded()
    details = resume_details(scope="system", halts_hash=HASH, lifts="a halt")
    demand_known(home.motion(RESUME, details, requester=requester), {"alice", "agent"})


@pytest.mark.parametrize("changes", [{"requester": "mallory"}, {"known_by": None}])
def test_a_motion_of_a_stranger_or_of_nobody_knows_whom_is_refused(changes: dict[str, Any]) -> None:
    home = Hustings().founded()
    details = resume_details(scope="system", halts_hash=HASH, lifts="a halt")
    with pytest.raises(Fault) as caught:
        demand_known(home.motion(RESUME, details, **changes), {"alice", "agent"})
    assert caught.value.code is ErrorCode.BAD_APPROVAL


def test_a_late_enrolment_is_not_admitted_and_a_late_removal_is() -> None:
    home = Hustings().founded("alice", "bob", "carol")
    for change, is_admitted in (
        (home.enrolment(approver("dave"), "alice", "bob"), False),
        (home.removal("carol", "alice", "bob"), True),
    ):
        roll = home.roll(anchors(("alice", "bob", "carol")))
        roll.admits(drill(1).model_copy(update={"at": NOW + timedelta(hours=1)}), home.home_id)
        assert roll.admits(change, home.home_id) is is_admitted


def test_a_vote_ends_at_the_earlier_of_the_two_ends_that_are_known() -> None:
    sooner, later = NOW + timedelta(days=1), NOW + timedelta(days=2)
    home = Hustings()
    people = (approver("alice", until=later), approver("bob"))
    home.tell(kh.ApproversFounded(at=NOW, mode=Mode.REPLAY, approvers=people))
    assert home.roll().end_of("alice") == later
    assert home.roll(anchors(approvers_until={"alice": sooner})).end_of("alice") == sooner
    assert home.roll().end_of("bob") is None


def test_who_may_vote_is_told_from_who_may_not_and_why() -> None:
    home = Hustings().founded("alice", "bob", "carol")
    roll = home.roll(anchors(approvers_until={"alice": NOW + timedelta(days=1)}))
    roll.demand_vote("bob", NOW)
    roll.demand_vote("alice", NOW)
    roll.demand_member("carol")
    for name, now, why in (
        ("mallory", NOW, "is no approver of this home"),
        ("carol", NOW, "does not let carol vote"),
        ("alice", NOW + timedelta(days=1), "the vote of alice expired"),
    ):
        with pytest.raises(Fault, match=why):
            roll.demand_vote(name, now)
    with pytest.raises(Fault, match="is no approver of this home"):
        roll.demand_member("mallory")


def test_a_change_is_demanded_by_somebody_known_with_its_quorum() -> None:
    home = Hustings().founded()
    home.roll().demand(home.enrolment(approver("carol"), "alice", "bob"))
    with pytest.raises(Fault, match="neither an approver nor a caller"):
        home.roll().demand(home.enrolment(approver("carol"), "alice", "bob", requester="mallory"))
    with pytest.raises(Fault):
        home.roll().demand(home.enrolment(approver("carol"), "alice"))
