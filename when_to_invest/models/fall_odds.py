"""Odds that some close within h days lies a threshold below now, learnt from many instruments.

Stage: models (pure). A logistic regression on the threshold's distance z in forecast
deviations, ln(-ln(1 - x)) - ln(sigma sqrt(h)), its square, the volatilities at other speeds, the
weight of the tails, and their products with z; because everything is in units of the
instrument's own volatility, one dated set of coefficients (`prior`) serves all. They are mixed
with the share of the instrument's own finished days that fell as far in its units
(`own_frequency`). The same past then decides how far to trust the mixture: odds = base + trust
(mixed - base), base being its past frequency, and trust the least-squares weight on its own
record, pulled towards 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.features.risk_panel import ARCH, GARCH, LEVERAGE
from when_to_invest.models.newton_logit import logistic
from when_to_invest.models.own_frequency import own_counts, own_shares, weight
from when_to_invest.models.past import Past, past_mean
from when_to_invest.models.skill import ONE_SIDED_95, Skill, judge
from when_to_invest.models.volatility import pooled_level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from when_to_invest.features.risk_panel import RiskPanel
    from when_to_invest.market import FloatArray, TimeArray

THRESHOLDS: Final = (0.03, 0.05, 0.10)
_NEAREST: Final = -2.5
_FARTHEST: Final = 3.0
_TRUST_TRIALS: Final = 2000.0
"""Weight of full trust, in non-overlapping horizons whose odds differ by `_TYPICAL_LEAN`."""
_TYPICAL_LEAN: Final = 0.1


@dataclass(frozen=True, slots=True)
class FallOdds:
    """Rows m, thresholds T: odds, base rates and outcomes, each (m, T)."""

    odds: FloatArray
    base: FloatArray
    came: FloatArray


@dataclass(frozen=True, slots=True)
class HorizonOdds:
    """Today's odds and base rates for each of `THRESHOLDS`, and the pooled odds' record here."""

    horizon: int
    values: tuple[float, ...]
    baselines: tuple[float, ...]
    skill: Skill

    @property
    def has_skill(self) -> bool:
        """Whether the odds beat the base rates on the instrument's own past."""
        return self.skill.is_proven(ONE_SIDED_95)


def newest_odds(past: Past, horizon: int) -> HorizonOdds:
    """Return the odds at the newest day, and how the pooled odds did on the days before.

    Args:
        past: the instrument's days, with the lessons that they may use.
        horizon: days ahead, at least 1.
    """
    import numpy as np

    found = fall_odds(past, np.array([len(past.bars) - 1]), horizon, THRESHOLDS)
    return HorizonOdds(
        horizon=horizon,
        values=tuple(float(value) for value in found.odds[0]),
        baselines=tuple(float(value) for value in found.base[0]),
        skill=_judged(_record(past, horizon, THRESHOLDS), horizon),
    )


def coherent(odds: tuple[HorizonOdds, ...]) -> tuple[HorizonOdds, ...]:
    """Raise odds of longer horizons to those of shorter ones: they contain them."""
    result: list[HorizonOdds] = []
    for each in sorted(odds, key=lambda item: item.horizon):
        floor = result[-1].values if result else each.values
        raised = tuple(max(pair) for pair in zip(each.values, floor, strict=True))
        result.append(HorizonOdds(each.horizon, raised, each.baselines, each.skill))
    return tuple(result)


def design(panel: RiskPanel, rows: TimeArray, log_fall: FloatArray, horizon: int) -> FloatArray:
    """Return the rows' features (m, 12).

    `log_fall`: (m,) or scalar, ln of the threshold as a positive log return.
    """
    import numpy as np

    level = near_level(panel, horizon)[rows]
    z = np.clip(log_fall - 0.5 * np.log(horizon) - level, _NEAREST - 2.0, _FARTHEST + 2.0)
    near = np.clip(z, _NEAREST, _FARTHEST)
    slopes = panel.slopes[rows]
    fast, _, quarter, long_run = slopes.T
    tails = panel.tails[rows]
    products = (near * quarter, near * long_run, near * fast, near * tails)
    return np.column_stack((np.ones(len(z)), z, near**2, slopes, tails, *products))


def log_fall(threshold: float) -> float:
    """Return ln(-ln(1 - threshold)) of a fall between 0 and 1: the log of its log return."""
    import math

    return math.log(-math.log1p(-threshold))


def pooled_odds(past: Past, horizon: int, thresholds: Sequence[float]) -> FloatArray:
    """Return the pooled odds (n, T) of every row, by the lesson of its time; NaN without one.

    The same as `design` times the lesson's coefficients, with what thresholds share computed once.
    """
    import numpy as np

    odds = np.full((len(thresholds), len(past.bars)), np.nan)
    rows = past.taught
    if rows.start >= rows.stop:
        return odds.T
    one, slope, square, *rest = past.by_row(horizon, "fall")[rows].T
    columns = (*past.panel.slopes[rows].T, past.panel.tails[rows])
    fast, _, quarter, long_run, tails = columns
    level = one + sum(weight * column for weight, column in zip(rest, columns, strict=False))
    products = zip(rest[len(columns) :], (quarter, long_run, fast, tails), strict=True)
    lean = sum(weight * column for weight, column in products)
    own = -0.5 * np.log(horizon) - _near_level(past, horizon)[rows]
    for row, threshold in enumerate(thresholds):
        z = np.clip(log_fall(threshold) + own, _NEAREST - 2.0, _FARTHEST + 2.0)
        near = np.clip(z, _NEAREST, _FARTHEST)
        odds[row, rows] = logistic(level + slope * z + near * (square * near + lean))
    return odds.T


def _blended(past: Past, horizon: int, thresholds: Sequence[float]) -> FloatArray:
    """Return the pooled odds, moved towards the instrument's own share of falls as deep in its units."""
    falls = [log_fall(each) for each in thresholds]
    deviation = past.once(("log_deviation", horizon), lambda: _log_deviation(past, horizon))
    counts = past.once(("own_counts", horizon), lambda: own_counts(past, horizon, deviation))
    share, trials = own_shares(counts, horizon, falls, log_deviation=deviation)
    pooled = pooled_odds(past, horizon, thresholds)
    odds: FloatArray = pooled + weight(trials)[:, None] * (share - pooled)
    return odds


def near_level(panel: RiskPanel, horizon: int) -> FloatArray:
    """Return the log deviation of a day (n,) that the latest moves suggest over the horizon.

    Half the month's volatility, half the reactive variance on its way to the long run.
    """
    import numpy as np

    return 0.5 * (panel.volatility + 0.5 * np.log(_reactive_variance(panel, horizon)))


def _near_level(past: Past, horizon: int) -> FloatArray:
    return past.once(("near_level", horizon), lambda: near_level(past.panel, horizon))


def _reactive_variance(panel: RiskPanel, horizon: int) -> FloatArray:
    """Return the mean of the GJR recursion's expectations for the days of the horizon (n,)."""
    stay = ARCH + 0.5 * LEVERAGE + GARCH
    near = (1.0 - stay**horizon) / ((1.0 - stay) * horizon)
    return panel.close_variance + near * (panel.reactive - panel.close_variance)


def _log_deviation(past: Past, horizon: int) -> FloatArray:
    """Return the log deviation of the return over the horizon (n,): the mean of three forecasts.

    The month's volatility, the reactive variance, and the pooled HAR.
    """
    import numpy as np

    levels = 2.0 * _near_level(past, horizon) + pooled_level(past, horizon)
    deviation: FloatArray = levels / 3.0 + 0.5 * np.log(horizon)
    return deviation


def outcomes(past: Past, horizon: int, thresholds: Sequence[float]) -> FloatArray:
    """Return 1 where the fall came, 0 where not, NaN where unfinished, (n, T)."""
    import numpy as np

    worst = past.worst(horizon)
    unknown = np.isnan(worst)
    return np.array([np.where(unknown, np.nan, worst <= -each) for each in thresholds]).T


def fall_odds(past: Past, rows: TimeArray, horizon: int, thresholds: Sequence[float]) -> FallOdds:
    """Return the odds of `rows` (increasing), each from what was known on its day.

    Args:
        past: the instrument's days, with the lessons that they may use.
        rows: (m,) indices of days.
        horizon: days ahead, at least 1.
        thresholds: falls, ratios between 0 and 1.
    """
    import numpy as np

    known = _record(past, horizon, thresholds)
    weight = known.trust[np.maximum(past.cut_of(rows) - horizon - 1, 0)]
    base = known.base[rows]
    odds = np.clip(base + weight * known.lean[rows], 0.0, 1.0)
    return FallOdds(odds=_ordered(odds, thresholds), base=base, came=known.came[rows])


@dataclass(frozen=True, slots=True)
class Record:
    """Pooled odds, base rates and outcomes of every row (n, T), and the trust they earned (n, 1).

    `lean`: pooled less base, 0 where either is unknown.
    """

    pooled: FloatArray
    base: FloatArray
    came: FloatArray
    lean: FloatArray
    trust: FloatArray


def _record(past: Past, horizon: int, thresholds: Sequence[float]) -> Record:
    """Return the record of an instrument, made the first time that it is asked for."""
    key = (horizon, tuple(thresholds))
    if key not in past.records:
        came = outcomes(past, horizon, thresholds)
        base = past_mean(came, horizon)
        pooled = _blended(past, horizon, thresholds)
        lean = _or_zero(pooled - base)
        trust = _trust(lean, _or_zero(came - base), horizon)
        past.records[key] = Record(pooled, base, came, lean, trust)
    return past.records[key]


def _or_zero(values: FloatArray) -> FloatArray:
    """Put 0 in place of what is unknown."""
    import numpy as np

    values[np.isnan(values)] = 0.0
    return values


def _judged(known: Record, horizon: int) -> Skill:
    """Judge the pooled odds on the instrument's own finished past, all thresholds together."""
    import numpy as np

    finished = slice(0, len(known.came) - horizon)
    pooled, base, came = known.pooled[finished], known.base[finished], known.came[finished]
    loss, base_loss = (((guess - came) ** 2).mean(axis=1) for guess in (pooled, base))
    judged = ~(np.isnan(loss) | np.isnan(base_loss))
    return judge(loss[judged], base_loss[judged], horizon=horizon)


def _trust(lean: FloatArray, surprise: FloatArray, horizon: int) -> FloatArray:
    """Return the weight in [0, 1] that would have been best on rows up to each t, all thresholds."""
    import numpy as np

    prior = _TRUST_TRIALS * horizon * _TYPICAL_LEAN**2
    gain = np.cumsum((lean * surprise).sum(axis=1))
    energy = np.cumsum((lean**2).sum(axis=1))
    weight: FloatArray = np.clip((gain + prior) / (energy + prior), 0.0, 1.0)[:, None]
    return weight


def _ordered(odds: FloatArray, thresholds: Sequence[float]) -> FloatArray:
    """Make a deeper fall never likelier than a shallower one."""
    import numpy as np

    order = np.argsort(thresholds)
    result = np.empty_like(odds)
    result[:, order] = np.minimum.accumulate(odds[:, order], axis=1)
    return result
