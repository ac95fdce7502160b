"""In what a venue and the journal differ, at one look. Pure: no clock, no waiting, no correction.

Stage: venue, journal → differences. One look proves nothing: orders and trades are on their way while
it is taken. `Looks` tells a difference only once it has stayed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from executor.venues.port import VenueOrder
from when_to_invest.reconciliation import Account, Point, Subject

SAME_LOOKS: Final = 3
"""Looks in a row at which a difference was the very same before it is told."""
ANY_LOOKS: Final = 10
"""Looks in a row at which there was one at all: what keeps changing is told, too."""
AGREEING_LOOKS: Final = 2
"""Looks in a row without it before a difference that was told counts as gone."""
BASE_TOLERANCE: Final = Decimal("1e-8")
QUOTE_TOLERANCE: Final = Decimal("1e-4")
"""By which a venue may round what one trade moved."""
_ZERO: Final = Decimal(0)
Pair = tuple[str, str]
"""Base and quote asset of an instrument."""


class Difference(NamedTuple):
    """What the journal has and what the venue says, in base units or the asset's."""

    booked: Decimal
    found: Decimal
    instrument: str = ""
    """Whose trading it touches; empty for the whole venue's or for nobody's."""
    is_of_venue: bool = False
    """Whether it touches everything that is traded there."""


Differences = Mapping[Point, Difference]


@dataclass(frozen=True, slots=True)
class Listed:
    """Our orders at a venue as the journal has them: by id, with instrument and quantity left."""

    open: Mapping[str, tuple[str, Decimal]]
    """Acknowledged before the venue was asked, and open after it as well."""
    possible: frozenset[str]
    """Whatever may be open, sent before or after the venue was asked."""
    ours: Callable[[str], bool]
    """Whether the journal knows an id at all."""


def in_orders(found: Iterable[VenueOrder], listed: Listed) -> Iterator[tuple[Point, Difference]]:
    """Yield every order that only one of both works on."""
    seen: set[str] = set()
    for order in found:
        name = order.client_order_id
        if name in listed.possible:
            seen.add(name)
        elif listed.ours(name):
            yield Point(Subject.ORDER_UNKNOWN, name), Difference(_ZERO, Decimal(1), order.instrument)
        else:
            # Some venues show no id, or the same one, for all that other people's programs placed.
            about = order.venue_order_id[:120]
            yield Point(Subject.ORDER_FOREIGN, about), Difference(_ZERO, Decimal(1), order.instrument)
    for name, (instrument, quantity) in listed.open.items():
        if name not in seen:
            yield Point(Subject.ORDER_LOST, name), Difference(quantity, _ZERO, instrument)


def in_trades(
    client_order_id: str, instrument: str, *, booked: Mapping[str, Decimal], found: Mapping[str, Decimal]
) -> Iterator[tuple[Point, Difference]]:
    """Yield how much of one order only one of both has trades for; quantities by trade id."""
    unbooked = sum((quantity for name, quantity in found.items() if name not in booked), _ZERO)
    missing = sum((quantity for name, quantity in booked.items() if name not in found), _ZERO)
    if unbooked:
        yield Point(Subject.TRADE_UNBOOKED, client_order_id), Difference(_ZERO, unbooked, instrument)
    if missing:
        yield Point(Subject.TRADE_MISSING, client_order_id), Difference(missing, _ZERO, instrument)


def in_balances(
    found: Mapping[str, Decimal], account: Account, *, pair_of: Callable[[str], Pair]
) -> Iterator[tuple[Point, Difference]]:
    """Yield every asset of which the venue holds another amount than trades made of what it held."""
    if account.taken is None:
        return
    expected, tolerance = implied(account, pair_of)
    touches = {pair_of(instrument)[0]: instrument for instrument in account.moved}
    cash = {pair_of(instrument)[1] for instrument in account.moved}
    for asset in sorted(expected.keys() | found.keys()):
        booked, held = expected.get(asset, _ZERO), found.get(asset, _ZERO)
        if abs(booked - held) > tolerance[asset]:
            yield (
                Point(Subject.BALANCE, asset),
                Difference(booked, held, touches.get(asset, ""), is_of_venue=asset in cash),
            )


def implied(
    account: Account, pair_of: Callable[[str], Pair]
) -> tuple[dict[str, Decimal], Mapping[str, Decimal]]:
    """Return what must be held of each asset, and by how much that may be rounded."""
    held: dict[str, Decimal] = dict(account.taken or {})

    def add(asset: str, units: Decimal) -> None:
        held[asset] = held.get(asset, _ZERO) + units

    rounding: dict[str, Decimal] = {}
    for instrument, moved in account.moved.items():
        base, quote = pair_of(instrument)
        add(base, moved.base)
        add(quote, moved.quote)
        rounding[base] = rounding.get(base, _ZERO) + moved.trades * BASE_TOLERANCE
        rounding[quote] = rounding.get(quote, _ZERO) + moved.trades * QUOTE_TOLERANCE
        for asset, units in moved.fees.items():
            add(asset, -units)
            rounding.setdefault(asset, moved.trades * BASE_TOLERANCE)
    return held, _Rounding(rounding)


class _Rounding(dict[str, Decimal]):
    def __missing__(self, asset: str) -> Decimal:
        return BASE_TOLERANCE


def _is_told(before: Difference | None, known: Difference) -> bool:
    return before is not None and before[:2] == known[:2]


@dataclass(slots=True)
class Told:
    """What has become certain at a look."""

    differing: dict[Point, Difference]
    agreeing: tuple[Point, ...]


@dataclass(slots=True)
class Looks:
    """Mutable memory of the looks before: how long each difference has stayed, and how long it is gone."""

    same: Counter[Point] = field(default_factory=Counter)
    any: Counter[Point] = field(default_factory=Counter)
    gone: Counter[Point] = field(default_factory=Counter)
    last: dict[Point, Difference] = field(default_factory=dict)

    def take(
        self, found: Differences, *, standing: Mapping[Point, Difference], unseen: frozenset[Subject]
    ) -> Told:
        """Take one look; `standing` was told already, of `unseen` nothing was looked at."""
        kept = {point: known for point, known in self.last.items() if point.subject in unseen}
        for point in self.last.keys() - found.keys() - kept.keys():
            del self.same[point], self.any[point]
        differing = {point: known for point, known in found.items() if self._has_stayed(point, known)}
        news = {
            point: known for point, known in differing.items() if not _is_told(standing.get(point), known)
        }
        self.last = kept | dict(found)
        return Told(news, tuple(self._gone(found, standing, unseen)))

    def _has_stayed(self, point: Point, known: Difference) -> bool:
        self.same[point] = self.same[point] + 1 if self.last.get(point) == known else 1
        self.any[point] += 1
        return self.same[point] >= SAME_LOOKS or self.any[point] >= ANY_LOOKS

    def _gone(
        self, found: Differences, standing: Iterable[Point], unseen: frozenset[Subject]
    ) -> Iterator[Point]:
        for point in standing:
            if point in found:
                del self.gone[point]
            elif point.subject not in unseen:
                self.gone[point] += 1
                if self.gone[point] >= AGREEING_LOOKS:
                    del self.gone[point]
                    yield point
