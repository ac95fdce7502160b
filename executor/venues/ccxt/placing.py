"""Places an order: checked, sent once, and what failed is told apart. Stage: executor → venue.

Nothing here sends a request a second time. A refusal that a second copy of a request could
have met is looked up before it is believed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any

from executor.identity import has_shape
from executor.venues.ccxt.amounts import text
from executor.venues.ccxt.classify import BEYOND_DOUBT, Outcome, outcome_of
from executor.venues.ccxt.desk import Desk
from executor.venues.ccxt.dialects import Validity
from executor.venues.ccxt.line import MissedError
from executor.venues.ccxt.pacing import NotNowError
from executor.venues.ccxt.skew import MOST_SKEW
from executor.venues.ccxt.terms import Terms
from executor.venues.port import (
    NewOrder,
    OrderDeclinedError,
    OrderRef,
    OrderUnsentError,
    OutcomeUnknownError,
    SubmitError,
    VenueOrder,
    VenueStatus,
)
from home.clock import Clock
from when_to_invest.errors import Fault

Find = Callable[[OrderRef], Awaitable[VenueOrder | None]]


class Placing:
    """Sends orders over a desk; `find` looks for one that may exist."""

    def __init__(self, desk: Desk, *, find: Find, clock: Clock) -> None:
        self._desk = desk
        self._find = find
        self._clock = clock

    async def submit(self, order: NewOrder) -> VenueOrder:
        """Send once what the venue's filters let pass. See `Venue.submit`."""
        began_s = self._desk.line.monotonic()
        params, terms = await self._prepared(order)
        try:
            told = await self._desk.line.ask(
                "create_order",
                terms.symbol,
                "limit",
                order.side.value,
                order.quantity,
                order.limit_price_usd,
                params,
                since_s=began_s,
            )
        except NotNowError as error:
            raise OrderUnsentError(str(error)) from error
        except MissedError as error:
            raise await self._verdict(error, order) from error
        return _accepted(told, order)

    async def _prepared(self, order: NewOrder) -> tuple[dict[str, Any], Terms]:
        """Return an order's parameters and terms.

        Raises:
            OrderDeclinedError, OrderUnsentError: nothing was sent.
        """
        try:
            terms = (await self._desk.ready()).get(order.instrument)
        except Fault as fault:
            raise OrderUnsentError(fault.message) from fault
        if terms is None:
            raise OrderDeclinedError(f"{order.instrument} is not configured at {self._desk.name}")
        if not has_shape(order.client_order_id, self._desk.dialect.shape):
            raise OrderDeclinedError(
                f"its client order id is not written as {self._desk.dialect.shape.value}"
            )
        terms.demand_fit(order)
        if abs(self._desk.time.offset) > MOST_SKEW:
            raise OrderUnsentError(f"the venue's clock and ours are {abs(self._desk.time.offset)} apart")
        validity = Validity(order.valid_until - self._clock.now(), self._desk.time.now())
        return self._desk.dialect.order_params(order, validity=validity), terms

    async def _verdict(self, missed: MissedError, order: NewOrder) -> SubmitError:
        """Return what a failed submit means; a refusal that a second copy could have met is looked up."""
        kind, heard = type(missed.error).__name__, missed.heard
        why = f"{kind}: {missed}"[:300]
        outcome = outcome_of(missed.error, heard, final_words=self._desk.dialect.final_words)
        if outcome is Outcome.UNSENT:
            return OrderUnsentError(why)
        if kind == "InvalidNonce":
            self._desk.time.forget()
        if outcome is Outcome.AMBIGUOUS:
            return OutcomeUnknownError(why)
        if heard.is_sent and kind not in BEYOND_DOUBT and await self._may_exist(order):
            return OutcomeUnknownError(f"it was refused, and may exist all the same: {why}")
        return OrderDeclinedError(why)

    async def _may_exist(self, order: NewOrder) -> bool:
        try:
            return await self._find(OrderRef(order.client_order_id, order.instrument)) is not None
        except Fault:
            return True


def _accepted(told: object, order: NewOrder) -> VenueOrder:
    """Return the order that an answer confirms; what it says besides is asked for later.

    Raises:
        OutcomeUnknownError: it confirms no order, or another one.
    """
    if not isinstance(told, Mapping) or not text(told, "id"):
        raise OutcomeUnknownError("the answer names no order")
    if text(told, "clientOrderId") not in {"", order.client_order_id}:
        raise OutcomeUnknownError("the answer is about another order")
    return VenueOrder(
        order.client_order_id, text(told, "id"), VenueStatus.WORKING, Decimal(0), order.instrument
    )
