"""Brings a PostgreSQL journal up to date as its owner: for `journal migrate`, never for a service."""

from __future__ import annotations

from home.ledger import LedgerSettings
from ledger.postgres_link import PostgresLink, translated
from ledger.postgres_schema import grant, migrate
from when_to_invest.errors import ErrorCode, Fault


def bring_up_to_date(owner_url: str, *, writer: str | None, reader: str | None) -> int:
    """Migrate the database at `owner_url`, set both roles' rights, and return the migration reached.

    Raises:
        Fault: `bad_argument` for a url that holds a password or names no database;
            `journal_unreadable`, `journal_unavailable` or `unauthenticated`.
    """
    try:
        LedgerSettings(url=owner_url)
    except ValueError as error:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "the owner's url cannot be used",
            fix="give postgresql://OWNER@HOST/DATABASE, the password in WHEN_TO_INVEST_LEDGER_PASSWORD",
        ) from error
    link = PostgresLink(owner_url)
    try:
        with translated("migrate the journal"):
            reached = migrate(link.connection)
            grant(link.connection, writer=writer, reader=reader)
    finally:
        link.close()
    return reached
