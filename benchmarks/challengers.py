"""Whether a learner beats the odds of a fall on instruments that taught neither of them.

Everybody learns the same other series year by year, the judged family left out; two processes do
it. A row is fine while the incumbent need not be replaced: a challenger whose gain lies above zero
with its whole interval is a MISS, so that nobody overlooks it. Needs WHEN_TO_INVEST_DATA for more
than the oil price.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from benchmarks.markets import COINS, FUNDS, family, load_snapshots
from benchmarks.row import Figure, Row, within
from compute.contests import UnseenContest, run_contest
from compute.runner import Place, Runner
from home.paths import Home
from when_to_invest.decision.code_version import code_version
from when_to_invest.models.registry import model_cards
from when_to_invest.models.unseen import Family, Question

if TYPE_CHECKING:
    from when_to_invest.models.contest_scores import Contest, Entry, Estimate

HORIZONS: Final = (21, 5)
JUDGED: Final = (*FUNDS, "WTI", *COINS)
PROCESSES: Final = Runner(Place.PROCESSES, processes=2)


@cache
def contests() -> dict[int, UnseenContest]:
    """Return the contest of each horizon."""
    with TemporaryDirectory() as folder:
        snapshots = load_snapshots(Home(Path(folder)))
    names = [name for name in JUDGED if name in snapshots]
    families = [
        Family(
            judged=tuple(name for name in names if family(name) == each),
            without=tuple(name for name in snapshots if family(name) == each),
        )
        for each in sorted({family(name) for name in names})
    ]
    return {
        horizon: run_contest(snapshots, families, question=Question(horizon), runner=PROCESSES)
        for horizon in HORIZONS
    }


def rows() -> list[Row]:
    """Return how surely each challenger gains on the incumbent, in units of the base rate's loss."""
    return [
        within(
            f"challengers.{horizon}d.{entry.name}.gain_low90",
            Figure(_low(entry), "ratio", is_lower_better=True),
            bound=0.0,
        )
        for horizon, found in contests().items()
        for entry in found.together.challengers
    ]


def notes() -> list[str]:
    """Return the skills on every instrument, and the cards of the models in full figures."""
    lines = []
    for horizon, found in contests().items():
        lines.append(f"fall of 0.05 within {horizon} days, skill over the base rate (gain on the incumbent):")
        lines += [_line(each) for each in (*found.each, found.together)]
        lines += [
            f"  card {card.name}: {card.standing.value}, n {card.n}, data {card.judged_on.sha256[:16]}, "
            f"code {card.code_version[:16]}, {len(card.learnt_from)} series, {card.variants_tried} tried"
            for card in model_cards(found.together, code_version=code_version())
        ]
    return lines


def _line(found: Contest) -> str:
    ours = f"incumbent {_shown(found.incumbent.skill_vs_climatology)}"
    theirs = (
        f"{each.name} {_shown(each.skill_vs_climatology)} ({_range(each.gain_vs_incumbent)})"
        for each in found.challengers
    )
    return f"  {found.instrument:<10} n {found.n:>6}  {ours}  {'  '.join(theirs)}"


def _low(entry: Entry) -> float:
    gain = entry.gain_vs_incumbent
    return float("nan") if gain is None or gain.low is None else gain.low


def _shown(estimate: Estimate) -> str:
    return "?" if estimate.value is None else f"{estimate.value:+.3f}"


def _range(estimate: Estimate | None) -> str:
    if estimate is None or estimate.low is None or estimate.high is None:
        return "unknown"
    return f"{estimate.low:+.4f} {estimate.high:+.4f}"
