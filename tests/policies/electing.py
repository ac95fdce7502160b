"""People, motions and changes for the tests of the roll."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from policies.roll import Roll
from signing.eip712 import recover_address, typed_digest
from signing.keystore import KeystoreSigner
from tests.policies.sealing import key
from tests.strategies.situations import NOW
from when_to_invest import keyholders as kh
from when_to_invest.domains import TEST_CHAIN_ID
from when_to_invest.motions import Endorsement, Motion, motion_typed_data
from when_to_invest.values import Mode

HOME_ID = "cd" * 32
NAMES = ("alice", "bob", "carol", "dave", "erin")
KEYS: dict[str, KeystoreSigner] = {name: key(21 + n) for n, name in enumerate(NAMES)}
FOUNDING_SEAL, NEXT_SEAL = key(31), key(32)


def approver(name: str, *, until: datetime | None = None) -> kh.Approver:
    return kh.Approver(name=name, address=KEYS[name].address, valid_until=until)


def anchors(names: Iterable[str] = ("alice", "bob"), **changes: Any) -> kh.Anchors:
    given: dict[str, Any] = {
        "mode": Mode.REPLAY,
        "chain_id": TEST_CHAIN_ID,
        "quorum": 2,
        "approvers": {name: KEYS[name].address for name in names},
        "seal_addresses": frozenset({FOUNDING_SEAL.address}),
    }
    return kh.Anchors(**given | changes)


@dataclass
class Hustings:
    """One home's journal of changes, and rolls that follow it."""

    events: list[kh.KeyholderEvent] = field(default_factory=list)
    home_id: str = HOME_ID

    def founded(self, *names: str) -> Hustings:
        people = tuple(approver(name) for name in names or ("alice", "bob"))
        self.events.append(kh.ApproversFounded(at=NOW, mode=Mode.REPLAY, approvers=people))
        return self

    def roll(self, own: kh.Anchors | None = None) -> Roll:
        """Return a fresh process's roll, folded to the end."""
        roll = Roll(own or anchors(), typed_digest, recover_address, home_id=self.home_id)
        for event in self.events:
            roll.admits(event, self.home_id)
        return roll

    def motion(self, purpose: str, details: kh.Details, **changes: Any) -> Motion:
        roll = self.roll()
        given: dict[str, Any] = {
            "purpose": purpose,
            "summary": "a change",
            "details": details,
            "mode": Mode.REPLAY,
            "requester": "operator",
            "known_by": "local operator",
            "serial": roll.serial,
            "expires_at": NOW + timedelta(hours=1),
            "domain": roll.domain,
        }
        return Motion(**given | changes)

    def enrolment(self, who: kh.Approver, *by: str, **changes: Any) -> kh.ApproverEnrolled:
        motion = self.motion(kh.ENROL, kh.enrol_details(who), **changes)
        return kh.ApproverEnrolled(
            at=NOW, mode=Mode.REPLAY, approver=who, motion=motion, endorsements=signatures(motion, *by)
        )

    def removal(self, name: str, *by: str, **changes: Any) -> kh.ApproverRemoved:
        address = KEYS[name].address
        motion = self.motion(kh.REMOVE, kh.remove_details(name, address), **changes)
        return kh.ApproverRemoved(
            at=NOW,
            mode=Mode.REPLAY,
            name=name,
            address=address,
            motion=motion,
            endorsements=signatures(motion, *by),
        )

    def seal_key(self, added: kh.SealKey, *by: str, **changes: Any) -> kh.SealKeyAdded:
        motion = self.motion(kh.ADD_SEAL_KEY, kh.seal_key_details(added), **changes)
        return kh.SealKeyAdded(
            at=NOW, mode=Mode.REPLAY, key=added, motion=motion, endorsements=signatures(motion, *by)
        )

    def tell(self, *events: kh.KeyholderEvent) -> Hustings:
        self.events += events
        return self


def signatures(motion: Motion, *names: str) -> tuple[Endorsement, ...]:
    digest = typed_digest(motion_typed_data(motion))
    return tuple(
        Endorsement(approver=name, address=KEYS[name].address, signature=KEYS[name].sign_digest(digest))
        for name in names
    )
