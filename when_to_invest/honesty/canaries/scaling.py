"""Leaks of scaling: figures of the whole sample used at every row.

Stage: honesty (pure). Wrong on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from when_to_invest.honesty.canaries.practice import returns_of
from when_to_invest.honesty.subjects import Subject

if TYPE_CHECKING:
    from when_to_invest.honesty.subjects import Values
    from when_to_invest.market import BarSeries


def whole_sample_z_score(bars: BarSeries) -> Values:
    """Scale by mean and deviation of all returns."""
    returns = returns_of(bars.close)
    scaled: Values = (returns - returns.mean()) / returns.std()
    return scaled


def whole_sample_quantile(bars: BarSeries) -> Values:
    """Call a day bad when it is among the worst of the whole sample."""
    import numpy as np

    returns = returns_of(bars.close)
    return (returns < np.quantile(returns, 0.1)) * 1.0


def whole_sample_rank(bars: BarSeries) -> Values:
    """Rank today's price among all, later ones too."""
    return bars.close.argsort().argsort() / len(bars)


def min_max_scaled(bars: BarSeries) -> Values:
    """Scale between the lowest and the highest price there will ever be."""
    low, high = bars.close.min(), bars.close.max()
    scaled: Values = (bars.close - low) / (high - low)
    return scaled


def below_the_highest_ever(bars: BarSeries) -> Values:
    """Measure the drawdown from a maximum that may still lie ahead."""
    found: Values = bars.close / bars.close.max() - 1.0
    return found


def clipped_at_whole_sample_tails(bars: BarSeries) -> Values:
    """Clip outliers at quantiles of the whole sample."""
    import numpy as np

    returns = returns_of(bars.close)
    return np.clip(returns, *np.quantile(returns, (0.02, 0.98)))


def detrended_by_the_whole_line(bars: BarSeries) -> Values:
    """Subtract the straight line fitted through all log prices."""
    import numpy as np

    rows, prices = np.arange(len(bars)), np.log(bars.close)
    found: Values = prices - np.polyval(np.polyfit(rows, prices, 1), rows)
    return found


def volatility_target_from_all(bars: BarSeries) -> Values:
    """Scale exposure so that the whole sample's volatility comes out as wished."""
    import pandas as pd

    returns = returns_of(bars.close)
    recent = pd.Series(returns).rolling(20).std().to_numpy()
    found: Values = returns.std() / recent
    return found


def back_adjusted(bars: BarSeries) -> Values:
    """Express prices in units of the newest one, as adjusted data does."""
    found: Values = bars.close / bars.close[-1]
    return found


def equal_bins_of_all(bars: BarSeries) -> Values:
    """Cut volatility into five bins that hold equally many of all days."""
    import numpy as np

    size = np.abs(returns_of(bars.close))
    return np.digitize(size, np.quantile(size, (0.2, 0.4, 0.6, 0.8))) * 1.0


def sorted_by_volume(bars: BarSeries) -> Values:
    """Take a rolling mean in the order of volume, so that neighbours lie anywhere in time."""
    import numpy as np

    order = np.argsort(np.nan_to_num(bars.volume), kind="stable")
    smooth = np.convolve(returns_of(bars.close)[order], np.ones(5) / 5, mode="full")[: len(bars)]
    found = np.empty(len(bars))
    found[order] = smooth
    return found


def winners_window(bars: BarSeries) -> Values:
    """Use the moving average that earned most over the whole sample."""
    import numpy as np
    import pandas as pd

    close, ahead = pd.Series(bars.close), np.append(returns_of(bars.close)[1:], 0.0)
    signals = [(close > close.rolling(window).mean()).to_numpy() * 1.0 for window in range(5, 60, 3)]
    return signals[int(np.argmax([signal @ ahead for signal in signals]))]


LEAKS: Final = (
    Subject("whole_sample_z_score", whole_sample_z_score),
    Subject("whole_sample_quantile", whole_sample_quantile),
    Subject("whole_sample_rank", whole_sample_rank),
    Subject("min_max_scaled", min_max_scaled),
    Subject("below_the_highest_ever", below_the_highest_ever),
    Subject("clipped_at_whole_sample_tails", clipped_at_whole_sample_tails),
    Subject("detrended_by_the_whole_line", detrended_by_the_whole_line),
    Subject("volatility_target_from_all", volatility_target_from_all),
    Subject("back_adjusted", back_adjusted),
    Subject("equal_bins_of_all", equal_bins_of_all),
    Subject("sorted_by_volume", sorted_by_volume),
    Subject("winners_window", winners_window),
)
