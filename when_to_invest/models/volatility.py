"""Variance over the next days, and the quantiles of the return that go with it.

Stage: models (pure). HAR in logarithms (Corsi 2009, equation 8) with a leverage term: least
squares of the log mean variance of the next h days, less its long-run level, on the latest
day, week, month and quarter and the latest returns; pulled towards the pooled, dated
coefficients as if `_PRIOR_ROWS` days of other instruments had been seen. The level is matched
to squared close-to-close returns. Quantiles: past returns over the horizon in units of their
own day's forecast deviation (Hull and White 1998), mixed with pooled ones, and recalibrated on the
errors of earlier ranges (`recalibration`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from when_to_invest.features.variance import FLOOR
from when_to_invest.models.outcomes import mean_ahead
from when_to_invest.models.past import FIRST_ROW, REFIT_DAYS, Past
from when_to_invest.models.recalibration import MEMORY, width_factors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from when_to_invest.features.risk_panel import RiskPanel
    from when_to_invest.market import FloatArray, TimeArray
    from when_to_invest.models.prior import Lesson, Prior

LEVELS: Final = tuple(round(0.05 * step, 2) for step in range(1, 20))
"""Probabilities of the return quantiles: 0.05 to 0.95."""
RANGES: Final = (0.5, 0.8, 0.9)
_PRIOR_ROWS: Final = 500.0
_PRIOR_TRIALS: Final = 15.0
"""Weight of the pooled quantiles, in non-overlapping horizons."""
_RIDGE: Final = 1e-6


@dataclass(frozen=True)
class VarianceForecasts:
    """Forecasts of rows m, each from what was known on its day.

    `variance`: (m,) mean daily variance over the horizon.
    """

    rows: TimeArray
    variance: FloatArray
    _cuts: TimeArray
    _study: Study

    @cached_property
    def quantiles(self) -> FloatArray:
        """Quantiles of the simple return over the horizon, (m, 19) at `LEVELS`."""
        return _quantiles(self._study, self.rows, self._cuts)


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


def pooled_level(past: Past, horizon: int) -> FloatArray:
    """Return the log deviation of a day (n,) by the pooled, dated coefficients alone; NaN without."""
    import numpy as np

    level = np.full(len(past.bars), np.nan)
    rows = past.taught
    if rows.start < rows.stop:
        constant, *slopes = past.by_row(horizon, "har")[rows].T
        terms = (slope * column for slope, column in zip(slopes, past.panel.har[rows].T, strict=True))
        level[rows] = 0.5 * (constant + sum(terms) + past.panel.long_run[rows])
    return level


def har_target(panel: RiskPanel, horizon: int) -> FloatArray:
    """Return the log mean variance of the next h days less the long-run level, NaN if unfinished."""
    import numpy as np

    target: FloatArray = np.log(np.maximum(mean_ahead(panel.variance, horizon), FLOOR)) - panel.long_run
    return target


def forecast_variance(past: Past, rows: TimeArray, horizon: int) -> VarianceForecasts:
    """Return the forecasts of `rows` (increasing), each from what was known on its day.

    Args:
        past: the instrument's days, with the lessons that they may use.
        rows: (m,) indices of days.
        horizon: days ahead, at least 1.
    """
    import numpy as np

    study, cuts = _study(past, horizon), past.cut_of(rows)
    variance = np.empty(len(rows))
    wanted = np.unique(cuts).tolist()
    for cut, refit in zip(wanted, study.refits(wanted), strict=True):
        block = cuts == cut
        variance[block] = refit.variance[rows[block] - cut]
    return VarianceForecasts(rows, variance, cuts, study)


def _study(past: Past, horizon: int) -> Study:
    if horizon not in past.studies:
        past.studies[horizon] = Study(
            panel=past.panel,
            year=past.year,
            prior=past.prior,
            ahead=past.ahead(horizon)[FIRST_ROW:],
            realised=past.realised(horizon)[FIRST_ROW:],
            horizon=horizon,
        )
    return past.studies[horizon]


@dataclass(frozen=True, slots=True)
class Refit:
    """Variances of the rows until the next refit, and quantiles (19,) of returns in their deviations."""

    variance: FloatArray
    spread: FloatArray


@dataclass(frozen=True)
class Study:
    """The regression of one horizon at every refit; holds no reference to the `Past` that keeps it.

    `ahead`, `realised`: log return and mean squared return over the horizon, from `FIRST_ROW` on.
    """

    panel: RiskPanel
    year: TimeArray
    prior: Prior
    ahead: FloatArray
    realised: FloatArray
    horizon: int
    _made: dict[int, Refit] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def _columns(self) -> FloatArray:
        """Return the features without the constant (6, m), and the long-run level as a last row."""
        import numpy as np

        return np.vstack((self.panel.har[FIRST_ROW:].T, self.panel.long_run[FIRST_ROW:]))

    @cached_property
    def _products(self) -> FloatArray:
        """Sums of outer products of features and target over the rows that had ended at each refit."""
        import numpy as np

        count = (len(self.ahead) - 1) // REFIT_DAYS
        rows = slice(FIRST_ROW, max(FIRST_ROW, FIRST_ROW + count * REFIT_DAYS - self.horizon + 1))
        blocks = np.zeros((count * REFIT_DAYS, 8))
        design = har_design(self.panel, rows)
        if len(design):
            target = har_target(self.panel, self.horizon)[rows]
            blocks[self.horizon - 1 :] = np.column_stack((design, target))
        stacked = blocks.reshape(count, REFIT_DAYS, 8)
        products = np.zeros((count + 1, 8, 8))
        products[1:] = np.cumsum(stacked.transpose(0, 2, 1) @ stacked, axis=0)
        return products

    @cached_property
    def _daily_ahead(self) -> FloatArray:
        scaled: FloatArray = self.ahead / self.horizon**0.5
        return scaled

    def refits(self, cuts: Sequence[int]) -> list[Refit]:
        """Return the fits on rows whose outcomes had ended at each of the rows `cuts`."""
        missing = [cut for cut in cuts if cut not in self._made]
        if missing:
            lessons = [self.prior.lesson(int(self.year[cut]), self.horizon) for cut in missing]
            solved = self._coefficients(missing, lessons)
            for cut, lesson, coefficients in zip(missing, lessons, solved, strict=True):
                self._made[cut] = self._fit(cut - FIRST_ROW, lesson, coefficients)
        return [self._made[cut] for cut in cuts]

    def _fit(self, start: int, lesson: Lesson | None, coefficients: FloatArray) -> Refit:
        import numpy as np

        ended = max(0, start - self.horizon + 1)
        raw = self._exponents(coefficients, start + REFIT_DAYS)
        np.exp(raw, out=raw)
        total = float(raw[:ended].sum())
        # A horizon's worth of "the scale is right" keeps the first days from dividing by nothing.
        mean = total / ended * REFIT_DAYS if ended else 1.0
        raw *= (float(self.realised[:ended].sum()) + mean) / (total + mean)
        np.maximum(raw, FLOOR, out=raw)
        residuals = self._daily_ahead[:ended] / np.sqrt(raw[:ended])
        return Refit(raw[start:].copy(), _spread(residuals, lesson, self.horizon))

    def _coefficients(self, cuts: Sequence[int], lessons: Sequence[Lesson | None]) -> FloatArray:
        """Return the coefficients (c, 7) of each refit."""
        import numpy as np

        products = self._products[(np.array(cuts) - FIRST_ROW) // REFIT_DAYS]
        left, right = products[:, :-1, :-1], products[:, :-1, -1]
        for at, lesson in enumerate(lessons):
            if lesson is not None:
                left[at] += _PRIOR_ROWS * lesson.gram
                right[at] += _PRIOR_ROWS * lesson.gram @ lesson.har
        left += _RIDGE * np.eye(left.shape[1])
        found: FloatArray = np.linalg.solve(left, right[:, :, None])[:, :, 0].astype(np.float64)
        return found

    def _exponents(self, coefficients: FloatArray, stop: int) -> FloatArray:
        """Return the log forecasts of the first rows, term by term: the same bits however many rows."""
        import numpy as np

        constant, *slopes = coefficients.tolist()
        columns = self._columns[:, :stop]
        total: FloatArray = columns[-1] + constant
        term = np.empty(len(total))
        for slope, column in zip(slopes, columns, strict=False):
            total += np.multiply(column, slope, out=term)
        return total


def _quantiles(study: Study, rows: TimeArray, cuts: TimeArray) -> FloatArray:
    """Return the recalibrated quantiles (m, 19) of the simple return."""
    import numpy as np

    first = max(FIRST_ROW, int(cuts[0]) - MEMORY)
    refits = study.refits(range(first, int(cuts[-1]) + 1, REFIT_DAYS))
    deviation = np.sqrt(np.concatenate([each.variance for each in refits]) * study.horizon)
    spread = np.array([each.spread for each in refits])[np.arange(len(deviation)) // REFIT_DAYS]
    ranges = deviation[:, None] * spread[:, [0, -1]]
    wanted, turn = np.unique(cuts - first, return_inverse=True)
    factors = width_factors(ranges, study.ahead[first - FIRST_ROW :], refits=wanted, horizon=study.horizon)
    places = rows - first
    logs = (factors[turn] * deviation[places])[:, None] * spread[places]
    quantiles: FloatArray = np.expm1(logs)
    return quantiles


def _spread(residuals: FloatArray, lesson: Lesson | None, horizon: int) -> FloatArray:
    """Return own quantiles, mixed with pooled ones."""
    import numpy as np

    if not len(residuals):
        return np.full(len(LEVELS), np.nan) if lesson is None else lesson.residuals
    own, trials = sorted_quantiles(np.sort(residuals)), len(residuals) / horizon
    if lesson is None:
        return own
    mixed: FloatArray = (trials * own + _PRIOR_TRIALS * lesson.residuals) / (trials + _PRIOR_TRIALS)
    return mixed


def sorted_quantiles(values: FloatArray) -> FloatArray:
    """Return the quantiles of `LEVELS` of ascending values, interpolated as numpy does."""
    import numpy as np

    place = np.array(LEVELS) * (len(values) - 1)
    below = place.astype(np.int64)
    above = np.minimum(below + 1, len(values) - 1)
    quantiles: FloatArray = values[below] + (place - below) * (values[above] - values[below])
    return quantiles
