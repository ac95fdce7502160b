"""A proposal desk on fakes: made-up prices, a journal and a queue in memory, light keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from home.clock import FixedClock
from home.settings import Settings, anchors_of
from ledger.journal import Head
from ledger.live import LiveLedger
from ledger.queue import OutgoingMessage
from policies.limits import HARD_LIMITS
from policies.roll import Roll
from signing.eip712 import recover_address, typed_digest
from signing.keystore import KeystoreSigner
from tests.fakes.fake_market import AFTER_MONDAY, FakeMarket
from tests.fakes.memory_journal import MemoryJournal
from tests.fakes.memory_latch import MemoryLatch
from tests.fakes.memory_queue import MemoryQueue
from tool_servers.orders.answers import DecisionAnswer
from tool_servers.orders.court import Court, Signatures
from tool_servers.orders.desk import ProposalDesk
from tool_servers.orders.outbox import Outbox
from tool_servers.orders.proposal import Proposal
from when_to_invest.approvals import Approval, approval_typed_data
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import AccountFunded, Event
from when_to_invest.intents import Side
from when_to_invest.values import Mode

SEAL = KeystoreSigner(bytes(31) + b"\x07")
ALICE = KeystoreSigner(bytes(31) + b"\x0a")
BOB = KeystoreSigner(bytes(31) + b"\x0b")
MALLORY = KeystoreSigner(bytes(31) + b"\x0c")
NOW = AFTER_MONDAY


class MarketOfTests(FakeMarket):
    """The fake market, with recommendations that the desk can look up."""

    def recommendation_expiry(self, recommendation_id: str, *, instrument: str) -> datetime:
        self.instrument(instrument)
        if recommendation_id != "r-" + "1" * 24:
            raise Fault(ErrorCode.UNKNOWN_RECOMMENDATION, "no such recommendation", fix="ask for one")
        return NOW + timedelta(days=1)


class RacingJournal(MemoryJournal):
    """Somebody else writes right before the next `races` appends."""

    def __init__(self) -> None:
        super().__init__()
        self.races = 0

    def append(self, events: Sequence[Event], *, expected: Head | None = None) -> Head:
        if self.races:
            self.races -= 1
            super().append([funding(cash_usd=Decimal(1), account="another")])
        return super().append(events, expected=expected)


class ShakyQueue(MemoryQueue):
    """A queue that can be down."""

    is_down = False

    def send(self, message: OutgoingMessage) -> str:
        if self.is_down:
            raise Fault(ErrorCode.QUEUE_UNAVAILABLE, "the queue does not answer", fix="wait")
        return super().send(message)


def funding(*, cash_usd: Decimal = Decimal(100_000), account: str = "main") -> AccountFunded:
    return AccountFunded(at=NOW, mode=Mode.REPLAY, account=account, cash_usd=cash_usd)


@dataclass
class Bench:
    """Everything around one desk; `desk()` is a fresh process on the same journal and queue."""

    journal: RacingJournal = field(default_factory=RacingJournal)
    queue: ShakyQueue = field(default_factory=lambda: ShakyQueue(deduplication_s=300.0))
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    market: MarketOfTests = field(default_factory=MarketOfTests)
    settings: Settings = field(
        default_factory=lambda: Settings(approvers={"alice": ALICE.address, "bob": BOB.address})
    )

    latch: MemoryLatch = field(default_factory=MemoryLatch)

    def desk(self) -> ProposalDesk:
        if not self.journal.recorded:
            self.journal.append([funding()])
        anchors = anchors_of(
            self.settings, seal_addresses=frozenset({SEAL.address}), quorum=HARD_LIMITS.approver_quorum
        )
        roll = Roll(anchors, typed_digest, recover_address)
        ledger = LiveLedger(self.journal, is_warranted=roll.follow())
        signatures = Signatures(SEAL, typed_digest, recover_address)
        court = Court(self.settings, HARD_LIMITS, self.clock, self.market, signatures, roll, self.latch)
        outbox = Outbox(self.journal, ledger, self.queue, self.clock, self.latch)
        return ProposalDesk(self.journal, ledger, court, outbox)

    def kinds(self) -> list[str]:
        return [recorded.event.kind for recorded in self.journal.recorded]


def proposal(
    notional_usd: str = "5000", *, request_id: str = "r-1", limit: str | None = None, **changes: str
) -> Proposal:
    return Proposal(
        instrument=changes.get("instrument", "SPX"),
        side=Side(changes.get("side", "buy")),
        notional_usd=Decimal(notional_usd),
        limit_price_usd=None if limit is None else Decimal(limit),
        recommendation_id=changes.get("recommendation_id"),
        request_id=request_id,
    )


def signed(
    desk: ProposalDesk,
    answer: DecisionAnswer,
    *,
    name: str = "alice",
    key: KeystoreSigner = ALICE,
    lasting: timedelta = timedelta(hours=1),
    altered: Callable[[Approval], Approval] = lambda approval: approval,
) -> Approval:
    """Return `name`'s approval of a held decision, as its own program would make it."""
    intent = next(hold.intent for hold in desk.held() if hold.decision_id == answer.decision_id)
    expires_at = desk.court.clock.now() + lasting
    domain = desk.court.roll.domain
    typed = approval_typed_data(
        decision_id=answer.decision_id, intent=intent, expires_at=expires_at, domain=domain
    )
    return altered(
        Approval(
            decision_id=answer.decision_id,
            intent_hash=intent.digest(),
            mode=intent.mode,
            approver=name,
            address=key.address,
            expires_at=expires_at,
            signature=key.sign_digest(typed_digest(typed)),
            domain=domain,
        )
    )
