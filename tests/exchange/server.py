"""The local exchange on a loopback socket, in this process: one venue in one dialect."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

from aiohttp import web

from tests.exchange.binance import binance_routes
from tests.exchange.binance_streams import BinanceStreams
from tests.exchange.coinbase import coinbase_routes
from tests.exchange.coinbase_streams import CoinbaseStreams
from tests.exchange.control import control_routes
from tests.exchange.counter import Counter
from tests.exchange.desk import Desk
from tests.exchange.faulty import Faults
from tests.exchange.kraken import kraken_routes
from tests.exchange.kraken_streams import KrakenStreams
from tests.exchange.matching import Exchange
from tests.exchange.mishaps import Mishaps
from tests.exchange.streams import Hub
from tests.exchange.terms import FeeSchedule, Listing
from tests.exchange.venues import (
    BTC,
    BTC_USD,
    COINBASE_BTC_USD,
    COINBASE_ETH_USD,
    ETH,
    ETH_USD,
    TRADER,
    Credentials,
    stocked,
)

LOOPBACK = "127.0.0.1"
CLOSING_GRACE_S = 0.1


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a venue is spoken to and what it lists and charges."""

    name: str
    listings: tuple[Listing, ...]
    fees: FeeSchedule
    routes: Callable[[Counter], list[web.RouteDef]]


@dataclass(frozen=True, slots=True)
class Local:
    """A venue that runs: where, and what stands behind it."""

    dialect: str
    port: int
    counter: Counter

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def exchange(self) -> Exchange:
        return self.counter.exchange

    @property
    def mishaps(self) -> Mishaps:
        return self.counter.mishaps


def wall_ms() -> int:
    """Return now; clients sign with the real time, so the venue must know it."""
    return time.time_ns() // 1_000_000


def _binance(counter: Counter) -> list[web.RouteDef]:
    return binance_routes(counter) + BinanceStreams(counter).routes()


def _kraken(counter: Counter) -> list[web.RouteDef]:
    return kraken_routes(counter) + KrakenStreams(counter).routes()


def _coinbase(counter: Counter) -> list[web.RouteDef]:
    return coinbase_routes(counter) + CoinbaseStreams(counter).routes()


DIALECTS = {
    "binance": Dialect("binance", (BTC, ETH), FeeSchedule(), _binance),
    "kraken": Dialect(
        "kraken",
        (BTC_USD, ETH_USD),
        FeeSchedule(Decimal("0.0025"), Decimal("0.0040"), is_in_quote=True),
        _kraken,
    ),
    "coinbase": Dialect(
        "coinbase",
        (COINBASE_BTC_USD, COINBASE_ETH_USD),
        FeeSchedule(Decimal("0.0040"), Decimal("0.0060"), is_in_quote=True),
        _coinbase,
    ),
}


@asynccontextmanager
async def serving(
    dialect: str,
    *,
    port: int = 0,
    exchange: Exchange | None = None,
    now_ms: Callable[[], int] = wall_ms,
    credentials: Credentials | None = None,
) -> AsyncIterator[Local]:
    """Serve one dialect on loopback until the context ends; port 0 takes a free one."""
    spoken, mishaps = DIALECTS[dialect], Mishaps()
    venue = exchange or stocked(*spoken.listings, now_ms=now_ms, fees=spoken.fees)
    hub = Hub(mishaps)
    desk, keys = Desk(venue, TRADER), credentials or Credentials()
    counter = Counter(venue, desk, keys, mishaps, hub, lambda: now_ms() + mishaps.skew_ms)
    faults = Faults(counter)
    app = web.Application(middlewares=[faults.middleware()])
    app.add_routes([*spoken.routes(counter), *control_routes(counter)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSING_GRACE_S)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, port)
    await site.start()
    try:
        yield Local(dialect, runner.addresses[0][1], counter)
    finally:
        faults.closing.set()
        await hub.close()
        await runner.cleanup()
