"""Opens the journal that a home's settings name: its own file, or a PostgreSQL database."""

from __future__ import annotations

from home.ledger import LedgerSettings
from home.paths import Home
from ledger.journal import Journal
from ledger.sqlite_journal import open_journal


def open_ledger(settings: LedgerSettings, home: Home, *, is_read_only: bool = False) -> Journal:
    """Return the journal of `home`.

    Raises:
        Fault: what `open_journal` or `open_postgres_journal` raises.
    """
    if not settings.url:
        return open_journal(home.journal, is_read_only=is_read_only)
    from ledger.postgres_journal import open_postgres_journal

    return open_postgres_journal(settings.url, home.journal_elsewhere, is_read_only=is_read_only)


def has_ledger(settings: LedgerSettings, home: Home) -> bool:
    """Return whether there is a journal to read: a file may not be made yet."""
    return bool(settings.url) or home.journal.exists()
