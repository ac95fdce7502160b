"""Logistic regression by Newton's method: convex, without a seed, in numpy alone.

Stage: models (pure). Maximises sum w (y ln p + (1 - y) ln(1 - p)) - (b - b0)' P (b - b0) / 2
with p = 1 / (1 + exp(-X b)), by iteratively reweighted least squares (McCullagh and Nelder
1989, section 4.4). Equal to scikit-learn's answer for the same penalty, without its import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

_STEPS: Final = 50
_ENOUGH: Final = 1e-9
_FARTHEST: Final = 30.0


def probability(design: FloatArray, coefficients: FloatArray) -> FloatArray:
    """Return P(outcome = 1) for rows (m, k)."""
    return logistic(design @ coefficients)


def logistic(score: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-score)) for log odds of any shape, kept within 30 of even."""
    import numpy as np

    odds: FloatArray = 1.0 / (1.0 + np.exp(-np.clip(score, -_FARTHEST, _FARTHEST)))
    return odds


def fit(
    design: FloatArray,
    outcomes: FloatArray,
    *,
    penalty: FloatArray,
    weight: FloatArray | None = None,
    centre: FloatArray | None = None,
) -> FloatArray:
    """Return the coefficients (k,).

    Args:
        design: (m, k); an intercept is a column of ones.
        outcomes: (m,) of 0 and 1.
        penalty: (k,) diagonal of P, not negative; the sum with the curvature must be regular.
        weight: (m,) of the rows; ones when None.
        centre: (k,) b0, towards which the penalty pulls; zeros when None.
    """
    import numpy as np

    weights = np.ones(len(outcomes)) if weight is None else weight
    towards = np.zeros(design.shape[1]) if centre is None else centre
    coefficients = towards.copy()
    for _ in range(_STEPS):
        odds = probability(design, coefficients)
        slope = design.T @ (weights * (outcomes - odds)) - penalty * (coefficients - towards)
        curvature = (design * (weights * odds * (1.0 - odds))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, slope)
        coefficients = coefficients + step
        if float(np.abs(step).max()) < _ENOUGH:
            break
    return coefficients
