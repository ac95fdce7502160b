"""Decisions told second by second, and what is measured of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from executor.quality.measures import DecisionMeasures, OrderMeasures, measure
from executor.quality.passages import Basis, Passage, Stage, passage_of
from executor.quality.tape import Tape, TapeBar
from tests.when_to_invest.samples import NOW, Story, order_intent
from when_to_invest import events as ev
from when_to_invest.canonical import canonical_bytes, utc_text
from when_to_invest.execution import TwapPlan
from when_to_invest.history import DecisionRecord, decisions
from when_to_invest.intents import Side
from when_to_invest.orders import OrderState, OrderStep

D = Decimal
MINUTE = timedelta(minutes=1)
LATER = NOW + timedelta(days=1)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def facts(price_usd: str, *, known_at: datetime = NOW) -> str:
    told = {"reference_price_usd": price_usd, "reference_known_at": utc_text(known_at)}
    return canonical_bytes(told).decode()


@dataclass
class Walk:
    """One decision; each step happens so many seconds after it was proposed."""

    n: int = 1
    changes: dict[str, Any] = field(default_factory=dict)
    decided: str | None = "100"
    arrival: str | None = "100"
    told: list[ev.Event] = field(default_factory=list)

    def story(self, seconds: float = 0) -> Story:
        given = {"quantity": D(10), "limit_price_usd": D(110)} | self.changes
        return Story(order_intent(**given), n=self.n, at=after(seconds))

    def tell(self, *events: ev.Event) -> Walk:
        self.told += events
        return self

    def judged(self, seconds: float, judge: ev.Judge, price_usd: str | None) -> ev.IntentJudged:
        event = self.story(seconds).judged(judge=judge)
        told = "{}" if price_usd is None else facts(price_usd)
        return event.model_copy(update={"facts_json": told})

    def received(self) -> Walk:
        """Propose, seal after 1 s, queue after 3, receive after 6, judge again."""
        self.tell(self.story().proposed(), self.judged(0, ev.Judge.GATE, self.decided))
        self.tell(self.story(1).sealed(), self.story(3).queued(), self.story(6).received())
        return self.tell(self.judged(6, ev.Judge.EXECUTOR, self.arrival))

    def sent(self, seconds: float = 10, **changes: Any) -> Walk:
        return self.tell(self.story(seconds).sending(**changes))

    def moved(self, seconds: float, step: OrderStep, *, order: str | None = None) -> Walk:
        return self.tell(self.story(seconds).moved(step, order=order))

    def filled(self, seconds: float, quantity: str, price_usd: str, **changes: Any) -> Walk:
        given = {"trade": f"t-{len(self.told)}", "price_usd": D(price_usd)} | changes
        return self.tell(self.story(seconds).filled(D(quantity), **given))

    @property
    def record(self) -> DecisionRecord:
        return decisions(self.told)[self.story().decision_id]

    @property
    def passage(self) -> Passage:
        found = passage_of(self.record)
        assert found is not None
        return found

    def measured(self, tape: Tape | None = None, *, now: datetime = LATER) -> DecisionMeasures:
        return measure(self.passage, tape or Tape(), now=now)


def planned_walk(n: int = 1, **changes: Any) -> Walk:
    """Return a decision with a plan that begins after 8 s, at a quote of 99.99 and 100.01."""
    walk = Walk(n, changes={"execution": TwapPlan(duration_s=600, slices=10), **changes}).received()
    return walk.tell(walk.story(8).planned(bid_usd=D("99.99"), ask_usd=D("100.01")))


def filled_at(
    price_usd: str, *, n: int = 1, quantity: str = "10", fee_usd: str = "0", **changes: Any
) -> Walk:
    """Return a decision whose one order filled 12 s after it was proposed."""
    walk = Walk(n, changes={"quantity": D(quantity), **changes}).received().sent()
    walk.moved(11, OrderStep.ACKNOWLEDGED)
    return walk.filled(12, quantity, price_usd, fee_usd=D(fee_usd))


def bar(minute: int, price_usd: str, volume: str | None = "1") -> TapeBar:
    price = D(price_usd)
    known = None if volume is None else D(volume)
    return TapeBar(NOW + minute * MINUTE, NOW + (minute + 1) * MINUTE, price, price, price, known)


def tape(*prices_usd: str, start: int = 0) -> Tape:
    return Tape(tuple(bar(start + place, price) for place, price in enumerate(prices_usd)))


def order(n: int = 0, **changes: Any) -> OrderMeasures:
    """Return an order that filled at once and cost nothing."""
    given: dict[str, Any] = {
        "decision_id": f"d-{n:024d}",
        "client_order_id": f"o-{n}",
        "venue": "paper",
        "instrument": "SPX",
        "side": Side.BUY,
        "sent_at": NOW,
        "state": OrderState.FILLED,
        "quantity": D(1),
        "limit_price_usd": D(100),
        "filled_quantity": D(1),
        "notional_usd": D(100),
        "average_price_usd": D(100),
        "fee_bps": D(5),
        "arrival_basis": Basis.QUOTE,
        "arrival_slippage_bps": D(0),
        "vwap_slippage_bps": D(0),
        "effective_spread_bps": D(0),
        "realised_spread_bps": D(0),
        "hops_s": {stage: D(1) for stage in (Stage.ACKNOWLEDGED, Stage.FIRST_FILL, Stage.LAST_FILL)},
        "unknown_age_s": None,
        "is_unknown": False,
    }
    return OrderMeasures(**given | changes)


def orders(count: int, **changes: Any) -> list[OrderMeasures]:
    return [order(n, **changes) for n in range(count)]


def in_doubt(age_s: int, *, n: int = 0, **changes: Any) -> OrderMeasures:
    given = {"state": OrderState.UNKNOWN, "unknown_age_s": D(age_s), "is_unknown": True}
    return order(n, **given | {"filled_quantity": D(0), "notional_usd": D(0)} | changes)


def all_orders(walks: Iterable[Walk]) -> list[OrderMeasures]:
    return [order for walk in walks for order in walk.measured().orders]
