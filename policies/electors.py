"""Who is on the roll, as the journal alone tells it, and who of them has a vote in one process.

Stage: gate and executor, inside `policies.roll`. The two are kept apart so that a name struck
from one process's configuration takes a vote away there and changes nothing else: not how
many must sign, not which names are taken. Signatures are checked before anything is told here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from policies.limits import HARD_LIMITS
from policies.seal_keys import SealKeys
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.keyholders import (
    Approver,
    ApproverEnrolled,
    ApproverRemoved,
    ApproversFounded,
    KeyholderChange,
    SealKeyAdded,
)


@dataclass(slots=True)
class Electors:
    """Mutable part of the roll. # INVARIANT: `believed` ⊆ `members` ⊆ `counted`, as names."""

    members: dict[str, Approver] = field(default_factory=dict)
    """On the roll by the journal: founded or enrolled, and not removed; any process agrees."""
    believed: set[str] = field(default_factory=set)
    """Members whose vote rests, all the way down, on people this process was told to trust."""
    counted: set[str] = field(default_factory=set)
    """Names that make up the roll's size here; fewer only by a removal this process believes."""
    removed: set[str] = field(default_factory=set)
    keys_of: dict[str, frozenset[str]] = field(default_factory=dict)
    """Every key, in lower case, that a name ever had on the roll."""

    @classmethod
    def configured(cls, approvers: Mapping[str, str]) -> Electors:
        """Return those of a home without first approvers: whom configuration names."""
        return cls._of({name: Approver(name=name, address=at) for name, at in approvers.items()})

    @classmethod
    def founded(cls, event: ApproversFounded, own: Mapping[str, str]) -> Electors:
        """Return the journal's first; those have a vote here whom `own` configuration names too."""
        founders = cls._of({item.name: item for item in event.approvers})
        named = {name: address.lower() for name, address in own.items()}
        founders.believed = {
            name for name, item in founders.members.items() if named.get(name) == item.address.lower()
        }
        return founders

    @classmethod
    def _of(cls, members: dict[str, Approver]) -> Electors:
        keys_of = {name: frozenset({item.address.lower()}) for name, item in members.items()}
        return cls(members, set(members), set(members), set(), keys_of)

    @property
    def needed(self) -> int:
        """Return how many members must sign a change at the least, whatever is configured."""
        return max(1, min(HARD_LIMITS.approver_quorum, len(self.members)))

    def at(self, now: datetime) -> dict[str, str]:
        """Return names and addresses of the members whose vote the journal has not let end at `now`."""
        return {
            name: item.address
            for name, item in self.members.items()
            if item.valid_until is None or now < item.valid_until
        }

    def demand_no_stranger(self, configured: Mapping[str, str]) -> None:
        """Return when the journal knows everybody whom configuration names; each process asks for itself.

        Whoever writes a home's first event could found it with fewer, and so lower its quorum. A key
        that was theirs before a quorum exchanged it is known too: it has no vote, and stays configured.

        Raises:
            Fault: `looser_limit`, naming the first whom it does not know.
        """
        for name, address in configured.items():
            if not self._knew(name, address) and name not in self.removed:
                raise Fault(
                    ErrorCode.LOOSER_LIMIT,
                    f"config.toml names the approver {name} with a key that the journal does not know",
                    fix=f"added since the home was founded? remove approvers.{name} and enrol them with "
                    f"`when-to-invest approvals enrol {name}`; named from the start? then somebody else "
                    "founded this home: trust nothing in it, and restore its journal from a backup",
                )

    def exchanged(self, configured: Mapping[str, str]) -> tuple[str, ...]:
        """Return, in order, the members whom configuration names with a key that a quorum exchanged since."""
        return tuple(
            sorted(
                name
                for name, address in configured.items()
                if name in self.members
                and self.members[name].address.lower() != address.lower()
                and self._knew(name, address)
            )
        )

    def _knew(self, name: str, address: str) -> bool:
        return address.lower() in self.keys_of.get(name, frozenset())

    def enrol(self, approver: Approver, *, is_believed: bool) -> None:
        """Put somebody on the roll; with a vote here when those who signed are believed."""
        name = approver.name
        self.members[name] = approver
        self.keys_of[name] = self.keys_of.get(name, frozenset()) | {approver.address.lower()}
        self.counted.add(name)
        self.removed.discard(name)
        if is_believed:
            self.believed.add(name)

    def remove(self, name: str, *, is_believed: bool) -> None:
        """Take somebody's vote; the roll gets smaller only when those who signed are believed."""
        del self.members[name]
        self.believed.discard(name)
        self.removed.add(name)
        if is_believed:
            self.counted.discard(name)


def demand_sense(change: KeyholderChange, members: Mapping[str, Approver], seals: SealKeys) -> None:
    """Return when a change makes sense on the roll as it stands; signatures are not looked at.

    Raises:
        Fault: `bad_approval`.
    """
    match change:
        case ApproverEnrolled():
            taken = {member.address.lower() for member in members.values()}
            if change.approver.name in members or change.approver.address.lower() in taken:
                raise change_refused("that name or key is on the roll already")
        case ApproverRemoved():
            member = members.get(change.name)
            if member is None or member.address.lower() != change.address.lower():
                raise change_refused("nobody of that name and key is on the roll")
        case SealKeyAdded():
            if seals.knows(change.key.address):
                raise change_refused("that sealing key was added before")
        case _:
            assert_never(change)


def change_refused(why: str) -> Fault:
    """Return the refusal of a change to the roll, or of somebody who is not on it."""
    return Fault(
        ErrorCode.BAD_APPROVAL,
        f"the roll stays as it is: {why}",
        fix="see who and what counts with `when-to-invest approvals list` and `keys list`",
    )
