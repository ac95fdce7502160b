"""The naive gate's third part: the market that the order goes into."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from policies.limits import Limits
from tests.policies.naive_price import naive_price
from tests.strategies.situations import Situation
from when_to_invest.instruments import Session
from when_to_invest.market import ReferencePrice

Codes = list[tuple[str, str]]


@dataclass(frozen=True)
class Seen:
    fall: Fraction
    rise: Fraction
    band: Fraction
    growth: Fraction
    low: Fraction
    high: Fraction
    is_exchange: bool


def about_market(s: Situation, limits: Limits) -> Codes:
    """Return what speaks against a buy; sells are let through."""
    if s.intent.side.value == "sell":
        return []
    said: Codes = []
    status = s.book.recent.venue_statuses.get(s.intent.venue)
    if status is not None and status.value in ("halted", "down"):
        said.append(("venue_status", "venue_not_trading"))
    own = _seen(s.reference)
    if own is None or s.reference is None:
        return said + [(rule, "missing_fact") for rule in ("price_band", "market_halt", *_compared(s))]
    band = min(own.band, Fraction(limits.max_price_band_bps) / 10_000)
    if max(own.fall, own.rise) >= band:
        said.append(("price_band", "price_band_touched"))
    return said + _about_index(s, limits, own) + _about_print(s, limits, own)


def _about_index(s: Situation, limits: Limits, own: Seen) -> Codes:
    market = _seen(s.index) if own.is_exchange else own
    is_known = market is not None
    if is_known and own.is_exchange and s.reference and s.index:
        is_known = s.reference.known_at - s.index.known_at <= timedelta(hours=12)
    if market is None or not is_known:
        return [("market_halt", "missing_fact")]
    has_fallen = market.fall >= own.growth * Fraction(limits.market_halt_bps) / 10_000
    return [("market_halt", "market_halted")] if has_fallen else []


def _compared(s: Situation) -> list[str]:
    last = s.book.recent.prints.get((s.intent.venue, s.intent.instrument))
    return ["print_anomaly"] if last is not None and s.now - last.at < timedelta(hours=24) else []


def _about_print(s: Situation, limits: Limits, own: Seen) -> Codes:
    price = naive_price(s.reference)[0]
    if not _compared(s) or price is None:
        return []
    print_usd = Fraction(s.book.recent.prints[s.intent.venue, s.intent.instrument].price_usd)
    below, above = min(own.low, price) - print_usd, print_usd - max(own.high, price)
    outside = _up(max(below, above, Fraction(0)) / price)
    is_far = outside > own.growth * Fraction(limits.max_print_deviation_bps) / 10_000
    return [("print_anomaly", "print_disagrees")] if is_far else []


def _up(ratio: Fraction) -> Fraction:
    return Fraction(-(-ratio.numerator * 10**6 // ratio.denominator), 10**6)


def _down(ratio: Fraction) -> Fraction:
    return Fraction(ratio.numerator * 10**6 // ratio.denominator, 10**6)


def _seen(reference: ReferencePrice | None) -> Seen | None:
    if naive_price(reference)[0] is None or reference is None or reference.range is None:
        return None
    went = reference.range
    figures = (went.previous_close_usd, went.low_usd, went.high_usd)
    if any(not figure.is_finite() or figure <= 0 for figure in figures):
        return None
    if not went.volatility.is_finite() or not 0 <= went.volatility <= 1000:
        return None
    before, low, high = (Fraction(figure) for figure in figures)
    is_exchange = went.session is Session.EXCHANGE
    growth = (
        Fraction(1) if is_exchange else max(Fraction(1), _down(Fraction(went.volatility) / Fraction("0.2")))
    )
    return Seen(
        fall=_up(max(before - low, Fraction(0)) / before),
        rise=_up(max(high - before, Fraction(0)) / before),
        band=_down(_band(before, Fraction(went.volatility)) if is_exchange else growth / 20),
        growth=growth,
        low=low,
        high=high,
        is_exchange=is_exchange,
    )


def _band(before: Fraction, volatility: Fraction) -> Fraction:
    """Limit up, limit down: 5 % or 10 %, 20 % up to 3 USD, 15 cents at most below 75 cents."""
    if before < Fraction("0.75"):
        return min(Fraction("0.75"), Fraction("0.15") / before)
    if before <= 3:
        return Fraction("0.2")
    return Fraction("0.05") if volatility <= Fraction("0.4") else Fraction("0.1")
