"""Looks at the venue's orders, trades and balances beside the journal's, and tells what stays different.

Stage: executor, a duty of its own. A difference is an event, an alert and less trading; nothing is
ever put right from here. Balances are reckoned from what the venue held when nothing was open there.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from executor.cancelling import FOLLOWED, MAY_BE_OPEN, ref_of
from executor.diary import Diary
from executor.log import Log
from executor.reconciliation.comparison import (
    Difference,
    Listed,
    Looks,
    Pair,
    Told,
    in_balances,
    in_orders,
    in_trades,
)
from executor.venues.port import Venue
from when_to_invest import events as ev
from when_to_invest.breakers import SCOPE_PATTERN, TradingState
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionRecord, OrderRecord
from when_to_invest.orders import UNRESOLVED, OrderState
from when_to_invest.reconciliation import (
    ASSET_PATTERN,
    Account,
    Balance,
    BalancesTaken,
    Point,
    ReconciliationAgreed,
    ReconciliationDiffered,
    Subject,
)

MOST_ORDERS: Final = 4
"""Orders whose trades are compared at one look; those of the last 24 hours take turns."""
_SAID: Final[Mapping[type, str]] = MappingProxyType(
    {ReconciliationDiffered: "reconciliation_differed", ReconciliationAgreed: "reconciliation_agreed"}
)
_TRADES: Final = frozenset({Subject.TRADE_UNBOOKED, Subject.TRADE_MISSING})
_EVERYTHING_ELSE: Final = frozenset(Subject) - {Subject.ANSWER}
_NOTHING: Final[frozenset[Subject]] = frozenset()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look found."""

    differences: dict[Point, Difference]
    unseen: frozenset[Subject] = _NOTHING
    balances: Mapping[str, Decimal] | None = None
    """What could be the first balances: nothing was open and nothing was booked meanwhile."""


class Reconciler:
    """Compares one venue with the journal; what it remembers of former looks lives as long as the process."""

    def __init__(self, *, diary: Diary, venue: Venue, log: Log, pairs: Mapping[str, Pair]) -> None:
        self._diary = diary
        self._venue = venue
        self._log = log
        self._pairs = pairs
        self._looks = Looks()
        self._turn = 0
        self._trades_before: int | None = None

    async def look(self) -> None:
        """Look once. A venue that gives no answer is looked at another time.

        Raises:
            Fault: from the journal, or a failure of the venue other than silence or contradiction.
        """
        await self._diary.refresh()
        try:
            seen = await self._see()
        except Fault as fault:
            if fault.code is ErrorCode.VENUE_UNAVAILABLE:
                return
            if fault.code is not ErrorCode.VENUE_CONTRADICTED:
                raise
            self._log.say("reconciliation_unread", why=fault.message)
            nonsense = Difference(Decimal(0), Decimal(1), is_of_venue=True)
            seen = _Seen({Point(Subject.ANSWER, self._name): nonsense}, _EVERYTHING_ELSE)
        standing = {point: _told_before(event) for point, event in self._account.standing.items()}
        told = self._looks.take(seen.differences, standing=standing, unseen=seen.unseen)
        await self._tell(told)
        if seen.balances is not None and self._account.taken is None:
            await self._begin(seen.balances)

    @property
    def _name(self) -> str:
        return self._venue.profile.name

    @property
    def _account(self) -> Account:
        return self._diary.accounts.at[self._name]

    async def _see(self) -> _Seen:
        before, booked = self._orders(MAY_BE_OPEN), self._booked
        open_before = self._orders(FOLLOWED)
        orders = await self._venue.open_orders()
        differences = {item[0]: item[1] async for item in self._in_trades()}
        balances = await self._venue.balances()
        balances = {asset: held for asset, held in balances.items() if re.fullmatch(ASSET_PATTERN, asset)}
        await self._diary.refresh()
        after, open_after = self._orders(MAY_BE_OPEN), self._orders(FOLLOWED)
        listed = Listed(
            open={name: _left(order) for name, order in open_before.items() if name in open_after},
            possible=frozenset(before) | frozenset(after),
            ours=self._diary.decisions.has_order,
        )
        differences |= dict(in_orders(orders, listed))
        is_still = {booked, self._trades_before} <= {self._booked, None} and not self._orders(UNRESOLVED)
        self._trades_before = self._booked
        if not is_still:
            return _Seen(differences, frozenset({Subject.BALANCE}))
        differences |= dict(in_balances(balances, self._account, pair_of=self._pair_of))
        return _Seen(differences, balances=None if before or after else balances)

    def _orders(self, states: frozenset[OrderState]) -> dict[str, OrderRecord]:
        return {
            name: order
            for record in self._diary.open_decisions()
            for name, order in record.orders.items()
            if order.state in states and order.sent.venue == self._name
        }

    @property
    def _booked(self) -> int:
        return sum(moved.trades for moved in self._account.moved.values())

    async def _in_trades(self) -> AsyncIterator[tuple[Point, Difference]]:
        for decision_id, name in self._to_compare():
            before = _trades_of(self._diary.decisions[decision_id], name)
            order = self._diary.decisions[decision_id].orders[name]
            found = {trade.trade_id: trade.quantity for trade in await self._venue.trades(ref_of(order))}
            if _trades_of(self._diary.decisions[decision_id], name) == before:
                for item in in_trades(name, order.sent.instrument, booked=before, found=found):
                    yield item

    def _to_compare(self) -> list[tuple[str, str]]:
        """Return decision and order: those that differed, and as many of the last day as have their turn."""
        sent = [
            (decision_id, name)
            for decision_id in self._diary.book.recent.sealed
            for name, order in self._diary.decisions[decision_id].orders.items()
            if order.venue_order_id and order.sent.venue == self._name
        ]
        known = (*self._looks.last, *self._account.standing)
        doubted = {point.about for point in known if point.subject in _TRADES}
        begin = self._turn if self._turn < len(sent) else 0
        self._turn = begin + MOST_ORDERS
        turn = sent[begin : self._turn]
        return [*turn, *(item for item in sent if item[1] in doubted and item not in turn)]

    def _pair_of(self, instrument: str) -> Pair:
        return self._pairs.get(instrument, (instrument, "USD"))

    def _scope_of(self, known: Difference) -> str:
        if known.is_of_venue:
            return f"venue:{self._name}"
        scope = f"instrument:{known.instrument}"
        is_traded = known.instrument in self._pairs or not self._pairs
        return scope if known.instrument and is_traded and re.fullmatch(SCOPE_PATTERN, scope) else ""

    async def _tell(self, told: Told) -> None:
        if not told.differing and not told.agreeing:
            return

        def decide() -> Sequence[ev.Event]:
            standing = self._account.standing
            differing = [(*item, self._scope_of(item[1])) for item in told.differing.items()]
            return (
                *(_differed(self._diary, self._name, *item) for item in differing),
                *(_agreed(self._diary, self._name, point) for point in told.agreeing if point in standing),
            )

        # What is told tightens first: should the process end in between, it is told again.
        for known in told.differing.values():
            if scope := self._scope_of(known):
                why = f"{self._name} and the journal differ"
                await self._diary.tighten(scope, state=TradingState.REDUCING, why=why)
        for event in await self._diary.write(decide, about=(f"reconciliation of {self._name}",)):
            if isinstance(event, ReconciliationDiffered | ReconciliationAgreed):
                self._log.say(
                    _SAID[type(event)],
                    at=event.at,
                    venue=self._name,
                    subject=event.subject.value,
                    about=event.about,
                )

    async def _begin(self, balances: Mapping[str, Decimal]) -> None:
        """Write down what the venue holds, from which all later balances are reckoned."""

        def decide() -> Sequence[ev.Event]:
            if self._account.taken is not None or self._orders(MAY_BE_OPEN):
                return ()
            held = tuple(Balance(asset=asset, units=balances[asset]) for asset in sorted(balances))
            return (
                BalancesTaken(at=self._diary.now(), mode=self._diary.mode, venue=self._name, balances=held),
            )

        await self._diary.write(decide, about=(f"reconciliation of {self._name}",))


def _differed(
    diary: Diary, venue: str, point: Point, known: Difference, scope: str
) -> ReconciliationDiffered:
    return ReconciliationDiffered(
        at=diary.now(),
        mode=diary.mode,
        venue=venue,
        subject=point.subject,
        about=point.about,
        booked=known.booked,
        found=known.found,
        scope=scope,
    )


def _agreed(diary: Diary, venue: str, point: Point) -> ReconciliationAgreed:
    return ReconciliationAgreed(
        at=diary.now(), mode=diary.mode, venue=venue, subject=point.subject, about=point.about
    )


def _trades_of(record: DecisionRecord, client_order_id: str) -> dict[str, Decimal]:
    return {fill.trade_id: fill.quantity for fill in record.fills if fill.client_order_id == client_order_id}


def _left(order: OrderRecord) -> tuple[str, Decimal]:
    return order.sent.instrument, order.sent.quantity - order.filled_quantity


def _told_before(event: ReconciliationDiffered) -> Difference:
    return Difference(event.booked, event.found)
