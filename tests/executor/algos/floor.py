"""A trading floor for algorithms: plans in progress, quotes, and what a venue may do with a child."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from executor.algos.choosing import next_child
from executor.algos.moves import CancelChild, Market, Move, NextChild
from executor.algos.progress import Child, Progress, Terms
from when_to_invest.execution import Execution
from when_to_invest.intents import Side
from when_to_invest.orders import OrderState
from when_to_invest.quotes import Quote

D = Decimal
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TERMS = Terms(lot_size=D("0.01"), tick_size_usd=D("0.01"), min_quantity=D("0.01"), min_notional_usd=D(1))


def quote(bid_usd: str | Decimal = "99.99", ask_usd: str | Decimal = "100.01", **changes: Any) -> Quote:
    given: dict[str, Any] = {"instrument": "SPX", "at": NOON, "bid_quantity": D(5), "ask_quantity": D(5)}
    return Quote(**given | changes, bid_usd=D(bid_usd), ask_usd=D(ask_usd))


def progress(plan: Execution, **changes: Any) -> Progress:
    given: dict[str, Any] = {
        "instrument": "SPX",
        "side": Side.BUY,
        "quantity": D(10),
        "limit_price_usd": D(102),
        "terms": TERMS,
        "arrival_usd": D(100),
        "starts_at": NOON,
        "ends_at": NOON + timedelta(seconds=plan.duration_s),
    }
    return Progress(**given | changes)


def child(**changes: Any) -> Child:
    given: dict[str, Any] = {
        "client_order_id": "c-0",
        "slice_index": 0,
        "attempt": 1,
        "quantity": D(1),
        "filled_quantity": D(0),
        "limit_price_usd": D("100.01"),
        "state": OrderState.ACKNOWLEDGED,
        "sent_at": NOON,
    }
    return Child(**given | changes)


@dataclass
class Desk:
    """One plan being worked; the test says what the venue does and when it is looked at."""

    plan: Execution
    progress: Progress
    now: datetime = NOON

    @property
    def open(self) -> Child | None:
        return next((item for item in self.progress.children if item.is_open), None)

    def look(self, market: Market | None = None) -> Move:
        """Ask for the next step; the quote is of this very moment unless told otherwise."""
        return next_child(self.plan, progress=self.progress, market=market or self.market(), now=self.now)

    def market(self, bid_usd: str | Decimal = "99.99", ask_usd: str | Decimal = "100.01") -> Market:
        return Market(quote(bid_usd, ask_usd, at=self.now), traded_quantity=D(1_000_000))

    def send(self, move: NextChild, state: OrderState = OrderState.ACKNOWLEDGED) -> Child:
        """Write the child down, in the state that the venue's answer left it in."""
        sent = Child(
            client_order_id=f"c-{len(self.progress.children)}",
            slice_index=move.slice_index,
            attempt=move.attempt,
            quantity=move.quantity,
            filled_quantity=D(0),
            limit_price_usd=move.limit_price_usd,
            state=state,
            sent_at=self.now,
        )
        self.progress = replace(self.progress, children=(*self.progress.children, sent))
        return sent

    def change(self, which: Child, **changes: Any) -> None:
        """Let something happen to a child."""
        children = tuple(replace(c, **changes) if c is which else c for c in self.progress.children)
        self.progress = replace(self.progress, children=children)

    def fill(self, which: Child, quantity: Decimal | None = None) -> None:
        filled = which.quantity if quantity is None else which.filled_quantity + quantity
        state = OrderState.FILLED if filled == which.quantity else OrderState.PARTLY_FILLED
        self.change(which, filled_quantity=filled, state=state)

    def work(self, *, step: timedelta, until: datetime | None = None) -> list[NextChild]:
        """Look at every step; whatever is sent fills at once, whatever is cancelled ends."""
        sent: list[NextChild] = []
        while self.now <= (until or self.progress.ends_at):
            move = self.look()
            if isinstance(move, NextChild):
                sent.append(move)
                self.fill(self.send(move))
            elif isinstance(move, CancelChild) and self.open:
                self.change(self.open, state=OrderState.CANCELLED)
            self.now += step
        return sent
