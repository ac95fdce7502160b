"""Only what the gate approved is sealed, with exactly the signatures it counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from policies.seal import seal
from signing.eip712 import typed_digest
from tests.policies.sealing import ALICE, GATE, HERE, LARGE, LARGEST, approved, sealed, sign, verify
from tests.strategies.situations import DECISION, NOW, D, Situation, other_decision
from when_to_invest.domains import SigningDomain
from when_to_invest.envelopes import Envelope
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.verdicts import Held, Refused


def seal_with(verdict: Any, *, approvals: Any = (), ttl_s: int = 900) -> Envelope:
    return seal(
        verdict,
        decision_id=DECISION,
        approvals=approvals,
        signer=GATE,
        typed_digest=typed_digest,
        ttl_s=ttl_s,
        domain=HERE,
    )


def code_of(verdict: Any, **given: Any) -> ErrorCode:
    with pytest.raises(Fault) as caught:
        seal_with(verdict, **given)
    return caught.value.code


def test_an_envelope_carries_what_was_judged_and_lives_from_the_judgement() -> None:
    verdict = approved(Situation())
    content = sealed().content
    assert content.intent == verdict.intent
    assert content.intent_hash == verdict.intent.digest()
    assert (content.facts_hash, content.limits_hash) == (verdict.facts_hash, verdict.limits_hash)
    assert (content.sealed_at, content.expires_at) == (NOW, NOW + timedelta(seconds=900))


def test_it_survives_the_queue() -> None:
    envelope = sealed(LARGE, sign(LARGE.intent))
    assert verify(Envelope.model_validate_json(envelope.canonical())) == envelope.content


@pytest.mark.parametrize("verdict", [Refused(()), Held((), 1), Situation().intent, None, True])
def test_nothing_but_an_approved_is_sealed(verdict: Any) -> None:
    assert code_of(verdict) is ErrorCode.BAD_ARGUMENT


@pytest.mark.parametrize("ttl_s", [0, -1])
def test_an_envelope_without_a_life_is_not_sealed(ttl_s: int) -> None:
    assert code_of(approved(Situation()), ttl_s=ttl_s) is ErrorCode.BAD_ARGUMENT


def test_a_life_of_one_second_is_one() -> None:
    content = seal_with(approved(Situation()), ttl_s=1).content
    assert content.expires_at - content.sealed_at == timedelta(seconds=1)


def test_exactly_the_counted_signatures_travel() -> None:
    both = (sign(LARGEST.intent, "bob"), sign(LARGEST.intent, "alice"))
    stray = sign(LARGEST.intent, "alice", decision_id=other_decision(1))
    envelope = seal_with(approved(LARGEST, *both), approvals=[stray, *both, stray])
    assert [item.approver for item in envelope.content.approvals] == ["alice", "bob"]
    assert {item.decision_id for item in envelope.content.approvals} == {DECISION}


@pytest.mark.parametrize(
    "approvals",
    [
        [],
        [sign(LARGE.intent, "bob")],
        [sign(LARGE.intent, decision_id=other_decision(1))],
        [sign(LARGE.asking(quantity=D(151)).intent)],
        [sign(LARGE.intent, life_s=0)],
        [sign(LARGE.intent, domain=SigningDomain(home_id="cd" * 32, chain_id=31_337))],
    ],
)
def test_a_counted_signature_that_is_not_at_hand_stops_the_seal(approvals: Any) -> None:
    assert code_of(approved(LARGE, sign(LARGE.intent)), approvals=approvals) is ErrorCode.BAD_APPROVAL


def test_an_envelope_never_outlives_its_approvals() -> None:
    envelope = sealed(LARGE, sign(LARGE.intent, life_s=60))
    assert envelope.content.expires_at == NOW + timedelta(seconds=60)


def test_the_seal_names_its_key() -> None:
    assert sealed().seal_address == GATE.address != ALICE.address
