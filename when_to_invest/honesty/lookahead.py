"""The hunt for look-ahead: cut the future off, or change it, and nothing before may move.

Stage: honesty (pure, seeded). At random cuts every row up to the cut is computed again from
truncated bars and from bars with another future, and compared bit for bit. A pipeline that
declares how far it remembers is also started later. The idea is that of freqtrade's lookahead
and recursive analyses. A pipeline may also carry the future inside itself, such as a table of
prices: then it knows the real next returns even when it is shown another history.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.cuts import chosen_cuts
from when_to_invest.honesty.other_futures import (
    FUTURES,
    another_history,
    copied,
    truncated,
    with_other_future,
)
from when_to_invest.honesty.subjects import Subject
from when_to_invest.market import BarSeries

if TYPE_CHECKING:
    import numpy as np

    from when_to_invest.market import FloatArray

CUTS: Final = 20
_FEWEST_BARS: Final = 10
_TABLE: Final = 2
WARM_UP_TOLERANCE: Final = 0.01
"""How much a value may depend on bars beyond the declared memory, in standard deviations of its column."""


FOREKNOWLEDGE_T: Final = 5.0
"""Chance alone gives such a t value once in more than a million."""


@unique
class Kind(StrEnum):
    """What betrayed the pipeline."""

    TRUNCATION = "truncation"
    FUTURE = "other_future"
    WARM_UP = "warm_up"
    UNREPEATABLE = "unrepeatable"
    FOREKNOWLEDGE = "foreknowledge"


@dataclass(frozen=True, slots=True)
class Finding:
    """Row `bar`, which opened at `opened_at`, was `with_future`, but `without_future` as known at `cut`.

    `how`: which other future, or how many bars were given.
    """

    kind: Kind
    how: str
    cut: int
    bar: int
    opened_at: datetime
    column: str
    with_future: float | str
    without_future: float | str


@dataclass(frozen=True, slots=True)
class Audit:
    """What was tried and what was found; `abstained`: cuts at which the pipeline gave no values."""

    subject: str
    bars: int
    cuts: tuple[int, ...]
    abstained: int
    findings: tuple[Finding, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def audit(subject: Subject, series: BarSeries, *, cuts: int = CUTS, seed: int = 0) -> Audit:
    """Audit a pipeline on a series at `cuts` random bars; equal seeds choose equal bars.

    Raises:
        Fault: `bad_argument` below one cut or when the pipeline does not return one row a bar;
            `history_too_short` for fewer than 10 bars or when it abstained at every cut; what
            the pipeline itself raises on the whole series.
    """
    import numpy as np

    places = chosen_cuts(series, cuts, seed)
    hunt = _Hunt(subject, series, values_of(subject, series))
    moved = hunt.again()
    if moved:
        return Audit(subject.name, len(series), places, 0, moved)
    findings = list(hunt.foreknown(np.random.default_rng(seed)))
    abstained = 0
    for number, cut in enumerate(places):
        try:
            findings += hunt.at(cut, np.random.default_rng((seed, number)))
        except Fault as fault:
            if fault.code is not ErrorCode.HISTORY_TOO_SHORT:
                raise
            abstained += 1
    if abstained == len(places):
        raise Fault(
            ErrorCode.HISTORY_TOO_SHORT,
            f"{subject.name} gave no values at any of {len(places)} cuts",
            fix="audit it on a longer history",
        )
    return Audit(subject.name, len(series), places, abstained, tuple(findings))


def values_of(subject: Subject, series: BarSeries) -> FloatArray:
    """Return the pipeline's (n, k) values from a fresh copy of it and of the series.

    Raises:
        Fault: `bad_argument` when it does not return one row a bar.
    """
    import numpy as np

    # What a pipeline remembered from an earlier call must not hide what it looked at.
    pipeline = copy.deepcopy(subject.pipeline)
    values = np.asarray(pipeline(copied(series)), dtype=np.float64)
    table = values[:, None] if values.ndim == 1 else values
    if table.ndim != _TABLE or len(table) != len(series):
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"{subject.name} returned an array of shape {values.shape} for {len(series)} bars",
            fix="return one row of numbers for each bar, NaN where there is none yet",
        )
    return table


@dataclass(frozen=True)
class _Hunt:
    """One audit under way: the pipeline, the series, and the (n, k) values on the whole of it."""

    subject: Subject
    series: BarSeries
    whole: FloatArray

    def again(self) -> tuple[Finding, ...]:
        """Return a finding if the same bars do not give the same values twice."""
        values = values_of(self.subject, self.series)
        return tuple(self._first_difference(Kind.UNREPEATABLE, "called twice", len(self.series) - 1, values))

    def foreknown(self, chance: np.random.Generator) -> Iterator[Finding]:
        """Yield the first column that knows the real next returns though it was shown other prices."""
        import numpy as np

        close = self.series.close
        ahead = close[1:] / close[:-1] - 1.0
        try:
            blind = values_of(self.subject, another_history(self.series, chance))
        except Fault as fault:
            if fault.code is not ErrorCode.HISTORY_TOO_SHORT:
                raise
            return
        last = len(close) - 2
        for column in range(blind.shape[1]):
            t_value = _t_of_timing(blind[:-1, column], ahead)
            if abs(t_value) > FOREKNOWLEDGE_T:
                yield Finding(
                    kind=Kind.FOREKNOWLEDGE,
                    how="t value of the real next returns, shown other prices",
                    cut=last,
                    bar=last,
                    opened_at=self.series.opened_at(last),
                    column=self.subject.column(column),
                    with_future=t_value,
                    without_future=float(np.sign(t_value)) * FOREKNOWLEDGE_T,
                )
                return

    def at(self, cut: int, chance: np.random.Generator) -> list[Finding]:
        """Return what truncation, one other future and a later start bring to light at a cut."""
        subject, series = self.subject, self.series
        cut_off = values_of(subject, truncated(series, cut, subject.known_at))
        found = list(self._first_difference(Kind.TRUNCATION, "cut off", cut, cut_off))
        future = tuple(FUTURES)[int(chance.integers(len(FUTURES)))]
        other = with_other_future(series, cut, subject.known_at, future=future, chance=chance)
        values = values_of(subject, other)[: cut + 1]
        found += self._first_difference(Kind.FUTURE, future, cut, values)
        if subject.memory_bars is not None and subject.memory_bars <= cut:
            found += self._started_later(cut, subject.memory_bars)
        return found

    def _first_difference(self, kind: Kind, how: str, cut: int, values: FloatArray) -> Iterator[Finding]:
        """Yield the first place where `values` differ from those with the future; NaN equals NaN."""
        import numpy as np

        known = self.whole[: cut + 1]
        if known.shape[1] != values.shape[1]:
            raise Fault(
                ErrorCode.BAD_ARGUMENT,
                f"{self.subject.name} returned {known.shape[1]} values a bar, then {values.shape[1]}",
                fix="return the same columns for any number of bars",
            )
        differs = ~((known == values) | (np.isnan(known) & np.isnan(values)))
        if differs.any():
            bar, column = (int(place) for place in np.unravel_index(int(differs.argmax()), differs.shape))
            yield Finding(
                kind=kind,
                how=how,
                cut=cut,
                bar=bar,
                opened_at=self.series.opened_at(bar),
                column=self.subject.column(column),
                with_future=float(known[bar, column]),
                without_future=float(values[bar, column]),
            )

    def _started_later(self, cut: int, memory: int) -> Iterator[Finding]:
        """Yield the first value at the cut that needs more bars than the pipeline says it remembers."""
        import numpy as np

        recent = truncated(self.series, cut, self.subject.known_at).between(cut + 1 - memory, cut + 1)
        late = self.whole[: cut + 1].copy()
        late[cut] = values_of(self.subject, recent)[-1]
        is_known = np.isfinite(self.whole).any(axis=0)
        spread = np.zeros(self.whole.shape[1])
        spread[is_known] = np.nanstd(self.whole[:, is_known], axis=0)
        is_near = np.abs(late[cut] - self.whole[cut]) <= WARM_UP_TOLERANCE * spread
        late[cut, is_near] = self.whole[cut, is_near]
        yield from self._first_difference(Kind.WARM_UP, f"{memory} bars", cut, late)


def _t_of_timing(values: FloatArray, ahead: FloatArray) -> float:
    """Return the t value of values against next returns, robust to changing volatility (White 1980)."""
    import numpy as np

    known = np.isfinite(values) & np.isfinite(ahead)
    if known.sum() < _FEWEST_BARS:
        return 0.0
    products = (values[known] - values[known].mean()) * (ahead[known] - ahead[known].mean())
    error = float(np.sqrt((products**2).sum()))
    return float(products.sum()) / error if error > 0.0 else 0.0
