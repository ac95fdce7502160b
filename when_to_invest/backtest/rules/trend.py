"""Trend and volatility: the side of a moving average, scaled to a target volatility.

Stage: backtest (pure). Sources: Faber (2007) for the average, Moreira and Muir (2017) for
w = min(1, sigma*/sigma) with sigma the root mean square return of the last bars; never above 1.
`backtest.kernels` computes the same floats in the same order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.backtest.view import MarketView
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

RESYNC: Final = 4096
"""Running sums are added up anew every so many bars, against drift."""


@dataclass(frozen=True, slots=True)
class TrendRule:
    """Parameters; windows count bars.

    Up when the average of `fast` closes exceeds that of `slow` by more than `band_ratio`, down
    when it lies as far below; between, the side it last had. `slow` 0: always up.
    `volatility_window` 0: no scaling, else to `target_sigma_annual`.

    Raises:
        Fault: `bad_argument` for a parameter outside its range.
    """

    fast: int = 1
    slow: int = 200
    band_ratio: float = 0.02
    volatility_window: int = 21
    target_sigma_annual: float = 0.15

    def __post_init__(self) -> None:
        """Check every range."""
        is_trend = self.slow == 0 or 1 <= self.fast < self.slow
        is_band = 0.0 <= self.band_ratio < 1.0
        is_scale = self.volatility_window >= 0 and 0.0 < self.target_sigma_annual < math.inf
        if not (is_trend and is_band and is_scale):
            raise Fault(
                ErrorCode.BAD_ARGUMENT,
                f"{self} cannot be followed",
                fix="fast from 1 to below slow (or slow 0), a band from 0 to below 1, a target above 0",
            )

    def target_variance(self, bars_per_year: float) -> float:
        """Return the square of the target volatility of one bar."""
        return self.target_sigma_annual * self.target_sigma_annual / bars_per_year


class TrendStrategy:
    """Follows a `TrendRule` bar by bar with running sums; `note`: what a report should say of it."""

    def __init__(self, name: str, rule: TrendRule, note: str = "") -> None:
        self.name = name
        self.note = note
        self.rule = rule
        self._seen = 0
        self._fast_sum = self._slow_sum = self._square_sum = 0.0
        self._side: float | None = None if rule.slow else 1.0
        self._squares: list[float] = []

    def decide(self, view: MarketView) -> float | None:
        """Return the scaled side of the average, None while windows are not full."""
        for index in range(self._seen, len(view)):
            self._see(view.close, index)
        self._seen = len(view)
        if self._side is None or len(view) <= self.rule.volatility_window:
            return None
        aim = self.rule.target_variance(view.bars_per_year) * self.rule.volatility_window
        scale = math.sqrt(aim / self._square_sum) if self._square_sum > aim else 1.0
        return self._side * scale

    def _see(self, close: FloatArray, index: int) -> None:
        rule, newest = self.rule, float(close[index])
        change = newest / float(close[index - 1]) - 1.0 if index else 0.0
        self._squares.append(change * change)
        self._fast_sum += newest - _left(close, index - rule.fast)
        self._slow_sum += newest - _left(close, index - rule.slow)
        oldest = index - rule.volatility_window
        self._square_sum += change * change - (self._squares[oldest] if oldest >= 0 else 0.0)
        if index % RESYNC == 0:
            self._fast_sum = _sum(close[max(0, index + 1 - rule.fast) : index + 1].tolist())
            self._slow_sum = _sum(close[max(0, index + 1 - rule.slow) : index + 1].tolist())
            self._square_sum = _sum(self._squares[max(0, oldest + 1) :])
        if rule.slow and index + 1 >= rule.slow:
            self._side = self._crossed()

    def _crossed(self) -> float:
        level = self._slow_sum * (self.rule.fast / self.rule.slow)
        if self._fast_sum > level * (1.0 + self.rule.band_ratio):
            return 1.0
        if self._fast_sum < level * (1.0 - self.rule.band_ratio):
            return 0.0
        if self._side is None:
            return 1.0 if self._fast_sum > level else 0.0
        return self._side


def _left(close: FloatArray, index: int) -> float:
    """Return the value that leaves a window, 0 while it is not full."""
    return float(close[index]) if index >= 0 else 0.0


def _sum(values: list[float]) -> float:
    """Add up from left to right, as the kernel does (`sum` of newer Pythons compensates)."""
    total = 0.0
    for value in values:
        total += value
    return total
