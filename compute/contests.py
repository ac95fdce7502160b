"""Contests of models over many instruments: every family is learnt without, wherever there are workers.

Shell over the pure `models.unseen`. A task trains incumbent and challengers year by year on all
series but one family's, and judges them on that family; only squared errors travel back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compute.runner import Progress, Runner, run_tasks
from compute.tasks import Task
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.market import Snapshot
from when_to_invest.models.contest_scores import Contest
from when_to_invest.models.unseen import Family, Losses, Question, contest_of, unseen_losses

ALL = "all unseen"


@dataclass(frozen=True, slots=True)
class UnseenContest:
    """Who won on each instrument that nobody had seen, and on all of them together."""

    each: tuple[Contest, ...]
    together: Contest


def run_contest(
    snapshots: Mapping[str, Snapshot],
    families: Sequence[Family],
    *,
    question: Question,
    runner: Runner,
    progress: Progress = lambda done, total: None,  # noqa: ARG005 - by default nobody listens
) -> UnseenContest:
    """Judge the challengers on every family, each time taught by all other series.

    Raises:
        Fault: `bad_argument` when a family is not in the pool, `history_too_short` when nothing
            can be judged, and when the runner cannot work, see `run_tasks`.
    """
    missing = sorted({name for kin in families for name in kin.judged} - set(snapshots))
    if missing:
        raise Fault(ErrorCode.BAD_ARGUMENT, f"the pool has no {', '.join(missing)}", fix="leave them out")
    found = run_tasks(
        _judged,
        {" ".join(kin.judged): kin for kin in families},
        shared=(dict(snapshots), question),
        runner=runner,
        seed=question.seed,
        progress=progress,
    )
    losses = {name: each for kin in found.values() for name, each in kin.items()}
    taught = {name: each.data_hash for name, each in snapshots.items()}
    outside = {
        name: {other: known for other, known in taught.items() if other not in kin.without}
        for kin in families
        for name in kin.judged
    }
    return UnseenContest(
        each=tuple(
            contest_of({name: each}, question, name=name, pool=outside[name]) for name, each in losses.items()
        ),
        together=contest_of(losses, question, name=ALL, pool=taught),
    )


def _judged(shared: tuple[dict[str, Snapshot], Question], task: Task[Family]) -> dict[str, Losses]:
    snapshots, question = shared
    return unseen_losses(snapshots, task.item, question)
