"""Leaks of learning: models that saw what they were asked about.

Stage: honesty (pure, seeded). Wrong on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from when_to_invest.honesty.canaries.practice import DAY_US, returns_of
from when_to_invest.honesty.subjects import Subject

if TYPE_CHECKING:
    from when_to_invest.honesty.subjects import Values
    from when_to_invest.market import BarSeries, FloatArray

HORIZON: Final = 5
WARM_UP: Final = 30


def features_of(close: FloatArray) -> FloatArray:
    """Return (n, 4) past returns of four lengths with a constant, 0 while unknown."""
    import numpy as np

    table = np.ones((len(close), 4))
    for column, lag in enumerate((1, 5, 10)):
        table[:, column] = 0.0
        table[lag:, column] = close[lag:] / close[:-lag] - 1.0
    return table


def labels_of(close: FloatArray) -> FloatArray:
    """Return the log return over the next `HORIZON` bars, NaN while unfinished."""
    import numpy as np

    found = np.full(len(close), np.nan)
    found[:-HORIZON] = np.log(close[HORIZON:] / close[:-HORIZON])
    return found


def fitted(table: FloatArray, labels: FloatArray) -> FloatArray:
    """Return least-squares weights on the rows with a label."""
    import numpy as np

    known = ~np.isnan(labels)
    return np.asarray(np.linalg.lstsq(table[known], labels[known], rcond=None)[0], dtype=np.float64)


def regression_on_everything(bars: BarSeries) -> Values:
    """Fit once on all rows and forecast the same rows."""
    table = features_of(bars.close)
    forecast: Values = table @ fitted(table, labels_of(bars.close))
    return forecast


def principal_part_of_everything(bars: BarSeries) -> Values:
    """Project on the first component of the whole table."""
    import numpy as np

    table = features_of(bars.close)[:, :3]
    _, _, axes = np.linalg.svd(table - table.mean(axis=0), full_matrices=False)
    forecast: Values = table @ axes[0]
    return forecast


def unfinished_labels(bars: BarSeries) -> Values:
    """Refit at every row on all rows before it, whose labels reach past it."""
    import numpy as np

    table, labels = features_of(bars.close), labels_of(bars.close)
    forecast = np.full(len(bars), np.nan)
    for row in range(WARM_UP, len(bars)):
        forecast[row] = (table[row] * fitted(table[:row], labels[:row])).sum()
    return forecast


def shuffled_folds(bars: BarSeries) -> Values:
    """Forecast each row by a model of the other folds, which lie on both sides of it."""
    import numpy as np

    table, labels = features_of(bars.close), labels_of(bars.close)
    fold = np.random.default_rng(0).integers(0, 5, len(bars))
    forecast = np.empty(len(bars))
    for number in range(5):
        others = fold != number
        forecast[~others] = table[~others] @ fitted(table[others], labels[others])
    return forecast


def threshold_tuned_on_everything(bars: BarSeries) -> Values:
    """Trade above the threshold that would have earned most in all."""
    import numpy as np

    momentum, ahead = features_of(bars.close)[:, 1], np.nan_to_num(labels_of(bars.close))
    grid = np.linspace(-0.05, 0.05, 41)
    best = grid[int(np.argmax([ahead[momentum > each].sum() for each in grid]))]
    found: Values = (momentum > best) * 1.0
    return found


def weekdays_mean_of_everything(bars: BarSeries) -> Values:
    """Encode the weekday by its mean return over all years."""
    import numpy as np

    weekday, returns = (bars.opened_us // DAY_US + 3) % 7, returns_of(bars.close)
    means = np.array([returns[weekday == day].mean() if (weekday == day).any() else 0.0 for day in range(7)])
    found: Values = means[weekday]
    return found


def recalibrated_on_outcomes(bars: BarSeries) -> Values:
    """Shift forecasts by their mean error, taken over errors that are still to come."""
    import numpy as np

    momentum, labels = features_of(bars.close)[:, 1], labels_of(bars.close)
    found: Values = momentum + np.nanmean(labels - momentum)
    return found


def nearest_neighbours_anywhere(bars: BarSeries) -> Values:
    """Forecast by the most similar days, whenever they were or will be."""
    import numpy as np

    table, labels = features_of(bars.close)[:, :3], np.nan_to_num(labels_of(bars.close))
    distance = ((table[:, None, :] - table[None, :, :]) ** 2).sum(axis=2)
    found: Values = labels[np.argsort(distance, axis=1, kind="stable")[:, 1:6]].mean(axis=1)
    return found


class RememberedFit:
    """A model that fits on the first series it sees, and forecasts every later one with that."""

    def __init__(self) -> None:
        self._weights: FloatArray | None = None

    def __call__(self, bars: BarSeries) -> Values:
        """Forecast every row with the weights first learnt."""
        table = features_of(bars.close)
        if self._weights is None:
            self._weights = fitted(table, labels_of(bars.close))
        forecast: Values = table @ self._weights
        return forecast


class CarriedTable:
    """A strategy that brings its own table of prices, and looks tomorrow up by date."""

    def __init__(self, bars: BarSeries) -> None:
        ahead = labels_of(bars.close)
        self._table = dict(zip(bars.opened_us.tolist(), ahead.tolist(), strict=True))

    def __call__(self, bars: BarSeries) -> Values:
        """Hold when the table says that prices will rise."""
        import numpy as np

        return np.array([self._table.get(opened, 0.0) > 0.0 for opened in bars.opened_us.tolist()]) * 1.0


LEAKS: Final = (
    Subject("regression_on_everything", regression_on_everything),
    Subject("principal_part_of_everything", principal_part_of_everything),
    Subject("unfinished_labels", unfinished_labels),
    Subject("shuffled_folds", shuffled_folds),
    Subject("threshold_tuned_on_everything", threshold_tuned_on_everything),
    Subject("weekdays_mean_of_everything", weekdays_mean_of_everything),
    Subject("recalibrated_on_outcomes", recalibrated_on_outcomes),
    Subject("nearest_neighbours_anywhere", nearest_neighbours_anywhere),
    Subject("remembered_fit", RememberedFit()),
)


def carried_table(bars: BarSeries) -> Subject:
    """Return the canary that carries the very bars it will be audited on."""
    return Subject("carried_table", CarriedTable(bars))
