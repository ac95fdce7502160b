"""What routing may expect of a venue: how fast it answers, and how much it rejects. Pure.

Measured where there is enough of it; before that, what the caller assumes. A rejection counts at the
upper end of its interval: a venue is trusted no more than it has proven.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from executor.quality.figures import Missing, known
from executor.quality.intervals import wilson
from executor.quality.measures import OrderMeasures
from executor.quality.passages import Stage
from executor.routing.offers import Delivery

FEWEST: Final = 20
"""With fewer orders at a venue, what is assumed holds."""
MOST: Final = 500
"""Only so many of the newest orders count: a venue changes."""


def delivery_of(venue: str, orders: Iterable[OrderMeasures], *, assumed: Delivery) -> Delivery:
    """Return what `venue` has shown, figure by figure, or what is `assumed` of it."""
    own = sorted((order for order in orders if order.venue == venue), key=lambda order: order.sent_at)[-MOST:]
    took = known(order.hops_s[Stage.ACKNOWLEDGED] for order in own)
    latency_s, spread_s = assumed.latency_s, assumed.latency_spread_s
    if len(took) >= FEWEST:
        latency_s = sum(took, Decimal(0)) / len(took)
        variance = sum(((each - latency_s) ** 2 for each in took), Decimal(0)) / (len(took) - 1)
        spread_s = variance.sqrt()
    return Delivery(latency_s, spread_s, _reject_ratio(own, assumed=assumed.reject_ratio))


def _reject_ratio(orders: list[OrderMeasures], *, assumed: Decimal) -> Decimal:
    answered = [order for order in orders if not order.is_unknown]
    if len(answered) < FEWEST:
        return assumed
    found = wilson(sum(order.is_rejected for order in answered), len(answered))
    return assumed if isinstance(found, Missing) else found.high
