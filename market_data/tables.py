"""Reads a bar file a person brings, Parquet or CSV (also gzipped), into plain columns.

Shell, first step of an import. It only parses; whether the bars make sense is judged by
`quality`. Never guesses: a time without a zone, or in another zone than UTC, is refused.
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    import pyarrow as pa

    from when_to_invest.market import FloatArray, TimeArray

PRICE_COLUMNS: Final = ("open", "high", "low", "close")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_FIRST_ROW: Final = 2
"""Line of the first bar in a CSV file with a header."""


@dataclass(frozen=True, slots=True)
class RawBars:
    """Columns as read, n rows in file order; an absent column is None.

    `opened_us`: int64 microseconds since 1970 UTC. `first_row`: number a person would give
    the first bar (2 in a CSV file, whose first line is the header; else 1).
    """

    opened_us: TimeArray
    open: FloatArray | None
    high: FloatArray | None
    low: FloatArray | None
    close: FloatArray
    volume: FloatArray | None
    first_row: int


def corrupt(what: str, *, fix: str) -> Fault:
    """Return the fault of a file that breaks the rules of bars."""
    return Fault(ErrorCode.CORRUPT_DATA, what, fix=fix)


def read_bars(path: Path) -> RawBars:
    """Read `path`, whose columns are `ts`, `close` and optionally open, high, low, volume.

    Raises:
        Fault: `bad_argument` when the file is missing or of another kind; `corrupt_data`
            naming the first row that cannot be parsed.
    """
    if not path.is_file():
        raise Fault(ErrorCode.BAD_ARGUMENT, f"{path.name} is not a file", fix="give the path of a bar file")
    name = path.name.lower()
    if name.endswith(".parquet"):
        return _read_parquet(path)
    if name.endswith((".csv", ".csv.gz")):
        return _read_csv(path)
    raise Fault(
        ErrorCode.BAD_ARGUMENT,
        f"{path.name} is neither Parquet nor CSV",
        fix="bring a .parquet, .csv or .csv.gz file",
    )


def _check_columns(names: Sequence[str]) -> None:
    if "ts" not in names or "close" not in names:
        missing = [name for name in ("ts", "close") if name not in names]
        raise corrupt(
            f"the column {missing[0]!r} is missing; there are {', '.join(names) or 'none'}",
            fix="name the columns ts, open, high, low, close, volume (ts and close at least)",
        )
    present = [name for name in PRICE_COLUMNS if name in names]
    if len(present) not in {1, len(PRICE_COLUMNS)}:
        raise corrupt(
            f"the columns {', '.join(present)} are neither a full bar nor a close alone",
            fix="give all of open, high, low, close, or close only",
        )


def _assemble(
    names: Sequence[str], times: TimeArray, numbers: Callable[[str], FloatArray], first_row: int
) -> RawBars:
    def optional(name: str) -> FloatArray | None:
        return numbers(name) if name in names else None

    return RawBars(
        opened_us=times,
        open=optional("open"),
        high=optional("high"),
        low=optional("low"),
        close=numbers("close"),
        volume=optional("volume"),
        first_row=first_row,
    )


def _read_parquet(path: Path) -> RawBars:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise corrupt(f"{path.name} is not readable Parquet", fix="export the file again") from error
    _check_columns(table.column_names)

    def numbers(name: str) -> FloatArray:
        column = table.column(name)
        if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
            raise corrupt(f"the column {name!r} holds {column.type}, not numbers", fix="write it as float64")
        values: FloatArray = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return values

    return _assemble(table.column_names, _parquet_times(table), numbers, 1)


def _parquet_times(table: pa.Table) -> TimeArray:
    import pyarrow as pa

    column = table.column("ts")
    if column.null_count:
        raise corrupt("the column 'ts' has empty rows", fix="give every bar its opening time")
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("us", tz="UTC"))
    if not pa.types.is_timestamp(column.type) or column.type.tz is None:
        raise corrupt(
            f"the column 'ts' holds {column.type}, which names no instant",
            fix="write ts as a timestamp in UTC",
        )
    if column.type.tz.upper() not in {"UTC", "ETC/UTC", "+00:00", "Z"}:
        raise corrupt(f"the column 'ts' is in {column.type.tz}", fix="convert ts to UTC")
    times: TimeArray = (
        column.cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.int64()).to_numpy(zero_copy_only=False)
    )
    return times


def _read_csv(path: Path) -> RawBars:
    opener: Any = gzip.open if path.name.lower().endswith(".gz") else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.reader(lines))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise corrupt(f"{path.name} is not a readable CSV file", fix="export the file again") from error
    names = [name.strip() for name in rows[0]] if rows else []
    _check_columns(names)
    body = rows[1:]
    for index, row in enumerate(body):
        if len(row) != len(names):
            raise corrupt(
                f"row {index + _FIRST_ROW} has {len(row)} fields, the header {len(names)}",
                fix="export the file again",
            )

    def cells(name: str) -> list[str]:
        position = names.index(name)
        return [row[position] for row in body]

    return _assemble(names, _csv_times(cells("ts")), lambda name: _csv_numbers(name, cells(name)), _FIRST_ROW)


def _csv_numbers(name: str, cells: list[str]) -> FloatArray:
    import numpy as np

    values = np.empty(len(cells))
    for index, cell in enumerate(cells):
        try:
            values[index] = float(cell) if cell.strip() else float("nan")
        except ValueError as error:
            raise corrupt(
                f"row {index + _FIRST_ROW}: {name} is {cell[:40]!r}, not a number", fix="correct that row"
            ) from error
    return values


def _csv_times(cells: list[str]) -> TimeArray:
    import numpy as np

    times = np.empty(len(cells), dtype=np.int64)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for index, cell in enumerate(cells):
        moment = _utc_instant(cell.strip(), row=index + _FIRST_ROW) - epoch
        times[index] = (moment.days * 86_400 + moment.seconds) * 1_000_000 + moment.microseconds
    return times


def _utc_instant(text: str, *, row: int) -> datetime:
    """Parse one cell of `ts`; a plain date is a session date, midnight UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise corrupt(
            f"row {row}: ts is {text[:40]!r}, not an ISO 8601 time", fix="write ts as 2020-01-31T00:00:00Z"
        ) from error
    if _DATE.fullmatch(text):
        return instant.replace(tzinfo=UTC)
    if instant.tzinfo is None:
        raise corrupt(f"row {row}: ts {text!r} has no time zone", fix="write ts in UTC with a Z")
    if instant.utcoffset():
        raise corrupt(f"row {row}: ts {text!r} is a local time", fix="convert ts to UTC")
    return instant
