"""People, keys and envelopes for the tests of seal and verification."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from policies.limits import HARD_LIMITS
from policies.seal import seal
from policies.verify import verified_approvers, verify_envelope
from signing.eip712 import recover_address, typed_digest
from signing.keystore import KeystoreSigner
from tests.strategies.situations import DECISION, NOW, D, Situation
from when_to_invest.approvals import Approval, approval_typed_data
from when_to_invest.domains import SigningDomain
from when_to_invest.envelopes import Envelope, EnvelopeContent
from when_to_invest.intents import OrderIntent
from when_to_invest.values import Mode
from when_to_invest.verdicts import Approved


def key(n: int) -> KeystoreSigner:
    return KeystoreSigner(n.to_bytes(32))


GATE, ALICE, BOB, STRANGER = key(11), key(12), key(13), key(14)
PEOPLE = {"alice": ALICE.address, "bob": BOB.address}
HERE = SigningDomain(home_id="ab" * 32, chain_id=31_337)
LARGE = Situation().asking(quantity=D(150))
"""15,000 USD: one signature."""
LARGEST = Situation().asking(quantity=D(220))
"""22,000 USD: two signatures."""


def sign(
    intent: OrderIntent,
    name: str = "alice",
    *,
    signer: KeystoreSigner | None = None,
    decision_id: str = DECISION,
    life_s: int = 3600,
    domain: SigningDomain | None = HERE,
) -> Approval:
    signer = signer or (ALICE if name == "alice" else BOB)
    expires_at = NOW + timedelta(seconds=life_s)
    typed = approval_typed_data(decision_id=decision_id, intent=intent, expires_at=expires_at, domain=domain)
    return Approval(
        decision_id=decision_id,
        intent_hash=intent.digest(),
        mode=intent.mode,
        approver=name,
        address=signer.address,
        expires_at=expires_at,
        signature=signer.sign_digest(typed_digest(typed)),
        domain=domain,
    )


def counted(*approvals: Approval, intent: OrderIntent, **changes: Any) -> frozenset[str]:
    given: dict[str, Any] = {"decision_id": DECISION, "approvers": PEOPLE, "now": NOW, "domain": HERE}
    return verified_approvers(
        approvals, intent=intent, typed_digest=typed_digest, recover=recover_address, **given | changes
    )


def approved(situation: Situation, *approvals: Approval) -> Approved:
    names = counted(*approvals, intent=situation.intent)
    verdict = situation.but(approvers=names).verdict()
    if not isinstance(verdict, Approved):
        raise TypeError(f"the example should pass, but was {verdict}")
    return verdict


def sealed(
    situation: Situation | None = None, *approvals: Approval, signer: KeystoreSigner = GATE, ttl_s: int = 900
) -> Envelope:
    return seal(
        approved(situation or Situation(), *approvals),
        decision_id=DECISION,
        approvals=approvals,
        signer=signer,
        typed_digest=typed_digest,
        ttl_s=ttl_s,
        domain=HERE,
    )


def verify(envelope: Envelope, *, now: datetime = NOW, **changes: Any) -> EnvelopeContent:
    given: dict[str, Any] = {
        "seal_addresses": frozenset({GATE.address}),
        "approvers": PEOPLE,
        "limits_hash": HARD_LIMITS.digest(),
        "mode": Mode.REPLAY,
        "domain": HERE,
    }
    return verify_envelope(
        envelope, now=now, typed_digest=typed_digest, recover=recover_address, **given | changes
    )
