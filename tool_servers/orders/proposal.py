"""What a caller asks for, and the exact intent it becomes: sized, priced, rounded inward.

Pure. The caller names dollars; quantity and limit price are decided here, so that a model
never does the arithmetic. Rounding only ever shrinks: quantity to the lot below, a buy's
limit to the tick below, a sell's to the tick above.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_UP, Decimal
from typing import Final

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.execution import MOST_SLICES, Execution, fits
from when_to_invest.instruments import Instrument
from when_to_invest.intents import OrderIntent, Side, TimeInForce
from when_to_invest.market import ReferencePrice
from when_to_invest.money import BPS_PER_UNIT, decimal_text, floor_to_step
from when_to_invest.values import Mode

DEFAULT_COLLAR_BPS: Final = Decimal(100)
"""How far from the reference the limit lies when the caller names none."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One request; amounts in USD, `limit_price_usd` none for the default limit."""

    instrument: str
    side: Side
    notional_usd: Decimal
    limit_price_usd: Decimal | None
    recommendation_id: str | None
    request_id: str
    execution: Execution | None = None
    """How it is to be worked; none for one order at the limit."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and when an intent is made; never chosen by the caller."""

    mode: Mode
    account: str
    venue: str
    now: datetime


def limit_price_usd(
    proposal: Proposal, *, instrument: Instrument, reference: ReferencePrice | None
) -> Decimal:
    """Return the limit in USD: the caller's or reference ± 100 bps, rounded inward to a tick.

    Raises:
        Fault: `no_data` without either; `bad_amount` when a buy's limit rounds to zero.
    """
    wanted_usd = proposal.limit_price_usd
    if wanted_usd is None:
        if reference is None:
            raise Fault(
                ErrorCode.NO_DATA,
                f"{instrument.id} has no reference price yet",
                fix="wait for its first closed bar, or import newer data",
            )
        wanted_usd = reference.price_usd * (1 + proposal.side.sign * DEFAULT_COLLAR_BPS / BPS_PER_UNIT)
    rounded_usd = rounded_inward(wanted_usd, side=proposal.side, tick_usd=instrument.tick_size_usd)
    if rounded_usd <= 0:
        raise Fault(
            ErrorCode.BAD_AMOUNT,
            f"a limit of {decimal_text(wanted_usd)} USD lies below one tick",
            fix=f"give a limit of at least {decimal_text(instrument.tick_size_usd)} USD",
        )
    return rounded_usd


def rounded_inward(price_usd: Decimal, *, side: Side, tick_usd: Decimal) -> Decimal:
    """Return the multiple of a tick that gives a buyer no more, a seller no less than asked."""
    if side is Side.BUY:
        return floor_to_step(price_usd, tick_usd)
    return (price_usd / tick_usd).to_integral_value(rounding=ROUND_UP) * tick_usd


def quantity_of(notional_usd: Decimal, *, limit_usd: Decimal, instrument: Instrument) -> Decimal:
    """Return how many base units `notional_usd` buys at the limit, in whole lots."""
    return floor_to_step(notional_usd / limit_usd, instrument.lot_size)


def intent_of(
    proposal: Proposal,
    *,
    proposer: str,
    instrument: Instrument,
    reference: ReferencePrice | None,
    setting: Setting,
) -> OrderIntent:
    """Return the intent that the gate will judge.

    Raises:
        Fault: `bad_amount` when the amount buys less than one lot, or what the limit raises.
    """
    limit_usd = limit_price_usd(proposal, instrument=instrument, reference=reference)
    quantity = quantity_of(proposal.notional_usd, limit_usd=limit_usd, instrument=instrument)
    if quantity <= 0:
        smallest_usd = instrument.lot_size * limit_usd
        raise Fault(
            ErrorCode.BAD_AMOUNT,
            f"{decimal_text(proposal.notional_usd)} USD is less than one lot of {instrument.id}",
            fix=f"give at least {decimal_text(smallest_usd)} USD",
        )
    _demand_fit(proposal.execution, quantity)
    return OrderIntent(
        mode=setting.mode,
        account=setting.account,
        venue=setting.venue,
        instrument=instrument.id,
        side=proposal.side,
        quantity=quantity,
        limit_price_usd=limit_usd,
        time_in_force=TimeInForce.DAY,
        recommendation_id=proposal.recommendation_id,
        proposer=proposer,
        request_id=proposal.request_id,
        proposed_at=setting.now,
        execution=proposal.execution,
    )


def _demand_fit(execution: Execution | None, quantity: Decimal) -> None:
    if execution is not None and not fits(execution, quantity):
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"an iceberg of {decimal_text(quantity)} shows at most all, at least one part in {MOST_SLICES}",
            fix="show another display_quantity, or propose another amount",
        )


def ensure_same_request(proposal: Proposal, recorded: OrderIntent, instrument: Instrument) -> None:
    """Check that a repeated request asks for what was recorded under its id.

    The recorded limit stands for a default one: the reference may have moved since.

    Raises:
        Fault: `bad_argument` when it asks for something else.
    """
    limit_usd = recorded.limit_price_usd
    asked_limit_usd = limit_usd
    if proposal.limit_price_usd is not None:
        asked_limit_usd = rounded_inward(
            proposal.limit_price_usd, side=proposal.side, tick_usd=instrument.tick_size_usd
        )
    asked = (
        proposal.instrument,
        proposal.side,
        proposal.recommendation_id,
        asked_limit_usd,
        proposal.execution,
        quantity_of(proposal.notional_usd, limit_usd=limit_usd, instrument=instrument),
    )
    plan = recorded.execution
    known = (
        recorded.instrument,
        recorded.side,
        recorded.recommendation_id,
        limit_usd,
        plan,
        recorded.quantity,
    )
    if asked != known:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"request_id {proposal.request_id!r} was used for another order",
            fix="use a new request_id for a new order, or repeat the first arguments exactly",
        )
