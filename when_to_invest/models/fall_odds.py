"""Odds that some close within h days lies a threshold below now, learnt from many instruments.

Stage: models (pure). A logistic regression on the threshold's distance z in forecast
deviations, ln(-ln(1 - x)) - ln(sigma sqrt(h)), its square, the volatilities at other speeds and
their products with z; because everything is in units of the instrument's own volatility, one
dated set of coefficients (`prior`) serves all. The instrument's own finished past then decides
how far to trust it: odds = base + trust (pooled - base), base being its past frequency, and
trust the least-squares weight on its own record, pulled towards 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.models.newton_logit import probability_by_row
from when_to_invest.models.past import FIRST_ROW, Past, past_mean
from when_to_invest.models.skill import ONE_SIDED_90, Skill, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from when_to_invest.features.risk_panel import RiskPanel
    from when_to_invest.market import FloatArray, TimeArray

THRESHOLDS: Final = (0.03, 0.05, 0.10)
_NEAREST: Final = -2.5
_FARTHEST: Final = 3.0
_TRUST_TRIALS: Final = 200.0
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
        return self.skill.is_proven(ONE_SIDED_90)


def newest_odds(past: Past, horizon: int) -> HorizonOdds:
    """Return the odds at the newest day."""
    import numpy as np

    known = _pool(past, horizon, THRESHOLDS, len(past.bars))
    found = _trusted(past, np.array([len(past.bars) - 1]), horizon, THRESHOLDS, known)
    return HorizonOdds(
        horizon=horizon,
        values=tuple(float(value) for value in found.odds[0]),
        baselines=tuple(float(value) for value in found.base[0]),
        skill=_record(known, horizon),
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
    """Return the rows' features (m, 10).

    `log_fall`: (m,) or scalar, ln of the threshold as a positive log return.
    """
    import numpy as np

    z = np.clip(log_fall - 0.5 * np.log(horizon) - panel.volatility[rows], _NEAREST - 2.0, _FARTHEST + 2.0)
    near = np.clip(z, _NEAREST, _FARTHEST)
    slopes = panel.slopes[rows]
    fast, _, quarter, long_run = slopes.T
    products = (near * quarter, near * long_run, near * fast)
    return np.column_stack((np.ones(len(z)), z, near**2, slopes, *products))


def log_fall(threshold: float) -> float:
    """Return ln(-ln(1 - threshold))."""
    import math

    return math.log(-math.log1p(-threshold))


def pooled_odds(past: Past, horizon: int, thresholds: Sequence[float], *, until: int) -> FloatArray:
    """Return the pooled odds (until, T) of every row, by the lesson of its time; NaN without one."""
    import numpy as np

    odds = np.full((until, len(thresholds)), np.nan)
    coefficients = past.by_row(horizon, "fall", until=until)
    rows = FIRST_ROW + np.flatnonzero(~np.isnan(coefficients[FIRST_ROW:, 0]))
    for column, threshold in enumerate(thresholds):
        features = design(past.panel, rows, np.full(len(rows), log_fall(threshold)), horizon)
        odds[rows, column] = probability_by_row(features, coefficients[rows])
    return odds


def outcomes(past: Past, horizon: int, thresholds: Sequence[float]) -> FloatArray:
    """Return 1 where the fall came, 0 where not, NaN where unfinished, (n, T)."""
    import numpy as np

    worst = past.worst(horizon)
    return np.column_stack([np.where(np.isnan(worst), np.nan, worst <= -each) for each in thresholds])


def fall_odds(past: Past, rows: TimeArray, horizon: int, thresholds: Sequence[float]) -> FallOdds:
    """Return the odds of `rows` (increasing), each from what was known on its day."""
    return _trusted(past, rows, horizon, thresholds, _pool(past, horizon, thresholds, int(rows[-1]) + 1))


@dataclass(frozen=True, slots=True)
class _Pool:
    """Pooled odds, base rates and outcomes of the rows so far."""

    pooled: FloatArray
    base: FloatArray
    came: FloatArray


def _pool(past: Past, horizon: int, thresholds: Sequence[float], until: int) -> _Pool:
    came = outcomes(past, horizon, thresholds)
    base = past_mean(came, horizon)[:until]
    return _Pool(pooled_odds(past, horizon, thresholds, until=until), base, came)


def _trusted(
    past: Past, rows: TimeArray, horizon: int, thresholds: Sequence[float], known: _Pool
) -> FallOdds:
    import numpy as np

    pooled, base, came = known.pooled, known.base, known.came
    until = len(pooled)
    lean = np.where(np.isnan(pooled) | np.isnan(base), 0.0, pooled - base)
    trust = _trust(lean, np.nan_to_num(came[:until] - base), horizon)
    weight = trust[np.maximum(past.cut_of(rows) - horizon - 1, 0)]
    odds = np.clip(base[rows] + weight * lean[rows], 0.0, 1.0)
    return FallOdds(odds=_ordered(odds, thresholds), base=base[rows], came=came[rows])


def _record(known: _Pool, horizon: int) -> Skill:
    """Judge the pooled odds on the instrument's own finished past, all thresholds together."""
    import numpy as np

    finished = len(known.came) - horizon
    pooled, base, came = known.pooled[:finished], known.base[:finished], known.came[:finished]
    judged = ~(np.isnan(pooled).any(axis=1) | np.isnan(base).any(axis=1))
    loss = ((pooled - came)[judged] ** 2).mean(axis=1)
    base_loss = ((base - came)[judged] ** 2).mean(axis=1)
    return judge(loss, base_loss, horizon=horizon)


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
