"""What a sweep says: its best configurations, never without what picking them was worth.

Stage: backtest (pure), last. The best are run again bar by bar, with baselines and sub-periods.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.backtest.figures import Figures
from when_to_invest.backtest.grid import Configuration
from when_to_invest.backtest.named import NAMED
from when_to_invest.backtest.report import Backtest, run_backtest
from when_to_invest.backtest.trial import Trial
from when_to_invest.backtest.variants import Variants, make_variant
from when_to_invest.canonical import utc_text
from when_to_invest.evaluation.report import UNKNOWN_INTERVAL, Figure, Interval90, known
from when_to_invest.honesty.bootstrap import bootstrap_ci
from when_to_invest.honesty.selection import Chosen, Selection
from when_to_invest.honesty.trials import STRATEGIES
from when_to_invest.instruments import InstrumentId
from when_to_invest.values import Value

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

FAMILY: Final = STRATEGIES
"""All sweeps and backtests of a home compete: a later, narrower one knows what earlier ones have seen."""
BLOCK_BARS: Final = 63
DRAWS: Final = 500
_STILL: Final = 1e-12
BEYOND_LUCK: Final = "the best configuration is probably better than the luck of its search"
NOT_BEYOND_LUCK: Final = "luck explains the best configuration: nothing here is a reason to prefer it"


class Finalist(Value):
    """One of the best; figures are annual and after costs, drawdowns positive ratios.

    `deflated_sharpe`: probability that its true Sharpe ratio exceeds what the best of all trials
    shows by luck. `behind`: in how many of `periods` sub-periods buying and holding earned more.
    """

    configuration: str
    parameters: dict[str, int | float]
    sharpe: Figure
    ci90: Interval90
    deflated_sharpe: Figure
    cagr: Figure
    max_drawdown_ratio: Figure
    turnover_per_year: Figure
    mean_exposure: Figure
    behind: int
    periods: int


class Overfit(Value):
    """CSCV: how often the best of one half of the record fell to the median or below in the other.

    `chosen_sharpe`, `later_sharpe`: median annual Sharpe ratio where it was chosen, and after.
    """

    probability: Figure
    loss: Figure
    chosen_sharpe: Figure
    later_sharpe: Figure
    splits: int


class SweepReport(Value):
    """All of a sweep. `trials`: configurations ever tried here, `configurations`: in this sweep.

    `hurdle_sharpe`: what the best of `trials` worthless configurations shows.
    """

    strategy: str
    instrument: InstrumentId
    start: str
    end: str
    n: int
    configurations: int
    impossible: int
    trials: int
    hurdle_sharpe: Figure
    pbo: Overfit | None
    buy_and_hold_sharpe: Figure
    is_beyond_luck: bool
    verdict: str
    best: tuple[Finalist, ...]


@dataclass(frozen=True, slots=True)
class Rerun:
    """A configuration run again bar by bar: its figures, the interval of its Sharpe ratio, baselines."""

    figures: Figures
    ci90: Interval90
    buy_and_hold: Figures
    behind: int
    periods: int


def rerun(strategy: str, configuration: Configuration, trial: Trial, *, seed: int) -> Rerun:
    """Run one configuration through the event-true engine; the interval is drawn under `seed`.

    Raises:
        Fault: what `run_backtest` raises.
    """
    made = make_variant(strategy, configuration)
    result = run_backtest(made, trial, plans_steps=NAMED[strategy].plans_steps)
    return Rerun(
        figures=result.figures,
        ci90=_interval(result, seed),
        buy_and_hold=result.buy_and_hold,
        behind=sum(part.is_behind for part in result.parts),
        periods=len(result.parts),
    )


def bars_a_year(trial: Trial) -> float:
    """Return how many bars the traded record really has a year."""
    from when_to_invest.backtest.figures import years_of

    return (len(trial) - trial.first) / years_of(trial.snapshot.bars.opened_us[trial.first :])


def sweep_report(
    variants: Variants, trial: Trial, *, selection: Selection, reruns: tuple[Rerun, ...]
) -> SweepReport:
    """Join what was selected with its reruns, which stand in the order of `selection.best`."""
    bars = trial.snapshot.bars
    pairs = zip(selection.best, reruns, strict=True)
    return SweepReport(
        strategy=variants.strategy,
        instrument=trial.snapshot.instrument.id,
        start=utc_text(bars.opened_at(trial.first)),
        end=utc_text(bars.opened_at(-1)),
        n=len(trial) - trial.first,
        configurations=len(variants.configurations),
        impossible=variants.impossible,
        trials=selection.trials,
        hurdle_sharpe=selection.hurdle,
        pbo=_overfit(selection),
        buy_and_hold_sharpe=reruns[0].buy_and_hold.sharpe,
        is_beyond_luck=selection.is_beyond_luck,
        verdict=BEYOND_LUCK if selection.is_beyond_luck else NOT_BEYOND_LUCK,
        best=tuple(_finalist(variants.configurations[one.place], one, again) for one, again in pairs),
    )


def _finalist(configuration: Configuration, chosen: Chosen, again: Rerun) -> Finalist:
    figures = again.figures
    return Finalist(
        configuration=str(configuration),
        parameters=configuration.parameters,
        sharpe=figures.sharpe,
        ci90=again.ci90,
        deflated_sharpe=chosen.deflated,
        cagr=figures.cagr,
        max_drawdown_ratio=-figures.max_drawdown,
        turnover_per_year=figures.turnover_per_year,
        mean_exposure=figures.mean_exposure,
        behind=again.behind,
        periods=again.periods,
    )


def _overfit(selection: Selection) -> Overfit | None:
    found, to_year = selection.overfitting, selection.bars_per_year**0.5
    if found is None:
        return None
    return Overfit(
        probability=found.probability,
        loss=found.loss,
        chosen_sharpe=found.chosen_sharpe * to_year,
        later_sharpe=found.later_sharpe * to_year,
        splits=found.splits,
    )


def _interval(result: Backtest, seed: int) -> Interval90:
    """Return the block bootstrap's interval of the annual Sharpe ratio, unknown without one."""
    course = result.course
    excess = course.returns() - course.cash_returns()
    if result.figures.sharpe is None or len(excess) < 2 * BLOCK_BARS:
        return UNKNOWN_INTERVAL
    per_bar = bootstrap_ci(excess, _sharpe, block=BLOCK_BARS, n=DRAWS, seed=seed)
    to_year = result.figures.sharpe / _sharpe(excess)
    return known(per_bar.low * to_year), known(per_bar.high * to_year)


def _sharpe(excess: FloatArray) -> float:
    spread = float(excess.std(ddof=1))
    return float(excess.mean()) / spread if spread > _STILL else float("nan")
