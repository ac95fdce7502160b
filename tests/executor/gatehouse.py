"""The gate as the executor's tests need it: proposes, judges, seals, journals and queues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from executor.market import Market
from home.clock import Clock
from ledger.journal import Journal
from ledger.live import LiveLedger
from ledger.queue import OutgoingMessage, QueueSender
from policies.exposures import instruments_to_mark
from policies.facts import gather_facts
from policies.gate import judge
from policies.limits import HARD_LIMITS, Limits
from policies.roll import Roll
from policies.seal import seal
from signing.eip712 import recover_address, typed_digest
from signing.keystore import KeystoreSigner
from when_to_invest import events as ev
from when_to_invest.approvals import Approval, approval_typed_data
from when_to_invest.domains import TEST_CHAIN_ID, SigningDomain
from when_to_invest.envelopes import Envelope, EnvelopeContent, envelope_typed_data
from when_to_invest.intents import ChainIntent, OrderIntent, Side, TimeInForce, decision_id_of
from when_to_invest.keyholders import Anchors
from when_to_invest.values import Mode
from when_to_invest.verdicts import Approved, Verdict

SEAL_SECRET = bytes(31) + b"\x07"
FORGER_SECRET = bytes(31) + b"\x08"
CASH_USD = Decimal(100_000)


def seal_signer() -> KeystoreSigner:
    return KeystoreSigner(SEAL_SECRET)


def approver_signer(name: str) -> KeystoreSigner:
    """Return a person's key, always the same for a name."""
    return KeystoreSigner(name.encode().rjust(32, b"\x01"))


def roll_of(approvers: Mapping[str, str]) -> Roll:
    """Return the roll of an executor that trusts the gatehouse's seal and these people."""
    anchors = Anchors(
        mode=Mode.REPLAY,
        chain_id=TEST_CHAIN_ID,
        quorum=2,
        approvers=approvers,
        seal_addresses=frozenset({seal_signer().address}),
    )
    return Roll(anchors, typed_digest, recover_address)


def domain_of(journal: Journal) -> SigningDomain:
    """Return what documents for this journal's home must name."""
    ledger = LiveLedger(journal)
    ledger.refresh()
    return SigningDomain(home_id=ledger.home_id, chain_id=TEST_CHAIN_ID)


def approval_by(name: str, *, decision_id: str, intent: OrderIntent, domain: SigningDomain) -> Approval:
    """Return `name`'s signature over exactly this intent, good for an hour."""
    expires_at = intent.proposed_at + timedelta(hours=1)
    typed = approval_typed_data(decision_id=decision_id, intent=intent, expires_at=expires_at, domain=domain)
    signer = approver_signer(name)
    return Approval(
        decision_id=decision_id,
        intent_hash=intent.digest(),
        mode=intent.mode,
        approver=name,
        address=signer.address,
        expires_at=expires_at,
        signature=signer.sign_digest(typed_digest(typed)),
        domain=domain,
    )


@dataclass
class Gatehouse:
    """Everything before the queue, with a key that only tests hold."""

    journal: Journal
    sender: QueueSender
    market: Market
    clock: Clock
    mode: Mode = Mode.REPLAY
    limits: Limits = HARD_LIMITS
    signer: KeystoreSigner = field(default_factory=seal_signer)
    approvals: tuple[str, ...] = ()
    """Names of approvers who sign whatever is proposed."""

    def fund(self) -> None:
        funded = ev.AccountFunded(at=self.clock.now(), mode=self.mode, account="main", cash_usd=CASH_USD)
        self.journal.append([funded])

    def intent(self, number: int, **changes: Any) -> OrderIntent:
        given: dict[str, Any] = {
            "mode": self.mode,
            "account": "main",
            "venue": "paper",
            "instrument": "SPX",
            "side": Side.BUY,
            "quantity": Decimal(10) + number,
            "limit_price_usd": Decimal("101.00"),
            "time_in_force": TimeInForce.DAY,
            "proposer": "agent",
            "request_id": f"r-{number}",
            "proposed_at": self.clock.now(),
        }
        return OrderIntent(**given | changes)

    def sealed(self, number: int = 1, **changes: Any) -> Envelope:
        """Propose, judge and seal what the gate approves; the queue does not know it yet."""
        envelope = self.sealed_if_approved(number, **changes)
        assert envelope is not None, "the test's own intent was not approved"
        return envelope

    def sealed_if_approved(self, number: int = 1, **changes: Any) -> Envelope | None:
        """Propose and judge; seal and journal it when the gate approves."""
        intent, now = self.intent(number, **changes), self.clock.now()
        decision_id = decision_id_of(proposer="agent", request_id=intent.request_id)
        proposed = ev.IntentProposed(
            at=now, mode=self.mode, decision_id=decision_id, caller="agent", intent=intent
        )
        self.journal.append([proposed])
        domain = domain_of(self.journal)
        approvals = [
            approval_by(name, decision_id=decision_id, intent=intent, domain=domain)
            for name in self.approvals
        ]
        verdict = self._judged(intent, decision_id, now)
        if not isinstance(verdict, Approved):
            return None
        envelope = seal(
            verdict,
            decision_id=decision_id,
            approvals=approvals,
            signer=self.signer,
            typed_digest=typed_digest,
            ttl_s=self.limits.envelope_ttl_s,
            domain=domain,
        )
        self.journal.append(
            [ev.EnvelopeSealed(at=now, mode=self.mode, decision_id=decision_id, envelope=envelope)]
        )
        return envelope

    def propose(self, number: int = 1, **changes: Any) -> str:
        """Propose, judge, seal and queue; return the decision id."""
        envelope = self.sealed(number, **changes)
        self.queue(envelope)
        return envelope.content.decision_id

    def seal_unjudged(self, intent: OrderIntent | ChainIntent) -> None:
        """Seal, journal and queue what no gate approved, as a broken gate would."""
        now = self.clock.now()
        decision_id = decision_id_of(proposer="agent", request_id=intent.request_id)
        content = EnvelopeContent(
            version=2,
            domain=domain_of(self.journal),
            decision_id=decision_id,
            mode=intent.mode,
            intent=intent,
            intent_hash=intent.digest(),
            facts_hash="0" * 64,
            limits_hash=self.limits.digest(),
            approvals=(),
            sealed_at=now,
            expires_at=now + timedelta(seconds=self.limits.envelope_ttl_s),
        )
        envelope = Envelope(
            content=content,
            seal_address=self.signer.address,
            seal=self.signer.sign_digest(typed_digest(envelope_typed_data(content))),
        )
        self.journal.append(
            [
                ev.IntentProposed(
                    at=now, mode=self.mode, decision_id=decision_id, caller="agent", intent=intent
                ),
                ev.EnvelopeSealed(at=now, mode=self.mode, decision_id=decision_id, envelope=envelope),
            ]
        )
        self.queue(envelope)

    def queue(self, envelope: Envelope, *, body: str | None = None) -> str:
        """Send the envelope, or another body in its name."""
        return self.sender.send(
            OutgoingMessage(
                body=envelope.canonical().decode() if body is None else body,
                group=envelope.content.message_group,
                deduplication_id=envelope.content.decision_id,
            )
        )

    def _cited_until(self, intent: OrderIntent) -> datetime | None:
        if intent.recommendation_id is None:
            return None
        return self.market.recommendation_expiry(intent.recommendation_id, instrument=intent.instrument)

    def _judged(self, intent: OrderIntent, decision_id: str, now: datetime) -> Verdict:
        ledger = LiveLedger(self.journal)
        ledger.refresh()
        priced = {name: self.market.reference(name, now=now) for name in instruments_to_mark(ledger.book)}
        marks = {name: price for name, price in priced.items() if price is not None}
        facts = gather_facts(
            intent,
            decision_id=decision_id,
            book=ledger.book,
            instrument=self.market.instrument(intent.instrument),
            reference=self.market.reference(intent.instrument, now=now),
            marks=marks,
            approvers=frozenset(self.approvals),
            now=now,
            mode=self.mode,
            recommendation_expires_at=self._cited_until(intent),
            index=self.market.reference("SPX", now=now),
        )
        return judge(intent, facts, self.limits)
