"""Sealing an `Approved` intent into the only thing the queue carries.

Stage: gate, imported by the proposing servers alone. It takes an `Approved`, which only
`policies.gate` makes, and must never seal anything else, or approvals of anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol

from when_to_invest.approvals import Approval
from when_to_invest.domains import SigningDomain
from when_to_invest.envelopes import Envelope, EnvelopeContent, envelope_typed_data
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.verdicts import Approved

TypedDigest = Callable[[dict[str, Any]], bytes]
"""Computes the 32 bytes of an EIP-712 document that are signed."""


class DigestSigner(Protocol):
    """The sealing key, wherever it lives."""

    @property
    def address(self) -> str:
        """Return the checksummed address that signatures recover to."""
        ...

    def sign_digest(self, digest: bytes) -> str:
        """Return the signature of a 32-byte digest: `0x` and 130 lower-case hex digits."""
        ...


def seal(
    approved: Approved,
    *,
    decision_id: str,
    approvals: Sequence[Approval],
    signer: DigestSigner,
    typed_digest: TypedDigest,
    ttl_s: int,
    domain: SigningDomain,
) -> Envelope:
    """Return the sealed envelope, valid from the judgement for `ttl_s` seconds, in one home.

    It never outlives an approval it rests on. `approvals` must hold one of each name in
    `approved.approvers`; others are left out.

    Raises:
        Fault: `bad_approval` when one is missing, has expired, or belongs to another intent
            or decision;
            `bad_argument` when `approved` is none, or `ttl_s` is not positive.
    """
    if type(approved) is not Approved or ttl_s <= 0:
        raise Fault(
            ErrorCode.BAD_ARGUMENT, "only an approved intent is sealed, for some time", fix="judge it first"
        )
    signed = _signed_by(approved, decision_id, [item for item in approvals if item.domain == domain])
    content = _content(approved, decision_id, signed, lifetime=timedelta(seconds=ttl_s), domain=domain)
    return Envelope(
        content=content,
        seal_address=signer.address,
        seal=signer.sign_digest(typed_digest(envelope_typed_data(content))),
    )


def _content(
    approved: Approved,
    decision_id: str,
    signed: tuple[Approval, ...],
    *,
    lifetime: timedelta,
    domain: SigningDomain,
) -> EnvelopeContent:
    intent = approved.intent
    return EnvelopeContent(
        version=2,
        domain=domain,
        decision_id=decision_id,
        mode=intent.mode,
        intent=intent,
        intent_hash=intent.digest(),
        facts_hash=approved.facts_hash,
        limits_hash=approved.limits_hash,
        approvals=signed,
        sealed_at=approved.judged_at,
        expires_at=min([approved.judged_at + lifetime, *(item.expires_at for item in signed)]),
    )


def _signed_by(approved: Approved, decision_id: str, approvals: Sequence[Approval]) -> tuple[Approval, ...]:
    """Return one fitting approval for each name the gate counted, in the gate's order."""
    if not approved.approvers:
        return ()
    intent_hash = approved.intent.digest()
    fitting = {
        item.approver: item
        for item in approvals
        if (item.decision_id, item.intent_hash, item.mode) == (decision_id, intent_hash, approved.intent.mode)
        and item.expires_at > approved.judged_at
    }
    absent = [name for name in approved.approvers if name not in fitting]
    if absent:
        raise Fault(
            ErrorCode.BAD_APPROVAL,
            f"no live approval of this intent by {', '.join(absent)} was given",
            fix="ask them to sign exactly this intent",
        )
    return tuple(fitting[name] for name in approved.approvers)
