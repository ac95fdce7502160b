"""The roll: whose approvals and whose seals count, folded from the journal and checked as it goes.

Stage: gate and executor, each for itself from its own configuration. Configuration founds the
roll and can only take names away from it afterwards; a quorum of those on it adds, removes,
and trusts new sealing keys. A change without its quorum changes nothing, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, assert_never

from policies.limits import HARD_LIMITS
from policies.quorum import Assembly, demand_quorum
from policies.remedies import Electorate
from policies.seal_keys import SealKeys
from when_to_invest.canonical import utc_text
from when_to_invest.domains import SigningDomain
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import Event, OrderSettled, TradingResumed
from when_to_invest.keyholders import (
    Anchors,
    Approver,
    ApproverEnrolled,
    ApproverRemoved,
    ApproversFounded,
    HomeFounded,
    KeyholderChange,
    KeyholderEvent,
    SealKeyAdded,
    SealKeyRetired,
    carries,
)

SKEW: Final = timedelta(seconds=HARD_LIMITS.max_clock_skew_s)
_BEFORE: Final = datetime.min.replace(tzinfo=UTC)
NO_HOME: Final = "0" * 64
"""Id of a home whose journal is empty: nothing is signed there yet."""


@dataclass(slots=True)
class Roll:
    """Mutable fold: give it every event of the journal once, in order, through `admits`."""

    anchors: Anchors
    typed_digest: Callable[[dict[str, Any]], bytes]
    recover: Callable[[bytes, str], str]
    home_id: str = NO_HOME
    is_founded: bool = False
    serial: int = 0
    """How many changes the journal holds, those without a quorum included."""
    members: dict[str, Approver] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    """Names that a quorum removed; configuration may still list them, which means nothing."""
    latest_at: datetime = _BEFORE
    """The latest instant that the journal has told of."""
    seals: SealKeys = field(init=False)

    def __post_init__(self) -> None:
        self.seals = SealKeys(frozenset(item.lower() for item in self.anchors.seal_addresses))
        configured = self.anchors.approvers.items()
        self.members.update({name: Approver(name=name, address=at) for name, at in configured})

    @property
    def domain(self) -> SigningDomain:
        """Return what every document that is signed here must name."""
        return SigningDomain(home_id=self.home_id, chain_id=self.anchors.chain_id)

    @property
    def needed(self) -> int:
        """Return how many signatures a change takes now; at least one."""
        return max(1, min(self.anchors.quorum, len(self.members)))

    def admits(self, event: Event, home_id: str) -> bool:
        """Fold an event of the home of that id; return whether it has whatever quorum it needs."""
        self.home_id = home_id
        latest_at, self.latest_at = self.latest_at, max(self.latest_at, event.at)
        if isinstance(event, TradingResumed | OrderSettled):
            return self.electorate(event.at).is_warranted(event, home_id)
        if not isinstance(event, KeyholderEvent):
            return True
        try:
            # INVARIANT: nobody signs in the past, when a vote that has ended still counted.
            if event.at + SKEW < latest_at:
                return False
            self._apply(event)
        except Fault:
            return False
        finally:
            self.serial += isinstance(event, ApproverEnrolled | ApproverRemoved | SealKeyAdded)
        return True

    def demand(self, change: KeyholderChange) -> None:
        """Return when a quorum of the present roll signed exactly this change; nothing is changed.

        Raises:
            Fault: `bad_approval` or `bad_signature`, for the first thing that does not hold.
        """
        if not carries(change) or change.mode is not self.anchors.mode:
            raise _refused("what was signed is not what would be done, or not in this mode")
        _demand_sense(self, change)
        demand_quorum(
            change.motion,
            change.endorsements,
            needed=self.needed,
            serial=self.serial,
            assembly=self.assembly(change.at),
        )

    def assembly(self, now: datetime) -> Assembly:
        """Return who may sign at `now`, here."""
        return Assembly(self.at(now), self.domain, now, self.typed_digest, self.recover)

    def electorate(self, now: datetime) -> Electorate:
        """Return who may sign, at `now`, that trading goes on after a halt."""
        anchors = self.anchors
        return Electorate(
            self.at(now),
            anchors.mode,
            self.typed_digest,
            self.recover,
            chain_id=anchors.chain_id,
            needed=anchors.quorum,
        )

    def at(self, now: datetime) -> dict[str, str]:
        """Return names and addresses of those whose approvals count at `now`."""
        return {
            name: member.address
            for name, member in self.members.items()
            if (end := self.end_of(name)) is None or now < end
        }

    def end_of(self, name: str) -> datetime | None:
        """Return when a member's vote ends: the earlier of the journal's and this process's own end."""
        ends = (self.members[name].valid_until, self.anchors.approvers_until.get(name))
        return min((end for end in ends if end is not None), default=None)

    def demand_member(self, name: str) -> None:
        """Return when somebody of that name is on the roll, with a vote or not.

        Raises:
            Fault: `bad_approval`.
        """
        if name not in self.members:
            raise _refused(f"{name!r} is no approver of this home")

    def demand_vote(self, name: str, now: datetime) -> None:
        """Return when `name` may sign at `now`.

        Raises:
            Fault: `bad_approval` saying whether they never could, or no longer can.
        """
        self.demand_member(name)
        end = self.end_of(name)
        if end is not None and now >= end:
            raise _refused(f"the vote of {name} expired at {utc_text(end)}")

    def _apply(self, event: KeyholderEvent) -> None:
        match event:
            case ApproversFounded():
                self._found(event)
            case ApproverEnrolled():
                self.demand(event)
                self.members[event.approver.name] = event.approver
                self.removed.discard(event.approver.name)
            case ApproverRemoved():
                self.demand(event)
                del self.members[event.name]
                self.removed.add(event.name)
            case SealKeyAdded():
                self.demand(event)
                self.seals.add(event.key)
            case SealKeyRetired():
                self.seals.retire(event.address, not_after=event.not_after)
            case HomeFounded():
                pass
            case _:
                raise _refused("it is no change that this release knows")

    def _found(self, event: ApproversFounded) -> None:
        """Take the journal's first names that this process's own configuration names too."""
        if self.is_founded:
            raise _refused("the approvers were founded before")
        own = {name: address.lower() for name, address in self.anchors.approvers.items()}
        self.is_founded = True
        self.members = {
            item.name: item for item in event.approvers if own.get(item.name) == item.address.lower()
        }


def _demand_sense(roll: Roll, change: KeyholderChange) -> None:
    """Return when a change makes sense on the roll as it stands; signatures are not looked at."""
    match change:
        case ApproverEnrolled():
            taken = {member.address.lower() for member in roll.members.values()}
            if change.approver.name in roll.members or change.approver.address.lower() in taken:
                raise _refused("that name or key is on the roll already")
            if not roll.is_founded:
                raise _refused("this home has no first approvers yet; name them in config.toml")
        case ApproverRemoved():
            member = roll.members.get(change.name)
            if member is None or member.address.lower() != change.address.lower():
                raise _refused("nobody of that name and key is on the roll")
        case SealKeyAdded():
            if roll.seals.knows(change.key.address):
                raise _refused("that sealing key was added before")
        case _:
            assert_never(change)


def _refused(why: str) -> Fault:
    return Fault(
        ErrorCode.BAD_APPROVAL,
        f"the roll stays as it is: {why}",
        fix="see who and what counts with `when-to-invest approvals list` and `keys list`",
    )
