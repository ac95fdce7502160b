"""Nothing that travels with an envelope or an approval is believed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from policies.limits import HARD_LIMITS
from policies.verify import verify_approval
from signing.eip712 import CURVE_ORDER, recover_address, typed_digest
from tests.policies.sealing import (
    ALICE,
    BOB,
    GATE,
    HERE,
    LARGE,
    LARGEST,
    PEOPLE,
    STRANGER,
    approved,
    counted,
    sealed,
    sign,
    verify,
)
from tests.strategies.situations import DECISION, NOW, D, Situation, other_decision
from when_to_invest.approvals import Approval
from when_to_invest.domains import SigningDomain
from when_to_invest.envelopes import Envelope, envelope_typed_data
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.values import Mode
from when_to_invest.verdicts import Held

TRAVELLED = sealed(LARGEST, sign(LARGEST.intent, "alice"), sign(LARGEST.intent, "bob"))


def code_of(envelope: Envelope, **changes: Any) -> ErrorCode:
    with pytest.raises(Fault) as caught:
        verify(envelope, **changes)
    return caught.value.code


def resealed(envelope: Envelope, **changes: Any) -> Envelope:
    """Return other content under a fresh seal by the trusted key."""
    content = envelope.content.model_copy(update=changes)
    seal = GATE.sign_digest(typed_digest(envelope_typed_data(content)))
    return Envelope(content=content, seal_address=GATE.address, seal=seal)


def test_a_sealed_envelope_verifies_until_it_expires() -> None:
    assert verify(TRAVELLED) == TRAVELLED.content
    assert verify(TRAVELLED, now=NOW + timedelta(seconds=899)) == TRAVELLED.content
    assert code_of(TRAVELLED, now=NOW + timedelta(seconds=900)) is ErrorCode.STALE_DATA


def test_small_clock_skew_is_borne_and_more_is_not() -> None:
    skew = timedelta(seconds=HARD_LIMITS.max_clock_skew_s)
    assert verify(TRAVELLED, now=NOW - skew) == TRAVELLED.content
    assert code_of(TRAVELLED, now=NOW - skew - timedelta(seconds=1)) is ErrorCode.STALE_DATA


def test_only_trusted_keys_seal() -> None:
    assert code_of(sealed(signer=STRANGER)) is ErrorCode.BAD_SIGNATURE
    assert code_of(TRAVELLED, seal_addresses=frozenset()) is ErrorCode.BAD_SIGNATURE
    trusted = frozenset({GATE.address.lower(), STRANGER.address})
    assert verify(TRAVELLED, seal_addresses=trusted) == TRAVELLED.content


def test_claiming_the_trusted_address_does_not_help() -> None:
    forged = sealed(signer=STRANGER).model_copy(update={"seal_address": GATE.address})
    assert code_of(forged) is ErrorCode.BAD_SIGNATURE


def test_the_same_seal_spelled_otherwise_is_another_envelope() -> None:
    raw = bytes.fromhex(TRAVELLED.seal[2:])
    flipped = (CURVE_ORDER - int.from_bytes(raw[32:64])).to_bytes(32)
    twin = "0x" + (raw[:32] + flipped + bytes([55 - raw[64]])).hex()
    assert code_of(TRAVELLED.model_copy(update={"seal": twin})) is ErrorCode.BAD_SIGNATURE
    lower = TRAVELLED.model_copy(update={"seal_address": GATE.address.lower()})
    assert code_of(lower) is ErrorCode.BAD_SIGNATURE


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.LIVE])
def test_another_modes_process_refuses_it(mode: Mode) -> None:
    assert code_of(TRAVELLED, mode=mode) is ErrorCode.MODE_MISMATCH


def test_a_seal_over_content_that_contradicts_itself_is_refused() -> None:
    assert code_of(resealed(TRAVELLED, mode=Mode.PAPER), mode=Mode.PAPER) is ErrorCode.MODE_MISMATCH
    assert code_of(resealed(TRAVELLED, intent=Situation().intent)) is ErrorCode.BAD_SIGNATURE
    assert code_of(resealed(TRAVELLED, intent_hash="00" * 32)) is ErrorCode.BAD_SIGNATURE
    forever = resealed(TRAVELLED, expires_at=NOW + timedelta(days=365))
    assert code_of(forever) is ErrorCode.BAD_SIGNATURE
    assert code_of(resealed(TRAVELLED, expires_at=NOW)) is ErrorCode.BAD_SIGNATURE


def test_other_limits_are_refused_and_none_accepts_any() -> None:
    assert code_of(TRAVELLED, limits_hash="00" * 32) is ErrorCode.BAD_CONFIG
    assert verify(TRAVELLED, limits_hash=None) == TRAVELLED.content


def test_an_approval_of_another_decision_does_not_travel_along() -> None:
    other = sign(LARGEST.intent, "bob", decision_id=other_decision(1))
    moved = resealed(TRAVELLED, approvals=(TRAVELLED.content.approvals[0], other))
    assert code_of(moved) is ErrorCode.BAD_APPROVAL


def test_one_signature_never_counts_twice() -> None:
    first = TRAVELLED.content.approvals[0]
    assert code_of(resealed(TRAVELLED, approvals=(first, first))) is ErrorCode.BAD_APPROVAL
    again = sign(LARGEST.intent, "bob", signer=ALICE)
    shared = {"alice": ALICE.address, "bob": ALICE.address}
    twins = resealed(TRAVELLED, approvals=(first, again))
    assert code_of(twins, approvers=shared) is ErrorCode.BAD_APPROVAL
    assert counted(first, again, intent=LARGEST.intent, approvers=shared) == {"alice"}


def test_an_approver_struck_off_the_list_no_longer_counts() -> None:
    assert code_of(TRAVELLED, approvers={"alice": ALICE.address}) is ErrorCode.BAD_APPROVAL


def test_an_approval_that_expired_on_the_way_is_refused() -> None:
    stale = sign(LARGEST.intent, "bob", life_s=30)
    envelope = resealed(TRAVELLED, approvals=(TRAVELLED.content.approvals[0], stale))
    assert code_of(envelope, now=NOW + timedelta(seconds=30)) is ErrorCode.BAD_APPROVAL


def refusals() -> Iterator[tuple[str, Approval, dict[str, Any]]]:
    ask, good = LARGE.intent, sign(LARGE.intent)
    yield "a stranger's key", sign(ask, signer=STRANGER), {}
    yield "a stranger's name", sign(ask, "mallory", signer=STRANGER), {}
    yield "another approver's key", sign(ask, "alice", signer=BOB), {}
    yield "the claimed address", sign(ask, signer=STRANGER).model_copy(update={"address": ALICE.address}), {}
    yield "another intent", sign(LARGE.asking(quantity=D(151)).intent), {}
    relabelled = sign(LARGE.asking(quantity=D(151)).intent)
    yield "another intent's signature", relabelled.model_copy(update={"intent_hash": ask.digest()}), {}
    yield "an intent that changed since", good, {"intent": LARGE.asking(limit_price_usd=D(101)).intent}
    yield "an intent that only gained words", good, {"intent": LARGE.asking(why="trust me").intent}
    yield "the other mode", good, {"intent": LARGE.asking(mode=Mode.PAPER).intent}
    yield "another mode's label", good.model_copy(update={"mode": Mode.PAPER}), {}
    yield "a later expiry", good.model_copy(update={"expires_at": NOW + timedelta(hours=2)}), {}
    yield "its expiry", good, {"now": good.expires_at}
    yield "a life beyond the longest hold", sign(ask, life_s=HARD_LIMITS.hold_expiry_s + 1), {}
    yield (
        "the proposer",
        sign(LARGE.asking(proposer="alice").intent),
        {"intent": LARGE.asking(proposer="alice").intent},
    )
    for name in ("a-lice", "a_lice", "alice-"):
        asked = LARGE.asking(proposer=name).intent
        yield f"the proposer, spelled {name}", sign(asked), {"intent": asked}
    yield "an unlisted approver", good, {"approvers": {}}
    yield (
        "another decision",
        sign(ask, decision_id=other_decision(1)).model_copy(update={"decision_id": DECISION}),
        {},
    )
    yield "a signature of zeros", good.model_copy(update={"signature": "0x" + "00" * 65}), {}


@pytest.mark.parametrize(
    ("why", "approval", "changes"), list(refusals()), ids=lambda v: v if isinstance(v, str) else ""
)
def test_an_approval_that_is_not_exactly_right_is_refused(
    why: str, approval: Approval, changes: dict[str, Any]
) -> None:
    given: dict[str, Any] = {"intent": LARGE.intent, "approvers": PEOPLE, "now": NOW, "domain": HERE}
    with pytest.raises(Fault) as caught:
        verify_approval(approval, typed_digest=typed_digest, recover=recover_address, **given | changes)
    assert caught.value.code in {ErrorCode.BAD_APPROVAL, ErrorCode.BAD_SIGNATURE}
    assert counted(approval, **given | changes) == frozenset()


ELSEWHERE = [
    ("another home", SigningDomain(home_id="cd" * 32, chain_id=HERE.chain_id)),
    ("chain id 1", SigningDomain(home_id=HERE.home_id, chain_id=1)),
]


@pytest.mark.parametrize(("why", "domain"), ELSEWHERE)
def test_an_envelope_sealed_for_another_home_or_chain_is_refused(why: str, domain: SigningDomain) -> None:
    with pytest.raises(Fault, match=why) as caught:
        verify(resealed(sealed(), domain=domain))
    assert caught.value.code is ErrorCode.BAD_APPROVAL


@pytest.mark.parametrize(("why", "domain"), ELSEWHERE)
def test_an_approval_signed_for_another_home_or_chain_is_told_so(why: str, domain: SigningDomain) -> None:
    approval = sign(LARGE.intent, domain=domain)
    with pytest.raises(Fault, match=why):
        verify_approval(
            approval,
            intent=LARGE.intent,
            approvers=PEOPLE,
            now=NOW,
            domain=HERE,
            typed_digest=typed_digest,
            recover=recover_address,
        )


def test_an_approval_may_last_as_long_as_the_longest_hold() -> None:
    longest = sign(LARGE.intent, life_s=HARD_LIMITS.hold_expiry_s)
    assert counted(longest, intent=LARGE.intent) == {"alice"}


def test_only_verified_people_are_counted() -> None:
    good = sign(LARGEST.intent, "alice")
    assert counted(good, sign(LARGEST.intent, "bob"), intent=LARGEST.intent) == {"alice", "bob"}
    assert counted(good, good, intent=LARGEST.intent) == {"alice"}
    assert counted(good, intent=LARGEST.intent, decision_id=other_decision(1)) == frozenset()


def test_approving_oneself_leaves_the_order_held() -> None:
    own = LARGE.asking(proposer="alice")
    names = counted(sign(own.intent, "alice"), intent=own.intent)
    assert isinstance(own.but(approvers=names).verdict(), Held)
    assert isinstance(own.but(approvers=frozenset({"alice"})).verdict(), Held)
    assert approved(own, sign(own.intent, "bob")).approvers == ("bob",)


def leaves(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every scalar in a JSON tree."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path


def put(tree: Any, path: tuple[Any, ...], value: object) -> None:
    for step in path[:-1]:
        tree = tree[step]
    tree[path[-1]] = value


def get(tree: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def as_tree(model: BaseModel) -> Any:
    return model.model_dump(mode="json")


LEAVES = list(leaves(as_tree(TRAVELLED)))


@st.composite
def mutations(draw: st.DrawFn) -> tuple[tuple[Any, ...], object]:
    """Return a field and another value for it: a near miss, another field's, or anything."""
    path = draw(st.sampled_from(LEAVES))
    present = get(as_tree(TRAVELLED), path)
    near = st.nothing()
    if isinstance(present, str) and present:
        index = draw(st.integers(0, len(present) - 1))
        near = st.sampled_from("0123456789abcdefAZ.").map(
            lambda letter: present[:index] + letter + present[index + 1 :]
        )
    elsewhere = st.sampled_from(LEAVES).map(lambda other: get(as_tree(TRAVELLED), other))
    anything = st.text(max_size=8) | st.integers() | st.none() | st.booleans()
    return path, draw(near | elsewhere | anything)


def _verifies(tree: Any) -> bool:
    try:
        verify(Envelope.model_validate(tree, strict=False))
    except (Fault, ValidationError):
        return False
    return True


@pytest.mark.proof
@given(mutations())
def test_no_mutation_of_any_field_verifies(mutation: tuple[tuple[Any, ...], object]) -> None:
    path, value = mutation
    tree = as_tree(TRAVELLED)
    put(tree, path, value)
    try:
        is_same = as_tree(Envelope.model_validate(tree, strict=False)) == as_tree(TRAVELLED)
    except ValidationError:
        is_same = False
    assert _verifies(tree) == is_same


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: ".".join(map(str, path)))
def test_each_field_is_covered_by_the_seal(path: tuple[Any, ...]) -> None:
    cited = LARGE.asking(why="x", recommendation_id="r-9").but(
        recommendation_expires_at=NOW + timedelta(days=1)
    )
    donor = as_tree(sealed(cited, sign(cited.intent)))
    tree = as_tree(TRAVELLED)
    try:
        value = get(donor, path)
    except (IndexError, KeyError):
        value = None
    if value == get(tree, path):
        value = "0"
    put(tree, path, value)
    assert not _verifies(tree)


@given(st.sampled_from(["content", "intent", "approval"]), st.text(min_size=1, max_size=12))
def test_an_extra_field_is_refused(where: str, name: str) -> None:
    tree = as_tree(TRAVELLED)
    target = {
        "content": tree["content"],
        "intent": tree["content"]["intent"],
        "approval": tree["content"]["approvals"][0],
    }[where]
    is_new = name not in target
    target[name] = target.get(name, "1")
    assert _verifies(tree) is not is_new
