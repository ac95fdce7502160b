"""Decides whether bars are fit to be analysed: repairs one harmless fault, refuses the rest.

Shell, second step of an import (pure inside). Dropped with a note: a bar that repeats its
neighbour exactly. Refused, naming the first bad row: missing or non-positive prices,
impossible bars, disorder, conflicting duplicates, another interval, bars of the future. Flagged
and kept: jumps, leaps and wicks beyond belief, because crashes are real.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from market_data.tables import RawBars, corrupt
from when_to_invest.canonical import utc_text
from when_to_invest.features.breaks import LONG_GAP_DAYS, is_leap
from when_to_invest.instruments import Interval
from when_to_invest.market import BarSeries

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from when_to_invest.market import FloatArray, TimeArray

    Mask = NDArray[np.bool_]

_SECOND_US: Final = 1_000_000
_DAY_US: Final = 86_400 * _SECOND_US
INTERVAL_US: Final = {
    Interval.MINUTE: 60 * _SECOND_US,
    Interval.FIVE_MINUTES: 300 * _SECOND_US,
    Interval.QUARTER_HOUR: 900 * _SECOND_US,
    Interval.HOUR: 3_600 * _SECOND_US,
    Interval.DAY: _DAY_US,
}
_FEWEST_BARS: Final = 2
_ROUNDING: Final = 1e-9
"""Relative slack of an OHLC comparison: adjusted prices carry rounding in the last bits."""
_JUMP_RATIO: Final = 0.35
"""A close, or a wick, this far from its neighbours is flagged."""
_MOST_FLAGS: Final = 20
LEAP: Final = "the price leaps with no trade between: a split, a bad print or another listing"


@dataclass(frozen=True, slots=True)
class Flag:
    """A bar that was kept but looks wrong."""

    row: int
    opened_at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Hole:
    """Two neighbouring bars more than two weeks apart, by their opening instants."""

    after: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Bars fit for use, what was dropped, what looks odd, and what the file cannot support."""

    series: BarSeries
    has_range: bool
    has_volume: bool
    dropped_duplicates: int
    notes: tuple[str, ...]
    flags: tuple[Flag, ...]
    flag_count: int
    holes: tuple[Hole, ...]
    hole_count: int


def clean_bars(raw: RawBars, *, interval: Interval) -> Cleaned:
    """Check `raw` against `interval`.

    Raises:
        Fault: `corrupt_data` naming the first row that breaks a rule, and which rule.
    """
    kept = _checked(raw, interval)
    series = _series(raw, kept)
    dropped = len(raw.opened_us) - len(series)
    flags, holes = tuple(_flags(raw, series, kept)), _holes(series, interval)
    return Cleaned(
        series=series,
        has_range=raw.open is not None,
        has_volume=raw.volume is not None,
        dropped_duplicates=dropped,
        notes=_notes(raw, series, dropped, interval),
        flags=flags[:_MOST_FLAGS],
        flag_count=len(flags),
        holes=holes[:_MOST_FLAGS],
        hole_count=len(holes),
    )


def clean_series(raw: RawBars, *, interval: Interval) -> BarSeries:
    """Return the same series as `clean_bars`, by the same checks, without asking what is odd.

    Raises:
        Fault: as `clean_bars`.
    """
    return _series(raw, _checked(raw, interval))


def _checked(raw: RawBars, interval: Interval) -> Mask:
    """Return which rows to keep of bars that break no rule."""
    if len(raw.opened_us) < _FEWEST_BARS:
        raise corrupt(
            f"the file has {len(raw.opened_us)} bars", fix=f"bring at least {_FEWEST_BARS} closed bars"
        )
    _check_numbers(raw)
    _check_shape(raw)
    kept = _order(raw)
    _check_interval(raw, kept, interval)
    return kept


def check_clock(raw: RawBars, *, now: datetime) -> None:
    """Refuse bars that open after `now` (aware).

    Raises:
        Fault: `corrupt_data` naming the first of them.
    """
    present = (now - datetime.fromtimestamp(0, tz=UTC)) // timedelta(microseconds=1)
    why = f"the bar opens after the present, {utc_text(now)}"
    _refuse_first(raw, raw.opened_us > present, why, "correct ts; only bars that have opened can be imported")


def opened_at(times: TimeArray, index: int) -> datetime:
    """Return the opening instant of row `index`."""
    return datetime.fromtimestamp(0, tz=UTC) + timedelta(microseconds=int(times[index]))


def _refuse_first(raw: RawBars, bad: Mask, why: str, fix: str) -> None:
    if bad.any():
        index = int(bad.argmax())
        when = utc_text(opened_at(raw.opened_us, index))
        raise corrupt(f"row {index + raw.first_row} ({when}): {why}", fix=fix)


def _prices(raw: RawBars) -> dict[str, FloatArray]:
    columns = {"open": raw.open, "high": raw.high, "low": raw.low, "close": raw.close}
    return {name: column for name, column in columns.items() if column is not None}


def _check_numbers(raw: RawBars) -> None:
    import numpy as np

    for name, column in _prices(raw).items():
        _refuse_first(raw, ~np.isfinite(column), f"{name} is not a number", "fill or remove that bar")
        _refuse_first(raw, column <= 0, f"{name} is not above zero", "correct or remove that bar")
    if raw.volume is not None:
        bad = ~np.isfinite(raw.volume) | (raw.volume < 0)
        _refuse_first(raw, bad, "volume is not a number of zero or more", "correct or remove that bar")


def _check_shape(raw: RawBars) -> None:
    import numpy as np

    if raw.open is None or raw.high is None or raw.low is None:
        return
    top = np.maximum(raw.open, raw.close) > raw.high * (1 + _ROUNDING)
    bottom = np.minimum(raw.open, raw.close) < raw.low * (1 - _ROUNDING)
    fix = "correct that bar, or import ts and close only"
    _refuse_first(raw, top, "high lies below open or close", fix)
    _refuse_first(raw, bottom, "low lies above open or close", fix)


def _order(raw: RawBars) -> Mask:
    """Return which rows to keep: all but exact repeats of the row before."""
    import numpy as np

    step = np.diff(raw.opened_us, prepend=raw.opened_us[0] - 1)
    repeats = step == 0
    for column in (*_prices(raw).values(), *(() if raw.volume is None else (raw.volume,))):
        same = np.concatenate(([False], column[1:] == column[:-1]))
        conflict = (step == 0) & ~same
        _refuse_first(
            raw, conflict, "a second bar of the same time with other values", "keep the finished bar only"
        )
    _refuse_first(raw, step < 0, "the time goes back", "sort the bars by ts, oldest first, without repeats")
    kept: Mask = ~repeats
    return kept


def _check_interval(raw: RawBars, kept: Mask, interval: Interval) -> None:
    import numpy as np

    fix = "give the interval the bars really have"
    if interval is Interval.MONTH:
        months = raw.opened_us.astype("datetime64[us]").astype("datetime64[M]")
        off = months.astype("datetime64[us]").astype(np.int64) != raw.opened_us
        _refuse_first(raw, off, "a monthly bar must open at the first of its month, midnight UTC", fix)
        typical, expected = _typical(months[kept].astype(np.int64)), 1
    else:
        expected = INTERVAL_US[interval]
        _refuse_first(
            raw, raw.opened_us % expected != 0, f"a {interval} bar cannot open at that time (UTC)", fix
        )
        typical = _typical(raw.opened_us[kept])
    if typical != expected:
        index = int(np.argmax(np.diff(raw.opened_us) != expected)) + 1
        when = utc_text(opened_at(raw.opened_us, index))
        raise corrupt(f"row {index + raw.first_row} ({when}): the bars are not {interval} apart", fix=fix)


def _typical(times: TimeArray) -> int:
    """Return the most frequent step between neighbours (0 when there is a single bar)."""
    import numpy as np

    steps, counts = np.unique(np.diff(times), return_counts=True)
    return int(steps[counts.argmax()]) if len(steps) else 0


def _series(raw: RawBars, kept: Mask) -> BarSeries:
    import numpy as np

    chosen = slice(None) if kept.all() else kept

    def column(values: FloatArray | None) -> FloatArray:
        found = np.full(len(raw.opened_us), np.nan) if values is None else values
        return np.ascontiguousarray(found[chosen], dtype=np.float64)

    return BarSeries(
        opened_us=np.ascontiguousarray(raw.opened_us[chosen], dtype=np.int64),
        open=column(raw.open),
        high=column(raw.high),
        low=column(raw.low),
        close=column(raw.close),
        volume=column(raw.volume),
    )


def _flags(raw: RawBars, series: BarSeries, kept: Mask) -> list[Flag]:
    import numpy as np

    rows = np.flatnonzero(kept) + raw.first_row
    jump = np.abs(np.diff(np.log(series.close), prepend=np.log(series.close[0]))) > np.log1p(_JUMP_RATIO)
    found = {
        int(index): f"the close jumps by a ratio of more than {_JUMP_RATIO}" for index in np.flatnonzero(jump)
    }
    if raw.open is not None:
        top, bottom = np.maximum(series.open, series.close), np.minimum(series.open, series.close)
        wick = (series.high > top * (1 + _JUMP_RATIO)) | (series.low < bottom / (1 + _JUMP_RATIO))
        found |= {
            int(index): f"a wick longer than a ratio of {_JUMP_RATIO}" for index in np.flatnonzero(wick)
        }
    high, low = (series.high, series.low) if raw.open is not None else (None, None)
    found |= {int(index): LEAP for index in np.flatnonzero(is_leap(series.close, high, low))}
    return [Flag(int(rows[at]), series.opened_at(at), why) for at, why in sorted(found.items())]


def _holes(series: BarSeries, interval: Interval) -> tuple[Hole, ...]:
    import numpy as np

    if interval is Interval.MONTH:
        return ()
    later = np.flatnonzero(np.diff(series.opened_us) > LONG_GAP_DAYS * _DAY_US) + 1
    return tuple(Hole(series.opened_at(at - 1), series.opened_at(at)) for at in later.tolist())


def _notes(raw: RawBars, series: BarSeries, dropped: int, interval: Interval) -> tuple[str, ...]:
    import numpy as np

    notes = []
    if dropped:
        notes.append(f"exact repeats of a bar dropped: {dropped}")
    if raw.open is None:
        notes.append("close only: no ranges, no opening prices, so it can be analysed but not traded")
    if raw.volume is None:
        notes.append("no volume: nothing that needs volume can be said")
    elif quiet := int((series.volume == 0).sum()):
        notes.append(f"bars without volume: {quiet}")
    steps = np.diff(series.opened_us)
    if interval is not Interval.MONTH and steps.max() > max(8 * _DAY_US, INTERVAL_US[interval]):
        index = int(steps.argmax())
        notes.append(
            f"longest gap: {int(steps[index] // _DAY_US)} days after {utc_text(series.opened_at(index))}"
        )
    return tuple(notes)
