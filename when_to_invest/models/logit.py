"""Logistic regression on standardised features: small, convex, and the same every time.

Stage: models (pure). scikit-learn's Newton solver on a strictly convex loss, so that the
answer depends on neither a seed nor a starting point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

_SMALLEST_SPREAD: Final = 1e-12
_FARTHEST: Final = 5.0
"""Standardised features are clipped here: no extrapolation beyond five spreads."""


@dataclass(frozen=True, slots=True)
class Logit:
    """A fitted model; `centre` and `spread` (k,) come from its training rows."""

    centre: FloatArray
    spread: FloatArray
    fitted: Any

    def probability(self, features: FloatArray) -> FloatArray:
        """Return P(outcome = 1) for rows (m, k)."""
        import numpy as np

        scaled = np.clip((features - self.centre) / self.spread, -_FARTHEST, _FARTHEST)
        odds: FloatArray = self.fitted.predict_proba(scaled)[:, 1]
        return odds


def fit_logit(features: FloatArray, outcomes: FloatArray, *, strength: float) -> Logit:
    """Fit on rows (m, k) and outcomes (m,) of 0 and 1, both of which must occur.

    `strength`: inverse L2 penalty (scikit-learn's C); smaller shrinks towards the base rate.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    centre = features.mean(axis=0)
    spread = np.maximum(features.std(axis=0), _SMALLEST_SPREAD)
    scaled = np.clip((features - centre) / spread, -_FARTHEST, _FARTHEST)
    model = LogisticRegression(C=strength, solver="newton-cholesky", max_iter=100)
    return Logit(centre=centre, spread=spread, fitted=model.fit(scaled, outcomes))
