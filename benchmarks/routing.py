"""How long a child's route takes: five venues, fifty levels each, minima, fees, lots that differ.

CPU time: a route waits for nothing.
"""

from __future__ import annotations

import random
import statistics
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from benchmarks.row import Figure, Row, within
from executor.algos.progress import Terms
from executor.routing.offers import Delivery, Demand, Fees, Offer, Room
from executor.routing.route import route
from when_to_invest.intents import Side
from when_to_invest.quotes import Quote

VENUES: Final = 5
LEVELS: Final = 50
ROUTES: Final = 300
BOUND_MS: Final = 10.0
SEED: Final = 7
_NOW: Final = datetime(2026, 3, 2, tzinfo=UTC)
_CENT: Final = Decimal("0.01")


def rows() -> list[Row]:
    """Return the median and the 99th of 100 of a route that takes two thirds of all that is shown."""
    draw = random.Random(SEED)  # noqa: S311 - books, not secrets
    durations_ms = []
    for _ in range(ROUTES):
        offers = [_offer(place, draw) for place in range(VENUES)]
        wanted = _demand(offers)
        started = time.thread_time()
        route(wanted, offers)
        durations_ms.append(1000 * (time.thread_time() - started))
    name = f"route over {VENUES} venues of {LEVELS} levels, CPU"
    p99_ms = statistics.quantiles(durations_ms, n=100)[98]
    return [
        within(f"{name}, p50", Figure(statistics.median(durations_ms), "ms"), bound=BOUND_MS),
        within(f"{name}, p99", Figure(p99_ms, "ms"), bound=2 * BOUND_MS),
    ]


def _demand(offers: list[Offer]) -> Demand:
    shown = sum(quantity for each in offers if each.quote for _, quantity in each.quote.asks)
    return Demand(
        instrument="BTC/USDT",
        side=Side.BUY,
        quantity=Decimal(2) * shown / 3,
        limit_price_usd=Decimal(70_000),
        now=_NOW,
        variance_per_s=Decimal("1e-8"),
    )


def _offer(place: int, draw: random.Random) -> Offer:
    price_usd, asks = Decimal(60_000) + draw.randint(0, 500) * _CENT, []
    for _ in range(LEVELS):
        price_usd += draw.randint(1, 300) * _CENT
        asks.append((price_usd, Decimal(draw.randint(1, 200_000)).scaleb(-5)))
    best = asks[0]
    return Offer(
        venue=f"venue-{place}",
        quote=Quote("BTC/USDT", _NOW, best[0] - _CENT, Decimal(1), *best, asks=tuple(asks)),
        terms=Terms(Decimal(1).scaleb(-3 - place % 3), _CENT, Decimal("0.001"), Decimal(10)),
        fees=Fees(Decimal(5 + place), Decimal(1)),
        delivery=Delivery(Decimal("0.05") * (1 + place), Decimal("0.02"), Decimal("0.01")),
        room=Room(Decimal(10**9), Decimal(10**6), Decimal(10**9)),
    )
