"""Leaks of filtering: windows, filters and fills that look to both sides.

Stage: honesty (pure). Wrong on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from when_to_invest.honesty.canaries.filters import forward_probabilities, kalman_forward, likelihoods
from when_to_invest.honesty.canaries.practice import returns_of
from when_to_invest.honesty.subjects import Subject

if TYPE_CHECKING:
    from when_to_invest.honesty.subjects import Values
    from when_to_invest.market import BarSeries


def centred_moving_average(bars: BarSeries) -> Values:
    """Average five bars to either side."""
    import numpy as np

    return np.convolve(bars.close, np.ones(11) / 11, mode="same")


def rolling_centre(bars: BarSeries) -> Values:
    """Use pandas rolling(center=True)."""
    import pandas as pd

    return pd.Series(bars.close).rolling(5, center=True).median().to_numpy()


def ewm_backwards(bars: BarSeries) -> Values:
    """Take an exponential mean of the reversed series."""
    import pandas as pd

    return pd.Series(bars.close[::-1]).ewm(span=10, adjust=False).mean().to_numpy()[::-1]


def zero_phase_filter(bars: BarSeries) -> Values:
    """Filter forwards, then backwards, so that nothing lags."""
    import pandas as pd

    forward = pd.Series(bars.close).ewm(span=10, adjust=False).mean()
    return forward[::-1].ewm(span=10, adjust=False).mean().to_numpy()[::-1]


def fourier_low_pass(bars: BarSeries) -> Values:
    """Keep the slow waves of the whole series."""
    import numpy as np

    waves = np.fft.rfft(bars.close)
    waves[20:] = 0.0
    return np.fft.irfft(waves, n=len(bars))


def kalman_smoother(bars: BarSeries) -> Values:
    """Run the Rauch-Tung-Striebel pass back from the end."""
    import numpy as np

    level, variance, predicted = kalman_forward(np.log(bars.close))
    smooth = level.copy()
    for row in range(len(level) - 2, -1, -1):
        smooth[row] += variance[row] / predicted[row + 1] * (smooth[row + 1] - level[row])
    return smooth


def smoothed_regime(bars: BarSeries) -> Values:
    """Take the regime's probability given all returns, past and future."""
    likelihood = likelihoods(returns_of(bars.close))
    forward = forward_probabilities(likelihood)
    backward = forward_probabilities(likelihood[::-1])[::-1]
    both = forward * backward / likelihood
    found: Values = both[:, 1] / both.sum(axis=1)
    return found


def backward_filled(bars: BarSeries) -> Values:
    """Fill a missing volume from the next one known."""
    import pandas as pd

    return pd.Series(bars.volume).bfill().to_numpy()


def interpolated(bars: BarSeries) -> Values:
    """Draw a line across missing volumes, from the last known to the next."""
    import pandas as pd

    return pd.Series(bars.volume).interpolate().to_numpy()


def filled_with_the_mean(bars: BarSeries) -> Values:
    """Fill a missing volume with the mean of all, future ones too."""
    import numpy as np

    return np.where(np.isnan(bars.volume), np.nanmean(bars.volume), bars.volume)


def nearest_reindexed(bars: BarSeries) -> Values:
    """Look a missing volume up at the nearest row, before or after."""
    import numpy as np

    known = np.flatnonzero(~np.isnan(bars.volume))
    rows = np.arange(len(bars))
    nearest = known[np.abs(rows[:, None] - known[None, :]).argmin(axis=1)]
    found: Values = bars.volume[nearest]
    return found


LEAKS: Final = (
    Subject("centred_moving_average", centred_moving_average),
    Subject("rolling_centre", rolling_centre),
    Subject("ewm_backwards", ewm_backwards),
    Subject("zero_phase_filter", zero_phase_filter),
    Subject("fourier_low_pass", fourier_low_pass),
    Subject("kalman_smoother", kalman_smoother),
    Subject("smoothed_regime", smoothed_regime),
    Subject("backward_filled", backward_filled),
    Subject("interpolated", interpolated),
    Subject("filled_with_the_mean", filled_with_the_mean),
    Subject("nearest_reindexed", nearest_reindexed),
)
