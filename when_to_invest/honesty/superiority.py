"""Whether the best of several strategies beats its benchmark beyond the luck of choosing.

Stage: honesty (pure, seeded). Source: Hansen (2005), "A test for superior predictive ability",
as implemented by `arch.bootstrap.SPA` with a circular block bootstrap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

DRAWS: Final = 1000
_TABLE: Final = 2


@dataclass(frozen=True, slots=True)
class Superiority:
    """p-values of "no strategy beats the benchmark"; `consistent` is the one to quote."""

    lower: float
    consistent: float
    upper: float
    strategies: int


def superior_predictive_ability(
    benchmark: FloatArray, strategies: FloatArray, *, block: int, n: int = DRAWS, seed: int = 0
) -> Superiority:
    """Test simple returns (m, k) of every strategy that was looked at against (m,) of the benchmark.

    Returns of equal risk should be passed (exposure- or volatility-matched): the test compares means.

    Raises:
        Fault: `bad_argument` for tables that do not fit, are empty or not finite, or nonsense blocks.
    """
    import numpy as np
    from arch.bootstrap import SPA

    is_fitting = strategies.ndim == _TABLE and len(strategies) == len(benchmark) and strategies.shape[1] > 0
    if not is_fitting or not 1 <= block < len(benchmark) or n < 1:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "benchmark and strategies do not fit together",
            fix="pass (m,) and (m, k) returns, and blocks shorter than the record",
        )
    if not bool(np.isfinite(strategies).all() and np.isfinite(benchmark).all()):
        raise Fault(ErrorCode.BAD_ARGUMENT, "a return is not a finite number", fix="leave that bar out")
    test = SPA(-benchmark, -strategies, block_size=block, reps=n, bootstrap="circular", seed=seed)
    test.compute()
    found = test.pvalues
    return Superiority(
        lower=float(found["lower"]),
        consistent=float(found["consistent"]),
        upper=float(found["upper"]),
        strategies=strategies.shape[1],
    )
