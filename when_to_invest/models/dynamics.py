"""How variance and regimes move, learnt from many instruments and dated: no fit on the way to an answer.

Stage: models. Reads one file that ships with the package, once a process. The table of year Y
was learnt from returns up to the end of Y, so only days after Y may use it. It holds the GJR
shapes of families of instruments; an instrument's own past weighs them by how likely they make
its returns, tempered (Gneiting and Raftery's log score, each `_TEMPER` days counting once), and
gives the level by variance targeting (Engle and Mezrich 1996). Regimes are pooled, in units of
the instrument's own volatility. `benchmarks/fit_dynamics.py` makes the file and measures the
choice. Never fits. Never imported where numba's start-up would be felt.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from when_to_invest.compiled import compiled
from when_to_invest.models.garch import GarchParameters
from when_to_invest.models.regimes import RegimeParameters

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

_FILE: Final = "dynamics.json"
_DECIMALS: Final = 6
_TEMPER: Final = 30.0
"""Log likelihood counts by this part: no shape is true, and a few wild days must not choose alone."""
_JUDGED_DAYS: Final = 2_520
_WARM_DAYS: Final = 252
"""Days before the judged ones over which the variance finds its level."""
_MOST_PERSISTENCE: Final = 0.998
_MOST_TAIL: Final = 0.4
_LEAST_TAIL: Final = 0.005


class Shape(NamedTuple):
    """GJR coefficients, see `garch.GarchParameters`; `tail`: 1 / degrees of freedom. Pure numbers."""

    alpha: float
    gamma: float
    beta: float
    tail: float

    @property
    def degrees(self) -> float:
        """Degrees of freedom, 2.5 to 200."""
        return 1.0 / min(max(self.tail, _LEAST_TAIL), _MOST_TAIL)

    @property
    def kept(self) -> float:
        """Share of a day's variance that stays for the day after, at most 0.998."""
        return min(self.alpha + 0.5 * self.gamma + self.beta, _MOST_PERSISTENCE)


@dataclass(frozen=True, slots=True)
class Table:
    """What one kind of market had taught by the end of a year.

    `regimes`: of returns in units of the instrument's own standard deviation.
    """

    shapes: tuple[Shape, ...]
    regimes: RegimeParameters


@dataclass(frozen=True)
class Dynamics:
    """Tables by year, and by how many days a year the market trades (252 or 365)."""

    tables: Mapping[int, Mapping[int, Table]]

    def table(self, year: int, days_per_year: int) -> Table | None:
        """Return the newest table that a day of `year` may use; None before the first."""
        newest = max((known for known in self.tables if known < year), default=None)
        return None if newest is None else self.tables[newest][days_per_year]


@cache
def shipped_dynamics() -> Dynamics:
    """Return the tables that ship with the package."""
    text = files("when_to_invest.models").joinpath("priors", _FILE).read_text(encoding="utf-8")
    return from_document(json.loads(text))


def from_document(document: Mapping[str, Any]) -> Dynamics:
    """Return the tables of a parsed file."""
    return Dynamics(
        {
            int(year): {
                int(days): Table(
                    tuple(Shape(*shape) for shape in table["shapes"]), RegimeParameters(*table["regimes"])
                )
                for days, table in by_days.items()
            }
            for year, by_days in document["tables"].items()
        }
    )


def to_document(dynamics: Dynamics) -> dict[str, Any]:
    """Return the tables as plain lists, rounded to what the data can tell."""

    def plain(values: tuple[float, ...]) -> list[float]:
        return [round(float(value), _DECIMALS) for value in values]

    return {
        "tables": {
            str(year): {
                str(days): {
                    "shapes": [plain(shape) for shape in table.shapes],
                    "regimes": plain(table.regimes),
                }
                for days, table in by_days.items()
            }
            for year, by_days in dynamics.tables.items()
        }
    }


def own_garch(returns: FloatArray, table: Table) -> GarchParameters:
    """Return the variance dynamics of an instrument with these simple returns (n,), oldest first.

    The shapes' mean, weighed by the likelihood of the newest ten years of returns.
    """
    import numpy as np

    mean, variance = float(returns.mean()), float(returns.var())
    candidates = [_with_level(shape, mean, variance) for shape in table.shapes]
    recent = np.array(returns[-_JUDGED_DAYS - _WARM_DAYS :], dtype=np.float64)
    likelihood = np.array([_likelihood(recent, each) for each in candidates])
    weight = np.exp((likelihood - likelihood.max()) / _TEMPER)
    mixed = Shape(*(weight @ np.array(table.shapes) / weight.sum()).tolist())
    return _with_level(mixed, mean, variance)


def own_regimes(returns: FloatArray, table: Table) -> RegimeParameters:
    """Return the regimes of an instrument with these simple returns (n,): the pooled ones, scaled."""
    pooled, deviation = table.regimes, float(returns.std())
    return pooled._replace(
        calm_mean=pooled.calm_mean * deviation,
        calm_variance=pooled.calm_variance * deviation**2,
        turbulent_mean=pooled.turbulent_mean * deviation,
        turbulent_variance=pooled.turbulent_variance * deviation**2,
    )


def _with_level(shape: Shape, mean: float, variance: float) -> GarchParameters:
    """Return parameters whose long-run variance is `variance`."""
    omega = variance * (1.0 - shape.kept)
    return GarchParameters(mean, omega, shape.alpha, shape.gamma, shape.beta, shape.degrees, variance)


def _likelihood(returns: FloatArray, known: GarchParameters) -> float:
    """Return the log likelihood of the returns after the first year of them."""
    judged = max(len(returns) - _WARM_DAYS, 0)
    half = 0.5 * (known.degrees + 1.0)
    constant = math.lgamma(half) - math.lgamma(0.5 * known.degrees) - 0.5 * math.log(known.degrees - 2.0)
    return judged * constant + _log_densities(returns, known, len(returns) - judged)


@compiled
def _log_densities(returns: FloatArray, known: GarchParameters, first: int) -> float:
    """Return the sum of Student-t log densities from row `first` on, without the constant."""
    alpha, gamma, beta = known.alpha, known.gamma, known.beta
    half, spread = 0.5 * (known.degrees + 1.0), known.degrees - 2.0
    variance, total = known.start_variance, 0.0
    for t in range(len(returns)):
        shock = returns[t] - known.mean
        square = shock * shock
        if t >= first:
            total -= 0.5 * math.log(variance) + half * math.log(1.0 + square / (variance * spread))
        weight = alpha + gamma if shock < 0.0 else alpha
        variance = known.omega + weight * square + beta * variance
    return total
