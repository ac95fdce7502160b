"""What the paper venue's market looks like: its prices, a quote made of them, and what trades left.

Stage: paper venue. It never looks ahead: a quote stands on the newest bar that has closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol

from executor.venues.matching import worsened
from executor.venues.paper_book import Change
from when_to_invest.errors import Fault
from when_to_invest.instruments import Instrument
from when_to_invest.intents import Side
from when_to_invest.market import Bar, ReferencePrice, tradable_from
from when_to_invest.quotes import Quote

DOLLARS: Final = "USD"


class Prices(Protocol):
    """Where the paper venue's market comes from."""

    def instrument(self, instrument_id: str) -> Instrument:
        """Return the instrument.

        Raises:
            Fault: `unknown_instrument`.
        """
        ...

    def next_bar(self, instrument_id: str, *, after: datetime, until: datetime) -> Bar | None:
        """Return the first bar that starts trading after `after` and not after `until`."""
        ...

    def reference(self, instrument_id: str, *, now: datetime) -> ReferencePrice | None:
        """Return the newest closed price at `now`, or none.

        Raises:
            Fault: `unknown_instrument`, `no_data`, `corrupt_data`.
        """
        ...


def balances_after(changes: Iterable[Change], *, cash_usd: Decimal) -> Mapping[str, Decimal]:
    """Return asset to units: the opening cash, and what trades made of it."""
    held = {DOLLARS: cash_usd}
    for change in changes:
        asset = change.instrument.split("/")[0]
        held[asset] = held.get(asset, Decimal(0)) + change.quantity
        held[DOLLARS] += change.cash_usd
    return held


def quote_at(now: datetime, name: str, *, prices: Prices, slippage_bps: Decimal) -> Quote | None:
    """Return the newest close, as far apart as the slippage on both sides; none when nothing is known.

    The venue stands behind that price until the next bar, so the quote is of `now`. Quantities are
    the instrument's lot: there is no depth.
    """
    try:
        instrument, price = prices.instrument(name), prices.reference(name, now=now)
    except Fault:
        return None
    if price is None:
        return None
    tick_usd, lot = instrument.tick_size_usd, instrument.lot_size
    bid_usd, ask_usd = (
        worsened(price.price_usd, side=side, slippage_bps=slippage_bps, tick_usd=tick_usd)
        for side in (Side.SELL, Side.BUY)
    )
    if not 0 < bid_usd < ask_usd:
        return None
    return Quote(
        instrument=name,
        at=now,
        bid_usd=bid_usd,
        bid_quantity=lot,
        ask_usd=ask_usd,
        ask_quantity=lot,
        bids=((bid_usd, lot),),
        asks=((ask_usd, lot),),
    )


def traded_between(since: datetime, now: datetime, name: str, *, prices: Prices) -> Decimal | None:
    """Return the volume of the bars that started trading after `since` and have closed by `now`.

    None for an instrument that is not known, or whose bars carry no volume.
    """
    try:
        instrument = prices.instrument(name)
        if not instrument.has_volume:
            return None
        total, after = Decimal(0), since
        while (bar := prices.next_bar(name, after=after, until=now)) is not None and bar.closed_at <= now:
            total += bar.volume
            after = tradable_from(bar.opened_at, interval=instrument.interval, session=instrument.session)
    except Fault:
        return None
    return total if total.is_finite() and total >= 0 else None
