"""A process of its own that meets one misfortune at the journal PATH, and prints what it was told as JSON.

`sync PATH`: appends five times, then the disk syncs no more. `read-only PATH`: gives up the
right to write everywhere, then opens, reads and appends.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from ledger.live import LiveLedger
from ledger.sqlite_journal import open_journal
from ledger.verify import verify_journal
from tests.ledger.failing_disk import fail_every_sync
from tests.ledger.journals import drill
from when_to_invest.errors import Fault

NOBODY = 65534


def told(call: Callable[[], object]) -> str:
    """Return the code of the fault that `call` ends with, or `done`."""
    try:
        call()
    except Fault as fault:
        return fault.code.value
    return "done"


def sync(path: Path) -> dict[str, object]:
    """Append, then append on a disk that fails, then append again."""
    journal = open_journal(path)
    answered = [journal.append([drill(number)]).sequence for number in range(1, 6)]
    fail_every_sync()
    failed = [told(lambda number=number: journal.append([drill(number)])) for number in (6, 7)]  # type: ignore[misc]
    # No closing, no tidying up: the process ends as if the power had gone.
    return {"answered": answered[-1], "failed": failed}


def read_only(path: Path) -> dict[str, object]:
    """Open for writing and for reading, and verify, where nothing can be written."""
    if os.geteuid() == 0:
        os.setegid(NOBODY)
        os.seteuid(NOBODY)

    def read() -> None:
        LiveLedger(open_journal(path, is_read_only=True)).refresh()

    return {
        "write": told(lambda: open_journal(path)),
        "read": told(read),
        "verified": verify_journal(path).events,
    }


def main(what: str, path: str) -> None:
    result = {"sync": sync, "read-only": read_only}[what](Path(path))
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
