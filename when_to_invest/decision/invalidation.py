"""What would change the answer, as conditions a machine can check on tomorrow's evidence.

Stage: decision (pure), last step.
"""

from __future__ import annotations

from typing import Final, Literal

from when_to_invest.decision.advice import Advice
from when_to_invest.decision.evidence import KEY_DROP, EvidenceBook, drop_id
from when_to_invest.decision.holdings import NO_TRADE_SHARE, Stance
from when_to_invest.decision.recommendation import Action, Predicate
from when_to_invest.decision.rules import ELEVATED_LIFT, elevated_odds
from when_to_invest.risk.market_breakers import BreakerReading
from when_to_invest.signals.trend import BAND_RATIO

_CUT: Final = 0.75
"""Volatility that would shrink the size to this share of today's is worth a new look."""


def invalidations(advice: Advice) -> tuple[Predicate, ...]:
    """Return the conditions under which the recommendation no longer stands."""
    case, action = advice.case, advice.stance.action
    book, breakers = case.book, case.breakers
    conditions = [_trend_flip(book)]
    if action in {Action.INVEST_NOW, Action.STAGE}:
        conditions += [_too_volatile(book), *_breaker_trips(book, breakers)]
        if case.has_drop_skill and book["drop_odds.lift"] < ELEVATED_LIFT:
            conditions += _elevated_odds(book)
        return tuple(conditions)
    if action is Action.HOLD:
        conditions += _too_much(book, advice.stance)
    return (*conditions, *_breaker_clears(book, breakers))


def _condition(
    book: EvidenceBook, metric: str, operator: Literal["<", "<=", ">", ">="], value: float, *, text: str
) -> Predicate:
    return Predicate(metric=metric, operator=operator, value=value, unit=book.unit(metric), text=text)


def _trend_flip(book: EvidenceBook) -> Predicate:
    if book["trend.is_up"]:
        level = book["trend.sma200"] * (1.0 - BAND_RATIO)
        return _condition(book, "chart.close", "<", level, text="the trend turns down")
    level = book["trend.sma200"] * (1.0 + BAND_RATIO)
    return _condition(book, "chart.close", ">", level, text="the trend turns up")


def _too_volatile(book: EvidenceBook) -> Predicate:
    level = max(book["volatility.sigma_annual"], book["sizing.target_sigma_annual"]) / _CUT
    text = "the volatility forecast would cut the size by a quarter"
    return _condition(book, "volatility.sigma_annual", ">", level, text=text)


def _too_much(book: EvidenceBook, stance: Stance) -> list[Predicate]:
    """Return the volatility at which what is held would be more than may be kept, unless it is."""
    share = book["sizing.trend_tranche"] + NO_TRADE_SHARE
    level = book["sizing.target_sigma_annual"] * share / stance.held
    if level <= book["volatility.sigma_annual"]:
        return []
    text = "the volatility forecast would call for holding less"
    return [_condition(book, "volatility.sigma_annual", ">", level, text=text)]


def _breaker_trips(book: EvidenceBook, breakers: tuple[BreakerReading, ...]) -> list[Predicate]:
    return [
        _condition(
            book,
            f"breaker.{breaker.id}",
            ">=" if breaker.threshold > 0.0 else "<=",
            book[f"breaker.{breaker.id}.threshold"],
            text=f"the breaker {breaker.id} trips",
        )
        for breaker in breakers
        if not breaker.is_on
    ]


def _breaker_clears(book: EvidenceBook, breakers: tuple[BreakerReading, ...]) -> list[Predicate]:
    return [clearing(book, breaker) for breaker in breakers if breaker.is_on]


def clearing(book: EvidenceBook, breaker: BreakerReading) -> Predicate:
    """Return the condition on tomorrow's evidence under which a breaker is off."""
    level = book[f"breaker.{breaker.id}.threshold"]
    text = f"the breaker {breaker.id} clears"
    return _condition(book, f"breaker.{breaker.id}", "<" if level > 0.0 else ">", level, text=text)


def _elevated_odds(book: EvidenceBook) -> list[Predicate]:
    """Return the odds at which a fall is twice as likely as usual, unless nothing is so likely."""
    level = elevated_odds(book)
    if level is None:
        return []
    text = "a fall becomes twice as likely as usual"
    return [_condition(book, drop_id(*KEY_DROP), ">=", level, text=text)]
