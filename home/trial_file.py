"""The trial ledger on disk: one JSON line a trial, appended and synced, never rewritten.

Shell. The pure value is `when_to_invest.honesty.trials`; each line names the line before by
hash, so a trial that was changed, or taken out from between others, is noticed at the next read.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from pydantic import ValidationError

from when_to_invest.canonical import digest
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.trials import Trial, TrialLedger
from when_to_invest.values import Instant


@dataclass(frozen=True, slots=True)
class Tried:
    """What a caller knows of a trial; the file adds its identity and place."""

    family: str
    instrument: str
    parameters_hash: str
    sharpe_per_bar: float
    bars: int


def read_trials(path: Path) -> TrialLedger:
    """Return the ledger kept at `path`, empty when there is none yet.

    Raises:
        Fault: `corrupt_data` when a line is damaged, changed or missing; `storage_failed`.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            return _parsed(lines)
    except FileNotFoundError:
        return TrialLedger()
    except OSError as error:
        raise _storage(path) from error


def record_trials(path: Path, tried: Sequence[Tried], *, at: Instant) -> TrialLedger:
    """Append what was tried and return the ledger; concurrent writers wait for each other.

    A trial with known family, instrument and parameters is not written again.

    Raises:
        Fault: as `read_trials`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            ledger = _parsed(file)
            grown = _extended(ledger, tried, at=at)
            new = grown.trials[len(ledger.trials) :]
            file.write("".join(trial.canonical().decode() + "\n" for trial in new))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _storage(path) from error
    return grown


def _extended(ledger: TrialLedger, tried: Sequence[Tried], *, at: Instant) -> TrialLedger:
    known = {(each.family, each.instrument, each.parameters_hash) for each in ledger.trials}
    head, new = ledger.head, []
    for each in tried:
        key = (each.family, each.instrument, each.parameters_hash)
        if key in known:
            continue
        known.add(key)
        trial = Trial(id="t-" + digest(list(key))[:24], at=at, previous=head, **asdict(each))
        head = trial.digest()
        new.append(trial)
    return ledger.append(*new)


def _parsed(lines: TextIO) -> TrialLedger:
    try:
        return TrialLedger().append(*(Trial.model_validate_json(line) for line in lines))
    except (ValidationError, UnicodeDecodeError) as error:
        raise Fault(
            ErrorCode.CORRUPT_DATA,
            "the trial ledger holds a line that is no trial",
            fix="restore the file from a copy; without all trials no figure can be deflated",
        ) from error


def _storage(path: Path) -> Fault:
    return Fault(
        ErrorCode.STORAGE_FAILED, f"the trial ledger {path} cannot be used", fix="check disk and permissions"
    )
