"""Good signatures loosen only the state that they were given on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ledger.live import LiveLedger
from policies.roll import Roll
from signing.eip712 import recover_address, typed_digest
from tests.fakes.memory_journal import MemoryJournal
from tests.policies.electing import anchors, approver, signatures
from tests.when_to_invest.samples import NOW, Story, order_intent
from when_to_invest import events as ev
from when_to_invest import keyholders as kh
from when_to_invest.breakers import TradingState
from when_to_invest.history import DecisionState
from when_to_invest.motions import Motion
from when_to_invest.orders import OrderState
from when_to_invest.remedies import RESUME, SETTLE, Finding, resume_details, settle_details, settleable
from when_to_invest.remedies import settlement as settled
from when_to_invest.values import Mode

FOUND = Finding(Decimal(0), None, "statement of the venue, page 1")
VENUE = "venue:paper"


@dataclass
class Case:
    """A founded home with one order at the venue."""

    story: Story = field(default_factory=lambda: Story(order_intent()))
    journal: MemoryJournal = field(default_factory=MemoryJournal)

    def __post_init__(self) -> None:
        people = (approver("alice"), approver("bob"))
        founded = kh.ApproversFounded(at=NOW, mode=Mode.REPLAY, approvers=people)
        self.journal.append([founded, *self.story.until(OrderState.ACKNOWLEDGED)])

    def ledger(self, **own: Any) -> LiveLedger:
        roll = Roll(anchors(**own), typed_digest, recover_address)
        ledger = LiveLedger(self.journal, is_warranted=roll.follow())
        ledger.refresh()
        return ledger

    @property
    def state(self) -> DecisionState:
        return self.ledger().decisions[self.story.decision_id].state

    def halt(self, scope: str = VENUE) -> None:
        halt: dict[str, Any] = {
            "scope": scope,
            "state": TradingState.HALTED,
            "by": "operator",
            "why": "drill",
        }
        event = ev.TradingStateChanged(at=NOW, mode=Mode.REPLAY, **halt)
        self.journal.append([event])

    def motion(self, purpose: str, details: tuple[tuple[str, str], ...], *, serial: int) -> Motion:
        roll = Roll(anchors(), typed_digest, recover_address, home_id=self.ledger().home_id)
        return Motion(
            purpose=purpose,
            summary="as found",
            details=details,
            mode=Mode.REPLAY,
            requester="operator",
            serial=serial,
            expires_at=NOW + timedelta(hours=1),
            domain=roll.domain,
        )

    def settlement(self) -> ev.OrderSettled:
        record = self.ledger().decisions[self.story.decision_id]
        details = settle_details(settleable(record).sent, account=record.intent.account, found=FOUND)
        motion = self.motion(SETTLE, details, serial=len(record.events))
        return settled(record, FOUND, motion=motion, endorsements=signatures(motion, "alice", "bob"), at=NOW)

    def resumption(self, scope: str = VENUE) -> ev.TradingResumed:
        standing = self.ledger().book.standing
        halts_hash = standing.hash_of(scope)
        details = resume_details(scope=scope, halts_hash=halts_hash, lifts="a halt")
        motion = self.motion(RESUME, details, serial=standing.serial)
        signed = signatures(motion, "alice", "bob")
        about: dict[str, Any] = {"at": NOW, "mode": Mode.REPLAY, "scope": scope, "halts_hash": halts_hash}
        return ev.TradingResumed(**about, motion=motion, endorsements=signed)


@pytest.fixture
def case() -> Case:
    return Case()


def test_a_settlement_ends_the_order_in_a_scope_that_is_stopped(case: Case) -> None:
    case.halt()
    case.journal.append([case.settlement()])
    assert case.state is DecisionState.SETTLED


def test_a_settlement_where_trading_goes_on_changes_nothing(case: Case) -> None:
    case.journal.append([case.settlement()])
    assert case.state is DecisionState.WORKING
    assert case.story.decision_id in case.ledger().book.reservations


def test_a_settlement_signed_before_a_fill_changes_nothing_after_it(case: Case) -> None:
    case.halt()
    stale = case.settlement()
    case.journal.append([case.story.filled(Decimal("0.5"), trade="t-1", is_last=False), stale])
    assert case.state is DecisionState.PARTLY_FILLED
    assert case.story.decision_id in case.ledger().book.reservations


@pytest.mark.parametrize("changes", [{"decision_id": "d-" + "9" * 24}, {"client_order_id": "w" + "9" * 31}])
def test_a_settlement_of_another_order_ends_neither_the_order_nor_the_ledger(
    case: Case, changes: dict[str, str]
) -> None:
    case.halt()
    case.journal.append([case.settlement().model_copy(update=changes)])
    assert case.state is DecisionState.WORKING


def test_a_settlement_told_twice_is_one(case: Case) -> None:
    case.halt()
    event = case.settlement()
    case.journal.append([event, event])
    assert case.state is DecisionState.SETTLED


def test_a_resumption_lifts_the_halts_it_names_once(case: Case) -> None:
    case.halt()
    event = case.resumption()
    case.journal.append([event])
    assert case.ledger().book.trading_states == {}
    case.halt()
    case.journal.append([event])
    assert case.ledger().book.trading_states == {VENUE: TradingState.HALTED}


def test_signatures_over_one_scope_lift_no_other(case: Case) -> None:
    case.halt()
    case.halt("instrument:SPX")
    signed, other = case.resumption("instrument:SPX"), case.resumption()
    case.journal.append([signed.model_copy(update={"scope": other.scope, "halts_hash": other.halts_hash})])
    assert case.ledger().book.trading_states.keys() == {VENUE, "instrument:SPX"}


def test_signatures_over_one_finding_book_no_other(case: Case) -> None:
    case.halt()
    changes = {"quantity": Decimal(1), "price_usd": Decimal(2750)}
    case.journal.append([case.settlement().model_copy(update=changes)])
    assert case.state is DecisionState.WORKING


def test_what_was_signed_before_a_resumption_is_stale_also_where_that_one_is_not_believed(case: Case) -> None:
    """Of two processes the one that believes fewer people never lifts what the other keeps."""
    case.halt()
    case.halt("instrument:SPX")
    stale, first = case.resumption("instrument:SPX"), case.resumption()
    case.journal.append([first, stale])
    everybody, fewer = case.ledger(), case.ledger(approvers={"alice": approver("alice").address})
    assert everybody.book.trading_states == {"instrument:SPX": TradingState.HALTED}
    assert fewer.book.trading_states.keys() == {VENUE, "instrument:SPX"}
    assert fewer.book.standing.serial == everybody.book.standing.serial == 4


def test_a_resumption_that_somebody_made_up_voids_votes_as_a_halt_does_and_people_sign_anew(
    case: Case,
) -> None:
    case.halt()
    signed = case.resumption()
    case.journal.append([signed.model_copy(update={"endorsements": ()}), signed])
    assert case.ledger().book.trading_states == {VENUE: TradingState.HALTED}
    case.journal.append([case.resumption()])
    assert case.ledger().book.trading_states == {}


@pytest.mark.parametrize("kind", ["resumption", "settlement"])
def test_back_dating_revives_no_motion_and_no_vote_that_ended(case: Case, kind: str) -> None:
    case.halt()
    event = getattr(case, kind)()
    later = kh.HomeFounded(at=NOW + timedelta(days=30), mode=Mode.REPLAY, chance="cd" * 32)
    case.journal.append([later, event])
    ended = case.ledger(approvers_until={"bob": NOW + timedelta(days=1)})
    assert ended.book.trading_states == {VENUE: TradingState.HALTED}
    assert ended.decisions[case.story.decision_id].state is DecisionState.WORKING
