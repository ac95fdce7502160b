"""Sweeps: every configuration of a grid followed wherever there are workers, then judged here.

Shell over pure work. The pieces do not depend on how many workers there are. It must never give
a best configuration without its trials.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from compute.code import code_fingerprint
from compute.runner import Progress, Runner, run_tasks
from compute.tasks import Task
from when_to_invest.backtest.grid import Configuration
from when_to_invest.backtest.luck import looked_at, run_of
from when_to_invest.backtest.sweep_report import (
    FAMILY,
    Rerun,
    SweepReport,
    bars_a_year,
    rerun,
    sweep_report,
)
from when_to_invest.backtest.trial import Trial
from when_to_invest.backtest.variants import RULES, Variants, excess_returns
from when_to_invest.honesty.selection import select
from when_to_invest.honesty.trials import Record, Tried

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

RULES_A_TASK: Final = 64
"""Machine code follows so many in a few hundredths of a second; any other strategy is a task alone."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is swept, where, and under which seed; `best`: how many configurations are told."""

    variants: Variants
    trial: Trial
    runner: Runner
    seed: int = 0
    best: int = 5


def run_sweep(
    sweep: Sweep,
    record: Record,
    *,
    progress: Progress = lambda done, total: None,  # noqa: ARG005 - by default nobody listens
) -> SweepReport:
    """Follow every configuration, write down all of them as trials, and judge the best.

    Raises:
        Fault: what `run_tasks` and the strategies raise.
    """
    excess = sweep_returns(sweep, progress=progress)
    ledger = record(_tried(sweep, excess))
    selection = select(excess, ledger, family=FAMILY, bars_per_year=bars_a_year(sweep.trial), best=sweep.best)
    finalists = {
        str(configuration): configuration
        for configuration in (sweep.variants.configurations[one.place] for one in selection.best)
    }
    # Five runs of a rule are over before a worker has started.
    nearest = Runner() if sweep.variants.strategy in RULES else sweep.runner
    reruns = run_tasks(
        _rerun, finalists, shared=(sweep.variants.strategy, sweep.trial), runner=nearest, seed=sweep.seed
    )
    return sweep_report(sweep.variants, sweep.trial, selection=selection, reruns=tuple(reruns.values()))


def sweep_returns(
    sweep: Sweep,
    *,
    progress: Progress = lambda done, total: None,  # noqa: ARG005 - by default nobody listens
) -> FloatArray:
    """Return every configuration's returns above cash (k, m), the same bytes from any runner.

    Raises:
        Fault: what `run_tasks` and the strategies raise.
    """
    import numpy as np

    variants = sweep.variants
    size = RULES_A_TASK if variants.strategy in RULES else 1
    starts = range(0, len(variants.configurations), size)
    parts = {f"configurations from {start}": variants.part(start, start + size) for start in starts}
    found = run_tasks(
        _followed, parts, shared=sweep.trial, runner=sweep.runner, seed=sweep.seed, progress=progress
    )
    return np.concatenate(list(found.values()))


def _tried(sweep: Sweep, excess: FloatArray) -> tuple[Tried, ...]:
    strategy, trial, code = sweep.variants.strategy, sweep.trial, code_fingerprint()
    return tuple(
        looked_at(
            trial,
            run_of(strategy, trial, settings=dict(each.settings), code_version=code),
            excess=row,
        )
        for each, row in zip(sweep.variants.configurations, excess, strict=True)
    )


def _followed(trial: Trial, task: Task[Variants]) -> FloatArray:
    return excess_returns(task.item, trial)


def _rerun(shared: tuple[str, Trial], task: Task[Configuration]) -> Rerun:
    strategy, trial = shared
    return rerun(strategy, task.item, trial, seed=task.seed)
