"""What judging, sealing and verifying one order cost.

The gate is bounded by its own promise, p99 below 1 ms. It waits for nothing, so its latency
is its processor time: what other programs do to the machine does not count. Signing and
recovering stand beside eth_account, the reference library, on the same key and digest, and both
check what they signed by recovering it.
"""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from benchmarks.row import Figure, Row, against, median_s, within
from market_data.recorded import RECORDINGS
from policies.facts import Facts, gather_facts
from policies.gate import judge
from policies.limits import HARD_LIMITS
from policies.seal import seal
from policies.verify import verify_envelope
from signing.eip712 import recover_address, typed_digest
from signing.keystore import KeystoreSigner
from when_to_invest.approvals import Approval, approval_typed_data
from when_to_invest.domains import SigningDomain
from when_to_invest.envelopes import Envelope
from when_to_invest.holdings import Position
from when_to_invest.instruments import Session
from when_to_invest.intents import OrderIntent, Side, TimeInForce, decision_id_of
from when_to_invest.market import ReferencePrice, SessionRange
from when_to_invest.portfolio import AccountBook, Proposal, Reservation
from when_to_invest.recent import Recent, SealedOrder
from when_to_invest.values import Mode
from when_to_invest.verdicts import Approved
from when_to_invest.wealth import AccountWorth, Wealth

MICROSECONDS: Final = "us"
GATE_P50_US: Final = 100.0
GATE_P99_US: Final = 1_000.0
VERIFY_P99_US: Final = 5_000.0
LEAST_RATIO: Final = 1.0
JUDGEMENTS: Final = 6_000
SIGNATURES: Final = 300
NOW: Final = datetime(2018, 6, 1, 21, 0, tzinfo=UTC)
DECISION: Final = decision_id_of(proposer="agent", request_id="measured")
HELD: Final = ("SPX", "IXIC", "SPY", "QQQ", "GLD", "TLT")
MESSAGES: Final = 1_000
HERE: Final = SigningDomain(home_id="ab" * 32, chain_id=31_337)
GATE_KEY: Final = KeystoreSigner((11).to_bytes(32))
PEOPLE: Final = {name: KeystoreSigner(n.to_bytes(32)) for n, name in enumerate(("alice", "bob"), start=12)}


def rows() -> list[Row]:
    """Return the gate's latencies, then those of its signatures beside the reference library."""
    order, book = _order(), _busy_book()
    facts = _facts(order, book)
    judging = _durations_us(lambda: judge(order, facts, HARD_LIMITS), JUDGEMENTS)
    whole = _durations_us(lambda: judge(order, _facts(order, book), HARD_LIMITS), JUDGEMENTS)
    envelope = _sealed(order, facts)
    verifying = _durations_us(lambda: _verify(envelope), SIGNATURES)
    return [
        within("judge an order, p50", Figure(_p50(judging), MICROSECONDS), bound=GATE_P50_US),
        within("judge an order, p99", Figure(_p99(judging), MICROSECONDS), bound=GATE_P99_US),
        within("gather facts and judge, p99", Figure(_p99(whole), MICROSECONDS), bound=4 * GATE_P99_US),
        within(
            "verify an envelope of two approvals, p99",
            Figure(_p99(verifying), MICROSECONDS),
            bound=VERIFY_P99_US,
        ),
        *_signature_rows(),
    ]


def _signature_rows() -> list[Row]:
    from eth_account import Account

    secret = (11).to_bytes(32)
    recover = Account._recover_hash  # noqa: SLF001 - its public form hashes a document as well
    typed = approval_typed_data(decision_id=DECISION, intent=_order(), expires_at=NOW, domain=HERE)
    digest = typed_digest(typed)
    signature = GATE_KEY.sign_digest(digest)
    hashing = _durations_us(lambda: typed_digest(typed), SIGNATURES)
    return [
        within("hash an EIP-712 document, p50", Figure(_p50(hashing), MICROSECONDS), bound=GATE_P99_US),
        _beside(
            "sign a digest and check the signature",
            lambda: GATE_KEY.sign_digest(digest),
            lambda: recover(digest, signature=Account.unsafe_sign_hash(digest, private_key=secret).signature),
        ),
        _beside(
            "recover the signer of a digest",
            lambda: recover_address(digest, signature),
            lambda: recover(digest, signature=signature),
        ),
    ]


def _beside(name: str, ours: Callable[[], object], peer: Callable[[], object]) -> Row:
    return against(
        name,
        Figure(median_s(ours, repeats=SIGNATURES) * 1e6, MICROSECONDS),
        peer="eth_account",
        peer_value=median_s(peer, repeats=SIGNATURES) * 1e6,
        least_ratio=LEAST_RATIO,
    )


def _order() -> OrderIntent:
    """Return an order large enough for two signatures."""
    return OrderIntent(
        mode=Mode.REPLAY,
        account="main",
        venue="paper",
        instrument="SPX",
        side=Side.BUY,
        quantity=Decimal(210),
        limit_price_usd=Decimal("100.25"),
        time_in_force=TimeInForce.DAY,
        proposer="agent",
        request_id="measured",
        proposed_at=NOW,
    )


def _busy_book() -> AccountBook:
    """Return the book of a busy day: holdings, open orders, a thousand proposals."""
    ids = [decision_id_of(proposer="agent", request_id=str(n)) for n in range(MESSAGES)]
    spaced = [NOW - timedelta(seconds=80 * (MESSAGES - n)) for n in range(MESSAGES)]
    told = [
        Proposal(at, owner, "agent", "main", "paper", HELD[n % len(HELD)], Side.BUY, Decimal(n + 1))
        for n, (at, owner) in enumerate(zip(spaced, ids, strict=True))
    ]
    open_buys = [Reservation("main", "paper", name, Side.BUY, Decimal(2), Decimal(100)) for name in HELD]
    worth = AccountWorth(Decimal(106_000), Decimal(106_000), Decimal(107_000), NOW)
    sealed = [
        SealedOrder(NOW, owner, "main", "paper", "SPX", Side.SELL, Decimal(100), Decimal("0.1"), sent_at=NOW)
        for owner in ids[:100]
    ]
    return AccountBook(
        recent=Recent(sealed={item.decision_id: item for item in sealed}),
        wealth=Wealth({"main": worth}),
        cash_usd={"main": Decimal(100_000)},
        positions={("main", name): Position(Decimal(10), Decimal(1000)) for name in HELD},
        reservations=dict(zip(ids, open_buys, strict=False)),
        proposals=deque(told),
    )


def _facts(order: OrderIntent, book: AccountBook) -> Facts:
    calm = SessionRange(Decimal(100), Decimal(99), Decimal(101), Decimal("0.15"), Session.EXCHANGE)
    reference = ReferencePrice(Decimal(100), NOW - timedelta(hours=1), "recorded", calm)
    return gather_facts(
        order,
        decision_id=DECISION,
        book=book,
        instrument=RECORDINGS["SPX"].instrument,
        reference=reference,
        marks=dict.fromkeys(HELD, reference),
        approvers=frozenset(PEOPLE),
        now=NOW,
        mode=Mode.REPLAY,
        index=reference,
    )


def _sealed(order: OrderIntent, facts: Facts) -> Envelope:
    verdict = judge(order, facts, HARD_LIMITS)
    if not isinstance(verdict, Approved):
        raise TypeError(f"the measured order should pass, but was {verdict}")
    return seal(
        verdict,
        decision_id=DECISION,
        approvals=[_approval(order, name) for name in PEOPLE],
        signer=GATE_KEY,
        typed_digest=typed_digest,
        ttl_s=HARD_LIMITS.envelope_ttl_s,
        domain=HERE,
    )


def _approval(order: OrderIntent, name: str) -> Approval:
    expires_at = NOW + timedelta(hours=1)
    typed = approval_typed_data(decision_id=DECISION, intent=order, expires_at=expires_at, domain=HERE)
    return Approval(
        decision_id=DECISION,
        intent_hash=order.digest(),
        mode=order.mode,
        approver=name,
        address=PEOPLE[name].address,
        expires_at=expires_at,
        signature=PEOPLE[name].sign_digest(typed_digest(typed)),
        domain=HERE,
    )


def _verify(envelope: Envelope) -> Any:
    return verify_envelope(
        envelope,
        seal_addresses=frozenset({GATE_KEY.address}),
        approvers={name: signer.address for name, signer in PEOPLE.items()},
        limits_hash=HARD_LIMITS.digest(),
        now=NOW,
        mode=Mode.REPLAY,
        domain=HERE,
        typed_digest=typed_digest,
        recover=recover_address,
    )


def _durations_us(call: Callable[[], object], repeats: int) -> Sequence[float]:
    call()
    durations = []
    for _ in range(repeats):
        started = time.thread_time()
        call()
        durations.append((time.thread_time() - started) * 1e6)
    return durations


def _p50(durations: Sequence[float]) -> float:
    return statistics.median(durations)


def _p99(durations: Sequence[float]) -> float:
    return statistics.quantiles(durations, n=100)[98]
