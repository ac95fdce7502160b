"""Sealed orders of several accounts, as a gate with wide limits would have journalled them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from executor.market import HomeMarket
from ledger.queue import OutgoingMessage
from ledger.sqlite_journal import SqliteJournal
from policies.facts import gather_facts
from policies.gate import judge
from policies.limits import HARD_LIMITS, Limits
from policies.seal import seal
from signing.eip712 import typed_digest
from signing.keystore import KeystoreSigner
from when_to_invest import events as ev
from when_to_invest.domains import TEST_CHAIN_ID, SigningDomain
from when_to_invest.envelopes import Envelope
from when_to_invest.intents import OrderIntent, Side, TimeInForce, decision_id_of
from when_to_invest.money import CENT
from when_to_invest.portfolio import AccountBook
from when_to_invest.values import Mode
from when_to_invest.verdicts import Approved

GROUPS: Final = 8
WIDER: Final = 1_000_000
PATIENT: Final = Decimal("1.015")
"""Limit above the last close, inside the collar: the next open fills."""
SEAL: Final = KeystoreSigner((11).to_bytes(32))


class SealedOrders:
    """Seals orders of several accounts in turn."""

    def __init__(self, journal: SqliteJournal, market: HomeMarket, *, at: datetime) -> None:
        self._journal = journal
        self._market = market
        self._book = AccountBook()
        self._limits = wide()
        funded = [
            ev.AccountFunded(at=at, mode=Mode.REPLAY, account=f"a{number}", cash_usd=Decimal(100_000_000))
            for number in range(GROUPS)
        ]
        journal.append(funded)
        for event in funded:
            self._book.apply(event)
        self._domain = SigningDomain(home_id=next(iter(journal.read())).hash, chain_id=TEST_CHAIN_ID)

    def sealed_orders(self, numbers: range, *, at: datetime) -> list[OutgoingMessage]:
        """Journal the orders of these numbers as proposed and sealed; return their messages."""
        told: list[ev.Event] = []
        messages = []
        for number in numbers:
            intent = self._intent(number, at)
            decision_id = decision_id_of(proposer="agent", request_id=intent.request_id)
            envelope = self._sealed(decision_id, intent)
            told += (
                ev.IntentProposed(
                    at=at, mode=Mode.REPLAY, decision_id=decision_id, caller="agent", intent=intent
                ),
                ev.EnvelopeSealed(at=at, mode=Mode.REPLAY, decision_id=decision_id, envelope=envelope),
            )
            body, group = envelope.canonical().decode(), envelope.content.message_group
            messages.append(OutgoingMessage(body, group, decision_id))
        self._journal.append(told)
        return messages

    def _intent(self, number: int, at: datetime) -> OrderIntent:
        reference = self._market.reference("SPX", now=at)
        if reference is None:
            raise ValueError(f"nothing is recorded of {at}")
        return OrderIntent(
            mode=Mode.REPLAY,
            account=f"a{number % GROUPS}",
            venue="paper",
            instrument="SPX",
            side=Side.BUY,
            quantity=Decimal(1) + Decimal(number) / 1000,
            limit_price_usd=(reference.price_usd * PATIENT).quantize(CENT),
            time_in_force=TimeInForce.DAY,
            proposer="agent",
            request_id=f"r-{number}",
            proposed_at=at,
        )

    def _sealed(self, decision_id: str, intent: OrderIntent) -> Envelope:
        reference = self._market.reference("SPX", now=intent.proposed_at)
        facts = gather_facts(
            intent,
            decision_id=decision_id,
            book=self._book,
            instrument=self._market.instrument("SPX"),
            reference=reference,
            marks={},
            approvers=frozenset(),
            now=intent.proposed_at,
            mode=Mode.REPLAY,
            recommendation_expires_at=None,
            index=reference,
        )
        verdict = judge(intent, facts, self._limits)
        if not isinstance(verdict, Approved):
            raise TypeError(f"a measured order is not approved: {verdict}")
        return seal(
            verdict,
            decision_id=decision_id,
            approvals=[],
            signer=SEAL,
            typed_digest=typed_digest,
            ttl_s=self._limits.envelope_ttl_s,
            domain=self._domain,
        )


def wide() -> Limits:
    """Return limits under which none of the orders is too many, too much or too soon."""
    caps = {name: value for name, value in HARD_LIMITS if name.startswith(("max_", "approval_", "second_"))}
    wide = {name: value * WIDER for name, value in caps.items() if isinstance(value, int | Decimal)}
    return HARD_LIMITS.model_copy(update=wide)
