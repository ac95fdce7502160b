"""A process of its own that appends to a journal: NAME COUNT, or until it is killed without COUNT.

Prints the sequence it reached after each append, once that is durable.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from ledger.sqlite_journal import open_journal
from tests.ledger.journals import drill
from when_to_invest.events import TradingStateChanged


def note(name: str, number: int) -> TradingStateChanged:
    """Return an event that tells who wrote it and in which order."""
    return drill(number).model_copy(update={"by": name})


def main(path: str, name: str, last: str | None = None) -> None:
    journal = open_journal(Path(path))
    for number in range(int(last)) if last else count():
        head = journal.append([note(name, number), note(name, number)])
        sys.stdout.write(f"{head.sequence}\n")
        sys.stdout.flush()
    journal.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
