"""Makes a venue of a table `[venues.NAME]`: its client, pool, pacing and words. Stage: executor, at start.

The client repeats nothing, keeps its own rate limiter off and hands numbers through as text.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from executor.venues.ccxt.binance import Binance
from executor.venues.ccxt.breaker import Breaker
from executor.venues.ccxt.coinbase import Coinbase
from executor.venues.ccxt.credentials import Credentials
from executor.venues.ccxt.desk import Desk, Pairs
from executor.venues.ccxt.dialects import Dialect
from executor.venues.ccxt.heard import note_reply, wire_trace
from executor.venues.ccxt.kraken import Kraken
from executor.venues.ccxt.library import exchange_class
from executor.venues.ccxt.line import Line
from executor.venues.ccxt.pacing import Allowance, Monotonic, Pacing, Pause, Rate
from executor.venues.ccxt.venue import CcxtVenue
from executor.venues.port import VenueProfile
from home.clock import Clock
from home.venues import VenueSettings
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.values import Mode

DIALECTS: Final[Mapping[str, type[Dialect]]] = MappingProxyType(
    {"binance": Binance, "kraken": Kraken, "coinbase": Coinbase}
)
"""Exchanges with words of their own; any other is asked in the generic, careful way."""
_OPTIONS: Final = MappingProxyType(
    {
        "defaultType": "spot",
        "fetchMarkets": {"types": ["spot"]},
        "fetchCurrencies": False,
        "fetchMargins": False,
        "maxRetriesOnFailure": 0,
        "warnOnFetchOpenOrdersWithoutSymbol": False,
        "adjustForTimeDifference": False,
    }
)
_TICK_SIZE: Final = 4
"""ccxt's number for markets that tell steps, not counts of digits."""


def connect(
    name: str,
    settings: VenueSettings,
    *,
    credentials: Credentials,
    clock: Clock,
    monotonic: Monotonic = time.monotonic,
    pause: Pause = asyncio.sleep,
    dialect: Dialect | None = None,
) -> CcxtVenue:
    """Return the venue `name`; nothing is asked before it is used. Needs a running loop.

    `dialect`: how to ask it, where that is not what the exchange's own id says.

    Raises:
        Fault: `bad_config` for an unknown exchange, one without a sandbox, or one whose
            markets tell no steps.
    """
    dialect = dialect or DIALECTS.get(settings.exchange, Dialect)()
    client = _client(settings, credentials)
    dialect.learn(client.has)
    line = Line(
        client,
        pacing=Pacing(_allowance(settings, dialect.allowance), monotonic=monotonic, pause=pause),
        breaker=Breaker(monotonic=monotonic),
        dialect=dialect,
        monotonic=monotonic,
        session=_pool(client, places=dialect.places),
    )
    profile = VenueProfile(
        name=name,
        mode=Mode.PAPER if settings.sandbox else Mode.LIVE,
        absence_is_authoritative=False,
        client_id_shape=dialect.shape,
        refuses_late_requests=dialect.refuses_late,
        request_life_s=dialect.request_life_s,
    )
    pairs = Pairs(dict(settings.symbols), frozenset(settings.dollars))
    desk = Desk(name, line=line, dialect=dialect, pairs=pairs)
    return CcxtVenue(desk, profile=profile, clock=clock)


def _client(settings: VenueSettings, credentials: Credentials) -> Any:
    client = exchange_class(settings.exchange)(
        {
            "apiKey": credentials.key,
            "secret": credentials.secret,
            "password": credentials.password,
            "enableRateLimit": False,
            "timeout": int(settings.timeout_s * 1000),
            "options": dict(_OPTIONS),
        }
    )
    client.number = str
    client.timeout_on_exit = 0
    client.on_rest_response = _note_and_strip
    client.on_json_response = _numbers_as_text
    client.parse_order_book_bids_asks = _levels_as_text
    if client.precisionMode != _TICK_SIZE:
        raise _unusable(settings.exchange, "its markets tell no steps")
    if settings.endpoint_url is not None:
        _point(client.urls["api"], settings.endpoint_url)
    elif settings.sandbox:
        if not client.urls.get("test"):
            raise _unusable(settings.exchange, "it has no sandbox")
        client.set_sandbox_mode(True)
    return client


def _pool(client: Any, *, places: int) -> Any:
    """Give the client a bounded pool of connections that tells what was sent; whoever has it closes it."""
    from aiohttp import ClientSession, TCPConnector

    connector = TCPConnector(limit=places, limit_per_host=places)
    client.session = ClientSession(connector=connector, trace_configs=[wire_trace()])
    client.own_session = False
    return client.session


def _note_and_strip(*reply: Any) -> str:
    """Stand in for ccxt's hook of the same arguments: status, reason, url, method, headers, body, request."""
    status, headers, body = reply[0], reply[4], str(reply[5]).strip()
    note_reply(status, headers, body)
    return body


def _numbers_as_text(body: str) -> Any:
    """Stand in for ccxt's reader of JSON, which makes floats of numbers that are not whole."""
    return json.loads(body, parse_float=str)


def _levels_as_text(told: Any, price_key: Any = 0, amount_key: Any = 1, *_: Any) -> list[list[Any]]:
    """Stand in for ccxt's reader of book levels, which makes floats of them."""
    return [[level[price_key], level[amount_key]] for level in told or ()]


def _point(urls: dict[str, Any], endpoint_url: str) -> None:
    """Point every address of REST at one host, its path kept."""
    for name, address in urls.items():
        if isinstance(address, str):
            path = urlsplit(address.replace("{hostname}", "venue.invalid")).path
            urls[name] = endpoint_url.rstrip("/") + path


def _allowance(settings: VenueSettings, known: Allowance) -> Allowance:
    """Return what the venue allows, in the account's own tier where one is configured."""
    return Allowance(
        requests=_rate(settings.requests_per_s, known.requests),
        orders=_rate(settings.orders_per_s, known.orders),
    )


def _rate(per_s: float | None, known: Rate) -> Rate:
    if per_s is None:
        return known
    scale = per_s / known.per_s
    return Rate(per_s, known.burst * scale, reserve=known.reserve * scale)


def _unusable(exchange: str, why: str) -> Fault:
    return Fault(
        ErrorCode.BAD_CONFIG,
        f"{exchange} cannot be used here: {why}",
        fix="use another exchange, or its own sandbox through `endpoint_url`",
    )
