"""The trial ledger on disk: one JSON line a trial, appended and synced, never rewritten.

Shell. The pure value is `when_to_invest.honesty.trials`; each line names the line before by
hash, so a trial that was changed, or taken out from between others, is noticed at the next read.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TextIO

from home.clock import clock_of
from home.paths import Home
from home.settings import read_settings
from when_to_invest.canonical import digest
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.trials import Record, Trial, TrialLedger, Tried
from when_to_invest.values import Instant, Mode


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


def recorder(home: Home, *, data_as_of: datetime) -> Record:
    """Return what appends to the home's own ledger, dated by its clock.

    `data_as_of`: the date where no replay was ever started.
    """

    def record(tried: tuple[Tried, ...]) -> TrialLedger:
        mode = read_settings(home).mode
        is_untouched = mode is Mode.REPLAY and not home.clock.exists()
        at = data_as_of if is_untouched else clock_of(home, mode).now()
        return record_trials(home.make().trials, tried, at=at)

    return record


def _extended(ledger: TrialLedger, tried: Sequence[Tried], *, at: Instant) -> TrialLedger:
    known = {(each.family, each.instrument, each.parameters_hash) for each in ledger.trials}
    head, new = ledger.head, []
    for each in tried:
        key = (each.family, each.instrument, each.parameters_hash)
        if key in known:
            continue
        known.add(key)
        trial = Trial(
            id="t-" + digest(list(key))[:24],
            at=at,
            family=each.family,
            instrument=each.instrument,
            parameters_hash=each.parameters_hash,
            sharpe_per_bar=each.sharpe_per_bar,
            bars=each.bars,
            previous=head,
            run=each.run,
        )
        head = trial.digest()
        new.append(trial)
    return ledger.append(*new)


def _parsed(lines: TextIO) -> TrialLedger:
    found: list[Trial] = []
    try:
        for line in lines:
            found.append(_trial(line))  # noqa: PERF401 - how many were good is told
    except ValueError as error:
        raise Fault(
            ErrorCode.CORRUPT_DATA,
            f"the trial ledger holds a line that is no trial, after {len(found)} good ones",
            fix="restore the file from a copy; without all trials no figure can be deflated",
        ) from error
    return TrialLedger().append(*found)


def _trial(line: str) -> Trial:
    """Return the trial of a line.

    Raises:
        ValueError: when it is none, or was never finished.
    """
    if not line.endswith("\n"):
        raise ValueError("the line was cut")
    return Trial.model_validate_json(line)


def _storage(path: Path) -> Fault:
    return Fault(
        ErrorCode.STORAGE_FAILED, f"the trial ledger {path} cannot be used", fix="check disk and permissions"
    )
