"""Binance spot. A client order id is found directly; a late request is refused by `recvWindow`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from executor.venues.ccxt.amounts import Told, exact, text
from executor.venues.ccxt.dialects import (
    MOST_PAGES,
    Ask,
    Dialect,
    Sought,
    Validity,
    by_number,
    cancel_by_client_id,
    of_order,
    unprovable,
)
from executor.venues.ccxt.pacing import Allowance, Rate
from executor.venues.port import NewOrder

LONGEST_WINDOW: Final = timedelta(seconds=60)


class Binance(Dialect):
    """Weights are those of its own documents: 6000 a minute by address, 100 orders in 10 s by account."""

    request_life_s = 60.0
    refuses_late = True
    allowance = Allowance(requests=Rate(100.0, 1000.0, reserve=100.0), orders=Rate(10.0, 50.0))
    weights = MappingProxyType(
        {
            "fetch_order": 4.0,
            "fetch_my_trades": 5.0,
            "fetch_open_orders": 80.0,
            "fetch_balance": 20.0,
            "fetch_order_book": 5.0,
            "load_markets": 20.0,
        }
    )
    places = 16
    page = 1000
    final_words = (
        "Filter failure",
        "LOT_SIZE",
        "PRICE_FILTER",
        "Account has insufficient balance",
        "would immediately match",
        "Market is closed",
    )

    def order_params(self, order: NewOrder, *, validity: Validity) -> dict[str, Any]:
        """See `Dialect.order_params`; the window ends with the order's validity, 60 s at most."""
        params = super().order_params(order, validity=validity)
        milliseconds = min(validity.left, LONGEST_WINDOW) // timedelta(milliseconds=1)
        return {**params, "recvWindow": max(1, milliseconds)}

    async def find(self, ask: Ask, sought: Sought) -> Told | None:
        """Ask for the one order. By the venue's number where it is known: an id may be used again later."""
        if sought.ref.venue_order_id:
            return await by_number(ask, sought)
        told: Told = await ask(
            "fetch_order", None, sought.symbol, {"clientOrderId": sought.ref.client_order_id}
        )
        return told

    async def cancel(self, ask: Ask, sought: Sought) -> None:
        """See `Dialect.cancel`; it needs no look-up first."""
        await cancel_by_client_id(ask, sought)

    async def open_orders(self, ask: Ask) -> Sequence[Told]:
        """See `Dialect.open_orders`; one answer holds all of them."""
        told: Sequence[Told] = await ask("fetch_open_orders")
        return told

    async def trades(self, ask: Ask, sought: Sought) -> Sequence[Told]:
        """Ask for one order's trades, a thousand at a time."""
        found: list[Told] = []
        # From the first on: without a start the newest ones are told.
        params: dict[str, Any] = {"orderId": sought.ref.venue_order_id, "fromId": 0}
        for _ in range(MOST_PAGES):
            page = await ask("fetch_my_trades", sought.symbol, None, self.page, params)
            found += of_order(page, sought)
            start = _after(page)
            if len(page) < self.page or start <= params["fromId"]:
                return found
            params = {**params, "fromId": start}
        raise unprovable("an order has more trades than can be listed")


def _after(page: Sequence[Told]) -> int:
    newest = max((exact(text(told, "id")) or 0 for told in page), default=0)
    return int(newest) + 1
