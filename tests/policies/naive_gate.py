"""The gate written a second time, plainly: fractions and loops over the raw situation.

It shares nothing with `policies` but the limits' values, so that a slip in either shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from policies.limits import Limits
from tests.policies.naive_market import about_market
from tests.policies.naive_pace import about_pace
from tests.policies.naive_patterns import about_patterns, signatures_for_sums
from tests.policies.naive_price import naive_price
from tests.strategies.situations import DECISION, Situation
from when_to_invest.execution import WORKED_KINDS

Codes = list[tuple[str, str]]


@dataclass(frozen=True)
class NaiveVerdict:
    outcome: str
    reasons: tuple[tuple[str, str], ...]
    """(rule, code) in the order of the rules."""
    approvals_needed: int


def naive_judge(s: Situation, limits: Limits) -> NaiveVerdict:
    price, known_at = naive_price(s.reference)
    hard = _about_the_ask(s, limits) + _about_prices(s, limits, price, known_at)
    hard += _about_amounts(s, limits, price) + about_pace(s, limits) + about_patterns(s, limits)
    hard += about_market(s, limits)
    hard += _about_the_queue(s, limits)
    needed, signed = _signatures(s, limits, price)
    held: Codes = []
    if price is None:
        held = [("approvals", "missing_fact")]
    elif signed < needed:
        held = [("approvals", "approval_needed")]
    of_sums, code = signatures_for_sums(s, limits, signed)
    if of_sums:
        held.append(("split_orders", code))
        needed = max(needed if signed < needed else 0, of_sums)
    outcome = "refused" if hard else "held" if held else "approved"
    return NaiveVerdict(outcome, (*hard, *held), needed if outcome == "held" else 0)


def _about_the_ask(s: Situation, limits: Limits) -> Codes:
    said: Codes = []
    i = s.intent
    if i.mode != s.mode or i.mode not in limits.allowed_modes:
        said.append(("mode", "wrong_mode"))
    said += [("intent_age", code) for code in _ages(s, limits)]
    said += _about_states(s, limits)
    if i.venue not in limits.allowed_venues:
        said.append(("venue_allowed", "venue_not_allowed"))
    if i.execution is not None and i.execution.kind not in WORKED_KINDS:
        said.append(("execution_worked", "execution_not_worked"))
    if i.instrument in limits.denied_instruments:
        said.append(("instrument_allowed", "instrument_denied"))
    elif i.instrument not in limits.allowed_instruments:
        said.append(("instrument_allowed", "instrument_not_allowed"))
    if _unlisted(s):
        said.append(("instrument_known", "missing_fact"))
    elif s.instrument is not None and not s.instrument.is_tradable:
        said.append(("instrument_known", "not_tradable"))
    return said


def _about_states(s: Situation, limits: Limits) -> Codes:
    said: Codes = []
    i = s.intent
    is_covered = i.side.value == "sell" and Fraction(i.quantity) <= _free(s)
    states = [
        s.book.trading_states.get(scope)
        for scope in ("system", f"account:{i.account}", f"venue:{i.venue}", f"instrument:{i.instrument}")
    ]
    words = [state.value for state in states if state]
    if "halted" in words:
        said.append(("trading_state", "trading_halted"))
    elif "reducing" in words and not is_covered:
        said.append(("trading_state", "only_reducing"))
    if _lost(s) > limits.max_unresolved_orders and not is_covered:
        said.append(("unresolved_orders", "unresolved_orders"))
    return said


def _about_the_queue(s: Situation, limits: Limits) -> Codes:
    waiting = [
        owner
        for owner, item in s.book.reservations.items()
        if owner != DECISION
        and item.venue == s.intent.venue
        and {s.book.order_states[sent].value for sent in s.book.orders_of.get(owner, [])} <= {"absent"}
    ]
    return [] if len(waiting) < limits.max_in_flight_orders else [("in_flight", "too_many_in_flight")]


def _ages(s: Situation, limits: Limits) -> list[str]:
    if s.intent.recommendation_id and not s.recommendation_expires_at:
        return ["missing_fact"]
    if s.recommendation_expires_at is not None and s.recommendation_expires_at <= s.now:
        return ["recommendation_expired"]
    if s.intent.proposed_at + timedelta(seconds=limits.max_intent_age_s) < s.now:
        return ["intent_expired"]
    if s.intent.proposed_at > s.now + timedelta(seconds=limits.max_clock_skew_s):
        return ["intent_from_future"]
    return []


def _unlisted(s: Situation) -> bool:
    return s.instrument is None or s.instrument.id != s.intent.instrument


def _lost(s: Situation) -> int:
    count = 0
    for owner, item in s.book.reservations.items():
        if owner == DECISION or item.instrument != s.intent.instrument:
            continue
        for client_id in s.book.orders_of.get(owner, []):
            count += s.book.order_states[client_id].value in ("unknown", "quarantined")
    return count


def _free(s: Situation) -> Fraction:
    free = Fraction(0)
    for (account, name), position in s.book.positions.items():
        if account == s.intent.account and name == s.intent.instrument:
            free += Fraction(position.quantity)
    for owner, item in s.book.reservations.items():
        is_same = item.account == s.intent.account and item.instrument == s.intent.instrument
        if owner != DECISION and is_same and item.side.value == "sell":
            free -= Fraction(item.quantity_open)
    return free


def _about_prices(s: Situation, limits: Limits, price: Fraction | None, known_at: datetime | None) -> Codes:
    if price is None or known_at is None:
        return [(rule, "missing_fact") for rule in ("reference_known", "reference_age", "price_collar")]
    said: Codes = []
    if known_at > s.now + timedelta(seconds=limits.max_clock_skew_s):
        said.append(("reference_age", "reference_from_future"))
    elif known_at + timedelta(seconds=limits.max_reference_age_s) < s.now:
        said.append(("reference_age", "stale_reference"))
    away = (Fraction(s.intent.limit_price_usd) - price) / price * 10_000
    worse = away if s.intent.side.value == "buy" else -away
    if worse > Fraction(limits.price_collar_bps):
        said.append(("price_collar", "price_worse_than_collar"))
    elif -worse > Fraction(limits.passive_collar_bps):
        said.append(("price_collar", "price_far_from_market"))
    return said


def _about_amounts(s: Situation, limits: Limits, price: Fraction | None) -> Codes:
    said: Codes = []
    i = s.intent
    quantity, limit = Fraction(i.quantity), Fraction(i.limit_price_usd)
    if _unlisted(s) or s.instrument is None:
        said += [(rule, "missing_fact") for rule in ("lot_size", "tick_size", "min_notional")]
    else:
        if (quantity / Fraction(s.instrument.lot_size)).denominator != 1:
            said.append(("lot_size", "off_lot"))
        if (limit / Fraction(s.instrument.tick_size_usd)).denominator != 1:
            said.append(("tick_size", "off_tick"))
        if quantity * limit < Fraction(s.instrument.min_notional_usd):
            said.append(("min_notional", "below_min_notional"))
    if quantity > Fraction(limits.max_order_quantity):
        said.append(("order_quantity", "order_quantity_exceeded"))
    return said + _about_worth(s, limits, price) + _about_cover(s, limits) + _about_turnover(s, limits, price)


def _about_worth(s: Situation, limits: Limits, price: Fraction | None) -> Codes:
    is_buy = s.intent.side.value == "buy"
    rules = ["order_notional", "open_orders"] + (["position", "gross_exposure"] if is_buy else [])
    if price is None:
        return [(rule, "missing_fact") for rule in rules]
    said: Codes = []
    worth = Fraction(s.intent.quantity) * max(price, Fraction(s.intent.limit_price_usd))
    if worth > Fraction(limits.max_order_notional_usd):
        said.append(("order_notional", "order_notional_exceeded"))
    on_order = _open_orders(s, price)
    if on_order is None:
        said.append(("open_orders", "missing_fact"))
    elif on_order + worth > Fraction(limits.max_open_orders_usd):
        said.append(("open_orders", "open_orders_exceeded"))
    return said + (_about_exposure(s, limits, price, worth) if is_buy else [])


def _about_exposure(s: Situation, limits: Limits, price: Fraction, worth: Fraction) -> Codes:
    said: Codes = []
    exposures = _exposures(s, price)
    if (exposures.get(s.intent.instrument) or 0) + worth > Fraction(limits.max_position_notional_usd):
        said.append(("position", "position_exceeded"))
    if None in exposures.values():
        said.append(("gross_exposure", "missing_fact"))
    elif _has_old_mark(s, exposures, limits):
        said.append(("gross_exposure", "stale_mark"))
    elif sum(usd for usd in exposures.values() if usd) + worth > Fraction(limits.max_gross_exposure_usd):
        said.append(("gross_exposure", "gross_exposure_exceeded"))
    return said


def _mark(s: Situation, name: str, price: Fraction) -> Fraction | None:
    if name == s.intent.instrument:
        return max(price, Fraction(s.intent.limit_price_usd))
    return naive_price(s.marks.get(name))[0]


def _open_orders(s: Situation, price: Fraction) -> Fraction | None:
    total = Fraction(0)
    for owner, item in s.book.reservations.items():
        if owner == DECISION:
            continue
        mark = _mark(s, item.instrument, price)
        if mark is None:
            return None
        total += Fraction(item.quantity_open) * max(mark, Fraction(item.worst_price_usd))
    return total


def _exposures(s: Situation, price: Fraction) -> dict[str, Fraction | None]:
    worth: dict[str, Fraction | None] = {}
    parts = [
        (name, Fraction(p.quantity), Fraction(0)) for (_, name), p in s.book.positions.items() if p.quantity
    ]
    for owner, item in s.book.reservations.items():
        if owner != DECISION and item.side.value == "buy":
            parts.append((item.instrument, Fraction(item.quantity_open), Fraction(item.worst_price_usd)))
    for name, quantity, worst in parts:
        mark, so_far = _mark(s, name, price), worth.get(name, Fraction(0))
        worth[name] = None if mark is None or so_far is None else so_far + abs(quantity) * max(mark, worst)
    return worth


def _has_old_mark(s: Situation, exposures: dict[str, Fraction | None], limits: Limits) -> bool:
    horizon = s.now - timedelta(seconds=limits.max_reference_age_s)
    others = [name for name in exposures if name != s.intent.instrument]
    return any(s.marks[name].known_at < horizon for name in others)


def _about_cover(s: Situation, limits: Limits) -> Codes:
    i = s.intent
    if i.side.value == "sell":
        return (
            [("spot_holdings", "holdings_insufficient")]
            if Fraction(i.quantity) > max(_free(s), Fraction(0))
            else []
        )
    if i.account not in s.book.cash_usd:
        return [("spot_cash", "missing_fact")]
    needed = Fraction(i.quantity) * Fraction(i.limit_price_usd)
    for owner, item in s.book.reservations.items():
        if owner != DECISION and item.account == i.account and item.side.value == "buy":
            needed += Fraction(item.quantity_open) * Fraction(item.worst_price_usd)
    needed *= 1 + Fraction(limits.fee_reserve_bps) / 10_000
    return [("spot_cash", "cash_insufficient")] if needed > Fraction(s.book.cash_usd[i.account]) else []


def _about_turnover(s: Situation, limits: Limits, price: Fraction | None) -> Codes:
    if price is None:
        return [("turnover", "missing_fact")]
    total = Fraction(s.intent.quantity) * max(price, Fraction(s.intent.limit_price_usd))
    for owner, item in s.book.recent.sealed.items():
        if owner != DECISION and s.now - item.at < timedelta(days=1):
            total += Fraction(item.filled_usd) + Fraction(item.quantity_open) * Fraction(item.limit_price_usd)
    return [("turnover", "turnover_exceeded")] if total > Fraction(limits.max_turnover_24h_usd) else []


def _signatures(s: Situation, limits: Limits, price: Fraction | None) -> tuple[int, int]:
    proposers = {s.intent.proposer} | {p.proposer for p in s.book.proposals if p.decision_id == DECISION}
    told = {name.replace("-", "").replace("_", "").lower() for name in proposers}
    signed = len([n for n in s.approvers if n.replace("-", "").replace("_", "").lower() not in told])
    if price is None:
        return 2, signed
    worth = Fraction(s.intent.quantity) * max(price, Fraction(s.intent.limit_price_usd))
    if worth > Fraction(limits.second_approval_notional_usd):
        return 2, signed
    return (1 if worth > Fraction(limits.approval_notional_usd) else 0), signed
