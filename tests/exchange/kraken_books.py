"""Kraken's books as its sockets tell them: so many levels a side, and a checksum over the best ten. Pure."""

from __future__ import annotations

import zlib
from decimal import Decimal

from tests.exchange.terms import Depth, DepthMoved

DEPTHS = (10, 25, 100, 500, 1000)
CHECKED_LEVELS = 10
Levels = tuple[tuple[Decimal, Decimal], ...]


def checksum(depth: Depth, *, tick: Decimal, lot: Decimal) -> int:
    """Return the CRC-32 of the ten best levels, asks first, digits without point and leading zeros."""
    return zlib.crc32("".join(_digits(side, tick, lot) for side in (depth.asks, depth.bids)).encode())


def _digits(side: Levels, *steps: Decimal) -> str:
    exact = (
        value.quantize(step)
        for level in side[:CHECKED_LEVELS]
        for value, step in zip(level, steps, strict=True)
    )
    return "".join(f"{value:f}".replace(".", "").lstrip("0") for value in exact)


class BookView:
    """The levels of one depth that followers know.

    A level that another one pushed out is not told: followers cut their books themselves. One
    that comes into sight is.
    """

    def __init__(self, seen: Depth) -> None:
        self._bids, self._asks = dict(seen.bids), dict(seen.asks)

    def changes(self, moved: DepthMoved, now: Depth) -> DepthMoved:
        """Return what followers must hear of a change, after which the view is as `now`; perhaps nothing."""
        bids = _changes(self._bids, moved.bids, now.bids)
        asks = _changes(self._asks, moved.asks, now.asks)
        self._bids, self._asks = dict(now.bids), dict(now.asks)
        return DepthMoved(moved.symbol, moved.sequence, bids, asks)


def _changes(seen: dict[Decimal, Decimal], moved: Levels, now: Levels) -> Levels:
    gone = tuple(level for level in moved if not level[1] and level[0] in seen)
    return gone + tuple(level for level in now if seen.get(level[0]) != level[1])
