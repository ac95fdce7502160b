"""Hands the journal to an auditor: one table, people covered, with what each file must hash to.

The table's `hash` column is the chain's own, so every row can be matched with the journal;
the redacted event no longer hashes to it, and the manifest says so. Written beside the
target and moved into place at the end: there is never half an export.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

from ledger.journal import EMPTY, Head, Journal, Recorded
from ledger.redaction import Redactor
from ledger.retention import CLASSES, retention_of
from when_to_invest.canonical import canonical_bytes, plain_canonical_bytes, utc_text
from when_to_invest.errors import ErrorCode, Fault

_MEANINGS: Final = {
    "sequence": "place in the journal, from 1, without a gap",
    "at": "instant of the event, UTC",
    "kind": "what happened",
    "mode": "replay, paper or live: only live moved money",
    "decision_id": "one proposal, from the gate to its last fill",
    "account": "account at the venue",
    "venue": "where the order went, or would have",
    "instrument": "what was traded, or would have been",
    "side": "buy or sell",
    "quantity": "base units, of the order or the fill",
    "price_usd": "price of a fill or a mark in US dollars a unit; empty elsewhere",
    "retention_class": "which rule says how long it is kept; see `retention`",
    "keep_until": "earliest instant at which it may be deleted, UTC",
    "previous_hash": "SHA-256 of the event before it, 64 zeros for the first",
    "hash": "SHA-256 of the event, its place and `previous_hash`, before redaction",
    "event": "the whole event as JSON, people's names and words as pseudonyms",
}
COLUMNS: Final = tuple(_MEANINGS)
_COPIED: Final = COLUMNS[3:11]
_BATCH: Final = 10_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@unique
class Format(StrEnum):
    """What an auditor's table is written as."""

    CSV = "csv"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written where."""

    table: Path
    manifest: Path
    rows: int
    head: Head


def export_for_audit(
    journal: Journal, directory: Path, *, form: Format, redactor: Redactor, at: datetime
) -> Exported:
    """Write `journal.csv` or `.parquet` and `manifest.json` into `directory`, which is made.

    Raises:
        Fault: `storage_failed` when it cannot be written; `journal_corrupt` at the first event
            that does not check, in which case nothing is left behind.
    """
    table, manifest = directory / f"journal.{form.value}", directory / "manifest.json"
    told = _Told()
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        rows = (_row(recorded, redactor) for recorded in told.over(journal.read()))
        _written(table, lambda file: _WRITERS[form](file, rows))
        summary = _summary(table, told, redactor=redactor, at=at)
        _written(manifest, lambda file: file.write(canonical_bytes(summary) + b"\n"))
    except OSError as error:
        raise Fault(
            ErrorCode.STORAGE_FAILED,
            f"the export cannot be written: {error.strerror}",
            fix="check free space and permissions of the directory",
        ) from error
    return Exported(table, manifest, told.head.sequence, told.head)


class _Told:
    """Counts what passes by."""

    def __init__(self) -> None:
        self.head = EMPTY
        self.kinds: dict[str, int] = {}

    def over(self, journal: Iterable[Recorded]) -> Iterator[Recorded]:
        for recorded in journal:
            yield recorded
            self.head = recorded.head
            self.kinds[recorded.event.kind] = self.kinds.get(recorded.event.kind, 0) + 1


def _row(recorded: Recorded, redactor: Redactor) -> dict[str, Any]:
    event = recorded.event
    redacted = redactor.redacted(event.model_dump(mode="json"))
    fields = redacted if isinstance(redacted, dict) else {}
    about = fields | _dict(fields.get("intent"))
    retention = retention_of(event.kind)
    return {
        "sequence": recorded.sequence,
        "at": utc_text(event.at),
        "kind": event.kind,
        **{name: _text(about.get(name)) for name in _COPIED},
        "retention_class": retention.name,
        "keep_until": utc_text(retention.keep_until(event.at)),
        "previous_hash": recorded.previous_hash,
        "hash": recorded.hash,
        "event": plain_canonical_bytes(redacted).decode(),
    }


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _as_csv(file: IO[bytes], rows: Iterator[dict[str, Any]]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _harmless(cell) for name, cell in row.items()} for row in rows)
    text.flush()
    text.detach()


def _harmless(cell: object) -> object:
    """Keep a spreadsheet from running a cell as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _as_parquet(file: IO[bytes], rows: Iterator[dict[str, Any]]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([(name, pa.int64() if name == "sequence" else pa.string()) for name in COLUMNS])
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while batch := list(islice(rows, _BATCH)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))


_WRITERS: Final[dict[Format, Callable[[IO[bytes], Iterator[dict[str, Any]]], None]]] = {
    Format.CSV: _as_csv,
    Format.PARQUET: _as_parquet,
}


def _written(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file beside `path`, sync it, and move it there; leave nothing when it fails."""
    beside = path.with_name(f".{path.name}.partial")
    try:
        with beside.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _summary(table: Path, told: _Told, *, redactor: Redactor, at: datetime) -> dict[str, Any]:
    with table.open("rb") as file:
        content_hash = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "made_at": utc_text(at),
        "files": {table.name: {"sha256": content_hash, "bytes": table.stat().st_size}},
        "columns": list(COLUMNS),
        "meanings": _MEANINGS,
        "events": told.head.sequence,
        "head": told.head.hash,
        "kinds": told.kinds,
        "retention": {kept.name: {"years": kept.years, "source": kept.source} for kept in CLASSES},
        "redaction": {
            "key": redactor.fingerprint,
            "method": "HMAC-SHA256 of names and free text; `hash` is that of the event before redaction",
            "reading": "p-... is a pseudonym: the same for the same name or text wherever it stands",
        },
        "checking": "`when-to-invest journal export --format jsonl` writes the same events unredacted;"
        " `when-to-invest journal verify --file` checks that every `hash` follows from its event",
    }
