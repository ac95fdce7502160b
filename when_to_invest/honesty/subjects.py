"""What can be audited for look-ahead: anything that turns a series into values a bar.

Stage: honesty (pure). A strategy, a feature, a model's odds: each is a callable from bars to one
row of numbers a bar, and says whether a row is claimed to be known at its bar's close or open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Any, Protocol

from when_to_invest.market import BarSeries

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from when_to_invest.market import FloatArray, TimeArray

    Values = NDArray[np.floating[Any]]


@unique
class KnownAt(StrEnum):
    """When row t is claimed to be known: after bar t's close, or already at its open."""

    CLOSE = "close"
    OPEN = "open"


class Pipeline(Protocol):
    """Computes (n,) or (n, k) values from n bars; row t may use what was known at row t only.

    It abstains on too short a series by raising a `Fault`.
    """

    def __call__(self, bars: BarSeries, /) -> Values:
        """Return one row a bar; NaN where there is no value yet."""
        ...


@dataclass(frozen=True, slots=True)
class Subject:
    """A pipeline under audit.

    `columns` names its k values, for findings. `memory_bars`: it claims that no more bars than
    these matter; None when it looks at all of the past by design.
    """

    name: str
    pipeline: Pipeline
    known_at: KnownAt = KnownAt.CLOSE
    columns: tuple[str, ...] = ()
    memory_bars: int | None = None

    def column(self, number: int) -> str:
        """Return the name of column `number`, or its number where it has no name."""
        return self.columns[number] if number < len(self.columns) else f"value {number}"


@dataclass(frozen=True)
class FactSeries(BarSeries):
    """Bars beside published figures, such as macro data with its revisions.

    Three columns of equal length f: what instant a figure is about, when it was published (both
    int64 microseconds since 1970 UTC, increasing), and its value. A cut drops figures that were
    published after its newest bar.
    """

    about_us: TimeArray
    published_us: TimeArray
    value: FloatArray

    def between(self, start: int, stop: int) -> FactSeries:
        """Return bars `start` to `stop` with the figures published before bar `stop` opened."""
        bars = BarSeries.between(self, start, stop)
        count = len(self.value)
        if stop < len(self):
            count = int(self.published_us.searchsorted(self.opened_us[stop]))
        return replace(
            self,
            opened_us=bars.opened_us,
            open=bars.open,
            high=bars.high,
            low=bars.low,
            close=bars.close,
            volume=bars.volume,
            about_us=self.about_us[:count],
            published_us=self.published_us[:count],
            value=self.value[:count],
        )
