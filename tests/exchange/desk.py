"""What one account is told of its orders: all of them, but for those that appear late."""

from __future__ import annotations

from tests.exchange.matching import Exchange
from tests.exchange.terms import Ask, Fill, Order, RefusedError, Why


class Desk:
    """The account's view of an exchange. Dialects ask it, never the exchange, about orders."""

    def __init__(self, exchange: Exchange, account: str) -> None:
        self.exchange, self.account = exchange, account
        self._hidden: dict[int, int] = {}

    def hide(self, order_id: int, *, reads: int) -> None:
        """Let the next `reads` look-ups that would show an order not show it."""
        self._hidden[order_id] = reads

    def place(self, ask: Ask) -> Order:
        return self.exchange.place(ask)

    def find(self, *, order_id: int | None = None, client_id: str | None = None) -> Order:
        order = self.exchange.order(self.account, order_id=order_id, client_id=client_id)
        if self._is_hidden(order.id):
            raise RefusedError(Why.UNKNOWN_ORDER)
        return order

    def cancel(self, *, order_id: int | None = None, client_id: str | None = None) -> Order:
        return self.exchange.cancel(self.account, self.find(order_id=order_id, client_id=client_id).id)

    def open_orders(self, symbol: str | None = None) -> list[Order]:
        return [o for o in self.exchange.open_orders(self.account, symbol) if not self._is_hidden(o.id)]

    def done_orders(self, symbol: str | None = None) -> list[Order]:
        done = (o for o in self.exchange.done_orders(self.account) if symbol in (None, o.ask.symbol))
        return [o for o in done if not self._is_hidden(o.id)]

    def fills(self, symbol: str | None = None, *, order_id: int | None = None) -> list[Fill]:
        """Return the account's fills, oldest first, all or of one pair or one order."""
        mine = [
            fill
            for fill in self.exchange.fills[self.account]
            if symbol in (None, fill.trade.symbol) and order_id in (None, fill.order_id)
        ]
        hidden = {n for n in {fill.order_id for fill in mine} if self._is_hidden(n)}
        return [fill for fill in mine if fill.order_id not in hidden]

    def _is_hidden(self, order_id: int) -> bool:
        left = self._hidden.get(order_id, 0)
        if left > 1:
            self._hidden[order_id] = left - 1
        else:
            self._hidden.pop(order_id, None)
        return left > 0
