"""What single change would have given another answer: facts flipped through the same rule tree.

Stage: decision (pure), last step. Each candidate changes one thing (a breaker, the trend, the
momenta, the volatility, the odds of a fall), sizes and decides again by the same rules,
hysteresis and holdings, and is told only when the action differs. It says what the rules would
do, not what the market will.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from when_to_invest.decision.advice import Advice
from when_to_invest.decision.confirmation import CONFIRM_DAYS
from when_to_invest.decision.evidence import KEY_DROP, EvidenceBook, drop_id
from when_to_invest.decision.invalidation import clearing
from when_to_invest.decision.recommendation import Counterfactual, Predicate
from when_to_invest.decision.rules import ELEVATED_LIFT, Case, elevated_odds
from when_to_invest.decision.sizing import size_up
from when_to_invest.risk.market_breakers import BreakerReading
from when_to_invest.signals.trend import BAND_RATIO

_MOMENTA: Final = ("trend.momentum_3m", "trend.momentum_6m", "trend.momentum_12m")
_CLEAR: Final = 1e-6
"""A value this far on the other side of a threshold counts as changed."""


@dataclass(frozen=True, slots=True)
class _Change:
    """New values of facts, the conditions that describe them, and breakers as they would stand."""

    values: dict[str, float]
    when: tuple[Predicate, ...]
    breakers: tuple[BreakerReading, ...]


def counterfactuals(advice: Advice) -> tuple[Counterfactual, ...]:
    """Return every single change after which another action would be advised.

    `days` of each says how many closes in a row the change must last: 1 where it tightens.
    What would be advised anyway if nothing changed is not told.
    """
    case, found = advice.case, []
    expected = {advice.stance.action, advice.what_if(case).lasting.action}
    for change in _changes(case):
        book = case.book.altered(change.values)
        other = replace(case, book=book, breakers=change.breakers, sizing=size_up(book, change.breakers))
        would_be = advice.what_if(other)
        lasting = would_be.lasting
        if lasting.action not in expected:
            found.append(
                Counterfactual(
                    action=lasting.action,
                    size_fraction=lasting.size_fraction,
                    when=change.when,
                    days=1 if would_be.at_once.action is lasting.action else CONFIRM_DAYS,
                )
            )
    return tuple(found)


def _changes(case: Case) -> Iterator[_Change]:
    yield from _trend(case)
    yield from _momenta(case)
    yield from _breakers(case)
    yield from _volatility(case)
    yield from _odds(case)


def _condition(book: EvidenceBook, metric: str, operator: str, value: float, text: str) -> Predicate:
    return Predicate.model_validate(
        {"metric": metric, "operator": operator, "value": value, "unit": book.unit(metric), "text": text}
    )


def _trend(case: Case) -> Iterator[_Change]:
    book, average = case.book, case.book["trend.sma200"]
    is_up = bool(book["trend.is_up"])
    side = -1.0 if is_up else 1.0
    level = average * (1.0 + side * BAND_RATIO)
    values = {
        "trend.is_up": 0.0 if is_up else 1.0,
        "trend.sma200_distance": side * (BAND_RATIO + _CLEAR),
    }
    text = "the trend turns down" if is_up else "the trend turns up"
    when = (_condition(book, "chart.close", "<" if is_up else ">", level, text),)
    yield _Change(values, when, case.breakers)


def _momenta(case: Case) -> Iterator[_Change]:
    book, falling = case.book, [name for name in _MOMENTA if case.book[name] <= 0.0]
    if falling:
        values = {"trend.rising_count": float(len(_MOMENTA)), **dict.fromkeys(falling, _CLEAR)}
        when = tuple(_condition(book, name, ">", 0.0, "the momentum turns positive") for name in falling)
        yield _Change(values, when, case.breakers)


def _breakers(case: Case) -> Iterator[_Change]:
    """Clear all breakers that are on, and trip each one that is off."""
    book, on = case.book, case.on()
    if on:
        when = tuple(clearing(book, each) for each in on)
        yield _Change({}, when, tuple(replace(each, is_on=False) for each in case.breakers))
    for each in case.breakers:
        if not each.is_on:
            operator = ">=" if each.threshold > 0.0 else "<="
            level = book[f"breaker.{each.id}.threshold"]
            text = f"the breaker {each.id} trips"
            tripped = tuple(replace(one, is_on=True) if one is each else one for one in case.breakers)
            yield _Change({}, (_condition(book, f"breaker.{each.id}", operator, level, text),), tripped)


def _volatility(case: Case) -> Iterator[_Change]:
    book, target = case.book, case.book["sizing.target_sigma_annual"]
    if book["volatility.sigma_annual"] > target:
        text = "the volatility forecast is back at the target"
        when = (_condition(book, "volatility.sigma_annual", "<=", target, text),)
        yield _Change({"volatility.sigma_annual": target}, when, case.breakers)


def _odds(case: Case) -> Iterator[_Change]:
    book, identity, level = case.book, drop_id(*KEY_DROP), elevated_odds(case.book)
    if level is None:
        return
    if book["drop_odds.lift"] >= ELEVATED_LIFT:
        when = (_condition(book, identity, "<", level, "a fall is less than twice as likely as usual"),)
        yield _Change({"drop_odds.lift": ELEVATED_LIFT - _CLEAR}, when, case.breakers)
    else:
        when = (_condition(book, identity, ">=", level, "a fall becomes twice as likely as usual"),)
        yield _Change({"drop_odds.lift": ELEVATED_LIFT}, when, case.breakers)
