"""Calm or turbulent: the odds that a day belongs to the more volatile of two Gaussian states.

Stage: models (pure). Returns are normal with the mean and variance of a hidden state that stays
with probability `stay` (Hamilton 1989, "A new approach to the economic analysis of
nonstationary time series", equation 4: P(s_t | r_1..r_t) ~ f(r_t | s_t) P(s_t | r_1..r_(t-1))).
Fitted by expectation maximisation (Hamilton 1990; smoother of Kim 1994). Only FILTERED odds
leave this module: smoothed ones know the days that followed, and a rule that trades on them
looks good on any past. Never imported where numba's start-up would be felt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from when_to_invest.compiled import compiled, woven
from when_to_invest.models.return_column import checked_returns

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

FEWEST_RETURNS: Final = 250
_ROUNDS: Final = 500
_TOLERANCE: Final = 1e-9
"""Fitting ends when a round gains less log likelihood than this a return."""
_FIRST_STAY: Final = 0.98
_LEAST_VARIANCE: Final = 1e-4
"""Of a state, as a share of that of all returns: keeps it from collapsing onto one day."""
_LEAST_CHANCE: Final = 1e-6
_EVEN: Final = 0.5


# Numba takes named tuples, not dataclasses.
class RegimeParameters(NamedTuple):
    """A fitted model, immutable; means are ratios a day, variances their squares.

    `stay`: probability of the same state the day after. Turbulent has the greater variance.
    """

    calm_mean: float
    calm_variance: float
    calm_stay: float
    turbulent_mean: float
    turbulent_variance: float
    turbulent_stay: float

    @property
    def turbulent_share(self) -> float:
        """Long-run share of turbulent days."""
        return (1.0 - self.calm_stay) / (2.0 - self.calm_stay - self.turbulent_stay)


def fit_regimes(returns: FloatArray) -> RegimeParameters:
    """Return the parameters of a likelihood maximum for returns (n,), oldest first.

    Deterministic: starts from the quieter three quarters of the days against the rest.

    Raises:
        Fault: `history_too_short` below `FEWEST_RETURNS`, `bad_argument` when a return is not
            finite or all are equal.
    """
    column = checked_returns(returns, fewest=FEWEST_RETURNS, wanted="tell two regimes apart")
    known, best = _first_guess(column), -math.inf
    for _ in range(_ROUNDS):
        improved, likelihood = _improved(column, known)
        if likelihood - best < _TOLERANCE * len(column):
            break
        known, best = improved, likelihood
    return _ordered(known)


@dataclass(frozen=True, slots=True)
class RegimeReading:
    """The newest day's regime.

    `odds`: filtered probability that the day was turbulent; `usual`: its mean over all days;
    `days`: for how many days, this one included, the likelier state has been the same.
    """

    is_turbulent: bool
    odds: float
    usual: float
    days: int


def read_regime(returns: FloatArray, parameters: RegimeParameters) -> RegimeReading:
    """Return the regime on the last day of the returns (n,)."""
    import numpy as np

    odds = turbulence(returns, parameters)
    is_turbulent = odds > _EVEN
    changes = np.flatnonzero(is_turbulent != is_turbulent[-1])
    days = len(odds) - 1 - int(changes[-1]) if len(changes) else len(odds)
    return RegimeReading(bool(is_turbulent[-1]), float(odds[-1]), float(odds.mean()), days)


def turbulence(returns: FloatArray, parameters: RegimeParameters) -> FloatArray:
    """Return the filtered odds (n,) that each day was turbulent, from returns up to that day."""
    import numpy as np

    filtered, predicted = np.empty(len(returns)), np.empty(len(returns))
    _filter(np.array(returns, dtype=np.float64), parameters, parameters.turbulent_share, filtered, predicted)
    return filtered


def log_likelihood(returns: FloatArray, parameters: RegimeParameters) -> float:
    """Return the log likelihood of the returns (n,)."""
    import numpy as np

    column, filtered, predicted = np.array(returns, dtype=np.float64), *np.empty((2, len(returns)))
    return _filter(column, parameters, parameters.turbulent_share, filtered, predicted)


def _improved(returns: FloatArray, known: RegimeParameters) -> tuple[RegimeParameters, float]:
    """Return better parameters, and the log likelihood of those known."""
    import numpy as np

    filtered, predicted, smoothed = np.empty((3, len(returns)))
    likelihood = _filter(returns, known, known.turbulent_share, filtered, predicted)
    calm_stays, turbulent_stays = _smooth(filtered, predicted, known, smoothed)
    least = _LEAST_VARIANCE * float(returns.var())
    states = []
    for weight, stays in ((1.0 - smoothed, calm_stays), (smoothed, turbulent_stays)):
        total = max(float(weight.sum()), _LEAST_CHANCE)
        mean = float((weight * returns).sum()) / total
        variance = max(float((weight * (returns - mean) ** 2).sum()) / total, least)
        stay = stays / max(float(weight[:-1].sum()), _LEAST_CHANCE)
        states.append((mean, variance, min(max(stay, _LEAST_CHANCE), 1.0 - _LEAST_CHANCE)))
    return RegimeParameters(*states[0], *states[1]), likelihood


@woven
def _log_density(value: float, mean: float, variance: float) -> float:
    return -0.5 * (math.log(2.0 * math.pi * variance) + (value - mean) * (value - mean) / variance)


@compiled
def _filter(
    returns: FloatArray,
    known: RegimeParameters,
    first: float,
    filtered: FloatArray,
    predicted: FloatArray,
) -> float:
    """Fill the odds of turbulence given returns up to each day, and before it; return log likelihood."""
    odds, total = first, 0.0
    for t in range(len(returns)):
        if t > 0:
            odds = odds * known.turbulent_stay + (1.0 - odds) * (1.0 - known.calm_stay)
        predicted[t] = odds
        calm = _log_density(returns[t], known.calm_mean, known.calm_variance)
        turbulent = _log_density(returns[t], known.turbulent_mean, known.turbulent_variance)
        greatest = max(calm, turbulent)
        heavy, light = odds * math.exp(turbulent - greatest), (1.0 - odds) * math.exp(calm - greatest)
        odds = heavy / (heavy + light)
        filtered[t] = odds
        total += greatest + math.log(heavy + light)
    return total


@compiled
def _smooth(
    filtered: FloatArray, predicted: FloatArray, known: RegimeParameters, smoothed: FloatArray
) -> tuple[float, float]:
    """Fill the odds of turbulence given all returns; return the expected days each state was kept."""
    calm_stays, turbulent_stays = 0.0, 0.0
    last = len(filtered) - 1
    smoothed[last] = filtered[last]
    for t in range(last - 1, -1, -1):
        turbulent_next = smoothed[t + 1] / predicted[t + 1]
        calm_next = (1.0 - smoothed[t + 1]) / (1.0 - predicted[t + 1])
        kept = filtered[t] * known.turbulent_stay * turbulent_next
        left = filtered[t] * (1.0 - known.turbulent_stay) * calm_next
        smoothed[t] = min(kept + left, 1.0)
        turbulent_stays += kept
        calm_stays += (1.0 - filtered[t]) * known.calm_stay * calm_next
    return calm_stays, turbulent_stays


def _first_guess(returns: FloatArray) -> RegimeParameters:
    import numpy as np

    size = np.abs(returns - returns.mean())
    is_large = size > np.quantile(size, 0.75)
    mean = float(returns.mean())
    calm, turbulent = float((size[~is_large] ** 2).mean()), float((size[is_large] ** 2).mean())
    least = _LEAST_VARIANCE * float(returns.var())
    return RegimeParameters(mean, max(calm, least), _FIRST_STAY, mean, max(turbulent, least), _FIRST_STAY)


def _ordered(known: RegimeParameters) -> RegimeParameters:
    is_right = known.calm_variance <= known.turbulent_variance
    return known if is_right else RegimeParameters(*known[3:], *known[:3])
