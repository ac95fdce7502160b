"""The naive gate's second half: many orders together, and what the account is worth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from policies.limits import Limits
from tests.policies.naive_price import naive_price
from tests.strategies.situations import DECISION, Situation

Codes = list[tuple[str, str]]


def about_patterns(s: Situation, limits: Limits) -> Codes:
    said: Codes = []
    if _repetitions(s) >= limits.max_repeated_executions:
        said.append(("repeated_executions", "repeated_executions_exceeded"))
    if _meets_itself(s):
        said.append(("self_trade", "would_trade_with_itself"))
    if s.intent.side.value == "sell":
        return said
    return said + _about_net(s, limits) + _about_losses(s, limits)


def signatures_for_sums(s: Situation, limits: Limits, signed: int) -> tuple[int, str]:
    """Return how many must sign because of earlier orders (0: nobody more), and the code."""
    price = naive_price(s.reference)[0]
    if price is None:
        return 2, "missing_fact"
    order = Fraction(s.intent.quantity) * max(price, Fraction(s.intent.limit_price_usd))
    tests = [
        (2, True, limits.second_approval_notional_usd),
        (2, False, limits.second_approval_total_24h_usd),
        (1, True, limits.approval_notional_usd),
        (1, False, limits.approval_total_24h_usd),
    ]
    for needed, is_own, threshold in tests:
        before = _before(s, is_own=is_own, fewer_than=needed)
        if before > 0 and before + order > Fraction(threshold) and signed < needed:
            return needed, "split_approval_needed" if is_own else "total_approval_needed"
    return 0, ""


def _before(s: Situation, *, is_own: bool, fewer_than: int) -> Fraction:
    total = Fraction(0)
    for decision, item in s.book.recent.sealed.items():
        if decision == DECISION:
            if s.is_sealed:
                break
            continue
        is_same = item.instrument == s.intent.instrument and item.side == s.intent.side
        if s.now - item.at >= timedelta(hours=24) or (is_own and not is_same):
            continue
        if item.signatures < fewer_than:
            total += Fraction(item.filled_usd) + Fraction(item.quantity_open) * Fraction(item.limit_price_usd)
    return total


def _repetitions(s: Situation) -> int:
    count = 0
    for decision, item in s.book.recent.sealed.items():
        if decision == DECISION:
            if s.is_sealed:
                break
            continue
        if (item.instrument, item.side) != (s.intent.instrument, s.intent.side) or item.is_rejected:
            continue
        latest = s.now - timedelta(hours=1)
        for scope, at in s.book.standing.resumed_at.items():
            kind, _, name = scope.partition(":")
            mine = {"system": "", "account": item.account, "venue": item.venue}.get(kind, item.instrument)
            if mine == name:
                latest = max(latest, at)
        count += item.at > latest
    return count


def _meets_itself(s: Situation) -> bool:
    for decision, item in s.book.reservations.items():
        is_here = item.venue == s.intent.venue and item.instrument == s.intent.instrument
        if decision == DECISION or not is_here or item.side is s.intent.side:
            continue
        apart = Fraction(s.intent.limit_price_usd) - Fraction(item.worst_price_usd)
        if (apart if s.intent.side.value == "buy" else -apart) >= 0:
            return True
    return False


def _about_net(s: Situation, limits: Limits) -> Codes:
    price = naive_price(s.reference)[0]
    if price is None:
        return [("net_exposure", "missing_fact")]
    own = max(price, Fraction(s.intent.limit_price_usd))
    nets: dict[str, Fraction] = {}
    parts = [
        (name, Fraction(p.quantity), Fraction(0)) for (_, name), p in s.book.positions.items() if p.quantity
    ]
    for decision, item in s.book.reservations.items():
        if decision != DECISION and item.side.value == "buy":
            parts.append((item.instrument, Fraction(item.quantity_open), Fraction(item.worst_price_usd)))
    for name, quantity, worst in parts:
        mark = own if name == s.intent.instrument else naive_price(s.marks.get(name))[0]
        if mark is None:
            return [("net_exposure", "missing_fact")]
        nets[name] = nets.get(name, Fraction(0)) + quantity * max(mark, worst)
    order = Fraction(s.intent.quantity) * own
    if nets.get(s.intent.instrument, Fraction(0)) + order > Fraction(limits.max_net_position_usd):
        return [("net_exposure", "net_position_exceeded")]
    if sum(nets.values()) + order > Fraction(limits.max_net_exposure_usd):
        return [("net_exposure", "net_exposure_exceeded")]
    return []


def _about_losses(s: Situation, limits: Limits) -> Codes:
    both = ("daily_loss", "drawdown")
    known = _equity(s)
    past = s.book.wealth.accounts.get(s.intent.account)
    if known is None or past is None:
        return [(rule, "missing_fact") for rule in both]
    equity, stamps = known
    if stamps:
        stamps.append(past.marked_at)
    if any(at + timedelta(seconds=limits.max_reference_age_s) < s.now for at in stamps):
        return [(rule, f"{rule}_stale") for rule in both]
    is_new_day = s.now.astimezone(UTC).date() > past.marked_at.astimezone(UTC).date()
    morning = Fraction(past.equity_usd if is_new_day else past.day_start_usd)
    said: Codes = []
    if morning - equity > morning * Fraction(limits.max_daily_loss_bps) / 10_000:
        said.append(("daily_loss", "daily_loss_exceeded"))
    peak = Fraction(past.peak_usd)
    if peak - equity > peak * Fraction(limits.max_drawdown_bps) / 10_000:
        said.append(("drawdown", "drawdown_exceeded"))
    return said


def _equity(s: Situation) -> tuple[Fraction, list[datetime]] | None:
    """Return the account's worth and the stamps of its prices; None when something is unknown."""
    if s.intent.account not in s.book.cash_usd:
        return None
    equity, stamps = Fraction(s.book.cash_usd[s.intent.account]), []
    for (account, name), position in s.book.positions.items():
        if account != s.intent.account or position.quantity == 0:
            continue
        price, at = naive_price(s.reference if name == s.intent.instrument else s.marks.get(name))
        if price is None or at is None:
            return None
        equity += Fraction(position.quantity) * price
        stamps.append(at)
    return equity, stamps
