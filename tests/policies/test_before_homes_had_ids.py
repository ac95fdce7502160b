"""What was signed before documents named their home still checks offline, and nothing acts on it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from policies.verify import verify_envelope
from signing.eip712 import recover_address, typed_digest
from tests.policies.sealing import ALICE, GATE, HERE
from tests.strategies.situations import D
from when_to_invest.domains import SigningDomain
from when_to_invest.envelopes import Envelope, EnvelopeContent
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.values import Mode

RECORDED = (
    '{"content":{"approvals":[{"address":"0xDbc23AE43a150ff8884B02Cea117b22D1c3b9796","approver":"ali'
    'ce","decision_id":"d-572ec3f7783a3afa55c1184f","expires_at":"2018-06-01T22:00:00Z","intent_hash"'
    ':"0beef57e7253214b17e5e3535367923af24b8cb42ff2ecf1867a3622ced66bdf","mode":"replay","signature":'
    '"0x27f043aaea5388fbb1091db5789aa8680a334923aece08345c466272cf968f631c1e2ea4320d2e81d07fb61aa118a'
    '91a913e89237b79bb176ad10ac340f7e9901b"}],"decision_id":"d-572ec3f7783a3afa55c1184f","expires_at"'
    ':"2018-06-01T21:15:00Z","facts_hash":"ababababababababababababababababababababababababababababab'
    'ababab","intent":{"account":"main","instrument":"SPX","kind":"order","limit_price_usd":"2750.25"'
    ',"mode":"replay","proposed_at":"2018-06-01T21:00:00Z","proposer":"agent","quantity":"3.5","recom'
    'mendation_id":null,"request_id":"r-1","side":"buy","time_in_force":"day","venue":"paper","why":"'
    '"},"intent_hash":"0beef57e7253214b17e5e3535367923af24b8cb42ff2ecf1867a3622ced66bdf","limits_hash'
    '":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd","mode":"replay","sealed_at"'
    ':"2018-06-01T21:00:00Z","version":1},"seal":"0x844309064edbe31cc863c397ca0f8808704dc5be3628ac8b6'
    '9c3c71cd2d3ef84351cc61a9a6927f54a5c64b7c6b138c170d2dd0503a6ffa6805a0b68b0fefa211b","seal_address'
    '":"0x3DA8D322CB2435dA26E9C9fEE670f9fB7Fe74E49"}'
)
"""An envelope with an approval, as the release before wrote it, byte for byte."""
RECORDED_HASH = "4dd750ff0e1d599815aa5d7d6a22341a3092723487ae5478b34b4e4c90b82f18"


def checked(envelope: Envelope, domain: SigningDomain | None) -> EnvelopeContent:
    return verify_envelope(
        envelope,
        seal_addresses=frozenset({GATE.address}),
        approvers={"alice": ALICE.address},
        limits_hash=None,
        now=envelope.content.sealed_at,
        mode=Mode.REPLAY,
        domain=domain,
        typed_digest=typed_digest,
        recover=recover_address,
    )


def test_it_reads_as_it_was_written() -> None:
    old = Envelope.model_validate_json(RECORDED)
    assert old.canonical().decode() == RECORDED
    assert old.digest() == RECORDED_HASH


def test_its_seal_and_approval_check_offline() -> None:
    content = checked(Envelope.model_validate_json(RECORDED), None)
    assert (content.version, content.intent.quantity) == (1, D("3.5"))  # type: ignore[union-attr]


def test_nothing_acts_on_it_any_more() -> None:
    with pytest.raises(Fault, match="names no home") as caught:
        checked(Envelope.model_validate_json(RECORDED), HERE)
    assert caught.value.code is ErrorCode.BAD_APPROVAL


@pytest.mark.parametrize("changes", [{"version": 2}, {"domain": HERE.model_dump()}, {"version": 3}])
def test_a_version_and_a_home_belong_together(changes: dict[str, Any]) -> None:
    told = json.loads(RECORDED)
    told["content"] |= changes
    with pytest.raises(ValidationError):
        Envelope.model_validate_json(json.dumps(told))
