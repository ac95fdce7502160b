"""What it costs that a quote is old by the time an order meets it. Pure.

Until then the price moves by a normal variable of variance v·t. Whoever quoted has an option on
what we do: when the price moves against us the quote is gone, when it moves in our favour we trade
at what was seen (Copeland and Galai 1983, "Information effects on the bid-ask spread"). What that
costs on average is E[max(√(v·t)·Z, 0)] = √(v·t / 2π) (Bachelier 1900; the option at the money). t is
the age of the quote, the mean latency and one standard deviation of it; a venue that rejects the
share r is tried 1 / (1 - r) times on average, and so long it takes.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Final

from executor.routing.offers import Delivery
from when_to_invest.intervals import Session

_CONTEXT: Final = Context(prec=34)
_TRADED_S: Final = {Session.CONTINUOUS: Decimal(365 * 86_400), Session.EXCHANGE: Decimal(252 * 23_400)}
"""Seconds of trading in a year: all of them, or 252 sessions of six and a half hours."""
_TWO_PI: Final = Decimal("6.283185307179586476925286766559006")


def variance_per_s(volatility: Decimal, session: Session) -> Decimal:
    """Return the variance of the relative price change in a second of trading.

    `volatility`: a ratio per year, as in `market.SessionRange`.
    """
    return _CONTEXT.divide(_CONTEXT.multiply(volatility, volatility), _TRADED_S[session])


def exposure_s(delivery: Delivery, *, age_s: Decimal) -> Decimal:
    """Return for how many seconds a price is exposed before the order meets the book."""
    once_s = age_s + delivery.latency_s + delivery.latency_spread_s
    return _CONTEXT.divide(once_s, 1 - delivery.reject_ratio)


def latency_cost_usd(
    price_usd: Decimal, *, variance_per_s: Decimal, delivery: Delivery, age_s: Decimal
) -> Decimal:
    """Return the expected cost of latency of one base unit, in USD; `age_s` of the quote."""
    variance = _CONTEXT.multiply(variance_per_s, exposure_s(delivery, age_s=age_s))
    return _CONTEXT.multiply(price_usd, _CONTEXT.sqrt(_CONTEXT.divide(variance, _TWO_PI)))
