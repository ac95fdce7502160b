"""A live venue behind people's leave: no order passes without it, cancels and questions always do.

Stage: executor → venue. The leave is looked at on the newest roll, at the first question after
a start and before every order; what has ended or was taken away stops trading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from pydantic import ValidationError

from executor.judgement import Authority
from executor.venues.port import (
    NewOrder,
    OrderRef,
    OrderUnsentError,
    Trade,
    Venue,
    VenueOrder,
    VenueProfile,
)
from home.clock import Clock
from home.paths import Home
from home.settings import Settings
from policies.licence import Grounds, Licence, demand_licence
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.quotes import Quote
from when_to_invest.venue_status import TradingStatus


def read_licence(path: Path) -> Licence:
    """Return the signed limits file.

    Raises:
        Fault: `bad_approval` when there is none, or it is damaged.
    """
    try:
        return Licence.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise _no_licence("nobody has signed limits for this venue") from error
    except (OSError, ValidationError) as error:
        raise _no_licence(f"{path.name} is no signed limits file") from error


def _no_licence(why: str) -> Fault:
    return Fault(
        ErrorCode.BAD_APPROVAL,
        f"live trading is not allowed: {why}",
        fix="have the limits signed with `when-to-invest limits sign`",
    )


def licensed(
    venue: Venue, home: Home, settings: Settings, *, authority: Authority, clock: Clock
) -> LicensedVenue:
    """Put a live venue behind the limits file that a quorum signed; without one nothing starts.

    Raises:
        Fault: `bad_approval` when there is no such file, or it is damaged.
    """
    licence, limits, roll = read_licence(home.licence(settings.venue)), authority.limits, authority.roll
    exchange = settings.venues[settings.venue].exchange
    grounds = Grounds(settings.venue, exchange, settings.account, limits.digest())

    def demand() -> object:
        assembly = roll.assembly(clock.now())
        quorum = limits.approver_quorum
        return demand_licence(licence, grounds, needed=quorum, serial=roll.serial, assembly=assembly)

    return LicensedVenue(venue, demand=demand)


class LicensedVenue:
    """Implements `Venue` over another; `demand` raises a fault while nobody allows live trading."""

    def __init__(self, venue: Venue, *, demand: Callable[[], object]) -> None:
        self._venue = venue
        self._demand = demand

    @property
    def profile(self) -> VenueProfile:
        """Return what the venue is."""
        return self._venue.profile

    async def status(self) -> TradingStatus:
        """See `Venue.status`; raises `bad_approval` or `bad_signature` without leave."""
        self._demand()
        return await self._venue.status()

    async def submit(self, order: NewOrder) -> VenueOrder:
        """See `Venue.submit`; nothing is sent without leave."""
        try:
            self._demand()
        except Fault as fault:
            raise OrderUnsentError(fault.message) from fault
        return await self._venue.submit(order)

    async def find(self, order: OrderRef) -> VenueOrder | None:
        """See `Venue.find`."""
        return await self._venue.find(order)

    async def trades(self, order: OrderRef) -> tuple[Trade, ...]:
        """See `Venue.trades`."""
        return await self._venue.trades(order)

    async def cancel(self, order: OrderRef) -> None:
        """See `Venue.cancel`."""
        await self._venue.cancel(order)

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        """See `Venue.open_orders`."""
        return await self._venue.open_orders()

    async def balances(self) -> Mapping[str, Decimal]:
        """See `Venue.balances`."""
        return await self._venue.balances()

    async def quote(self, instrument: str) -> Quote | None:
        """See `Venue.quote`."""
        return await self._venue.quote(instrument)

    async def traded_quantity(self, instrument: str, *, since: datetime) -> Decimal | None:
        """See `Venue.traded_quantity`."""
        return await self._venue.traded_quantity(instrument, since=since)

    async def close(self) -> None:
        """See `Venue.close`."""
        await self._venue.close()
