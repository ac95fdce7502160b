"""The terms of a backtest: costs, the no-trade band, interest on cash, and arriving cash.

Stage: backtest (pure). Amounts are in units of the starting budget, which is 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray, TimeArray

BPS: Final = 1e-4
YEAR_US: Final = 365.25 * 86_400e6
_MOST_BPS: Final = 1_000.0
_HIGHEST_RATE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Terms:
    """What trading costs and when it happens.

    `fee_bps`: of the traded value, on both sides. `slippage_bps`: buys fill this much above,
    sells this much below the fill price. `no_trade_band`: a target within this distance of the
    current weight is left alone, except a target of 0, which always sells everything.
    `cash_rate_annual`: effective interest on idle cash, 0.03 is three hundredths a year.

    Raises:
        Fault: `bad_argument` for a figure outside its range.
    """

    fee_bps: float = 5.0
    slippage_bps: float = 0.0
    no_trade_band: float = 0.10
    cash_rate_annual: float = 0.0

    def __post_init__(self) -> None:
        """Check every range; NaN is outside of each."""
        _check("fee_bps", self.fee_bps, least=0.0, most=_MOST_BPS)
        _check("slippage_bps", self.slippage_bps, least=0.0, most=_MOST_BPS)
        _check("no_trade_band", self.no_trade_band, least=0.0, most=1.0)
        _check("cash_rate_annual", self.cash_rate_annual, least=-0.5, most=_HIGHEST_RATE)

    @property
    def fee_ratio(self) -> float:
        """Fee as a ratio of the traded value."""
        return self.fee_bps * BPS

    @property
    def slippage_ratio(self) -> float:
        """Slippage as a ratio of the fill price."""
        return self.slippage_bps * BPS


def cash_growth(opened_us: TimeArray, terms: Terms) -> FloatArray:
    """Return the factor (n,) by which cash grew since the bar before; 1 at the first bar."""
    import numpy as np

    years = np.diff(opened_us, prepend=opened_us[:1]) / YEAR_US
    growth: FloatArray = (1.0 + terms.cash_rate_annual) ** years
    return growth


def monthly_arrivals(opened_us: TimeArray, *, months: int) -> FloatArray:
    """Return arriving cash (n,): the budget in `months` equal parts, at each month's first bar.

    The first part is there from the start. What would arrive after the last bar never does.

    Raises:
        Fault: `bad_argument` unless `months` is 1 to 600.
    """
    import numpy as np

    _check("months", months, least=1, most=600)
    month = opened_us.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    is_first = np.diff(month, prepend=month[:1] - 1) != 0
    arrivals = np.zeros(len(opened_us))
    arrivals[np.flatnonzero(is_first)[:months]] = 1.0 / months
    return arrivals


def full_budget(count: int) -> FloatArray:
    """Return arriving cash (n,): the whole budget at the first bar."""
    import numpy as np

    arrivals = np.zeros(count)
    arrivals[:1] = 1.0
    return arrivals


def _check(name: str, value: float, *, least: float, most: float) -> None:
    if not least <= value <= most:
        raise Fault(
            ErrorCode.BAD_ARGUMENT, f"{name} is {value}", fix=f"choose {name} from {least:g} to {most:g}"
        )
