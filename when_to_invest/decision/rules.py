"""The rule tree: which action, and by which path.

Stage: decision (pure), fifth step. Rules read rounded evidence only and say which facts
they read. The tree never buys into a halt, never sells into a shock, never levers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from when_to_invest.decision.evidence import KEY_DROP, EvidenceBook, drop_id
from when_to_invest.decision.recommendation import Action, RuleStep
from when_to_invest.decision.sizing import FULL_ENTRY, STAGED_FLOOR, Sizing
from when_to_invest.risk.market_breakers import SHOCKS, BreakerReading
from when_to_invest.signals.trend import BAND_RATIO

ELEVATED_LIFT: Final = 2.0
"""Odds of a fall at this multiple of their base rate count as elevated."""
_RECOVERING: Final = 2
"""With this many positive momenta, a market below its average is recovering."""


@dataclass(frozen=True, slots=True)
class Case:
    """What the rules look at."""

    book: EvidenceBook
    breakers: tuple[BreakerReading, ...]
    sizing: Sizing
    has_drop_skill: bool

    def on(self) -> tuple[BreakerReading, ...]:
        """Return the breakers that are on."""
        return tuple(breaker for breaker in self.breakers if breaker.is_on)


@dataclass(frozen=True, slots=True)
class Decision:
    """The action, its size as a fraction of the budget, and the path to it."""

    action: Action
    size_fraction: float
    path: tuple[_Step, ...]

    @property
    def steps(self) -> tuple[RuleStep, ...]:
        """The path as it is shown."""
        return tuple(RuleStep(**step._asdict()) for step in self.path)


class _Step(NamedTuple):
    """One question, what it found, in words, and the facts it read."""

    rule: str
    outcome: str
    text: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one question found: an action when it settles the matter."""

    step: _Step
    action: Action | None = None


def elevated_odds(book: EvidenceBook) -> float | None:
    """Return the odds from which on a fall counts as elevated; None where it is never or always so likely."""
    level = ELEVATED_LIFT * book[f"{drop_id(*KEY_DROP)}.baseline"]
    return level if 0.0 < level < 1.0 else None


def decide(case: Case) -> Decision:
    """Walk the tree; the first question that settles the matter ends it."""
    steps: list[_Step] = []
    path = _UPWARDS if case.book["trend.is_up"] else _DOWNWARDS
    for question in (_is_halted, _trend, *path):
        answer = question(case)
        steps.append(answer.step)
        if answer.action is not None:
            return Decision(answer.action, _size(answer.action, case.sizing), tuple(steps))
    return Decision(Action.WAIT, 0.0, tuple(steps))


def _size(action: Action, sizing: Sizing) -> float:
    match action:
        case Action.INVEST_NOW:
            return sizing.target
        case Action.STAGE:
            # The floor lifts what trend and breakers shrink, never what volatility forbids.
            return max(sizing.target, min(STAGED_FLOOR, sizing.volatility_scale))
        case Action.REDUCE:
            # What an existing position may keep: breakers cap additions, not holdings.
            return round(sizing.trend_tranche * sizing.volatility_scale, 6)
        case Action.WAIT | Action.HOLD:
            return 0.0


def _step(rule: str, outcome: str, text: str, *evidence: str) -> _Step:
    return _Step(rule, outcome, text, evidence)


def _is_halted(case: Case) -> _Answer:
    halts = [breaker for breaker in case.on() if breaker.cap == 0.0]
    if not halts:
        return _Answer(
            _step(
                "halt", "no", "No exchange halt level was touched in the last session.", "chart.intraday_fall"
            )
        )
    text = "The last session touched an exchange halt level: nothing is added until one ends without it."
    return _Answer(_step("halt", "yes", text, f"breaker.{halts[-1].id}"), Action.WAIT)


def _trend(case: Case) -> _Answer:
    is_up = bool(case.book["trend.is_up"])
    side = "above" if case.book["trend.sma200_distance"] > 0.0 else "below"
    text = (
        f"The close is {side} its 200-day average; the trend last left the band "
        f"{'upwards' if is_up else 'downwards'}."
    )
    facts = ("trend.is_up", "trend.sma200_distance", "trend.sma200")
    return _Answer(_step("trend", "up" if is_up else "down", text, *facts))


def _has_breaker(case: Case) -> _Answer:
    on = case.on()
    if not on:
        return _Answer(_step("breakers", "clear", "No market breaker is on.", "sizing.breaker_cap"))
    facts = ("sizing.breaker_cap", *(f"breaker.{breaker.id}" for breaker in on))
    text = f"On: {', '.join(breaker.id for breaker in on)}. The entry is capped and spread over time."
    return _Answer(_step("breakers", "on", text, *facts), Action.STAGE)


def _has_elevated_odds(case: Case) -> _Answer:
    facts = ("drop_odds.lift", drop_id(*KEY_DROP), f"{drop_id(*KEY_DROP)}.baseline")
    if not case.has_drop_skill:
        text = "The odds of a fall have no proven skill here, so they decide nothing."
        return _Answer(_step("drop_odds", "no_skill", text, *facts))
    if case.book["drop_odds.lift"] < ELEVATED_LIFT:
        return _Answer(_step("drop_odds", "normal", "The odds of a fall are not elevated.", *facts))
    text = "A fall is at least twice as likely as usual: the entry is spread over time."
    return _Answer(_step("drop_odds", "elevated", text, *facts), Action.STAGE)


def _is_large_enough(case: Case) -> _Answer:
    facts = ("sizing.target", "sizing.trend_tranche", "sizing.volatility_scale", "sizing.full_entry")
    if case.sizing.target >= FULL_ENTRY:
        text = "Trend, volatility and breakers allow most of the budget: waiting has no proven gain."
        return _Answer(_step("size", "full", text, *facts), Action.INVEST_NOW)
    text = "The size that volatility and trend allow is partial: it is spread over time."
    return _Answer(_step("size", "partial", text, *facts), Action.STAGE)


def _is_recovering(case: Case) -> _Answer:
    facts = ("trend.rising_count", "trend.momentum_3m", "trend.momentum_6m", "trend.momentum_12m")
    if case.book["trend.rising_count"] >= _RECOVERING:
        text = "Below its average, but most momenta are positive: a slow, staged entry."
        return _Answer(_step("recovery", "yes", text, *facts), Action.STAGE)
    return _Answer(_step("recovery", "no", "Most momenta are not positive either.", *facts))


def _is_shock(case: Case) -> _Answer:
    shocks = [f"breaker.{breaker.id}" for breaker in case.on() if breaker.id in SHOCKS]
    if shocks:
        text = "A sharp fall is under way: pause, and do not sell into it."
        return _Answer(_step("shock", "yes", text, *shocks), Action.WAIT)
    facts = ("chart.worst_day_3d", "chart.return_5d")
    return _Answer(_step("shock", "no", "No sharp fall in the last days.", *facts))


def _is_undecided(case: Case) -> _Answer:
    facts = ("trend.sma200_distance",)
    if case.book["trend.sma200_distance"] >= -BAND_RATIO:
        text = "The close is back in the band around its average: a slow, staged entry."
        return _Answer(_step("band", "inside", text, *facts), Action.STAGE)
    return _Answer(_step("band", "below", "The close lies below the band around its average.", *facts))


def _is_lasting(case: Case) -> _Answer:
    facts = ("trend.momentum_12m", "trend.sma200_distance")
    if case.book["trend.momentum_12m"] < 0.0:
        text = "Below its average and below a year ago: hold no more than the reduced size."
        return _Answer(_step("downtrend", "lasting", text, *facts), Action.REDUCE)
    text = "The downtrend is young: wait for the trend to turn."
    return _Answer(_step("downtrend", "young", text, *facts), Action.WAIT)


_Question = Callable[[Case], _Answer]
_UPWARDS: Final[tuple[_Question, ...]] = (_has_breaker, _has_elevated_odds, _is_large_enough)
_DOWNWARDS: Final[tuple[_Question, ...]] = (_is_recovering, _is_shock, _is_undecided, _is_lasting)
