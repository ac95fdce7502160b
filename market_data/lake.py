"""The lake: bar files that people imported, checked once, kept as Parquet below `--home`.

Shell. Layout: `lake/<ID>/<interval>.parquet` (a `/` in the id is written `~`), whose own
metadata hold the instrument and the import's report, and `meta.json`, which names the
interval that is analysed, the one imported last, and its flags and gaps. Every file is renamed
into place whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError

from home.paths import Home
from market_data.durable import write_atomically
from market_data.import_report import NOT_IN_DOLLARS, ImportReport, report_of
from market_data.quality import INTERVAL_US, Cleaned, check_clock, clean_bars, clean_series
from market_data.recorded import RECORDINGS
from market_data.tables import RawBars, corrupt, read_bars
from when_to_invest.canonical import canonical_bytes
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import Instrument, InstrumentId, Interval, Session
from when_to_invest.market import EXCHANGE_CLOSE, BarSeries

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

    from when_to_invest.market import FloatArray

_META_KEY: Final = b"when_to_invest"
_SUNDAY_SHIFT: Final = 3
"""1970-01-01 was a Thursday, day 3 of a week that starts on Monday."""
_SATURDAY: Final = 5
_DAY_US: Final = 86_400_000_000
_MICROSECOND: Final = timedelta(microseconds=1)
_DOLLARS: Final = frozenset({"USD", "USDT", "USDC", "BUSD", "DAI", "FDUSD"})
_SIGNIFICANT_TICKS: Final = 6
_SEPARATORS: Final = ("/", "-")


@dataclass(frozen=True, slots=True)
class LakeEntry:
    """One imported instrument: what it is, where its bars lie, and how the import went."""

    instrument: Instrument
    path: Path
    report: ImportReport


def import_file(
    home: Home,
    path: Path,
    *,
    instrument: str,
    interval: Interval,
    venue: str = "",
    now: datetime | None = None,
) -> ImportReport:
    """Check a bar file and take it into the lake under the id `instrument`.

    Args:
        home: where the lake is.
        path: Parquet, CSV or gzipped CSV.
        instrument: id to keep it as.
        interval: length of a bar.
        venue: where the data come from.
        now: the real present (aware), not a replayed one: a bar that opens later is refused.
            None believes every date.

    Raises:
        Fault: `corrupt_data` naming the first bad row, `bad_argument` for an unusable id or
            file; the lake is then unchanged.
    """
    _check_id(instrument)
    raw = read_bars(path)
    if now is not None:
        check_clock(raw, now=now)
    cleaned = clean_bars(raw, interval=interval)
    described = _describe(cleaned, instrument=instrument, interval=interval, venue=venue)
    notes = () if _is_in_dollars(instrument) else (NOT_IN_DOLLARS,)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    report = report_of(cleaned, described, notes=notes, sha256=sha256)
    _keep(_folder(home, instrument), cleaned.series, instrument=described, report=report)
    return report


def _keep(folder: Path, series: BarSeries, *, instrument: Instrument, report: ImportReport) -> None:
    """Write the bars, then the pointer that names them."""
    write_atomically(
        folder / f"{instrument.interval}.parquet",
        lambda fresh: _write_parquet(fresh, series, instrument=instrument, report=report),
    )
    known = {"id": instrument.id, "interval": instrument.interval.value, **report.findings()}
    pointer = canonical_bytes(known) + b"\n"
    write_atomically(folder / "meta.json", lambda fresh: fresh.write_bytes(pointer))


def lake_ids(home: Home) -> tuple[str, ...]:
    """Return the ids of all imported instruments, sorted."""
    if not home.lake.is_dir():
        return ()
    return tuple(sorted(found.parent.name.replace("~", "/") for found in home.lake.glob("*/meta.json")))


def lake_entry(home: Home, instrument_id: str) -> LakeEntry | None:
    """Return the imported instrument of that id, or None.

    Raises:
        Fault: `corrupt_data` when its files no longer fit together.
    """
    if not _is_id(instrument_id):
        return None  # a text that could be no id must not become a path
    pointer = _folder(home, instrument_id) / "meta.json"
    try:
        interval = Interval(json.loads(pointer.read_text(encoding="utf-8"))["interval"])
        path = pointer.with_name(f"{interval}.parquet")
        return _entry(path, path.stat().st_mtime_ns, path.stat().st_size)
    except FileNotFoundError as error:
        if not pointer.exists():
            return None
        raise _damaged(instrument_id) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(instrument_id) from error


def lake_bars(entry: LakeEntry) -> BarSeries:
    """Return all bars of an imported instrument, checked again; arrays are read-only.

    Raises:
        Fault: `corrupt_data` when the file was damaged after its import.
    """
    status = entry.path.stat()
    return _bars(entry.path, status.st_mtime_ns, status.st_size)


def _is_id(text: str) -> bool:
    try:
        TypeAdapter(InstrumentId).validate_python(text, strict=True)
    except ValidationError:
        return False
    return True


def _check_id(instrument: str) -> None:
    if not _is_id(instrument):
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"{instrument!r} is no instrument id",
            fix="use up to 24 of A-Z 0-9 . _ / - such as BTC/USDT",
        )
    if instrument in RECORDINGS:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"{instrument} is a recorded instrument and cannot be replaced",
            fix="import under another id",
        )


def _folder(home: Home, instrument: str) -> Path:
    return home.lake / instrument.replace("/", "~")


def _damaged(what: str) -> Fault:
    return corrupt(f"the imported bars of {what} are damaged", fix="import the file again")


def _session(series: BarSeries, interval: Interval) -> Session:
    """Bars of weekdays alone belong to an exchange; finer ones if none ends after its close, too."""
    if interval is Interval.MONTH:
        return Session.EXCHANGE
    weekday = (series.opened_us // _DAY_US + _SUNDAY_SHIFT) % 7
    ends = series.opened_us % _DAY_US + INTERVAL_US[interval]
    is_late = interval is not Interval.DAY and bool((ends > EXCHANGE_CLOSE // _MICROSECOND).any())
    return Session.CONTINUOUS if is_late or bool((weekday >= _SATURDAY).any()) else Session.EXCHANGE


def _is_in_dollars(instrument: str) -> bool:
    """Whether prices are USD: a pair quoted in something else is analysed, never traded."""
    for separator in _SEPARATORS:
        base, found, quote = instrument.rpartition(separator)
        if found and base:
            return quote in _DOLLARS
    return True


def _tick(price: float) -> Decimal:
    """A power of ten that leaves about six significant digits, at most one cent."""
    magnitude = Decimal(repr(price)).adjusted()
    return min(Decimal(1).scaleb(magnitude - _SIGNIFICANT_TICKS + 1), Decimal("0.01"))


def _describe(cleaned: Cleaned, *, instrument: str, interval: Interval, venue: str) -> Instrument:
    session = _session(cleaned.series, interval)
    return Instrument(
        id=instrument,
        name=instrument if not venue else f"{instrument} ({venue})",
        interval=interval,
        session=session,
        has_range=cleaned.has_range,
        has_volume=cleaned.has_volume,
        venue=venue,
        is_tradable=cleaned.has_range and interval is not Interval.MONTH and _is_in_dollars(instrument),
        lot_size=Decimal("0.001") if session is Session.EXCHANGE else Decimal("0.00001"),
        # From the first close: bars that come later must not change what the instrument is.
        tick_size_usd=_tick(float(cleaned.series.close[0])),
        min_notional_usd=Decimal(10),
    )


def _write_parquet(path: Path, series: BarSeries, *, instrument: Instrument, report: ImportReport) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    facts = {"instrument": instrument.model_dump(mode="json"), "report": report.model_dump(mode="json")}
    columns = {
        "ts": pa.array(series.opened_us, type=pa.timestamp("us", tz="UTC")),
        **{name: pa.array(getattr(series, name)) for name in ("open", "high", "low", "close", "volume")},
    }
    table = pa.table(columns).replace_schema_metadata({_META_KEY: canonical_bytes(facts)})
    pq.write_table(table, path, compression="zstd", write_page_checksum=True)


@lru_cache(maxsize=64)
def _entry(path: Path, modified_ns: int, size: int) -> LakeEntry:  # noqa: ARG001  cache key: a new file is read again
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata: Mapping[bytes, bytes] = pq.read_schema(path).metadata or {}
        facts = json.loads(metadata[_META_KEY])
        return LakeEntry(
            instrument=Instrument.model_validate_json(json.dumps(facts["instrument"])),
            path=path,
            report=ImportReport.model_validate_json(json.dumps(facts["report"])),
        )
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise _damaged(path.parent.name.replace("~", "/")) from error


@lru_cache(maxsize=8)
def _bars(path: Path, modified_ns: int, size: int) -> BarSeries:
    import pyarrow as pa
    import pyarrow.parquet as pq

    entry = _entry(path, modified_ns, size)
    try:
        # `pq.read_table` would load the data set machinery, and pandas with it, for one file.
        table = pq.ParquetFile(path, page_checksum_verification=True).read()
    except (pa.ArrowException, OSError) as error:
        raise _damaged(entry.instrument.id) from error
    series = clean_series(_raw(table, entry.instrument), interval=entry.instrument.interval)
    for column in (series.opened_us, series.open, series.high, series.low, series.close, series.volume):
        column.setflags(write=False)
    return series


def _raw(table: pa.Table, instrument: Instrument) -> RawBars:
    import pyarrow as pa

    def column(name: str, *, is_known: bool) -> FloatArray | None:
        return _numbers(table.column(name)) if is_known else None

    times = pa.chunked_array([chunk.view(pa.int64()) for chunk in table.column("ts").chunks], pa.int64())
    return RawBars(
        opened_us=_numbers(times),
        open=column("open", is_known=instrument.has_range),
        high=column("high", is_known=instrument.has_range),
        low=column("low", is_known=instrument.has_range),
        close=_numbers(table.column("close")),
        volume=column("volume", is_known=instrument.has_volume),
        first_row=1,
    )


def _numbers(column: pa.ChunkedArray) -> Any:
    """Return a column without nulls; `to_numpy` would load pandas for it."""
    import numpy as np

    return np.concatenate([np.from_dlpack(chunk) for chunk in column.chunks])
