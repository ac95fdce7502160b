"""The weights of one who asks at every close and follows the advice: the live code, day by day.

Stage: evaluation (pure). Raw answers, hysteresis and holdings are those of `decision`; what is
held drifts with the price between two orders. A staged entry is filled at once: the schedule
spreads an order over weeks, it does not change what is aimed at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from when_to_invest.decision.confirmation import CONFIRM_DAYS, confirm
from when_to_invest.decision.holdings import settle
from when_to_invest.decision.recent import Day, Question, past_days
from when_to_invest.models.past import Past, recall
from when_to_invest.models.prior import shipped_prior

if TYPE_CHECKING:
    from collections.abc import Sequence

    from when_to_invest.features.daily import DailyBars
    from when_to_invest.market import FloatArray, Snapshot


@dataclass(frozen=True, slots=True)
class Period:
    """Rows `first` to `stop` (exclusive) of the daily bars, asked `horizon` days ahead."""

    first: int
    stop: int
    horizon: int


def followed_weights(snapshot: Snapshot, bars: DailyBars, period: Period) -> FloatArray:
    """Return the weight ordered at each close (stop,), NaN for no order.

    The odds of a fall decide how an entry is spread, never its size, so they are left out.
    """
    import numpy as np

    past: Past = recall(bars.until(period.stop), shipped_prior())
    asked = Question(period.first, period.stop, period.horizon, has_drop_skill=False)
    days = past_days(snapshot, past, asked)
    ordered = np.full(period.stop, np.nan)
    ordered[period.first :] = _orders(days, bars.close[period.first : period.stop])
    return ordered


def _orders(days: Sequence[Day], close: FloatArray) -> list[float]:
    """Return the target at each day, NaN where the advice is to leave things as they are."""
    orders, held, price = [], 0.0, float(close[0])
    for at, (day, now) in enumerate(zip(days, close.tolist(), strict=True)):
        growth = now / price
        held, price = held * growth / (1.0 - held + held * growth), now
        standing = confirm(days[max(0, at - CONFIRM_DAYS + 1) : at], day)
        stance = settle(standing, held=held)
        is_order = stance.target_fraction != round(held, 6)
        held = stance.target_fraction if is_order else held
        orders.append(held if is_order else float("nan"))
    return orders
