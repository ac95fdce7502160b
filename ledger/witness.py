"""A small file beside the journal that remembers how far it reached.

A hash chain cannot see that its newest links are missing: a lost write-ahead log or an
older copy of the file checks just as well. The witness is written after each commit, so it
may lag behind the journal and must never be ahead of it. It holds no authority: nothing is
ever folded from it.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ledger.journal import Head
from when_to_invest.errors import ErrorCode, Fault

SUFFIX: Final = ".head"
_LINE: Final = re.compile(rb"(\d{20} [0-9a-f]{64}) ([0-9a-f]{16})\n")
_SIZE: Final = 103
_TRIES: Final = 50


def witness_path(journal: Path) -> Path:
    """Return where the witness of the journal at `journal` stands."""
    return journal.with_name(journal.name + SUFFIX)


def read_witness(journal: Path) -> Head | None:
    """Return the furthest head that was witnessed, or none when there is no witness.

    Raises:
        Fault: `journal_corrupt` when the file is no witness; `journal_unreadable` when it
            cannot be read.
    """
    path = witness_path(journal)
    for _ in range(_TRIES):
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Fault(
                ErrorCode.JOURNAL_UNREADABLE,
                f"{path.name} cannot be read: {error.strerror}",
                fix="check its permissions",
            ) from error
        # A writer in the middle of its line is seen once, not fifty times.
        if (head := _parsed(text)) is not None:
            return head
    raise Fault(
        ErrorCode.JOURNAL_CORRUPT,
        f"{path.name}, which witnesses the journal's head, is damaged",
        fix="compare the journal with a backup; delete the file only once you know its tail is whole",
    )


class Witness:
    """Writes the head in place after each commit; one process may lag behind another."""

    def __init__(self, journal: Path) -> None:
        path = witness_path(journal)
        path.touch(mode=0o600)
        self._file = path.open("r+b", buffering=0)

    def saw(self, head: Head) -> None:
        """Remember `head` unless a later one is remembered.

        Never fails: the commit it follows is durable already, and a witness that lags
        accuses nobody.
        """
        with suppress(OSError):
            self._file.seek(0)
            known = _parsed(self._file.read(_SIZE))
            if known is None or known.sequence < head.sequence:
                self._file.seek(0)
                self._file.write(_line(head))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _line(head: Head) -> bytes:
    body = b"%020d %b" % (head.sequence, head.hash.encode())
    return b"%b %b\n" % (body, _check(body))


def _check(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest()[:16].encode()


def _parsed(text: bytes) -> Head | None:
    match = _LINE.fullmatch(text)
    if match is None or match[2] != _check(match[1]):
        return None
    sequence, _, own_hash = match[1].partition(b" ")
    return Head(int(sequence), own_hash.decode())
