"""A second process that reads a long journal ahead, while this one makes events of it and folds them.

Stage: under the SQLite journal, when many events are to be read at once. It takes over fetching
and hashing, nothing else: what it hands over is compared with this process's own connection
block by block, and whatever ends it, the reading goes on without it from the last block.
"""

from __future__ import annotations

import marshal
import os
import select
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from ledger import sqlite_files
from ledger.forerunner import READY, SIZE_BYTES
from ledger.journal import Head

if TYPE_CHECKING:
    from subprocess import Popen

MANY: Final = 20_000
"""Events from which on a second process gains more than its start takes."""
PATIENCE_S: Final = 5.0
"""How long it may say nothing."""
_PIPE_BYTES: Final = 1 << 20
_PROGRAM: Final = (
    "import sys; sys.path.append(sys.argv[1]); from ledger.forerunner import main; main(sys.argv[2])"
)
_ROOT: Final = str(Path(__file__).resolve().parent.parent)


class Block(NamedTuple):
    """Events that follow one another: the hash of each, and its bytes."""

    hashes: list[str]
    events: list[bytes]


class Ahead:
    """What was read ahead, if anything is."""

    def __init__(self, process: Popen[bytes] | None) -> None:
        self._process = process
        self._begun: Head | None = None
        self._buffer = bytearray()

    def begin_after(self, head: Head) -> None:
        """Let the other process begin behind `head`, unless it is not ready yet, or has begun."""
        if self._process is None or self._begun is not None or not self._is_there(wait_s=0.0):
            return
        if self._read(len(READY)) == READY and self._process.stdin is not None:
            self._process.stdin.write(b"%d %b\n" % (head.sequence, head.hash.encode()))
            self._begun = head
        else:
            self.end()

    def blocks(self, hash_at: Callable[[int], str]) -> Iterator[Block]:
        """Yield what follows the head it began behind, until it ends; nothing before it has begun.

        `hash_at` says how this process finds the hash at a place; a block that ends otherwise
        is not handed out.
        """
        if self._begun is None:
            return
        sequence = self._begun.sequence
        while block := self._block():
            sequence += len(block.hashes)
            if not block.hashes or block.hashes[-1] != hash_at(sequence):
                break
            yield block
        self.end()

    def end(self) -> None:
        """End the other process. Ending it twice is allowed."""
        process, self._process, self._begun = self._process, None, None
        if process is not None:
            process.kill()
            with process:
                pass

    def _block(self) -> Block | None:
        size = self._read(SIZE_BYTES)
        content = self._read(int.from_bytes(size, "little")) if size else None
        return Block(*marshal.loads(content)) if content else None  # noqa: S302 - our own program's

    def _read(self, size: int) -> bytes | memoryview | None:
        """Return that many bytes, good until the next call; none when they do not come."""
        if len(self._buffer) < size:
            self._buffer = bytearray(size)
        view, filled = memoryview(self._buffer)[:size], 0
        while filled < size:
            got = self._into(view[filled:]) if self._is_there(wait_s=PATIENCE_S) else 0
            if not got:
                return None
            filled += got
        return view

    def _into(self, view: memoryview) -> int:
        output = self._process.stdout if self._process is not None else None
        return os.readv(output.fileno(), [view]) if output is not None else 0

    def _is_there(self, *, wait_s: float) -> bool:
        """Whether something can be read, or nothing ever will."""
        if self._process is None or self._process.stdout is None:
            return False
        asked = select.poll()
        asked.register(self._process.stdout, select.POLLIN)
        return bool(asked.poll(wait_s * 1_000))


@contextmanager
def reading_ahead(connection: sqlite3.Connection, *, events: int) -> Iterator[Ahead]:
    """Let another process read the connection's journal ahead during the body, if that is worth it."""
    is_worth_it = events >= MANY and _has_two_processors()
    ahead = Ahead(_started(sqlite_files.file_of(connection)) if is_worth_it else None)
    try:
        yield ahead
    finally:
        ahead.end()


def _has_two_processors() -> bool:
    return len(os.sched_getaffinity(0)) > 1


def _started(file: str) -> Popen[bytes] | None:
    """Start it with no variable and no file of ours; return nothing where that cannot be done."""
    import subprocess

    uri = f"{Path(file).as_uri()}?mode=ro"
    try:
        return subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, "-I", "-S", "-c", _PROGRAM, _ROOT, uri],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            bufsize=0,
            pipesize=_PIPE_BYTES,
        )
    except OSError:
        return None
