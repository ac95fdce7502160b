"""How this package speaks to PostgreSQL: one durable connection, renewed when it is lost.

The password comes from the environment and is never part of a message, a log or the
configuration. Nothing here knows what the database holds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[object, ...]]

PASSWORD_VARIABLE: Final = "WHEN_TO_INVEST_LEDGER_PASSWORD"  # noqa: S105 - the variable's name
CONNECT_TIMEOUT_S: Final = 10
BUSY_TIMEOUT_MS: Final = 10_000
_OPTIONS: Final = " ".join(
    f"-c {name}={value}"
    for name, value in {
        "synchronous_commit": "on",
        "lock_timeout": BUSY_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": 3 * BUSY_TIMEOUT_MS,
        "default_transaction_isolation": r"read\ committed",
        "search_path": "pg_catalog",
    }.items()
)
_CONTENDED: Final = frozenset({"55P03", "57014", "40P01", "40001"})
"""SQLSTATEs of a lock that was not had in time, and of races that the server ended."""
_FULL: Final = frozenset({"53100", "53200", "53400", "58030"})
_DENIED: Final = frozenset({"28000", "28P01"})
_ABSENT: Final = frozenset({"3D000", "42P01", "3F000", "42501"})
_DAMAGED: Final = frozenset({"XX000", "XX001", "XX002"})


class PostgresLink:
    """A connection in autocommit mode; `connection` is a fresh one after a loss."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None
        self.is_over = False

    @property
    def connection(self) -> Connection:
        """Return a connection that is not known to be lost.

        Raises:
            psycopg.Error: the server does not let us in.
        """
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = connect(self._url)
        return self._connection

    def close(self) -> None:
        """Close the connection. Closing twice is allowed."""
        self.is_over = True
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def connect(url: str) -> Connection:
    """Return a connection that commits durably, in autocommit mode.

    Raises:
        psycopg.Error: the server does not answer or does not let us in.
        Fault: `journal_unreadable` when the library is not installed.
    """
    try:
        import psycopg
    except ModuleNotFoundError as error:
        raise Fault(
            ErrorCode.JOURNAL_UNREADABLE,
            "ledger.url names a PostgreSQL server, but psycopg is not installed",
            fix='install the extra: pip install "when-to-invest[postgres]"',
        ) from error
    return psycopg.connect(
        url,
        password=os.environ.get(PASSWORD_VARIABLE),
        autocommit=True,
        connect_timeout=CONNECT_TIMEOUT_S,
        application_name="when-to-invest",
        options=_OPTIONS,
    )


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn psycopg's errors into faults; a server's words about a row never leave this place."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise _fault(error.sqlstate, doing) from error


def _fault(state: str | None, doing: str) -> Fault:
    if state in _CONTENDED:
        return Fault(
            ErrorCode.JOURNAL_CONFLICT,
            f"cannot {doing}: another process holds the journal ({state})",
            fix="try again; look for a session that stays idle in a transaction",
        )
    if state in _DAMAGED:
        return Fault(
            ErrorCode.JOURNAL_CORRUPT,
            f"cannot {doing}: the server reports damage ({state})",
            fix="stop trading and restore the database from a backup",
        )
    if state in _DENIED:
        return Fault(
            ErrorCode.UNAUTHENTICATED,
            f"cannot {doing}: the server refuses this role or its password ({state})",
            fix=f"correct the role in ledger.url, or {PASSWORD_VARIABLE}",
        )
    if state in _ABSENT:
        return Fault(
            ErrorCode.JOURNAL_UNREADABLE,
            f"cannot {doing}: there is no journal there for this role ({state})",
            fix="run `when-to-invest journal migrate` as the owner, naming this role",
        )
    if state in _FULL or (state is not None and not state.startswith(("08", "57P"))):
        return Fault(
            ErrorCode.STORAGE_FAILED,
            f"cannot {doing}: the server could not store it (SQLSTATE {state})",
            fix="check the server's disk, limits and log",
        )
    return Fault(
        ErrorCode.JOURNAL_UNAVAILABLE,
        f"cannot {doing}: the database does not answer",
        fix="check the server and ledger.url, then try again; nothing that was answered is lost",
    )
