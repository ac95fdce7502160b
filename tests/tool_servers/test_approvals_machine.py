"""Gate, ledger and approvals together, driven at random: nothing is sealed without a valid quorum.

The machine keeps its own, simple account of who may vote and who signed what. It proposes,
signs, replays, edits, rejects, lets time pass, and changes the roll with too few and with
enough signatures; the changes are written straight into the journal, as an attacker would.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import eth_account.messages  # noqa: F401 - raises the recursion limit, which hypothesis minds later
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from home.settings import Settings
from tests.policies.electing import KEYS, NAMES, approver, signatures
from tests.tool_servers.bench import Bench, funding, proposal, signed
from tool_servers.orders.answers import DecisionAnswer
from tool_servers.orders.declining import Refusal
from when_to_invest import events as ev
from when_to_invest import keyholders as kh
from when_to_invest.approvals import Approval
from when_to_invest.errors import Fault
from when_to_invest.intents import OrderIntent
from when_to_invest.motions import Motion
from when_to_invest.values import Mode

FOUNDERS = ("alice", "bob")
LASTING = timedelta(hours=1)
names = st.sampled_from(NAMES)
groups = st.lists(names, max_size=3, unique=True)
FORGERIES: dict[str, Any] = {
    "another decision": {"decision_id": "d-" + "0" * 24},
    "another intent": {"intent_hash": "0" * 64},
    "a longer life": {"expires_at": datetime(2018, 6, 6, tzinfo=Bench().clock.now().tzinfo)},
    "no home": {"domain": None},
    "another name": {"approver": "erin"},
}


@dataclass
class Model:
    """Who votes until when, by the simplest account; `serial` counts every change told."""

    votes: dict[str, datetime | None] = field(default_factory=lambda: dict.fromkeys(FOUNDERS))
    serial: int = 0

    def voting(self, now: datetime) -> set[str]:
        return {name for name, end in self.votes.items() if end is None or now < end}

    def carries(self, by: list[str], now: datetime) -> bool:
        everybody_votes = set(by) <= self.voting(now)
        return everybody_votes and len(by) >= max(1, min(2, len(self.votes)))


class ApprovalsMachine(RuleBasedStateMachine):
    """One home with two founders, five people, and a clock."""

    def __init__(self) -> None:
        super().__init__()
        people = {name: KEYS[name].address for name in FOUNDERS}
        self.bench = Bench(settings=Settings(approvers=people))
        self.model = Model()
        self.held: list[DecisionAnswer] = []
        self.given: list[Approval] = []
        self.numbers = 0
        self.seen = 0

    @initialize()
    def found(self) -> None:
        founders = tuple(approver(name) for name in FOUNDERS)
        told = kh.ApproversFounded(at=self.now, mode=Mode.REPLAY, approvers=founders)
        self.bench.journal.append([funding(cash_usd=Decimal(10**7)), told])
        self.restart()

    @rule()
    def restart(self) -> None:
        self.desk = self.bench.desk()
        self.desk.ledger.refresh()

    @property
    def now(self) -> datetime:
        return self.bench.clock.now()

    @rule(
        usd=st.sampled_from([9_000, 12_000, 15_000, 21_000]),
        caller=st.sampled_from(["agent", "agent", "bob"]),
    )
    def propose(self, usd: int, caller: str) -> None:
        self.numbers += 1
        # Never the same size twice, which would be a duplicate.
        asked = proposal(str(usd + 10 * self.numbers), request_id=f"r-{self.numbers}")
        answer = self.desk.propose(asked, caller=caller)
        if answer.verdict == "held":
            self.held.append(answer)

    @precondition(lambda self: self.held and self.model.votes)
    @rule(data=st.data())
    def sign_as_people_do(self, data: Any) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.votes)))
        self.hand_in(data.draw(st.sampled_from(self.held[-2:])), name=name, key=KEYS[name])

    @precondition(lambda self: self.held)
    @rule(data=st.data(), name=names, own_key=st.integers(0, 9))
    def sign(self, data: Any, name: str, own_key: int) -> None:
        answer = data.draw(st.sampled_from(self.held))
        by = name if own_key else "erin"
        self.hand_in(answer, name=name, key=KEYS[by])

    @precondition(lambda self: self.held)
    @rule(data=st.data(), name=names, forgery=st.sampled_from(sorted(FORGERIES)))
    def sign_something_else(self, data: Any, name: str, forgery: str) -> None:
        def altered(approval: Approval) -> Approval:
            return approval.model_copy(update=FORGERIES[forgery])

        self.hand_in(data.draw(st.sampled_from(self.held)), name=name, key=KEYS[name], altered=altered)

    def hand_in(self, answer: DecisionAnswer, **how: Any) -> None:
        if answer.decision_id not in {hold.decision_id for hold in self.desk.held()}:
            return
        approval = signed(self.desk, answer, **how)
        self.given.append(approval)
        self.offer(approval)

    def offer(self, approval: Approval) -> None:
        try:
            self.desk.approve(approval)
        except Fault:
            return

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def replay(self, data: Any) -> None:
        self.offer(data.draw(st.sampled_from(self.given)))

    @precondition(lambda self: self.given and self.held)
    @rule(data=st.data())
    def replay_to_another_decision(self, data: Any) -> None:
        approval = data.draw(st.sampled_from(self.given))
        other = data.draw(st.sampled_from(self.held))
        self.offer(approval.model_copy(update={"decision_id": other.decision_id}))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), name=names)
    def reject(self, data: Any, name: str) -> None:
        answer = data.draw(st.sampled_from(self.held))
        try:
            self.desk.decline(answer.decision_id, Refusal(name, "no"))
        except Fault:
            return

    @rule(minutes=st.sampled_from([1, 20, 61]))
    def wait(self, minutes: int) -> None:
        self.bench.clock.move_to(self.now + timedelta(minutes=minutes))

    def motion(self, purpose: str, details: kh.Details, *, stale: int) -> Motion:
        return Motion(
            purpose=purpose,
            summary="a change",
            details=details,
            mode=Mode.REPLAY,
            requester="operator",
            serial=max(0, self.model.serial - stale),
            expires_at=self.now + LASTING,
            domain=self.desk.court.roll.domain,
        )

    @rule(name=names, minutes=st.sampled_from([None, 15, 30]))
    def enrol_together(self, name: str, minutes: int | None) -> None:
        self.enrol(name, sorted(self.model.voting(self.now))[:2], minutes, stale=0)

    @rule(name=names, by=groups, minutes=st.none() | st.sampled_from([30, 90]), stale=st.integers(0, 1))
    def enrol(self, name: str, by: list[str], minutes: int | None, stale: int) -> None:
        until = None if minutes is None else self.now + timedelta(minutes=minutes)
        motion = self.motion(kh.ENROL, kh.enrol_details(approver(name, until=until)), stale=stale)
        self.tell(
            kh.ApproverEnrolled(
                at=self.now,
                mode=Mode.REPLAY,
                approver=approver(name, until=until),
                motion=motion,
                endorsements=signatures(motion, *by),
            )
        )
        if self.takes_effect(motion, by) and name not in self.model.votes:
            self.model.votes[name] = until
        self.model.serial += 1

    @rule(name=names, by=groups)
    def remove(self, name: str, by: list[str]) -> None:
        address = KEYS[name].address
        motion = self.motion(kh.REMOVE, kh.remove_details(name, address), stale=0)
        self.tell(
            kh.ApproverRemoved(
                at=self.now,
                mode=Mode.REPLAY,
                name=name,
                address=address,
                motion=motion,
                endorsements=signatures(motion, *by),
            )
        )
        if self.takes_effect(motion, by):
            self.model.votes.pop(name, None)
        self.model.serial += 1

    def takes_effect(self, motion: Motion, by: list[str]) -> bool:
        return motion.serial == self.model.serial and self.model.carries(by, self.now)

    def tell(self, event: kh.KeyholderEvent) -> None:
        self.bench.journal.append([event])
        self.desk.ledger.refresh()

    @invariant()
    def the_roll_is_as_the_model_says(self) -> None:
        if self.bench.journal.recorded:
            self.desk.ledger.refresh()
            assert set(self.desk.court.roll.at(self.now)) == self.model.voting(self.now)

    @invariant()
    def whatever_was_sealed_just_now_had_its_quorum(self) -> None:
        """Runs after every rule, so the model still stands as it stood at the sealing."""
        recorded = self.bench.journal.recorded
        for event in (row.event for row in recorded[self.seen :]):
            if isinstance(event, ev.EnvelopeSealed):
                self.check(event)
        self.seen = len(recorded)

    def check(self, event: ev.EnvelopeSealed) -> None:
        content = event.envelope.content
        intent = content.intent
        assert isinstance(intent, OrderIntent)
        reference = self.bench.market.reference(intent.instrument, now=self.now)
        assert reference is not None
        worst_usd = intent.quantity * max(intent.limit_price_usd, reference.price_usd)
        needed = (worst_usd > Decimal(10_000)) + (worst_usd > Decimal(20_000))
        genuine = {
            approval.approver
            for approval in content.approvals
            if approval.approver in self.model.voting(self.now)
            and approval.address == KEYS[approval.approver].address
            and approval.expires_at > self.now
            and approval.intent_hash == intent.digest()
        }
        assert len(genuine - {intent.proposer}) >= needed
        assert len(genuine) == len(content.approvals)


TestApprovals = pytest.mark.proof(ApprovalsMachine.TestCase)
