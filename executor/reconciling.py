"""Compares what a venue says of an order with what is booked of it. Stage: venue → journal.

It books nothing and ends nothing: it tells whether the two agree, waits a little where a
venue may still be catching up with itself, and says what cannot all be true.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from executor.venues.port import Trade, VenueOrder
from ledger.decisions import Decisions
from when_to_invest import events as ev
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.money import decimal_text

MOST_LOOKS: Final = 10
"""Looks in a row at which status and trades of an order may differ before that is no delay any more."""


class _Doubt(NamedTuple):
    decision_id: str
    looks: int


class Doubts:
    """Orders whose status and trades did not agree when they were last asked about."""

    def __init__(self) -> None:
        self._doubts: dict[str, _Doubt] = {}

    @property
    def orders(self) -> tuple[tuple[str, str], ...]:
        """Return decision and client order id of each."""
        return tuple((doubt.decision_id, name) for name, doubt in self._doubts.items())

    def drop(self, client_order_id: str) -> None:
        """Ask no more about an order."""
        self._doubts.pop(client_order_id, None)

    def compare(
        self, decision_id: str, found: VenueOrder, *, booked_before: Decimal, booked: Decimal
    ) -> None:
        """Compare what the venue says was executed with what was booked before and after, in base units.

        Its trades may be told later than its status, and may happen between the two questions.

        Raises:
            Fault: `venue_contradicted` when they differ for the `MOST_LOOKS`-th time in a row.
        """
        if booked_before <= found.filled_quantity <= booked:
            self.drop(found.client_order_id)
            return
        known = self._doubts.get(found.client_order_id)
        looks = known.looks + 1 if known else 1
        self._doubts[found.client_order_id] = _Doubt(decision_id, looks)
        if looks >= MOST_LOOKS:
            said, told = decimal_text(found.filled_quantity), decimal_text(booked)
            raise contradicted(
                found.client_order_id, f"{said} are executed by its status, {told} by its trades"
            )


def is_booked(trade: Trade, decisions: Decisions, *, decision_id: str, asked: VenueOrder) -> bool:
    """Return whether exactly this trade of exactly this order was booked already.

    Raises:
        Fault: `venue_contradicted` when its id was booked for another order, quantity or price, or
            when it is told of another order than was asked about.
    """
    order = decisions[decision_id].orders[asked.client_order_id]
    if trade.client_order_id != asked.client_order_id:
        raise contradicted(asked.client_order_id, f"trade {trade.trade_id} is of another order")
    key = (order.sent.venue, order.sent.instrument, trade.trade_id)
    if not decisions.has_trade(*key):
        return False
    booked = next((fill for fill in decisions[decision_id].fills if fill.trade == key), None)
    if booked is None or _told(booked) != _told(trade):
        raise contradicted(
            asked.client_order_id,
            f"trade {trade.trade_id} was booked for another order, quantity or price",
        )
    return True


def _told(trade: Trade | ev.OrderFilled) -> tuple[str, Decimal, Decimal]:
    return (trade.client_order_id, trade.quantity, trade.price_usd)


def contradicted(client_order_id: str, what: str) -> Fault:
    """Return the fault of an order of which not everything that the venue says can be true."""
    return Fault(
        ErrorCode.VENUE_CONTRADICTED,
        f"the venue contradicts itself about order {client_order_id}: {what}",
        fix="reconcile with the venue; `when-to-invest settle` books what you find, then `resume`",
    )
