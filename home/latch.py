"""The kill switch that needs nothing but a disk: one small file a halt, looked at before every write.

Stage: every process that writes outward (queue, venue, chain), right before it does. The
latch works while the model, the queue and the journal are down. It only tightens: a file
that is torn, edited or unreadable halts the whole system. Lifting is for whoever has
verified a quorum's signatures; this module cannot judge that and never lifts by itself.

# INVARIANT: once `quiet` has returned True after a `drop`, nothing is sent in the dropped scope.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from home.clock import WallClock
from when_to_invest.breakers import SCOPE_PATTERN, SYSTEM, Halt, TradingState
from when_to_invest.canonical import canonical_bytes, utc_text
from when_to_invest.errors import ErrorCode, Fault

_OWNER_ONLY: Final = 0o600
_GATE: Final = ".writing"
_POLL_S: Final = 0.005
_LARGEST_BYTES: Final = 4096
_NAME: Final = re.compile(r"(h-[0-9a-f]{16})\.json")
_FIELDS: Final = ("scope", "state", "at", "by", "why")
UNREADABLE: Final = "latch"
"""Who a halt is by when its file cannot be read."""
_WHO: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_LONGEST_WHY: Final = 200


class Switch(Protocol):
    """What a process that writes outward needs of the latch."""

    def read(self) -> tuple[Halt, ...]:
        """Return every halt in force, oldest first."""
        ...

    def writing(self) -> AbstractContextManager[tuple[Halt, ...]]:
        """Announce a write outward, and hand out the halts in force at this very moment."""
        ...

    def drop(self, halt: Halt) -> Halt:
        """Put the latch down and return it with its id."""
        ...

    def lift(self, latch_ids: Collection[str]) -> int:
        """Take away the named latches, for a caller that has verified the quorum."""
        ...


class Latch:
    """The latches of one home; making one touches nothing on disk."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self) -> tuple[Halt, ...]:
        """Return every halt in force, oldest first; what cannot be read halts the system."""
        try:
            with os.scandir(self._directory) as found:
                names = [entry.name for entry in found if not entry.name.startswith(".")]
        except FileNotFoundError:
            return ()
        except OSError as error:
            return (_unreadable("", f"the latch directory cannot be read: {error.strerror}"),)
        return tuple(sorted(filter(None, map(self._read_one, names)), key=lambda halt: halt.at))

    def drop(self, halt: Halt) -> Halt:
        """Put the latch down, durably, and return it with its id. Halts from this moment on.

        Raises:
            Fault: `bad_argument` when it says nothing strict; `storage_failed` when not even
                an empty file could be made, so nothing is halted.
        """
        _check(halt)
        named = replace(halt, latch_id="h-" + secrets.token_hex(8))
        path = self._directory / f"{named.latch_id}.json"
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                self._write(path, _line(named))
            except OSError:
                # A full disk still has room for a name, and an empty latch halts everything.
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY))
            self._sync()
        except OSError as error:
            raise Fault(
                ErrorCode.STORAGE_FAILED,
                f"the latch could not be written: {error.strerror}; NOTHING IS HALTED",
                fix="end the services with `when-to-invest down`, and cancel open orders at the venue",
            ) from error
        return named

    @contextmanager
    def writing(self) -> Iterator[tuple[Halt, ...]]:
        """Announce a write outward, and hand out the halts in force at this very moment.

        Whoever writes looks at them inside the block, and writes inside the block or not at all.
        """
        with self._gate() as gate:
            fcntl.flock(gate, fcntl.LOCK_SH)
            yield self.read()

    def quiet(self, *, timeout_s: float) -> bool:
        """Return whether every write that was under way has ended, waiting at most `timeout_s`."""
        deadline_s = time.monotonic() + timeout_s
        with self._gate() as gate:
            while True:
                with suppress(BlockingIOError):
                    fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return True
                if time.monotonic() >= deadline_s:
                    return False
                time.sleep(_POLL_S)

    def lift(self, latch_ids: Collection[str]) -> int:
        """Take away the named latches; return how many there were.

        Only for a caller that has verified the quorum which lifted them.

        Raises:
            Fault: `storage_failed` when a file would not go; it goes on halting.
        """
        lifted = 0
        try:
            for path in self._directory.iterdir() if self._directory.is_dir() else ():
                if not path.name.startswith(".") and _id_of(path.name) in latch_ids:
                    path.unlink(missing_ok=True)
                    lifted += 1
            if lifted:
                self._sync()
        except OSError as error:
            raise Fault(
                ErrorCode.STORAGE_FAILED,
                f"a lifted latch could not be taken away: {error.strerror}",
                fix="check the permissions of --home; trading stays halted until it is gone",
            ) from error
        return lifted

    def _read_one(self, name: str) -> Halt | None:
        try:
            with (self._directory / name).open("rb") as file:
                content = file.read(_LARGEST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            return _unreadable(name, f"the latch {name[:40]} cannot be read: {error.strerror}")
        try:
            return _parsed(content, latch_id=_id_of(name))
        except (ValueError, KeyError, TypeError, Fault):
            return _unreadable(name, f"the latch {name[:40]} is damaged")

    def _write(self, path: Path, line: bytes) -> None:
        fresh = path.with_name(f".{path.name}.new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            fresh.rename(path)
        finally:
            fresh.unlink(missing_ok=True)

    def _sync(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def _gate(self) -> Iterator[int]:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            gate = os.open(self._directory / _GATE, os.O_RDWR | os.O_CREAT, _OWNER_ONLY)
        except OSError as error:
            raise Fault(
                ErrorCode.STORAGE_FAILED,
                f"the latch directory cannot be used: {error.strerror}; nothing is sent",
                fix="check the permissions and free space of --home",
            ) from error
        try:
            yield gate
        finally:
            os.close(gate)


def _check(halt: Halt) -> None:
    if halt.state is TradingState.ACTIVE or re.fullmatch(SCOPE_PATTERN, halt.scope) is None:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"{halt.scope[:60]!r} is no scope that can be halted",
            fix="use system, account:NAME, venue:NAME or instrument:ID",
        )
    if _WHO.fullmatch(halt.by) is None or len(halt.why) > _LONGEST_WHY or not halt.why.isprintable():
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            "a halt is by a lower-case name, for a reason of one line and at most 200 characters",
            fix="shorten --reason, or leave it out",
        )


def _told(halt: Halt) -> dict[str, str]:
    return {
        "scope": halt.scope,
        "state": halt.state.value,
        "at": utc_text(halt.at),
        "by": halt.by,
        "why": halt.why,
    }


def _line(halt: Halt) -> bytes:
    told = _told(halt)
    return json.dumps({**told, "check": _digest(told)}, ensure_ascii=False).encode() + b"\n"


def _digest(told: dict[str, Any]) -> str:
    return hashlib.sha256(canonical_bytes(told)).hexdigest()


def _parsed(content: bytes, *, latch_id: str) -> Halt:
    """Return the halt that a file holds.

    Raises:
        ValueError, KeyError, TypeError, Fault: it holds none, or not the one that was written.
    """
    told = json.loads(content)
    fields = {name: told[name] for name in _FIELDS}
    if set(told) != {*_FIELDS, "check"} or told["check"] != _digest(fields):
        raise ValueError("not what was written")
    at = datetime.fromisoformat(fields["at"])
    halt = Halt(fields["scope"], TradingState(fields["state"]), at, fields["by"], fields["why"], latch_id)
    _check(halt)
    return halt


def _id_of(name: str) -> str:
    """Return a latch's id; a file of another name gets one from its name."""
    match = _NAME.fullmatch(name)
    return match[1] if match else "h-" + hashlib.sha256(os.fsencode(name)).hexdigest()[:16]


def _unreadable(name: str, why: str) -> Halt:
    """Return the halt that stands for what cannot be read; without a name it has no id."""
    latch_id = _id_of(name) if name else ""
    return Halt(SYSTEM, TradingState.HALTED, WallClock().now(), UNREADABLE, why, latch_id)
