"""The synthetic history on which the canaries sing: gaps, regimes, missing volumes, revisions.

Stage: honesty (pure, seeded).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from when_to_invest.honesty.subjects import FactSeries

if TYPE_CHECKING:
    import numpy as np

    from when_to_invest.market import FloatArray, TimeArray

BARS: Final = 280
DAY_US: Final = 86_400_000_000
_HOLE_SHARE: Final = 0.4
_MONTH: Final = 21
_DELAY_DAYS: Final = 20
_WEEK: Final = 7
_FRIDAY: Final = 4
_HOLIDAY_SHARE: Final = 0.03


def practice_series(seed: int = 0, bars: int = BARS) -> FactSeries:
    """Return daily bars on weekdays but holidays, volumes with holes (NaN), and revised figures."""
    import numpy as np

    chance = np.random.default_rng(seed)
    opened_us = _sessions(chance, bars)
    is_wild = (np.arange(bars) // 60) % 2
    close = 100.0 * np.exp(np.cumsum(chance.normal(0.0003, 0.008 + 0.015 * is_wild)))
    start = np.roll(close, 1)
    start[0] = 100.0
    start *= np.exp(chance.normal(0.0, 0.003, bars))
    volume = chance.uniform(1e6, 3e6, bars)
    volume[chance.random(bars) < _HOLE_SHARE] = np.nan
    about_us, published_us = _publications(opened_us)
    return FactSeries(
        opened_us=opened_us,
        open=start,
        high=np.maximum(start, close) * np.exp(np.abs(chance.normal(0.0, 0.004, bars))),
        low=np.minimum(start, close) * np.exp(-np.abs(chance.normal(0.0, 0.004, bars))),
        close=close,
        volume=volume,
        about_us=about_us,
        published_us=published_us,
        value=chance.normal(0.0, 1.0, len(about_us)),
    )


def _sessions(chance: np.random.Generator, bars: int) -> TimeArray:
    import numpy as np

    days = np.arange(bars * 2) + 14_977  # from 3 January 2011, a Monday
    is_open = (np.arange(bars * 2) % _WEEK <= _FRIDAY) & (chance.random(bars * 2) >= _HOLIDAY_SHARE)
    sessions: TimeArray = days[is_open][:bars].astype(np.int64) * DAY_US
    return sessions


def _publications(opened_us: TimeArray) -> tuple[TimeArray, TimeArray]:
    """Return what each figure is about and when it came: a first print, later a revision."""
    import numpy as np

    months = opened_us[::_MONTH]
    about = np.repeat(months, 2)
    delay = np.tile([_DELAY_DAYS, 3 * _DELAY_DAYS], len(months)) * DAY_US
    order = np.argsort(about + delay, kind="stable")
    return about[order], (about + delay)[order]


def returns_of(close: FloatArray) -> FloatArray:
    """Return simple returns (n,), 0 at the first bar."""
    import numpy as np

    found = np.zeros(len(close))
    found[1:] = close[1:] / close[:-1] - 1.0
    return found
