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
from when_to_invest.features.risk_frame import EWMA_DECAY, WARM_UP, RiskFrame, risk_frame
from when_to_invest.features.variance import FLOOR, log_returns
from when_to_invest.features.windows import exponential_mean
from when_to_invest.models.har import fit_har
from when_to_invest.models.logit import fit_logit
from when_to_invest.models.outcomes import log_return_ahead, mean_ahead, worst_fall_ahead

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from when_to_invest.market import FloatArray, Snapshot, TimeArray

HORIZONS: Final = (5, 21, 63)
THRESHOLDS: Final = (0.03, 0.05, 0.10)
LEVELS: Final = tuple(round(0.05 * step, 2) for step in range(1, 20))
"""Probabilities of the return quantiles: 0.05 to 0.95."""
FEWEST_DAYS: Final = 504
_STEP: Final = 21
_FEWEST_EVENTS: Final = 10


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
) -> Forecasts:
    """Return the forecasts of every `every`-th day from `start` to `end` (both inclusive).

    Args:
        snapshot: one instrument's bars; also the outcomes come from here.
        start: first day, UTC; the first that has enough history when None or earlier.
        end: last day, UTC; the newest when None.
        horizons: days ahead.
        thresholds: falls, as ratios of the close.
        every: days between forecasts, counted from the first.

    Raises:
        Fault: `history_too_short` when no day has enough, or what `daily_bars` refuses.
    """
    import numpy as np

    bars = daily_bars(snapshot)
    rows = _some(_rows(bars, start, end, every), snapshot.instrument.id)
    past = _Past(bars, risk_frame(bars), np.asarray(rows), tuple(thresholds))
    parts = [_forecast(past, horizon) for horizon in horizons]
    columns = {name: np.stack([part[name] for part in parts], axis=1) for name in parts[0]}
    return Forecasts(
        instrument=snapshot.instrument.id,
        horizons=tuple(horizons),
        thresholds=tuple(thresholds),
        levels=LEVELS,
        days_per_year=bars.days_per_year,
        row=past.rows,
        day=bars.day[past.rows],
        close=bars.close[past.rows],
        **columns,
    )


@dataclass(frozen=True, slots=True)
class _Past:
    bars: DailyBars
    frame: RiskFrame
    rows: TimeArray
    thresholds: tuple[float, ...]


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


def _forecast(past: _Past, horizon: int) -> dict[str, FloatArray]:
    """Return one horizon's columns, each of shape (m, ...)."""
    import numpy as np

    close, rows = past.bars.close, past.rows
    ahead = log_return_ahead(close, horizon)
    falls = np.column_stack([_came(worst_fall_ahead(close, horizon), -each) for each in past.thresholds])
    squares = log_returns(close) ** 2
    count = np.maximum(np.arange(1, len(close) + 1), 2)
    variance, drop, quantiles, base = _blocks(past, falls, ahead, horizon)
    ups = np.where(np.isnan(ahead), np.nan, ahead > 0.0)
    up_base = _past_mean(ups[:, None], rows, horizon)[:, 0]
    return {
        "variance": variance,
        "variance_mean": np.cumsum(squares)[rows] / (count - 1)[rows],
        "variance_ewma": np.maximum(exponential_mean(squares, EWMA_DECAY)[rows], FLOOR),
        "variance_came": mean_ahead(squares, horizon)[rows],
        "drop": drop,
        "drop_base": _past_mean(falls, rows, horizon),
        "drop_came": falls[rows],
        "up": up_base,
        "up_base": up_base,
        "up_came": ups[rows],
        "up_has_skill": np.zeros(len(rows)),
        "quantiles": quantiles,
        "quantile_base": base,
        "return_came": np.expm1(ahead)[rows],
    }


def _came(worst: FloatArray, threshold: float) -> FloatArray:
    import numpy as np

    return np.where(np.isnan(worst), np.nan, worst <= threshold)


def _past_mean(outcomes: FloatArray, rows: TimeArray, horizon: int) -> FloatArray:
    """Return the mean of the outcomes that had ended by each row."""
    import numpy as np

    total = np.cumsum(np.nan_to_num(outcomes[WARM_UP:]), axis=0)
    finished = rows - horizon - WARM_UP
    mean: FloatArray = total[finished] / (finished + 1)[:, None]
    return mean


def _blocks(
    past: _Past, falls: FloatArray, ahead: FloatArray, horizon: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return variance, odds of falls, and quantiles with their base, block by block."""
    import numpy as np

    columns: list[tuple[FloatArray, ...]] = []
    returns = log_returns(past.bars.close)
    for block in np.array_split(past.rows, range(_STEP, len(past.rows), _STEP)):
        known = int(block[0])
        model = fit_har(past.frame, returns, horizon=horizon, until=known)
        forecast = model.forecast(past.frame.log_variance[WARM_UP:])
        finished = slice(WARM_UP, known - horizon)
        deviation = np.sqrt(forecast * horizon)
        residuals = ahead[finished] / deviation[: known - horizon - WARM_UP]
        now = deviation[block - WARM_UP]
        columns.append(
            (
                forecast[block - WARM_UP],
                _odds(past, falls, block, finished),
                np.expm1(now[:, None] * np.quantile(residuals, LEVELS)),
                np.expm1(np.tile(np.quantile(ahead[finished], LEVELS), (len(block), 1))),
            )
        )
    variance, drop, quantiles, base = (np.concatenate(column) for column in zip(*columns, strict=True))
    return variance, drop, quantiles, base


def _odds(past: _Past, falls: FloatArray, block: TimeArray, finished: slice) -> FloatArray:
    """Return the block's odds of each fall: logistic in its distance in weekly volatilities."""
    import numpy as np

    outcomes = falls[finished].T.ravel()
    if not _FEWEST_EVENTS <= outcomes.sum() <= len(outcomes) - _FEWEST_EVENTS:
        return np.tile(falls[finished].mean(axis=0), (len(block), 1))
    model = fit_logit(_design(past, finished), outcomes, strength=1.0)
    odds: FloatArray = model.probability(_design(past, block)).reshape(len(past.thresholds), -1).T
    return odds


def _design(past: _Past, rows: slice | TimeArray) -> FloatArray:
    import numpy as np

    volatility = 0.5 * past.frame.log_variance[rows]
    week = volatility[:, 1]
    slopes = volatility[:, [0, 2, 3]] - week[:, None]
    return np.vstack([np.column_stack((np.log(at) - week, slopes)) for at in past.thresholds])
