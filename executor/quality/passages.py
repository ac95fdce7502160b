"""The way of one decision from proposal to last fill, read from its events. Pure.

Stage: journal → measures. Nothing is guessed: an instant that no event tells is absent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum, unique

from executor.quality.figures import Missing
from when_to_invest import events as ev
from when_to_invest.history import FINAL_STATES, DecisionRecord, OrderRecord
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.orders import OrderState, OrderStep
from when_to_invest.values import Mode
from when_to_invest.workings import ExecutionFinished, ExecutionPlanned


@unique
class Stage(StrEnum):
    """Where a decision may be on its way, in order."""

    PROPOSED = "proposed"
    SEALED = "sealed"
    QUEUED = "queued"
    RECEIVED = "received"
    INTENDED = "intended"
    ACKNOWLEDGED = "acknowledged"
    FIRST_FILL = "first_fill"
    LAST_FILL = "last_fill"


@unique
class Basis(StrEnum):
    """What a price at arrival is: the middle of a quote, or the last close before it."""

    QUOTE = "quote"
    LAST_CLOSE = "last_close"


@dataclass(frozen=True, slots=True)
class PriceSeen:
    """A price in USD that was known at `known_at`."""

    price_usd: Decimal
    known_at: datetime
    basis: Basis


@dataclass(frozen=True, slots=True)
class Traded:
    """A part that was executed; a fee is unknown where people settled it."""

    at: datetime
    quantity: Decimal
    price_usd: Decimal
    fee_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class OrderPassage:
    """One order: when it left, was acknowledged, and ended; since and until when nobody knew of it."""

    sent: ev.SendIntended
    state: OrderState
    trades: tuple[Traded, ...]
    acknowledged_at: datetime | None = None
    ended_at: datetime | None = None
    lost_at: datetime | None = None
    found_at: datetime | None = None

    @property
    def filled_quantity(self) -> Decimal:
        """Return what was executed, in base units."""
        return sum((trade.quantity for trade in self.trades), Decimal(0))

    @property
    def in_doubt_since(self) -> datetime | None:
        """Return since when nobody knows what the venue did; none when that is known."""
        if self.state is OrderState.SEND_INTENDED:
            return self.sent.at
        return self.lost_at if self.found_at is None else None


@dataclass(frozen=True, slots=True)
class Passage:
    """One decision's way; `decided` and `arrival` are the prices when it was proposed, and when sent."""

    decision_id: str
    instrument: str
    side: Side
    quantity: Decimal
    mode: Mode
    """Of the clock that its instants are of."""
    instants: Mapping[Stage, datetime]
    decided: PriceSeen | Missing
    arrival: PriceSeen | Missing
    planned: ExecutionPlanned | None
    orders: tuple[OrderPassage, ...]
    ended_at: datetime | None

    @property
    def trades(self) -> tuple[Traded, ...]:
        """Return everything executed, oldest first."""
        return tuple(sorted((t for order in self.orders for t in order.trades), key=lambda trade: trade.at))

    @property
    def filled_quantity(self) -> Decimal:
        """Return what was executed, in base units."""
        return sum((order.filled_quantity for order in self.orders), Decimal(0))


_STAGE_OF = {
    ev.IntentProposed: Stage.PROPOSED,
    ev.EnvelopeSealed: Stage.SEALED,
    ev.EnvelopeQueued: Stage.QUEUED,
    ev.EnvelopeReceived: Stage.RECEIVED,
    ev.SendIntended: Stage.INTENDED,
}
_UNSEEN = frozenset({OrderStep.LOST_SIGHT, OrderStep.QUARANTINED})
_ENDINGS = frozenset({OrderStep.REJECTED, OrderStep.CANCELLED, OrderStep.EXPIRED, OrderStep.PROVEN_ABSENT})


def passage_of(record: DecisionRecord) -> Passage | None:
    """Return the way of a decision that had something sealed; none of a chain transfer, or before."""
    intent = record.intent
    if not isinstance(intent, OrderIntent) or record.envelope is None:
        return None
    told = _by_order(record)
    orders = tuple(_order(order, told[name]) for name, order in record.orders.items())
    planned = next((each for each in record.events if isinstance(each, ExecutionPlanned)), None)
    return Passage(
        decision_id=record.decision_id,
        instrument=intent.instrument,
        side=intent.side,
        quantity=intent.quantity,
        mode=intent.mode,
        instants=_instants(record, orders),
        decided=_reference(record, ev.Judge.GATE),
        arrival=_of_quote(planned) if planned else _reference(record, ev.Judge.EXECUTOR),
        planned=planned,
        orders=orders,
        ended_at=_ended_at(record, orders),
    )


def _instants(record: DecisionRecord, orders: tuple[OrderPassage, ...]) -> dict[Stage, datetime]:
    """Return when each stage was first reached; the last fill only once nothing more can trade."""
    found: dict[Stage, datetime] = {}
    for event in record.events:
        if (stage := _STAGE_OF.get(type(event))) is not None:
            found.setdefault(stage, event.at)
    known = [order.acknowledged_at for order in orders if order.acknowledged_at]
    if known:
        found[Stage.ACKNOWLEDGED] = min(known)
    filled = [trade.at for order in orders for trade in order.trades]
    if filled:
        found[Stage.FIRST_FILL] = min(filled)
    if filled and record.state in FINAL_STATES:
        found[Stage.LAST_FILL] = max(filled)
    return found


def _ended_at(record: DecisionRecord, orders: tuple[OrderPassage, ...]) -> datetime | None:
    """Return when nothing of it could trade any more; none while something can."""
    if record.state not in FINAL_STATES or record.is_open:
        return None
    finished = [event.at for event in record.events if isinstance(event, ExecutionFinished)]
    ends = [order.ended_at for order in orders if order.ended_at]
    return max([*finished, *ends], default=record.events[-1].at)


def _of_quote(planned: ExecutionPlanned) -> PriceSeen:
    return PriceSeen(planned.arrival_usd, planned.quoted_at, Basis.QUOTE)


def _reference(record: DecisionRecord, judge: ev.Judge) -> PriceSeen | Missing:
    """Return the independent price that a judgement was made on: the last one before anything was sent."""
    found: PriceSeen | Missing = Missing(f"the journal holds no judgement of the {judge.value}")
    for event in record.events:
        if isinstance(event, ev.SendIntended):
            break
        if isinstance(event, ev.IntentJudged) and event.judge is judge:
            found = _price_in(event.facts_json)
            if judge is ev.Judge.GATE:
                break
    return found


def _price_in(facts_json: str) -> PriceSeen | Missing:
    missing = Missing("the judgement knew no reference price")
    try:
        facts = json.loads(facts_json)
        price_usd = Decimal(str(facts["reference_price_usd"]))
        known_at = datetime.fromisoformat(facts["reference_known_at"])
    except (ValueError, KeyError, TypeError, InvalidOperation):
        return missing
    if not price_usd.is_finite() or price_usd <= 0 or known_at.tzinfo is None:
        return missing
    return PriceSeen(price_usd, known_at, Basis.LAST_CLOSE)


_OrderEvent = ev.OrderMoved | ev.OrderFilled | ev.OrderSettled


def _by_order(record: DecisionRecord) -> dict[str, list[_OrderEvent]]:
    """Return what happened to each order, in order; a trade that was told twice counts once."""
    found: dict[str, list[_OrderEvent]] = {name: [] for name in record.orders}
    trades: set[tuple[str, str, str]] = set()
    for event in record.events:
        if not isinstance(event, _OrderEvent):
            continue
        if isinstance(event, ev.OrderFilled):
            if event.trade in trades:
                continue
            trades.add(event.trade)
        found[event.client_order_id].append(event)
    return found


def _order(order: OrderRecord, told: list[_OrderEvent]) -> OrderPassage:
    answers = [each.at for each in told if _step(each) is OrderStep.ACKNOWLEDGED]
    ends = [each.at for each in told if _is_end(each)]
    lost_at = min((each.at for each in told if _step(each) in _UNSEEN), default=None)
    known = [each.at for each in told if _step(each) not in _UNSEEN]
    return OrderPassage(
        sent=order.sent,
        state=order.state,
        trades=tuple(trade for each in told if (trade := _trade(each)) is not None),
        acknowledged_at=min(answers, default=None),
        ended_at=min(ends, default=None) if not order.is_open else None,
        lost_at=lost_at,
        found_at=min((at for at in known if lost_at is not None and at >= lost_at), default=None),
    )


def _step(event: _OrderEvent) -> OrderStep | None:
    return event.step if isinstance(event, ev.OrderMoved) else None


def _is_end(event: _OrderEvent) -> bool:
    if isinstance(event, ev.OrderFilled):
        return event.is_last
    return isinstance(event, ev.OrderSettled) or event.step in _ENDINGS


def _trade(event: _OrderEvent) -> Traded | None:
    if isinstance(event, ev.OrderFilled):
        return Traded(event.at, event.quantity, event.price_usd, event.fee_usd)
    if isinstance(event, ev.OrderSettled) and event.quantity and event.price_usd is not None:
        return Traded(event.at, event.quantity, event.price_usd, None)
    return None
