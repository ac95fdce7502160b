"""Kraken spot. A client order id is looked for among open orders, then ended ones: silence proves little."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta
from types import MappingProxyType
from typing import Any, Final

from executor.identity import ClientIdShape
from executor.venues.ccxt.amounts import Told
from executor.venues.ccxt.dialects import (
    MOST_PAGES,
    Ask,
    Dialect,
    Sought,
    Validity,
    by_number,
    cancel_by_client_id,
    match,
    of_order,
    since_of,
    unprovable,
)
from executor.venues.ccxt.pacing import Allowance, Rate
from executor.venues.port import NewOrder, OrderDeclinedError

SHORTEST_DEADLINE: Final = timedelta(seconds=2)
LONGEST_DEADLINE: Final = timedelta(seconds=60)


class Kraken(Dialect):
    """Its private calls carry a growing number, so that only one of them may be under way.

    The allowance is the lowest tier's: a counter of 15 that falls by a third each second.
    """

    shape = ClientIdShape.UUID
    request_life_s = 60.0
    refuses_late = True
    allowance = Allowance(requests=Rate(1 / 3, 15.0, reserve=2.0), orders=Rate(1.0, 30.0))
    weights = MappingProxyType(
        {
            "create_order": 0.0,
            "cancel_order": 0.0,
            "fetch_closed_orders": 2.0,
            "fetch_my_trades": 2.0,
            "fetch_order_book": 0.0,
            "fetch_status": 0.0,
            "fetch_time": 0.0,
            "load_markets": 0.0,
        }
    )
    places = 1
    page = 50
    final_words = (
        "EOrder:Order minimum not met",
        "EOrder:Cost minimum not met",
        "EOrder:Tick size check failed",
        "EOrder:Invalid price",
        "EOrder:Post only order",
        "EOrder:Insufficient funds",
        "EGeneral:Invalid arguments",
        "EOrder:Deadline expired",
    )
    absent_words = ("EOrder:Unknown order",)
    says_status = True

    def order_params(self, order: NewOrder, *, validity: Validity) -> dict[str, Any]:
        """See `Dialect.order_params`; Kraken takes a deadline 2 to 60 s ahead."""
        left = min(validity.left, LONGEST_DEADLINE)
        if left < SHORTEST_DEADLINE:
            raise OrderDeclinedError("its validity ends before Kraken could be told when")
        deadline = (validity.venue_now + left).astimezone(UTC).isoformat(timespec="milliseconds")
        params = super().order_params(order, validity=validity)
        return {**params, "deadline": deadline.replace("+00:00", "Z")}

    async def find(self, ask: Ask, sought: Sought) -> Told | None:
        """Look among open orders first: what ends between the two questions is in the second answer."""
        if sought.ref.venue_order_id:
            return await by_number(ask, sought)
        named = {"clientOrderId": sought.ref.client_order_id}
        found = match(await ask("fetch_open_orders", sought.symbol, None, None, named), sought)
        for page in range(MOST_PAGES):
            if found is not None:
                return found
            at = {**named, "ofs": page * self.page}
            # Without the symbol: ccxt would filter by it, and a page that is full would look like the last.
            ended = await ask("fetch_closed_orders", None, None, None, at)
            found = match(ended, sought)
            if found is None and len(ended) < self.page:
                return None
        raise unprovable("there are more ended orders than can be looked through")

    async def cancel(self, ask: Ask, sought: Sought) -> None:
        """See `Dialect.cancel`; it needs no look-up first."""
        await cancel_by_client_id(ask, sought)

    async def open_orders(self, ask: Ask) -> Sequence[Told]:
        """See `Dialect.open_orders`; one answer holds all of them."""
        told: Sequence[Told] = await ask("fetch_open_orders")
        return told

    async def trades(self, ask: Ask, sought: Sought) -> Sequence[Told]:
        """Look through the trades since the order was opened, fifty at a time."""
        order = await by_number(ask, sought)
        since = since_of(order)
        found: list[Told] = []
        for page in range(MOST_PAGES):
            told = await ask("fetch_my_trades", None, since, None, {"ofs": page * self.page})
            found += of_order(told, sought)
            if len(told) < self.page:
                return found
        raise unprovable("there are more trades since the order than can be looked through")
