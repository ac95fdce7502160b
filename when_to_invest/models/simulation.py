"""Filtered historical simulation: thousands of price paths that continue an instrument's past.

Stage: models (pure, seeded). Each day e = s_k sqrt(v) z with z one of the instrument's own
standardised shocks, the price is multiplied by 1 + drift + e, and v moves on by the GJR
recursion of `models.garch` (Barone-Adesi, Giannopoulos and Vosper 1999). s_k^2 is the variance
forecast for day k over what GJR expects for it, so that the level comes from the forecast and
shape, clustering and asymmetry from the instrument. Without drift the price is a martingale.
Every odd, quantile and cost is read off one set of paths, so none contradicts another. Never
draws anew between questions. Never imported where numba's start-up would be felt.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.compiled import compiled
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.models.garch import (
    GarchParameters,
    conditional_variance,
    expected_variance,
    standardised_residuals,
)

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

PATHS: Final = 4_000
HORIZON: Final = 63
_BPS: Final = 10_000.0
_DRIFT_DAYS: Final = 2_800.0
"""Days of zero drift taken as seen: 252 / 0.3^2, a yearly Sharpe ratio of 0 give or take 0.3."""
_LEAST_FORWARD: Final = 0.1
"""Least variance between two horizons, as a share of the mean up to the farther one."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Where the paths start: fitted dynamics, the next day's variance, and shocks (n,), ascending."""

    parameters: GarchParameters
    variance: float
    shocks: FloatArray

    def expected(self, horizon: int) -> FloatArray:
        """Return the variance that these dynamics and shocks expect for each day (horizon,)."""
        import numpy as np

        downside = float((np.minimum(self.shocks, 0.0) ** 2).mean())
        return expected_variance(self.parameters, first=self.variance, horizon=horizon, downside=downside)


@dataclass(frozen=True, slots=True)
class Drift:
    """Expected simple return a day, and the standard error of that expectation, ratios."""

    ratio: float
    error: float


NO_DRIFT: Final = Drift(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class WaitingCost:
    """Expected rise of the price while waiting, in bp of it (negative: a gain), and its error.

    The error joins that of the sample of paths with that of the drift.
    """

    cost_bps: float
    error_bps: float


def outlook(returns: FloatArray, parameters: GarchParameters) -> Outlook:
    """Return the outlook after the last of the simple returns (n,), oldest first."""
    import numpy as np

    variance = float(conditional_variance(returns, parameters)[-1])
    return Outlook(parameters, variance, np.sort(standardised_residuals(returns, parameters)))


def shrunk_drift(returns: FloatArray) -> Drift:
    """Return the mean of the returns (n,) pulled towards 0, as if `_DRIFT_DAYS` at 0 were seen.

    The posterior mean and deviation under a normal prior around 0.
    """
    days = len(returns) + _DRIFT_DAYS
    return Drift(float(returns.sum()) / days, float(returns.std()) / math.sqrt(days))


def variance_by_day(means: Mapping[int, float], *, horizon: int) -> FloatArray:
    """Return daily variances (horizon,) whose mean over the first h days is `means[h]`, for each h.

    Constant between the horizons given and after the last. Where the means fall so steeply that
    the days between would have next to no variance, they get a tenth of the farther mean.

    Raises:
        Fault: `bad_argument` without means, or when a horizon or a variance is not positive.
    """
    import numpy as np

    if not means or any(days < 1 or not mean > 0.0 for days, mean in means.items()):
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "a variance forecast needs a horizon of at least a day and a positive variance",
            fix="pass the mean daily variance by horizon in days",
        )
    curve, before, total = np.empty(max(horizon, *means)), 0, 0.0
    for days, mean in sorted(means.items()):
        forward = max((mean * days - total) / (days - before), _LEAST_FORWARD * mean)
        curve[before:] = forward
        total += forward * (days - before)
        before = days
    return curve[:horizon]


@dataclass(frozen=True)
class Paths:
    """Prices (horizon, n) as ratios of today's: row k - 1 is day k. Days are trading days."""

    prices: FloatArray
    drift: Drift

    @functools.cached_property
    def lowest(self) -> FloatArray:
        """Lowest price up to each day (horizon, n)."""
        import numpy as np

        lowest: FloatArray = np.minimum.accumulate(self.prices, axis=0)
        return lowest

    def up_odds(self, days: int) -> float:
        """Return the probability that the price stands above today's after `days`."""
        return float((self._after(days) > 1.0).mean())

    def fall_odds(self, fall: float, days: int) -> float:
        """Return the probability that some close within `days` lies `fall` (a ratio) or more below."""
        self._after(days)
        return float((self.lowest[days - 1] <= 1.0 - fall).mean())

    def return_quantiles(self, days: int, levels: Sequence[float]) -> FloatArray:
        """Return quantiles of the simple return after `days`, one for each level."""
        import numpy as np

        quantiles: FloatArray = np.quantile(self._after(days), levels) - 1.0
        return quantiles

    def passage_quantiles(self, fall: float, levels: Sequence[float]) -> FloatArray:
        """Return the days by which a share `levels` of all paths has fallen by `fall`; inf if never."""
        import numpy as np

        is_below = self.lowest <= 1.0 - fall
        first = np.where(is_below[-1], len(is_below) - is_below.sum(axis=0) + 1.0, np.inf)
        days: FloatArray = np.quantile(first, levels, method="inverted_cdf")
        return days

    def passages(self, falls: Sequence[float]) -> FloatArray:
        """Return the day on which each path first stood each fall or more below, inf if never.

        Args:
            falls: ratios, (m,).

        Returns:
            Days (m, n).
        """
        import numpy as np

        first = np.full((len(falls), self.prices.shape[1]), np.inf)
        _pass(self.prices, 1.0 - np.array(falls, dtype=np.float64), first)
        return first

    def waiting_cost(self, days: int) -> WaitingCost:
        """Return what buying after `days` instead of now is expected to cost."""
        gain = self._after(days) - 1.0
        sampling = float(gain.std(ddof=1)) / math.sqrt(len(gain))
        error = math.hypot(sampling, days * self.drift.error)
        return WaitingCost(float(gain.mean()) * _BPS, error * _BPS)

    def _after(self, days: int) -> FloatArray:
        if not 1 <= days <= len(self.prices):
            raise Fault(
                ErrorCode.BAD_ARGUMENT,
                f"the paths cover 1 to {len(self.prices)} days, not {days}",
                fix="simulate as many days as you ask about",
            )
        after: FloatArray = self.prices[days - 1]
        return after


def simulate(
    start: Outlook,
    *,
    variance: FloatArray | None = None,
    drift: Drift = NO_DRIFT,
    draws: FloatArray | None = None,
    stretch: FloatArray | None = None,
) -> Paths:
    """Return the paths that continue `start`.

    Args:
        start: dynamics, variance and shocks.
        variance: variance to expect of each day (horizon,), see `variance_by_day`; None keeps
            what the dynamics expect.
        drift: simple return a day, and its error.
        draws: ranks (horizon, n) in [0, 1), see `uniform_draws`; None takes those of seed 0.
        stretch: what each path's moves are multiplied by (n,); None leaves them as they are.

    Raises:
        Fault: `bad_argument` when `variance` does not cover the days of `draws`.
    """
    import numpy as np

    ranks = uniform_draws(seed=0) if draws is None else draws
    expected = start.expected(len(ranks))
    wanted = expected if variance is None else np.asarray(variance, dtype=np.float64)
    if wanted.shape != expected.shape:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"{wanted.size} daily variances do not fit paths of {len(ranks)} days",
            fix="pass one variance for each day of the draws",
        )
    prices = np.empty(ranks.shape)
    state = np.full(ranks.shape[1], start.variance)
    wide = np.ones(ranks.shape[1]) if stretch is None else stretch
    steps = np.column_stack((np.sqrt(wanted / expected), np.full(len(ranks), 1.0 + drift.ratio)))
    _walk((ranks, start.shocks, wide), start.parameters, steps, state, prices)
    return Paths(prices, drift)


@functools.lru_cache(maxsize=8)
def uniform_draws(*, seed: int, n_paths: int = PATHS, horizon: int = HORIZON) -> FloatArray:
    """Return the common random numbers of a seed, (horizon, n_paths) in [0, 1), read-only.

    A longer horizon continues the same paths. Used as ranks among ascending shocks, they make
    days and instruments comparable: the difference of two simulations is not one of luck.
    """
    import numpy as np

    draws = np.random.Generator(np.random.PCG64(seed)).random((horizon, n_paths))
    draws.flags.writeable = False
    return draws


@compiled
def _walk(
    chance: tuple[FloatArray, FloatArray, FloatArray],
    parameters: GarchParameters,
    steps: FloatArray,
    variance: FloatArray,
    prices: FloatArray,
) -> None:
    """Fill `prices`, overwriting `variance` (n,); `steps`: scale and drift factor of each day."""
    ranks, shocks, stretch = chance
    omega, alpha, gamma, beta = parameters.omega, parameters.alpha, parameters.gamma, parameters.beta
    count = len(shocks)
    for day in range(len(prices)):
        scale, growth = steps[day, 0], steps[day, 1]
        for path in range(prices.shape[1]):
            z = shocks[int(ranks[day, path] * count)]
            v = variance[path]
            before = 1.0 if day == 0 else prices[day - 1, path]
            prices[day, path] = before * max(growth + scale * stretch[path] * math.sqrt(v) * z, 0.0)
            weight = alpha + gamma if z < 0.0 else alpha
            variance[path] = omega + (weight * z * z + beta) * v


@compiled
def _pass(prices: FloatArray, floors: FloatArray, first: FloatArray) -> None:
    """Write the first day at or below each floor into `first` (m, n): backwards, the earliest stays."""
    for day in range(len(prices) - 1, -1, -1):
        for depth in range(len(floors)):
            price, floor, found = prices[day], floors[depth], first[depth]
            for path in range(len(price)):
                found[path] = day + 1.0 if price[path] <= floor else found[path]
