"""One instrument's days with everything that was known on each: what forecasts start from.

Stage: models (pure). Models are refitted every `REFIT_DAYS` days counted from the first day of
the series, so that a forecast depends on the bars up to its day and on nothing else: live, in
a backtest and in an evaluation alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

from when_to_invest.features.daily import DailyBars
from when_to_invest.features.risk_frame import WARM_UP, RiskFrame, risk_frame
from when_to_invest.features.risk_panel import RiskPanel, risk_panel
from when_to_invest.models.outcomes import log_return_ahead, mean_ahead, worst_fall_ahead
from when_to_invest.models.prior import Prior

if TYPE_CHECKING:
    from collections.abc import Callable

    from when_to_invest.market import FloatArray, TimeArray
    from when_to_invest.models.fall_odds import Record
    from when_to_invest.models.volatility import Study

REFIT_DAYS: Final = 63
FIRST_ROW: Final = WARM_UP + 21
"""Rows before this one are neither learnt from nor counted in base rates."""


@dataclass(frozen=True)
class Past:
    """Days of one instrument, their features, and the pooled lessons that may be used."""

    bars: DailyBars
    prior: Prior
    _known: dict[tuple[str, int], FloatArray] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What was computed once and is asked for again; nothing in it is ever changed."""
    studies: dict[int, Study] = field(default_factory=dict, init=False, repr=False, compare=False)
    """By horizon: the refits of `volatility`, which several questions of one decision share."""
    records: dict[tuple[int, tuple[float, ...]], Record] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """By horizon and thresholds: how the odds of a fall did, shared likewise."""

    @cached_property
    def panel(self) -> RiskPanel:
        """Features of every day."""
        return risk_panel(self.bars)

    @cached_property
    def frame(self) -> RiskFrame:
        """Recent variance of every day."""
        return risk_frame(self.bars)

    @cached_property
    def year(self) -> TimeArray:
        """Calendar year (UTC) of every day."""
        import numpy as np

        ends = self.bars.day[[0, -1]].astype("datetime64[D]").astype("datetime64[Y]")
        years = np.arange(ends[0], ends[1] + 1)
        starts = years.astype("datetime64[D]").astype(np.int64)
        place = np.searchsorted(starts, self.bars.day, side="right") - 1
        year: TimeArray = place + (int(years[0].astype(np.int64)) + 1970)
        return year

    def cut_of(self, rows: TimeArray) -> TimeArray:
        """Return the newest refit day at or before each row, as a row."""
        import numpy as np

        return FIRST_ROW + REFIT_DAYS * ((np.asarray(rows) - FIRST_ROW) // REFIT_DAYS)

    @cached_property
    def taught(self) -> slice:
        """Rows from `FIRST_ROW` on for which there is a lesson: lessons, once there, never end."""
        import numpy as np

        first = min(self.prior.lessons, default=int(self.year[-1]))
        return slice(max(FIRST_ROW, int(np.searchsorted(self.year, first, side="right"))), len(self.bars))

    def by_row(self, horizon: int, column: Literal["fall", "up", "har"]) -> FloatArray:
        """Return the lesson's coefficients (n, k) that each row may use; NaN before the first."""
        return self.once((column, horizon), lambda: self._by_row(horizon, column))

    def _by_row(self, horizon: int, column: str) -> FloatArray:
        import numpy as np

        years = range(int(self.year[0]), int(self.year[-1]) + 1)
        days = np.bincount(self.year - years[0], minlength=len(years))
        lessons = [self.prior.lesson(year, horizon) for year in years]
        width = max((len(getattr(each, column)) for each in lessons if each is not None), default=1)
        table = np.full((width, len(years)), np.nan)
        for index, lesson in enumerate(lessons):
            if lesson is not None:
                table[:, index] = getattr(lesson, column)
        return np.repeat(table, days, axis=1).T

    def worst(self, horizon: int) -> FloatArray:
        """Return the deepest fall of the close within the horizon, a ratio, NaN if unfinished."""
        close = self.bars.close
        return self.once(("worst", horizon), lambda: worst_fall_ahead(close, horizon))

    def ahead(self, horizon: int) -> FloatArray:
        """Return the log return over the horizon, NaN if unfinished."""
        close = self.bars.close
        return self.once(("ahead", horizon), lambda: log_return_ahead(close, horizon))

    def realised(self, horizon: int) -> FloatArray:
        """Return the mean squared log return over the horizon, NaN if unfinished."""
        return self.once(("realised", horizon), lambda: mean_ahead(self.panel.returns**2, horizon))

    def once(self, key: tuple[str, int], compute: Callable[[], FloatArray]) -> FloatArray:
        """Return what `compute` gives, computed the first time `key` is asked for."""
        if key not in self._known:
            found = compute()
            found.flags.writeable = False
            self._known[key] = found
        return self._known[key]


def past_mean(outcomes: FloatArray, horizon: int) -> FloatArray:
    """Return at each t the mean of the outcomes (n, ...) that had ended by t; NaN before any had."""
    import numpy as np

    mean = np.full_like(outcomes, np.nan, dtype=np.float64)
    count = len(outcomes) - FIRST_ROW - horizon
    if count > 0:
        total = np.cumsum(outcomes[FIRST_ROW : FIRST_ROW + count].T, axis=-1)
        mean[FIRST_ROW + horizon :] = (total / np.arange(1, count + 1)).T
    return mean


def recall(bars: DailyBars, prior: Prior) -> Past:
    """Return `bars` with the dated lessons of other instruments that each of their days may use."""
    return Past(bars, prior)
