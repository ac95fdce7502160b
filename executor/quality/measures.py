"""Everything measured of one decision and of each of its orders. Pure.

Stage: passages and tape → summaries, alarms, reports, routing. Nothing later than `now` counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final

from executor.quality.figures import Figure, Missing, seconds_between
from executor.quality.passages import Basis, OrderPassage, Passage, PriceSeen, Stage, Traded
from executor.quality.shortfall import Prices, Shortfall, shortfall
from executor.quality.slippage import (
    average_price_usd,
    effective_spread_bps,
    realised_spread_bps,
    slippage_bps,
)
from executor.quality.tape import Tape
from when_to_invest.intents import Side
from when_to_invest.orders import OrderState
from when_to_invest.values import Mode

FRESH: Final = timedelta(seconds=60)
"""How old the middle may be that a trade is held against."""
LATER: Final = timedelta(minutes=5)
"""How long after a trade its realised spread looks."""
LONGEST_FINAL_AGE: Final = timedelta(days=5)
"""How old the price at the end may be, as the gate's limit on references."""


@dataclass(frozen=True, slots=True)
class OrderMeasures:
    """One order; seconds in `hops_s` are from its sending on. Above zero is a cost."""

    decision_id: str
    client_order_id: str
    venue: str
    instrument: str
    side: Side
    sent_at: datetime
    state: OrderState
    quantity: Decimal
    limit_price_usd: Decimal
    filled_quantity: Decimal
    notional_usd: Decimal
    """Executed, at the prices it was executed at."""
    average_price_usd: Figure
    fee_bps: Figure
    arrival_basis: Basis | None
    """What its arrival price was; none when there is none."""
    arrival_slippage_bps: Figure
    vwap_slippage_bps: Figure
    effective_spread_bps: Figure
    realised_spread_bps: Figure
    hops_s: Mapping[Stage, Figure]
    unknown_age_s: Decimal | None
    """How long nobody has known of it, or had not; none when it was never in doubt."""
    is_unknown: bool

    @property
    def is_rejected(self) -> bool:
        """Whether the venue would not have it."""
        return self.state is OrderState.REJECTED


@dataclass(frozen=True, slots=True)
class DecisionMeasures:
    """One decision with its orders; each hop in seconds since the stage before it that is known."""

    decision_id: str
    instrument: str
    side: Side
    at: datetime
    """When its first order left, or when it was proposed."""
    quantity: Decimal
    filled_quantity: Decimal
    is_over: bool
    average_price_usd: Figure
    decided: PriceSeen | Missing
    arrival: PriceSeen | Missing
    arrival_slippage_bps: Figure
    vwap_slippage_bps: Figure
    shortfall: Shortfall
    hops_s: Mapping[Stage, Figure]
    orders: tuple[OrderMeasures, ...]

    @property
    def notional_usd(self) -> Decimal:
        """Return what was executed, in USD."""
        return sum((order.notional_usd for order in self.orders), Decimal(0))

    @property
    def fill_ratio(self) -> Decimal:
        """Return the share of its quantity that was executed."""
        return self.filled_quantity / self.quantity


def measure(passage: Passage, tape: Tape, *, now: datetime) -> DecisionMeasures:
    """Return what can be said of a decision at `now`."""
    trades = [trade for trade in passage.trades if trade.at <= now]
    price_usd = average_price_usd(trades)
    return DecisionMeasures(
        decision_id=passage.decision_id,
        instrument=passage.instrument,
        side=passage.side,
        at=passage.instants.get(Stage.INTENDED, passage.instants[Stage.PROPOSED]),
        quantity=passage.quantity,
        filled_quantity=passage.filled_quantity,
        is_over=passage.ended_at is not None,
        average_price_usd=price_usd,
        decided=passage.decided,
        arrival=passage.arrival,
        arrival_slippage_bps=slippage_bps(
            passage.side, price_usd=price_usd, benchmark_usd=_price(passage.arrival)
        ),
        vwap_slippage_bps=slippage_bps(
            passage.side, price_usd=price_usd, benchmark_usd=_vwap(tape, passage.instants, trades)
        ),
        shortfall=_shortfall(passage, trades, tape, now=now),
        hops_s=hops(passage.instants, passage.mode),
        orders=tuple(_order(order, passage, tape, now=now) for order in passage.orders),
    )


def hops(instants: Mapping[Stage, datetime], mode: Mode) -> dict[Stage, Figure]:
    """Return for each stage but the first how long it took since the one before that is known.

    A replayed clock moves when it is told to: while it stood still nothing was measured.
    """
    found: dict[Stage, Figure] = {}
    reached = [stage for stage in Stage if stage in instants]
    for stage in list(Stage)[1:]:
        found[stage] = Missing("it was not reached, or nobody noted when")
    for before, stage in pairwise(reached):
        took_s = seconds_between(instants[before], instants[stage])
        found[stage] = took_s if took_s >= 0 else Missing(f"it was noted before {before.value}")
        if not took_s and mode is Mode.REPLAY:
            found[stage] = Missing("the replayed clock stood still")
    return found


def _price(seen: PriceSeen | Missing) -> Figure:
    return seen if isinstance(seen, Missing) else seen.price_usd


def _vwap(tape: Tape, instants: Mapping[Stage, datetime], trades: Sequence[Traded]) -> Figure:
    """Return the market's average from the first sending to the last trade."""
    if not trades or Stage.INTENDED not in instants:
        return Missing("nothing was executed")
    return tape.vwap_usd(instants[Stage.INTENDED], max(trade.at for trade in trades))


def _shortfall(passage: Passage, trades: Sequence[Traded], tape: Tape, *, now: datetime) -> Shortfall:
    final_usd: Figure = Missing("it is not over")
    if passage.ended_at is not None and passage.ended_at <= now:
        final_usd = tape.close_at(passage.ended_at, since=passage.ended_at - LONGEST_FINAL_AGE)
    prices = Prices(_price(passage.decided), _price(passage.arrival), final_usd)
    return shortfall(passage.side, quantity=passage.quantity, trades=trades, prices=prices)


def _order(order: OrderPassage, passage: Passage, tape: Tape, *, now: datetime) -> OrderMeasures:
    sent, side = order.sent, passage.side
    trades = [trade for trade in order.trades if trade.at <= now]
    price_usd = average_price_usd(trades)
    middle_usd, later_usd = _middles(passage, trades, tape, now=now)
    own = _instants(order)
    age_s, is_unknown = _doubt(order, now=now)
    return OrderMeasures(
        decision_id=passage.decision_id,
        client_order_id=sent.client_order_id,
        venue=sent.venue,
        instrument=sent.instrument,
        side=side,
        sent_at=sent.at,
        state=order.state,
        quantity=sent.quantity,
        limit_price_usd=sent.limit_price_usd,
        filled_quantity=order.filled_quantity,
        notional_usd=sum((trade.quantity * trade.price_usd for trade in trades), Decimal(0)),
        average_price_usd=price_usd,
        fee_bps=_fee_bps(trades),
        arrival_basis=None if isinstance(passage.arrival, Missing) else passage.arrival.basis,
        arrival_slippage_bps=slippage_bps(side, price_usd=price_usd, benchmark_usd=_price(passage.arrival)),
        vwap_slippage_bps=slippage_bps(side, price_usd=price_usd, benchmark_usd=_vwap(tape, own, trades)),
        effective_spread_bps=effective_spread_bps(side, price_usd=price_usd, middle_usd=middle_usd),
        realised_spread_bps=realised_spread_bps(
            side, price_usd=price_usd, middle_usd=middle_usd, later_usd=later_usd
        ),
        hops_s=_from_sending(own, passage.mode),
        unknown_age_s=age_s,
        is_unknown=is_unknown,
    )


def _instants(order: OrderPassage) -> dict[Stage, datetime]:
    found = {Stage.INTENDED: order.sent.at}
    if order.acknowledged_at is not None:
        found[Stage.ACKNOWLEDGED] = order.acknowledged_at
    if order.trades:
        found[Stage.FIRST_FILL] = min(trade.at for trade in order.trades)
        if order.ended_at is not None:
            found[Stage.LAST_FILL] = max(trade.at for trade in order.trades)
    return found


def _from_sending(instants: Mapping[Stage, datetime], mode: Mode) -> dict[Stage, Figure]:
    following = (Stage.ACKNOWLEDGED, Stage.FIRST_FILL, Stage.LAST_FILL)
    return {stage: took for stage, took in hops(instants, mode).items() if stage in following}


def _doubt(order: OrderPassage, *, now: datetime) -> tuple[Decimal | None, bool]:
    """Return how long an order has been, or was, in doubt, and whether it still is."""
    since = order.in_doubt_since
    if since is not None:
        return max(seconds_between(since, now), Decimal(0)), True
    if order.lost_at is not None and order.found_at is not None:
        return seconds_between(order.lost_at, order.found_at), False
    return None, False


def _fee_bps(trades: Sequence[Traded]) -> Figure:
    paid = [trade.fee_usd for trade in trades if trade.fee_usd is not None]
    if not trades or len(paid) < len(trades):
        return Missing("nothing was executed, or without a known fee")
    notional_usd = sum((trade.quantity * trade.price_usd for trade in trades), Decimal(0))
    return sum(paid, Decimal(0)) / notional_usd * 10_000


def _middles(
    passage: Passage, trades: Sequence[Traded], tape: Tape, *, now: datetime
) -> tuple[Figure, Figure]:
    """Return the market's middle at an order's first trade, and a while after its last."""
    if not trades:
        missing = Missing("nothing was executed")
        return missing, missing
    first, last = min(trade.at for trade in trades), max(trade.at for trade in trades)
    middle_usd: Figure = tape.close_at(first, since=first - FRESH)
    planned = passage.planned
    if planned is not None and timedelta(0) <= first - planned.quoted_at <= FRESH:
        middle_usd = planned.arrival_usd
    if last + LATER > now:
        return middle_usd, Missing(f"{int(LATER.total_seconds())} s have not passed since its last trade")
    return middle_usd, tape.close_at(last + LATER, since=last)
