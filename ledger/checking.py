"""Checks a whole journal wherever it stands: a file byte by byte, a database or an export by its chain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from home.ledger import LedgerSettings
from home.paths import Home
from ledger.chain import Broken, StoredLink, follow
from ledger.journal import EMPTY, Head
from ledger.verify import FirstBad, Verification, verify_journal

NOT_WITNESSED: Final = "it is missing though the witness saw it"


def check_ledger(settings: LedgerSettings, home: Home) -> Verification:
    """Check the journal of `home`, which may be in use.

    Raises:
        Fault: `journal_unreadable`, `journal_unavailable` or `unauthenticated` when there is
            nothing to check.
    """
    if not settings.url:
        return verify_journal(home.journal)
    from ledger.postgres_journal import check_database

    return check_database(settings.url, home.journal_elsewhere)


def check_links(
    links: Iterable[StoredLink], *, witness: Head | None, problems: Iterable[str] = ()
) -> Verification:
    """Check that `links` are one whole chain that reaches `witness`; `problems` lie outside the events."""
    head, bad = EMPTY, None
    for stored in links:
        followed = follow(head, stored)
        if isinstance(followed, Broken):
            bad = FirstBad(head.sequence + 1, followed.why)
            break
        head = followed.head
        if witness is not None and head.sequence == witness.sequence and head != witness:
            bad = FirstBad(head.sequence, "the witness saw another event in its place")
            break
    if bad is None and witness is not None and head.sequence < witness.sequence:
        bad = FirstBad(head.sequence + 1, NOT_WITNESSED)
    if bad is None:
        bad = next((FirstBad(None, problem) for problem in problems), None)
    return Verification(bad is None, head.sequence, head, bad, witness is not None)
