from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from market_data.quality import clean_bars
from market_data.recorded import RECORDINGS, recorded_bars
from market_data.tables import RawBars
from when_to_invest.instruments import Interval


@pytest.mark.parametrize("name", ["SPX", "IXIC"])
def test_the_indices_hold_twenty_years_of_sound_daily_bars(name: str) -> None:
    bars = recorded_bars(name)
    raw = RawBars(bars.opened_us, bars.open, bars.high, bars.low, bars.close, bars.volume, first_row=2)
    cleaned = clean_bars(raw, interval=Interval.DAY)
    assert len(bars) == 5031
    assert cleaned.dropped_duplicates == 0
    assert cleaned.flag_count == 0
    assert f"{bars.opened_at(0):%Y-%m-%d}" == "1999-01-04"
    assert f"{bars.opened_at(-1):%Y-%m-%d}" == "2018-12-31"


def test_the_last_close_of_the_index_is_the_published_one() -> None:
    assert recorded_bars("SPX").close[-1] == 2506.850098


def test_the_market_index_compounds_excess_return_and_bill_rate_month_by_month() -> None:
    bars = recorded_bars("USMKT")
    months = bars.opened_us.astype("datetime64[us]").astype("datetime64[M]").astype(int)
    assert f"{bars.opened_at(0):%Y-%m-%d}" == "1926-07-01"
    assert (np.diff(months) == 1).all()
    assert bars.close[0] == pytest.approx(100 * (1 + 0.0296 + 0.0022))
    assert bars.close[1] / bars.close[0] - 1 == pytest.approx(0.0264 + 0.0025)
    assert np.isnan(bars.high).all()


def test_nobody_can_write_into_shared_bars() -> None:
    with pytest.raises(ValueError, match="read-only"):
        recorded_bars("SPX").close[0] = 1.0


def test_every_recorded_instrument_is_described_as_it_is() -> None:
    for name, recording in RECORDINGS.items():
        bars = recorded_bars(name)
        assert recording.instrument.id == name
        assert recording.instrument.has_range == bool(np.isfinite(bars.high).all())
        assert recording.instrument.has_volume == bool(np.isfinite(bars.volume).all())


def test_reading_bars_does_not_import_the_heavy_package_that_carries_them() -> None:
    code = (
        "import sys; from market_data.recorded import recorded_bars; recorded_bars('SPX');"
        "print([m for m in ('arch', 'pandas', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
