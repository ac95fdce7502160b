"""What the gate's process reads of the market for itself: never a price that a caller sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from home.paths import Home
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import Instrument
from when_to_invest.market import ReferencePrice

UNPRICED = frozenset({ErrorCode.NO_DATA, ErrorCode.CORRUPT_DATA, ErrorCode.UNKNOWN_INSTRUMENT})


class MarketView(Protocol):
    """Instruments, reference prices and recorded recommendations."""

    def instrument(self, instrument_id: str) -> Instrument:
        """Return an instrument, or raise `unknown_instrument`."""
        ...

    def reference(self, instrument_id: str, *, now: datetime) -> ReferencePrice | None:
        """Return the newest price known at `now`; none when there is no usable one."""
        ...

    def recommendation_expiry(self, recommendation_id: str, *, instrument: str) -> datetime:
        """Return until when a recorded recommendation of `instrument` counts, or raise."""
        ...


@dataclass(frozen=True, slots=True)
class LakeView:
    """The market as the home's own data show it."""

    home: Home

    def instrument(self, instrument_id: str) -> Instrument:
        """Return an instrument, or raise `unknown_instrument`."""
        from market_data.catalogue import instrument

        return instrument(self.home, instrument_id)

    def reference(self, instrument_id: str, *, now: datetime) -> ReferencePrice | None:
        """Return the newest close known at `now`; none, which refuses, when data are broken."""
        from market_data.source import reference_price

        try:
            return reference_price(self.home, instrument_id, now=now)
        except Fault as fault:
            if fault.code in UNPRICED:
                return None
            raise

    def recommendation_expiry(self, recommendation_id: str, *, instrument: str) -> datetime:
        """Return until when a recorded recommendation of `instrument` counts.

        Raises:
            Fault: `unknown_recommendation`, or `bad_argument` when it speaks of another.
        """
        from market_data.archive import recommendation_expiry

        return recommendation_expiry(self.home, recommendation_id, instrument=instrument)


def marks_of(
    read: Callable[[str], ReferencePrice | None], instruments: Iterable[str]
) -> dict[str, ReferencePrice]:
    """Return the prices that `read` has of several instruments, without those that have none."""
    found = {name: read(name) for name in instruments}
    return {name: price for name, price in found.items() if price is not None}
