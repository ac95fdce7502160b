"""Whose keys count in a home: who approves, and which keys seal. Events, and what people sign.

Every change that gives somebody power carries the motion that a quorum signed, with the
signatures, so that whoever folds the journal can check it. What only takes power away from a
sealing key needs none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, assert_never

from pydantic import Field

from when_to_invest.canonical import utc_text
from when_to_invest.motions import Endorsement, Motion
from when_to_invest.values import Address, Hash, Instant, Mode, Name, Value

ENROL: Final = "EnrolApprover"
REMOVE: Final = "RemoveApprover"
ADD_SEAL_KEY: Final = "AddSealKey"
Details = tuple[tuple[str, str], ...]


class Approver(Value):
    """A person who may sign; for ever, or until an instant."""

    name: Name
    address: Address
    valid_until: Instant | None = None


class SealKey(Value):
    """A key whose seal counts within a window; both ends belong to the window."""

    address: Address
    not_before: Instant
    not_after: Instant | None = None


class KeyholderEvent(Value):
    """Base of what changes whose keys count; these events belong to no decision."""

    at: Instant
    mode: Mode


class HomeFounded(KeyholderEvent):
    """The first event of a home; its chance makes the hash unique, which is the home's id."""

    kind: Literal["home_founded"] = "home_founded"
    chance: Hash


class ApproversFounded(KeyholderEvent):
    """The approvers that config.toml named first. From here on it can only take some away."""

    kind: Literal["approvers_founded"] = "approvers_founded"
    approvers: tuple[Approver, ...] = Field(min_length=1)


class ApproverEnrolled(KeyholderEvent):
    """A quorum gave somebody a vote."""

    kind: Literal["approver_enrolled"] = "approver_enrolled"
    approver: Approver
    motion: Motion
    endorsements: tuple[Endorsement, ...]


class ApproverRemoved(KeyholderEvent):
    """A quorum took somebody's vote away."""

    kind: Literal["approver_removed"] = "approver_removed"
    name: Name
    address: Address
    motion: Motion
    endorsements: tuple[Endorsement, ...]


class SealKeyAdded(KeyholderEvent):
    """A quorum trusts another sealing key, within its window."""

    kind: Literal["seal_key_added"] = "seal_key_added"
    key: SealKey
    motion: Motion
    endorsements: tuple[Endorsement, ...]


class SealKeyRetired(KeyholderEvent):
    """A sealing key counts for nothing after an instant; the earliest one told holds."""

    kind: Literal["seal_key_retired"] = "seal_key_retired"
    address: Address
    not_after: Instant
    by: Name


@dataclass(frozen=True, slots=True)
class Anchors:
    """What one process was itself told to trust; nothing in the journal adds to it unsigned."""

    mode: Mode
    chain_id: int
    quorum: int
    """How many must sign a change; everybody when fewer are on the roll."""
    approvers: Mapping[str, str]
    approvers_until: Mapping[str, datetime] = field(default_factory=dict)
    """Ends of votes; what somebody signed before their end stands."""
    seal_addresses: frozenset[str] = frozenset()
    callers: frozenset[str] = frozenset()
    """Names that configuration gives to callers; besides those on the roll they may ask for changes."""


KeyholderChange = ApproverEnrolled | ApproverRemoved | SealKeyAdded
"""What needs a quorum."""
KeyholderFact = HomeFounded | ApproversFounded | KeyholderChange | SealKeyRetired
"""Every event of this module."""


def enrol_details(approver: Approver) -> Details:
    """Return what signers of an enrolment are shown."""
    until = "for ever" if approver.valid_until is None else utc_text(approver.valid_until)
    return (("approver", approver.name), ("key", approver.address), ("validUntil", until))


def remove_details(name: str, address: str) -> Details:
    """Return what signers of a removal are shown."""
    return (("approver", name), ("key", address))


def seal_key_details(key: SealKey) -> Details:
    """Return what signers of a new sealing key are shown."""
    after = "open" if key.not_after is None else utc_text(key.not_after)
    return (("key", key.address), ("notBefore", utc_text(key.not_before)), ("notAfter", after))


def carries(change: KeyholderChange) -> bool:
    """Return whether a change does exactly what its motion shows."""
    match change:
        case ApproverEnrolled():
            purpose, wanted = ENROL, enrol_details(change.approver)
        case ApproverRemoved():
            purpose, wanted = REMOVE, remove_details(change.name, change.address)
        case SealKeyAdded():
            purpose, wanted = ADD_SEAL_KEY, seal_key_details(change.key)
        case _:
            assert_never(change)
    motion = change.motion
    return (motion.purpose, motion.details, motion.mode) == (purpose, wanted, change.mode)
