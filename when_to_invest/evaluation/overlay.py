"""The live sizing held as a position, against holding throughout.

Stage: evaluation (pure). Weights decided at a close are filled at the next open (close-only
data: the next close), 5 bp of what is traded, idle cash earning nothing; holding throughout
pays the same way once. Everything that was tried on these years before is counted in
`TRIALS`, and no average hides the years that were lost.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from when_to_invest.backtest.figures import figures_of, years_of
from when_to_invest.backtest.named import SIZINGS
from when_to_invest.evaluation.report import FEWEST, OverlayScore, PeriodScore, known
from when_to_invest.features.daily import DAY_US
from when_to_invest.honesty.periods import Period, sub_periods
from when_to_invest.honesty.sharpe import deflated_sharpe, moments

if TYPE_CHECKING:
    from when_to_invest.evaluation.positions import Courses

TRIALS: Final = SIZINGS
_EPOCH: Final = date(1970, 1, 1).toordinal()
_PERIOD_YEARS: Final = ((30, 10), (6, 5), (0, 1))
"""Records of more than so many years are cut into periods of so many."""


def overlay_score(found: Courses, notes: list[str]) -> OverlayScore:
    """Return the figures over the whole record and over its periods."""
    returns, count = found.sized.returns(), len(found.sized)
    if count < FEWEST or not returns.std() > 0.0 or not found.held.returns().std() > 0.0:
        notes.append(f"overlay: {count} returns, too few or without movement, do not judge a position")
        return unknown_overlay(count)
    ours, theirs = figures_of(found.sized), figures_of(found.held)
    # Worthless strategies differ in Sharpe ratio by their own error, 1 / sqrt(n) a bar.
    luck = deflated_sharpe(moments(returns), trials=TRIALS, dispersion=count**-0.5)
    return OverlayScore(
        sharpe=ours.sharpe,
        sharpe_buy_hold=theirs.sharpe,
        max_drawdown_ratio=-ours.max_drawdown,
        max_drawdown_buy_hold_ratio=-theirs.max_drawdown,
        turnover_per_year=ours.turnover_per_year,
        deflated_sharpe=known(luck.probability),
        trials=TRIALS,
        exposure_mean=ours.mean_exposure,
        n=count,
        periods=_periods(found),
    )


def unknown_overlay(count: int) -> OverlayScore:
    """Return a score without figures."""
    return OverlayScore(
        sharpe=None,
        sharpe_buy_hold=None,
        max_drawdown_ratio=None,
        max_drawdown_buy_hold_ratio=None,
        turnover_per_year=None,
        deflated_sharpe=None,
        trials=TRIALS,
        exposure_mean=None,
        n=count,
        periods=(),
    )


def _periods(found: Courses) -> tuple[PeriodScore, ...]:
    day = found.sized.opened_us // DAY_US
    first, last = (date.fromordinal(int(day[at]) + _EPOCH).year for at in (0, -1))
    step = next(step for longest, step in _PERIOD_YEARS if last + 1 - first > longest)
    edges = [date(year, 1, 1) for year in range(first, last + 1, step)]
    edges.append(date(last + 1, 1, 1))
    bars_per_year = len(day) / years_of(found.sized.opened_us)
    columns = day, found.sized.returns(), found.held.returns()
    return tuple(_period(each) for each in sub_periods(*columns, edges=edges, bars_per_year=bars_per_year))


def _period(found: Period) -> PeriodScore:
    return PeriodScore(
        start=found.start.isoformat(),
        end=found.end.isoformat(),
        return_ratio=known(found.ours.growth),
        return_buy_hold_ratio=known(found.benchmark.growth),
        sharpe=known(found.ours.sharpe),
        sharpe_buy_hold=known(found.benchmark.sharpe),
        max_drawdown_ratio=known(-found.ours.max_drawdown),
        max_drawdown_buy_hold_ratio=known(-found.benchmark.max_drawdown),
        is_lost=found.is_lost,
    )
