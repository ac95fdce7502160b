"""Where an adapter's questions are asked: when it is ready, what an order is there, what an answer means.

Stage: executor → venue. It learns the venue's markets once and its clock now and then. It
must never take a failure for an answer, nor an answer in other words for a failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final, TypeVar

from executor.venues.ccxt.amounts import Told
from executor.venues.ccxt.answers import quote_of
from executor.venues.ccxt.classify import BEYOND_DOUBT
from executor.venues.ccxt.dialects import Dialect, Sought
from executor.venues.ccxt.line import Line, MissedError
from executor.venues.ccxt.pacing import NotNowError
from executor.venues.ccxt.skew import VenueTime
from executor.venues.ccxt.terms import Terms, terms_of
from executor.venues.port import OrderRef
from when_to_invest.errors import ErrorCode, Fault

BOOK_LEVELS: Final = 20
_EMPTY: Final[Told] = MappingProxyType({"bids": (), "asks": ()})
_ANY_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Pairs:
    """What is traded at a venue: instrument to the venue's symbol, and what counts as dollars there."""

    symbols: Mapping[str, str]
    dollars: frozenset[str]

    def instrument(self, symbol: str) -> str:
        """Return the instrument of a symbol; the symbol itself where nothing is configured."""
        return next((name for name, known in self.symbols.items() if known == symbol), symbol)


class Desk:
    """One venue's line, words, pairs and clock."""

    def __init__(self, name: str, *, line: Line, dialect: Dialect, pairs: Pairs) -> None:
        self.line = line
        self.dialect = dialect
        self.pairs = pairs
        self.time = VenueTime(line)
        self.terms: Mapping[str, Terms] = {}
        self._listed: frozenset[str] = frozenset()
        self.name = name
        self._getting_ready = asyncio.Lock()

    async def ready(self) -> Mapping[str, Terms]:
        """Return the terms of what is traded, learnt once; the venue's clock is read now and then.

        Raises:
            Fault: `venue_unavailable`; `bad_config` for a pair that cannot be traded.
        """
        async with self._getting_ready:
            await self.answered(self.time.keep())
            if not self.terms:
                markets = await self.answered(self.line.ask("load_markets")) or {}
                self._listed = frozenset(markets)
                self.terms = {name: self._term(name, markets) for name in self.pairs.symbols}
        return self.terms

    async def prices_of(self, assets: frozenset[str]) -> Mapping[str, Decimal]:
        """Return the dollars that the venue bids for one unit of each asset, where it lists that.

        Raises:
            Fault: `venue_unavailable`; what it lists is asked again.
        """
        found = {asset: await self._bid_usd(asset) for asset in sorted(assets)}
        return {asset: price for asset, price in found.items() if price is not None}

    async def _bid_usd(self, asset: str) -> Decimal | None:
        """Return what one unit fetches in any dollars; none where the venue does not say."""
        for symbol in sorted({f"{asset}/{dollars}" for dollars in self.pairs.dollars} & self._listed):
            told = await self.answered(self.line.ask("fetch_order_book", symbol, BOOK_LEVELS))
            quote = quote_of(told or _EMPTY, instrument=symbol, at=_ANY_TIME)
            if quote is not None:
                return quote.bid_usd
        return None

    def _term(self, instrument: str, markets: Told) -> Terms:
        market = markets.get(self.pairs.symbols[instrument])
        if market is None:
            raise Fault(
                ErrorCode.BAD_CONFIG,
                f"{self.name} lists no {self.pairs.symbols[instrument]}",
                fix="correct `symbols` of that venue in config.toml",
            )
        return terms_of(market, instrument=instrument, dollars=self.pairs.dollars)

    async def sought(self, order: OrderRef, *, is_urgent: bool = False) -> Sought:
        """Return an order in the venue's terms; what is urgent waits for no measurement of a clock.

        Raises:
            Fault: `venue_unavailable`; `unknown_instrument` when it is not configured any more.
        """
        known = self.terms if is_urgent and self.terms else await self.ready()
        terms = known.get(order.instrument)
        if terms is None:
            raise Fault(
                ErrorCode.UNKNOWN_INSTRUMENT,
                f"{order.instrument} is not configured at {self.name}, and an order of it is there",
                fix="put the instrument back into that venue's `symbols`",
            )
        return Sought(order, terms.symbol)

    async def answered(self, asking: Awaitable[Answer]) -> Answer | None:
        """Return what was answered; none where the venue knows no such order.

        Raises:
            Fault: `venue_unavailable`; `unauthenticated` when the venue refuses the key.
        """
        try:
            return await asking
        except NotNowError as error:
            raise _unavailable(str(error)) from error
        except MissedError as missed:
            if self._is_absence(missed.error):
                return None
            if type(missed.error).__name__ == "InvalidNonce":
                self.time.forget()
            raise _fault_of(missed, self.name) from missed

    def _is_absence(self, error: Exception) -> bool:
        if type(error).__name__ == "OrderNotFound":
            return True
        from ccxt.base.errors import ExchangeError

        words = self.dialect.absent_words
        return isinstance(error, ExchangeError) and any(word in str(error) for word in words)


def _fault_of(missed: MissedError, venue: str) -> Fault:
    kind = type(missed.error).__name__
    if kind in BEYOND_DOUBT and kind != "BadSymbol":
        return Fault(
            ErrorCode.UNAUTHENTICATED,
            f"{venue} refuses the key: {kind}",
            fix="check the key, its permissions and its list of addresses at the venue",
        )
    return _unavailable(f"{venue} gave no answer that can be used: {kind}: {missed}"[:300])


def _unavailable(why: str) -> Fault:
    return Fault(ErrorCode.VENUE_UNAVAILABLE, why, fix="it is asked again; check the network and the venue")
