"""Variance over the next days: HAR on the logarithm of daily variance.

Stage: models (pure). Source: Corsi (2009), equation 8, in logs: least squares of the log
mean variance of the next h days on the latest day, week, month and quarter; the level is
then matched to squared close-to-close returns, because that is what an investor bears.
Close-only data use the same equation, with an exponential mean in place of the latest day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from when_to_invest.features.risk_frame import WARM_UP, RiskFrame
from when_to_invest.features.variance import FLOOR
from when_to_invest.models.outcomes import mean_ahead

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray


@dataclass(frozen=True, slots=True)
class VarianceModel:
    """A fitted HAR: intercept and four slopes (5,), and the scale to close-to-close variance."""

    coefficients: FloatArray
    scale: float

    def forecast(self, log_variance: FloatArray) -> FloatArray:
        """Return the mean daily variance expected over the horizon, for rows (m, 4)."""
        import numpy as np

        exponent = self.coefficients[0] + log_variance @ self.coefficients[1:]
        variance: FloatArray = np.maximum(self.scale * np.exp(exponent), FLOOR)
        return variance


def fit_har(frame: RiskFrame, returns: FloatArray, *, horizon: int, until: int) -> VarianceModel:
    """Fit on rows whose next `horizon` days had ended before row `until`.

    Args:
        frame: features of n days.
        returns: log returns (n,).
        horizon: days ahead.
        until: rows from here on are unknown; n learns from everything.
    """
    import numpy as np

    rows = slice(WARM_UP, until - horizon)
    target = np.log(np.maximum(mean_ahead(frame.variance, horizon)[rows], FLOOR))
    design = np.column_stack((np.ones(len(target)), frame.log_variance[rows]))
    coefficients: FloatArray = np.linalg.lstsq(design, target, rcond=None)[0].astype(np.float64)
    realised = mean_ahead(returns**2, horizon)[rows]
    fitted = np.exp(design @ coefficients)
    return VarianceModel(coefficients=coefficients, scale=float(realised.sum() / fitted.sum()))
