"""The one-sided filters that honest canaries use as they are, and leaky ones run backwards too.

Stage: honesty (pure). Local level model (Harvey 1989); two-state Gaussian mixture with sticky
states (Hamilton 1989), parameters fixed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

_NOISE: Final = 1e-4
_DRIFT: Final = 2e-5
_STAY: Final = 0.98
_LEAST_DENSITY: Final = 1e-150
_DEVIATIONS: Final = (0.008, 0.023)


def kalman_forward(values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return filtered level, its variance, and the variance predicted before each value, all (n,)."""
    import numpy as np

    level, variance, predicted = (np.zeros(len(values)) for _ in range(3))
    mean, spread = float(values[0]), _NOISE
    for row, value in enumerate(values):
        ahead = spread + _DRIFT
        gain = ahead / (ahead + _NOISE)
        mean += gain * (float(value) - mean)
        spread = (1.0 - gain) * ahead
        level[row], variance[row], predicted[row] = mean, spread, ahead
    return level, variance, predicted


def likelihoods(returns: FloatArray) -> FloatArray:
    """Return the (n, 2) densities of returns in the calm and in the wild state."""
    import numpy as np

    deviations = np.array(_DEVIATIONS)
    density = np.exp(-0.5 * (returns[:, None] / deviations) ** 2) / deviations
    return np.asarray(np.maximum(density, _LEAST_DENSITY), dtype=np.float64)


def forward_probabilities(likelihood: FloatArray) -> FloatArray:
    """Return the (n, 2) probabilities of the states given densities up to each row."""
    import numpy as np

    stay = np.array([[_STAY, 1.0 - _STAY], [1.0 - _STAY, _STAY]])
    found, state = np.empty_like(likelihood), np.array([0.5, 0.5])
    for row, density in enumerate(likelihood):
        state = (state @ stay) * density
        state /= state.sum()
        found[row] = state
    return found
