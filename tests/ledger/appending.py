"""A process of its own that appends to a journal: PLACE NAME COUNT, or until it is killed without COUNT.

Prints the sequence it reached after each append, once that is durable. PLACE is a path, or a
database's url with the witness's path behind a space.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from tests.ledger.journals import drill
from tests.ledger.stores import journal_at
from when_to_invest.events import TradingStateChanged


def note(name: str, number: int) -> TradingStateChanged:
    """Return an event that tells who wrote it and in which order."""
    return drill(number).model_copy(update={"by": name})


def main(place: str, name: str, last: str | None = None) -> None:
    place, _, witnessed_at = place.partition(" ")
    journal = journal_at(place, Path(witnessed_at))
    for number in range(int(last)) if last else count():
        head = journal.append([note(name, number), note(name, number)])
        sys.stdout.write(f"{head.sequence}\n")
        sys.stdout.flush()
    journal.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
