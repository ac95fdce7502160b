"""The proposal desk: takes requests and approvals to the gate, and writes down what it said.

Every decision is made on a ledger that was refreshed a moment ago and is recorded only if
nobody wrote in between; otherwise it is made again. The desk can seal and queue what the
gate approved. It has no way to place an order, and none to lift a limit.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from ledger.journal import Journal
from ledger.live import LiveLedger
from tool_servers.orders.account import portfolio_of
from tool_servers.orders.answers import (
    DecisionAnswer,
    Orders,
    Portfolio,
    decision_answer,
    order_row,
)
from tool_servers.orders.court import Case, Court
from tool_servers.orders.declining import Refusal, declined
from tool_servers.orders.holds import Hold, ensure_new_signature, held
from tool_servers.orders.minutes import order_intent, record_of
from tool_servers.orders.outbox import Outbox
from tool_servers.orders.proposal import Proposal, Setting, ensure_same_request, intent_of
from tool_servers.orders.sitting import Decide, Sittings, attempted
from tool_servers.orders.stops import StopDesk
from tool_servers.orders.unwinding import Unwinder
from when_to_invest.approvals import Approval
from when_to_invest.callers import Identity
from when_to_invest.errors import Fault
from when_to_invest.events import ApprovalGiven, CancelRequested, Event, IntentProposed
from when_to_invest.history import FINAL_STATES, DecisionRecord, DecisionState
from when_to_invest.intents import decision_id_of
from when_to_invest.portfolio import AccountBook

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class ProposalDesk:
    """Serves one home; calls from several threads wait for each other."""

    journal: Journal
    ledger: LiveLedger
    court: Court
    outbox: Outbox
    stops: StopDesk | None = None
    unwinder: Unwinder | None = None
    sittings: Sittings[DecisionAnswer] = field(init=False)

    def __post_init__(self) -> None:
        """Let requests that come at once share a sitting."""
        self.sittings = Sittings(self.journal, self.ledger, self.outbox, self._answer)

    def propose(self, proposal: Proposal, *, caller: str, identity: Identity | None = None) -> DecisionAnswer:
        """Size, judge and record a request, with the caller's proven identity; once, if sent twice.

        Raises:
            Fault: when the request cannot be understood, or the journal cannot be written.
        """
        decision_id = decision_id_of(proposer=caller, request_id=proposal.request_id)

        def decide(book: AccountBook) -> Sequence[Event]:
            known = self.ledger.decisions.get(decision_id)
            if known is None:
                now = self.court.clock.now()
                self.ledger.demand_forward(now)
                asker = Asker(decision_id, caller, identity, now)
                with self.outbox.trail.step("gate", decision_id):
                    return _opening(self.court, book, proposal, asker)
            instrument = self.court.view.instrument(proposal.instrument)
            ensure_same_request(proposal, order_intent(known), instrument)
            return ()

        with self.outbox.trail.begin("propose", decision_id):
            return self._decided(decision_id, decide)

    def approve(self, approval: Approval) -> DecisionAnswer:
        """Take a signature to a held decision, and judge it again on fresh facts.

        Raises:
            Fault: `unknown_decision`, `bad_approval` or `bad_signature`.
        """

        def decide(book: AccountBook) -> Sequence[Event]:
            record = record_of(self.ledger, approval.decision_id)
            if approval in record.approvals:
                return ()
            self.ledger.demand_forward(self.court.clock.now())
            hold = held(record, now=self.court.clock.now())
            ensure_new_signature(hold, approval)
            self.court.verify(approval, hold.intent)
            with self.outbox.trail.step("gate", approval.decision_id):
                return (_given(self.court, approval), *_reheard(self.court, book, hold, approval))

        with self.outbox.trail.begin("approve", approval.decision_id):
            return self._decided(approval.decision_id, decide)

    def decline(self, decision_id: str, said: Refusal) -> DecisionAnswer:
        """End a held decision on an approver's or the operator's word; a signature proves whose.

        Raises:
            Fault: `unknown_decision`, `bad_approval` or `bad_signature`.
        """

        def decide(_: AccountBook) -> Sequence[Event]:
            if record_of(self.ledger, decision_id).state is DecisionState.DECLINED:
                return ()
            hold = held(record_of(self.ledger, decision_id), now=None)
            return (declined(self.court, hold, said),)

        return self._decided(decision_id, decide)

    def cancel(self, decision_id: str, *, caller: str, identity: Identity | None = None) -> DecisionAnswer:
        """Ask for the rest of a decision to be cancelled; asking twice is asking once.

        Raises:
            Fault: `unknown_decision`.
        """

        def decide(_: AccountBook) -> Sequence[Event]:
            return _cancel_asked(self.court, record_of(self.ledger, decision_id), caller, identity)

        return self._decided(decision_id, decide)

    def get(self, decision_id: str) -> DecisionAnswer:
        """Return one decision, or raise `unknown_decision`."""
        return self._decided(decision_id, lambda _: ())

    def list_orders(
        self, *, state: DecisionState | None, limit: int, proposers: frozenset[str] | None = None
    ) -> Orders:
        """Return decisions in `state` (all without one), newest first, at most `limit`.

        `proposers`: of these callers only; none for everybody's.
        """
        with self._looking():
            newest = self.ledger.decisions.newest(state=state, proposers=proposers, limit=limit)
            rows = tuple(order_row(item, order_intent(item)) for item in newest.records)
            return Orders(orders=rows, total=newest.total)

    def held(self) -> tuple[Hold, ...]:
        """Return the decisions that wait for signatures, oldest first."""
        with self._looking():
            waiting = self.ledger.decisions.in_state(DecisionState.HELD)
            return tuple(held(item, now=None) for item in waiting if not item.is_cancel_requested)

    def portfolio(self, *, proposers: frozenset[str] | None = None) -> Portfolio:
        """Return the account as the journal proves it now.

        `proposers`: of what is reserved, the decisions of these callers only.
        """
        with self._looking():
            court = self.court
            told = portfolio_of(
                self.ledger.book,
                settings=court.settings,
                view=court.view,
                now=court.clock.now(),
                switch=court.switch,
            )
            return told if proposers is None else _without_strangers(told, self.ledger, proposers)

    def relay(self) -> int:
        """Note halts, sell what a loss breaker says, send what waits; return how many envelopes went."""
        with self.sittings.room:
            self.ledger.refresh()
            if self.stops is not None:
                self.stops.note()
            if self.unwinder is not None:
                _unwind(self.unwinder)
            return self.outbox.relay()

    @contextmanager
    def _looking(self) -> Iterator[None]:
        """Hold the room, on a ledger that tells everything the desk has answered."""
        with self.sittings.room:
            self.ledger.refresh()
            attempted(self.outbox.note)
            yield

    def _decided(self, decision_id: str, decide: Decide) -> DecisionAnswer:
        return self.sittings.settle(decision_id, decide)

    def _answer(self, decision_id: str) -> DecisionAnswer:
        record = self.outbox.as_told(record_of(self.ledger, decision_id))
        return decision_answer(record, order_intent(record))


def _unwind(unwinder: Unwinder) -> None:
    """Look once; what cannot be proposed now keeps nothing else from being sent."""
    try:
        unwinder.look()
    except Fault as fault:
        _log.warning("sales after a loss wait: %s", fault.code.value)


def _given(court: Court, approval: Approval) -> ApprovalGiven:
    return ApprovalGiven(
        at=court.clock.now(),
        mode=court.settings.mode,
        decision_id=approval.decision_id,
        approval=approval,
    )


def _cancel_asked(
    court: Court, record: DecisionRecord, caller: str, identity: Identity | None
) -> Sequence[Event]:
    if record.is_cancel_requested or record.state in FINAL_STATES:
        return ()
    return (
        CancelRequested(
            at=court.clock.now(),
            mode=court.settings.mode,
            decision_id=record.decision_id,
            caller=caller,
            identity=identity,
        ),
    )


def _reheard(court: Court, book: AccountBook, hold: Hold, approval: Approval) -> Sequence[Event]:
    signed = (*hold.approvals, approval)
    return court.hear(Case(hold.decision_id, hold.intent, signed, hold.expires_at), book)


def _without_strangers(told: Portfolio, ledger: LiveLedger, proposers: frozenset[str]) -> Portfolio:
    """Return the account without the reservations of other callers' decisions."""
    decisions = ledger.decisions
    seen = tuple(row for row in told.reservations if decisions[row.decision_id].intent.proposer in proposers)
    return told.model_copy(update={"reservations": seen})


class Asker(NamedTuple):
    """Who proposes, under which decision id, proven how, and when."""

    decision_id: str
    caller: str
    identity: Identity | None
    now: datetime


def _opening(court: Court, book: AccountBook, proposal: Proposal, asker: Asker) -> Sequence[Event]:
    """Return the proposal as an intent, and what the gate said of it."""
    decision_id, caller, identity, now = asker
    intent = intent_of(
        proposal,
        proposer=caller,
        instrument=court.view.instrument(proposal.instrument),
        reference=court.view.reference(proposal.instrument, now=now),
        setting=Setting(court.settings.mode, court.settings.account, court.settings.venue, now),
    )
    proposed = IntentProposed(
        at=now, mode=intent.mode, decision_id=decision_id, caller=caller, intent=intent, identity=identity
    )
    return (proposed, *court.hear(Case(decision_id, intent), book, now=now))
