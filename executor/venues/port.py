"""The port to a venue: what is sent, what comes back, and how each failure is classified.

Stage: executor → venue. Every adapter translates its own failures into one of the three
`SubmitError` kinds; `send` turns whatever is left into the ambiguous one. It must never
repeat a request: whoever sends decides that from the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum, unique
from typing import Protocol

from executor.identity import ClientIdShape
from when_to_invest.intents import Side, TimeInForce
from when_to_invest.quotes import Quote
from when_to_invest.reconciliation import Charge
from when_to_invest.values import Mode
from when_to_invest.venue_status import TradingStatus


@dataclass(frozen=True, slots=True)
class VenueProfile:
    """What a venue is: its name, how real it is, and what its silence proves."""

    name: str
    mode: Mode
    absence_is_authoritative: bool
    """True only when an order that could still arrive is always found: the venue makes an
    order durable before anything else, and no request can be in flight once we ask."""
    client_id_shape: ClientIdShape = ClientIdShape.PLAIN
    """How it wants our order ids to be written."""
    refuses_late_requests: bool = True
    """Whether it refuses a request that arrives after `NewOrder.valid_until`."""
    request_life_s: float = 30.0
    """How long after the intention a request may still become an order there."""


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A limit order as the venue hears it; `quantity` in base units.

    `valid_until`: the venue refuses a request that arrives after this instant, so a late
    packet can never become an order that we have already given up.
    """

    client_order_id: str
    instrument: str
    side: Side
    quantity: Decimal
    limit_price_usd: Decimal
    time_in_force: TimeInForce
    valid_until: datetime


@unique
class VenueStatus(StrEnum):
    """Where the venue says an order stands."""

    WORKING = "working"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order as the venue knows it; `filled_quantity` in base units."""

    client_order_id: str
    venue_order_id: str
    status: VenueStatus
    filled_quantity: Decimal
    instrument: str = ""


@dataclass(frozen=True, slots=True)
class OrderRef:
    """Whatever a venue may need to find one of our orders; the client order id alone tells them apart."""

    client_order_id: str
    instrument: str
    venue_order_id: str = ""
    """Empty until the venue has said it."""


@dataclass(frozen=True, slots=True)
class Trade:
    """One execution; `trade_id` is unique for ever at its venue and in its instrument. Fee in USD, >= 0."""

    trade_id: str
    client_order_id: str
    quantity: Decimal
    price_usd: Decimal
    fee_usd: Decimal
    executed_at: datetime
    charge: Charge | None = None
    """The fee as it was taken, where that was not the quote asset; without a price `fee_usd` is 0."""


class SubmitError(Exception):
    """Base of the three classified failures of `submit`; the message is shown to people."""


class OrderDeclinedError(SubmitError):
    """Definitive: the venue answered that this order does not exist and never will."""


class OrderUnsentError(SubmitError):
    """Provably unsent: no byte of the request left this process."""


class OutcomeUnknownError(SubmitError):
    """Ambiguous: the order may or may not exist. Everything that is not listed is this."""


class Venue(Protocol):
    """A place where orders trade. Every call is safe to make after a crash, and beside others."""

    @property
    def profile(self) -> VenueProfile:
        """Return what this venue is."""
        ...

    async def status(self) -> TradingStatus:
        """Return whether the venue trades now.

        Raises:
            Fault: `venue_unavailable` when the venue does not answer.
        """
        ...

    async def submit(self, order: NewOrder) -> VenueOrder:
        """Place `order` once; a client order id is never used twice.

        Raises:
            OrderDeclinedError: refused for good (size, tick, instrument, validity).
            OrderUnsentError: nothing was sent.
            OutcomeUnknownError: anything else, including "that id exists already".
        """
        ...

    async def find(self, order: OrderRef) -> VenueOrder | None:
        """Return the order of that id in its present state, or none.

        Raises:
            Fault: `venue_unavailable` when the venue does not answer.
        """
        ...

    async def trades(self, order: OrderRef) -> tuple[Trade, ...]:
        """Return every trade of that order, oldest first; the same ones on every call.

        Raises:
            Fault: `venue_unavailable` when the venue does not answer.
        """
        ...

    async def cancel(self, order: OrderRef) -> None:
        """Ask that the rest be cancelled; an order that has ended, or none, is no error.

        Raises:
            Fault: `venue_unavailable` when the venue does not answer.
        """
        ...

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        """Return every order of ours that the venue still works on, whoever placed it.

        Raises:
            Fault: `venue_unavailable` when the venue does not answer.
        """
        ...

    async def balances(self) -> Mapping[str, Decimal]:
        """Return what the venue holds for us: asset to units, what orders have locked included.

        Raises:
            Fault: `venue_unavailable` when the venue does not answer.
        """
        ...

    async def quote(self, instrument: str) -> Quote | None:
        """Return the best prices of an instrument now; none when there are none.

        Raises:
            Fault: `venue_unavailable` when the venue does not answer.
        """
        ...

    async def traded_quantity(self, instrument: str, *, since: datetime) -> Decimal | None:
        """Return what everybody, we included, traded since then, in base units; none when that is not known.

        It may leave out what was traded last, and never tells of trades before `since`.

        Raises:
            Fault: `venue_unavailable` when the venue does not answer.
        """
        ...

    async def close(self) -> None:
        """Release what is held open; orders stay as they are. Closing twice is allowed."""
        ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """The venue confirmed the order."""

    order: VenueOrder


@dataclass(frozen=True, slots=True)
class Declined:
    """The order will never exist."""

    why: str


@dataclass(frozen=True, slots=True)
class Unsent:
    """The request never left."""

    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The order may exist."""

    why: str


Sending = Accepted | Declined | Unsent | Unknown


async def send(venue: Venue, order: NewOrder) -> Sending:
    """Submit once and classify the outcome; an unlisted exception is ambiguous, never a refusal."""
    try:
        answer = await venue.submit(order)
    except OrderDeclinedError as error:
        return Declined(str(error))
    except OrderUnsentError as error:
        return Unsent(str(error))
    except OutcomeUnknownError as error:
        return Unknown(str(error))
    except Exception as error:  # noqa: BLE001 - the table's default: what is not listed is ambiguous
        return Unknown(f"unlisted {type(error).__name__} while submitting")
    if answer.client_order_id != order.client_order_id:
        return Unknown("the venue answered about another order")
    return Accepted(answer)
