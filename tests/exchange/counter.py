"""Where a dialect meets its client: the exchange, the account it serves, its keys and its faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from tests.exchange.desk import Desk
from tests.exchange.matching import Exchange
from tests.exchange.mishaps import Mishaps
from tests.exchange.streams import Hub
from tests.exchange.terms import RefusedError, Why
from tests.exchange.venues import Credentials


@dataclass(frozen=True, slots=True)
class Counter:
    """Everything a dialect needs; `clock_ms` is the venue's own clock, wrong if it is told to be."""

    exchange: Exchange
    desk: Desk
    credentials: Credentials
    mishaps: Mishaps
    hub: Hub
    clock_ms: Callable[[], int]


def amount(text: object, *, otherwise: Why) -> Decimal:
    """Return an amount that a client sent; RefusedError when it is none."""
    try:
        return Decimal(str(text))
    except InvalidOperation:
        raise RefusedError(otherwise) from None
