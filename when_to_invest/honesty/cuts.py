"""Where to cut a series: at random bars, half of them where leaks like to hide.

Stage: honesty (pure, seeded). Filling holes, ends of months and days before holidays betray
themselves only when the cut falls right there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.market import BarSeries

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FIRST_SHARE: Final = 0.1
_FEWEST_BARS: Final = 10


def chosen_cuts(series: BarSeries, cuts: int, seed: int) -> tuple[int, ...]:
    """Return up to `cuts` distinct bars, increasing, none in the first tenth nor the last bar.

    Raises:
        Fault: `bad_argument` below one cut, `history_too_short` for fewer than 10 bars.
    """
    import numpy as np

    if cuts < 1:
        raise Fault(ErrorCode.BAD_ARGUMENT, f"{cuts} cuts are no audit", fix="ask for at least one cut")
    if len(series) < _FEWEST_BARS:
        raise Fault(
            ErrorCode.HISTORY_TOO_SHORT,
            f"{len(series)} bars are too few to cut",
            fix="audit a longer history",
        )
    chance = np.random.default_rng(seed)
    room = np.arange(int(len(series) * _FIRST_SHARE), len(series) - 1)
    hidden = room[_is_treacherous(series)[room]]
    first = chance.choice(hidden, size=min(cuts // 2, len(hidden)), replace=False)
    rest = np.setdiff1d(room, first)
    second = chance.choice(rest, size=min(cuts - len(first), len(rest)), replace=False)
    return tuple(int(place) for place in np.sort(np.concatenate((first, second))))


def _is_treacherous(series: BarSeries) -> NDArray[np.bool_]:
    """Mark bars with a hole, and bars before an unusual gap or the turn of a month."""
    import numpy as np

    columns = (series.open, series.high, series.low, series.close, series.volume)
    is_partly_missing = np.zeros(len(series), dtype=np.bool_)
    for missing in (np.isnan(column) for column in columns):
        if not missing.all():
            is_partly_missing |= missing
    gaps = np.diff(series.opened_us)
    months = series.opened_us.astype("datetime64[us]").astype("datetime64[M]")
    turns = (gaps > np.quantile(gaps, 0.9)) | (months[1:] != months[:-1])
    marks: NDArray[np.bool_] = is_partly_missing | np.append(turns, False)
    return marks
