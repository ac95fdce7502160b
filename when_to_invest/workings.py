"""What happens to an order that is worked by a plan: begun, amended, over. Events and their fold.

Stage: executor → journal; an amendment comes from a caller. An amendment only tightens: whatever it
says, less is wanted after it, or at a stricter price, never more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from when_to_invest.callers import Identity
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.execution import LONGEST_S, Ending
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.money import NonNegativeDecimal, PositiveDecimal
from when_to_invest.orders import TERMINAL, OrderState
from when_to_invest.values import DecisionId, Instant, Mode, Name, Value


class ExecutionPlanned(Value):
    """The executor began to work an order: until when, what the market showed, what the venue takes."""

    kind: Literal["execution_planned"] = "execution_planned"
    at: Instant
    mode: Mode
    decision_id: DecisionId
    starts_at: Instant
    ends_at: Instant
    bid_usd: PositiveDecimal
    ask_usd: PositiveDecimal
    quoted_at: Instant
    lot_size: PositiveDecimal
    tick_size_usd: PositiveDecimal
    min_quantity: NonNegativeDecimal
    min_notional_usd: NonNegativeDecimal

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not timedelta(0) < self.ends_at - self.starts_at <= timedelta(seconds=LONGEST_S):
            raise ValueError(f"a window lasts up to {LONGEST_S} seconds")
        if self.bid_usd >= self.ask_usd:
            raise ValueError("the bid lies below the ask")
        return self

    @property
    def arrival_usd(self) -> Decimal:
        """Return the middle of the quote at which it began, in USD."""
        return (self.bid_usd + self.ask_usd) / 2


class ExecutionFinished(Value):
    """Nothing more is sent for a plan; what it reserved for the rest is free."""

    kind: Literal["execution_finished"] = "execution_finished"
    at: Instant
    mode: Mode
    decision_id: DecisionId
    ending: Ending
    unfilled_quantity: NonNegativeDecimal
    why: str = Field(default="", max_length=500)


class OrderAmended(Value):
    """A caller wants less in all, or a stricter limit, of an order that a plan works."""

    kind: Literal["order_amended"] = "order_amended"
    at: Instant
    mode: Mode
    decision_id: DecisionId
    caller: Name
    quantity: PositiveDecimal
    limit_price_usd: PositiveDecimal
    identity: Identity | None = None


WorkingFact = ExecutionPlanned | ExecutionFinished | OrderAmended


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of an order by now: `quantity` in all, at `limit_price_usd` or better."""

    side: Side
    quantity: Decimal
    limit_price_usd: Decimal

    def after(self, event: OrderAmended) -> Wish:
        """Return the stricter of both, figure by figure."""
        stricter = min if self.side is Side.BUY else max
        limit_usd = stricter(self.limit_price_usd, event.limit_price_usd)
        return Wish(self.side, min(self.quantity, event.quantity), limit_usd)

    def is_tightened_by(self, event: OrderAmended) -> bool:
        """Whether an amendment makes something stricter and nothing looser."""
        wanted = self.after(event)
        is_met = (wanted.quantity, wanted.limit_price_usd) == (event.quantity, event.limit_price_usd)
        return is_met and wanted != self


def wish_of(intent: OrderIntent) -> Wish:
    """Return what was wanted at first."""
    return Wish(intent.side, intent.quantity, intent.limit_price_usd)


@dataclass(slots=True)
class Working:
    """Mutable fold: one plan from the first of its events."""

    wish: Wish
    planned: ExecutionPlanned | None = None
    finished: ExecutionFinished | None = None

    def apply(self, event: WorkingFact, *, orders: Iterable[OrderState]) -> None:
        """Advance by one event; `orders` are the states of what was sent.

        Raises:
            Fault: `illegal_transition`; a plan begins once, and ends once when nothing is open.
        """
        if isinstance(event, OrderAmended):
            self.wish = self.wish.after(event)
        elif isinstance(event, ExecutionPlanned):
            if self.planned is not None or self.finished is not None:
                raise out_of_order(event.decision_id, "was begun a second time")
            self.planned = event
        else:
            if self.planned is None or self.finished is not None:
                raise out_of_order(event.decision_id, "ended before it began, or twice")
            demand_ended(event.decision_id, orders)
            self.finished = event


def demand_ended(decision_id: str, orders: Iterable[OrderState]) -> None:
    """Return when no order of a plan can trade any more.

    Raises:
        Fault: `illegal_transition`; what may trade stays reserved.
    """
    if any(state not in TERMINAL for state in orders):
        raise out_of_order(decision_id, "cannot end: an order of it is open")


def demand_sendable(decision_id: str, intent: Any, working: Working | None, *, slice_index: int) -> None:
    """Return when an order may be sent: of a plan between its beginning and its end, or without any.

    Raises:
        Fault: `illegal_transition` when it may not.
    """
    if getattr(intent, "execution", None) is None:
        if slice_index:
            raise out_of_order(decision_id, "has no plan, and so no slices")
    elif working is None or working.planned is None or working.finished is not None:
        raise out_of_order(decision_id, "is not being worked")


def out_of_order(decision_id: str, what: str) -> Fault:
    """Return the fault of a history in which a plan's events do not fit."""
    return Fault(
        ErrorCode.ILLEGAL_TRANSITION,
        f"{decision_id} {what}",
        fix="verify the journal; an event was recorded out of order",
    )
