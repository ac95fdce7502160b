"""Leaks of time: bars that were not over, sessions not announced, figures not published.

Stage: honesty (pure). Wrong on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.canaries.practice import DAY_US
from when_to_invest.honesty.subjects import FactSeries, Subject

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from when_to_invest.honesty.subjects import Values
    from when_to_invest.market import BarSeries

_MONDAY_SHIFT: Final = 3


def weeks_of(bars: BarSeries) -> NDArray[np.int64]:
    """Return the number of the week (from Monday) of each bar."""
    weeks: NDArray[np.int64] = (bars.opened_us // DAY_US + _MONDAY_SHIFT) // 7
    return weeks


def months_of(bars: BarSeries) -> NDArray[np.int64]:
    """Return the number of the month of each bar."""
    import numpy as np

    return bars.opened_us.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)


def week_labelled_by_its_start(bars: BarSeries) -> Values:
    """Use the week's close from its Monday on: a resampled bar labelled left."""
    import numpy as np

    weeks = weeks_of(bars)
    return bars.close[np.searchsorted(weeks, weeks, side="right") - 1]


def month_not_over(bars: BarSeries) -> Values:
    """Use the month's highest price before the month is over."""
    import numpy as np

    months = months_of(bars)
    highest = {month: bars.high[months == month].max() for month in np.unique(months)}
    return np.array([highest[month] for month in months])


def last_session_of_the_month(bars: BarSeries) -> Values:
    """Know that today is the month's last session by looking at the next one."""
    import numpy as np

    months = months_of(bars)
    return np.append(months[1:] != months[:-1], True) * 1.0


def future_holidays(bars: BarSeries) -> Values:
    """Count the days until the next session from the sessions there were."""
    import numpy as np

    return np.append(np.diff(bars.opened_us) / DAY_US, np.nan)


def restated_figures(bars: BarSeries) -> Values:
    """Use a figure as last revised from the day its first print came."""
    import numpy as np

    facts = facts_of(bars)
    first: dict[int, int] = {}
    final: dict[int, float] = {}
    for about, published, value in zip(facts.about_us, facts.published_us, facts.value, strict=True):
        first.setdefault(int(about), int(published))
        final[int(about)] = float(value)
    found = np.full(len(bars), np.nan)
    for about, published in first.items():
        found[bars.opened_us > published] = final[about]
    return found


def unpublished_figures(bars: BarSeries) -> Values:
    """Use a figure from the day it is about, not from the day it was published."""
    import numpy as np

    facts = facts_of(bars)
    found = np.full(len(bars), np.nan)
    for about, value in zip(facts.about_us, facts.value, strict=True):
        found[bars.opened_us >= about] = value
    return found


def facts_of(bars: BarSeries) -> FactSeries:
    """Return the bars with their figures.

    Raises:
        Fault: `bad_argument` when they come without.
    """
    if not isinstance(bars, FactSeries):
        raise Fault(ErrorCode.BAD_ARGUMENT, "these bars come without figures", fix="use the practice series")
    return bars


LEAKS: Final = (
    Subject("week_labelled_by_its_start", week_labelled_by_its_start),
    Subject("month_not_over", month_not_over),
    Subject("last_session_of_the_month", last_session_of_the_month),
    Subject("future_holidays", future_holidays),
    Subject("restated_figures", restated_figures),
    Subject("unpublished_figures", unpublished_figures),
)
