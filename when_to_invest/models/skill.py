"""Whether a forecast beats the base rate, judged on days it had not seen.

Stage: models (pure). Brier (1950) score against climatology over walk-forward folds. Labels
overlap, so the error of the difference is taken over blocks of three horizons.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

_BLOCK_HORIZONS: Final = 3
_FEWEST_BLOCKS: Final = 5
ONE_SIDED_95: Final = 1.6449
"""Normal quantile: how sure a gain must be before it is believed, one-sided."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows `start` to `stop` are judged by a model that learnt from rows before `known`."""

    known: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Skill:
    """`brier_skill`: 1 - loss / base loss. `t_value` of the mean gain over blocks."""

    brier_skill: float
    t_value: float
    days: int

    def is_proven(self, bar: float) -> bool:
        """Whether the gain is positive, and its t value at least `bar`."""
        return self.brier_skill > 0.0 and self.t_value >= bar


UNPROVEN: Final = Skill(brier_skill=0.0, t_value=0.0, days=0)


def folds(first: int, last: int, *, count: int, horizon: int) -> tuple[Fold, ...]:
    """Cut rows `first` to `last` into `count` folds; each learns only from finished outcomes.

    Outcomes of rows before `known = start - horizon` had ended before the fold began
    (purging, Lopez de Prado 2018, chapter 7).
    """
    edges = [first + (last - first) * part // count for part in range(count + 1)]
    return tuple(
        Fold(known=start - horizon, start=start, stop=stop) for start, stop in pairwise(edges) if stop > start
    )


def judge(loss: FloatArray, base_loss: FloatArray, *, horizon: int) -> Skill:
    """Compare two losses (m,) of the same consecutive days, whose outcomes overlap.

    The t value is that of means over blocks of three horizons; with fewer than five blocks, or
    a base loss of 0, nothing is proven.
    """
    import numpy as np

    length = _BLOCK_HORIZONS * horizon
    blocks = len(loss) // length
    base = float(base_loss.mean()) if len(base_loss) else 0.0
    if blocks < _FEWEST_BLOCKS or base <= 0.0:
        return UNPROVEN
    gain = base_loss - loss
    means = gain[: blocks * length].reshape(blocks, length).mean(axis=1)
    error = float(means.std(ddof=1) / np.sqrt(blocks))
    return Skill(
        brier_skill=float(gain.mean()) / base,
        t_value=float(means.mean()) / error if error > 0.0 else 0.0,
        days=len(loss),
    )
