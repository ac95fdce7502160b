"""Recommendations that were given, against what came after them.

Stage: evaluation (pure). A recommendation is judged only on bars after its own data, and each
horizon only once it is over: a fall that came early does not count before the others could
have come. Odds of one kind count once an instrument and day, however often they were asked for,
and no statistic is given below 30 outcomes that do not overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from when_to_invest.decision.recommendation import Action, Recommendation
from when_to_invest.decision.rounding import Probability, Ratio, RecommendationId
from when_to_invest.evaluation.report import FEWEST, Figure, known
from when_to_invest.features.daily import DailyBars
from when_to_invest.honesty import scores
from when_to_invest.instruments import InstrumentId
from when_to_invest.values import Instant, Value

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

HORIZONS: Final = (5, 21, 63)
EVERYTHING: Final = "all"
TOO_FEW: Final = f"too few: fewer than {FEWEST} outcomes that do not overlap"


class Outcome(Value):
    """What the close did within `horizon_days` after the recommendation; None while not over.

    `worst_ratio`: the lowest close against the one advised on, above 0 when none lay below it.
    """

    horizon_days: int
    return_ratio: Figure
    worst_ratio: Figure


class Scored(Value):
    """One recommendation and its outcomes."""

    id: RecommendationId
    instrument: InstrumentId
    as_of: Instant
    action: Action
    size_fraction: Probability
    p_up: Probability
    horizon_days: int
    outcomes: tuple[Outcome, ...]


class OddsTally(Value):
    """Odds of one kind against what came; `threshold_ratio` is None for a higher close.

    `n`: outcomes, one an instrument and day; `n_effective` of them lie a horizon apart.
    """

    threshold_ratio: Ratio | None
    horizon_days: int
    n: int
    n_effective: int
    brier: Figure
    brier_baseline: Figure
    brier_skill: Figure
    ece: Figure
    why: str


class RangeTally(Value):
    """Ranges of one level: how often they held, and the mean pinball loss of their two edges.

    `n`, `n_effective`: as for odds.
    """

    level: Ratio
    horizon_days: int
    n: int
    n_effective: int
    coverage: Figure
    pinball: Figure
    why: str


class Group(Value):
    """All recommendations, or those for one instrument; `n` of them, on `days` days of instruments."""

    group: str
    n: int
    days: int
    p_drop: tuple[OddsTally, ...]
    p_up: tuple[OddsTally, ...]
    interval: tuple[RangeTally, ...]


class Scorecard(Value):
    """Every recorded recommendation, and the statistics of those whose horizon is over by `as_of`."""

    as_of: Instant
    n: int
    groups: tuple[Group, ...]
    recommendations: tuple[Scored, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Followed:
    """A recommendation, and the closes (k,) in USD from the one it advised on to the newest.

    `row`: index of the close it advised on among the instrument's days.
    """

    given: Recommendation
    closes: FloatArray
    row: int

    @property
    def place(self) -> tuple[str, int]:
        """Instrument and day that it speaks of."""
        return self.given.instrument, self.row

    def return_ratio(self, horizon: int) -> float | None:
        """Return the simple return over `horizon` days, None while not over."""
        return float(self.closes[horizon] / self.closes[0] - 1.0) if len(self.closes) > horizon else None

    def worst_ratio(self, horizon: int) -> float | None:
        """Return the lowest of the next `horizon` closes over the one advised on, minus 1."""
        if len(self.closes) <= horizon:
            return None
        return float(self.closes[1 : horizon + 1].min() / self.closes[0] - 1.0)


def follow(given: Recommendation, *, day: int, bars: DailyBars) -> Followed | None:
    """Join a recommendation made on the close of `day` (days since 1970) with the bars known now.

    None when the bars do not hold that day, so that nothing can be said.
    """
    import numpy as np

    row = int(np.searchsorted(bars.day, day))
    if row == len(bars) or int(bars.day[row]) != day:
        return None
    return Followed(given, bars.close[row:], row)


def distinct(followed: Iterable[Followed]) -> tuple[Followed, ...]:
    """Return one of those that say the same: same instrument, same day's close, same horizon."""

    def subject(each: Followed) -> tuple[str, str, int]:
        return each.given.instrument, each.given.data_as_of.isoformat(), each.given.horizon_days

    ordered = sorted(followed, key=lambda each: (*subject(each), each.given.id))
    return tuple(next(same) for _, same in groupby(ordered, key=subject))


def scored(each: Followed) -> Scored:
    """Return the recommendation with what came."""
    given = each.given
    return Scored(
        id=given.id,
        instrument=given.instrument,
        as_of=given.as_of,
        action=given.action,
        size_fraction=given.size_fraction,
        p_up=given.p_up.value,
        horizon_days=given.horizon_days,
        outcomes=tuple(
            Outcome(
                horizon_days=horizon,
                return_ratio=each.return_ratio(horizon),
                worst_ratio=each.worst_ratio(horizon),
            )
            for horizon in sorted({*HORIZONS, given.horizon_days})
        ),
    )


def groups(followed: tuple[Followed, ...]) -> tuple[Group, ...]:
    """Return the tallies of all, then of each instrument when there are several."""
    names = sorted({each.given.instrument for each in followed})
    parts = [(name, tuple(each for each in followed if each.given.instrument == name)) for name in names]
    everything = [(EVERYTHING, followed)] if followed else []
    return tuple(_group(name, part) for name, part in (*everything, *(parts if len(parts) > 1 else ())))


@dataclass(frozen=True, slots=True)
class _Said:
    """Odds that were given of a day, their base rate, and whether it came (None while open)."""

    place: tuple[str, int]
    kind: tuple[float | None, int]
    odds: float
    base: float
    came: bool | None


def _group(name: str, part: tuple[Followed, ...]) -> Group:
    drops = [said for each in part for said in _drops(each)]
    ups = [_up(each) for each in part]
    days, told = len({each.place for each in part}), (_tallies(drops), _tallies(ups), _ranges(part))
    return Group(group=name, n=len(part), days=days, p_drop=told[0], p_up=told[1], interval=told[2])


def _drops(each: Followed) -> list[_Said]:
    found = []
    for odds in each.given.p_drop:
        worst = each.worst_ratio(odds.horizon_days)
        came = None if worst is None else worst <= -odds.threshold_ratio
        found.append(
            _Said(each.place, (odds.threshold_ratio, odds.horizon_days), odds.value, odds.baseline, came)
        )
    return found


def _up(each: Followed) -> _Said:
    gain, up = each.return_ratio(each.given.horizon_days), each.given.p_up
    came = None if gain is None else gain > 0.0
    return _Said(each.place, (None, each.given.horizon_days), up.value, up.baseline, came)


def _tallies(said: list[_Said]) -> tuple[OddsTally, ...]:
    kinds = sorted({each.kind for each in said}, key=lambda kind: (kind[1], kind[0] or 0.0))
    return tuple(_tally(kind, [each for each in said if each.kind == kind]) for kind in kinds)


def _tally(kind: tuple[float | None, int], said: list[_Said]) -> OddsTally:
    import numpy as np

    over = list({each.place: each for each in said if each.came is not None}.values())
    apart = _apart((each.place for each in over), kind[1])
    is_enough = apart >= FEWEST
    odds, base, came = (
        np.array([float(getattr(each, name)) for each in over]) for name in ("odds", "base", "came")
    )

    def figure(statistic: Callable[..., float], *columns: FloatArray) -> float | None:
        return known(statistic(*columns)) if is_enough else None

    return OddsTally(
        threshold_ratio=kind[0],
        horizon_days=kind[1],
        n=len(over),
        n_effective=apart,
        brier=figure(scores.brier_score, odds, came),
        brier_baseline=figure(scores.brier_score, base, came),
        brier_skill=figure(scores.brier_skill, odds, base, came),
        ece=figure(scores.expected_calibration_error, odds, came),
        why="" if is_enough else TOO_FEW,
    )


def _ranges(part: tuple[Followed, ...]) -> tuple[RangeTally, ...]:
    kinds = sorted(
        {(band.level, each.given.horizon_days) for each in part for band in each.given.return_interval}
    )
    return tuple(_range(level, horizon, part) for level, horizon in kinds)


def _range(level: float, horizon: int, part: tuple[Followed, ...]) -> RangeTally:
    import numpy as np

    found = {
        each.place: (band.low, band.high, gain)
        for each in part
        for band in each.given.return_interval
        if (band.level, each.given.horizon_days) == (level, horizon)
        and (gain := each.return_ratio(horizon)) is not None
    }
    rows, apart = list(found.values()), _apart(found, horizon)
    is_enough = apart >= FEWEST
    low, high, came = np.array(rows, dtype=np.float64).reshape(-1, 3).T
    tail = (1.0 - level) / 2.0
    return RangeTally(
        level=level,
        horizon_days=horizon,
        n=len(rows),
        n_effective=apart,
        coverage=scores.coverage(low, high, came) if is_enough else None,
        pinball=_pinball(low, high, came, tail=tail) if is_enough else None,
        why="" if is_enough else TOO_FEW,
    )


def _apart(places: Iterable[tuple[str, int]], horizon: int) -> int:
    """Return how many of the places lie a whole horizon after the last counted one of their instrument."""
    newest: dict[str, int] = {}
    count = 0
    for name, row in sorted(places):
        if name not in newest or row >= newest[name] + horizon:
            newest[name], count = row, count + 1
    return count


def _pinball(low: FloatArray, high: FloatArray, came: FloatArray, *, tail: float) -> float:
    below = scores.pinball_loss(low, came, level=tail)
    return 0.5 * (below + scores.pinball_loss(high, came, level=1.0 - tail))
