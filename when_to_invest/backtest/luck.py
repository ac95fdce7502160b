"""A run as a trial, and what its Sharpe ratio is worth after every trial that is known.

Stage: backtest (pure). The shells write the trial into the ledger; nothing here looks at a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

from when_to_invest.backtest.report import UNKNOWN_TRIALS, Backtest
from when_to_invest.canonical import utc_text
from when_to_invest.errors import Fault
from when_to_invest.honesty.sharpe import ReturnMoments, moments
from when_to_invest.honesty.trials import STRATEGIES, TrialLedger, TrialRun, Tried, deflate, tried

if TYPE_CHECKING:
    from when_to_invest.backtest.trial import Trial
    from when_to_invest.market import FloatArray

CHARGED: Final = (
    "{trials} trials are charged to the Sharpe ratio: {here} in this home's ledger and {design} when the "
    "product was made. The best of many looks good by luck; trials made elsewhere are unknown here."
)


def run_of(strategy: str, trial: Trial, *, settings: Mapping[str, object], code_version: str) -> TrialRun:
    """Return what identifies a run.

    Args:
        strategy: its name, or FILE.py:Class.
        trial: bars, period and terms.
        settings: parameters that were chosen.
        code_version: SHA-256 of the code, the strategy's own file included.
    """
    bars = trial.snapshot.bars
    arriving = int((trial.arrivals > 0.0).sum())
    terms = {name: repr(value) for name, value in asdict(trial.terms).items()}
    return TrialRun(
        strategy=strategy,
        parameters=terms
        | {"arrivals": str(arriving)}
        | {name: repr(each) for name, each in settings.items()},
        start=utc_text(bars.opened_at(trial.first)),
        end=utc_text(bars.opened_at(-1)),
        data_hash=trial.snapshot.data_hash,
        code_version=code_version,
    )


def looked_at(trial: Trial, run: TrialRun, *, excess: FloatArray) -> Tried:
    """Return the run with these returns above cash (m,) as a trial."""
    return tried(STRATEGIES, trial.snapshot.instrument.id, run, record=_moments(excess), bars=len(excess))


def excess_of(result: Backtest) -> FloatArray:
    """Return a backtest's returns above cash (m,)."""
    course = result.course
    excess: FloatArray = course.returns() - course.cash_returns()
    return excess


def charged(result: Backtest, ledger: TrialLedger, *, design_trials: int) -> Backtest:
    """Return the backtest with its deflated Sharpe ratio.

    Args:
        result: a run whose trial stands in the ledger already.
        ledger: all trials of the home.
        design_trials: variants looked at when the product was made, before any ledger.
    """
    here = len(ledger.distinct(STRATEGIES))
    said = CHARGED.format(trials=here + design_trials, here=here, design=design_trials)
    record = _moments(excess_of(result))
    return replace(
        result,
        trials=here + design_trials,
        deflated_sharpe=None if record is None else _deflated(record, ledger, design_trials),
        notes=tuple(said if note == UNKNOWN_TRIALS else note for note in result.notes),
    )


def _deflated(record: ReturnMoments, ledger: TrialLedger, design_trials: int) -> float:
    # Worthless strategies differ in Sharpe ratio by their own error, 1 / sqrt(n) a bar.
    return deflate(
        record,
        ledger,
        family=STRATEGIES,
        earlier_trials=design_trials,
        earlier_dispersion=record.count**-0.5,
    ).probability


def _moments(excess: FloatArray) -> ReturnMoments | None:
    """Return the moments, None where the returns are too few or hardly vary."""
    if not float(excess.std()) > _STILL:
        return None
    try:
        return moments(excess)
    except Fault:
        return None


_STILL: Final = 1e-12
