"""Leaks of order and fill: prices used before they were there.

Stage: honesty (pure). Wrong on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from when_to_invest.honesty.canaries.practice import returns_of
from when_to_invest.honesty.subjects import KnownAt, Subject

if TYPE_CHECKING:
    from when_to_invest.honesty.subjects import Values
    from when_to_invest.market import BarSeries


def same_bar_close_for_the_open_fill(bars: BarSeries) -> Values:
    """Buy at the open on the strength of the same bar's close."""
    import numpy as np

    return np.sign(bars.close - bars.open)


def same_bar_low_for_the_limit_fill(bars: BarSeries) -> Values:
    """Place the limit at the day's low, which the open does not know."""
    return bars.low * 1.0001


def same_bar_volume_for_the_open_size(bars: BarSeries) -> Values:
    """Size the opening order by the whole day's volume."""
    import numpy as np

    return np.nan_to_num(bars.volume) / 1e6


def next_bars_return(bars: BarSeries) -> Values:
    """Use shift(-1): the return that is yet to come."""
    import numpy as np

    return np.append(returns_of(bars.close)[1:], np.nan)


def next_bars_open_as_signal(bars: BarSeries) -> Values:
    """Decide at the close by tomorrow's gap."""
    import numpy as np

    return np.append((bars.open[1:] > bars.close[:-1]) * 1.0, 0.0)


def rolled_around(bars: BarSeries) -> Values:
    """Use np.roll as a lag: the first row receives the last close."""
    import numpy as np

    return np.roll(bars.close, 1)


def negative_index(bars: BarSeries) -> Values:
    """Reach back five rows by index: the first rows wrap around to the end."""
    import numpy as np

    return np.array([bars.close[row] / bars.close[row - 5] for row in range(len(bars))])


def stop_at_the_lowest_low(bars: BarSeries) -> Values:
    """Trail a stop below the lowest low from here to the end: reversed accumulation."""
    import numpy as np

    return np.minimum.accumulate(bars.low[::-1])[::-1]


def exits_at_the_end(bars: BarSeries) -> Values:
    """Leave the market ten bars before the data ends, which no one knows."""
    import numpy as np

    return (np.arange(len(bars)) < len(bars) - 10) * 1.0


LEAKS: Final = (
    Subject("same_bar_close_for_the_open_fill", same_bar_close_for_the_open_fill, KnownAt.OPEN),
    Subject("same_bar_low_for_the_limit_fill", same_bar_low_for_the_limit_fill, KnownAt.OPEN),
    Subject("same_bar_volume_for_the_open_size", same_bar_volume_for_the_open_size, KnownAt.OPEN),
    Subject("next_bars_return", next_bars_return),
    Subject("next_bars_open_as_signal", next_bars_open_as_signal),
    Subject("rolled_around", rolled_around),
    Subject("negative_index", negative_index),
    Subject("stop_at_the_lowest_low", stop_at_the_lowest_low),
    Subject("exits_at_the_end", exits_at_the_end),
)
