"""Coinbase Advanced Trade. A client order id used again gives back its order; it is found in lists only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from types import MappingProxyType
from typing import Any

from executor.identity import ClientIdShape
from executor.venues.ccxt.amounts import Told
from executor.venues.ccxt.dialects import (
    MOST_PAGES,
    Ask,
    Dialect,
    Sought,
    Validity,
    by_number,
    match,
    of_order,
    unprovable,
)
from executor.venues.ccxt.pacing import Allowance, Rate
from executor.venues.port import NewOrder


class Coinbase(Dialect):
    """It refuses no late request: what was lost is waited for longest. 30 private requests a second."""

    shape = ClientIdShape.UUID
    allowance = Allowance(requests=Rate(20.0, 30.0, reserve=8.0), orders=Rate(10.0, 20.0))
    weights = MappingProxyType({})
    places = 16
    page = 100
    final_words = (
        "INVALID_PRODUCT_ID",
        "INVALID_PRICE_PRECISION",
        "INVALID_SIZE_PRECISION",
        "INVALID_LIMIT_PRICE_POST_ONLY",
        "INSUFFICIENT_FUND",
    )
    absent_words = ("was not found", "cancelOrders() has failed")

    def order_params(self, order: NewOrder, *, validity: Validity) -> dict[str, Any]:
        """See `Dialect.order_params`; ccxt drops the id under its common name here."""
        params = super().order_params(order, validity=validity)
        return {"timeInForce": params["timeInForce"], "client_order_id": order.client_order_id}

    async def find(self, ask: Ask, sought: Sought) -> Told | None:
        """Look through the instrument's orders, the newest first, to their end."""
        if sought.ref.venue_order_id:
            return await by_number(ask, sought)
        async for page in self._pages(ask, "fetch_orders", sought.symbol, {}):
            if (found := match(page, sought)) is not None:
                return found
        return None

    async def open_orders(self, ask: Ask) -> Sequence[Told]:
        """See `Dialect.open_orders`; a hundred at a time."""
        pages = self._pages(ask, "fetch_open_orders", None, {})
        return [told async for page in pages for told in page]

    async def trades(self, ask: Ask, sought: Sought) -> Sequence[Told]:
        """Ask for one order's trades, a hundred at a time."""
        named = {"order_ids": sought.ref.venue_order_id}
        pages = self._pages(ask, "fetch_my_trades", sought.symbol, named)
        return [told async for page in pages for told in of_order(page, sought)]

    async def _pages(
        self, ask: Ask, method: str, symbol: str | None, params: dict[str, Any]
    ) -> AsyncIterator[Sequence[Told]]:
        """Yield a list's pages to its end."""
        asked = dict(params)
        for _ in range(MOST_PAGES):
            page: Sequence[Told] = await ask(method, symbol, None, self.page, asked)
            yield page
            cursor = _cursor(page)
            if not cursor:
                return
            asked = {**params, "cursor": cursor}
        raise unprovable("a list has more pages than can be looked through")


def _cursor(page: Sequence[Told]) -> str:
    """Return where the next page begins; ccxt leaves that in one entry of this one."""
    return next((str(told["info"]["cursor"]) for told in page if told["info"].get("cursor")), "")
