"""What to do from what is held: add, hold, or come down.

Stage: decision (pure), seventh step. Fractions are of the budget, 0 to 1: `held` is what is
invested already. The target never exceeds what stands, so nothing is ever levered; a change
smaller than the no-trade band is not worth its cost; a pause neither buys nor sells. Without
holdings the answer is the rules' own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from when_to_invest.decision.confirmation import Standing
from when_to_invest.decision.evidence import RATIO, EvidenceBook
from when_to_invest.decision.recommendation import Action, RuleStep
from when_to_invest.decision.rounding import stable_ratio
from when_to_invest.errors import ErrorCode, Fault

NO_TRADE_SHARE: Final = 0.2
"""Of the volatility scale: markets that allow only small positions need a narrow band."""
_BY: Final = "decision.holdings"
_FACTS: Final = ("holdings.held", "holdings.target", "holdings.no_trade_band")


@dataclass(frozen=True, slots=True)
class Stance:
    """The answer to one who holds `held`.

    `size_fraction`: for `invest_now` and `stage` what to add, for `reduce` what to come down
    to, else 0. `target_fraction`: what is held once the advice is followed.
    """

    action: Action
    size_fraction: float
    target_fraction: float
    held: float
    band: float


def check_held(held_fraction: float) -> float:
    """Return the fraction held, rounded as shown.

    Raises:
        Fault: `bad_argument` for anything but a number from 0 to 1.
    """
    if not (math.isfinite(held_fraction) and 0.0 <= held_fraction <= 1.0):
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"a held fraction of {held_fraction} cannot be used",
            fix="give what is invested already as a share of the budget, from 0 to 1",
        )
    return stable_ratio(held_fraction)


def settle(standing: Standing, *, held: float) -> Stance:
    """Return what to do when the fraction `held`, 0 to 1, is invested already."""
    band = stable_ratio(NO_TRADE_SHARE * standing.scale)
    if _is_too_much(standing, held, band):
        return _stance(
            Action.REDUCE, size=standing.keep, target=min(held, standing.keep), held=held, band=band
        )
    is_adding = standing.action in {Action.INVEST_NOW, Action.STAGE}
    if is_adding and (held == 0.0 or stable_ratio(standing.allowed - held) > band):
        size = standing.allowed - held
        return _stance(standing.action, size=size, target=standing.allowed, held=held, band=band)
    action = Action.HOLD if held > 0.0 else Action.WAIT
    return _stance(action, size=0.0, target=held, held=held, band=band)


def _is_too_much(standing: Standing, held: float, band: float) -> bool:
    """Whether more is held than may be kept; without holdings, whether the rules say to reduce."""
    if standing.is_paused:
        return False
    if held == 0.0:
        return standing.action is Action.REDUCE
    return stable_ratio(held - standing.keep) > band


def _stance(action: Action, *, size: float, target: float, held: float, band: float) -> Stance:
    return Stance(action, stable_ratio(size), stable_ratio(target), held, band)


def enter_holdings(book: EvidenceBook, standing: Standing, stance: Stance) -> tuple[RuleStep, ...]:
    """Enter what is held and aimed at as evidence; return the step that says why, with holdings."""
    for identity, value in zip(_FACTS, (stance.held, stance.target_fraction, stance.band), strict=True):
        book.add(identity, value, unit=RATIO, by=_BY)
    if stance.held == 0.0:
        return ()
    return (
        RuleStep(
            rule="holdings",
            outcome=stance.action.value,
            text=_reason(standing, stance),
            evidence=(*_FACTS, "confirmation.keep", "confirmation.allowed"),
        ),
    )


def _reason(standing: Standing, stance: Stance) -> str:
    match stance.action:
        case Action.REDUCE:
            return "More is held than trend and volatility allow: come down to what may be kept."
        case Action.INVEST_NOW | Action.STAGE:
            return "Less is held than the answer allows: add the difference."
        case _ if standing.is_paused:
            return "The market is in a pause: what is held stays, neither added to nor sold."
        case _ if standing.action in {Action.INVEST_NOW, Action.STAGE}:
            return "What is held lies within the no-trade band of what the answer allows."
        case _:
            return "Nothing may be added, and what is held is no more than may be kept."
