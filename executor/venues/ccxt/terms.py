"""What a venue asks of an order in one instrument, and what its fees are in dollars.

Stage: executor → venue. Steps and smallest sizes come from the venue's own list of markets;
an order that breaks one is refused before it is sent. It never rounds anybody's order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from executor.venues.ccxt.amounts import Told, amount, contradicted, exact, text
from executor.venues.port import NewOrder, OrderDeclinedError
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.reconciliation import ASSET_PATTERN, Charge

UNNAMED: Final = "unnamed"
"""The asset of a fee of which the venue says no name that can be one."""


@dataclass(frozen=True, slots=True)
class Terms:
    """One pair at one venue; quantities in base units, prices in its quote asset, which counts as dollars."""

    instrument: str
    symbol: str
    base: str
    quote: str
    lot: Decimal
    tick_usd: Decimal
    least_quantity: Decimal
    most_quantity: Decimal | None
    least_cost_usd: Decimal

    def demand_fit(self, order: NewOrder) -> None:
        """Return when the venue's own filters let `order` pass.

        Raises:
            OrderDeclinedError: naming the first one that does not.
        """
        quantity, price = order.quantity, order.limit_price_usd
        if not _is_amount(quantity) or not _is_amount(price):
            raise OrderDeclinedError("quantity and price must be above zero")
        if quantity % self.lot:
            raise OrderDeclinedError(f"{quantity} is no multiple of the lot of {self.lot}")
        if price % self.tick_usd:
            raise OrderDeclinedError(f"{price} is no multiple of the tick of {self.tick_usd}")
        if quantity < self.least_quantity:
            raise OrderDeclinedError(
                f"{quantity} is less than {self.least_quantity}, the smallest order here"
            )
        if self.most_quantity is not None and quantity > self.most_quantity:
            raise OrderDeclinedError(f"{quantity} is more than {self.most_quantity}, the largest order here")
        if quantity * price < self.least_cost_usd:
            raise OrderDeclinedError(f"it is worth less than {self.least_cost_usd}, the least taken here")

    def fee(
        self, told: object, *, price_usd: Decimal, about: str, prices_usd: Mapping[str, Decimal]
    ) -> tuple[Decimal, Charge | None]:
        """Return a trade's fee in dollars, and how it was taken where that was not in dollars.

        Base units are worth the trade's own price, another asset what `prices_usd` says; what
        that does not know is 0 dollars and says so.

        Raises:
            Fault: `venue_contradicted` without a fee that makes sense.
        """
        if not isinstance(told, Mapping):
            raise contradicted(about, "it says nothing of a fee")
        cost, asset = amount(told, "cost", about=f"the fee of {about}"), text(told, "currency")
        if cost == 0:
            return Decimal(0), None
        if asset == self.quote:
            return cost, None
        unit_usd = price_usd if asset == self.base else prices_usd.get(asset)
        charge = Charge(asset=_named(asset), units=cost, is_priced=unit_usd is not None)
        return (cost * unit_usd if unit_usd is not None else Decimal(0)), charge


def _named(asset: str) -> str:
    return asset if re.fullmatch(ASSET_PATTERN, asset) else UNNAMED


def _is_amount(value: Decimal) -> bool:
    return value.is_finite() and value > 0


def terms_of(market: Told, *, instrument: str, dollars: frozenset[str]) -> Terms:
    """Return the terms of a market that ccxt has loaded.

    Raises:
        Fault: `bad_config` when it is not an active spot market against dollars, or says no steps.
    """
    symbol, quote = text(market, "symbol"), text(market, "quote")
    if market.get("spot") is not True or market.get("active") is False:
        raise _unfit(symbol, "it is not an active spot market")
    if quote not in dollars:
        raise _unfit(symbol, f"{quote} does not count as dollars here")
    limits, precision = market.get("limits") or {}, market.get("precision") or {}
    lot, tick = exact(precision.get("amount")), exact(precision.get("price"))
    if lot is None or tick is None or not _is_amount(lot) or not _is_amount(tick):
        raise _unfit(symbol, "the venue names no lot or no tick")
    sizes, costs = limits.get("amount") or {}, limits.get("cost") or {}
    return Terms(
        instrument=instrument,
        symbol=symbol,
        base=text(market, "base"),
        quote=quote,
        lot=lot,
        tick_usd=tick,
        least_quantity=_bound(sizes, "min") or lot,
        most_quantity=_bound(sizes, "max"),
        least_cost_usd=_bound(costs, "min") or Decimal(0),
    )


def _bound(limits: Told, key: str) -> Decimal | None:
    value = exact(limits.get(key))
    return value if value is not None and _is_amount(value) else None


def _unfit(symbol: str, why: str) -> Fault:
    return Fault(
        ErrorCode.BAD_CONFIG,
        f"{symbol} cannot be traded: {why}",
        fix="correct `symbols` or `dollars` of that venue in config.toml",
    )
