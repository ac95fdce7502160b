"""Surveys: the evaluation of many instruments, one task each, wherever there are workers.

Shell over the pure `evaluation.evaluate`. An instrument that cannot be judged is told and does
not end the survey. Outcomes of one instrument never reach another's task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from compute.runner import Progress, Runner, run_tasks
from compute.tasks import Task
from when_to_invest.errors import Fault
from when_to_invest.evaluation.evaluate import evaluate
from when_to_invest.evaluation.report import Evaluation
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
    progress: Progress = lambda done, total: None,  # noqa: ARG005 - by default nobody listens
) -> dict[str, Evaluation | Fault]:
    """Walk every instrument's forecasts forward and judge them; what cannot be judged is a fault.

    Raises:
        Fault: when the runner cannot work, see `run_tasks`.
    """
    return run_tasks(_judged, snapshots, shared=period, runner=runner, progress=progress)


def _judged(period: Period, task: Task[Snapshot]) -> Evaluation | Fault:
    try:
        return evaluate(task.item, start=period.start, end=period.end).evaluation
    except Fault as fault:
        return fault
