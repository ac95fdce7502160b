"""How an exchange is asked, where ccxt's common words do not do: the generic way, and its hooks.

Stage: executor → venue. The generic way is the careful one: no instant after which a late
request is refused, a client order id that is only found by looking through lists, and a
list that may not be complete proves nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Protocol

from executor.identity import ClientIdShape
from executor.venues.ccxt.amounts import Told, exact, text
from executor.venues.ccxt.pacing import Allowance, Rate
from executor.venues.port import NewOrder, OrderDeclinedError, OrderRef
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.intents import TimeInForce

MOST_PAGES: Final = 40


class Ask(Protocol):
    """`Line.ask`, as a dialect sees it."""

    def __call__(self, method: str, *arguments: Any, weight: float | None = None) -> Awaitable[Any]:
        """Return what the client's method returns."""
        ...


@dataclass(frozen=True, slots=True)
class Sought:
    """An order that is looked for at a venue."""

    ref: OrderRef
    symbol: str

    def is_it(self, told: Told) -> bool:
        """Return whether an order as told is the one, by the venue's id where that is known."""
        if self.ref.venue_order_id:
            return text(told, "id") == self.ref.venue_order_id
        return text(told, "clientOrderId") == self.ref.client_order_id


@dataclass(frozen=True, slots=True)
class Validity:
    """How long a request may still be taken, and what the venue's clock shows now."""

    left: timedelta
    venue_now: datetime


class Dialect:
    """Any exchange that ccxt knows, by its common words alone."""

    shape: ClientIdShape = ClientIdShape.PLAIN
    request_life_s: float = 120.0
    """How long a request may be under way before it can no longer become an order."""
    refuses_late: bool = False
    """Whether the venue itself refuses a request that arrives after an instant we name."""
    allowance = Allowance(requests=Rate(2.0, 10.0, reserve=4.0), orders=Rate(1.0, 5.0))
    weights: Mapping[str, float] = MappingProxyType({})
    places: int = 4
    """Requests that may be under way at once."""
    page: int = 100
    """Entries that one answer of a list holds at most."""
    final_words: tuple[str, ...] = ()
    """What the venue says only when it refuses an order for good."""
    absent_words: tuple[str, ...] = ()
    """What it says, besides ccxt's `OrderNotFound`, of an order that it does not know or that has ended."""
    lists: tuple[str, ...] = ()
    """Lists that hold every order together, the open ones first: what ends meanwhile is in a later one."""
    says_status: bool = False
    """Whether `fetch_status` tells if it trades; elsewhere a venue that answers is open."""

    def order_params(self, order: NewOrder, *, validity: Validity) -> dict[str, Any]:
        """Return what an order needs besides its amounts: its id, and how long it and its request last.

        Raises:
            OrderDeclinedError: the request could not be told to end in time.
        """
        if validity.left <= timedelta(0):
            raise OrderDeclinedError("its validity has ended")
        force = "IOC" if order.time_in_force is TimeInForce.IOC else "GTC"
        return {"clientOrderId": order.client_order_id, "timeInForce": force}

    async def find(self, ask: Ask, sought: Sought) -> Told | None:
        """Return an order as told; none where complete lists do not have it."""
        if sought.ref.venue_order_id:
            return await by_number(ask, sought)
        if not self.lists:
            raise unprovable("it lists no ended orders")
        for method in self.lists:
            told = await ask(method, sought.symbol, None, self.page)
            if (found := match(told, sought)) is not None:
                return found
            if len(told) >= self.page:
                raise unprovable("there are more orders than one list shows")
        return None

    def learn(self, has: Mapping[str, Any]) -> None:
        """Note which lists hold every order together, from what ccxt says that the exchange `has`.

        ccxt's list of closed orders leaves out those that were cancelled.
        """
        known = {name for name, is_there in has.items() if is_there}
        self.lists = next((lists for needed, lists in _COMPLETE if needed <= known), ())

    async def trades(self, ask: Ask, sought: Sought) -> Sequence[Told]:
        """Return the trades of an order whose venue id is known, as told, in any order."""
        order = await by_number(ask, sought)
        told = await ask("fetch_my_trades", sought.symbol, since_of(order), self.page)
        if len(told) >= self.page:
            raise unprovable("there are more trades since the order than one list shows")
        return of_order(told, sought)

    async def cancel(self, ask: Ask, sought: Sought) -> None:
        """Ask that an order's rest be cancelled; one that nobody knows needs it no more."""
        number = sought.ref.venue_order_id
        if not number:
            found = await self.find(ask, sought)
            number = "" if found is None else text(found, "id")
        if number:
            await ask("cancel_order", number, sought.symbol)

    async def open_orders(self, ask: Ask) -> Sequence[Told]:
        """Return every open order of the account, as told."""
        told = await ask("fetch_open_orders")
        if len(told) >= self.page:
            raise unprovable("there are more open orders than one list shows")
        return list(told)


_COMPLETE: Final = (
    (frozenset({"fetchOrders"}), ("fetch_orders",)),
    (
        frozenset({"fetchOpenOrders", "fetchCanceledAndClosedOrders"}),
        ("fetch_open_orders", "fetch_canceled_and_closed_orders"),
    ),
    (
        frozenset({"fetchOpenOrders", "fetchClosedOrders", "fetchCanceledOrders"}),
        ("fetch_open_orders", "fetch_closed_orders", "fetch_canceled_orders"),
    ),
)


def since_of(order: Told | None) -> int | None:
    """Return an instant shortly before an order was opened, in ms; none where that is not told."""
    opened = exact((order or {}).get("timestamp"))
    return None if opened is None else int(opened) - 1000


async def by_number(ask: Ask, sought: Sought) -> Told | None:
    """Return an order by the venue's own id."""
    told: Told = await ask("fetch_order", sought.ref.venue_order_id, sought.symbol)
    return told


async def cancel_by_client_id(ask: Ask, sought: Sought) -> None:
    """Ask that an order's rest be cancelled, by the venue's number or else by our own id."""
    if sought.ref.venue_order_id:
        await ask("cancel_order", sought.ref.venue_order_id, sought.symbol)
    else:
        await ask("cancel_order", None, sought.symbol, {"clientOrderId": sought.ref.client_order_id})


def match(orders: Sequence[Told], sought: Sought) -> Told | None:
    """Return the order that is looked for, if it is among these."""
    return next((told for told in orders if sought.is_it(told)), None)


def of_order(trades: Sequence[Told], sought: Sought) -> list[Told]:
    """Return the trades that are of the order looked for."""
    return [told for told in trades if text(told, "order") == sought.ref.venue_order_id]


def unprovable(why: str) -> Fault:
    """Return the fault of a question that a venue's answer leaves open."""
    return Fault(
        ErrorCode.VENUE_UNAVAILABLE,
        f"the venue's answer is not complete: {why}",
        fix="it is asked again; look at the venue's own page if it goes on",
    )
