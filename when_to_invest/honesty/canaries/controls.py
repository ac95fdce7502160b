"""Honest twins of the canaries: the same ideas without the leak. None may ever be flagged.

Stage: honesty (pure). Row t of each uses what was known at row t.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from when_to_invest.honesty.canaries.clocks import facts_of, months_of, weeks_of
from when_to_invest.honesty.canaries.filters import forward_probabilities, kalman_forward, likelihoods
from when_to_invest.honesty.canaries.learning import HORIZON, WARM_UP, features_of, fitted, labels_of
from when_to_invest.honesty.canaries.practice import DAY_US, returns_of
from when_to_invest.honesty.subjects import KnownAt, Subject

if TYPE_CHECKING:
    from when_to_invest.honesty.subjects import Values
    from when_to_invest.market import BarSeries


def gap_at_the_open(bars: BarSeries) -> Values:
    """Decide at the open by the gap from the last close."""
    import numpy as np

    return np.append(0.0, bars.open[1:] / bars.close[:-1] - 1.0)


def yesterdays_close_at_the_open(bars: BarSeries) -> Values:
    """Fill at the open what the last close decided."""
    import numpy as np

    return np.append(np.nan, np.sign(bars.close[:-1] - bars.open[:-1]))


def trailing_mean(bars: BarSeries) -> Values:
    """Average the last ten closes."""
    import pandas as pd

    return pd.Series(bars.close).rolling(10).mean().to_numpy()


def trailing_median(bars: BarSeries) -> Values:
    """Take the median of the last five closes."""
    import pandas as pd

    return pd.Series(bars.close).rolling(5).median().to_numpy()


def exponential_mean(bars: BarSeries) -> Values:
    """Take an exponential mean, forwards."""
    import pandas as pd

    return pd.Series(bars.close).ewm(span=10, adjust=False).mean().to_numpy()


def kalman_filter(bars: BarSeries) -> Values:
    """Filter forwards only."""
    import numpy as np

    return kalman_forward(np.log(bars.close))[0]


def filtered_regime(bars: BarSeries) -> Values:
    """Take the regime's probability given the returns so far."""
    found: Values = forward_probabilities(likelihoods(returns_of(bars.close)))[:, 1]
    return found


def forward_filled(bars: BarSeries) -> Values:
    """Fill a missing volume from the last one known."""
    import pandas as pd

    return pd.Series(bars.volume).ffill().to_numpy()


def expanding_z_score(bars: BarSeries) -> Values:
    """Scale by mean and deviation of the returns so far."""
    import numpy as np
    import pandas as pd

    returns = pd.Series(returns_of(bars.close))
    past = returns.expanding(20)
    with np.errstate(invalid="ignore", divide="ignore"):
        return ((returns - past.mean()) / past.std()).to_numpy()


def expanding_quantile(bars: BarSeries) -> Values:
    """Call a day bad when it is among the worst so far."""
    import pandas as pd

    returns = pd.Series(returns_of(bars.close))
    return (returns < returns.expanding(20).quantile(0.1)).to_numpy() * 1.0


def trailing_rank(bars: BarSeries) -> Values:
    """Rank today's price among the last fifty."""
    import pandas as pd

    return pd.Series(bars.close).rolling(50).rank().to_numpy()


def below_the_highest_so_far(bars: BarSeries) -> Values:
    """Measure the drawdown from the highest close so far."""
    import numpy as np

    return bars.close / np.maximum.accumulate(bars.close) - 1.0


def trailing_volatility_target(bars: BarSeries) -> Values:
    """Scale exposure by recent volatility towards a fixed one."""
    import pandas as pd

    deviation = pd.Series(returns_of(bars.close)).rolling(20).std().to_numpy()
    found: Values = (0.01 / deviation).clip(0.0, 1.0)
    return found


def detrended_so_far(bars: BarSeries) -> Values:
    """Subtract at every row the line fitted through the log prices so far."""
    import numpy as np

    prices, found = np.log(bars.close), np.full(len(bars), np.nan)
    for row in range(WARM_UP, len(bars)):
        rows = np.arange(row + 1)
        found[row] = prices[row] - np.polyval(np.polyfit(rows, prices[: row + 1], 1), row)
    return found


def finished_labels(bars: BarSeries) -> Values:
    """Refit at every row on the rows whose labels had ended."""
    import numpy as np

    table, labels = features_of(bars.close), labels_of(bars.close)
    forecast = np.full(len(bars), np.nan)
    for row in range(WARM_UP, len(bars)):
        finished = row - HORIZON + 1
        forecast[row] = (table[row] * fitted(table[:finished], labels[:finished])).sum()
    return forecast


def walked_forward(bars: BarSeries) -> Values:
    """Refit every 21 rows on finished labels, and forecast until the next time."""
    import numpy as np

    table, labels = features_of(bars.close), labels_of(bars.close)
    forecast = np.full(len(bars), np.nan)
    for start in range(WARM_UP, len(bars), 21):
        finished = start - HORIZON + 1
        weights = fitted(table[:finished], labels[:finished])
        forecast[start : start + 21] = (table[start : start + 21] * weights).sum(axis=1)
    return forecast


def threshold_tuned_on_the_past(bars: BarSeries) -> Values:
    """Trade above the threshold that earned most in labels that had ended."""
    import numpy as np

    momentum, ahead = features_of(bars.close)[:, 1], labels_of(bars.close)
    grid, found = np.linspace(-0.05, 0.05, 11), np.zeros(len(bars))
    for row in range(WARM_UP, len(bars)):
        past = slice(0, row - HORIZON + 1)
        earned = [ahead[past][momentum[past] > each].sum() for each in grid]
        found[row] = momentum[row] > grid[int(np.argmax(earned))]
    return found


def last_weeks_close(bars: BarSeries) -> Values:
    """Use the close of the week before."""
    import numpy as np

    weeks = weeks_of(bars)
    before = np.searchsorted(weeks, weeks, side="left") - 1
    return np.where(before >= 0, bars.close[before], np.nan)


def month_so_far(bars: BarSeries) -> Values:
    """Use the month's highest price so far."""
    import pandas as pd

    return pd.Series(bars.high).groupby(months_of(bars)).cummax().to_numpy()


def weekday(bars: BarSeries) -> Values:
    """Know what day it is."""
    found: Values = ((bars.opened_us // DAY_US + 3) % 7).astype(float)
    return found


def days_since_the_last_session(bars: BarSeries) -> Values:
    """Count the days the market was closed before this session."""
    import numpy as np

    return np.append(np.nan, np.diff(bars.opened_us) / DAY_US)


def published_figures(bars: BarSeries) -> Values:
    """Use the newest figure that had been published when the bar opened."""
    import numpy as np

    facts = facts_of(bars)
    newest = np.searchsorted(facts.published_us, bars.opened_us, side="left") - 1
    padded = np.append(facts.value, np.nan)
    return padded[newest]


def constant(bars: BarSeries) -> Values:
    """Hold always."""
    import numpy as np

    return np.ones(len(bars))


def seeded_noise(bars: BarSeries) -> Values:
    """Trade at random, from a seed, row after row."""
    import numpy as np

    return np.random.default_rng(5).random(len(bars))


CONTROLS: Final = (
    Subject("gap_at_the_open", gap_at_the_open, KnownAt.OPEN),
    Subject("yesterdays_close_at_the_open", yesterdays_close_at_the_open, KnownAt.OPEN),
    Subject("trailing_mean", trailing_mean, memory_bars=10),
    Subject("trailing_median", trailing_median, memory_bars=5),
    Subject("exponential_mean", exponential_mean, memory_bars=40),
    Subject("kalman_filter", kalman_filter),
    Subject("filtered_regime", filtered_regime),
    Subject("forward_filled", forward_filled),
    Subject("expanding_z_score", expanding_z_score),
    Subject("expanding_quantile", expanding_quantile),
    Subject("trailing_rank", trailing_rank, memory_bars=50),
    Subject("below_the_highest_so_far", below_the_highest_so_far),
    Subject("trailing_volatility_target", trailing_volatility_target, memory_bars=21),
    Subject("detrended_so_far", detrended_so_far),
    Subject("finished_labels", finished_labels),
    Subject("walked_forward", walked_forward),
    Subject("threshold_tuned_on_the_past", threshold_tuned_on_the_past),
    Subject("last_weeks_close", last_weeks_close),
    Subject("month_so_far", month_so_far),
    Subject("weekday", weekday, memory_bars=1),
    Subject("days_since_the_last_session", days_since_the_last_session, memory_bars=2),
    Subject("published_figures", published_figures),
    Subject("constant", constant, memory_bars=1),
    Subject("seeded_noise", seeded_noise),
)
