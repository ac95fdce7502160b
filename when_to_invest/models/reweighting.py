"""Weights under which simulated paths have given odds, and stay as near as they can to what they were.

Stage: models (pure). Paths with the same events are one cell. Among all chances p of the cells
that give each event its odds, those of least relative entropy sum p ln(p / q) to the cells'
prior chances q are p ~ q exp(lambda . a), a being the cell's events (Csiszar 1975; for scenarios
Meucci 2008, "Fully flexible views"); means of numbers are asked for in the same way. The lambda
minimise the convex ln sum q exp(lambda . a) - lambda . odds + ridge |lambda|^2 / 2, found by
Newton's method. The ridge is so small that odds which some chances reach are met to a millionth;
for odds that none reach it gives the nearest in least squares, odds before means. Never moves,
drops or adds a path.
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
MOST_EVENTS: Final = 40
_RIDGE: Final = 1e-9
_MEAN_RIDGE: Final = 1e-6
_ROUNDS: Final = 200
_STEEP: Final = 1e-10
"""Newton's method ends at a gradient smaller than this."""
_HALVINGS: Final = 40
_ARMIJO: Final = 1e-4


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
    `values`: numbers of each path (v, n), and `means`, their expectation (v,); `splits`: more
    events (s, n), of any odds, by which paths are told apart to reach them.
    """

    events: Mask
    odds: FloatArray
    values: FloatArray
    means: FloatArray
    splits: Mask


def reweight(wanted: Wanted, prior: FloatArray) -> Reweighting:
    """Return the weights nearest to `prior` under which the paths have what is wanted.

    Args:
        wanted: odds in [0, 1] of at most `MOST_EVENTS` events and splits, and means.
        prior: weights (n,) before, positive, of sum 1.

    Raises:
        Fault: `bad_argument` for shapes that do not fit, no path, or odds outside [0, 1].
    """
    import numpy as np

    _check(wanted, prior)
    facts = np.concatenate((wanted.events, wanted.splits))
    codes = (1 << np.arange(len(facts))) @ facts
    _, first, cell = np.unique(codes, return_index=True, return_inverse=True)
    share: FloatArray = np.bincount(cell, weights=prior).astype(np.float64)
    columns = [each[first].astype(np.float64) for each in wanted.events]
    columns += [np.bincount(cell, weights=prior * each) / share for each in wanted.values]
    target = np.concatenate((wanted.odds, wanted.means))
    ridge = np.repeat((_RIDGE, _MEAN_RIDGE), (len(wanted.odds), len(wanted.means)))
    problem = _Problem(np.column_stack([*columns, np.empty((len(share), 0))]), share, target, ridge)
    chance = _solve(problem)
    misses = np.abs(chance @ problem.facts - target)[: len(wanted.odds)]
    weights: FloatArray = (prior * (chance / share)[cell]).astype(np.float64)
    entropy = float(chance @ np.log(np.maximum(chance / share, 1e-300)))
    return Reweighting(
        weights, gap=float(misses.max(initial=0.0)), effective=min(1.0, float(np.exp(-entropy)))
    )


def _check(wanted: Wanted, prior: FloatArray) -> None:
    shapes = (
        (len(wanted.odds), len(prior)),
        (len(wanted.means), len(prior)),
        (len(wanted.splits), len(prior)),
    )
    is_fit = shapes == (wanted.events.shape, wanted.values.shape, wanted.splits.shape)
    is_few = len(wanted.events) + len(wanted.splits) <= MOST_EVENTS
    if is_fit and is_few and len(prior) and bool(((wanted.odds >= 0.0) & (wanted.odds <= 1.0)).all()):
        return
    raise Fault(
        ErrorCode.BAD_ARGUMENT,
        f"odds of shape {wanted.odds.shape} cannot be given to events of shape {wanted.events.shape}",
        fix=f"pass one probability for each of at most {MOST_EVENTS} events, and at least one path",
    )


@dataclass(frozen=True, slots=True)
class _Problem:
    """Facts (c, k) and prior chances (c,) of the cells, and what they must average to (k,)."""

    facts: FloatArray
    share: FloatArray
    target: FloatArray
    ridge: FloatArray

    def dual(self, multipliers: FloatArray) -> tuple[float, FloatArray]:
        """Return the dual's value and the chances (c,)."""
        import numpy as np

        tilt = self.facts @ multipliers
        top = float(tilt.max())
        mass = self.share * np.exp(tilt - top)
        total = float(mass.sum())
        height = top + math.log(total) - float(multipliers @ self.target)
        return height + 0.5 * float(self.ridge @ multipliers**2), mass / total


def _solve(problem: _Problem) -> FloatArray:
    """Return the chances of the cells (c,)."""
    import numpy as np

    multipliers = np.zeros(len(problem.target))
    height, chance = problem.dual(multipliers)
    for _ in range(_ROUNDS):
        mean = chance @ problem.facts
        slope = mean - problem.target + problem.ridge * multipliers
        if float(np.abs(slope).max(initial=0.0)) < _STEEP:
            break
        bend = (problem.facts.T * chance) @ problem.facts - np.outer(mean, mean) + np.diag(problem.ridge)
        step: FloatArray = np.linalg.solve(bend, slope).astype(np.float64)
        found = _descend(problem, multipliers, step, (height, _ARMIJO * float(slope @ step)))
        if found is None:
            break
        multipliers, height, chance = found
    return chance


def _descend(
    problem: _Problem, start: FloatArray, step: FloatArray, line: tuple[float, float]
) -> tuple[FloatArray, float, FloatArray] | None:
    """Go as far along -`step` as the dual falls below the line (height, fall); None if nowhere."""
    length, (height, least) = 1.0, line
    for _ in range(_HALVINGS):
        trial = start - length * step
        lower, chance = problem.dual(trial)
        if lower <= height - length * least:
            return trial, lower, chance
        length *= 0.5
    return None
