"""A backtest with its baselines, and what it cannot show.

Stage: backtest (pure), last. Never a verdict: one history is one draw.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from when_to_invest.backtest.course import Course
from when_to_invest.backtest.engine import run_events
from when_to_invest.backtest.figures import Edge, Figures, edge_over, figures_of
from when_to_invest.backtest.rules.deployment import BuyAndHold, ConstantMix
from when_to_invest.backtest.strategy import Strategy
from when_to_invest.backtest.terms import Terms
from when_to_invest.backtest.trial import Trial

MOST_PERIODS: Final = 5
FEWEST_PERIOD_BARS: Final = 2
_SHOWN_EQUAL: Final = 5e-4
"""Half a thousandth of the budget, below which two returns read the same."""
MIX_BAND: Final = 0.02
"""Narrow, so that the mix keeps the exposure it is held to."""
UNKNOWN_TRIALS: Final = (
    "One backtest shows one past. How many variants were tried before this one is unknown here; the "
    "best of many looks good by luck (a deflated Sharpe ratio needs their number)."
)
CAVEATS: Final = (
    UNKNOWN_TRIALS,
    "The mix of equal exposure is known only afterwards: it measures timing, nobody could have held it.",
    (
        "Prices are as recorded: no dividends unless the series has them, no taxes, and fills at the "
        "stated price whatever the size."
    ),
)


@dataclass(frozen=True, slots=True)
class Part:
    """One sub-period, from the opening of its first bar to that of its last; ratios within it."""

    start: datetime
    end: datetime
    total_return: float
    max_drawdown: float
    buy_and_hold_return: float
    buy_and_hold_drawdown: float

    @property
    def is_behind(self) -> bool:
        """Whether buying and holding would have earned more, by what people are shown of it."""
        return self.total_return < self.buy_and_hold_return - _SHOWN_EQUAL


@dataclass(frozen=True, slots=True)
class Backtest:
    """A course and its figures beside buy and hold and beside a mix of the same mean exposure.

    `deflated_sharpe`: probability that its Sharpe ratio exceeds what the best of `trials` worthless
    strategies shows; both None until `luck.charged` has counted the trials.
    """

    strategy: str
    instrument: str
    terms: Terms
    course: Course
    figures: Figures
    buy_and_hold: Figures
    constant_mix: Figures
    timing: Edge
    parts: tuple[Part, ...]
    notes: tuple[str, ...]
    trials: int | None = None
    deflated_sharpe: float | None = None


def run_backtest(strategy: Strategy, trial: Trial, *, plans_steps: bool = False) -> Backtest:
    """Run `strategy` and its baselines over the same bars, on the same terms.

    `plans_steps`: its steps are meant however small, so no no-trade band holds them back.

    Raises:
        Fault: what `run_events` raises.
    """
    planned = _banded(trial, 0.0)
    course = run_events(strategy, planned if plans_steps else trial)
    figures = figures_of(course)
    held = run_events(BuyAndHold(), planned)
    mix = run_events(ConstantMix(min(1.0, max(0.0, figures.mean_exposure))), _banded(trial, MIX_BAND))
    return Backtest(
        strategy=strategy.name,
        instrument=trial.snapshot.instrument.id,
        terms=trial.terms,
        course=course,
        figures=figures,
        buy_and_hold=figures_of(held),
        constant_mix=figures_of(mix),
        timing=edge_over(course, mix),
        parts=_parts(course, held),
        notes=(*_observations(strategy, course), *CAVEATS),
    )


def _banded(trial: Trial, band: float) -> Trial:
    return replace(trial, terms=replace(trial.terms, no_trade_band=band))


def _observations(strategy: Strategy, course: Course) -> tuple[str, ...]:
    abstained = getattr(strategy, "abstentions", 0)
    found = [note] if (note := str(getattr(strategy, "note", ""))) else []
    if course.fills == 0:
        found.append("No order was filled: the strategy never asked for any, or its windows never filled.")
    if abstained:
        found.append(f"The analysis abstained {abstained} times; nothing was done then.")
    return tuple(found)


def _parts(course: Course, held: Course) -> tuple[Part, ...]:
    """Cut the course into at most five stretches of whole calendar years, or leave it whole."""
    import numpy as np

    year = course.opened_us.astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64)
    length = max(1, -(-int(year[-1] - year[0] + 1) // MOST_PERIODS))
    block = (year - year[0]) // length
    rows = [np.flatnonzero(block == each) for each in range(int(block[-1]) + 1)]
    found = [cut for cut in rows if len(cut) >= FEWEST_PERIOD_BARS]
    return tuple(_part(course, held, slice(int(cut[0]), int(cut[-1]) + 1)) for cut in found)


def _part(course: Course, held: Course, cut: slice) -> Part:
    (mine, fall), (theirs, their_fall) = _growth(course, cut), _growth(held, cut)
    return Part(
        start=course.opened_at(cut.start),
        end=course.opened_at(cut.stop - 1),
        total_return=mine,
        max_drawdown=fall,
        buy_and_hold_return=theirs,
        buy_and_hold_drawdown=their_fall,
    )


def _growth(course: Course, cut: slice) -> tuple[float, float]:
    """Return total return and deepest drawdown within a stretch."""
    import numpy as np

    wealth = np.cumprod(1.0 + course.returns()[cut])
    peaks = np.maximum(np.maximum.accumulate(wealth), 1.0)
    return float(wealth[-1] - 1.0), float((wealth / peaks - 1.0).min())
