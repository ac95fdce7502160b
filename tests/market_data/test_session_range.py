"""How far the newest session went, from the bars that had closed and no later ones."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest

from market_data.session_range import session_range
from when_to_invest.instruments import Instrument, Interval, Session
from when_to_invest.market import BarSeries

DAY_US = 86_400_000_000


def known(**changes: object) -> Instrument:
    given: dict[str, object] = {
        "id": "SPX",
        "name": "made-up",
        "interval": Interval.DAY,
        "session": Session.EXCHANGE,
        "has_range": True,
        "has_volume": False,
        "lot_size": Decimal("0.01"),
        "tick_size_usd": Decimal("0.01"),
        "min_notional_usd": Decimal(1),
    }
    return Instrument(**given | changes)  # type: ignore[arg-type]


def series(count: int = 40, *, a_day: int = 1) -> BarSeries:
    """Return bars that rise and fall by 1 %, with a range of 2 USD to each side."""
    close = np.where(np.arange(count) % 2 == 0, 100.0, 101.0)
    opened = np.arange(count, dtype=np.int64) * (DAY_US // a_day) + 17_000 * DAY_US
    return BarSeries(opened, close, close + 2, close - 2, close, np.full(count, np.nan))


def test_a_daily_session_is_one_bar_beside_the_close_before() -> None:
    went = session_range(series(), known(), count=40)
    assert went is not None
    assert (went.previous_close_usd, went.low_usd, went.high_usd) == (Decimal(100), Decimal(99), Decimal(103))
    assert float(went.volatility) == pytest.approx(math.log(1.01) * math.sqrt(252), abs=1e-6)


def test_later_bars_are_not_looked_at() -> None:
    bars = series()
    bars.low[30:] = 1.0
    went = session_range(bars, known(), count=30)
    assert went is not None
    assert went.low_usd == Decimal(99)


def test_shorter_bars_are_gathered_into_their_utc_day() -> None:
    bars = series(99, a_day=24)
    bars.low[97], bars.high[96] = 90.0, 120.0
    bars.close[95] = 77.0
    went = session_range(bars, known(interval=Interval.HOUR, session=Session.CONTINUOUS), count=99)
    assert went is not None
    assert (went.previous_close_usd, went.low_usd, went.high_usd) == (Decimal(77), Decimal(90), Decimal(120))
    assert went.session is Session.CONTINUOUS


def test_volatility_is_a_year_of_the_instruments_own_days() -> None:
    went = session_range(
        series(240, a_day=24), known(interval=Interval.HOUR, session=Session.CONTINUOUS), count=240
    )
    assert went is not None
    a_day = math.log(1.01) * math.sqrt(239 / 10)
    assert float(went.volatility) == pytest.approx(a_day * math.sqrt(365), rel=1e-3)


def test_close_only_data_range_from_close_to_close() -> None:
    bars = series()
    bars.low[:] = bars.high[:] = np.nan
    went = session_range(bars, known(has_range=False), count=40)
    assert went is not None
    assert (went.low_usd, went.high_usd) == (Decimal(101), Decimal(101))


@pytest.mark.parametrize("count", [1, 21])
def test_too_little_history_gives_no_range(count: int) -> None:
    assert session_range(series(), known(), count=count - 1 or 1) is None
    if count > 1:
        assert session_range(series(), known(), count=count) is not None


def test_the_first_day_has_no_close_before_it() -> None:
    assert session_range(series(24, a_day=24), known(interval=Interval.HOUR), count=24) is None


@pytest.mark.parametrize("column", ["low", "high", "close"])
def test_a_hole_in_the_data_gives_no_range(column: str) -> None:
    bars = series()
    getattr(bars, column)[38:] = np.nan
    assert session_range(bars, known(), count=40) is None


def test_a_price_of_zero_gives_no_range() -> None:
    bars = series()
    bars.close[20] = 0.0
    assert session_range(bars, known(), count=40) is None
