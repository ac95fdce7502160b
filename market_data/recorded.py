"""The instruments every machine has: bars that ship inside the `arch` package.

Shell, read-only. The files are read where they lie, without importing `arch`, which would
take over a second. Origin: Yahoo Finance (S&P 500, NASDAQ Composite, daily 1999-2018) and
Kenneth French's library (US market, monthly total return from 1926).
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import Instrument, Interval, Session
from when_to_invest.market import BarSeries

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

_PER_HUNDRED: Final = 100.0
_INDEX_BASE: Final = 100.0
"""Value of the US market index before its first month."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded instrument: what it is, its file inside `arch/data`, and its reader."""

    instrument: Instrument
    file: str
    read: Callable[[list[dict[str, str]]], BarSeries]


def _microseconds(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1_000_000


def _session_date(text: str) -> int:
    month, day, year = text.split("/")
    return _microseconds(int(year), int(month), int(day))


def _daily(rows: list[dict[str, str]]) -> BarSeries:
    import numpy as np

    def column(name: str) -> FloatArray:
        return np.array([float(row[name]) for row in rows])

    return BarSeries(
        opened_us=np.array([_session_date(row["Date"]) for row in rows], dtype=np.int64),
        open=column("Open"),
        high=column("High"),
        low=column("Low"),
        close=column("Close"),
        volume=column("Volume"),
    )


def _monthly_market(rows: list[dict[str, str]]) -> BarSeries:
    """Chain (Mkt-RF) + RF, in percent a month, into a total-return index that starts at 100."""
    import numpy as np

    months = [(int(row["Date"][:4]), int(row["Date"][4:])) for row in rows]
    returns = np.array([float(row["Mkt-RF"]) + float(row["RF"]) for row in rows]) / _PER_HUNDRED
    unknown = np.full(len(rows), np.nan)
    index: FloatArray = np.float64(_INDEX_BASE) * np.cumprod(1.0 + returns, dtype=np.float64)
    return BarSeries(
        opened_us=np.array([_microseconds(year, month, 1) for year, month in months], dtype=np.int64),
        open=unknown,
        high=unknown,
        low=unknown,
        close=index,
        volume=unknown,
    )


def _daily_index(identity: str, name: str) -> Instrument:
    return Instrument(
        id=identity,
        name=name,
        interval=Interval.DAY,
        session=Session.EXCHANGE,
        has_range=True,
        has_volume=True,
        lot_size=Decimal("0.001"),
        tick_size_usd=Decimal("0.01"),
        min_notional_usd=Decimal(10),
    )


_US_MARKET: Final = Instrument(
    id="USMKT",
    name="US stock market, total return (monthly)",
    interval=Interval.MONTH,
    session=Session.EXCHANGE,
    has_range=False,
    has_volume=False,
    is_tradable=False,
    lot_size=Decimal("0.001"),
    tick_size_usd=Decimal("0.01"),
    min_notional_usd=Decimal(10),
)
RECORDINGS: Final = MappingProxyType(
    {
        "SPX": Recording(_daily_index("SPX", "S&P 500 index"), "sp500/sp500.csv.gz", _daily),
        "IXIC": Recording(_daily_index("IXIC", "NASDAQ Composite index"), "nasdaq/nasdaq.csv.gz", _daily),
        "USMKT": Recording(_US_MARKET, "frenchdata/frenchdata.csv.gz", _monthly_market),
    }
)


def _data_folder() -> Path:
    spec = find_spec("arch")
    if spec is None or not spec.submodule_search_locations:
        raise Fault(
            ErrorCode.NO_DATA,
            "the recorded bars are missing: the package `arch` is not installed",
            fix="install the `analysis` extra of when-to-invest",
        )
    return Path(spec.submodule_search_locations[0]) / "data"


@cache
def recorded_bars(instrument_id: str) -> BarSeries:
    """Return all bars of a recorded instrument, read once a process; arrays are read-only.

    Raises:
        Fault: `no_data` when the package that carries them is absent, `corrupt_data` when
            its file is damaged.
    """
    recording = RECORDINGS[instrument_id]
    try:
        with gzip.open(_data_folder() / recording.file, "rt", encoding="ascii", newline="") as lines:
            series = recording.read(list(csv.DictReader(lines)))
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise Fault(
            ErrorCode.CORRUPT_DATA,
            f"the recorded bars of {instrument_id} cannot be read",
            fix="reinstall the package `arch`",
        ) from error
    for column in (series.opened_us, series.open, series.high, series.low, series.close, series.volume):
        column.setflags(write=False)
    return series
