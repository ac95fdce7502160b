"""Weights under which simulated paths have given odds, and stay as near as they can to what they were.

Stage: models (pure). Among all weights w of the paths that give each event its odds and each
number its mean, those of least relative entropy sum w ln(w / q) to the weights q before are
w ~ q exp(lambda . a), a being what happened on the path (Csiszar 1975; for scenarios Meucci
2008, "Fully flexible views"). The lambda minimise the convex
ln sum q exp(lambda . a) - lambda . wanted + ridge |lambda|^2 / 2, found by Newton's method. The
ridge is so small that odds which some weights reach are met to a millionth; of odds that none
reach it gives the nearest in least squares, odds before means. Never moves, drops or adds a path.
Sums over paths are kept too small for the threads of BLAS: those would wait for each other longer
than they work, and the last bits would depend on their number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from when_to_invest.market import FloatArray

    Mask = NDArray[np.bool_]

TOLERANCE: Final = 1e-6
"""Odds met more closely than this count as met."""
_RIDGE: Final = 1e-9
_MEAN_RIDGE: Final = 1e-6
_ROUNDS: Final = 60
_HALVINGS: Final = 40
_ARMIJO: Final = 1e-4
_STILL: Final = 1e-15
"""Newton's method ends when a step promises to lower the dual by less: odds are then met to 1e-7."""
_BLOCK: Final = 500
"""Paths whose products are summed at a time."""
_NOISE: Final = 1e-14
"""Rounding of the dual, as a share of its size."""


@dataclass(frozen=True, slots=True)
class Reweighting:
    """Weights (n,) of the paths, not negative, of sum 1.

    `gap`: largest miss of an event's odds. `effective`: exp of minus the relative entropy, in
    (0, 1], 1 when nothing had to change: how much of the sample still counts.
    """

    weights: FloatArray
    gap: float
    effective: float

    @property
    def is_exact(self) -> bool:
        """Whether every odd was met."""
        return self.gap <= TOLERANCE


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the weighed paths must have.

    `events`: whether event k happened on a path, (m, n), and `odds`, its probability (m,).
    `values`: numbers of each path (v, n), about 1 in size, and `means`, their expectation (v,).
    """

    events: Mask
    odds: FloatArray
    values: FloatArray
    means: FloatArray


def reweight(wanted: Wanted, prior: FloatArray) -> Reweighting:
    """Return the weights nearest to `prior` under which the paths have what is wanted.

    Args:
        wanted: odds in [0, 1] of events, and means.
        prior: weights (n,) before, positive, of sum 1.

    Raises:
        Fault: `bad_argument` for shapes that do not fit, no path, or odds outside [0, 1].
    """
    import numpy as np

    _check(wanted, prior)
    problem = _Problem(
        facts=np.concatenate((wanted.events, wanted.values)),
        prior=prior,
        target=np.concatenate((wanted.odds, wanted.means)),
        ridge=np.repeat((_RIDGE, _MEAN_RIDGE), (len(wanted.odds), len(wanted.means))),
    )
    weights = _solve(problem)
    misses = np.abs(problem.means(weights) - problem.target)[: len(wanted.odds)]
    entropy = float(weights @ np.log(np.maximum(weights / prior, np.finfo(np.float64).tiny)))
    return Reweighting(weights, gap=float(misses.max(initial=0.0)), effective=min(1.0, math.exp(-entropy)))


def _check(wanted: Wanted, prior: FloatArray) -> None:
    shapes = (len(wanted.odds), len(prior)), (len(wanted.means), len(prior))
    is_fit = shapes == (wanted.events.shape, wanted.values.shape)
    if is_fit and len(prior) and bool(((wanted.odds >= 0.0) & (wanted.odds <= 1.0)).all()):
        return
    raise Fault(
        ErrorCode.BAD_ARGUMENT,
        f"odds of shape {wanted.odds.shape} cannot be given to events of shape {wanted.events.shape}",
        fix="pass one probability for each event, one mean for each number, and at least one path",
    )


@dataclass(frozen=True, slots=True)
class _Problem:
    """Facts (k, n) of the paths, their weights before (n,), and what the facts must average to (k,)."""

    facts: FloatArray
    prior: FloatArray
    target: FloatArray
    ridge: FloatArray

    def dual(self, multipliers: FloatArray) -> tuple[float, FloatArray]:
        """Return the dual's value and the weights (n,)."""
        import numpy as np

        tilt = np.einsum("k,kn->n", multipliers, self.facts)
        top = float(tilt.max())
        mass = self.prior * np.exp(tilt - top)
        total = float(mass.sum())
        height = top + math.log(total) - float(multipliers @ self.target)
        return height + 0.5 * float(self.ridge @ multipliers**2), mass / total

    def means(self, weights: FloatArray) -> FloatArray:
        """Return the means (k,) of the facts under these weights (n,)."""
        import numpy as np

        means: FloatArray = np.einsum("kn,n->k", self.facts, weights)
        return means

    def products(self, weights: FloatArray) -> FloatArray:
        """Return the means (k, k) of the facts' products, a block of paths at a time."""
        import numpy as np

        products = np.zeros((len(self.facts), len(self.facts)))
        for start in range(0, len(weights), _BLOCK):
            facts = self.facts[:, start : start + _BLOCK]
            products += (facts * weights[start : start + _BLOCK]) @ facts.T
        return products


def _solve(problem: _Problem) -> FloatArray:
    """Return the weights (n,)."""
    import numpy as np

    multipliers = np.zeros(len(problem.target))
    height, weights = problem.dual(multipliers)
    for _ in range(_ROUNDS):
        mean = problem.means(weights)
        slope = mean - problem.target + problem.ridge * multipliers
        bend = problem.products(weights) - np.outer(mean, mean) + np.diag(problem.ridge)
        step: FloatArray = np.linalg.solve(bend, slope).astype(np.float64)
        gain = float(slope @ step)
        found = _descend(problem, multipliers, step, (height, gain)) if gain > _STILL else None
        if found is None:
            break
        multipliers, height, weights = found
    return weights


def _descend(
    problem: _Problem, start: FloatArray, step: FloatArray, line: tuple[float, float]
) -> tuple[FloatArray, float, FloatArray] | None:
    """Go as far along -`step` as the dual falls below the line (height, gain); None if nowhere."""
    length, (height, gain) = 1.0, line
    slack = _NOISE * max(1.0, abs(height))
    for _ in range(_HALVINGS):
        trial = start - length * step
        lower, weights = problem.dual(trial)
        if lower <= height - _ARMIJO * length * gain + slack:
            return trial, lower, weights
        length *= 0.5
    return None
