"""A trial: bars, where trading begins, terms and arriving cash; what both engines run on.

Stage: backtest (pure). Refuses bars that could not have been traded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.backtest.terms import Terms, cash_growth, full_budget, monthly_arrivals
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.market import Snapshot

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

FEWEST_BARS: Final = 2


@dataclass(frozen=True, slots=True)
class Trial:
    """Columns of length n, one row a bar of the snapshot; the account opens at bar `first`.

    Bars before `first` are history that a strategy sees and nothing trades on. `fill`: the
    open, or the close where only closes are known. `squares`: squared return of each bar, 0 for the
    first. `growth`: interest factor of cash.
    `arrivals`: cash arriving before the fill of each bar, the last at bar `last_arrival`.
    """

    snapshot: Snapshot
    first: int
    terms: Terms
    fill: FloatArray
    squares: FloatArray
    growth: FloatArray
    arrivals: FloatArray
    last_arrival: int

    def __len__(self) -> int:
        return len(self.fill)


def make_trial(
    snapshot: Snapshot, *, first: int = 0, terms: Terms | None = None, arrival_months: int = 0
) -> Trial:
    """Prepare a backtest of every bar from `first` on.

    `arrival_months`: 0 when the whole budget is there from the start, else the number of
    months over which it arrives in equal parts.

    Raises:
        Fault: `history_too_short` with fewer than two bars to trade, `corrupt_data` for a price
            that is no positive number, `bad_argument`.
    """
    import numpy as np

    bars, agreed = snapshot.bars, terms or Terms()
    if first < 0 or len(bars) - first < FEWEST_BARS:
        raise Fault(
            ErrorCode.HISTORY_TOO_SHORT,
            f"{snapshot.instrument.id} has {max(0, len(bars) - first)} bars in this period; 2 are needed",
            fix="choose a longer period",
        )
    fill = bars.open if snapshot.instrument.has_range else bars.close
    _check_prices(snapshot.instrument.id, fill, bars.close)
    growth = cash_growth(bars.opened_us, agreed)
    traded = bars.opened_us[first:]
    arriving = monthly_arrivals(traded, months=arrival_months) if arrival_months else full_budget(len(traded))
    arrivals = np.concatenate((np.zeros(first), arriving))
    return Trial(
        snapshot=snapshot,
        first=first,
        terms=agreed,
        fill=fill,
        squares=_squared_returns(bars.close),
        growth=growth,
        arrivals=arrivals,
        last_arrival=int(np.flatnonzero(arrivals)[-1]),
    )


def _check_prices(name: str, *columns: FloatArray) -> None:
    import numpy as np

    if not all(bool((np.isfinite(column) & (column > 0.0)).all()) for column in columns):
        raise Fault(
            ErrorCode.CORRUPT_DATA,
            f"a price of {name} is not a positive number",
            fix="import clean bars; a backtest cannot trade at such a price",
        )


def _squared_returns(close: FloatArray) -> FloatArray:
    import numpy as np

    changes = np.zeros(len(close))
    changes[1:] = close[1:] / close[:-1] - 1.0
    return changes * changes
