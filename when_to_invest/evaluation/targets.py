"""What the product promises to reach, as data: one row a figure, with its bound and in words.

Stage: evaluation (pure). The bounds are floors against regression, measured on years that no
model was fitted to; nothing is read from here when a forecast is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from when_to_invest.evaluation.report import DropScore, Evaluation, IntervalScore

INDICES: Final = frozenset({"SPX", "IXIC"})
MONTHLY: Final = "USMKT"


@dataclass(frozen=True, slots=True)
class Target:
    """`read` gives the figure or None; it must be at least `least` and at most `most` where set."""

    name: str
    words: str
    read: Callable[[Evaluation], float | None]
    least: float | None = None
    most: float | None = None

    def is_met(self, value: float) -> bool:
        """Whether `value` lies within the bounds."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def bound(self) -> str:
        """Return the bounds in words."""
        if self.least is not None and self.most is not None:
            return f"{self.least:g} to {self.most:g}"
        return f"at most {self.most:g}" if self.least is None else f"at least {self.least:g}"


def _drop(found: Evaluation, horizon: int) -> DropScore:
    return next(each for each in found.p_drop if (each.threshold_ratio, each.horizon_days) == (0.05, horizon))


def _range(found: Evaluation) -> IntervalScore:
    return next(each for each in found.interval if each.level == 0.9)  # noqa: PLR2004 - the promised level


def _drawdown_share(found: Evaluation) -> float | None:
    ours, theirs = found.overlay.max_drawdown_ratio, found.overlay.max_drawdown_buy_hold_ratio
    return ours / theirs if ours is not None and theirs else None


def _sharpe_gain(found: Evaluation) -> float | None:
    ours, theirs = found.overlay.sharpe, found.overlay.sharpe_buy_hold
    return ours - theirs if ours is not None and theirs is not None else None


_DROP_21: Final = "fall of 0.05 in 21 d"
_DROP_5: Final = "fall of 0.05 in 5 d"
_FORECASTS: Final = (
    Target(
        "variance.qlike_skill_mean",
        "21-day variance, gain over the mean",
        lambda found: found.variance.qlike_skill_mean,
        least=0.60,
    ),
    Target(
        "variance.qlike_vs_ewma",
        "21-day variance, gain over EWMA",
        lambda found: found.variance.qlike_vs_ewma,
        least=0.20,
    ),
    Target(
        "p_drop.21d.brier_skill",
        f"{_DROP_21}, skill",
        lambda found: _drop(found, 21).brier_skill,
        least=0.12,
    ),
    Target(
        "p_drop.21d.ci90_low",
        f"{_DROP_21}, surely (90 %)",
        lambda found: _drop(found, 21).ci90[0],
        least=0.0,
    ),
    Target("p_drop.21d.ece", f"{_DROP_21}, odds are off by", lambda found: _drop(found, 21).ece, most=0.05),
    Target(
        "p_drop.5d.brier_skill",
        f"{_DROP_5}, skill",
        lambda found: _drop(found, 5).brier_skill,
        least=0.17,
    ),
    Target("p_drop.5d.ece", f"{_DROP_5}, odds are off by", lambda found: _drop(found, 5).ece, most=0.015),
    Target(
        "interval.90.coverage",
        "0.9 range of the 21-day return held",
        lambda found: _range(found).coverage,
        least=0.88,
        most=0.92,
    ),
    Target(
        "interval.90.worst_2y_coverage",
        "  in its worst two years",
        lambda found: _range(found).worst_2y_coverage,
        least=0.82,
    ),
    Target(
        "interval.90.pinball_skill",
        "  gain over the range of past returns",
        lambda found: _range(found).pinball_skill,
        least=0.07,
    ),
    Target(
        "p_up.brier_skill",
        "direction in 21 d, skill",
        lambda found: found.p_up.brier_skill,
        least=-0.005,
    ),
)
_OVERLAY: Final = (
    Target(
        "overlay.max_drawdown_share",
        "as a position: deepest fall / holding's",
        _drawdown_share,
        most=0.55,
    ),
    Target("overlay.sharpe_gain", "as a position: Sharpe ratio - holding's", _sharpe_gain, least=0.0),
    Target(
        "overlay.turnover_per_year",
        "as a position: turnover a year",
        lambda found: found.overlay.turnover_per_year,
        most=3.0,
    ),
)
_DEPLOYMENT: Final = (
    Target(
        "deployment.vs_dca_pp",
        "staged entry - twelve parts, pp a year",
        lambda found: found.deployment.vs_dca_pp,
        least=3.0,
    ),
    Target(
        "deployment.vs_dca_ci90_low",
        "  surely (90 %)",
        lambda found: found.deployment.vs_dca_ci90[0],
        least=2.0,
    ),
    Target(
        "deployment.vs_lump_pp",
        "staged entry - all at once, pp a year",
        lambda found: found.deployment.vs_lump_pp,
        least=-0.5,
    ),
    Target(
        "deployment.es5_vs_lump_pp",
        "  in the worst twentieth of years, pp",
        lambda found: found.deployment.es5_vs_lump_pp,
        least=7.0,
    ),
    Target(
        "deployment.es5_vs_lump_ci90_low",
        "  surely (90 %)",
        lambda found: found.deployment.es5_vs_lump_ci90[0],
        least=0.0,
    ),
)
FIGURES: Final = (*_FORECASTS, *_OVERLAY, *_DEPLOYMENT)
"""Every figure, in the order of a reader."""


def promised(instrument: str) -> tuple[Target, ...]:
    """Return the rows whose bounds are promised for `instrument`; of any other, none are."""
    if instrument in INDICES:
        return (*_FORECASTS, *_OVERLAY)
    return (*_OVERLAY, *_DEPLOYMENT) if instrument == MONTHLY else ()
