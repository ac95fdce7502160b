"""A motion takes effect when enough other people signed exactly it, for this home, in time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from policies.quorum import Assembly, demand_quorum
from signing.eip712 import recover_address, typed_digest
from signing.keystore import KeystoreSigner
from tests.policies.sealing import ALICE, BOB, PEOPLE, STRANGER, key
from tests.strategies.situations import NOW
from when_to_invest.domains import SigningDomain
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.motions import Endorsement, Motion, motion_typed_data
from when_to_invest.values import Mode

HERE = SigningDomain(home_id="ab" * 32, chain_id=31_337)
CAROL = key(15)


def motion(**changes: Any) -> Motion:
    given: dict[str, Any] = {
        "purpose": "Resume",
        "summary": "resume trading everywhere",
        "details": (("scope", "system"), ("state", "active")),
        "mode": Mode.REPLAY,
        "requester": "operator",
        "known_by": "local root",
        "serial": 3,
        "expires_at": NOW + timedelta(hours=1),
        "domain": HERE,
    }
    return Motion(**given | changes)


def endorsed(asked: Motion, name: str = "alice", *, by: KeystoreSigner | None = None) -> Endorsement:
    signer = by or {"alice": ALICE, "bob": BOB, "carol": CAROL}[name]
    signature = signer.sign_digest(typed_digest(motion_typed_data(asked)))
    return Endorsement(approver=name, address=signer.address, signature=signature)


def demand(asked: Motion, *given: Endorsement, needed: int = 2, **changes: Any) -> tuple[str, ...]:
    terms: dict[str, Any] = {"approvers": PEOPLE, "domain": HERE, "now": NOW}
    assembly = Assembly(**terms | changes, typed_digest=typed_digest, recover=recover_address)
    return demand_quorum(asked, given, needed=needed, serial=3, assembly=assembly)


def refusal(asked: Motion, *given: Endorsement, **changes: Any) -> Fault:
    with pytest.raises(Fault) as caught:
        demand(asked, *given, **changes)
    return caught.value


def test_two_of_two_people_make_a_quorum() -> None:
    asked = motion()
    assert demand(asked, endorsed(asked), endorsed(asked, "bob")) == ("alice", "bob")


def test_one_of_two_is_told_how_many_are_missing() -> None:
    asked = motion()
    fault = refusal(asked, endorsed(asked))
    assert fault.code is ErrorCode.BAD_APPROVAL
    assert "1 of the 2" in fault.message
    assert "1 more" in fault.fix


def test_nobody_is_never_a_quorum() -> None:
    assert refusal(motion(), needed=0).code is ErrorCode.BAD_APPROVAL


def test_one_person_counts_once_whatever_they_call_themselves() -> None:
    asked = motion()
    both = {"alice": ALICE.address, "alias": ALICE.address}
    assert "twice" in refusal(asked, endorsed(asked), endorsed(asked)).message
    again = endorsed(asked, "alias", by=ALICE)
    assert "twice" in refusal(asked, endorsed(asked), again, approvers=both).message


def test_whoever_asks_cannot_sign() -> None:
    asked = motion(requester="alice")
    assert "cannot sign" in refusal(asked, endorsed(asked), endorsed(asked, "bob")).message


@pytest.mark.parametrize(
    "asked", [motion(requester="al-ice"), motion(requester="a_lice"), motion(known_by="local alice")]
)
def test_whoever_asks_cannot_sign_under_a_name_spelled_alike(asked: Motion) -> None:
    assert "alice asked" in refusal(asked, endorsed(asked), endorsed(asked, "bob")).message


def test_whoever_asks_cannot_sign_with_a_key_they_had_under_another_name() -> None:
    asked = motion(requester="ally")
    keys_of = {"ally": frozenset({ALICE.address.lower()})}
    fault = refusal(asked, endorsed(asked), endorsed(asked, "bob"), keys_of=keys_of)
    assert "alice asked" in fault.message


def test_signers_see_how_it_was_known_who_asks() -> None:
    assert motion_typed_data(motion())["message"]["knownBy"] == "local root"
    assert "knownBy" not in motion_typed_data(motion(known_by=None))["message"]


def test_the_wrong_chain_id_is_named() -> None:
    asked = motion(domain=SigningDomain(home_id="ab" * 32, chain_id=1))
    fault = refusal(asked, endorsed(asked), endorsed(asked, "bob"))
    assert (fault.code, "chain id 1," in fault.message) == (ErrorCode.BAD_APPROVAL, True)


def test_a_signature_for_another_home_proves_nothing_here() -> None:
    asked = motion(domain=SigningDomain(home_id="cd" * 32, chain_id=31_337))
    assert "another home" in refusal(asked, endorsed(asked), endorsed(asked, "bob")).message


def test_a_home_without_an_id_takes_no_motion() -> None:
    asked = motion()
    assert "no id" in refusal(asked, endorsed(asked), endorsed(asked, "bob"), domain=None).message


def test_a_motion_is_void_once_another_change_came_first() -> None:
    asked = motion(serial=2)
    assert "change 3" in refusal(asked, endorsed(asked), endorsed(asked, "bob")).message


def test_a_motion_expires_and_may_not_live_long() -> None:
    late = motion(expires_at=NOW)
    assert "expired" in refusal(late, endorsed(late), endorsed(late, "bob")).message
    long = motion(expires_at=NOW + timedelta(days=2))
    assert "outlives" in refusal(long, endorsed(long), endorsed(long, "bob")).message


def test_a_stranger_or_a_borrowed_name_signs_nothing() -> None:
    asked = motion()
    stranger = endorsed(asked, "carol")
    assert "no approver" in refusal(asked, endorsed(asked), stranger).message
    borrowed = endorsed(asked, "bob", by=STRANGER)
    assert refusal(asked, endorsed(asked), borrowed).code is ErrorCode.BAD_SIGNATURE


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": "Halt"},
        {"summary": "resume trading somewhere"},
        {"details": (("scope", "venue:paper"), ("state", "active"))},
        {"mode": Mode.PAPER},
        {"requester": "somebody"},
        {"expires_at": NOW + timedelta(hours=2)},
    ],
)
def test_any_change_to_what_was_signed_voids_the_signatures(changes: dict[str, Any]) -> None:
    asked = motion()
    signatures = endorsed(asked), endorsed(asked, "bob")
    assert refusal(motion(**changes), *signatures).code is ErrorCode.BAD_SIGNATURE


@pytest.mark.parametrize(
    "details", [(("mode", "live"),), (("a", "x"), ("a", "y")), (("Bad name", "x"),), (("scope", "a\nb"),)]
)
def test_details_cannot_hide_or_disguise_a_field(details: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ValueError, match="detail"):
        motion(details=details)
