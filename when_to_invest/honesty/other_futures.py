"""The same past with another future: what an honest value may not notice.

Stage: honesty (pure, seeded). Each alteration keeps what was known at a cut and changes the rest
its own way. A series is never changed in place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Final

from when_to_invest.honesty.subjects import FactSeries, KnownAt
from when_to_invest.market import BarSeries

if TYPE_CHECKING:
    import numpy as np

    from when_to_invest.market import FloatArray

_WEEK_US: Final = 7 * 86_400_000_000
_WALK_DEVIATION: Final = 0.05
_COLLAPSE: Final = 0.02
_SWELL: Final = 50.0
_REVISION: Final = -3.0


def copied(series: BarSeries) -> BarSeries:
    """Return the series with columns of its own, so that no pipeline can change another's input."""
    return replace(series, **{field.name: getattr(series, field.name).copy() for field in fields(series)})


def truncated(series: BarSeries, cut: int, known_at: KnownAt) -> BarSeries:
    """Return what was known at bar `cut`: bars up to it, of which at its open only the opening price."""
    known = copied(series.between(0, cut + 1))
    if known_at is KnownAt.OPEN:
        for column in (known.high, known.low, known.close):
            column[-1] = known.open[-1]
        known.volume[-1] = 0.0
    return known


def wandering(series: BarSeries, chance: np.random.Generator) -> BarSeries:
    """Return prices that wander off at random."""
    import numpy as np

    path = np.exp(np.cumsum(chance.normal(0.0, _WALK_DEVIATION, len(series))))
    return _scaled(series, path, chance.uniform(0.2, 5.0, len(series)))


def collapsing(series: BarSeries, chance: np.random.Generator) -> BarSeries:
    """Return prices near nothing and volumes beyond all bounds."""
    factor = chance.uniform(0.5, 1.0)
    return _scaled(series, _COLLAPSE * factor, _SWELL / factor)


def soaring(series: BarSeries, chance: np.random.Generator) -> BarSeries:
    """Return prices beyond all bounds and hardly any volume."""
    factor = chance.uniform(1.0, 2.0)
    return _scaled(series, _SWELL * factor, _COLLAPSE / factor)


def postponed(series: BarSeries, chance: np.random.Generator) -> BarSeries:
    """Return the same bars in later weeks, on the same weekdays: closed for weeks, again and again."""
    import numpy as np

    weeks = np.cumsum(chance.integers(0, 2, len(series))) + 1
    return replace(series, opened_us=series.opened_us + weeks * _WEEK_US)


def another_history(series: BarSeries, chance: np.random.Generator) -> BarSeries:
    """Return the same sessions with the same bars in another order: nothing of the real path is left."""
    import numpy as np

    before = np.concatenate((series.close[:1], series.close[:-1]))
    order = chance.permutation(len(series))
    growth = (series.close / before)[order]
    start = series.close[0] * np.concatenate(([1.0], np.cumprod(growth)[:-1]))
    return replace(
        series,
        open=start * (series.open / before)[order],
        high=start * (series.high / before)[order],
        low=start * (series.low / before)[order],
        close=start * growth,
        volume=series.volume[order],
    )


FUTURES: Final[Mapping[str, Callable[[BarSeries, np.random.Generator], BarSeries]]] = {
    "wandering": wandering,
    "collapsing": collapsing,
    "soaring": soaring,
    "postponed": postponed,
}
"""Ways in which everything after a cut can come otherwise."""


def with_other_future(
    series: BarSeries, cut: int, known_at: KnownAt, *, future: str, chance: np.random.Generator
) -> BarSeries:
    """Return the series as known at bar `cut`, followed by the bars that `future` makes of the rest."""
    import numpy as np

    changed = FUTURES[future](series, chance)
    if known_at is KnownAt.OPEN:
        opening = truncated(series, cut, known_at).between(cut, cut + 1)
        body = changed.between(cut, cut + 1)
        at_cut = replace(body, open=opening.open, opened_us=opening.opened_us)
    else:
        at_cut = series.between(cut, cut + 1)
    parts = (series.between(0, cut), at_cut, changed.between(cut + 1, len(series)))
    joined = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(BarSeries)
    }
    return _with_other_facts(replace(series, **joined), series, cut)


def _with_other_facts(other: BarSeries, series: BarSeries, cut: int) -> BarSeries:
    """Return `other` with every figure changed that was published after the cut's bar."""
    if not isinstance(other, FactSeries) or not isinstance(series, FactSeries) or cut + 1 >= len(series):
        return other
    value = series.value.copy()
    value[int(series.published_us.searchsorted(series.opened_us[cut + 1])) :] *= _REVISION
    return replace(other, value=value)


def _scaled(series: BarSeries, price: FloatArray | float, volume: FloatArray | float) -> BarSeries:
    return replace(
        series,
        open=series.open * price,
        high=series.high * price,
        low=series.low * price,
        close=series.close * price,
        volume=series.volume * volume,
    )
