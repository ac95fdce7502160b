"""The recommendation in plain words, written from its own figures alone.

Stage: report (LLM shell, pure). What the embedded planner answers, and what replaces a
model's answer that the guard refused. Every number in it stands in the evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from agents.conduct import NO_SKILL, verdict_line
from agents.entry import part_of
from agents.proposals import ProposedOrder
from when_to_invest.decision.recommendation import Action, DropOdds, Recommendation
from when_to_invest.history import DecisionState

_STATE_WORDS: Final = {
    DecisionState.REFUSED: "the gate refused it",
    DecisionState.HELD: "held until a person approves it",
    DecisionState.DECLINED: "declined by an approver",
    DecisionState.FILLED: "filled",
    DecisionState.PARTLY_FILLED: "partly filled, the rest is working",
    DecisionState.CANCELLED: "cancelled",
    DecisionState.EXPIRED: "expired",
    DecisionState.REJECTED: "rejected before it reached the venue's book",
    DecisionState.UNKNOWN: "sent, outcome not known yet; it is being looked for",
    DecisionState.QUARANTINED: "outcome not known; a person must look at it",
}
_SMALL_RATIO: Final = 0.01


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
        _risk(answer),
        _list("What would change this:", [item.text for item in answer.invalidation]),
        [line for order in orders for line in order_lines(order)],
        _tail(answer),
    )
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _list(title: str, items: Sequence[str]) -> list[str]:
    return [title, *(f"- {item}" for item in items)] if items else []


def _size(answer: Recommendation, budget_usd: Decimal | None) -> list[str]:
    lines = []
    if budget_usd is not None and answer.size_fraction > 0:
        amount = usd(part_of(budget_usd, answer.size_fraction))
        aim = "leaves at most" if answer.action is Action.REDUCE else "is"
        lines.append(f"For {answer.instrument}, with a budget of {usd(budget_usd)}, that {aim} {amount}.")
    for step in answer.schedule:
        amount = f" = {usd(part_of(budget_usd, step.fraction))}" if budget_usd is not None else ""
        lines.append(f"- {hundredths(step.fraction)} of the budget{amount}: {step.text}")
    return lines


def _drop(odds: DropOdds) -> str:
    note = "" if odds.has_skill else f" ({NO_SKILL} beyond that)"
    return (
        f"a fall of {hundredths(odds.threshold_ratio)} within {odds.horizon_days} days: "
        f"{hundredths(odds.value)}, usually {hundredths(odds.baseline)}{note}"
    )


def _odds(answer: Recommendation) -> list[str]:
    up = answer.p_up
    skill = "" if up.has_skill else f"; the direction has {NO_SKILL}"
    return [
        f"higher at the end: {hundredths(up.value)}, usually {hundredths(up.baseline)}{skill}",
        *(_drop(odds) for odds in answer.p_drop),
        *(
            f"return between {_signed(band.low)} and {_signed(band.high)}, "
            f"{hundredths(band.level)} of the time"
            for band in answer.return_interval
        ),
    ]


def _signed(ratio: float) -> str:
    return hundredths(ratio) if ratio <= 0 else f"+{hundredths(ratio)}"


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
