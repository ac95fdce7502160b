"""GJR-GARCH(1,1) with Student-t errors: today's variance of tomorrow's return, and its shocks.

Stage: models (pure). With e_t = r_t - mean, v_t = omega + (alpha + gamma [e_(t-1) < 0]) e_(t-1)^2
+ beta v_(t-1) and e_t / sqrt(v_t) Student-t with variance 1 (Glosten, Jagannathan and Runkle
1993, equation 6; Bollerslev 1987). Fitting is apart from filtering and never happens by itself:
when to refit, and on which finished returns, is the caller's decision. Returns are simple
returns, a ratio a day; variances are their squares. Never imported where numba's start-up
would be felt.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from when_to_invest.compiled import compiled
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.models.return_column import checked_returns

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

FEWEST_RETURNS: Final = 500
_SCALE: Final = 100.0
"""The optimiser works on returns in hundredths, where its steps are well conditioned."""
_START_DAYS: Final = 75
_START_DECAY: Final = 0.94
_HALF: Final = 0.5
"""Share of the squared shocks that falls make when up and down are alike."""


# Numba takes named tuples, not dataclasses.
class GarchParameters(NamedTuple):
    """A fitted model, immutable.

    `mean`: ratio a day. `omega`, `start_variance`: squared ratio; the latter stands for the
    variance before the first return. `alpha`, `gamma`, `beta`: pure numbers. `degrees`: of
    freedom of the Student-t errors, above 2.
    """

    mean: float
    omega: float
    alpha: float
    gamma: float
    beta: float
    degrees: float
    start_variance: float

    def persistence(self, downside: float = _HALF) -> float:
        """Return how much of a day's variance is expected to remain the day after.

        `downside`: mean of z^2 over negative shocks z, of variance 1, counting others as 0.
        """
        return self.alpha + self.gamma * downside + self.beta


def fit_garch(returns: FloatArray) -> GarchParameters:
    """Return the parameters of greatest likelihood for returns of shape (n,), oldest first.

    Raises:
        Fault: `history_too_short` below `FEWEST_RETURNS`, `bad_argument` when a return is not
            finite, all are equal, or the likelihood has no maximum that can be found.
    """
    from arch import arch_model

    column = checked_returns(returns, fewest=FEWEST_RETURNS, wanted="make a variance model")
    start = _start_variance(column - column.mean())
    model = arch_model(column * _SCALE, mean="Constant", vol="GARCH", p=1, o=1, q=1, dist="t", rescale=False)
    found = model.fit(disp="off", show_warning=False, backcast=start * _SCALE**2)
    mean, omega, alpha, gamma, beta, degrees = (float(value) for value in found.params)
    if found.convergence_flag != 0 or not math.isfinite(sum(found.params)):
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "the likelihood of the variance model has no maximum on these returns",
            fix="use more returns, or keep the parameters of an earlier fit",
        )
    return GarchParameters(mean / _SCALE, omega / _SCALE**2, alpha, gamma, beta, degrees, start)


def conditional_variance(returns: FloatArray, parameters: GarchParameters) -> FloatArray:
    """Return the variances (n + 1,) of each of n returns, known the day before, and of the next one.

    Row t uses returns before t only.
    """
    import numpy as np

    variances: FloatArray = np.empty(len(returns) + 1)
    _filter(np.array(returns, dtype=np.float64), parameters, variances)
    return variances


def standardised_residuals(returns: FloatArray, parameters: GarchParameters) -> FloatArray:
    """Return the shocks (n,) in units of their own day's deviation, made mean 0 and variance 1."""
    import numpy as np

    deviation = np.sqrt(conditional_variance(returns, parameters)[:-1])
    shocks = (returns - parameters.mean) / deviation
    centred: FloatArray = (shocks - shocks.mean()) / shocks.std()
    return centred


def expected_variance(
    parameters: GarchParameters, *, first: float, horizon: int, downside: float = _HALF
) -> FloatArray:
    """Return the variance expected of each of the next `horizon` days (horizon,).

    v_1 = first, v_(k+1) = omega + persistence v_k. `downside`: see `GarchParameters.persistence`.
    """
    import numpy as np

    curve, persistence = np.empty(horizon), parameters.persistence(downside)
    variance = first
    for day in range(horizon):
        curve[day] = variance
        variance = parameters.omega + persistence * variance
    return curve


@compiled
def _filter(returns: FloatArray, parameters: GarchParameters, variances: FloatArray) -> None:
    omega, alpha, gamma, beta = parameters.omega, parameters.alpha, parameters.gamma, parameters.beta
    variance = omega + (alpha + 0.5 * gamma + beta) * parameters.start_variance
    for t in range(len(returns)):
        variances[t] = variance
        shock = returns[t] - parameters.mean
        weight = alpha + gamma if shock < 0.0 else alpha
        variance = omega + weight * shock * shock + beta * variance
    variances[len(returns)] = variance


def _start_variance(shocks: FloatArray) -> float:
    """Return the exponentially weighted mean square of the first shocks, the earliest weighing most."""
    import numpy as np

    first = shocks[:_START_DAYS]
    weights = _START_DECAY ** np.arange(len(first))
    return float((first**2 * weights).sum() / weights.sum())
