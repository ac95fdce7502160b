"""Courses of following the advice and of holding throughout, through the backtest engine.

Stage: evaluation (pure). Decides nothing: `followed` says what the advice asks for day by day
(`sizing_history` what the sizing wants month by month), the engine fills it at the next bar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.backtest.course import Course
from when_to_invest.backtest.terms import Terms
from when_to_invest.backtest.trial import make_trial
from when_to_invest.backtest.vectorised import run_targets
from when_to_invest.evaluation.followed import Period, followed_weights
from when_to_invest.evaluation.sizing_history import (
    monthly_sigma,
    monthly_trend,
    targets,
    volatility_scales,
    wanted_weights,
)
from when_to_invest.features.daily import DAY_US, DailyBars
from when_to_invest.instruments import Interval
from when_to_invest.market import BarSeries, Snapshot

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray
    from when_to_invest.models.walk_forward import Forecasts

TERMS: Final = Terms(fee_bps=5.0, no_trade_band=0.0)
"""The band against small trades is that of the advice itself."""


@dataclass(frozen=True, slots=True)
class Courses:
    """The sizing as a position, and holding throughout, over the same bars (m,)."""

    sized: Course
    held: Course
    close: FloatArray


def daily_courses(snapshot: Snapshot, bars: DailyBars, made: Forecasts, *, horizon: int) -> Courses:
    """Return the position of one who follows the advice over `horizon` days, asking every day.

    The days are those that `made` forecast, which are neighbours (`every` = 1).

    Raises:
        Fault: `history_too_short` with fewer than two days to trade.
    """
    first, stop = int(made.row[0]), int(made.row[-1]) + 1
    ordered = followed_weights(snapshot, bars, Period(first, stop, horizon))
    return _courses(_daily_snapshot(snapshot, bars.until(stop)), ordered, first=first)


def monthly_courses(snapshot: Snapshot, *, first: int, stop: int) -> Courses:
    """Return the position sized at each month's end from row `first` on, to row `stop` (exclusive).

    Volatility is that of the last twelve months; breakers need days and are left out.

    Raises:
        Fault: `history_too_short` with fewer than two months to trade.
    """
    import numpy as np

    known = Snapshot(snapshot.instrument, snapshot.as_of, snapshot.bars.between(0, stop))
    close = known.bars.close
    sigma = monthly_sigma(close)
    sigma[:first] = np.nan
    wanted = wanted_weights(monthly_trend(close), sigma)
    ordered = targets(wanted, np.ones(len(close)), scale=volatility_scales(sigma), close=close)
    return _courses(known, ordered, first=first)


def _courses(snapshot: Snapshot, ordered: FloatArray, *, first: int) -> Courses:
    """Follow the orders decided from bar `first` on; trading begins at the bar after it."""
    import numpy as np

    trial = make_trial(snapshot, first=first + 1, terms=TERMS)
    once = np.full(len(ordered), np.nan)
    once[first] = 1.0
    return Courses(run_targets(ordered, trial), run_targets(once, trial), snapshot.bars.close[first + 1 :])


def _daily_snapshot(snapshot: Snapshot, bars: DailyBars) -> Snapshot:
    """Return the days as bars of their own, whatever the length of the snapshot's bars."""
    import numpy as np

    series = BarSeries(
        opened_us=bars.day * DAY_US,
        open=bars.open,
        high=bars.high,
        low=bars.low,
        close=bars.close,
        volume=np.full(len(bars), np.nan),
    )
    known = {"interval": Interval.DAY, "session": bars.session}
    return Snapshot(snapshot.instrument.model_copy(update=known), snapshot.as_of, series)
