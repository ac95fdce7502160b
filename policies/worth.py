"""What the intent's account is worth now, and was: for the limits on losses. Stage: gate.

The worth now is computed here, from cash, holdings and independent prices; only its past
comes from the marks in the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from when_to_invest.holdings import ZERO
from when_to_invest.market import ReferencePrice
from when_to_invest.portfolio import AccountBook


@dataclass(frozen=True, slots=True)
class Worth:
    """Amounts in USD; None is unknown. `oldest_price_at`: of the holdings' prices."""

    equity_usd: Decimal | None
    oldest_price_at: datetime | None
    day_start_usd: Decimal | None = None
    peak_usd: Decimal | None = None
    marked_at: datetime | None = None
    """When the account was last marked; None while nothing is held, because then cash is all."""


def measure_worth(
    account: str, *, book: AccountBook, prices: Mapping[str, ReferencePrice], now: datetime
) -> Worth:
    """Return the account's worth at `prices` (usable ones, by instrument), and its past."""
    held = {
        name: position.quantity
        for (owner, name), position in book.positions.items()
        if owner == account and position.quantity
    }
    oldest = min((prices[name].known_at for name in held if name in prices), default=None)
    equity_usd = book.cash_usd.get(account)
    if equity_usd is not None:
        equity_usd = _with_holdings(equity_usd, held=held, prices=prices)
    past = book.wealth.accounts.get(account)
    if past is None:
        return Worth(equity_usd, oldest)
    return Worth(
        equity_usd=equity_usd,
        oldest_price_at=oldest,
        day_start_usd=past.day_start_at(now),
        peak_usd=past.peak_usd,
        marked_at=past.marked_at if held else None,
    )


def _with_holdings(
    cash_usd: Decimal, *, held: Mapping[str, Decimal], prices: Mapping[str, ReferencePrice]
) -> Decimal | None:
    if not held.keys() <= prices.keys():
        return None
    return cash_usd + sum((quantity * prices[name].price_usd for name, quantity in held.items()), ZERO)
