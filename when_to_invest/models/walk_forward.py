"""Forecasts of many past days, each made as it would have been made on its day.

Stage: models (pure). Days are walked in blocks: the models are refitted before each block on
outcomes that had ended by then, and forecast the block's days. Realised outcomes stand beside
them, NaN where the horizon was not over in the snapshot. Never feeds an outcome into a
forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.features.daily import DailyBars, daily_bars
from when_to_invest.features.risk_frame import EWMA_DECAY
from when_to_invest.features.variance import FLOOR
from when_to_invest.features.windows import exponential_mean
from when_to_invest.models.direction import up_forecasts
from when_to_invest.models.fall_odds import THRESHOLDS, fall_odds
from when_to_invest.models.past import FIRST_ROW, Past
from when_to_invest.models.prior import Prior, shipped_prior
from when_to_invest.models.skill import ONE_SIDED_95
from when_to_invest.models.volatility import LEVELS, forecast_variance

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from when_to_invest.market import FloatArray, Snapshot, TimeArray

HORIZONS: Final = (5, 21, 63)
FEWEST_DAYS: Final = 504
_FEWEST_ENDED: Final = 100


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Forecasts of m days, horizons H, thresholds T and quantile levels Q.

    `row`, `day` (m,): index among the snapshot's daily bars, and days since 1970 UTC.
    `variance` (m, H): mean daily variance of log returns expected over the horizon;
    `variance_mean`, `variance_ewma`: its baselines, the past mean and RiskMetrics;
    `variance_came`: mean squared log return that followed.
    `drop`, `drop_base`, `drop_came` (m, H, T): odds that some close lies the threshold below,
    the past frequency, and 1 or 0.
    `up`, `up_base`, `up_came` (m, H): odds that the last close lies above, likewise.
    `up_has_skill` (m, H): whether the odds had beaten their base rate on earlier days.
    `quantiles`, `quantile_base` (m, H, Q): quantiles of the simple return, and past ones;
    `return_came` (m, H): the simple return.
    """

    instrument: str
    horizons: tuple[int, ...]
    thresholds: tuple[float, ...]
    levels: tuple[float, ...]
    days_per_year: int
    row: TimeArray
    day: TimeArray
    close: FloatArray
    variance: FloatArray
    variance_mean: FloatArray
    variance_ewma: FloatArray
    variance_came: FloatArray
    drop: FloatArray
    drop_base: FloatArray
    drop_came: FloatArray
    up: FloatArray
    up_base: FloatArray
    up_came: FloatArray
    up_has_skill: FloatArray
    quantiles: FloatArray
    quantile_base: FloatArray
    return_came: FloatArray

    def __len__(self) -> int:
        return len(self.row)


def walk_forward(
    snapshot: Snapshot,
    *,
    start: date | None = None,
    end: date | None = None,
    horizons: Sequence[int] = HORIZONS,
    thresholds: Sequence[float] = THRESHOLDS,
    every: int = 1,
    prior: Prior | None = None,
) -> Forecasts:
    """Return the forecasts of every `every`-th day from `start` to `end` (both inclusive).

    Args:
        snapshot: bars, from which the outcomes come too.
        start: first day, UTC; the first that has enough history when None or earlier.
        end: last day, UTC; the newest when None.
        horizons: days ahead.
        thresholds: falls, as ratios of the close.
        every: days between forecasts, counted from the first.
        prior: pooled lessons; None takes those that ship.

    Raises:
        Fault: `history_too_short` when no day has enough, or what `daily_bars` refuses.
    """
    past = Past(daily_bars(snapshot), shipped_prior() if prior is None else prior)
    bars, rows = past.bars, _some(_rows(past.bars, start, end, every), snapshot.instrument.id)
    columns = _stacked(past, rows, horizons, thresholds)
    return Forecasts(
        instrument=snapshot.instrument.id,
        horizons=tuple(horizons),
        thresholds=tuple(thresholds),
        levels=LEVELS,
        days_per_year=bars.days_per_year,
        row=rows,
        day=bars.day[rows],
        close=bars.close[rows],
        **columns,
    )


def _some(rows: TimeArray, instrument: str) -> TimeArray:
    if len(rows):
        return rows
    raise Fault(
        ErrorCode.HISTORY_TOO_SHORT,
        f"{instrument} has no day with {FEWEST_DAYS} days of history in the period",
        fix="choose a later or longer period, or import more history",
    )


def _rows(bars: DailyBars, start: date | None, end: date | None, every: int) -> TimeArray:
    import numpy as np

    first = FEWEST_DAYS if start is None else int(np.searchsorted(bars.day, _days(start)))
    last = len(bars) if end is None else int(np.searchsorted(bars.day, _days(end), side="right"))
    return np.arange(max(first, FEWEST_DAYS), last, every)


def _days(day: date) -> int:
    from datetime import date as calendar

    return (day - calendar(1970, 1, 1)).days


def _columns(past: Past, rows: TimeArray, horizon: int, thresholds: Sequence[float]) -> dict[str, FloatArray]:
    """Return one horizon's columns, each of shape (m, ...)."""
    import numpy as np

    squares, ahead = past.panel.returns**2, past.ahead(horizon)
    volatility = forecast_variance(past, rows, horizon)
    falls = fall_odds(past, rows, horizon, thresholds)
    ups = up_forecasts(past, rows, horizon)
    return {
        "variance": volatility.variance,
        "variance_mean": np.cumsum(squares)[rows] / rows,
        "variance_ewma": np.maximum(exponential_mean(squares, EWMA_DECAY)[rows], FLOOR),
        "variance_came": past.realised(horizon)[rows],
        "drop": falls.odds,
        "drop_base": falls.base,
        "drop_came": falls.came,
        "up": ups.odds,
        "up_base": ups.base,
        "up_came": ups.came,
        "up_has_skill": np.array([skill.is_proven(ONE_SIDED_95) for skill in ups.skills], dtype=np.float64),
        "quantiles": volatility.quantiles,
        "quantile_base": _past_quantiles(ahead, past.cut_of(rows), horizon),
        "return_came": np.expm1(ahead)[rows],
    }


def _stacked(
    past: Past, rows: TimeArray, horizons: Sequence[int], thresholds: Sequence[float]
) -> dict[str, FloatArray]:
    """Return all columns with the horizons along the second axis."""
    import numpy as np

    parts = [_columns(past, rows, horizon, thresholds) for horizon in horizons]
    columns = {name: np.stack([part[name] for part in parts], axis=1) for name in parts[0]}
    columns["drop"] = _contained(columns["drop"], horizons)
    return columns


def _contained(odds: FloatArray, horizons: Sequence[int]) -> FloatArray:
    """Raise odds of longer horizons to those of shorter ones, as `fall_odds.coherent` does."""
    import numpy as np

    order = np.argsort(horizons)
    result = np.empty_like(odds)
    result[:, order] = np.maximum.accumulate(odds[:, order], axis=1)
    return result


def _past_quantiles(ahead: FloatArray, cuts: TimeArray, horizon: int) -> FloatArray:
    """Return quantiles of the returns over the horizon that had ended at each row's refit."""
    import numpy as np

    result = np.full((len(cuts), len(LEVELS)), np.nan)
    for cut in np.unique(cuts).tolist():
        finished = ahead[FIRST_ROW : max(FIRST_ROW, cut - horizon + 1)]
        if len(finished) >= _FEWEST_ENDED:
            result[cuts == cut] = np.expm1(np.quantile(finished, LEVELS))
    return result
