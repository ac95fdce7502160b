"""Sharpe ratios that know how long the record is and how much was tried.

Stage: honesty (pure). All ratios are per bar unless a name says annual. Source: Bailey and
Lopez de Prado (2012), "The Sharpe ratio efficient frontier", and (2014), "The deflated Sharpe
ratio: correcting for selection bias, backtest overfitting and non-normality".
"""

from __future__ import annotations

from dataclasses import dataclass
from math import e, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

EULER: Final = 0.5772156649015329
_FEWEST: Final = 30
_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class ReturnMoments:
    """`sharpe`: mean / standard deviation, per bar. `kurtosis` is 3 for a normal law."""

    sharpe: float
    skewness: float
    kurtosis: float
    count: int


@dataclass(frozen=True, slots=True)
class DeflatedSharpe:
    """`probability` that the true ratio exceeds `hurdle`, what luck alone gives in `trials`."""

    sharpe: float
    hurdle: float
    probability: float
    trials: int


def sharpe_ratio(returns: FloatArray, *, bars_per_year: float = 1.0) -> float:
    """Return mean / standard deviation (n - 1) of simple returns, times sqrt(bars_per_year).

    NaN when the returns do not vary.

    Raises:
        Fault: `history_too_short` below 2 returns, `bad_argument` when one is not finite.
    """
    values = _checked(returns, fewest=2)
    spread = float(values.std(ddof=1))
    return float(values.mean()) / spread * sqrt(bars_per_year) if spread > 0.0 else float("nan")


def moments(returns: FloatArray) -> ReturnMoments:
    """Return the moments that the error of a Sharpe ratio depends on.

    Raises:
        Fault: `history_too_short` below 30 returns or when they do not vary, `bad_argument` when
            one is not finite.
    """
    values = _checked(returns, fewest=_FEWEST)
    spread = float(values.std())
    if spread <= 0.0:
        raise Fault(ErrorCode.HISTORY_TOO_SHORT, "the returns never vary", fix="judge a longer record")
    scaled = (values - values.mean()) / spread
    return ReturnMoments(
        sharpe=sharpe_ratio(values),
        skewness=float((scaled**3).mean()),
        kurtosis=float((scaled**4).mean()),
        count=len(values),
    )


def probabilistic_sharpe(record: ReturnMoments, *, benchmark: float = 0.0) -> float:
    """Return the probability that the true Sharpe ratio exceeds `benchmark` (both per bar).

    Phi((SR - SR*) sqrt(n - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2)).
    """
    ratio = record.sharpe
    variance = 1.0 - record.skewness * ratio + (record.kurtosis - 1.0) / 4.0 * ratio**2
    return _NORMAL.cdf((ratio - benchmark) * sqrt(record.count - 1) / sqrt(variance))


def luck_hurdle(trials: int, *, dispersion: float) -> float:
    """Return the Sharpe ratio expected of the best of `trials` worthless strategies, per bar.

    sd((1 - g) Phi^-1(1 - 1 / N) + g Phi^-1(1 - 1 / (N e))), g Euler's constant.

    Args:
        trials: independent strategies tried, at least 1; one alone has no hurdle.
        dispersion: standard deviation of the trials' Sharpe ratios, per bar.

    Raises:
        Fault: `bad_argument` for fewer than 1 trial or a negative dispersion.
    """
    if trials < 1 or not dispersion >= 0.0:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"{trials} trials with a dispersion of {dispersion} mean nothing",
            fix="count every variant that was looked at, this one included",
        )
    if trials == 1:
        return 0.0
    first, second = _NORMAL.inv_cdf(1.0 - 1.0 / trials), _NORMAL.inv_cdf(1.0 - 1.0 / (trials * e))
    return dispersion * ((1.0 - EULER) * first + EULER * second)


def deflated_sharpe(record: ReturnMoments, *, trials: int, dispersion: float) -> DeflatedSharpe:
    """Return how sure one may be of `record` after `trials`; arguments as `luck_hurdle`.

    Raises:
        Fault: `bad_argument` as `luck_hurdle`.
    """
    hurdle = luck_hurdle(trials, dispersion=dispersion)
    return DeflatedSharpe(
        sharpe=record.sharpe,
        hurdle=hurdle,
        probability=probabilistic_sharpe(record, benchmark=hurdle),
        trials=trials,
    )


def _checked(returns: FloatArray, *, fewest: int) -> FloatArray:
    import numpy as np

    values = np.asarray(returns, dtype=np.float64)
    if len(values) < fewest:
        raise Fault(
            ErrorCode.HISTORY_TOO_SHORT,
            f"{len(values)} returns are too few; {fewest} are needed",
            fix="judge a longer record",
        )
    if not bool(np.isfinite(values).all()):
        raise Fault(ErrorCode.BAD_ARGUMENT, "a return is not a finite number", fix="leave it out")
    return values
