"""Asks the gate about one intent on fresh facts, and writes its answer as events.

The facts are gathered here, from this process's own ledger and market data. What is
approved is sealed in the same breath, so that verdict and envelope reach the journal
together or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from home.clock import Clock
from home.latch import Switch
from home.settings import Settings
from policies.caller_limits import judge_by_both
from policies.exposures import instruments_to_mark
from policies.facts import Facts, gather_facts
from policies.latched import under_latch
from policies.limits import Limits
from policies.roll import Roll
from policies.seal import DigestSigner, seal
from policies.turbulence import market_index
from policies.verify import verified_approvers, verify_approval
from tool_servers.orders.market_view import MarketView, marks_of
from when_to_invest import events as ev
from when_to_invest.approvals import Approval
from when_to_invest.intents import OrderIntent
from when_to_invest.portfolio import AccountBook
from when_to_invest.verdicts import Approved, Held, Refused, Verdict


@dataclass(frozen=True, slots=True)
class Signatures:
    """How documents are hashed, signed and traced back to their signer."""

    signer: DigestSigner
    typed_digest: Callable[[dict[str, Any]], bytes]
    recover: Callable[[bytes, str], str]


@dataclass(frozen=True, slots=True)
class Case:
    """One intent before the gate, with the approvals it was given; they are verified here."""

    decision_id: str
    intent: OrderIntent
    approvals: tuple[Approval, ...] = ()
    hold_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Court:
    """Judges cases for one home."""

    settings: Settings
    limits: Limits
    clock: Clock
    view: MarketView
    signatures: Signatures
    roll: Roll
    """Follows the same journal as the ledger whose book the cases are heard on."""
    switch: Switch
    tighter: Mapping[str, Limits] = field(default_factory=dict)
    """Limits of the callers that have some of their own; never looser than `limits`."""

    def limits_of(self, caller: str) -> Limits:
        """Return the limits that a caller's proposals are judged by."""
        return self.tighter.get(caller, self.limits)

    def hear(self, case: Case, book: AccountBook, *, now: datetime | None = None) -> tuple[ev.Event, ...]:
        """Return the events of a judgement: the verdict, and the envelope of an approval.

        `now`: when the case came up, a moment ago; the clock's own now without one.
        """
        now = now or self.clock.now()
        facts = self._facts(case, book, now=now)
        own = self.limits_of(case.intent.proposer)
        verdict = judge_by_both(case.intent, facts, own=own, everybody=self.limits)
        judged = self._judged(case, verdict, facts=facts, now=now)
        if not isinstance(verdict, Approved):
            return (judged,)
        # Its window may have ended since this process started.
        self.roll.seals.demand(self.signatures.signer.address, now=now)
        envelope = seal(
            verdict,
            decision_id=case.decision_id,
            approvals=case.approvals,
            signer=self.signatures.signer,
            typed_digest=self.signatures.typed_digest,
            ttl_s=self.limits.envelope_ttl_s,
            domain=self.roll.domain,
        )
        sealed = ev.EnvelopeSealed(
            at=now, mode=self.settings.mode, decision_id=case.decision_id, envelope=envelope
        )
        return (judged, sealed)

    def verify(self, approval: Approval, intent: OrderIntent) -> None:
        """Check that an enrolled approver signed this very intent, and not too long ago.

        Raises:
            Fault: `bad_approval` or `bad_signature`.
        """
        now = self.clock.now()
        self.roll.demand_vote(approval.approver, now)
        verify_approval(
            approval,
            intent=intent,
            approvers=self.roll.at(now),
            now=now,
            domain=self.roll.domain,
            typed_digest=self.signatures.typed_digest,
            recover=self.signatures.recover,
        )

    def _facts(self, case: Case, book: AccountBook, *, now: datetime) -> Facts:
        intent = case.intent
        prices = cache(lambda name: self.view.reference(name, now=now))
        reference = prices(intent.instrument)
        facts = gather_facts(
            intent,
            decision_id=case.decision_id,
            book=book,
            instrument=self.view.instrument(intent.instrument),
            reference=reference,
            marks=marks_of(prices, instruments_to_mark(book)),
            approvers=self._approvers(case, now=now),
            now=now,
            mode=self.settings.mode,
            recommendation_expires_at=self._cited_until(intent),
            index=market_index(reference, prices),
        )
        return under_latch(facts, intent, self.switch.read())

    def _cited_until(self, intent: OrderIntent) -> datetime | None:
        if intent.recommendation_id is None:
            return None
        return self.view.recommendation_expiry(intent.recommendation_id, instrument=intent.instrument)

    def _approvers(self, case: Case, *, now: datetime) -> frozenset[str]:
        return verified_approvers(
            case.approvals,
            decision_id=case.decision_id,
            intent=case.intent,
            approvers=self.roll.at(now),
            now=now,
            domain=self.roll.domain,
            typed_digest=self.signatures.typed_digest,
            recover=self.signatures.recover,
        )

    def _judged(self, case: Case, verdict: Verdict, *, facts: Facts, now: datetime) -> ev.IntentJudged:
        reasons = () if isinstance(verdict, Approved) else verdict.reasons
        is_held, told = isinstance(verdict, Held), facts.canonical()
        return ev.IntentJudged(
            at=now,
            mode=self.settings.mode,
            decision_id=case.decision_id,
            judge=ev.Judge.GATE,
            outcome=_outcome(verdict),
            reasons=reasons,
            approvals_needed=verdict.approvals_needed if isinstance(verdict, Held) else 0,
            hold_expires_at=(case.hold_expires_at or now + self._hold) if is_held else None,
            facts_hash=sha256(told).hexdigest(),
            facts_json=told.decode(),
            limits_hash=self.limits_of(case.intent.proposer).digest(),
        )

    @property
    def _hold(self) -> timedelta:
        return timedelta(seconds=self.limits.hold_expiry_s)


def _outcome(verdict: Verdict) -> ev.Outcome:
    match verdict:
        case Approved():
            return ev.Outcome.APPROVED
        case Held():
            return ev.Outcome.HELD
        case Refused():
            return ev.Outcome.REFUSED
