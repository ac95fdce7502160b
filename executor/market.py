"""The executor's own view of the market: read for itself, never taken from a proposer."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from home.paths import Home
from when_to_invest.instruments import Instrument
from when_to_invest.market import Bar, ReferencePrice


class Market(Protocol):
    """Instruments and prices as of an instant; nothing later ever leaks."""

    def instrument(self, instrument_id: str) -> Instrument:
        """Return the instrument.

        Raises:
            Fault: `unknown_instrument`.
        """
        ...

    def reference(self, instrument_id: str, *, now: datetime) -> ReferencePrice | None:
        """Return the newest closed price at `now`, or none.

        Raises:
            Fault: `unknown_instrument`, `no_data`, `corrupt_data`.
        """
        ...

    def next_bar(self, instrument_id: str, *, after: datetime, until: datetime) -> Bar | None:
        """Return the first bar that starts trading after `after` and not after `until`."""
        ...

    def recommendation_expiry(self, recommendation_id: str, *, instrument: str) -> datetime:
        """Return until when a recorded recommendation of `instrument` counts.

        Raises:
            Fault: `unknown_recommendation`, `corrupt_data`, or `bad_argument` when it speaks of another.
        """
        ...


class HomeMarket:
    """The recorded and imported data of a home."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def instrument(self, instrument_id: str) -> Instrument:
        """See `Market.instrument`."""
        from market_data import catalogue

        return catalogue.instrument(self._home, instrument_id)

    def reference(self, instrument_id: str, *, now: datetime) -> ReferencePrice | None:
        """See `Market.reference`."""
        from market_data import source

        return source.reference_price(self._home, instrument_id, now=now)

    def next_bar(self, instrument_id: str, *, after: datetime, until: datetime) -> Bar | None:
        """See `Market.next_bar`."""
        from market_data import source

        return source.next_bar(self._home, instrument_id, after=after, until=until)

    def recommendation_expiry(self, recommendation_id: str, *, instrument: str) -> datetime:
        """See `Market.recommendation_expiry`."""
        from market_data import archive

        return archive.recommendation_expiry(self._home, recommendation_id, instrument=instrument)
