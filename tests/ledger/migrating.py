"""A process of its own that migrates the journal at PATH and is killed at event LAST of filling an index."""

from __future__ import annotations

import sys
from pathlib import Path

from ledger import journal_schema
from ledger.sqlite_migrations import bring_file_up_to_date
from tests.ledger.earlier import killing_at, one_more


def main(path: str, last: str) -> None:
    journal_schema.MIGRATIONS = one_more(killing_at(int(last)))  # type: ignore[misc] - a version to come
    sys.stdout.write(f"{bring_file_up_to_date(Path(path))}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
