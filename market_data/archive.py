"""Keeps each recommendation with the data it was made from, so that it can be made again.

Shell. `recommendations/<id>.json` and `snapshots/<hash>.npz`, or `.parquet` for very many bars,
which it packs twenty times as fast; both are named by content, so storing twice changes nothing,
and a file that no longer fits its name is refused.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from home.paths import Home
from market_data.durable import write_atomically
from when_to_invest.canonical import canonical_bytes, utc_text
from when_to_invest.decision.recommendation import Recommendation
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import Instrument
from when_to_invest.market import BarSeries, Snapshot

_ID: Final = re.compile(r"r-[0-9a-f]{24}")
MANY_BARS: Final = 50_000
_ORIGIN: Final = b"origin"
_COLUMNS: Final = ("opened_us", "open", "high", "low", "close", "volume")


def store(home: Home, recommendation: Recommendation, snapshot: Snapshot) -> None:
    """Write the snapshot, then the recommendation that cites it; each file atomically.

    Raises:
        Fault: `bad_argument` when the two do not belong together, `storage_failed` when
            the disk refuses.
    """
    if recommendation.snapshot_hash != snapshot.hash:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"{recommendation.id} was not made from this snapshot",
            fix="store the snapshot that was analysed",
        )
    text = _text_path(home, recommendation.id)
    is_large = len(snapshot.bars) >= MANY_BARS
    data = _snapshot_path(home, snapshot.hash, kind=".parquet" if is_large else ".npz")
    if not data.exists():
        write = _write_many if is_large else _write_snapshot
        write_atomically(data, lambda fresh: write(fresh, snapshot))
    if not text.exists():
        write_atomically(text, lambda fresh: fresh.write_bytes(recommendation.canonical() + b"\n"))


def load(home: Home, recommendation_id: str) -> tuple[Recommendation, Snapshot]:
    """Return a stored recommendation and its snapshot, whose hash is checked again.

    Raises:
        Fault: `unknown_recommendation`, or `corrupt_data` when a file was altered.
    """
    path = _text_path(home, recommendation_id)
    if not _ID.fullmatch(recommendation_id) or not path.is_file():
        raise Fault(
            ErrorCode.UNKNOWN_RECOMMENDATION,
            f"no recommendation {recommendation_id[:40]!r} was recorded here",
            fix="use the id that `when-to-invest recommend` printed, with the same --home",
        )
    try:
        recommendation = Recommendation.model_validate_json(path.read_bytes())
        snapshot = _read(home, recommendation.snapshot_hash)
    except (OSError, ValidationError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise _altered(recommendation_id) from error
    if snapshot.hash != recommendation.snapshot_hash or recommendation.id != recommendation_id:
        raise _altered(recommendation_id)
    return recommendation, snapshot


def recommendation_expiry(home: Home, recommendation_id: str, *, instrument: str) -> datetime:
    """Return until when a stored recommendation of `instrument` counts.

    Raises:
        Fault: as `load`, or `bad_argument` when it speaks of another instrument.
    """
    recommendation, _ = load(home, recommendation_id)
    if recommendation.instrument != instrument:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"{recommendation_id} speaks of {recommendation.instrument}, not of {instrument}",
            fix=f"cite a recommendation of {instrument}, or none",
        )
    return recommendation.expires_at


def stored_ids(home: Home) -> tuple[str, ...]:
    """Return the ids of all stored recommendations, in the order of their names."""
    names = (path.stem for path in home.recommendations.glob("r-*.json"))
    return tuple(sorted(name for name in names if _ID.fullmatch(name)))


def _text_path(home: Home, recommendation_id: str) -> Path:
    return home.recommendations / f"{recommendation_id}.json"


def _snapshot_path(home: Home, snapshot_hash: str, *, kind: str) -> Path:
    return home.snapshots / f"{snapshot_hash}{kind}"


def _read(home: Home, snapshot_hash: str) -> Snapshot:
    many = _snapshot_path(home, snapshot_hash, kind=".parquet")
    return _read_many(many) if many.exists() else _read_snapshot(many.with_suffix(".npz"))


def _altered(recommendation_id: str) -> Fault:
    return Fault(
        ErrorCode.CORRUPT_DATA,
        f"the record of {recommendation_id} is missing a part or was altered",
        fix="restore it from a backup; it cannot be trusted as it is",
    )


def _origin(snapshot: Snapshot) -> bytes:
    return canonical_bytes(
        {"instrument": snapshot.instrument.model_dump(mode="json"), "as_of": utc_text(snapshot.as_of)}
    )


def _write_snapshot(path: Path, snapshot: Snapshot) -> None:
    import numpy as np

    columns = {name: getattr(snapshot.bars, name) for name in _COLUMNS}
    with path.open("wb") as handle:
        np.savez_compressed(handle, origin=np.frombuffer(_origin(snapshot), dtype=np.uint8), **columns)


def _write_many(path: Path, snapshot: Snapshot) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({name: getattr(snapshot.bars, name) for name in _COLUMNS})
    pq.write_table(
        table.replace_schema_metadata({_ORIGIN: _origin(snapshot)}),
        path,
        compression="zstd",
        compression_level=1,
        use_dictionary=False,
        use_byte_stream_split=True,
        write_statistics=False,
    )


def _read_snapshot(path: Path) -> Snapshot:
    import numpy as np

    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
        return _made(stored["origin"].tobytes(), BarSeries(**{name: stored[name] for name in _COLUMNS}))


def _read_many(path: Path) -> Snapshot:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error
    bars = BarSeries(**{name: table.column(name).to_numpy() for name in _COLUMNS})
    return _made(table.schema.metadata[_ORIGIN], bars)


def _made(stored: bytes, bars: BarSeries) -> Snapshot:
    origin = json.loads(stored)
    return Snapshot(
        instrument=Instrument.model_validate_json(json.dumps(origin["instrument"])),
        as_of=datetime.fromisoformat(origin["as_of"]),
        bars=bars,
    )
