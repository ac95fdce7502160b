"""The ledger of everything that was tried: without it no figure knows how lucky it is.

Stage: honesty (pure value; `home.trial_file` keeps it on disk). Trials are only ever added, each
names the one before it by hash, and the same run of the same code on the same data counts once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from when_to_invest.canonical import digest, plain_canonical_bytes
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.sharpe import DeflatedSharpe, ReturnMoments, deflated_sharpe
from when_to_invest.values import Hash, Instant, Value

GENESIS: Final = "0" * 64
Label = Annotated[str, StringConstraints(min_length=1, max_length=80)]


STRATEGIES: Final = "strategies"
"""The family of backtests and sweeps: whichever way a rule was tried, the next one competes with it."""
OVERLAY: Final = "overlay"
"""The family of evaluations: the live sizing, as it was when it was judged."""


class TrialRun(Value):
    """What was run, for a reader of the ledger; everything but `skewness` and `kurtosis` identifies it.

    `strategy`: its name, or FILE.py:Class. `parameters`: settings and terms as text. `start`, `end`:
    the period. `data_hash`: of the bars. `code_version`: of the code that ran it, the user's own
    file included. The moments are those of its returns a bar, None where they never varied.
    """

    strategy: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    parameters: dict[str, str]
    start: str
    end: str
    data_hash: Hash
    code_version: Hash
    skewness: float | None = None
    kurtosis: float | None = None

    def identity(self) -> str:
        """Return the SHA-256 of all that distinguishes this run from another."""
        return digest(self.model_dump(mode="json", exclude={"skewness", "kurtosis"}))


@dataclass(frozen=True, slots=True)
class Tried:
    """What a caller knows of a trial; the ledger adds its identity and place."""

    family: str
    instrument: str
    parameters_hash: str
    sharpe_per_bar: float
    bars: int
    run: TrialRun | None = None


def tried(family: str, instrument: str, run: TrialRun, *, record: ReturnMoments | None, bars: int) -> Tried:
    """Return a run as a trial; without moments its returns never varied, and its ratio is 0."""
    known: Mapping[str, float] = (
        {} if record is None else {"skewness": record.skewness, "kurtosis": record.kurtosis}
    )
    return Tried(
        family=family,
        instrument=instrument,
        parameters_hash=run.identity(),
        sharpe_per_bar=0.0 if record is None else record.sharpe,
        bars=bars,
        run=run.model_copy(update=dict(known)),
    )


class Trial(Value):
    """One variant that was looked at on one instrument's history.

    `family`: what was being chosen, such as `overlay`. `parameters_hash`: SHA-256 of all that
    distinguishes it. `sharpe_per_bar`: its ratio in sample. `previous`: digest of the trial before.
    `run`: what it was; None for trials written before it was kept.
    """

    id: Label
    at: Instant
    family: Label
    instrument: Label
    parameters_hash: Hash
    sharpe_per_bar: float
    bars: Annotated[int, Field(ge=1)]
    previous: Hash
    run: TrialRun | None = None

    def canonical(self) -> bytes:
        """Return the bytes that are written and hashed; without a run, those of older ledgers."""
        return plain_canonical_bytes(
            self.model_dump(mode="json", exclude=None if self.run is not None else {"run"})
        )


class TrialLedger(Value):
    """All trials, oldest first."""

    trials: tuple[Trial, ...] = ()

    @property
    def head(self) -> str:
        """Digest of the newest trial: what the next one names as `previous`."""
        return self.trials[-1].digest() if self.trials else GENESIS

    def append(self, *trials: Trial) -> TrialLedger:
        """Return the ledger with more trials, each checked against the one before it.

        Raises:
            Fault: `bad_argument` when an id is taken, `corrupt_data` when one does not follow.
        """
        head, taken = self.head, {known.id for known in self.trials}
        for trial in trials:
            if trial.previous != head:
                raise Fault(
                    ErrorCode.CORRUPT_DATA,
                    f"trial {trial.id!r} does not follow the one before it",
                    fix="restore the ledger; a trial was changed, removed or put in between",
                )
            if trial.id in taken:
                raise Fault(
                    ErrorCode.BAD_ARGUMENT, f"trial {trial.id!r} was recorded before", fix="name it anew"
                )
            taken.add(trial.id)
            head = trial.digest()
        return TrialLedger(trials=(*self.trials, *trials))

    def distinct(self, family: str) -> tuple[Trial, ...]:
        """Return the first trial of each (instrument, parameters) of a family."""
        found: dict[tuple[str, str], Trial] = {}
        for trial in self.trials:
            if trial.family == family:
                found.setdefault((trial.instrument, trial.parameters_hash), trial)
        return tuple(found.values())

    def dispersion(self, family: str) -> float:
        """Return the standard deviation (n - 1) of the family's Sharpe ratios per bar, 0 below two."""
        from statistics import stdev

        ratios = [trial.sharpe_per_bar for trial in self.distinct(family)]
        return stdev(ratios) if len(ratios) > 1 else 0.0


Record = Callable[[tuple[Tried, ...]], TrialLedger]
"""Writes down what was tried and returns all trials ever, these included."""


def deflate(
    record: ReturnMoments,
    ledger: TrialLedger,
    *,
    family: str,
    earlier_trials: int = 0,
    earlier_dispersion: float = 0.0,
) -> DeflatedSharpe:
    """Return the deflated Sharpe ratio of `record` after every trial of its family.

    Args:
        record: moments of the chosen variant's returns.
        ledger: all that was tried since the ledger exists.
        family: which trials compete with this one.
        earlier_trials: variants looked at before the ledger existed.
        earlier_dispersion: standard deviation of their ratios per bar; the larger of it and the
            ledger's is used, so that few recorded trials cannot hide many earlier ones.

    Raises:
        Fault: `bad_argument` as `luck_hurdle`.
    """
    return deflated_sharpe(
        record,
        trials=max(1, len(ledger.distinct(family)) + earlier_trials),
        dispersion=max(ledger.dispersion(family), earlier_dispersion),
    )
