"""Somebody appends whatever they like, without any approver's key: nothing is loosened that nobody signed.

People sign motions on what they see; the writer appends events made of those, dated, altered,
repeated and ordered at will, beside events of their own. Two processes, one of which believes
fewer people, are held against a naive home after every event.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from home.clock import FixedClock
from ledger.live import LiveLedger
from policies.roll import Roll
from signing.eip712 import recover_address, typed_digest
from signing.keystore import KeystoreSigner
from tests.fakes.memory_journal import MemoryJournal
from tests.fakes.memory_latch import MemoryLatch
from tests.ledger.naive_home import NaiveHome, Truth
from tests.policies.electing import FOUNDING_SEAL, KEYS, NEXT_SEAL, anchors
from tests.when_to_invest.samples import NOW, Story, order_intent
from tool_servers.orders.stops import SignedResumption, StopDesk
from when_to_invest import events as ev
from when_to_invest import keyholders as kh
from when_to_invest.breakers import TradingState, is_looser, scopes_of
from when_to_invest.errors import Fault
from when_to_invest.history import DecisionState
from when_to_invest.motions import Endorsement, Motion, motion_typed_data
from when_to_invest.orders import OrderState
from when_to_invest.remedies import RESUME, SETTLE, Finding, resume_details, settle_details, settleable
from when_to_invest.remedies import settlement as settled
from when_to_invest.values import Mode

PEOPLE: dict[str, KeystoreSigner] = {**KEYS, "ally": KEYS["alice"]}
"""`ally` is another name for alice's key."""
ADDRESS_OF = {name: key.address for name, key in PEOPLE.items()}
FAR = datetime(8999, 12, 31, tzinfo=UTC)
AWAY = [timedelta(days=-30), timedelta(hours=-2), timedelta(seconds=-6), timedelta(seconds=-4)]
AHEAD = [timedelta(0), timedelta(seconds=4), timedelta(minutes=50), timedelta(hours=3), timedelta(days=40)]
SCOPES = ("system", "venue:paper", "instrument:GLD")
SCOPES_OF_ORDER = frozenset(scopes_of(account="main", venue="paper", instrument="SPX"))
FOUND = Finding(Decimal(0), None, "statement of the venue, page 1")
SEALS = (FOUNDING_SEAL.address, NEXT_SEAL.address)
OWN = (
    anchors(("alice", "bob", "carol")),
    anchors(("alice", "carol"), approvers_until={"carol": NOW + timedelta(days=1)}),
)
"""The second process struck bob out and lets carol's vote end."""

people = st.sampled_from(tuple(PEOPLE))
Asker = tuple[str, str | None]
QUORUM = ["a quorum"]
groups = st.just(QUORUM) | st.just(QUORUM) | st.lists(people, max_size=4)
shifts = st.just(timedelta(0)) | st.just(timedelta(0)) | st.sampled_from(AWAY) | st.sampled_from(AHEAD)
OPERATOR = ("operator", "local root")
askers = st.just(OPERATOR) | st.sampled_from(
    [OPERATOR, ("alice", None), ("ally", None), ("operator", "local bob")]
)
at_once = st.sampled_from([None, timedelta(0), timedelta(0), timedelta(minutes=1)])
"""Whether the writer appends what was signed right away, as an honest one would."""


class HostileWriter(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.now = NOW
        self.journal = MemoryJournal()
        self.truth = Truth(ADDRESS_OF)
        self.pool: list[Any] = []
        self.trades = 0
        self.rolls = [Roll(own, typed_digest, recover_address) for own in OWN]
        self.ledgers = [LiveLedger(self.journal, is_warranted=roll.follow()) for roll in self.rolls]
        self.naive = [
            NaiveHome(
                self.truth,
                frozenset(own.approvers),
                dict(own.approvers_until),
                {FOUNDING_SEAL.address},
                SCOPES_OF_ORDER,
            )
            for own in OWN
        ]
        founders = tuple(
            kh.Approver(name=name, address=ADDRESS_OF[name]) for name in ("alice", "bob", "carol")
        )
        self.story = Story(order_intent())
        founding = kh.ApproversFounded(at=NOW, mode=Mode.REPLAY, approvers=founders)
        self.tell(founding, *self.story.until(OrderState.ACKNOWLEDGED))

    def tell(self, *events: Any) -> None:
        self.journal.append(events)
        for ledger, naive in zip(self.ledgers, self.naive, strict=True):
            ledger.refresh()
            naive.home_id = ledger.home_id
            for event in events:
                naive.tell(event)

    # What people do

    def ask(self, purpose: str, details: kh.Details, *, asker: Asker, serial: int, **changes: Any) -> Motion:
        given: dict[str, Any] = {
            "purpose": purpose,
            "summary": "a change",
            "details": details,
            "mode": Mode.REPLAY,
            "requester": asker[0],
            "known_by": asker[1],
            "serial": serial,
            "expires_at": self.now + timedelta(hours=1),
            "domain": self.rolls[0].domain,
        }
        return Motion(**given | changes)

    def sign(self, event: Any, by: list[str], then: timedelta | None) -> None:
        """Let people sign what an event does; from here on the writer has it."""
        names = one_key_each(by) if by is not QUORUM else sorted(self.naive[0].voters(self.now))[:2]
        digest = typed_digest(motion_typed_data(event.motion))
        given = []
        for name in names:
            signature = PEOPLE[name].sign_digest(digest)
            # The key proves a person, and the name beside it is the one on the roll.
            self.truth.signed[signature] = (name, event.motion)
            given.append(Endorsement(approver=name, address=ADDRESS_OF[name], signature=signature))
        self.truth.meant.append(event)
        self.pool.append(event.model_copy(update={"endorsements": tuple(given)}))
        if then is not None:
            self.tell(self.pool[-1].model_copy(update={"at": self.date(then)}))

    @rule(who=people, by=groups, asker=askers, then=at_once, minutes=st.sampled_from([None, 30]))
    def enrol(
        self, who: str, by: list[str], asker: Asker, minutes: int | None, then: timedelta | None
    ) -> None:
        until = None if minutes is None else self.now + timedelta(minutes=minutes)
        person = kh.Approver(name=who, address=ADDRESS_OF[who], valid_until=until)
        motion = self.ask(kh.ENROL, kh.enrol_details(person), asker=asker, serial=self.rolls[0].serial)
        about: dict[str, Any] = {"at": self.now, "mode": Mode.REPLAY, "motion": motion, "endorsements": ()}
        self.sign(kh.ApproverEnrolled(**about, approver=person), by, then)

    @rule(who=people, by=groups, asker=askers, then=at_once)
    def remove(self, who: str, by: list[str], asker: Asker, then: timedelta | None) -> None:
        details = kh.remove_details(who, ADDRESS_OF[who])
        motion = self.ask(kh.REMOVE, details, asker=asker, serial=self.rolls[0].serial)
        about: dict[str, Any] = {"at": self.now, "mode": Mode.REPLAY, "motion": motion, "endorsements": ()}
        self.sign(kh.ApproverRemoved(**about, name=who, address=ADDRESS_OF[who]), by, then)

    @rule(by=groups, asker=askers, then=at_once)
    def trust_a_key(self, by: list[str], asker: Asker, then: timedelta | None) -> None:
        key = kh.SealKey(address=NEXT_SEAL.address, not_before=NOW - timedelta(days=60))
        details = kh.seal_key_details(key)
        motion = self.ask(kh.ADD_SEAL_KEY, details, asker=asker, serial=self.rolls[0].serial)
        about: dict[str, Any] = {"at": self.now, "mode": Mode.REPLAY, "motion": motion, "endorsements": ()}
        self.sign(kh.SealKeyAdded(**about, key=key), by, then)

    @rule(scope=st.sampled_from(SCOPES), by=groups, asker=askers, then=at_once)
    def resume(self, scope: str, by: list[str], asker: Asker, then: timedelta | None) -> None:
        standing = self.ledgers[0].book.standing
        scope = next(iter(self.naive[0].halts), scope)
        halts_hash = standing.hash_of(scope)
        details = resume_details(scope=scope, halts_hash=halts_hash, lifts="drill")
        motion = self.ask(RESUME, details, asker=asker, serial=standing.serial)
        about: dict[str, Any] = {"at": self.now, "mode": Mode.REPLAY, "motion": motion, "endorsements": ()}
        self.sign(ev.TradingResumed(**about, scope=scope, halts_hash=halts_hash), by, then)

    @rule(by=groups, asker=askers, then=at_once)
    def settle(self, by: list[str], asker: Asker, then: timedelta | None) -> None:
        record = self.ledgers[0].decisions[self.story.decision_id]
        if record.state is DecisionState.SETTLED:
            return
        details = settle_details(settleable(record).sent, account="main", found=FOUND)
        motion = self.ask(SETTLE, details, asker=asker, serial=len(record.events))
        self.sign(settled(record, FOUND, motion=motion, endorsements=(), at=self.now), by, then)

    @rule()
    def settle_where_it_is_halted_after_one_more_fill(self) -> None:
        """What was signed before the fill counts for nothing after it."""
        self.append_a_halt(scope="venue:paper", state=TradingState.HALTED, shift=timedelta(0))
        self.settle(by=QUORUM, asker=OPERATOR, then=None)
        self.a_part_is_filled()
        if self.pool:
            self.tell(self.pool[-1].model_copy(update={"at": self.now}))

    @rule(
        shift=st.sampled_from(
            [timedelta(0), timedelta(minutes=1), timedelta(minutes=40), timedelta(hours=30)]
        )
    )
    def wait(self, shift: timedelta) -> None:
        """Let time pass, as far as the journal has told of it if that is no age away."""
        told = self.naive[0].latest
        self.now = max(self.now + shift, told if told < FAR else self.now)

    @rule()
    def a_part_is_filled(self) -> None:
        if self.naive[0].is_settled or self.naive[1].is_settled:
            return
        self.trades += 1
        self.tell(self.story.filled(Decimal("0.001"), trade=f"t-{self.trades}", is_last=False))

    # What the writer does

    def date(self, shift: timedelta) -> datetime:
        return self.now + shift

    @rule(data=st.data(), shift=shifts, times=st.integers(1, 2))
    def append_what_was_signed(self, data: st.DataObject, shift: timedelta, times: int) -> None:
        if not self.pool:
            return
        event = data.draw(st.sampled_from(self.pool)).model_copy(update={"at": self.date(shift)})
        self.tell(*[event] * times)

    @rule(data=st.data(), shift=shifts)
    def append_it_with_signatures_mixed(self, data: st.DataObject, shift: timedelta) -> None:
        if not self.pool:
            return
        event = data.draw(st.sampled_from(self.pool))
        loot = [given for item in self.pool for given in item.endorsements]
        mixed = tuple(data.draw(st.lists(st.sampled_from(loot), max_size=3))) if loot else ()
        self.tell(event.model_copy(update={"at": self.date(shift), "endorsements": mixed}))

    @rule(data=st.data())
    def append_it_about_something_else(self, data: st.DataObject) -> None:
        if not self.pool:
            return
        event = data.draw(st.sampled_from(self.pool))
        other: dict[str, Any] = {
            "trading_resumed": {"scope": data.draw(st.sampled_from(SCOPES))},
            "order_settled": {"quantity": Decimal(1), "price_usd": Decimal(1)},
            "approver_enrolled": {"approver": kh.Approver(name="erin", address=ADDRESS_OF["erin"])},
            "approver_removed": {"name": "bob", "address": ADDRESS_OF["bob"]},
            "seal_key_added": {"key": kh.SealKey(address=ADDRESS_OF["erin"], not_before=NOW)},
        }[event.kind]
        self.tell(event.model_copy(update={"at": self.now, **other}))

    @rule(scope=st.sampled_from(SCOPES), state=st.sampled_from(TradingState), shift=shifts)
    def append_a_halt(self, scope: str, state: TradingState, shift: timedelta) -> None:
        about: dict[str, Any] = {"at": self.date(shift), "mode": Mode.REPLAY, "by": "writer", "why": "mine"}
        self.tell(ev.TradingStateChanged(**about, scope=scope, state=state))

    @rule(shift=shifts, address=st.sampled_from(SEALS))
    def append_the_end_of_a_key(self, shift: timedelta, address: str) -> None:
        at = self.date(shift)
        self.tell(kh.SealKeyRetired(at=at, mode=Mode.REPLAY, address=address, not_after=at, by="writer"))

    @rule(is_far=st.booleans(), shift=shifts)
    def append_a_date(self, is_far: bool, shift: timedelta) -> None:  # noqa: FBT001 - drawn
        at = FAR if is_far and self.now > NOW + timedelta(days=4) else self.date(shift)
        self.tell(kh.HomeFounded(at=at, mode=Mode.REPLAY, chance="ab" * 32))

    @rule(by=st.sets(people, min_size=1))
    def found_it_again(self, by: set[str]) -> None:
        mine = tuple(kh.Approver(name=name, address=ADDRESS_OF[name]) for name in sorted(by))
        self.tell(kh.ApproversFounded(at=self.now, mode=Mode.REPLAY, approvers=mine))

    # An honest writer whose clock jumps

    @rule(data=st.data(), shift=shifts)
    def hand_in_a_resumption(self, data: st.DataObject, shift: timedelta) -> None:
        """What the desk says is lifted is lifted for everybody who believes as it does."""
        waiting = [item for item in self.pool if isinstance(item, ev.TradingResumed)]
        if not waiting:
            return
        event = data.draw(st.sampled_from(waiting))
        clock, before = FixedClock(self.date(shift)), len(self.journal.recorded)
        desk = StopDesk(self.journal, self.ledgers[0], clock, Mode.REPLAY, MemoryLatch(), self.rolls[0])
        asked = SignedResumption(scope=event.scope, motion=event.motion, endorsements=event.endorsements)
        try:
            assert desk.take(asked).state == "active"
        except Fault:
            assert len(self.journal.recorded) == before, "what was refused was written down"
            return
        self.ledgers[1].refresh()
        for naive in self.naive:
            naive.tell(self.journal.recorded[-1].event)
        assert event.scope not in self.naive[0].halts, "what was lifted stands"

    # What must hold

    @invariant()
    def both_processes_stand_where_the_naive_home_does(self) -> None:
        for roll, ledger, naive in zip(self.rolls, self.ledgers, self.naive, strict=True):
            for moment in (NOW, self.now, FAR):
                assert set(roll.at(moment)) == naive.voters(moment)
                trusted = {a for a in SEALS if a.lower() in roll.seals.trusted(moment, sealed_at=moment)}
                assert trusted == naive.sealing(moment)
            assert (roll.needed, roll.serial) == (naive.needed, naive.changes)
            assert ledger.book.trading_states == naive.halts
            record = ledger.decisions[self.story.decision_id]
            is_settled = record.state is DecisionState.SETTLED
            assert (is_settled, len(record.events)) == (naive.is_settled, naive.order_events)
            assert (self.story.decision_id in ledger.book.reservations) is not is_settled

    @invariant()
    def whoever_believes_fewer_people_accepts_no_more(self) -> None:
        everybody, stricter = self.rolls
        for moment in (NOW, self.now, FAR):
            assert stricter.at(moment).items() <= everybody.at(moment).items()
        assert stricter.needed >= everybody.needed
        assert stricter.members == everybody.members
        standing, kept = (ledger.book.standing for ledger in self.ledgers)
        assert kept.serial == standing.serial
        for scope in standing.halts:
            assert not is_looser(kept.state(scope), than=standing.state(scope))

    def teardown(self) -> None:
        """A process that starts anew stands where those stand that followed along."""
        for own, ledger in zip(OWN, self.ledgers, strict=True):
            roll = Roll(own, typed_digest, recover_address)
            fresh = LiveLedger(self.journal, is_warranted=roll.follow())
            fresh.refresh()
            assert fresh.book == ledger.book


def one_key_each(names: list[str]) -> list[str]:
    """Leave out a second name of a key: its signature is the same, so it says one name only."""
    kept: dict[str, str] = {}
    for name in names:
        kept.setdefault(ADDRESS_OF[name], name)
    return list(kept.values())


HostileWriter.TestCase.settings = settings(stateful_step_count=30)
TestHostileWriter = pytest.mark.proof(HostileWriter.TestCase)
