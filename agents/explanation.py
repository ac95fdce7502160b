"""The recommendation in plain words, written from its own figures alone.

Stage: report (LLM shell, pure). What the embedded planner answers, and what replaces a
model's answer that the guard refused. Every number in it stands in the evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from agents.conduct import NO_SKILL, verdict_line
from agents.proposals import ProposedOrder
from when_to_invest.decision.recommendation import (
    Action,
    DropOdds,
    FirstPassage,
    Predicate,
    Recommendation,
    RegimeState,
    Waiting,
)
from when_to_invest.history import DecisionState
from when_to_invest.money import share_usd

_STATE_WORDS: Final = {
    DecisionState.REFUSED: "the gate refused it",
    DecisionState.HELD: "held until a person approves it",
    DecisionState.DECLINED: "declined by an approver",
    DecisionState.WORKING: "resting at the venue until the market reaches it",
    DecisionState.FILLED: "filled",
    DecisionState.PARTLY_FILLED: "partly filled, the rest is working",
    DecisionState.CANCELLED: "cancelled",
    DecisionState.EXPIRED: "expired",
    DecisionState.REJECTED: "rejected before it reached the venue's book",
    DecisionState.UNKNOWN: "sent, outcome not known yet; it is being looked for",
    DecisionState.QUARANTINED: "outcome not known; a person must look at it",
}
_SMALL_RATIO: Final = 0.01
_USUAL_LEVEL: Final = 0.8
_CLEAR: Final = 2.0
"""An expectation this many standard errors from nothing is told from it."""
_BREAKER: Final = "breaker."


def hundredths(ratio: float) -> str:
    """Return a ratio as `12.3 %`; below one hundredth with two significant digits."""
    figure = 100 * Decimal(str(ratio))
    if figure == 0 or abs(ratio) >= _SMALL_RATIO:
        return f"{figure:.1f} %"
    return f"{Decimal(f'{figure:.2g}'):f} %"


def usd(amount: Decimal) -> str:
    """Return an amount as `1,234.50 USD`."""
    return f"{amount:,.2f} USD"


def explain(
    answer: Recommendation, *, budget_usd: Decimal | None, orders: Sequence[ProposedOrder] = ()
) -> str:
    """Return the answer to the question in a few short paragraphs of Markdown."""
    parts = (
        [verdict_line(answer)],
        _size(answer, budget_usd),
        _list("Why:", [step.text for step in answer.explanation]),
        _list(f"Over the next {answer.horizon_days} trading days:", _odds(answer)),
        _list("If you wait:", prospects(answer)),
        _risk(answer),
        [f"{record(answer)}."] if answer.calibration else [],
        _list("What would change this:", changes(answer)),
        [line for order in orders for line in order_lines(order)],
        _tail(answer),
    )
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _list(title: str, items: Sequence[str]) -> list[str]:
    return [title, *(f"- {item}" for item in items)] if items else []


def _size(answer: Recommendation, budget_usd: Decimal | None) -> list[str]:
    lines = []
    if budget_usd is not None and answer.size_fraction > 0:
        amount = usd(share_usd(budget_usd, answer.size_fraction))
        aim = "leaves at most" if answer.action is Action.REDUCE else "is"
        lines.append(f"For {answer.instrument}, with a budget of {usd(budget_usd)}, that {aim} {amount}.")
    for step in answer.schedule:
        amount = f" = {usd(share_usd(budget_usd, step.fraction))}" if budget_usd is not None else ""
        lines.append(f"- {hundredths(step.fraction)} of the budget{amount}: {step.text}")
    return lines


def _drop(odds: DropOdds) -> str:
    note = "" if odds.has_skill else f" ({NO_SKILL} beyond that)"
    return (
        f"a fall of {hundredths(odds.threshold_ratio)} within {odds.horizon_days} days: "
        f"{hundredths(odds.value)}, usually {hundredths(odds.baseline)}{note}"
    )


def _odds(answer: Recommendation) -> list[str]:
    """Return the odds at the horizon asked about, or the nearest one there is."""
    up = answer.p_up
    skill = "" if up.has_skill else f"; the direction has {NO_SKILL}"
    nearest = min(
        (odds.horizon_days for odds in answer.p_drop),
        key=lambda days: abs(days - answer.horizon_days),
        default=0,
    )
    bands = sorted(answer.return_interval, key=lambda band: abs(band.level - _USUAL_LEVEL))[:1]
    return [
        f"higher at the end: {hundredths(up.value)}, usually {hundredths(up.baseline)}{skill}",
        *(_drop(odds) for odds in answer.p_drop if odds.horizon_days == nearest),
        *(
            f"return between {signed(band.low)} and {signed(band.high)}, {hundredths(band.level)} of the time"
            for band in bands
        ),
    ]


def record(answer: Recommendation) -> str:
    """Return how such forecasts did on this instrument, or that it cannot be told."""
    card = answer.calibration
    if card is None or card.brier_skill is None or card.ci90 is None or card.ece is None:
        return "On record here: too few finished forecasts to judge"
    low, high = (hundredths(edge) for edge in card.ci90)
    note = "" if card.has_skill else f" ({NO_SKILL})"
    held = (
        ""
        if card.range_coverage is None
        else f"; {hundredths(card.range_coverage)} of the last {card.range_forecasts} returns "
        f"lay in their {hundredths(card.range_level)} range"
    )
    return (
        f"On record here: {card.forecasts} forecasts of a fall of {hundredths(card.threshold_ratio)} within "
        f"{card.horizon_days} days were {hundredths(card.brier_skill)} ({low} to {high}) better than "
        f"the past frequency{note}, and {hundredths(card.ece)} off on average{held}"
    )


def signed(ratio: float) -> str:
    """Return a ratio as hundredths with its sign, `+2.4 %`."""
    return hundredths(ratio) if ratio <= 0 else f"+{hundredths(ratio)}"


def prospects(answer: Recommendation) -> list[str]:
    """Return a line each on the cost of waiting, the first days of falls, and the regime."""
    falls = [line for each in answer.first_passage if (line := _passage(each))]
    return [
        *([_waiting(answer.waiting)] if answer.waiting else []),
        *(["; ".join(falls)] if falls else []),
        *([_regime(answer.regime)] if answer.regime else []),
    ]


def _waiting(waits: Sequence[Waiting]) -> str:
    costs = ", ".join(
        f"{_bps(each.cost_bps, is_signed=True)} ± {_bps(each.error_bps)} bp over {each.wait_days} days"
        for each in waits
    )
    is_clear = any(abs(each.cost_bps) > _CLEAR * each.error_bps for each in waits)
    return f"expected cost of waiting: {costs}" + ("" if is_clear else ": not to be told from nothing")


def _bps(value: float, *, is_signed: bool = False) -> str:
    """Return basis points with three significant digits."""
    figure = Decimal(f"{value:.3g}")
    return f"{figure:+f}" if is_signed else f"{figure:f}"


def _passage(fall: FirstPassage) -> str:
    soon = [(each.after_days, each.share_ratio) for each in fall.by_share if each.after_days is not None]
    (days, share), *later = [*soon, (fall.within_days, fall.odds)]
    then = "".join(f", {days} in {hundredths(share)}" for days, share in later)
    first = f"comes within {days} days in {hundredths(share)} of futures"
    return f"a fall of {hundredths(fall.threshold_ratio)} {first}{then}"


def _regime(regime: RegimeState) -> str:
    return (
        f"the market has been {regime.name} since {regime.since.date()}: probability of turbulence "
        f"{hundredths(regime.probability)}, usually {hundredths(regime.baseline)}"
    )


def _risk(answer: Recommendation) -> list[str]:
    lines = [
        f"Risk score {answer.risk.score:.3g} of 100; volatility {hundredths(answer.sigma_annual)} a year."
    ]
    lines += [
        f"- the breaker {breaker.id} is on: at most {hundredths(breaker.cap)} of the budget may be added; "
        f"it clears when {breaker.clears_when}"
        for breaker in answer.breakers
        if breaker.is_on
    ]
    return lines


def changes(answer: Recommendation) -> list[str]:
    """Return each condition with its level; the market breakers share one line."""
    breakers = [item for item in answer.invalidation if item.metric.startswith(_BREAKER)]
    others = [item for item in answer.invalidation if item not in breakers]
    lines = [f"{item.text} ({item.metric} {item.operator} {_level(item)})" for item in others]
    if breakers:
        names = ", ".join(item.metric.removeprefix(_BREAKER) for item in breakers)
        word = "clears" if any(breaker.is_on for breaker in answer.breakers) else "trips"
        lines.append(f"a market breaker {word}: {names}")
    return lines


def _level(condition: Predicate) -> str:
    exact = Decimal(str(condition.value))
    if condition.unit == "usd":
        return usd(exact)
    if condition.unit in {"ratio", "ratio_per_year", "probability"}:
        return hundredths(condition.value)
    return f"{exact:f} {condition.unit}"


def _tail(answer: Recommendation) -> list[str]:
    known, asked, ends = (at.date() for at in (answer.data_as_of, answer.as_of, answer.expires_at))
    return [
        answer.limits,
        f"From data up to {known}, asked as of {asked}; expires on {ends}.",
        f"Recommendation {answer.id}, snapshot {answer.snapshot_hash[:12]}.",
    ]


def order_lines(order: ProposedOrder) -> list[str]:
    """Return what became of a proposal, with every reason and its way out."""
    words = _STATE_WORDS.get(order.state, "approved by the gate and on its way to the executor")
    what = f"{order.side} {order.quantity} {order.instrument} at {order.limit_price_usd} USD or better"
    shown = f" ({what})" if order.quantity else ""
    lines = [f"Proposal {order.decision_id}{shown}: {words}."]
    lines += [
        f"- {reason.code}: {reason.attempted} {reason.unit} against a limit of {reason.limit}; {reason.fix}"
        for reason in order.reasons
    ]
    return lines
