"""What people are asked to sign when it is no order: a change to who or what may act.

A motion is readable text in a fixed shape. It names who asks (who may not sign), how many
changes came before it (so that it takes effect once, and on the state people saw), and when
signatures over it stop counting. It must never carry anything that its signers do not see.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, StringConstraints

from when_to_invest.canonical import utc_text
from when_to_invest.domains import SigningDomain, domain_fields, domain_values
from when_to_invest.values import Address, Instant, Mode, Name, Signature, Value

_FIXED: Final = ("summary", "mode", "requester", "knownBy", "expires")
_LABEL: Final = re.compile(r"[a-z][A-Za-z0-9]{0,31}")


def _checked_details(details: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    labels = [label for label, _ in details]
    if len(set(labels)) != len(labels) or {*_FIXED, "serial"} & set(labels):
        raise ValueError("a detail's label is used twice")
    if any(_LABEL.fullmatch(label) is None for label in labels):
        raise ValueError("a detail's label is a word such as 'scope'")
    if any(not text.isprintable() or len(text) > 200 for _, text in details):  # noqa: PLR2004 - as `summary`
        raise ValueError("a detail is one printable line of at most 200 characters")
    return details


KnownBy = Annotated[str, StringConstraints(pattern=r"^local [a-z0-9][a-z0-9_-]{0,31}$")]
"""How this home knew who asked: `local` and the name of the machine's user, as the system tells it."""


class Motion(Value):
    """One change that needs a quorum. `purpose` is what a wallet shows as the document's type."""

    purpose: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]{2,31}$")]
    summary: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    details: Annotated[tuple[tuple[str, str], ...], AfterValidator(_checked_details)] = ()
    """Label and readable text of everything the change depends on, in the order shown."""
    mode: Mode
    requester: Name
    known_by: KnownBy | None = None
    """None in motions from before it was kept; people see it when they sign."""
    serial: int = Field(ge=0, lt=2**53)
    """How many changes of this kind the home had seen when it was asked."""
    expires_at: Instant
    domain: SigningDomain

    @property
    def askers(self) -> tuple[str, ...]:
        """Return every name of whoever asked: the one given, and the machine's for them."""
        return (self.requester,) if self.known_by is None else (self.requester, self.known_by.split(" ")[1])


class Endorsement(Value):
    """One person's signature over one motion; the motion itself travels beside it."""

    approver: Name
    address: Address
    signature: Signature


def is_same_name(name: str, other: str) -> bool:
    """Return whether two names are spelled alike, whatever their case, hyphens and underscores."""
    return _letters(name) == _letters(other)


def _letters(name: str) -> str:
    return re.sub(r"[-_]", "", name.casefold())


def motion_typed_data(motion: Motion) -> dict[str, Any]:
    """Return the EIP-712 document that each endorser of a motion signs."""
    texts = {
        "summary": motion.summary,
        **dict(motion.details),
        "mode": motion.mode.value,
        "requester": motion.requester,
        **({} if motion.known_by is None else {"knownBy": motion.known_by}),
        "expires": utc_text(motion.expires_at),
    }
    return {
        "types": {
            "EIP712Domain": domain_fields(motion.domain),
            motion.purpose: [
                *({"name": label, "type": "string"} for label in texts),
                {"name": "serial", "type": "uint256"},
            ],
        },
        "primaryType": motion.purpose,
        "domain": domain_values(motion.domain),
        "message": {**texts, "serial": motion.serial},
    }
