"""A long journal as a busy home has it: every kind of life that a decision takes, day after day.

Each life's events are made once, through the real types, and written again and again under other
ids and times. About a thousand decisions a day, four in five of them traded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

from ledger.sqlite_journal import open_journal
from market_data.recorded import RECORDINGS
from policies.facts import gather_facts
from policies.limits import HARD_LIMITS
from when_to_invest import events as ev
from when_to_invest.approvals import Approval
from when_to_invest.canonical import utc_text
from when_to_invest.domains import SigningDomain
from when_to_invest.envelopes import Envelope, EnvelopeContent
from when_to_invest.instruments import Session
from when_to_invest.intents import OrderIntent, Side, TimeInForce, decision_id_of
from when_to_invest.market import ReferencePrice, SessionRange
from when_to_invest.marks import AccountMarked, Mark
from when_to_invest.orders import OrderStep
from when_to_invest.portfolio import AccountBook
from when_to_invest.values import Mode
from when_to_invest.verdicts import Reason

START: Final = datetime(2015, 1, 1, 14, 0, tzinfo=UTC)
APART: Final = timedelta(seconds=86)
A_COMMIT: Final = 2_000
LIVES: Final = 10
REFUSED: Final = (4, 9)
"""Which of ten lives end at the gate."""
HASH: Final = "ab" * 32
ADDRESS: Final = "0x" + "a1" * 20
SIGNATURE: Final = "0x" + "0b" * 65
_OLD: Final = decision_id_of(proposer="agent", request_id="life")
_OLD_AT: Final = b"2015-01-01T14:00:00Z"


@dataclass(frozen=True, slots=True)
class _Written:
    """An event as the journal stores it."""

    content: bytes

    def canonical(self) -> bytes:
        """Return the stored form."""
        return self.content


def write_journal(path: Path, *, events: int) -> int:
    """Write a journal of at least `events` events; return how many."""
    with closing(open_journal(path)) as journal:
        waiting: list[_Written] = []
        for life in _lives():
            waiting += life
            if len(waiting) >= A_COMMIT or journal.head().sequence + len(waiting) >= events:
                journal.append(cast("Sequence[ev.Event]", waiting))
                waiting = []
                if journal.head().sequence >= events:
                    return journal.head().sequence
    raise AssertionError


def _lives() -> Iterator[list[_Written]]:
    made = [[event.canonical() for event in life(n)] for n in range(LIVES)]
    funded = ev.AccountFunded(at=START, mode=Mode.REPLAY, account="main", cash_usd=Decimal("1e12"))
    yield [_Written(funded.canonical())]
    n = 0
    while True:
        n += 1
        yield [_Written(content) for content in _renamed(made[n % LIVES], n)]


def _renamed(life: Sequence[bytes], n: int) -> Iterator[bytes]:
    name = hashlib.sha256(b"%d" % n).hexdigest()[:24].encode()
    at = utc_text(START + n * APART).encode()
    for content in life:
        yield content.replace(_OLD[2:].encode(), name).replace(_OLD_AT, at)


def life(n: int) -> list[ev.Event]:
    """Return what happens to one decision of the nth kind (below `LIVES`); a trade is followed by a mark."""
    intent = _intent(Side.BUY if n % 2 else Side.SELL)
    about: dict[str, Any] = {"at": START, "mode": Mode.REPLAY, "decision_id": _OLD}
    proposed = ev.IntentProposed(**about, caller="agent", intent=intent)
    if n in REFUSED:
        return [proposed, _judged(about, intent, ev.Outcome.REFUSED)]
    trade: dict[str, Any] = {
        "client_order_id": "o-" + _OLD[2:],
        "venue": "paper",
        "instrument": "SPX",
        "side": intent.side,
        "quantity": intent.quantity,
    }
    message_id = "5fea7756-0ea4-451a-a703-a558b933e274"
    return [
        proposed,
        _judged(about, intent, ev.Outcome.APPROVED),
        ev.EnvelopeSealed(**about, envelope=_envelope(intent)),
        ev.EnvelopeQueued(**about, message_id=message_id),
        _judged(about, intent, ev.Outcome.APPROVED, judge=ev.Judge.EXECUTOR),
        ev.EnvelopeReceived(**about, message_id=message_id),
        ev.SendIntended(**about, **trade, attempt=1, limit_price_usd=intent.limit_price_usd),
        ev.OrderMoved(
            **about,
            client_order_id=trade["client_order_id"],
            step=OrderStep.ACKNOWLEDGED,
            venue_order_id="v-1",
        ),
        ev.OrderFilled(
            **about,
            **trade,
            account="main",
            trade_id="t-" + _OLD[2:],
            price_usd=Decimal("2748.1"),
            fee_usd=Decimal("4.81"),
            is_last=True,
        ),
        _marked(),
    ]


def _intent(side: Side) -> OrderIntent:
    return OrderIntent(
        mode=Mode.REPLAY,
        account="main",
        venue="paper",
        instrument="SPX",
        side=side,
        quantity=Decimal("3.5"),
        limit_price_usd=Decimal("2750.25"),
        time_in_force=TimeInForce.DAY,
        why="the odds of a fall have come down",
        proposer="agent",
        request_id=_OLD[2:],
        proposed_at=START,
    )


def _judged(
    about: dict[str, Any], intent: OrderIntent, outcome: ev.Outcome, *, judge: ev.Judge = ev.Judge.GATE
) -> ev.IntentJudged:
    facts = gather_facts(
        intent,
        decision_id=_OLD,
        book=AccountBook(),
        instrument=RECORDINGS["SPX"].instrument,
        reference=_REFERENCE,
        marks={"SPX": _REFERENCE},
        approvers=frozenset(),
        now=START,
        mode=Mode.REPLAY,
    )
    return ev.IntentJudged(
        **about,
        judge=judge,
        outcome=outcome,
        reasons=(_REASON,) if outcome is ev.Outcome.REFUSED else (),
        approvals_needed=0,
        facts_hash=facts.digest(),
        facts_json=facts.canonical().decode(),
        limits_hash=HARD_LIMITS.digest(),
    )


def _envelope(intent: OrderIntent) -> Envelope:
    domain = SigningDomain(home_id=HASH, chain_id=31_337)
    approval = Approval(
        decision_id=_OLD,
        intent_hash=intent.digest(),
        mode=intent.mode,
        approver="alice",
        address=ADDRESS,
        expires_at=START,
        signature=SIGNATURE,
        domain=domain,
    )
    content = EnvelopeContent(
        decision_id=_OLD,
        mode=intent.mode,
        intent=intent,
        intent_hash=intent.digest(),
        facts_hash=HASH,
        limits_hash=HASH,
        approvals=(approval,),
        sealed_at=START,
        expires_at=START + timedelta(minutes=15),
    )
    return Envelope(content=content, seal_address=ADDRESS, seal=SIGNATURE)


def _marked() -> AccountMarked:
    mark = Mark(instrument="SPX", price_usd=Decimal(2750), known_at=START, source="recorded")
    return AccountMarked(
        at=START, mode=Mode.REPLAY, account="main", equity_usd=Decimal("100000.5"), marks=(mark,)
    )


_REASON: Final = Reason(
    code="notional_cap",
    rule="order_notional",
    limit="25000",
    attempted="30000",
    overage="5000",
    unit="USD",
    fix="ask for less",
)
_REFERENCE: Final = ReferencePrice(
    Decimal("2749.5"),
    START,
    "recorded",
    SessionRange(Decimal(2740), Decimal(2730), Decimal(2760), Decimal("0.15"), Session.EXCHANGE),
)
