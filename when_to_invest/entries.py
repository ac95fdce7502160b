"""Rows of the account book: what is reserved, and what was asked for."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from when_to_invest.holdings import ZERO
from when_to_invest.intents import Side
from when_to_invest.workings import Wish


class Reservation(NamedTuple):
    """Exposure of a sealed decision that may still trade, at its worst price."""

    account: str
    venue: str
    instrument: str
    side: Side
    quantity_open: Decimal
    worst_price_usd: Decimal
    wish: Wish | None = None
    """What is wanted by now of an order that a plan works; none without a plan.

    An amendment frees nothing before the plan ends: a child may trade before it is cancelled.
    """

    @property
    def notional_usd(self) -> Decimal:
        """Return what it would cost or bring if all of it filled at the limit."""
        return self.quantity_open * self.worst_price_usd

    def less(self, quantity: Decimal) -> Reservation:
        """Return what is left of it after a trade, in base units; never below zero."""
        return self._replace(quantity_open=max(self.quantity_open - quantity, ZERO))


class Proposal(NamedTuple):
    """What the duplicate and message-rate rules remember of an intent."""

    at: datetime
    decision_id: str
    proposer: str
    account: str
    venue: str
    instrument: str
    side: Side
    quantity: Decimal
