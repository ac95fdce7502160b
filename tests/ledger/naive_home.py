"""A home in a few plain sentences, told by whoever knows what people truly signed. No cryptography.

It is what the roll and the ledger are held against: written apart from them, and slow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from when_to_invest import events as ev
from when_to_invest import keyholders as kh
from when_to_invest.breakers import TradingState
from when_to_invest.motions import Motion

SKEW = timedelta(seconds=5)
A_DAY = timedelta(days=1)


@dataclass
class Truth:
    """What people signed: every signature with who made it over what, and every event they meant."""

    address_of: dict[str, str]
    signed: dict[str, tuple[str, Motion]] = field(default_factory=dict)
    meant: list[Any] = field(default_factory=list)

    def is_meant(self, event: Any) -> bool:
        """Whether people were shown this very event; its date and signatures may be others."""
        return any(
            event == item.model_copy(update={"at": event.at, "endorsements": event.endorsements})
            for item in self.meant
        )


@dataclass
class NaiveHome:
    """One process's view: it believes `own` founders, and nobody after their end in `ends`."""

    truth: Truth
    own: frozenset[str]
    ends: dict[str, datetime]
    seals: set[str]
    scopes: frozenset[str]
    """The scopes that the one order stands in."""
    home_id: str = ""
    latest: datetime = datetime(1900, 1, 1, tzinfo=UTC)
    retired: dict[str, datetime] = field(default_factory=dict)
    """When sealing keys end, those that nobody added included."""
    roll: dict[str, datetime | None] = field(default_factory=dict)
    believed: set[str] = field(default_factory=set)
    counted: set[str] = field(default_factory=set)
    ever: set[str] = field(default_factory=set)
    is_founded: bool = False
    changes: int = 0
    halts: dict[str, TradingState] = field(default_factory=dict)
    halts_told: int = 0
    order_events: int = 0
    is_settled: bool = False

    @property
    def needed(self) -> int:
        return max(1, min(2, len(self.counted)))

    def voters(self, now: datetime) -> set[str]:
        return {
            name
            for name, end in self.roll.items()
            if name in self.believed
            and (end is None or now < end)
            and (name not in self.ends or now < self.ends[name])
        }

    def sealing(self, now: datetime) -> set[str]:
        return {key for key in self.seals if key not in self.retired or now <= self.retired[key]}

    def tell(self, event: Any) -> None:
        is_late = self.latest - event.at > SKEW
        self.latest = max(self.latest, event.at)
        if isinstance(event, kh.ApproverEnrolled | kh.ApproverRemoved | kh.SealKeyAdded):
            self.change(event, is_late=is_late)
            self.changes += 1
        elif isinstance(event, kh.ApproversFounded) and not self.is_founded:
            self.found(event)
        elif isinstance(event, kh.SealKeyRetired):
            self.retired[event.address] = min(
                self.retired.get(event.address, event.not_after), event.not_after
            )
        elif isinstance(event, ev.TradingStateChanged) and event.state is not TradingState.ACTIVE:
            self.halts_told += 1
            present = self.halts.get(event.scope)
            self.halts[event.scope] = event.state if present is not TradingState.HALTED else present
        elif isinstance(event, ev.TradingResumed | ev.OrderSettled):
            self.remedy(event, is_late=is_late)
        elif getattr(event, "decision_id", None) is not None:
            self.order_events += 1

    def found(self, event: kh.ApproversFounded) -> None:
        self.is_founded = True
        self.roll = {item.name: item.valid_until for item in event.approvers}
        self.ever, self.counted = set(self.roll), set(self.roll)
        at = self.truth.address_of
        self.believed = {i.name for i in event.approvers if i.name in self.own and i.address == at[i.name]}

    def change(self, event: Any, *, is_late: bool) -> None:
        everybody = {name for name, end in self.roll.items() if end is None or event.at < end}
        signers = self.signers(event, everybody, serial=self.changes)
        if not self.is_founded or len(signers) < max(1, min(2, len(self.roll))):
            return
        is_removal = isinstance(event, kh.ApproverRemoved)
        is_believed = not is_late and len(signers & self.voters(event.at)) >= self.needed
        if isinstance(event, kh.ApproverEnrolled) and not is_late:
            self.enrol(event.approver, is_believed=is_believed)
        elif isinstance(event, kh.SealKeyAdded) and is_believed:
            self.seals.add(event.key.address)
        elif is_removal and event.name in self.roll:
            del self.roll[event.name]
            self.believed.discard(event.name)
            self.counted -= {event.name} if is_believed else set()

    def enrol(self, who: kh.Approver, *, is_believed: bool) -> None:
        addresses = {self.truth.address_of[name] for name in self.roll}
        if who.name in self.roll or who.address in addresses:
            return
        self.roll[who.name] = who.valid_until
        self.counted.add(who.name)
        self.ever.add(who.name)
        self.believed |= {who.name} if is_believed else set()

    def remedy(self, event: Any, *, is_late: bool) -> None:
        is_resumption = isinstance(event, ev.TradingResumed)
        serial = self.halts_told if is_resumption else self.order_events
        self.halts_told += is_resumption
        if is_late or len(self.signers(event, self.voters(event.at), serial=serial)) < 2:
            return
        if is_resumption and event.scope in self.halts:
            del self.halts[event.scope]
        elif not is_resumption and self.scopes & set(self.halts) and not self.is_settled:
            self.is_settled = True
            self.order_events += 1

    def signers(self, event: Any, voters: set[str], *, serial: int) -> set[str]:
        """Return who signed what the event does; nobody when anything about it is not as it should be."""
        motion, names = event.motion, [item.approver for item in event.endorsements]
        is_alive = event.at < motion.expires_at <= event.at + A_DAY and motion.serial == serial
        if not is_alive or motion.domain.home_id != self.home_id or not self.truth.is_meant(event):
            return set()
        checks: list[Callable[[Any], bool]] = [
            lambda item: self.truth.signed.get(item.signature) == (item.approver, motion),
            lambda item: item.address == self.truth.address_of[item.approver],
            lambda item: item.approver in voters and not self.asked(item.approver, motion),
        ]
        if len(set(names)) < len(names) or not all(check(i) for i in event.endorsements for check in checks):
            return set()
        return set(names)

    def asked(self, name: str, motion: Motion) -> bool:
        user = (motion.known_by or "local nobody").removeprefix("local ")
        at = self.truth.address_of
        return any(
            asker == name or (asker in self.ever and at[asker] == at[name])
            for asker in (motion.requester, user)
        )
