"""What each account is worth, day by day: a fold of fundings and marks, for loss limits.

The day's start is the last worth known on an earlier UTC day, so a fall overnight counts.
Money put in moves day's start and peak with it: it is neither a gain nor a loss. When people
resume the account, or the system, losses are counted from there anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from when_to_invest import events as ev
from when_to_invest.marks import AccountMarked


@dataclass(slots=True)
class AccountWorth:
    """One account's marks in USD; `marked_at` is when the newest was taken."""

    equity_usd: Decimal
    day_start_usd: Decimal
    peak_usd: Decimal
    marked_at: datetime
    has_traded: bool = False
    """Whether anything was filled since the newest mark."""

    @property
    def day(self) -> date:
        """Return the UTC day of the newest mark."""
        return self.marked_at.astimezone(UTC).date()

    def day_start_at(self, now: datetime) -> Decimal:
        """Return what the account was worth when the UTC day of `now` began."""
        return self.equity_usd if now.astimezone(UTC).date() > self.day else self.day_start_usd

    def mark(self, equity_usd: Decimal, *, at: datetime) -> None:
        """Take a new mark."""
        self.day_start_usd = self.day_start_at(at)
        self.equity_usd = equity_usd
        self.peak_usd = max(self.peak_usd, equity_usd)
        self.marked_at = max(at, self.marked_at)
        self.has_traded = False

    def fund(self, cash_usd: Decimal) -> None:
        """Add money from outside."""
        self.equity_usd += cash_usd
        self.day_start_usd += cash_usd
        self.peak_usd += cash_usd

    def forgive(self) -> None:
        """Count losses from the newest mark on."""
        self.day_start_usd = self.peak_usd = self.equity_usd


@dataclass(slots=True)
class Wealth:
    """Mutable fold; `apply` events in journal order."""

    accounts: dict[str, AccountWorth] = field(default_factory=dict)

    def apply(self, event: ev.Event) -> None:
        """Advance by one event; those it does not look at change nothing."""
        advance = self.ADVANCES.get(type(event))
        if advance is not None:
            advance(self, event)

    def _fund(self, event: ev.AccountFunded) -> None:
        known = self.accounts.get(event.account)
        if known is not None:
            known.fund(event.cash_usd)
            return
        self.accounts[event.account] = _first(event.cash_usd, at=event.at)

    def _mark(self, event: AccountMarked) -> None:
        known = self.accounts.get(event.account)
        if known is None:
            self.accounts[event.account] = _first(event.equity_usd, at=event.at)
            return
        known.mark(event.equity_usd, at=event.at)

    def _trade(self, event: ev.OrderFilled | ev.OrderSettled) -> None:
        if event.account in self.accounts:
            self.accounts[event.account].has_traded = True

    def start_anew(self, scope: str) -> None:
        """Count losses from now on, because people have resumed `scope`."""
        for account, worth in self.accounts.items():
            if scope in {"system", f"account:{account}"}:
                worth.forgive()

    ADVANCES: ClassVar[dict[type[Any], Callable[[Any, Any], None]]] = {
        ev.AccountFunded: _fund,
        AccountMarked: _mark,
        ev.OrderFilled: _trade,
        ev.OrderSettled: _trade,
    }
    """By what it looks at."""


def _first(equity_usd: Decimal, *, at: datetime) -> AccountWorth:
    return AccountWorth(equity_usd=equity_usd, day_start_usd=equity_usd, peak_usd=equity_usd, marked_at=at)
