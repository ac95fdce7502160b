"""The roll: whose approvals and whose seals count, folded from the journal and checked as it goes.

Stage: gate and executor, each for itself. The journal alone says who is on the roll and so how
many must sign; configuration founds it and from then on can only take votes away. A change
without its quorum changes nothing, whoever wrote it, and a late one loosens nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from policies.electors import Electors, change_refused, demand_sense
from policies.limits import HARD_LIMITS
from policies.quorum import Assembly, demand_quorum
from policies.remedies import Electorate
from policies.requesters import demand_known
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
from when_to_invest.motions import Motion

SKEW: Final = timedelta(seconds=HARD_LIMITS.max_clock_skew_s)
_REMEDIES: Final = (TradingResumed, OrderSettled)
_BEFORE: Final = datetime.min.replace(tzinfo=UTC)
NO_HOME: Final = "0" * 64
"""Id of a home whose journal is empty: nothing is signed there yet."""


@dataclass(slots=True)
class Roll:
    """Mutable fold: give it every event of the journal once, in order; `follow` hands it to a ledger."""

    anchors: Anchors
    typed_digest: Callable[[dict[str, Any]], bytes]
    recover: Callable[[bytes, str], str]
    home_id: str = NO_HOME
    is_founded: bool = False
    serial: int = 0
    """How many changes the journal holds, those without a quorum included."""
    latest_at: datetime = _BEFORE
    """The latest instant that the journal has told of."""
    seals: SealKeys = field(init=False)
    electors: Electors = field(init=False)
    is_followed: bool = False

    def __post_init__(self) -> None:
        self.seals = SealKeys(frozenset(item.lower() for item in self.anchors.seal_addresses))
        self.electors = Electors.configured(self.anchors.approvers)

    @property
    def domain(self) -> SigningDomain:
        """Return what every document that is signed here must name."""
        return SigningDomain(home_id=self.home_id, chain_id=self.anchors.chain_id)

    @property
    def members(self) -> dict[str, Approver]:
        """Return everybody whom the journal has on the roll, with a vote here or without."""
        return self.electors.members

    @property
    def needed(self) -> int:
        """Return how many signatures a change takes now; at least one.

        # INVARIANT: of two processes on one journal, the one that believes fewer people never needs fewer.
        """
        return max(1, min(self.anchors.quorum, len(self.electors.counted)))

    def follow(self) -> Callable[[Event, str], bool]:
        """Return `admits` for the one ledger that tells this roll of the journal.

        Raises:
            Fault: `internal` the second time: a roll told twice would count every change twice.
        """
        if self.is_followed:
            raise Fault(
                ErrorCode.INTERNAL,
                "a roll follows one ledger, and this one has its own already",
                fix="report this; nothing was changed",
            )
        self.is_followed = True
        return self.admits

    def admits(self, event: Event, home_id: str) -> bool:
        """Fold an event of the home of that id; return whether it has whatever quorum it needs."""
        self.home_id = home_id
        # INVARIANT: nobody signs in the past, when a vote or a motion that has ended still counted.
        is_late = event.at < self.latest_at and self.latest_at - event.at > SKEW
        self.latest_at = max(self.latest_at, event.at)
        if isinstance(event, _REMEDIES):
            return not is_late and self.electorate(event.at).is_warranted(event, home_id)
        if not isinstance(event, KeyholderEvent):
            return True
        try:
            _apply(self, event, is_late=is_late)
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
        self.demand_asker(change.motion)
        _demand_change(self, change)
        demand_quorum(
            change.motion,
            change.endorsements,
            needed=self.needed,
            serial=self.serial,
            assembly=self.assembly(change.at),
        )

    def demand_asker(self, motion: Motion) -> None:
        """Return when somebody known here asks for it, or raise `bad_approval`."""
        demand_known(motion, self.members.keys() | self.anchors.callers)

    def assembly(self, now: datetime) -> Assembly:
        """Return who may sign at `now`, here."""
        return self.assembly_of(self.at(now), now)

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
            keys_of=self.electors.keys_of,
        )

    def at(self, now: datetime) -> dict[str, str]:
        """Return names and addresses of those whose approvals count at `now`."""
        return {
            name: member.address
            for name, member in self.members.items()
            if name in self.electors.believed and ((end := self.end_of(name)) is None or now < end)
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
            raise change_refused(f"{name!r} is no approver of this home")

    def demand_vote(self, name: str, now: datetime) -> None:
        """Return when `name` may sign at `now`.

        Raises:
            Fault: `bad_approval` saying whether they never could, or no longer can.
        """
        self.demand_member(name)
        if name not in self.electors.believed:
            raise change_refused(f"config.toml of this process does not let {name} vote")
        end = self.end_of(name)
        if end is not None and now >= end:
            raise change_refused(f"the vote of {name} expired at {utc_text(end)}")

    def assembly_of(self, approvers: dict[str, str], now: datetime) -> Assembly:
        """Return these people at `now`, signing for this home."""
        keys_of = self.electors.keys_of
        return Assembly(approvers, self.domain, now, self.typed_digest, self.recover, keys_of)


def _demand_change(roll: Roll, change: KeyholderChange) -> None:
    """Return when a change shows what it does and makes sense; signatures are not looked at."""
    if not carries(change) or change.mode is not roll.anchors.mode:
        raise change_refused("what was signed is not what would be done, or not in this mode")
    if not roll.is_founded:
        raise change_refused("this home has no first approvers yet; name them in config.toml")
    demand_sense(change, roll.members, roll.seals)


def _apply(roll: Roll, event: KeyholderEvent, *, is_late: bool) -> None:
    match event:
        case ApproversFounded():
            if roll.is_founded:
                raise change_refused("the approvers were founded before")
            roll.is_founded = True
            roll.electors = Electors.founded(event, roll.anchors.approvers)
        case ApproverEnrolled() | ApproverRemoved() | SealKeyAdded():
            _carry_out(roll, event, is_late=is_late)
        case SealKeyRetired():
            roll.seals.retire(event.address, not_after=event.not_after)
        case HomeFounded():
            pass
        case _:
            raise change_refused("it is no change that this release knows")


def _carry_out(roll: Roll, change: KeyholderChange, *, is_late: bool) -> None:
    """Change the roll as the journal has it, and what is believed here where enough believed signed.

    A removal takes the vote away in any case; only one that is timely and believed makes
    the roll smaller, for a smaller roll may need fewer signatures.
    """
    if is_late and not isinstance(change, ApproverRemoved):
        raise change_refused("it is dated before what the journal already told")
    _demand_change(roll, change)
    everybody = roll.assembly_of(roll.electors.at(change.at), change.at)
    signers = demand_quorum(
        change.motion,
        change.endorsements,
        needed=roll.electors.needed,
        serial=roll.serial,
        assembly=everybody,
    )
    is_believed = not is_late and len(roll.at(change.at).keys() & set(signers)) >= roll.needed
    match change:
        case ApproverEnrolled():
            roll.electors.enrol(change.approver, is_believed=is_believed)
        case ApproverRemoved():
            roll.electors.remove(change.name, is_believed=is_believed)
        case SealKeyAdded() if is_believed:
            roll.seals.add(change.key)
        case SealKeyAdded():
            raise change_refused("too few of those who signed it have a vote here")
