"""An evaluation of the sizing as a trial, and its Sharpe ratio after every trial that is known.

Stage: evaluation (pure). The shells write the trial into the ledger; nothing here looks at a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from when_to_invest.backtest.named import SIZINGS
from when_to_invest.evaluation.report import Evaluation, known
from when_to_invest.honesty.sharpe import ReturnMoments, moments
from when_to_invest.honesty.trials import OVERLAY, TrialLedger, TrialRun, Tried, deflate, tried

if TYPE_CHECKING:
    from when_to_invest.evaluation.positions import Courses

STRATEGY: Final = "live sizing"


def overlay_moments(found: Evaluation, courses: Courses | None) -> ReturnMoments | None:
    """Return the moments of the position's returns; None where the evaluation judged no position."""
    if courses is None or found.overlay.sharpe is None:
        return None
    return moments(courses.sized.returns())


def overlay_trial(found: Evaluation, record: ReturnMoments, *, data_hash: str, code_version: str) -> Tried:
    """Return the evaluation as a trial of the sizing on this data and period."""
    run = TrialRun(
        strategy=STRATEGY,
        parameters={},
        start=found.start,
        end=found.end,
        data_hash=data_hash,
        code_version=code_version,
    )
    return tried(OVERLAY, found.instrument, run, record=record, bars=record.count)


def charged(found: Evaluation, record: ReturnMoments, ledger: TrialLedger) -> Evaluation:
    """Return the evaluation, its Sharpe ratio deflated by the design's trials and the ledger's.

    `ledger` holds the evaluation's own trial already.
    """
    luck = deflate(
        record,
        ledger,
        family=OVERLAY,
        earlier_trials=SIZINGS,
        # Worthless strategies differ in Sharpe ratio by their own error, 1 / sqrt(n) a bar.
        earlier_dispersion=record.count**-0.5,
    )
    overlay = found.overlay.model_copy(
        update={"trials": luck.trials, "deflated_sharpe": _rounded(luck.probability)}
    )
    return found.model_copy(update={"overlay": overlay})


def _rounded(value: float) -> float | None:
    finite = known(value)
    return None if finite is None else round(finite, 6) + 0.0
