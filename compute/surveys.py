"""Surveys: the evaluation of many instruments, one task each, wherever there are workers.

Shell over the pure `evaluation.evaluate`. An instrument that cannot be judged is told and does
not end the survey. Outcomes of one instrument never reach another's task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from compute.code import code_fingerprint
from compute.runner import Progress, Runner, run_tasks
from compute.tasks import Task
from when_to_invest.errors import Fault
from when_to_invest.evaluation.charge import charged, overlay_moments, overlay_trial
from when_to_invest.evaluation.evaluate import evaluate
from when_to_invest.evaluation.report import Evaluation
from when_to_invest.honesty.sharpe import ReturnMoments
from when_to_invest.honesty.trials import Record, TrialLedger, Tried
from when_to_invest.market import Snapshot


@dataclass(frozen=True, slots=True)
class Period:
    """First and last day judged; None lets the evaluation choose."""

    start: date | None = None
    end: date | None = None


def run_survey(
    snapshots: Mapping[str, Snapshot],
    *,
    period: Period,
    runner: Runner,
    record: Record | None = None,
    progress: Progress = lambda done, total: None,  # noqa: ARG005 - by default nobody listens
) -> dict[str, Evaluation | Fault]:
    """Walk every instrument's forecasts forward and judge them; what cannot be judged is a fault.

    `record`: writes down the judged positions as trials; each is then deflated by all of them.

    Raises:
        Fault: when the runner cannot work, see `run_tasks`; what `record` raises.
    """
    found = run_tasks(_judged, snapshots, shared=period, runner=runner, progress=progress)
    sure = {name: each for name, each in found.items() if isinstance(each, _Judged)}
    held = {name: each for name, each in sure.items() if each.moments is not None}
    final = {name: each.evaluation if isinstance(each, _Judged) else each for name, each in found.items()}
    if record is not None and held:
        code = code_fingerprint()
        ledger = record(tuple(each.trial(snapshots[name], code) for name, each in held.items()))
        final |= {name: each.charged(ledger) for name, each in held.items()}
    return final


@dataclass(frozen=True, slots=True)
class _Judged:
    evaluation: Evaluation
    moments: ReturnMoments | None

    def trial(self, snapshot: Snapshot, code_version: str) -> Tried:
        return overlay_trial(
            self.evaluation, self._known, data_hash=snapshot.data_hash, code_version=code_version
        )

    def charged(self, ledger: TrialLedger) -> Evaluation:
        return charged(self.evaluation, self._known, ledger)

    @property
    def _known(self) -> ReturnMoments:
        if self.moments is None:
            raise LookupError("no position was judged")
        return self.moments


def _judged(period: Period, task: Task[Snapshot]) -> _Judged | Fault:
    try:
        found = evaluate(task.item, start=period.start, end=period.end)
    except Fault as fault:
        return fault
    return _Judged(found.evaluation, overlay_moments(found.evaluation, found.courses))
