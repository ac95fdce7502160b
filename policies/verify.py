"""Verification of seals and approvals, by whoever acts on them. Stage: executor and gate.

The address is recovered from the signature over the exact content; nothing that travels
with an envelope is believed. Any doubt is a `Fault`, and nothing here returns "maybe".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from policies.limits import HARD_LIMITS
from policies.quorum import check_domain
from policies.signers import is_one_of
from when_to_invest.approvals import Approval, approval_typed_data
from when_to_invest.canonical import utc_text
from when_to_invest.domains import SigningDomain
from when_to_invest.envelopes import Envelope, EnvelopeContent, envelope_typed_data
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.intents import ChainIntent, OrderIntent
from when_to_invest.values import Mode

TypedDigest = Callable[[dict[str, Any]], bytes]
Recover = Callable[[bytes, str], str]
"""Returns the checksummed address that signed a digest, or raises a Fault."""
_SKEW: Final = timedelta(seconds=HARD_LIMITS.max_clock_skew_s)
_LONGEST_LIFE: Final = timedelta(seconds=HARD_LIMITS.envelope_ttl_s)
_LONGEST_APPROVAL: Final = timedelta(seconds=HARD_LIMITS.hold_expiry_s)


def verify_envelope(
    envelope: Envelope,
    *,
    seal_addresses: frozenset[str],
    approvers: Mapping[str, str],
    limits_hash: str | None,
    now: datetime,
    mode: Mode,
    domain: SigningDomain | None,
    typed_digest: TypedDigest,
    recover: Recover,
) -> EnvelopeContent:
    """Return the content of an envelope that may be acted on now, in this mode and home.

    `approvers` maps names to addresses; `domain` is the verifier's own home and chain, None
    only for what was signed before homes had ids, which nothing acts on; `limits_hash` is
    the verifier's own, None to accept any limits (the verifier judges again under its own).

    Raises:
        Fault: `bad_signature`, `mode_mismatch`, `stale_data`, `bad_approval`, or
            `bad_config` when it was approved under other limits.
    """
    content = envelope.content
    check_domain(content.domain, domain)
    _check_seal(envelope, seal_addresses, recover(typed_digest(envelope_typed_data(content)), envelope.seal))
    _check_identity(content, mode=mode, limits_hash=limits_hash)
    _check_life(content, now)
    check = partial(
        verify_approval,
        intent=content.intent,
        approvers=approvers,
        now=now,
        domain=domain,
        typed_digest=typed_digest,
        recover=recover,
    )
    _check_approvals(content, check)
    return content


def verify_approval(
    approval: Approval,
    *,
    intent: OrderIntent | ChainIntent,
    approvers: Mapping[str, str],
    now: datetime,
    domain: SigningDomain | None,
    typed_digest: TypedDigest,
    recover: Recover,
) -> None:
    """Return when `approval` is a listed approver's live signature over exactly `intent`.

    Raises:
        Fault: `bad_approval`, or `bad_signature` when no key can have made it.
    """
    check_domain(approval.domain, domain)
    expected = approvers.get(approval.approver)
    if expected is None:
        raise _bad_approval(approval, "is not by a listed approver")
    if is_one_of(approval.approver, (intent.proposer,)):
        raise _bad_approval(approval, "is by whoever proposed the intent")
    if approval.intent_hash != intent.digest() or approval.mode is not intent.mode:
        raise _bad_approval(approval, "was given for another intent")
    if now >= approval.expires_at:
        raise _bad_approval(approval, f"expired at {utc_text(approval.expires_at)}")
    if approval.expires_at - now > _LONGEST_APPROVAL:
        raise _bad_approval(approval, f"outlives the {_LONGEST_APPROVAL} that an approval may last")
    typed = approval_typed_data(
        decision_id=approval.decision_id, intent=intent, expires_at=approval.expires_at, domain=domain
    )
    signer = recover(typed_digest(typed), approval.signature)
    if signer != approval.address or signer.lower() != expected.lower():
        raise _bad_approval(approval, "is not signed with the approver's key")


def verified_approvers(
    approvals: Collection[Approval],
    *,
    decision_id: str,
    intent: OrderIntent | ChainIntent,
    approvers: Mapping[str, str],
    now: datetime,
    domain: SigningDomain | None,
    typed_digest: TypedDigest,
    recover: Recover,
) -> frozenset[str]:
    """Return the distinct people whose approvals of this decision hold now, for `gather_facts`.

    Approvals that do not hold (any more) are left out; one key counts once, whatever it
    calls itself.
    """
    check = partial(
        verify_approval,
        intent=intent,
        approvers=approvers,
        now=now,
        domain=domain,
        typed_digest=typed_digest,
        recover=recover,
    )
    names: dict[str, str] = {}
    for approval in approvals:
        if approval.decision_id == decision_id:
            with suppress(Fault):
                check(approval)
                names.setdefault(approval.address, approval.approver)
    return frozenset(names.values())


def _check_seal(envelope: Envelope, seal_addresses: frozenset[str], signer: str) -> None:
    trusted = {address.lower() for address in seal_addresses}
    # The address as written must be the recovered one too: one envelope, one spelling.
    if signer != envelope.seal_address or signer.lower() not in trusted:
        raise Fault(
            ErrorCode.BAD_SIGNATURE,
            "the envelope is not sealed by a key this process trusts",
            fix="have the intent judged and sealed by the gate",
        )


def _check_identity(content: EnvelopeContent, *, mode: Mode, limits_hash: str | None) -> None:
    if content.intent_hash != content.intent.digest():
        raise Fault(
            ErrorCode.BAD_SIGNATURE, "the sealed hash is not the intent's", fix="have the intent judged again"
        )
    if not content.mode is content.intent.mode is mode:
        raise Fault(
            ErrorCode.MODE_MISMATCH,
            f"an envelope of mode {content.mode.value} reached a process in mode {mode.value}",
            fix="run one mode per home",
        )
    if limits_hash is not None and content.limits_hash != limits_hash:
        raise Fault(
            ErrorCode.BAD_CONFIG,
            "the envelope was approved under other limits than this process has",
            fix="give both processes the same release and [limits]",
        )


def _check_life(content: EnvelopeContent, now: datetime) -> None:
    if content.sealed_at - now > _SKEW:
        raise Fault(
            ErrorCode.STALE_DATA,
            f"the envelope was sealed in the future, at {utc_text(content.sealed_at)}",
            fix="set the clocks right",
        )
    if not timedelta(0) < content.expires_at - content.sealed_at <= _LONGEST_LIFE:
        raise Fault(
            ErrorCode.BAD_SIGNATURE,
            f"the envelope's life is not between 0 and {_LONGEST_LIFE}",
            fix="have the intent judged and sealed again",
        )
    if now >= content.expires_at:
        raise Fault(
            ErrorCode.STALE_DATA,
            f"the envelope expired at {utc_text(content.expires_at)}",
            fix="propose again",
        )


def _check_approvals(content: EnvelopeContent, check: Callable[[Approval], None]) -> None:
    addresses: set[str] = set()
    for approval in content.approvals:
        check(approval)
        if approval.decision_id != content.decision_id:
            raise _bad_approval(approval, "was given for another decision")
        # A listed approver has one address, so one address is one person, whatever the names.
        if approval.address in addresses:
            raise _bad_approval(approval, "counts a second time")
        addresses.add(approval.address)


def _bad_approval(approval: Approval, why: str) -> Fault:
    return Fault(
        ErrorCode.BAD_APPROVAL,
        f"the approval by {approval.approver} {why}",
        fix="ask a listed approver other than the proposer to sign exactly this intent",
    )
