"""How `journal export` writes: every event with its hashes, or a table for auditors without people."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from home.paths import Home
    from ledger.journal import Journal


def export_lines(journal: Journal, to: Path | None) -> None:
    """Write every event as a line of JSON with its links, to a file or to standard output.

    Raises:
        Fault: `storage_failed` when the file cannot be written, or what reading raises.
    """
    from when_to_invest.canonical import plain_canonical_bytes

    lines = (
        plain_canonical_bytes(
            {
                "sequence": row.sequence,
                "previous_hash": row.previous_hash,
                "hash": row.hash,
                "event": row.event.model_dump(mode="json"),
            }
        )
        + b"\n"
        for row in journal.read()
    )
    if to is None:
        sys.stdout.buffer.writelines(lines)
        return
    try:
        with to.open("wb") as file:
            file.writelines(lines)
    except OSError as error:
        raise Fault(
            ErrorCode.STORAGE_FAILED,
            f"{to} cannot be written: {error.strerror}",
            fix="check the directory, its permissions and its free space; what is there is no whole export",
        ) from error


@dataclass(frozen=True, slots=True)
class AuditTable:
    """Where a table for auditors goes, as what, and under whose pseudonyms."""

    to: Path | None
    form: str
    key_file: Path | None
    home: Home


def export_table(journal: Journal, table: AuditTable, *, as_json: bool) -> None:
    """Write the table and its manifest into a directory, and say where.

    Raises:
        Fault: `bad_argument` without a directory, or what exporting raises.
    """
    from cli.output import console, print_json
    from home.clock import WallClock
    from ledger.audit_export import Format, export_for_audit
    from ledger.redaction_key import redactor_of

    if table.to is None:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"{table.form} is written into a directory, and none is given",
            fix="add --to DIRECTORY",
        )
    key = table.key_file or table.home.keys / "redaction.key"
    redactor = redactor_of(key, may_make=table.key_file is None)
    done = export_for_audit(
        journal, table.to, form=Format(table.form), redactor=redactor, at=WallClock().now()
    )
    if as_json:
        told = {"table": str(done.table), "manifest": str(done.manifest)}
        print_json({**told, "events": done.rows, "head": done.head.hash})
    else:
        console().print(
            f"[bold green]exported[/] {done.rows} events to {done.table}; see {done.manifest.name}"
        )
