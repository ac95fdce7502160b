"""One intent with everything the gate may know of it: a calm one, and strategies that spoil it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from policies.facts import Facts, gather_facts
from policies.gate import judge
from policies.limits import HARD_LIMITS, Limits
from when_to_invest.holdings import Position
from when_to_invest.instruments import Instrument, Interval, Session
from when_to_invest.intents import OrderIntent, Side, TimeInForce, decision_id_of
from when_to_invest.market import ReferencePrice, SessionRange
from when_to_invest.portfolio import AccountBook, Proposal, Reservation
from when_to_invest.recent import Recent, SealedOrder
from when_to_invest.values import Mode
from when_to_invest.verdicts import Approved, Held, Reason, Verdict
from when_to_invest.wealth import AccountWorth, Wealth

NOW = datetime(2018, 6, 1, 21, 0, tzinfo=UTC)
DECISION = decision_id_of(proposer="agent", request_id="r-1")
D = Decimal


def other_decision(n: int) -> str:
    return decision_id_of(proposer="agent", request_id=f"other-{n}")


def spx(**changes: Any) -> Instrument:
    given: dict[str, Any] = {
        "id": "SPX",
        "name": "S&P 500",
        "interval": Interval.DAY,
        "session": Session.EXCHANGE,
        "has_range": True,
        "has_volume": True,
        "lot_size": D("0.01"),
        "tick_size_usd": D("0.01"),
        "min_notional_usd": D(1),
    }
    return Instrument(**given | changes)


def session(
    low: str | Decimal = "99", high: str | Decimal = "101", *, before: str | Decimal = "100", **changes: Any
) -> SessionRange:
    """Return how far a session of an index went, calmly unless told otherwise."""
    given: dict[str, Any] = {"volatility": D("0.15"), "session": Session.EXCHANGE}
    return SessionRange(D(before), D(low), D(high), **given | changes)


CALM = session()


def price(
    usd: str | Decimal = "100",
    *,
    age_s: float = 3600,
    source: str = "recorded",
    went: SessionRange | None = CALM,
) -> ReferencePrice:
    return ReferencePrice(D(usd), NOW - timedelta(seconds=age_s), source, went)


def order(**changes: Any) -> OrderIntent:
    given: dict[str, Any] = {
        "mode": Mode.REPLAY,
        "account": "main",
        "venue": "paper",
        "instrument": "SPX",
        "side": Side.BUY,
        "quantity": D(10),
        "limit_price_usd": D(100),
        "time_in_force": TimeInForce.DAY,
        "proposer": "agent",
        "request_id": "r-1",
        "proposed_at": NOW,
    }
    return OrderIntent(**given | changes)


def reservation(quantity: str | Decimal, usd: str | Decimal = "100", **changes: Any) -> Reservation:
    given: dict[str, Any] = {"account": "main", "venue": "paper", "instrument": "SPX", "side": Side.BUY}
    return Reservation(**given | changes, quantity_open=D(quantity), worst_price_usd=D(usd))


def proposal(seconds_ago: float, **changes: Any) -> Proposal:
    """Return an earlier proposal of another size, by another caller, unless told otherwise."""
    given: dict[str, Any] = {
        "at": NOW - timedelta(seconds=seconds_ago),
        "decision_id": other_decision(int(seconds_ago * 1000)),
        "proposer": "another",
        "account": "main",
        "venue": "paper",
        "instrument": "SPX",
        "side": Side.BUY,
        "quantity": D("7.77"),
    }
    return Proposal(**given | changes)


def sealed(n: int, quantity: str | Decimal, *, hours_ago: float = 1, **changes: Any) -> SealedOrder:
    """Return an earlier sealed buy of SPX at 100 USD that nobody signed, unless told otherwise."""
    given: dict[str, Any] = {
        "at": NOW - timedelta(hours=hours_ago),
        "decision_id": other_decision(n),
        "account": "main",
        "venue": "paper",
        "instrument": "SPX",
        "side": Side.BUY,
        "limit_price_usd": D(100),
        "quantity_open": D(quantity),
    }
    return SealedOrder(**given | changes)


def traded(usd: str | Decimal, n: int = 0, **changes: Any) -> SealedOrder:
    """Return an earlier sealed order that two signed and that was executed in full."""
    return sealed(n, 0, **{"signatures": 2, "filled_usd": D(usd)} | changes)


def worth(
    day_start_usd: str | Decimal, *, peak_usd: str | Decimal | None = None, age_s: float = 60
) -> AccountWorth:
    """Return what an account was worth this morning, and at its peak."""
    start = D(day_start_usd)
    return AccountWorth(
        equity_usd=start,
        day_start_usd=start,
        peak_usd=start if peak_usd is None else D(peak_usd),
        marked_at=NOW - timedelta(seconds=age_s),
    )


def book(
    *,
    cash_usd: str | Decimal | None = "100000",
    held: Mapping[str, str | Decimal] | None = None,
    reserved: Mapping[str, Reservation] | None = None,
    proposals: Iterable[Proposal] = (),
    sealed_before: Iterable[SealedOrder] = (),
    was_worth: AccountWorth | None = None,
    **rest: Any,
) -> AccountBook:
    """Return a book of the account `main`; `held` maps instruments to base units.

    Unless `was_worth` says otherwise the account was worth its cash, so it has lost nothing.
    """
    positions = {("main", name): Position(D(amount), D(0)) for name, amount in (held or {}).items()}
    if was_worth is None and cash_usd is not None:
        was_worth = worth(cash_usd) if D(cash_usd).is_finite() else worth(0)
    return AccountBook(
        recent=Recent(sealed={item.decision_id: item for item in sealed_before}),
        wealth=Wealth({} if was_worth is None else {"main": was_worth}),
        cash_usd={} if cash_usd is None else {"main": D(cash_usd)},
        positions=positions,
        reservations=dict(reserved or {}),
        proposals=deque(proposals),
        **rest,
    )


@dataclass(frozen=True)
class Situation:
    """What the gate is asked, and what it knows. The plain one is approved."""

    intent: OrderIntent = field(default_factory=order)
    book: AccountBook = field(default_factory=book)
    instrument: Instrument | None = field(default_factory=spx)
    reference: ReferencePrice | None = field(default_factory=price)
    marks: Mapping[str, ReferencePrice] = field(default_factory=dict)
    approvers: frozenset[str] = frozenset()
    now: datetime = NOW
    mode: Mode = Mode.REPLAY
    recommendation_expires_at: datetime | None = None
    index: ReferencePrice | None = field(default_factory=lambda: price(age_s=0))
    is_sealed: bool = False
    """Whether the executor judges, an order that was sealed already."""

    def asking(self, **changes: Any) -> Situation:
        """Return it with another intent; `changes` are checked like any intent."""
        return replace(self, intent=OrderIntent(**dict(self.intent) | changes))

    def but(self, **changes: Any) -> Situation:
        return replace(self, **changes)

    def knowing(self, **changes: Any) -> Situation:
        """Return it with another book."""
        return replace(self, book=book(**changes))

    @property
    def facts(self) -> Facts:
        return gather_facts(
            self.intent,
            decision_id=DECISION,
            book=self.book,
            instrument=self.instrument,
            reference=self.reference,
            marks=self.marks,
            approvers=self.approvers,
            now=self.now,
            mode=self.mode,
            recommendation_expires_at=self.recommendation_expires_at,
            index=self.index,
            is_sealed=self.is_sealed,
        )

    def verdict(self, limits: Limits = HARD_LIMITS) -> Verdict:
        return judge(self.intent, self.facts, limits)

    def reasons(self, limits: Limits = HARD_LIMITS) -> tuple[Reason, ...]:
        verdict = self.verdict(limits)
        return () if isinstance(verdict, Approved) else verdict.reasons

    def codes(self, limits: Limits = HARD_LIMITS) -> set[str]:
        return {reason.code for reason in self.reasons(limits)}

    def objection(self, rule: str, limits: Limits = HARD_LIMITS) -> Reason | None:
        """Return what one rule said."""
        return next((reason for reason in self.reasons(limits) if reason.rule == rule), None)


def rank(verdict: Verdict) -> int:
    """Return how strict a verdict is: 0 approved, 1 held, 2 refused."""
    return 0 if isinstance(verdict, Approved) else 1 if isinstance(verdict, Held) else 2
