"""Whether a connection's file is a journal of this version's layout, its guards in place.

Asked each time a journal is opened; reads only, and never repairs.
"""

from __future__ import annotations

import sqlite3

from ledger import sqlite_files
from ledger.journal_schema import APPLICATION_ID, Layout, latest, layout_of
from when_to_invest.errors import ErrorCode, Fault


def demand_layout(connection: sqlite3.Connection) -> Layout:
    """Return the newest layout, refusing a file that has another or lacks one of its guards.

    Raises:
        Fault: `journal_unreadable` for a file of another kind, or of an older or newer layout;
            `journal_corrupt` when its catalogue is not the layout's.
    """
    found, needed = known_layout(connection), latest()
    if found.number < needed.number:
        raise Fault(
            ErrorCode.JOURNAL_UNREADABLE,
            f"the journal is at migration {found.number}, this version needs {needed.number}",
            fix="stop the services and run `when-to-invest journal migrate`; the events stay as they are",
        )
    demand_catalogue(connection, found)
    return found


def known_layout(connection: sqlite3.Connection) -> Layout:
    """Return the file's layout, which may be an older one.

    Raises:
        Fault: `journal_unreadable` for a file of another kind or of a newer layout.
    """
    kind, number = sqlite_files.kind_of(connection)
    if kind != APPLICATION_ID:
        raise Fault(
            ErrorCode.JOURNAL_UNREADABLE,
            f"the file is of kind {kind:#x}, not a journal's {APPLICATION_ID:#x}",
            fix="point --home at a directory this program made",
        )
    layout = layout_of(number)
    if layout is None:
        raise newer(number)
    return layout


def newer(number: int) -> Fault:
    """Return the fault of a file that says it has a layout this version does not know."""
    return Fault(
        ErrorCode.JOURNAL_UNREADABLE,
        f"the journal is at migration {number}, this version knows {latest().number} and none above",
        fix="run the version that wrote it, or a newer one; a journal is never taken back",
    )


def demand_catalogue(connection: sqlite3.Connection, layout: Layout) -> None:
    """Refuse a file whose tables or triggers are not those of `layout`.

    Raises:
        Fault: `journal_corrupt`, naming one.
    """
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall()
    expected = {(kind, name, table, sql) for kind, name, table, _, sql in layout.catalogue}
    strange = sorted(f"the {row[0]} {row[1]}" for row in expected.symmetric_difference(rows))
    if strange:
        raise Fault(
            ErrorCode.JOURNAL_CORRUPT,
            f"{strange[0]} of the journal is missing, changed or more than there should be",
            fix="stop trading, run `when-to-invest journal verify`, restore the journal from a backup",
        )
