"""The weight that the live sizing would have held at each month's end of the past.

Stage: evaluation (pure). Trend tranche and volatility scale are those of `decision.sizing`; of
days, `followed` asks the live code itself. What is held drifts with the price, and is changed only
when the wanted weight lies further away than a fifth of the largest position that volatility allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.decision.holdings import NO_TRADE_SHARE
from when_to_invest.decision.sizing import trend_tranche, volatility_scale
from when_to_invest.features.windows import change_ratio, rolling_mean
from when_to_invest.signals.trend import trend_states

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

MONTHS_OF_AVERAGE: Final = 10
"""The 200-day average in months (Faber 2007)."""
_MONTHS: Final = (3, 6, 12)
_MONTHS_A_YEAR: Final = 12


@dataclass(frozen=True, slots=True)
class TrendHistory:
    """The trend at each month-end close, (n,) each; of no use before a year has passed.

    `is_up`: the band was last left upwards. `rising`: how many of three momenta are positive.
    `distance` from the average, as a ratio.
    """

    is_up: FloatArray
    rising: FloatArray
    distance: FloatArray


def monthly_trend(close: FloatArray) -> TrendHistory:
    """Return the trend of month-end closes: ten months of average, momenta of 3, 6 and 12."""
    import numpy as np

    distance = close / rolling_mean(close, MONTHS_OF_AVERAGE) - 1.0
    states = trend_states(distance)
    rising = np.sum([change_ratio(close, lag) > 0.0 for lag in _MONTHS], axis=0)
    return TrendHistory(
        is_up=np.where(np.isnan(states), distance > 0.0, states > 0.0),
        rising=rising,
        distance=distance,
    )


def wanted_weights(trend: TrendHistory, sigma_annual: FloatArray) -> FloatArray:
    """Return trend tranche times volatility scale at each row, NaN where sigma is."""
    import numpy as np

    wanted = np.full(len(sigma_annual), np.nan)
    for row in np.flatnonzero(np.isfinite(sigma_annual)):
        tranche = trend_tranche(is_up=bool(trend.is_up[row]), rising_count=int(trend.rising[row]))
        wanted[row] = tranche * volatility_scale(float(sigma_annual[row]))
    return wanted


def volatility_scales(sigma_annual: FloatArray) -> FloatArray:
    """Return `decision.sizing.volatility_scale` at each row, NaN where sigma is."""
    import numpy as np

    return np.array([volatility_scale(each) if each == each else each for each in sigma_annual.tolist()])  # noqa: PLR0124 - NaN alone is unequal to itself


def targets(
    wanted: FloatArray,
    caps: FloatArray,
    *,
    scale: FloatArray,
    close: FloatArray,
    share: float = NO_TRADE_SHARE,
) -> FloatArray:
    """Return the weight ordered at each close (n,), NaN for no order.

    Args:
        wanted: (n,) in [0, 1], NaN where nothing is known.
        caps: (n,) in [0, 1]: an increase goes no further than wanted times cap.
        scale: (n,) largest position that volatility allows, in [0, 1].
        close: (n,) prices, by which the weight held drifts between orders.
        share: changes up to this share of `scale` are not worth their cost.
    """
    import numpy as np

    ordered, held = np.full(len(wanted), np.nan), 0.0
    growth = np.append(1.0, close[1:] / close[:-1])
    for row in np.flatnonzero(np.isfinite(wanted)):
        held = held * growth[row] / (1.0 - held + held * growth[row])
        aim = float(wanted[row])
        if aim > held:
            aim = max(held, aim * float(caps[row]))
        if abs(aim - held) > share * scale[row]:
            ordered[row] = held = aim
    return ordered


def monthly_sigma(close: FloatArray) -> FloatArray:
    """Return the volatility per year of the last 12 monthly returns, NaN before."""
    import numpy as np

    squares = np.diff(np.log(close), prepend=np.log(close[:1])) ** 2
    sigma = np.sqrt(rolling_mean(squares, _MONTHS_A_YEAR) * _MONTHS_A_YEAR)
    sigma[:_MONTHS_A_YEAR] = np.nan
    return sigma
