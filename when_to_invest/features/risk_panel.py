"""What the pooled models learn from, in units that mean the same on every instrument.

Stage: features (pure). Row t is known at the close of day t and is bitwise the same whatever
follows. Volatilities are natural logarithms of the daily standard deviation; returns are in
units of the instrument's own volatility, so that an index and a coin can be learnt together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.features.daily import DailyBars
from when_to_invest.features.risk_frame import EWMA_DECAY, MONTH, QUARTER, WEEK
from when_to_invest.features.variance import FLOOR, daily_variance, log_returns
from when_to_invest.features.windows import change_ratio, exponential_mean, rolling_mean

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

_YEAR: Final = 252
_SMA: Final = 200
_HALF_YEAR: Final = 126
_FAST_DECAY: Final = 0.7
ARCH: Final = 0.02
LEVERAGE: Final = 0.12
GARCH: Final = 0.90
"""Weights of a day's squared return, of a fall's besides, and of the day before (Glosten,
Jagannathan and Runkle 1993): round figures near what stock indices give, not fitted here."""
_TAILS_DECAY: Final = 0.99
_NORMAL_TAILS: Final = 0.5 * math.log(math.pi / 2.0)
"""Minus the log of a normal's mean absolute deviation over its standard deviation."""
_FARTHEST: Final = 3.0
"""Returns in units of volatility are clipped here."""
SLOPES: Final = ("fast", "week", "quarter", "long_run")


@dataclass(frozen=True, slots=True)
class RiskPanel:
    """Causal columns of n days; NaN where history does not reach back far enough.

    `returns`: log returns. `variance`: daily variance, single outliers steadied.
    `volatility`: log volatility of about a month, matched to close-to-close moves.
    `slopes` (n, 4): other log volatilities (`SLOPES`) less `volatility`.
    `tails` (n,): log of the mean absolute return over the root mean square, of about half a year, less
    that of a normal: 0 for a normal, negative the more a few days make the volatility.
    `reactive` (n,): variance of the next day by a GJR recursion with fixed weights, which falls move
    more than rises, and `close_variance` (n,) the mean squared return so far that it returns to.
    `long_run`: log of the mean variance of all days so far. `har` (n, 6): log variance of the
    latest day, week, month and quarter less `long_run`, and the returns of the latest day and
    week in monthly volatilities. `up` (n, 5): distance to the 200-day
    average and returns of a week, a month and half a year in volatilities, and the month's
    volatility against the long run's.
    """

    returns: FloatArray
    variance: FloatArray
    volatility: FloatArray
    slopes: FloatArray
    tails: FloatArray
    reactive: FloatArray
    close_variance: FloatArray
    long_run: FloatArray
    har: FloatArray
    up: FloatArray


def risk_panel(bars: DailyBars) -> RiskPanel:
    """Return the panel of every day of `bars`."""
    import numpy as np

    from when_to_invest.features.steadying import steadied

    returns = log_returns(bars.close)
    variance = steadied(daily_variance(bars), returns) if bars.has_range else daily_variance(bars)
    monthly = exponential_mean(variance, EWMA_DECAY)
    latest = variance if bars.has_range else monthly
    windows = tuple(_log_volatility(rolling_mean(variance, window)) for window in (WEEK, MONTH, QUARTER))
    week, month, quarter = windows
    level = _level(returns, variance)
    anchor = _log_volatility(monthly)
    close_variance = np.maximum(_expanding_mean(returns**2), FLOOR)
    long_run = _log_volatility(close_variance)
    fast = _log_volatility(exponential_mean(variance, _FAST_DECAY))
    slopes = [*(each - anchor for each in (fast, week, quarter)), long_run - (anchor + level)]
    day_move = _in_units(returns, month + level, 1)
    week_move = _in_units(change_ratio(bars.close, WEEK), month + level, WEEK)
    far = 2.0 * _log_volatility(_running_mean(variance))
    return RiskPanel(
        returns=returns,
        variance=variance,
        volatility=anchor + level,
        slopes=_side_by_side(*slopes),
        tails=_tails(returns),
        reactive=_reactive(returns, close_variance),
        close_variance=close_variance,
        long_run=far,
        har=_side_by_side(
            *(2.0 * each - far for each in (_log_volatility(latest), *windows)), day_move, week_move
        ),
        up=_side_by_side(*_moves(bars, returns, month + level), week_move, slopes[-1]),
    )


def _side_by_side(*columns: FloatArray) -> FloatArray:
    """Return the columns as (n, k), each of them contiguous: they are read one by one."""
    import numpy as np

    return np.array(columns).T


def _moves(bars: DailyBars, returns: FloatArray, month: FloatArray) -> tuple[FloatArray, ...]:
    """Return distance to the 200-day average, and the returns of a month and half a year."""
    year = _log_volatility(rolling_mean(returns**2, _YEAR))
    distance = bars.close / rolling_mean(bars.close, _SMA) - 1.0
    return (
        _in_units(distance, year, _SMA // 2),
        _in_units(change_ratio(bars.close, MONTH), month, MONTH),
        _in_units(change_ratio(bars.close, _HALF_YEAR), year, _HALF_YEAR),
    )


def _reactive(returns: FloatArray, close_variance: FloatArray) -> FloatArray:
    import numpy as np

    weight = np.where(returns < 0.0, ARCH + LEVERAGE, ARCH)
    stay = ARCH + 0.5 * LEVERAGE + GARCH
    pushed = (1.0 - stay) * close_variance + weight * returns**2
    return exponential_mean(pushed / (1.0 - GARCH), GARCH)


def _tails(returns: FloatArray) -> FloatArray:
    import numpy as np

    size = exponential_mean(np.abs(returns), _TAILS_DECAY)
    scale = _log_volatility(exponential_mean(returns**2, _TAILS_DECAY))
    tails: FloatArray = np.log(np.maximum(size, FLOOR)) - scale + _NORMAL_TAILS
    return tails


def _log_volatility(variance: FloatArray) -> FloatArray:
    import numpy as np

    logs: FloatArray = 0.5 * np.log(np.maximum(variance, FLOOR))
    return logs


def _expanding_mean(values: FloatArray) -> FloatArray:
    import numpy as np

    mean: FloatArray = np.cumsum(values) / np.maximum(np.arange(len(values)), 1)
    return mean


def _running_mean(values: FloatArray) -> FloatArray:
    import numpy as np

    mean: FloatArray = np.cumsum(values) / np.arange(1, len(values) + 1)
    return mean


def _level(returns: FloatArray, variance: FloatArray) -> FloatArray:
    """Return the log ratio of close-to-close to range volatility over the past."""
    return _log_volatility(_expanding_mean(returns**2)) - _log_volatility(_expanding_mean(variance))


def _in_units(move: FloatArray, log_volatility: FloatArray, days: int) -> FloatArray:
    import numpy as np

    scaled: FloatArray = np.clip(move / (np.exp(log_volatility) * days**0.5), -_FARTHEST, _FARTHEST)
    return scaled
