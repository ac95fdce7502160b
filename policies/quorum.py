"""Whether enough people signed a motion. Stage: gate and executor, before any change it asks for.

Every signature that is handed in must hold: one bad signature refuses the whole, because
whoever sent it made a mistake or an attempt. Nothing here returns "maybe".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from policies.limits import HARD_LIMITS
from when_to_invest.canonical import utc_text
from when_to_invest.domains import SigningDomain
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.motions import Endorsement, Motion, is_same_name, motion_typed_data

LONGEST_MOTION: Final = timedelta(seconds=HARD_LIMITS.hold_expiry_s)
"""How far ahead a motion's signatures may be good: as long as those of an order."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """Who may sign here and now, and how signatures are traced back to them."""

    approvers: Mapping[str, str]
    """Names and addresses of those whose signature counts at `now`."""
    domain: SigningDomain | None
    """Of this home; none before it has one, and then no motion holds."""
    now: datetime
    typed_digest: Callable[[dict[str, Any]], bytes]
    recover: Callable[[bytes, str], str]
    keys_of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Every key, in lower case, that a name ever had here, whether or not it counts now."""


def demand_quorum(
    motion: Motion, endorsements: Sequence[Endorsement], *, needed: int, serial: int, assembly: Assembly
) -> tuple[str, ...]:
    """Return who endorsed `motion`, when at least `needed` (1 or more) distinct people did.

    `serial` is how many changes the verifier itself has seen; a motion on another count is void.

    Raises:
        Fault: `bad_approval` or `bad_signature`, for the first thing that does not hold.
    """
    check_motion(motion, serial=serial, assembly=assembly)
    names = endorsers(motion, endorsements, assembly=assembly)
    if needed < 1 or len(names) < needed:
        raise _too_few(len(names), needed=max(needed, 1), voters=len(assembly.approvers))
    return names


def _too_few(given: int, *, needed: int, voters: int) -> Fault:
    told = f"{given} of the {needed} signatures it needs were given"
    if voters < needed:
        return _bad(
            f"{told}, and only {voters} approver(s) have a vote here",
            fix="give struck or ended approvers their vote back in config.toml, or see "
            "'Too few approvers' in docs/halting.md",
        )
    return _bad(told, fix=f"collect {needed - given} more signature(s) by other approvers")


def check_motion(motion: Motion, *, serial: int, assembly: Assembly) -> None:
    """Return when signatures over `motion` may still be counted here.

    Raises:
        Fault: `bad_approval` naming why not.
    """
    check_domain(motion.domain, assembly.domain)
    if motion.serial != serial:
        raise _bad(
            f"it was made before change {serial} of this home, as change {motion.serial}",
            fix="make the motion again and have it signed again",
        )
    if assembly.now >= motion.expires_at:
        raise _bad(f"it expired at {utc_text(motion.expires_at)}", fix="make the motion again")
    if motion.expires_at - assembly.now > LONGEST_MOTION:
        raise _bad(f"it outlives the {LONGEST_MOTION} that signatures may last", fix="make the motion again")


def check_domain(signed: SigningDomain | None, own: SigningDomain | None) -> None:
    """Return when a document was made for the verifier's own home and chain.

    Raises:
        Fault: `bad_approval` naming which of them differs.
    """
    if signed == own:
        return
    if own is None or signed is None:
        raise _bad(
            "it names no home" if signed is None else "this home has no id yet",
            fix="start the services once, then sign the document they show",
        )
    if signed.chain_id != own.chain_id:
        raise _bad(
            f"it is signed for chain id {signed.chain_id}, and this home uses {own.chain_id}",
            fix=f"sign again with chain id {own.chain_id}",
        )
    raise _bad("it is signed for another home", fix="sign the document that this home shows")


def endorsers(motion: Motion, endorsements: Sequence[Endorsement], *, assembly: Assembly) -> tuple[str, ...]:
    """Return the names of the distinct approvers who signed `motion`, in the order given.

    Raises:
        Fault: `bad_approval` or `bad_signature` for the first endorsement that does not hold.
    """
    digest = assembly.typed_digest(motion_typed_data(motion))
    names: list[str] = []
    addresses: set[str] = set()
    for endorsement in endorsements:
        _check(endorsement, motion, assembly=assembly, digest=digest)
        if endorsement.approver in names or endorsement.address in addresses:
            raise _bad(f"{endorsement.approver} signed it twice", fix="have somebody else sign")
        names.append(endorsement.approver)
        addresses.add(endorsement.address)
    return tuple(names)


def _check(endorsement: Endorsement, motion: Motion, *, assembly: Assembly, digest: bytes) -> None:
    expected = assembly.approvers.get(endorsement.approver)
    if expected is None:
        raise _bad(f"{endorsement.approver} is no approver now", fix="have an enrolled approver sign")
    if _asked(endorsement, motion, assembly=assembly):
        raise _bad(f"{endorsement.approver} asked for it and cannot sign it", fix="have somebody else sign")
    signer = assembly.recover(digest, endorsement.signature)
    if signer != endorsement.address or signer.lower() != expected.lower():
        raise Fault(
            ErrorCode.BAD_SIGNATURE,
            f"the signature of {endorsement.approver} is not by their key over this document",
            fix="sign exactly the document shown, with the enrolled key",
        )


def _asked(endorsement: Endorsement, motion: Motion, *, assembly: Assembly) -> bool:
    """Return whether the endorser asked, by a name spelled alike or by a key that was ever theirs."""
    names, key = motion.askers, endorsement.address.lower()
    return any(is_same_name(endorsement.approver, name) for name in names) or any(
        key in assembly.keys_of.get(name, frozenset()) for name in names
    )


def _bad(why: str, *, fix: str) -> Fault:
    return Fault(ErrorCode.BAD_APPROVAL, f"the signed document does not count: {why}", fix=fix)
