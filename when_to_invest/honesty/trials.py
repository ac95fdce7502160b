"""The ledger of everything that was tried: without it no figure knows how lucky it is.

Stage: honesty (pure value; `home.trial_file` keeps it on disk). Trials are only ever added, each
names the one before it by hash, and the same parameters on the same data count once.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.honesty.sharpe import DeflatedSharpe, ReturnMoments, deflated_sharpe
from when_to_invest.values import Hash, Instant, Value

GENESIS: Final = "0" * 64
Label = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class Trial(Value):
    """One variant that was looked at on one instrument's history.

    `family`: what was being chosen, such as `overlay`. `parameters_hash`: SHA-256 of all that
    distinguishes it. `sharpe_per_bar`: its ratio in sample. `previous`: digest of the trial before.
    """

    id: Label
    at: Instant
    family: Label
    instrument: Label
    parameters_hash: Hash
    sharpe_per_bar: float
    bars: Annotated[int, Field(ge=1)]
    previous: Hash


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
