"""What a venue and the journal were found to agree on, and to differ in: events and their fold.

Stage: executor → journal. They move neither money nor exposure, and correct nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum, unique
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import Field, StringConstraints

from when_to_invest.money import ExactDecimal, NonNegativeDecimal
from when_to_invest.values import Instant, Mode, Name, Value

ASSET_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,31}$"
Asset = Annotated[str, StringConstraints(pattern=ASSET_PATTERN)]
About = Annotated[str, Field(max_length=120)]


class Charge(Value):
    """A trade's fee as the venue took it; `is_priced` is false where nobody knew what it was worth."""

    asset: Asset
    units: NonNegativeDecimal
    is_priced: bool = True


class Balance(Value):
    """What a venue held of an asset, in its units."""

    asset: Asset
    units: NonNegativeDecimal


@unique
class Subject(StrEnum):
    """What venue and journal may differ in."""

    ORDER_FOREIGN = "order_foreign"
    """The venue works on an order that nobody here sent."""
    ORDER_UNKNOWN = "order_unknown"
    """The venue works on an order of ours that the journal does not call open."""
    ORDER_LOST = "order_lost"
    """The venue does not list an order that the journal calls open."""
    TRADE_UNBOOKED = "trade_unbooked"
    TRADE_MISSING = "trade_missing"
    """Booked, and not among the venue's trades."""
    BALANCE = "balance"
    ANSWER = "answer"
    """What the venue said made no sense."""


class Point(NamedTuple):
    """One thing to agree on: `about` names the order, the trade or the asset."""

    subject: Subject
    about: str


class BalancesTaken(Value):
    """What a venue held when nothing was open there: balances are reckoned from here."""

    kind: Literal["balances_taken"] = "balances_taken"
    at: Instant
    mode: Mode
    venue: Name
    balances: tuple[Balance, ...]


class ReconciliationDiffered(Value):
    """Venue and journal differ, look after look; `booked` and `found` in base units or the asset's."""

    kind: Literal["reconciliation_differed"] = "reconciliation_differed"
    at: Instant
    mode: Mode
    venue: Name
    subject: Subject
    about: About
    booked: ExactDecimal
    found: ExactDecimal
    scope: str = Field(default="", max_length=100)
    """What may only be reduced since; empty where nothing here trades it."""

    @property
    def point(self) -> Point:
        """Return what it is about."""
        return Point(self.subject, self.about)


class ReconciliationAgreed(Value):
    """Venue and journal agree again on what they had differed in."""

    kind: Literal["reconciliation_agreed"] = "reconciliation_agreed"
    at: Instant
    mode: Mode
    venue: Name
    subject: Subject
    about: About

    @property
    def point(self) -> Point:
        """Return what it is about."""
        return Point(self.subject, self.about)


ReconciliationFact = BalancesTaken | ReconciliationDiffered | ReconciliationAgreed
_ZERO: Final = Decimal(0)


@dataclass(slots=True)
class Moved:
    """What trades of one instrument moved since the balances were taken; fees in the quote asset included."""

    base: Decimal = _ZERO
    quote: Decimal = _ZERO
    fees: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """By the asset they were taken in, where that is told."""
    trades: int = 0


@dataclass(slots=True)
class Account:
    """Mutable fold: what one venue must hold, and what it is known to differ in."""

    taken: dict[str, Decimal] | None = None
    """What it held at first; none before that was asked."""
    moved: defaultdict[str, Moved] = field(default_factory=lambda: defaultdict(Moved))
    """By instrument."""
    standing: dict[Point, ReconciliationDiffered] = field(default_factory=dict)


@dataclass(slots=True)
class Accounts:
    """Mutable fold over the whole journal: one account by venue."""

    at: defaultdict[str, Account] = field(default_factory=lambda: defaultdict(Account))

    def apply(self, event: Any) -> None:
        """Advance by one event; those about something else change nothing."""
        kind = getattr(event, "kind", "")
        if kind == "order_filled":
            self._fill(event)
        elif kind == "order_settled":
            self._settle(event)
        elif isinstance(event, BalancesTaken):
            self._take(event)
        elif isinstance(event, ReconciliationDiffered):
            self.at[event.venue].standing[event.point] = event
        elif isinstance(event, ReconciliationAgreed):
            self.at[event.venue].standing.pop(event.point, None)

    def _take(self, event: BalancesTaken) -> None:
        account = self.at[event.venue]
        account.taken = {balance.asset: balance.units for balance in event.balances}
        account.moved.clear()

    def _fill(self, event: Any) -> None:
        moved = self.at[event.venue].moved[event.instrument]
        bought = event.side.sign * event.quantity
        moved.base += bought
        moved.quote -= bought * event.price_usd
        moved.trades += 1
        if event.charge is None:
            moved.quote -= event.fee_usd
        else:
            moved.fees[event.charge.asset] += event.charge.units

    def _settle(self, event: Any) -> None:
        if event.price_usd is not None:
            moved = self.at[event.venue].moved[event.instrument]
            bought = event.side.sign * event.quantity
            moved.base += bought
            moved.quote -= bought * event.price_usd
            moved.trades += 1


def accounts(happened: Iterable[object]) -> Accounts:
    """Return the accounts after `happened`, which is in journal order."""
    known = Accounts()
    for event in happened:
        known.apply(event)
    return known
