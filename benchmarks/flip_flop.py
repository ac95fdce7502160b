"""How often advice changes, and how often it changes back within a week: with hysteresis and without.

Every day's answer of the rules, with the skill of the odds as it was known on that day, then what
stands after the days before. Years from 2004 on of the recorded indices and of every other series
at hand. The length of the hysteresis was chosen on years before 2004 and on instruments that are no
US index. A person who follows the advice holds what it leads to, so their trades are counted too.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.markets import load_snapshots
from benchmarks.row import Figure, Row, against, within
from home.paths import Home
from when_to_invest.decision.confirmation import CONFIRM_DAYS, confirm
from when_to_invest.decision.holdings import settle
from when_to_invest.decision.recent import Day, Question, past_days
from when_to_invest.features.daily import daily_bars
from when_to_invest.models.fall_odds import THRESHOLDS, outcomes, pooled_odds
from when_to_invest.models.past import Past, past_mean, recall
from when_to_invest.models.prior import shipped_prior
from when_to_invest.models.skill import ONE_SIDED_95, judge

if TYPE_CHECKING:
    from when_to_invest.decision.recommendation import Action
    from when_to_invest.market import Snapshot

SHOWN: Final = ("SPX", "IXIC", "SPY", "QQQ", "GLD", "TLT", "BTC", "ETH", "WTI")
HORIZON: Final = 21
WEEK: Final = 5
FIRST_DAY: Final = 525
_START: Final = (date(2004, 1, 1) - date(1970, 1, 1)).days
_MOST_REVERSED: Final = 0.35
"""Share of changes, in the mean over instruments: without hysteresis more than half."""
_LEAST_RATIO: Final = 1.4
"""How many times rarer, in the mean over instruments."""
_KINDS: Final = ("raw", "standing", "hasty", "patient")


@dataclass(frozen=True, slots=True)
class Restlessness:
    """`changes` of the action a year; `reversed_share` of them undone within five days."""

    changes: float
    reversed_share: float


def restlessness(actions: Sequence[Action], *, days_per_year: float) -> Restlessness:
    """Count the changes of a sequence of daily actions."""
    changes = [at for at in range(1, len(actions)) if actions[at] is not actions[at - 1]]
    undone = sum(actions[at - 1] in actions[at + 1 : at + 1 + WEEK] for at in changes)
    return Restlessness(
        changes=len(changes) * days_per_year / max(1, len(actions)),
        reversed_share=undone / len(changes) if changes else 0.0,
    )


def raw_days(snapshot: Snapshot, past: Past) -> tuple[Day, ...]:
    """Return the rules' answer of every day, each with the skill of the odds known on it."""
    first = max(FIRST_DAY, int((past.bars.day < _START).sum()))
    asked = Question(first, len(past.bars), HORIZON, has_drop_skill=True)
    with_odds = past_days(snapshot, past, asked)
    without = past_days(snapshot, past, replace(asked, has_drop_skill=False))
    known = _skill(past, first)
    return tuple(one if has else other for one, other, has in zip(with_odds, without, known, strict=True))


def _skill(past: Past, first: int) -> list[bool]:
    """Return whether the pooled odds had beaten their base rate, as of each day from `first` on."""
    import numpy as np

    count = len(past.bars)
    odds = pooled_odds(past, HORIZON, THRESHOLDS)
    came = outcomes(past, HORIZON, THRESHOLDS)
    base = past_mean(came, HORIZON)
    loss, base_loss = ((odds - came) ** 2).mean(axis=1), ((base - came) ** 2).mean(axis=1)
    judged = np.flatnonzero(~np.isnan(loss + base_loss))
    ends = np.searchsorted(judged, np.arange(first, count) + 1 - HORIZON)
    return [
        judge(loss[judged[:end]], base_loss[judged[:end]], horizon=HORIZON).is_proven(ONE_SIDED_95)
        for end in ends.tolist()
    ]


def standing_actions(days: Sequence[Day]) -> list[Action]:
    """Return what stood on each day for one who holds nothing."""
    return [settle(confirm(_before(days, at), day), held=0.0).action for at, day in enumerate(days)]


def trades(days: Sequence[Day], *, is_patient: bool) -> list[float]:
    """Return what one who follows the advice trades each day, as a fraction of the budget.

    Prices do not move what is held here. Without patience each day's answer stands at once.
    """
    found, held = [], 0.0
    for at, day in enumerate(days):
        stance = settle(confirm(_before(days, at) if is_patient else (), day), held=held)
        found.append(stance.target_fraction - held)
        held = stance.target_fraction
    return found


def trading(traded: Sequence[float], *, days_per_year: float) -> Restlessness:
    """Count trades, and those that one in the other direction undoes within five days."""
    at_all = [at for at, each in enumerate(traded) if each]
    undone = sum(any(traded[at] * later < 0.0 for later in traded[at + 1 : at + 1 + WEEK]) for at in at_all)
    return Restlessness(
        changes=len(at_all) * days_per_year / max(1, len(traded)),
        reversed_share=undone / len(at_all) if at_all else 0.0,
    )


def _before(days: Sequence[Day], at: int) -> Sequence[Day]:
    return days[max(0, at - CONFIRM_DAYS + 1) : at]


@dataclass(frozen=True, slots=True)
class Measured:
    """Answers of the rules and what stands of them; trades of a follower without and with hysteresis."""

    raw: Restlessness
    standing: Restlessness
    hasty: Restlessness
    patient: Restlessness


def measured(snapshot: Snapshot) -> Measured:
    """Measure one instrument."""
    past = recall(daily_bars(snapshot), shipped_prior())
    days, per_year = raw_days(snapshot, past), float(past.bars.days_per_year)
    return Measured(
        restlessness([day.decision.action for day in days], days_per_year=per_year),
        restlessness(standing_actions(days), days_per_year=per_year),
        trading(trades(days, is_patient=False), days_per_year=per_year),
        trading(trades(days, is_patient=True), days_per_year=per_year),
    )


def rows() -> list[Row]:
    """Measure every instrument at hand, and the mean over them."""
    with tempfile.TemporaryDirectory() as folder:
        snapshots = load_snapshots(Home(Path(folder)))
        found = {name: measured(snapshots[name]) for name in SHOWN if name in snapshots}
    means = Measured(*(_mean([getattr(each, kind) for each in found.values()]) for kind in _KINDS))
    return [
        *(row for name, each in found.items() for row in _rows_of(name, each, least_ratio=1.0)),
        *_rows_of("mean", means, least_ratio=_LEAST_RATIO),
        within(
            "flip_flop.mean.reversed", Figure(means.standing.reversed_share, "ratio"), bound=_MOST_REVERSED
        ),
    ]


def _mean(found: Sequence[Restlessness]) -> Restlessness:
    return Restlessness(
        sum(each.changes for each in found) / len(found),
        sum(each.reversed_share for each in found) / len(found),
    )


def _rows_of(name: str, found: Measured, *, least_ratio: float) -> list[Row]:
    pairs = (
        ("changes_per_year", "changes", found.standing.changes, found.raw.changes),
        ("reversed_in_5_days", "ratio", found.standing.reversed_share, found.raw.reversed_share),
        ("trades_per_year", "trades", found.patient.changes, found.hasty.changes),
    )
    return [
        against(
            f"flip_flop.{name}.{what}",
            Figure(ours, unit),
            peer="without hysteresis",
            peer_value=theirs,
            least_ratio=least_ratio,
        )
        for what, unit, ours, theirs in pairs
    ]
