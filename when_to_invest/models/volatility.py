"""Variance over the next days, and the quantiles of the return that go with it.

Stage: models (pure). HAR in logarithms (Corsi 2009, equation 8) with a leverage term: least
squares of the log mean variance of the next h days, less its long-run level, on the latest
day, week, month and quarter and the latest returns; pulled towards the pooled, dated
coefficients as if `_PRIOR_ROWS` days of other instruments had been seen. The level is matched
to squared close-to-close returns. Quantiles: past returns over the horizon in units of their
own day's forecast deviation (Hull and White 1998), mixed with pooled ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.features.variance import FLOOR
from when_to_invest.models.outcomes import mean_ahead
from when_to_invest.models.past import FIRST_ROW, REFIT_DAYS, Past

if TYPE_CHECKING:
    from when_to_invest.features.risk_panel import RiskPanel
    from when_to_invest.market import FloatArray, TimeArray
    from when_to_invest.models.prior import Lesson

LEVELS: Final = tuple(round(0.05 * step, 2) for step in range(1, 20))
"""Probabilities of the return quantiles: 0.05 to 0.95."""
RANGES: Final = (0.5, 0.8, 0.9)
_PRIOR_ROWS: Final = 500.0
_PRIOR_TRIALS: Final = 15.0
"""Weight of the pooled quantiles, in non-overlapping horizons."""
_RIDGE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class VarianceForecasts:
    """Rows m: mean daily variance over the horizon (m,), quantiles of the simple return (m, 19)."""

    variance: FloatArray
    quantiles: FloatArray


@dataclass(frozen=True, slots=True)
class Range:
    """Simple return between `low` and `high` with probability `level`."""

    level: float
    low: float
    high: float


def central_ranges(quantiles: FloatArray) -> tuple[Range, ...]:
    """Return the central ranges of one day's quantiles (19,), narrow to wide."""
    import numpy as np

    return tuple(
        Range(
            level=level,
            low=float(np.interp((1.0 - level) / 2.0, LEVELS, quantiles)),
            high=float(np.interp((1.0 + level) / 2.0, LEVELS, quantiles)),
        )
        for level in RANGES
    )


def har_design(panel: RiskPanel, rows: TimeArray | slice) -> FloatArray:
    """Return the rows' features (m, 7)."""
    import numpy as np

    columns = panel.har[rows]
    return np.column_stack((np.ones(len(columns)), columns))


def har_target(panel: RiskPanel, horizon: int) -> FloatArray:
    """Return the log mean variance of the next h days less the long-run level, NaN if unfinished."""
    import numpy as np

    target: FloatArray = np.log(np.maximum(mean_ahead(panel.variance, horizon), FLOOR)) - panel.long_run
    return target


def forecast_variance(past: Past, rows: TimeArray, horizon: int) -> VarianceForecasts:
    """Return the forecasts of `rows` (increasing), each from what was known on its day."""
    import numpy as np

    cuts = past.cut_of(rows)
    target, realised, ahead = har_target(past.panel, horizon), past.realised(horizon), past.ahead(horizon)
    variance, quantiles = np.empty(len(rows)), np.empty((len(rows), len(LEVELS)))
    for cut in np.unique(cuts).tolist():
        block = rows[cuts == cut]
        model = _fit(past, target, realised, int(cut), horizon)
        now = model.forecast(past.panel, block)
        finished = slice(FIRST_ROW, max(FIRST_ROW, int(cut) - horizon + 1))
        residuals = ahead[finished] / np.sqrt(model.forecast(past.panel, finished) * horizon)
        spread = _quantiles(residuals, model.lesson, horizon)
        variance[cuts == cut] = now
        quantiles[cuts == cut] = np.expm1(np.sqrt(now * horizon)[:, None] * spread)
    return VarianceForecasts(variance=variance, quantiles=quantiles)


@dataclass(frozen=True, slots=True)
class _Har:
    coefficients: FloatArray
    scale: float
    lesson: Lesson | None

    def forecast(self, panel: RiskPanel, rows: TimeArray | slice) -> FloatArray:
        import numpy as np

        exponent = har_design(panel, rows) @ self.coefficients + panel.long_run[rows]
        variance: FloatArray = np.maximum(self.scale * np.exp(exponent), FLOOR)
        return variance


def _fit(past: Past, target: FloatArray, realised: FloatArray, cut: int, horizon: int) -> _Har:
    """Fit on rows whose outcomes had ended at row `cut`."""
    import numpy as np

    lesson = past.prior.lesson(int(past.year[cut]), horizon)
    rows = slice(FIRST_ROW, max(FIRST_ROW, cut - horizon + 1))
    features = har_design(past.panel, rows)
    left, right = features.T @ features, features.T @ target[rows]
    if lesson is not None:
        left, right = left + _PRIOR_ROWS * lesson.gram, right + _PRIOR_ROWS * lesson.gram @ lesson.har
    coefficients: FloatArray = np.linalg.solve(left + _RIDGE * np.eye(len(left)), right).astype(np.float64)
    fitted = _Har(coefficients, 1.0, lesson).forecast(past.panel, rows)
    # A horizon's worth of "the scale is right" keeps the first days from dividing by nothing.
    mean = float(fitted.mean()) * REFIT_DAYS if len(fitted) else 1.0
    scale = (float(realised[rows].sum()) + mean) / (float(fitted.sum()) + mean)
    return _Har(coefficients, scale, lesson)


def _quantiles(residuals: FloatArray, lesson: Lesson | None, horizon: int) -> FloatArray:
    import numpy as np

    trials = len(residuals) / horizon
    if lesson is None:
        return np.quantile(residuals, LEVELS) if len(residuals) else np.full(len(LEVELS), np.nan)
    own = np.quantile(residuals, LEVELS) if len(residuals) else lesson.residuals
    mixed: FloatArray = (trials * own + _PRIOR_TRIALS * lesson.residuals) / (trials + _PRIOR_TRIALS)
    return mixed
