"""What waiting costs and when a fall would come, on futures that agree with the odds shown.

Stage: models (pure, seeded). Paths are simulated from the newest day (`simulation`): the level
from the variance forecasts, shape and clustering from `dynamics`, shocks and a shrunk drift from
the instrument's own past. They are then weighed (`reweighting`) so that every odd of a fall and
p_up that is recommended is theirs too, and all else is read off the weighed paths: it cannot
contradict the odds. Never a source of odds or of return ranges, whose own models are better
calibrated. Never imported where numba's start-up would be felt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.models.dynamics import Table, own_garch
from when_to_invest.models.fall_odds import THRESHOLDS, HorizonOdds
from when_to_invest.models.reweighting import Reweighting, Wanted, reweight
from when_to_invest.models.simulation import (
    HORIZON,
    Paths,
    WaitingCost,
    outlook,
    shrunk_drift,
    simulate,
    uniform_draws,
    variance_by_day,
)

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

WAITS: Final = (5, 21, 63)
"""Days of waiting whose cost is told."""
FALLS: Final = (0.05, 0.10)
"""Falls whose first day is told, ratios."""
SHARES: Final = (0.10, 0.25, 0.50)
"""Shares of all futures by which a first day is told."""
_WILD_EVERY: Final = 20
_WILDNESS: Final = 4.0
"""Every so many paths move this many times as far: without them a rare fall may be on no path."""
_WILD_SHARE: Final = 0.0005
"""Prior weight of the wild paths together (a defensive mixture, Hesterberg 1995)."""
_BPS: Final = 10_000.0
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Promised:
    """The odds that the futures must have: of falls, and of a close above the present one.

    `lean`: what the direction forecast adds to its base rate, a difference of probabilities;
    0 unless it has proven skill.
    """

    drops: tuple[HorizonOdds, ...]
    up: float
    up_days: int
    lean: float

    @property
    def days(self) -> int:
        """Days that the paths must cover."""
        return max(HORIZON, self.up_days, *(each.horizon for each in self.drops))


@dataclass(frozen=True)
class Futures:
    """Simulated paths with the weights that make them agree with the odds shown.

    `first_days`: day on which each path first fell each of `THRESHOLDS`, inf if never, (T, n).
    """

    paths: Paths
    fit: Reweighting
    first_days: FloatArray

    def fall_odds(self, fall: float, days: int) -> float:
        """Return the probability of a fall (one of `THRESHOLDS`) within `days`."""
        came = self.first_days[THRESHOLDS.index(fall)] <= days
        return float(self.fit.weights @ came)

    def up_odds(self, days: int) -> float:
        """Return the probability of a close above the present one after `days`."""
        return float(self.fit.weights @ (self.paths.prices[days - 1] > 1.0))

    def lower_odds(self, days: int) -> float:
        """Return the probability of a close below the present one after `days`."""
        return float(self.fit.weights @ (self.paths.prices[days - 1] < 1.0))

    def waiting_cost(self, days: int) -> WaitingCost:
        """Return what buying after `days` instead of now is expected to cost, in bp.

        The error is that of the drift: weighing leaves next to none of the sample's.
        """
        gain = float(self.fit.weights @ self.paths.prices[days - 1]) - 1.0
        return WaitingCost(gain * _BPS, days * self.paths.drift.error * _BPS)

    def passage_days(self, fall: float) -> tuple[int | None, ...]:
        """Return the days by which `SHARES` of futures have fallen; None where fewer ever do."""
        import numpy as np

        first, horizon = self.first_days[THRESHOLDS.index(fall)], len(self.paths.prices)
        day = np.minimum(first, horizon + 1).astype(np.int64)
        by_day = np.cumsum(np.bincount(day, weights=self.fit.weights, minlength=horizon + 2))[: horizon + 1]
        found = np.searchsorted(by_day, np.array(SHARES) - _ROUNDING)
        return tuple(int(each) if each <= horizon else None for each in found)


def simulate_futures(
    close: FloatArray, table: Table, *, variance: Mapping[int, float], promised: Promised, seed: int
) -> Futures:
    """Return the futures of an instrument with these closes (n,), oldest first.

    Args:
        close: prices in USD.
        table: dated dynamics, see `dynamics.Dynamics.table`.
        variance: mean daily variance expected over the first h days, by h.
        promised: odds that the futures are weighed to.
        seed: of the random numbers.
    """
    import numpy as np

    returns = close[1:] / close[:-1] - 1.0
    draws = uniform_draws(seed=seed, horizon=promised.days)
    is_wild = np.arange(draws.shape[1]) % _WILD_EVERY == 0
    paths = simulate(
        outlook(returns, own_garch(returns, table)),
        variance=variance_by_day(variance, horizon=promised.days),
        drift=shrunk_drift(returns),
        draws=draws,
        stretch=np.where(is_wild, _WILDNESS, 1.0),
    )
    first = paths.passages(THRESHOLDS)
    count = int(is_wild.sum())
    prior = np.where(is_wild, _WILD_SHARE / count, (1.0 - _WILD_SHARE) / (len(is_wild) - count))
    return Futures(paths, reweight(_wanted(paths, first, promised), prior), first)


def _wanted(paths: Paths, first: FloatArray, promised: Promised) -> Wanted:
    """Return the odds shown, and expected returns that only the direction forecast moves.

    Odds of a fall tell how far the price swings; left alone they would tilt where it goes.
    """
    import numpy as np

    falls = [each <= odds.horizon for odds in promised.drops for each in first]
    rises = paths.prices[promised.up_days - 1] > 1.0
    odds = [*(value for each in promised.drops for value in each.values), promised.up]
    gains = np.array([paths.prices[days - 1] - 1.0 for days in WAITS])
    means = np.array([(1.0 + paths.drift.ratio) ** days - 1.0 for days in WAITS])
    if promised.lean:
        means += promised.lean * (gains[:, rises].mean(axis=1) - gains[:, ~rises].mean(axis=1))
    return Wanted(np.array([*falls, rises]), np.array(odds), gains, means)
