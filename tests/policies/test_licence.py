"""Live trading needs a quorum's leave for exactly what is about to be traded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from policies.licence import LIVE_TRADING, Grounds, Licence, demand_licence, licence_details
from policies.quorum import Assembly
from signing.eip712 import recover_address, typed_digest
from tests.policies.electing import HOME_ID, KEYS
from tests.strategies.situations import NOW
from when_to_invest.domains import TEST_CHAIN_ID, SigningDomain
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.motions import Endorsement, Motion, motion_typed_data
from when_to_invest.values import Mode

DOMAIN = SigningDomain(home_id=HOME_ID, chain_id=TEST_CHAIN_ID)
GROUNDS = Grounds("kraken", "kraken", "main", "ab" * 32)
UNTIL = NOW + timedelta(days=7)


def motion(**changes: Any) -> Motion:
    given: dict[str, Any] = {
        "purpose": LIVE_TRADING,
        "summary": "trade live at kraken",
        "details": licence_details(GROUNDS, until=UNTIL),
        "mode": Mode.LIVE,
        "requester": "operator",
        "serial": 3,
        "expires_at": NOW + timedelta(hours=12),
        "domain": DOMAIN,
    }
    return Motion(**given | changes)


def licence(signers: Sequence[str] = ("alice", "bob"), **changes: Any) -> Licence:
    asked = motion(**changes)
    digest = typed_digest(motion_typed_data(asked))
    given = [
        Endorsement(approver=name, address=KEYS[name].address, signature=KEYS[name].sign_digest(digest))
        for name in signers
    ]
    return Licence(motion=asked, until=UNTIL, endorsements=tuple(given))


def demand(given: Licence, *, grounds: Grounds = GROUNDS, serial: int = 3, **changes: Any) -> tuple[str, ...]:
    approvers = {name: KEYS[name].address for name in ("alice", "bob", "carol")}
    assembly = replace(Assembly(approvers, DOMAIN, NOW, typed_digest, recover_address), **changes)
    return demand_licence(given, grounds, needed=2, serial=serial, assembly=assembly)


def refused(code: ErrorCode = ErrorCode.BAD_APPROVAL) -> Any:
    return pytest.raises(Fault, check=lambda fault: fault.code is code)


def test_a_quorums_leave_for_these_very_grounds_holds_until_its_end() -> None:
    assert demand(licence()) == ("alice", "bob")
    assert demand(licence(), now=UNTIL - timedelta(seconds=1)) == ("alice", "bob")


@pytest.mark.parametrize("part", ["venue", "exchange", "account", "limits_hash"])
def test_leave_for_anything_else_is_none(part: str) -> None:
    with refused():
        demand(licence(), grounds=replace(GROUNDS, **{part: "another"}))


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": "ResumeTrading"},
        {"mode": Mode.PAPER},
        {"requester": "alice"},
        {"domain": SigningDomain(home_id="ef" * 32, chain_id=TEST_CHAIN_ID)},
        {"domain": SigningDomain(home_id=HOME_ID, chain_id=TEST_CHAIN_ID + 1)},
        {"details": ()},
    ],
    ids=str,
)
def test_a_document_for_another_purpose_home_or_by_who_asked_is_none(changes: dict[str, Any]) -> None:
    with refused():
        demand(licence(**changes))


def test_one_signature_or_one_person_twice_or_a_stranger_is_no_quorum() -> None:
    for signers in ((), ("alice",), ("alice", "alice"), ("alice", "dave")):
        with refused():
            demand(licence(signers))


def test_a_changed_end_is_not_what_was_signed() -> None:
    with refused():
        demand(licence().model_copy(update={"until": UNTIL + timedelta(days=1)}))


def test_a_signature_over_something_else_refuses_the_whole() -> None:
    given, other = licence(), licence(summary="trade live at a friend's")
    mixed = (given.endorsements[0], other.endorsements[1])
    with refused(ErrorCode.BAD_SIGNATURE):
        demand(given.model_copy(update={"endorsements": mixed}))


def test_leave_ends_by_time_and_by_a_change_to_the_roll_and_is_never_long() -> None:
    for changes in ({"now": UNTIL}, {"serial": 4}, {"now": UNTIL - timedelta(days=32)}):
        with refused():
            demand(licence(), **changes)


def test_nobody_signs_for_a_home_without_an_id() -> None:
    with refused():
        demand(licence(), domain=None)
